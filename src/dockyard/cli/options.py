"""Options and arguments that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from dockyard.cli.output import Format

VirtualMachine = Annotated[str, typer.Argument(metavar="NAME", help="The virtual machine.", show_default=False)]
ResourceGroup = Annotated[
    str,
    typer.Option(
        "--resource-group", "-g", metavar="GROUP", envvar="DOCKYARD_RESOURCE_GROUP", help="The resource group."
    ),
]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print the result.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Return as soon as the server has begun.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait at most.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print names only.")]

ScopeGroup = Annotated[
    str | None, typer.Option("--resource-group", "-g", metavar="GROUP", help="The scope: this resource group.")
]
Scope = Annotated[
    str | None,
    typer.Option("--scope", metavar="ID", help="The scope: the id of a resource. Without any: the subscription."),
]


def examples(*lines: str) -> str:
    """Return the examples shown below a command's help."""
    return "\n".join(["[bold]Examples[/bold]", "", *(f"  {line}" for line in lines)])
