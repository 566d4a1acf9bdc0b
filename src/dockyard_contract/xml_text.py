"""Writing of small XML documents: elements as text, everything escaped.

Used by the codecs of what a wire server serves. CDATA is never written: one inside a settings element makes
WALinuxAgent 2.12 refuse the whole goal state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)


def text(value: str) -> str:
    """The value as character data."""
    return value.translate(_TEXT)


def element(name: str, *content: str, attributes: Mapping[str, str] | None = None) -> str:
    """One element; ``content`` is XML already: other elements, or the result of `text`."""
    written = "".join(f' {key}="{value.translate(_ATTRIBUTE)}"' for key, value in (attributes or {}).items())
    inner = "".join(content)
    return f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>"


def leaf(name: str, value: str, *, attributes: Mapping[str, str] | None = None) -> str:
    """One element that holds a text."""
    return element(name, text(value), attributes=attributes)


def document(root: str) -> str:
    """The whole text of a document whose root element is given."""
    return f"{_DECLARATION}{root}\n"
