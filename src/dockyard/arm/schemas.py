"""JSON schemas that several providers share, for ``describe``. Pure values; as loose as what the routes accept."""

from __future__ import annotations

from typing import Any

from dockyard.arm.describe import Schema

ANYTHING: Schema = {}
TEXT: Schema = {"type": "string"}
BINARY: Schema = {"type": "string", "format": "binary"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_FLAG: Schema = {"type": ["boolean", "null"]}
MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
OBJECT: Schema = {"type": "object"}
MAYBE_OBJECT: Schema = {"type": ["object", "null"]}
TAGS: Schema = {"type": ["object", "null"], "additionalProperties": TEXT}


def an_object(*required: str, **members: Schema) -> dict[str, Any]:
    """Return the schema of an object with these members; those named in ``required`` must be there."""
    return {"type": "object", "required": list(required), "properties": dict(members)}


def maybe(schema: Schema) -> Schema:
    """Return the same schema, satisfied by null as well."""
    return {**schema, "type": [schema["type"], "null"]}


def an_array(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


def a_list(item: Schema) -> Schema:
    """Return the schema of a list as ARM wraps it."""
    return an_object("value", value=an_array(item))


NAMED: Schema = an_object("id", "name", id=TEXT, name=TEXT)
RESOURCE: Schema = an_object(
    "id", "name", "type", id=TEXT, name=TEXT, type=TEXT, location=TEXT, tags=TAGS, properties=OBJECT
)
RESOURCES: Schema = a_list(RESOURCE)
SUBSCRIPTION: Schema = an_object("id", "subscriptionId", id=TEXT, subscriptionId=TEXT, displayName=TEXT, state=TEXT)
TAGGED: Schema = an_object(location=MAYBE_TEXT, tags=TAGS)
TAGS_ALONE: Schema = an_object(tags=TAGS)
ERROR: Schema = an_object("error", error=an_object("code", "message", code=TEXT, message=TEXT))
OPERATION: Schema = an_object("name", "status", name=TEXT, status=TEXT, startTime=TEXT, endTime=TEXT, error=OBJECT)


def a_body(*required: str, **properties: Schema) -> dict[str, Any]:
    """Return the schema of a resource as a PUT takes it, with these members in ``properties``."""
    members = {"location": MAYBE_TEXT, "tags": TAGS, "properties": an_object(*required, **properties)}
    return an_object("properties", **members)
