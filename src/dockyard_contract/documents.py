"""Typed reading of parsed JSON and XML, with the path of each member kept for the error text.

Every codec of this package reads through here, so that a wrong or missing member always raises
`MalformedDocument` with the document's name, the member's path and the expectation. Nothing here does I/O, and
no value is ever quoted in an error, because any member may be a secret. ElementTree is imported on first use:
a guest command that reads only JSON must not pay for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from .errors import MalformedDocument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element


def describe(value: object) -> str:
    """The JSON type of a value in words: ``an object``, ``a string``, ``null``. Never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    return "a value that JSON cannot hold"


_WORDS: tuple[tuple[type, str], ...] = (
    (str, "a string"),
    (int, "an integer"),
    (float, "a number"),
    (list, "an array"),
    (dict, "an object"),
)


# ---------------------------------------------------------------- JSON


@dataclass(frozen=True)
class JsonValue:
    """One value inside a JSON document, which knows where it stands.

    Each reader raises `MalformedDocument` when the value is of another type.

    Attributes:
        document: Name of the document, for error texts.
        path: Path of this value in the document; empty for the root.
        raw: The parsed value. Hidden from `repr`, as it may be a secret.
    """

    document: str
    path: str
    raw: object

    def __repr__(self) -> str:
        return f"JsonValue({self.document!r}, {self.path!r}, {describe(self.raw)})"

    @property
    def is_null(self) -> bool:
        """Whether the value is JSON's null."""
        return self.raw is None

    def malformed(self, *, expected: str, found: str | None = None) -> MalformedDocument:
        """The error for this place. `found` defaults to the value's type; pass no secret."""
        return MalformedDocument(
            document=self.document, member=self.path, expected=expected, found=found or describe(self.raw)
        )

    def object(self) -> JsonObject:
        """The value as an object."""
        if not isinstance(self.raw, dict):
            raise self.malformed(expected="an object")
        return JsonObject(document=self.document, path=self.path, members=self.raw)

    def array(self) -> tuple[JsonValue, ...]:
        """The value as an array of values, each of which knows its index."""
        if not isinstance(self.raw, list):
            raise self.malformed(expected="an array")
        return tuple(
            JsonValue(document=self.document, path=f"{self.path}[{index}]", raw=item)
            for index, item in enumerate(self.raw)
        )

    def string(self) -> str:
        """The value as a string."""
        if not isinstance(self.raw, str):
            raise self.malformed(expected="a string")
        return self.raw

    def integer(self) -> int:
        """The value as an integer; JSON's true and false are not integers."""
        if not isinstance(self.raw, int) or isinstance(self.raw, bool):
            raise self.malformed(expected="an integer")
        return self.raw

    def number(self) -> int | float:
        """The value as an integer or a floating-point number."""
        if not isinstance(self.raw, (int, float)) or isinstance(self.raw, bool):
            raise self.malformed(expected="a number")
        return self.raw

    def boolean(self) -> bool:
        """The value as true or false; the strings ``"true"`` and ``"false"`` are not booleans."""
        if not isinstance(self.raw, bool):
            raise self.malformed(expected="true or false")
        return self.raw


@dataclass(frozen=True)
class JsonObject:
    """One JSON object inside a document; its members are read by name and by type.

    The ``optional_*`` readers answer ``None`` for a member that is absent or null. Every reader raises
    `MalformedDocument` for a member of the wrong type, and the others also for one that is absent.
    """

    document: str
    path: str
    members: Mapping[str, object]

    def __repr__(self) -> str:
        return f"JsonObject({self.document!r}, {self.path!r}, members {sorted(self.members)})"

    def names(self) -> tuple[str, ...]:
        """The names of the members, in the document's order."""
        return tuple(self.members)

    def value(self, name: str) -> JsonValue:
        """The member, whatever its type; null counts as there.

        Raises:
            MalformedDocument: There is no such member.
        """
        member = f"{self.path}.{name}" if self.path else name
        if name not in self.members:
            raise MalformedDocument(
                document=self.document, member=member, expected="a member of this name", found="nothing"
            )
        return JsonValue(document=self.document, path=member, raw=self.members[name])

    def optional(self, name: str) -> JsonValue | None:
        """The member, or ``None`` when it is absent or null."""
        if self.members.get(name) is None:
            return None
        return self.value(name)

    def object(self, name: str) -> JsonObject:
        """The member as an object."""
        return self.value(name).object()

    def optional_object(self, name: str) -> JsonObject | None:
        """The member as an object, or ``None``."""
        found = self.optional(name)
        return None if found is None else found.object()

    def array(self, name: str) -> tuple[JsonValue, ...]:
        """The member as an array."""
        return self.value(name).array()

    def optional_array(self, name: str) -> tuple[JsonValue, ...] | None:
        """The member as an array, or ``None``; an empty array is an empty tuple."""
        found = self.optional(name)
        return None if found is None else found.array()

    def string(self, name: str) -> str:
        """The member as a string."""
        return self.value(name).string()

    def optional_string(self, name: str) -> str | None:
        """The member as a string, or ``None``."""
        found = self.optional(name)
        return None if found is None else found.string()

    def integer(self, name: str) -> int:
        """The member as an integer."""
        return self.value(name).integer()

    def optional_integer(self, name: str) -> int | None:
        """The member as an integer, or ``None``."""
        found = self.optional(name)
        return None if found is None else found.integer()

    def boolean(self, name: str) -> bool:
        """The member as true or false."""
        return self.value(name).boolean()

    def optional_boolean(self, name: str) -> bool | None:
        """The member as true or false, or ``None``."""
        found = self.optional(name)
        return None if found is None else found.boolean()


def parse_json(text: str | bytes, *, document: str) -> JsonValue:
    """Parse a JSON text; a byte order mark is dropped, NaN and Infinity are refused.

    Raises:
        MalformedDocument: The text is not UTF-8, not JSON, nested too deeply, or has a number too long.
    """
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text.lstrip("\ufeff")
        return JsonValue(document=document, path="", raw=json.loads(decoded, parse_constant=_refuse_constant))
    except UnicodeDecodeError:
        found = "bytes that are not UTF-8"
    except json.JSONDecodeError as error:
        found = "nothing" if not text.strip() else f"a mistake at line {error.lineno}, column {error.colno}"
    except RecursionError:
        found = "values nested too deeply"
    except ValueError:
        found = "a number that JSON does not have or that is too long"
    # Raised outside the handlers: their exceptions hold the whole text, which may be a secret.
    raise MalformedDocument(document=document, member="", expected="a JSON text", found=found)


def dump_json(value: object) -> str:
    """The value as JSON text, members in the order given, with a final newline."""
    return json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


# ---------------------------------------------------------------- XML


@dataclass(frozen=True)
class XmlElement:
    """One element of an XML document, which knows where it stands.

    Attributes:
        document: Name of the document, for error texts.
        path: Path of the element, for example ``Extensions/Plugins/Plugin[1]``.
        raw: The ElementTree element.
    """

    document: str
    path: str
    raw: Element

    @property
    def name(self) -> str:
        """The element's tag."""
        return self.raw.tag

    def malformed(self, *, expected: str, found: str) -> MalformedDocument:
        """The error for this element."""
        return MalformedDocument(document=self.document, member=self.path, expected=expected, found=found)

    def attribute(self, name: str) -> str:
        """The attribute's text, which may be empty.

        Raises:
            MalformedDocument: There is no such attribute.
        """
        value = self.raw.get(name)
        if value is None:
            raise self._missing(f"@{name}", expected="an attribute of this name")
        return value

    def optional_attribute(self, name: str) -> str | None:
        """The attribute's text, or ``None`` when there is no such attribute."""
        return self.raw.get(name)

    def integer_attribute(self, name: str) -> int:
        """The attribute as a decimal integer.

        Raises:
            MalformedDocument: There is no such attribute, or it is not an integer.
        """
        return _integer(self.attribute(name), document=self.document, member=f"{self.path}/@{name}")

    def children(self, name: str) -> tuple[XmlElement, ...]:
        """All children of this tag, in order; possibly none."""
        found = self.raw.findall(name)
        numbered = len(found) > 1
        return tuple(
            XmlElement(
                document=self.document,
                path=f"{self.path}/{name}[{index}]" if numbered else f"{self.path}/{name}",
                raw=item,
            )
            for index, item in enumerate(found)
        )

    def child(self, name: str) -> XmlElement:
        """The only child of this tag.

        Raises:
            MalformedDocument: There is none, or more than one.
        """
        found = self.optional_child(name)
        if found is None:
            raise self._missing(name, expected="an element of this name")
        return found

    def optional_child(self, name: str) -> XmlElement | None:
        """The only child of this tag, or ``None``.

        Raises:
            MalformedDocument: There is more than one.
        """
        found = self.children(name)
        if len(found) > 1:
            raise MalformedDocument(
                document=self.document,
                member=f"{self.path}/{name}",
                expected="one element of this name",
                found=f"{len(found)} of them",
            )
        return found[0] if found else None

    def text(self) -> str:
        """The element's text without blanks around it.

        Raises:
            MalformedDocument: The text is empty.
        """
        found = self.optional_text()
        if found is None:
            raise self.malformed(expected="a text", found="an empty element")
        return found

    def optional_text(self) -> str | None:
        """The element's text without blanks around it, or ``None`` when that is empty."""
        return (self.raw.text or "").strip() or None

    def integer(self) -> int:
        """The element's text as a decimal integer.

        Raises:
            MalformedDocument: The text is not an integer.
        """
        return _integer(self.text(), document=self.document, member=self.path)

    def _missing(self, name: str, *, expected: str) -> MalformedDocument:
        member = f"{self.path}/{name}"
        return MalformedDocument(document=self.document, member=member, expected=expected, found="nothing")


def parse_xml(text: str | bytes, *, document: str, root: str) -> XmlElement:
    """Parse an XML text whose root element must be `root`; document type declarations are refused.

    Raises:
        MalformedDocument: The text is not XML, declares a document type, or has another root.
    """
    from xml.etree.ElementTree import TreeBuilder  # noqa: PLC0415 - see the module's docstring
    from xml.parsers import expat  # noqa: PLC0415 - the same

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        # Expat is driven directly, as this is the only way to refuse entity declarations before they expand.
        parser.Parse(text, True)  # noqa: FBT003 - expat takes no keywords
        element = builder.close()
    except (expat.ExpatError, AssertionError, ValueError, LookupError) as error:
        found = _xml_mistake(error)
    else:
        if element.tag == root:
            return XmlElement(document=document, path=root, raw=element)
        found = f"the root element {element.tag}"
    expected = f"an XML text with the root {root}"
    raise MalformedDocument(document=document, member="", expected=expected, found=found)


class _DoctypeError(ValueError):
    """A document type declaration, with which entities could be declared."""


def _refuse_doctype(*_arguments: object) -> NoReturn:
    raise _DoctypeError


def _xml_mistake(error: Exception) -> str:
    if isinstance(error, _DoctypeError):
        return "a document type declaration"
    line = getattr(error, "lineno", None)
    return "a text that is not XML" if line is None else f"a mistake at line {line}"


def _integer(text: str, *, document: str, member: str) -> int:
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return int(text)
    raise MalformedDocument(document=document, member=member, expected="an integer", found="another text")
