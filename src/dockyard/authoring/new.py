"""Writes a new handler project out of the templates that are installed with this room. Called by the CLI.

Templates end in ``.in``; ``dot-`` in a name stands for a dot; ``@handler@``, ``@slug@`` and ``@VARIABLE@`` are put in,
in names as in texts. What all languages share lies in ``common``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from dockyard.model.errors import Conflict, InvalidRequest

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+")
_EXECUTABLE = frozenset({"bin", "build"})


class Language(StrEnum):
    """What a handler is written in."""

    PYTHON = "python"
    SHELL = "shell"


def checked(name: str) -> str:
    """Return the name of a handler when the agent takes it. Raises InvalidRequest."""
    if _NAME.fullmatch(name):
        return name
    raise InvalidRequest(
        f"'{name}' cannot be a handler's name",
        details="The agent parts name and version of a folder at the hyphen, so there can be none in the name.",
        resolution="Give Publisher.Type, in letters and digits: Contoso.Greeter.",
    )


def write(name: str, *, language: Language, folder: Path) -> list[Path]:
    """Write the project of handler ``name`` into a folder that is new or empty; return the files.

    Raises:
        InvalidRequest: the agent would not take the name.
        Conflict: there is something in the folder, or it cannot be made.
    """
    words = _words(checked(name))
    planned = {folder / _filled(path, words): (_filled(text, words), path) for path, text in _templates(language)}
    _check_free(folder)
    for path, (text, template) in planned.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if Path(template).parts[0] in _EXECUTABLE else 0o644)
    return sorted(planned)


def _check_free(folder: Path) -> None:
    is_other = folder.exists() and not folder.is_dir()
    if is_other or (folder.is_dir() and any(folder.iterdir())):
        raise Conflict(
            f"There is something in {folder} already", resolution="Give a folder that is new or empty with --folder."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Conflict(f"The folder {folder} cannot be made", details=error.strerror or "") from error


def _words(name: str) -> dict[str, str]:
    slug = name.rpartition(".")[2].lower()
    return {"@handler@": name, "@slug@": slug, "@VARIABLE@": slug.upper()}


def _templates(language: Language) -> Iterator[tuple[str, str]]:
    """Return every template of a language: its name without the ending, and its text."""
    root = resources.files("dockyard.authoring") / "templates"
    for part in ("common", language.value):
        yield from _below(root / part, prefix="")


def _below(folder: Traversable, *, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = prefix + entry.name.replace("dot-", ".", 1)
        if entry.is_dir():
            yield from _below(entry, prefix=f"{name}/")
        elif name.endswith(".in"):
            yield name.removesuffix(".in"), entry.read_text("utf-8")


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
