"""A template as frozen values: its sections, checked for shape, their expressions not yet evaluated. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockyard.templates.places import Place, Source
from dockyard.templates.scope import UserFunction
from dockyard.templates.values import Json, kind_of

_MEMBERS = {"$schema", "contentversion", "apiprofile", "definitions", "languageversion", "metadata"}
_MEMBERS |= {"parameters", "variables", "functions", "resources", "outputs"}


@dataclass(frozen=True)
class Declared:
    """A resource as the template writes it. ``symbol`` is its name where resources are members of an object."""

    body: Mapping[str, Json]
    place: Place
    symbol: str = ""


@dataclass(frozen=True, kw_only=True)
class Template:
    """One template."""

    place: Place
    parameters: Mapping[str, Json]
    variables: Mapping[str, Json]
    functions: Mapping[str, UserFunction]
    resources: tuple[Declared, ...]
    outputs: Mapping[str, Json]


def read_template(value: Json, *, source: Source) -> Template:
    """Return the template in a JSON value.

    Raises:
        TemplateError: a section is missing, unknown or of a wrong type.
    """
    place = Place(source)
    if not isinstance(value, dict):
        raise place.error(f"A template is an object, but this is {kind_of(value)}")
    _check_members(value, place)
    return Template(
        place=place,
        parameters=_section(value, "parameters", place),
        variables=_section(value, "variables", place),
        functions=_functions(value.get("functions") or [], place.child("functions")),
        resources=read_resources(value["resources"], place.child("resources")),
        outputs=_section(value, "outputs", place),
    )


def read_resources(value: Json, place: Place) -> tuple[Declared, ...]:
    """Return the resources of a template, or the children of one. Raises TemplateError."""
    if isinstance(value, dict):
        found = [Declared(_resource(body, place.child(name)), place.child(name), name) for name, body in value.items()]
    elif isinstance(value, list):
        found = [Declared(_resource(body, place.child(at)), place.child(at)) for at, body in enumerate(value)]
    else:
        raise place.error(f"The resources are an array or an object, but this is {kind_of(value)}")
    return tuple(found)


def _check_members(value: dict[str, Json], place: Place) -> None:
    unknown = [name for name in value if name.lower() not in _MEMBERS]
    if unknown:
        raise place.child(unknown[0]).error(f"A template has no section '{unknown[0]}'")
    for name in ("$schema", "contentVersion", "resources"):
        if name not in value:
            raise place.error(f"The template lacks its section '{name}'")


def _section(value: dict[str, Json], name: str, place: Place) -> Mapping[str, Json]:
    found = value.get(name)
    if found is not None and not isinstance(found, dict):
        raise place.child(name).error(f"The section '{name}' is an object, but this is {kind_of(found)}")
    return found or {}


def _resource(body: Json, place: Place) -> Mapping[str, Json]:
    if not isinstance(body, dict):
        raise place.error(f"A resource is an object, but this is {kind_of(body)}")
    return body


def _functions(value: Json, place: Place) -> dict[str, UserFunction]:
    if not isinstance(value, list):
        raise place.error("The functions are an array of name spaces")
    found: dict[str, UserFunction] = {}
    for at, space in enumerate(value):
        here = place.child(at)
        members = space.get("members") if isinstance(space, dict) else None
        if not isinstance(members, dict) or not isinstance(space.get("namespace"), str):
            raise here.error("A name space of functions is an object with 'namespace' and 'members'")
        for name, body in members.items():
            function = _function(body, here.child("members", name))
            found[f"{space['namespace']}.{name}".lower()] = function
    return found


def _function(body: Json, place: Place) -> UserFunction:
    output = body.get("output") if isinstance(body, dict) else None
    parameters = (body.get("parameters") or []) if isinstance(body, dict) else None
    if not isinstance(output, dict) or "value" not in output or not isinstance(parameters, list):
        raise place.error("A function is an object with 'parameters' (an array) and 'output' (with a 'value')")
    names = [each.get("name") if isinstance(each, dict) else None for each in parameters]
    if not all(isinstance(name, str) for name in names):
        raise place.error("Each parameter of a function is an object with 'name' and 'type'")
    return UserFunction(tuple(str(name) for name in names), output["value"])
