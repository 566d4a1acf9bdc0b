"""From a template and its parameters to a plan: which resources, each after which, and what each will be sent. Pure.

Called by the fabric before anything is deployed; a plan that could be made has no cycles and no unknown names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from dockyard.templates.checking import check_template, is_inner, without_inner_template
from dockyard.templates.directory import Directory
from dockyard.templates.errors import ExpressionError, TemplateError
from dockyard.templates.evaluate import evaluate
from dockyard.templates.expansion import Unrolled, loop_names, unroll
from dockyard.templates.kinds import kind_named
from dockyard.templates.parameters import Given, settle
from dockyard.templates.places import Place
from dockyard.templates.resource_ids import parse_id
from dockyard.templates.scope import Moment, Runtime, Scope, Target
from dockyard.templates.states import States
from dockyard.templates.syntax import Call, escaped
from dockyard.templates.template import Template
from dockyard.templates.values import Json, kind_of
from dockyard.templates.variables import Variables
from dockyard.templates.walk import called, copies, resolve

MAX_RESOURCES = 800


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``after`` tells, for the key of each resource, the keys of those that must be there first."""

    template: Template
    given: Given
    scope: Scope
    resources: tuple[Unrolled, ...]
    directory: Directory
    after: Mapping[str, frozenset[str]]

    def states(self, known: Mapping[str, Mapping[str, Json] | None], *, tolerant: bool = False) -> States:
        """Return what expressions may ask for, given the states fetched so far, by key."""
        return States(self.directory, known, tolerant=tolerant)


def make_plan(
    template: Template, *, supplied: Mapping[str, Json], target: Target, moment: Moment, masked: bool = False
) -> Plan:
    """Return the plan of a deployment; a ``masked`` one has stars for secure values and is good for showing.

    Raises:
        TemplateError: the template or its parameters are wrong.
    """
    bare = Scope(target=target, functions=template.functions)
    given = _settled(template, supplied=supplied, scope=bare, moment=moment)
    scope = replace(
        bare,
        parameters=given.masked if masked else given.values,
        variables=Variables(template.variables, template.place.child("variables")),
    )
    check_template(template)
    unrolled = tuple(unroll(template.resources, scope))
    _check_number(unrolled, template)
    directory = Directory(unrolled, loops=loop_names(template.resources, scope))
    enabled = tuple(resource for resource in unrolled if resource.enabled)
    _check_unique(enabled)
    keys = frozenset(resource.key for resource in enabled)
    after = {each.key: _before(each, enabled, directory) & keys - {each.key} for each in enabled}
    _check_cycles(after, template)
    return Plan(template=template, given=given, scope=scope, resources=enabled, directory=directory, after=after)


def request_body(resource: Unrolled, runtime: Runtime) -> dict[str, Json]:
    """Return what a resource is sent. Raises TemplateError, ResourceNeeded."""
    scope, place = resource.scope.running(runtime), resource.declared.place
    members = dict(resource.sent)
    if not resource.is_deployment:
        return _object(resolve(members, scope, place))
    properties = members.get("properties")
    if not isinstance(properties, dict) or "template" not in properties:
        return _object(resolve(members, scope, place))
    template = properties["template"]
    rest = {name: value for name, value in properties.items() if name != "template"}
    body = _object(resolve({**members, "properties": rest}, scope, place))
    inner = is_inner(rest)
    found = template if inner else _escaped(resolve(template, scope, place.child("properties", "template")))
    options = {"scope": "inner" if inner else "outer"}  # said in words, so that the receiver knows what it gets
    return {**body, "properties": {**body["properties"], "template": found, "expressionEvaluationOptions": options}}


def evaluate_outputs(plan: Plan, runtime: Runtime) -> dict[str, Json]:
    """Return the outputs as ``{"name": {"type", "value"}}``; secure ones without value.

    Raises:
        TemplateError: one is wrong.
        ResourceNeeded: a state must be fetched first.
    """
    scope = plan.scope.running(runtime)
    outputs: dict[str, Json] = {}
    for name, body in plan.template.outputs.items():
        place = plan.template.place.child("outputs", name)
        kind = kind_named(body.get("type")) if isinstance(body, dict) else None
        if kind is None or not ("value" in body or "copy" in body):
            raise place.error(f"The output '{name}' needs a known 'type' and a 'value'")
        if resolve(body.get("condition", True), scope, place.child("condition")) is not True:
            continue
        value = _output(body, scope, place)
        if not kind.takes(value):
            raise place.error(f"The output '{name}' is declared as {kind.value}, but is {kind_of(value)}")
        outputs[name] = kind.shown(value)
    return outputs


def _output(body: Mapping[str, Json], scope: Scope, place: Place) -> Json:
    if "copy" not in body:
        return resolve(body["value"], scope, place.child("value"))
    loop, here = body["copy"], place.child("copy")
    turns = range(copies(loop, scope, here))
    return [resolve(loop.get("input"), scope.looped("", turn), here.child("input")) for turn in turns]


def _settled(template: Template, *, supplied: Mapping[str, Json], scope: Scope, moment: Moment) -> Given:
    try:
        return settle(template, supplied=supplied, scope=scope, moment=moment)
    except ExpressionError as error:
        raise template.place.child("parameters").error(str(error)) from error


def _check_number(resources: Sequence[Unrolled], template: Template) -> None:
    if len(resources) > MAX_RESOURCES:
        raise template.place.child("resources").error(
            f"The template has {len(resources)} resources; {MAX_RESOURCES} are the most"
        )


def _check_unique(resources: Sequence[Unrolled]) -> None:
    seen: set[str] = set()
    for resource in resources:
        if resource.key in seen:
            raise resource.declared.place.error(f"The resource '{resource.id}' is defined more than once")
        seen.add(resource.key)


def _before(resource: Unrolled, enabled: Sequence[Unrolled], directory: Directory) -> frozenset[str]:
    keys = {other.key for other in _depends_on(resource, directory)}
    keys |= {other.key for other in _referred_to(resource, directory)}
    keys |= {other.key for other in _earlier_batches(resource, enabled)}
    return frozenset(keys)


def _depends_on(resource: Unrolled, directory: Directory) -> list[Unrolled]:
    place = resource.declared.place.child("dependsOn")
    entries = resource.declared.body.get("dependsOn") or []
    texts = resolve(entries, resource.scope, place)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise place.error("'dependsOn' is an array of strings")
    return [other for at, text in enumerate(texts) for other in _meant(text, directory, place.child(at))]


def _meant(text: str, directory: Directory, place: Place) -> list[Unrolled]:
    found = directory.all(text)
    if not found and not directory.is_loop(text):
        raise place.error(f"The resource '{text}' is not defined in the template")
    if len({other.key for other in found}) > 1 and not directory.is_loop(text):
        raise place.error(
            f"The name '{text}' stands for several resources of the template",
            resolution="Write the whole id, with resourceId().",
        )
    return found


def _referred_to(resource: Unrolled, directory: Directory) -> list[Unrolled]:
    """Return the resources of this template whose state the body asks for: they come first, too."""
    found: list[Unrolled] = []
    for call in called(without_inner_template(resource)):
        if call.key == "reference" and call.arguments:
            other = directory.one(_static_text(call, resource.scope))
            found += [other] if other is not None else []
    return found


def _static_text(call: Call, scope: Scope) -> str:
    try:
        value = evaluate(call.arguments[0], scope)
    except (ExpressionError, TemplateError):
        return ""  # it depends on what is not known yet, or is wrong: the evaluation at its time will tell
    return value if isinstance(value, str) else ""


def _earlier_batches(resource: Unrolled, enabled: Sequence[Unrolled]) -> list[Unrolled]:
    if not resource.batch:
        return []
    mine = resource.turn // resource.batch
    return [
        other for other in enabled if other.declared is resource.declared and other.turn // resource.batch == mine - 1
    ]


def _check_cycles(after: Mapping[str, frozenset[str]], template: Template) -> None:
    try:
        TopologicalSorter(after).prepare()
    except CycleError as error:
        ids = " > ".join(reversed([str(_short(key)) for key in error.args[1]]))
        raise template.place.child("resources").error(
            "The resources of the template depend on each other in a circle", resolution=f"The circle: {ids}."
        ) from error


def _short(key: str) -> str:
    id = parse_id(key)
    return key if id is None else f"{id.type}/{'/'.join(id.names)}"


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _escaped(value: Json) -> Json:
    """Return a template whose expressions are all evaluated, so that the next reader finds none."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {name: _escaped(item) for name, item in value.items()}
    return value
