"""What can be said against a template before anything of it is evaluated. Pure; called by ``planning``.

Texts that cannot be read and functions that do not exist or are refused: a wrong expression in an output would
otherwise be found only when all machines run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dockyard.templates.errors import ExpressionError
from dockyard.templates.evaluate import FORMS, FUNCTIONS
from dockyard.templates.expansion import DEPLOYMENTS, Unrolled
from dockyard.templates.places import Place
from dockyard.templates.special import check_offered
from dockyard.templates.syntax import Call, calls, is_expression, parse
from dockyard.templates.template import Template
from dockyard.templates.values import Json

_REMARKS = ("metadata", "comments")  # for people; a bracket in them means nothing


def check_template(template: Template) -> None:
    """Raise TemplateError for the first expression that cannot be right."""
    known = {*FORMS, *FUNCTIONS, *template.functions}
    for name, body in template.parameters.items():
        default = body.get("defaultValue") if isinstance(body, dict) else None
        _check(default, template.place.child("parameters", name, "defaultValue"), known)
    _check(template.variables, template.place.child("variables"), known)
    _check(template.outputs, template.place.child("outputs"), known)
    for declared in template.resources:
        _check(declared.body, declared.place, known)


def is_inner(properties: Mapping[str, Json]) -> bool:
    """Whether a nested template is evaluated by the deployment it makes, not by the one it stands in."""
    options = properties.get("expressionEvaluationOptions")
    scope = options.get("scope") if isinstance(options, dict) else None
    return isinstance(scope, str) and scope.lower() == "inner"


def without_inner_template(resource: Unrolled) -> Mapping[str, Json]:
    """Return what a resource is sent, without a template that is none of this deployment's business."""
    return _own({**resource.sent, "type": resource.id.type})


def _own(body: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = body.get("properties")
    kind = str(body.get("type", "")).lower()
    if kind != DEPLOYMENTS.lower() or not isinstance(properties, dict) or not is_inner(properties):
        return body
    return {**body, "properties": {name: value for name, value in properties.items() if name != "template"}}


def _check(value: Json, place: Place, known: Collection[str]) -> None:
    if isinstance(value, str):
        _check_text(value, place, known)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _check(item, place.child(at), known)
    elif isinstance(value, Mapping):
        for name, item in _own(value).items():
            _check_text(name, place, known)
            if name.lower() not in _REMARKS:
                _check(item, place.child(name), known)


def _check_text(text: str, place: Place, known: Collection[str]) -> None:
    if not is_expression(text):
        return
    try:
        for call in calls(parse(text)):
            _check_call(call, known)
    except ExpressionError as error:
        raise place.error(str(error), expression=text) from error


def _check_call(call: Call, known: Collection[str]) -> None:
    if call.key not in known:
        raise ExpressionError(f"There is no template function '{call.name}'")
    check_offered(call)
