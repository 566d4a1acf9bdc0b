"""Small members that bodies of several kinds of network resources have, as checked values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from dockyard.model.errors import InvalidRequest
from dockyard.model.network import NetworkResource
from dockyard_contract.documents import JsonObject, JsonValue

SUCCEEDED = {"provisioningState": "Succeeded"}


def link(owner: JsonObject, name: str) -> dict[str, Any] | None:
    """Return a member that names another resource, ``{"id": ...}``, or None. Raises MalformedDocument."""
    found = owner.optional_object(name)
    return None if found is None else {"id": found.string("id").rstrip("/")}


def named(items: tuple[JsonValue, ...]) -> list[tuple[str, JsonObject]]:
    """Return named members of a list with their properties. Raises MalformedDocument, InvalidRequest for twins."""
    found = [(item.string("name"), item.object("properties")) for item in (value.object() for value in items)]
    names = [name.lower() for name, _ in found]
    for at, (name, _) in enumerate(found):
        if not name or "/" in name or len(name) > 80:
            raise InvalidRequest(f"'{name[:80]}' is not a valid name", code="InvalidResourceName")
        if names.index(name.lower()) != at:
            raise InvalidRequest(f"Two members of one list are called '{name}'", code="DuplicateResourceName")
    return found


def choice(owner: JsonObject, name: str, *options: str, default: str | None = None) -> str:
    """Return a member that is one of a few words, spelled as Azure spells it. Raises InvalidRequest."""
    said = owner.string(name) if default is None else owner.optional_string(name) or default
    for option in options:
        if said.lower() == option.lower():
            return option
    raise InvalidRequest(
        f"'{said[:40]}' is no value of {owner.path}.{name}",
        resolution=f"Use one of {', '.join(options)}.",
        code="InvalidRequestFormat",
    )


def prefix(value: JsonValue) -> str:
    """Return an IPv4 address prefix. Raises InvalidRequest (code InvalidAddressPrefixFormat)."""
    text = value.string()
    try:
        return str(IPv4Network(text, strict=False)) if "/" in text else _refuse(value)
    except ValueError:
        return _refuse(value)


def address(owner: JsonObject, name: str) -> str | None:
    """Return an IPv4 address, or None. Raises InvalidRequest."""
    text = owner.optional_string(name)
    if not text:
        return None
    try:
        return str(IPv4Address(text))
    except ValueError as error:
        raise InvalidRequest(
            f"'{text[:40]}' is not an IPv4 address", details=f"found at {owner.path}.{name}", code="InvalidIPAddress"
        ) from error


def child_document(parent: NetworkResource, type: str, child: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return a part of a resource as ARM shows it, inside of its parent and alone."""
    id = parent.id.child(kind=type.rpartition("/")[2], name=child["name"])
    properties = {**child["properties"], **SUCCEEDED, **more}
    return {"id": str(id), "name": child["name"], "type": type, "properties": properties}


def links(ids: tuple[str, ...]) -> list[dict[str, str]]:
    """Return ids as ARM lists them."""
    return [{"id": id} for id in ids]


def _refuse(value: JsonValue) -> str:
    raise InvalidRequest(
        f"Address prefix {value.string()[:60]} of {value.path} is not formatted correctly. It should follow CIDR"
        " notation, for example 10.0.0.0/24",
        code="InvalidAddressPrefixFormat",
    )
