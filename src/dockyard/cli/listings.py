"""Lists of ARM documents as the commands print them: names alone, JSON, or rows. Used by every noun that has a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dockyard.cli import output
from dockyard.cli.output import Format
from dockyard.client.views import Document

Row = Callable[[Document], tuple[str, ...]]


def say_documents(
    documents: Sequence[Document], *, headers: Sequence[str], row: Row, quiet: bool, form: Format
) -> None:
    """Print a list; ``quiet`` prints names only."""
    if quiet:
        for document in documents:
            output.say(str(document.get("name", "")))
    elif form is Format.JSON:
        output.say_json(documents)
    else:
        output.say_rows(headers, [row(document) for document in documents], form=form)


def say_alone(document: Document, *, headers: Sequence[str], row: Row, form: Format) -> bool:
    """Print one document for a program, and return whether that was asked for; people get fields instead."""
    if form is Format.JSON:
        output.say_json(document)
    elif form is Format.TSV:
        output.say_rows(headers, [row(document)], form=form)
    return form is not Format.TABLE
