"""Where something stands in a template, so that every error can say it. Pure; used by all that read templates."""

from __future__ import annotations

from dataclasses import dataclass

from dockyard.templates.errors import TemplateError
from dockyard.templates.json_text import Document, Path

_MAX_EXPRESSION = 300


@dataclass(frozen=True)
class Source:
    """The text a template came in. ``base`` is the path of the template in it; no document: no lines."""

    document: Document | None = None
    base: Path = ()


@dataclass(frozen=True)
class Place:
    """One value of a template."""

    source: Source = Source()
    path: Path = ()

    def child(self, *parts: str | int) -> Place:
        """Return the place of a value below this one."""
        return Place(self.source, (*self.path, *parts))

    def error(self, message: str, *, expression: str = "", code: str = "", resolution: str = "") -> TemplateError:
        """Return the error that says what is wrong here."""
        shown = expression if len(expression) <= _MAX_EXPRESSION else f"{expression[:_MAX_EXPRESSION]}..."
        details = f"at {self}: {shown}" if shown else f"at {self}"
        return TemplateError(message, details=details, code=code, resolution=resolution)

    def __str__(self) -> str:
        text = _path_text(self.path)
        document, base = self.source.document, self.source.base
        if document is None or document.is_on_one_line(base):
            return text
        return f"{text}, line {document.line((*base, *self.path), since=base)} of the template"


def _path_text(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or "the template"
