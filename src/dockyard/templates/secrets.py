"""Which members of a template hold secrets by their nature, and a template without them. Pure.

What is stored and told goes through here: a key written into ``protectedSettings`` of a template is as secret as one
that comes as a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping

from dockyard.templates.kinds import kind_named
from dockyard.templates.syntax import is_expression
from dockyard.templates.values import Json

STARS = "********"
SECRET_MEMBERS = frozenset({"protectedsettings", "adminpassword"})


# What a parameter's definition says of it without saying what it is.
_DEFINING = frozenset({"type", "metadata", "minlength", "maxlength", "nullable"})


def without_secrets(template: Mapping[str, Json]) -> dict[str, Json]:
    """Return a template with stars for literals in secret members and in the defaults of secure parameters."""
    return {name: _kept(name, value) for name, value in template.items()}


def _kept(name: str, value: Json) -> Json:
    if name.lower() in SECRET_MEMBERS:
        return _starred(value)
    if name.lower() == "parameters" and isinstance(value, dict):
        return {each: _parameter(each, definition) for each, definition in value.items()}
    if isinstance(value, list):
        return [_kept("", item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = without_secrets(value)
    kind = kind_named(value.get("type"))
    if kind is not None and kind.is_secure and "defaultValue" in value:
        kept["defaultValue"] = _starred(value["defaultValue"])
    return kept


def _parameter(name: str, definition: Json) -> Json:
    """Return the definition of a parameter; one that is only called like a secret member stays a definition."""
    if (
        name.lower() not in SECRET_MEMBERS
        or not isinstance(definition, dict)
        or kind_named(definition.get("type")) is None
    ):
        return _kept(name, definition)
    return {each: part if each.lower() in _DEFINING else _starred(part) for each, part in definition.items()}


def _starred(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _starred(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_starred(item) for item in value]
    if value in (None, "") or (isinstance(value, str) and is_expression(value)):
        return value
    return STARS
