"""Functions on strings, and those that turn other values into strings and back."""

from __future__ import annotations

import base64
import binascii
import json
import urllib.parse
import uuid

from dockyard.templates.errors import ExpressionError
from dockyard.templates.functions.formatting import composite
from dockyard.templates.functions.registry import Family
from dockyard.templates.functions.unique import unique_string
from dockyard.templates.values import Json, as_text

FAMILY = Family()
_GUIDS = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")  # ARM's own name space of guid()


@FAMILY.define("concat")
def concat(first: str | int | bool | list[Json], *rest: str | int | bool | list[Json]) -> Json:  # noqa: FBT001
    """Join strings, or arrays."""
    values = (first, *rest)
    if all(isinstance(value, list) for value in values):
        return [item for value in values if isinstance(value, list) for item in value]
    if any(isinstance(value, list) for value in values):
        raise ExpressionError("The function 'concat' joins strings or arrays, not both")
    return "".join(as_text(value) for value in values)


@FAMILY.define("format")
def format_(pattern: str, *values: Json) -> str:
    """Fill ``{0}``, ``{1:D3}`` and so on."""
    return composite(pattern, values)


@FAMILY.define("base64")
def base64_(text: str) -> str:
    """Return the base64 of a string's UTF-8."""
    return base64.b64encode(text.encode()).decode()


@FAMILY.define("base64ToString")
def base64_to_string(text: str) -> str:
    """Return the string whose base64 is given."""
    return _decoded(text)


@FAMILY.define("base64ToJson")
def base64_to_json(text: str) -> Json:
    """Return the JSON value whose base64 is given."""
    return json_(_decoded(text))


@FAMILY.define("json")
def json_(text: str) -> Json:
    """Return the value a JSON text stands for."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExpressionError("The argument of 'json' is not JSON") from error


@FAMILY.define("string")
def string(value: Json) -> str:
    """Return a value as text; arrays and objects as JSON."""
    return as_text(value)


@FAMILY.define("int")
def int_(value: str | int | float) -> int:  # noqa: PYI041 - the types are checked, not promised
    """Return an integer."""
    try:
        return int(value)
    except ValueError as error:
        raise ExpressionError("The argument of 'int' is no integer") from error


@FAMILY.define("bool")
def bool_(value: str | int | bool) -> bool:  # noqa: FBT001 - it is the function's one argument
    """Return true or false."""
    if not isinstance(value, str):
        return bool(value)
    if value.lower() in ("true", "1"):
        return True
    if value.lower() in ("false", "0"):
        return False
    raise ExpressionError("The argument of 'bool' is neither true nor false")


@FAMILY.define("toLower")
def to_lower(text: str) -> str:
    """Return a string in lower case."""
    return text.lower()


@FAMILY.define("toUpper")
def to_upper(text: str) -> str:
    """Return a string in upper case."""
    return text.upper()


@FAMILY.define("trim")
def trim(text: str) -> str:
    """Return a string without the space around it."""
    return text.strip()


@FAMILY.define("substring")
def substring(text: str, start: int, length: int | None = None) -> str:
    """Return a part of a string."""
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text):
        raise ExpressionError(f"'substring' reaches outside the string, which has {len(text)} characters")
    return text[start:end]


@FAMILY.define("startsWith")
def starts_with(text: str, beginning: str) -> bool:
    """Whether a string begins with another; case does not matter."""
    return text.lower().startswith(beginning.lower())


@FAMILY.define("endsWith")
def ends_with(text: str, ending: str) -> bool:
    """Whether a string ends with another; case does not matter."""
    return text.lower().endswith(ending.lower())


@FAMILY.define("replace")
def replace(text: str, old: str, new: str) -> str:
    """Return a string with every ``old`` replaced."""
    if not old:
        raise ExpressionError("'replace' cannot look for an empty string")
    return text.replace(old, new)


@FAMILY.define("split")
def split(text: str, delimiter: str | list[Json]) -> list[str]:
    """Return the parts of a string between delimiters."""
    delimiters = [delimiter] if isinstance(delimiter, str) else delimiter
    parts = [text]
    for each in delimiters:
        parts = [piece for part in parts for piece in (part.split(as_text(each)) if each else [part])]
    return parts


@FAMILY.define("join")
def join(items: list[Json], delimiter: str) -> str:
    """Return the elements of an array as one string."""
    return delimiter.join(as_text(item) for item in items)


@FAMILY.define("padLeft")
def pad_left(value: str | int, length: int, character: str = " ") -> str:
    """Return a string made longer from the left."""
    if len(character) != 1:
        raise ExpressionError("'padLeft' fills with one character")
    return as_text(value).rjust(length, character)


@FAMILY.define("uniqueString")
def unique(first: str, *rest: str) -> str:
    """Return thirteen characters that depend on the arguments alone, the same ones Azure gives."""
    return unique_string("-".join((first, *rest)))


@FAMILY.define("guid")
def guid(first: str, *rest: str) -> str:
    """Return a UUID that depends on the arguments alone."""
    return str(uuid.uuid5(_GUIDS, "-".join((first, *rest))))


@FAMILY.define("uri")
def uri(base: str, relative: str) -> str:
    """Return an address relative to another."""
    return urllib.parse.urljoin(base, relative)


@FAMILY.define("uriComponent")
def uri_component(text: str) -> str:
    """Return a string as it may stand in an address."""
    return urllib.parse.quote(text, safe="")


@FAMILY.define("uriComponentToString")
def uri_component_to_string(text: str) -> str:
    """Return the string that ``uriComponent`` encoded."""
    return urllib.parse.unquote(text)


@FAMILY.define("dataUri")
def data_uri(value: Json) -> str:
    """Return a value as a data URI."""
    return "data:text/plain;charset=utf8;base64," + base64.b64encode(as_text(value).encode()).decode()


@FAMILY.define("dataUriToString")
def data_uri_to_string(text: str) -> str:
    """Return what a data URI in base64 holds."""
    head, comma, body = text.partition(",")
    if not comma or not head.startswith("data:"):
        raise ExpressionError("The argument of 'dataUriToString' is no data URI")
    return _decoded(body) if head.endswith(";base64") else urllib.parse.unquote(body)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ExpressionError("The argument is not the base64 of a string") from error
