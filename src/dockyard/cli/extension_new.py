"""``dockyard extension new``: a working handler to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockyard.authoring import new as projects
from dockyard.authoring.new import Language
from dockyard.cli import options, output

EXAMPLES = options.examples(
    "dockyard extension new Contoso.Greeter",
    "dockyard extension new Contoso.Greeter --language shell --folder greeter",
)


def new(
    *,
    name: Annotated[str, typer.Argument(metavar="PUBLISHER.TYPE", help="The handler's name.", show_default=False)],
    language: Annotated[Language, typer.Option("--language", help="What the handler is written in.")] = Language.PYTHON,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="Where to; it must be new or empty. Default: the type."),
    ] = None,
) -> None:
    """Write a handler that keeps the agent's rules, with tests, a build and a CI job, into a new folder."""
    target = folder or Path(projects.checked(name).rpartition(".")[2])
    for path in projects.write(name, language=language, folder=target):
        output.say(str(path))
    output.note(
        f"{name} is written to {target}. Next: 'make -C {target} test', "
        f"'dockyard extension test {target} --handler {name} --fast'."
    )
