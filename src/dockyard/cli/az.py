"""``dockyard az``: Azure's own command line, talking to Dockyard instead of Azure."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from dockyard.cli import options, output, session, shells
from dockyard.cli.shells import Shell
from dockyard.client import azure_cli, processes
from dockyard.client.names import DEFAULT_GROUP, LOCATION
from dockyard.config import Paths
from dockyard.model.errors import Exhausted

PROGRAM = "az"
# What follows az's own first word is az's, its --help too.
CONTEXT = {"ignore_unknown_options": True, "allow_interspersed_args": False}
EXAMPLES = options.examples(
    "dockyard az vm list -d -o table",
    "dockyard az vm create -n web --image docker-debian-13 --generate-ssh-keys",
    "eval $(dockyard az)               then plain 'az' in this shell",
    "dockyard az --shell fish | source",
    "eval $(dockyard az --unset)",
)


def az(
    *,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="AZ_ARGUMENT", help="What az is to do.", show_default=False)
    ] = None,
    shell: Annotated[Shell | None, typer.Option("--shell", help="Default: the login shell's.")] = None,
    unset: Annotated[bool, typer.Option("--unset", "-u", help="Unset the variables instead.")] = False,
) -> None:
    """Run Azure's az against Dockyard, or print the variables that make this shell's az do so.

    Your own ~/.azure is not touched.
    """
    chosen = shell or Shell.of(os.environ.get("SHELL"))
    suffix = f" --shell {chosen.value}" if shell else ""
    if unset:
        command = f"dockyard az --unset{suffix}"
        output.say_part(shells.unset(azure_cli.VARIABLES, shell=chosen, command=command) + "\n")
        return
    if arguments and processes.find(PROGRAM) is None:
        raise _missing()
    variables = _variables()
    if arguments:
        processes.become([PROGRAM, *arguments], environment=variables)
    output.say_part(shells.export(variables, shell=chosen, command=f"dockyard az{suffix}") + "\n")


def _variables() -> dict[str, str]:
    """Return the variables for ``az``, its folder written. Raises DockyardError."""
    paths = Paths.default()
    known = session.credentials_in_use(paths)
    prepared = azure_cli.prepare(paths, known, group=DEFAULT_GROUP, location=LOCATION, environ=os.environ)
    return prepared.environment()


def _missing() -> Exhausted:
    return Exhausted(
        "Azure's command line, az, is not on PATH",
        details="Dockyard does not bring it along: it is 750 MB, and your own will do.",
        resolution="Install it, for example with 'python3 -m venv ~/az && ~/az/bin/pip install azure-cli', "
        "and put ~/az/bin on PATH.",
        code="ProgramMissing",
    )
