"""JSON as ARM takes it: with comments, unquoted names, single quotes, trailing commas and strings over several lines.

`az deployment group create` sends the text of a template file as it is, under a name without quotes, so a strict
reader would refuse what Azure takes. Every value's place is kept: an error names its line. Used by the API's
deployment routes; reads text that is already in memory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockyard.templates.errors import TemplateError

Path = tuple[str | int, ...]
_MAX_DEPTH = 100
_WORDS = {"true": True, "false": False, "null": None}
_STRINGS = json.JSONDecoder(strict=False)  # which lets a string go over several lines
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_SPACE = " \t\r\n\ufeff"


@dataclass(frozen=True)
class Document:
    """A parsed text and the offset at which each of its values begins."""

    value: Any = field(repr=False)
    text: str = field(repr=False)
    offsets: Mapping[Path, int] = field(repr=False)

    def line(self, path: Path, *, since: Path = ()) -> int:
        """Return the line of a value, counted from the one where ``since`` begins (the first is 1)."""
        return self.text.count("\n", self._offset(since), self._offset(path)) + 1

    def is_on_one_line(self, path: Path) -> bool:
        """Whether lines say nothing: the value at ``path`` was sent without any line feed."""
        return self.text.find("\n", self._offset(path)) < 0

    def _offset(self, path: Path) -> int:
        while path and path not in self.offsets:
            path = path[:-1]
        return self.offsets.get(path, 0)


def read(text: str | bytes) -> Document:
    """Return the document in ``text``.

    Raises:
        TemplateError: (code InvalidRequestContent) not JSON even by these rules.
    """
    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError("The request body is not UTF-8", code="InvalidRequestContent") from error
    reader = _Reader(decoded)
    value = reader.value((), at=reader.skip(0))
    if reader.skip(reader.end) < len(decoded):
        raise reader.wrong("the end of the text", at=reader.skip(reader.end))
    return Document(value=value, text=decoded, offsets=reader.offsets)


class _Reader:
    """Recursive descent; every method leaves ``end`` behind what it read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.end = 0
        self.offsets: dict[Path, int] = {}

    def wrong(self, expected: str, *, at: int) -> TemplateError:
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        return TemplateError(
            f"The request body is not JSON: expected {expected} at line {line}, column {column}",
            code="InvalidRequestContent",
        )

    def skip(self, at: int) -> int:
        """Return the offset of the next character that is neither space nor comment."""
        text = self._text
        while at < len(text):
            if text[at] in _SPACE:
                at += 1
            elif text.startswith("//", at):
                end = text.find("\n", at)
                at = len(text) if end < 0 else end
            elif text.startswith("/*", at):
                end = text.find("*/", at + 2)
                if end < 0:
                    raise self.wrong("the end of the comment", at=at)
                at = end + 2
            else:
                break
        return at

    def value(self, path: Path, *, at: int) -> Any:
        if len(path) > _MAX_DEPTH:
            raise self.wrong(f"no more than {_MAX_DEPTH} levels", at=at)
        self.offsets[path] = at
        first = self._text[at : at + 1]
        if first == "{":
            return self._object(path, at=at)
        if first == "[":
            return self._array(path, at=at)
        if first in ('"', "'") and first:
            return self._string(at)
        return self._scalar(at)

    def _object(self, path: Path, *, at: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        at = self.skip(at + 1)
        while self._text[at : at + 1] != "}":
            name = self._name(at)
            at = self._expect(":", at=self.skip(self.end))
            members[name] = self.value((*path, name), at=at)
            at = self._next("}", at=self.skip(self.end))
        self.end = at + 1
        return members

    def _array(self, path: Path, *, at: int) -> list[Any]:
        items: list[Any] = []
        at = self.skip(at + 1)
        while self._text[at : at + 1] != "]":
            items.append(self.value((*path, len(items)), at=at))
            at = self._next("]", at=self.skip(self.end))
        self.end = at + 1
        return items

    def _next(self, closing: str, *, at: int) -> int:
        found = self._text[at : at + 1]
        if found == closing:
            return at
        if found != ",":
            raise self.wrong(f"',' or '{closing}'", at=at)
        return self.skip(at + 1)

    def _expect(self, character: str, *, at: int) -> int:
        if self._text[at : at + 1] != character:
            raise self.wrong(f"'{character}'", at=at)
        return self.skip(at + 1)

    def _name(self, at: int) -> str:
        if self._text[at : at + 1] in ('"', "'"):
            return self._string(at)
        end = at
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] in "_$"):
            end += 1
        if end == at:
            raise self.wrong("a name", at=at)
        self.end = end
        return self._text[at:end]

    def _string(self, at: int) -> str:
        if self._text[at] == "'":
            return self._single_quoted(at)
        try:
            value, self.end = _STRINGS.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise self.wrong("a string that ends", at=at) from error
        return str(value)

    def _single_quoted(self, at: int) -> str:
        parts: list[str] = []
        here = at + 1
        while here < len(self._text) and self._text[here] != "'":
            if self._text[here] == "\\":
                here += 1
                escaped = self._text[here : here + 1]
                parts.append(_ESCAPES.get(escaped, escaped))
            else:
                parts.append(self._text[here])
            here += 1
        if here >= len(self._text):
            raise self.wrong("a string that ends", at=at)
        self.end = here + 1
        return "".join(parts)

    def _scalar(self, at: int) -> Any:
        end = at
        while end < len(self._text) and (self._text[end].isalnum() or self._text[end] in "+-."):
            end += 1
        word = self._text[at:end]
        self.end = end
        if word in _WORDS:
            return _WORDS[word]
        try:
            number = json.loads(word, parse_constant=_refuse)
        except ValueError as error:
            raise self.wrong("a value", at=at) from error
        return number


def _refuse(word: str) -> float:
    raise ValueError(word)
