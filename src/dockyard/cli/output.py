"""The command line's door to the terminal: data on standard output, everything else on standard error.

Colours only where a person looks: on a terminal, and not when NO_COLOR is set.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TextIO

from dockyard.client.text import printable
from dockyard.model.errors import InvalidRequest

_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
_COLOURS = {
    "running": "green",
    "succeeded": "green",
    "ready": "green",
    "ok": "green",
    "failed": "red",
    "expired": "red",
    "missing": "red",
    "warning": "yellow",
    "stopped": "dim",
    "deallocated": "dim",
}


class Format(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    TSV = "tsv"


def note(message: str) -> None:
    """Tell the user something that is not data."""
    sys.stderr.write(f"{printable(message)}\n")
    sys.stderr.flush()


def warn(message: str) -> None:
    """Tell the user of something that is wrong and does not stop the command."""
    label = styled("Warning:", "yellow", stream=sys.stderr)
    sys.stderr.write(f"{label} {printable(message)}\n")
    sys.stderr.flush()


def say(message: str = "") -> None:
    """Print a line of the result."""
    sys.stdout.write(f"{printable(message)}\n")


def say_part(text: str) -> None:
    """Print a piece of a longer text at once, without a line feed of its own."""
    sys.stdout.write(printable(text))
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print a document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n")


def say_rows(headers: Sequence[str], rows: Sequence[Sequence[str]], *, form: Format) -> None:
    """Print rows, as columns for people or as tab-separated values without headers for programs."""
    clean = [[_cell(value) for value in row] for row in rows]
    if form is Format.TSV:
        for row in clean:
            sys.stdout.write("\t".join(row) + "\n")
        return
    widths = [max(len(line[column]) for line in [list(headers), *clean]) for column in range(len(headers))]
    sys.stdout.write(_joined([_bold(h.ljust(w)) for h, w in zip(headers, widths, strict=True)]))
    for row in clean:
        sys.stdout.write(_joined([_coloured(v, width=w) for v, w in zip(row, widths, strict=True)]))


def say_fields(fields: Sequence[tuple[str, str]]) -> None:
    """Print a summary: one name and value a line; fields without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        lines = printable(value).splitlines() or [""]
        first = _coloured(lines[0], width=0)
        sys.stdout.write(
            "\n".join([f"{_bold(name.ljust(width))}  {first}", *(" " * (width + 2) + x for x in lines[1:])])
        )
        sys.stdout.write("\n")


def styled(text: str, colour: str, *, stream: TextIO) -> str:
    """Return ``text`` in a colour when ``stream`` is a terminal that wants colours."""
    if not wants_colour(stream):
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def wants_colour(stream: TextIO) -> bool:
    """Whether colours may be written to ``stream``."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def agreed(question: str, *, doing: str, yes: bool) -> bool:
    """Whether the user wants it: has said so, or says so now. Raises InvalidRequest where nobody can be asked."""
    if yes:
        return True
    if not is_interactive():
        raise InvalidRequest(f"{doing} needs --yes", resolution="There is no terminal to ask on.")
    return _confirm(question)


def _confirm(question: str) -> bool:
    """Ask a person; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def is_interactive() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_live() -> bool:
    """Whether what is shown on standard error is drawn in place, in front of a person."""
    return sys.stderr.isatty()


def _cell(value: str) -> str:
    return " ".join(printable(value).split()) or "-"


def _coloured(value: str, *, width: int) -> str:
    colour = _COLOURS.get(value.partition(" ")[0].lower())
    padded = value.ljust(width)
    return styled(padded, colour, stream=sys.stdout) if colour else padded


def _bold(text: str) -> str:
    return styled(text, "bold", stream=sys.stdout)


def _joined(cells: Sequence[str]) -> str:
    return "  ".join(cells).rstrip() + "\n"
