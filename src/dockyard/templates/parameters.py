"""Parameters: what was given, what stands by default, and whether both are allowed. Pure.

No text here quotes a given value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dockyard.templates.errors import ExpressionError, TemplateError
from dockyard.templates.kinds import Kind, kind_named
from dockyard.templates.places import Place
from dockyard.templates.scope import Moment, Scope
from dockyard.templates.template import Template
from dockyard.templates.values import Json, kind_of, same
from dockyard.templates.walk import resolve


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One declaration."""

    name: str
    kind: Kind
    body: Mapping[str, Json]
    place: Place

    def check(self, value: Json) -> None:
        """Raise TemplateError when the value is not allowed."""
        if value is None and self.body.get("nullable") is True:
            return
        if not self.kind.takes(value):
            raise self._wrong(f"must be of type '{self.kind.value}', but is {kind_of(value)}")
        self._check_allowed(value)
        size = value if self.kind is Kind.INT else (len(value) if self.kind is not Kind.BOOL else 0)
        least, most = ("minValue", "maxValue") if self.kind is Kind.INT else ("minLength", "maxLength")
        what = "" if self.kind is Kind.INT else " long"
        if isinstance(self.body.get(least), int) and size < self.body[least]:
            raise self._wrong(f"must be at least {self.body[least]}{what}")
        if isinstance(self.body.get(most), int) and size > self.body[most]:
            raise self._wrong(f"must be at most {self.body[most]}{what}")

    def _check_allowed(self, value: Json) -> None:
        allowed = self.body.get("allowedValues")
        if not isinstance(allowed, list) or any(same(value, each) for each in allowed):
            return
        if self.kind is Kind.ARRAY and all(any(same(item, each) for each in allowed) for item in value):
            return
        values = ", ".join(str(each) for each in allowed)
        raise self._wrong(f"is not one of the allowed values: {values}")

    def _wrong(self, message: str) -> TemplateError:
        return self.place.error(f"The value of the template parameter '{self.name}' {message}")


@dataclass(frozen=True)
class Given:
    """All parameters settled.

    ``values`` go by lower-case names, ``masked`` likewise with stars for secure ones; ``shown`` has what may be stored
    and answered.
    """

    values: Mapping[str, Json] = field(repr=False)
    masked: Mapping[str, Json]
    shown: Mapping[str, Json]


def declarations(template: Template) -> dict[str, Parameter]:
    """Return the parameters of a template by lower-case names. Raises TemplateError."""
    found: dict[str, Parameter] = {}
    for name, body in template.parameters.items():
        place = template.place.child("parameters", name)
        kind = kind_named(body.get("type")) if isinstance(body, dict) else None
        if kind is None:
            words = ", ".join(each.value for each in Kind)
            raise place.error(f"The parameter '{name}' has no known type", resolution=f"Use one of: {words}.")
        found[name.lower()] = Parameter(name=name, kind=kind, body=body, place=place)
    return found


def settle(template: Template, *, supplied: Mapping[str, Json], scope: Scope, moment: Moment) -> Given:
    """Return the values of all parameters.

    Args:
        template: the template that declares them.
        supplied: ``{"name": {"value": ...}}`` as a request has it.
        scope: has the target; parameters come from here.
        moment: the present, for defaults.

    Raises:
        TemplateError: one is missing, unknown, of another type or not allowed.
    """
    declared = declarations(template)
    _check_known(template, declared, supplied)
    given = {name.lower(): _given(name, entry, template) for name, entry in supplied.items()}
    values = _Values(declared, given, replace(scope, moment=moment))
    settled = {name: values[name] for name in declared}
    for name, parameter in declared.items():
        parameter.check(settled[name])
    shown = {each.name: each.kind.shown(settled[name]) for name, each in declared.items()}
    masked = {name: declared[name].kind.masked(value) for name, value in settled.items()}
    return Given(settled, masked, shown)


def _check_known(template: Template, declared: Mapping[str, Parameter], supplied: Mapping[str, Json]) -> None:
    unknown = [name for name in supplied if name.lower() not in declared]
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        have = ", ".join(f"'{each.name}'" for each in declared.values()) or "none"
        raise template.place.child("parameters").error(
            f"Parameters were supplied that the template does not define: {names}",
            resolution=f"The template defines: {have}.",
        )


def _given(name: str, entry: Json, template: Template) -> Json:
    place = template.place.child("parameters", name)
    if isinstance(entry, dict) and "reference" in entry:
        raise place.error(f"The parameter '{name}' refers to a key vault; there is none here")
    if not isinstance(entry, dict) or "value" not in entry:
        raise place.error(f"The parameter '{name}' is given without a 'value'")
    return entry["value"]


class _Values(Mapping[str, Json]):
    """Values by name; a default is evaluated when it is first asked for, perhaps by another default."""

    def __init__(self, declared: Mapping[str, Parameter], given: Mapping[str, Json], scope: Scope) -> None:
        self._declared = declared
        self._scope = replace(scope, parameters=self)
        self._known = {name: value for name, value in given.items() if value is not None or _nullable(declared[name])}
        self._open: set[str] = set()

    def __getitem__(self, name: str) -> Json:
        if name not in self._known:
            self._known[name] = self._default(self._declared[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def _default(self, parameter: Parameter) -> Json:
        if "defaultValue" not in parameter.body:
            if _nullable(parameter):
                return None
            raise parameter.place.error(f"The value of the template parameter '{parameter.name}' is not provided")
        if parameter.name in self._open:
            raise ExpressionError(f"The default of the parameter '{parameter.name}' refers to itself")
        self._open.add(parameter.name)
        return resolve(parameter.body["defaultValue"], self._scope, parameter.place.child("defaultValue"))


def _nullable(parameter: Parameter) -> bool:
    return parameter.body.get("nullable") is True
