"""``dockyard env``: the variables that point a shell's ``docker`` at a machine."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from dockyard.cli import options, output, shells
from dockyard.cli.session import open_session
from dockyard.cli.shells import Shell
from dockyard.client import certificates, docker_endpoint, virtual_machines, waiting
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.model.errors import Conflict
from dockyard.model.provisioning import PowerState

VARIABLES = ("DOCKER_TLS_VERIFY", "DOCKER_HOST", "DOCKER_CERT_PATH")
_SOON_DAYS = 14

EXAMPLES = options.examples(
    "eval $(dockyard env web)",
    "dockyard env web --shell fish | source",
    "dockyard env web --shell powershell | Invoke-Expression",
    "eval $(dockyard env --unset)",
)


def env(
    *,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The virtual machine.")] = None,
    shell: Annotated[Shell | None, typer.Option("--shell", help="Default: the login shell's.")] = None,
    unset: Annotated[bool, typer.Option("--unset", "-u", help="Unset the variables instead.")] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
) -> None:
    """Print the commands that point this shell's docker at a machine."""
    chosen = shell or Shell.of(os.environ.get("SHELL"))
    suffix = f" --shell {chosen.value}" if shell else ""
    if unset:
        output.say_part(shells.unset(VARIABLES, shell=chosen, command=f"dockyard env --unset{suffix}") + "\n")
        return
    if name is None:
        raise typer.BadParameter("name the machine, or give --unset", param_hint="NAME")
    machine = MachineName.checked(resource_group=resource_group, name=name)
    group = "" if resource_group == DEFAULT_GROUP else f" -g {resource_group}"
    variables = _variables(machine)
    output.say_part(shells.export(variables, shell=chosen, command=f"dockyard env {name}{group}{suffix}") + "\n")


def _variables(name: MachineName) -> dict[str, str]:
    """Return the variables for a machine. Raises NotFound, Conflict, or OperationFailed for expired certificates."""
    session = open_session()
    view = virtual_machines.get(session.connection, name)
    folder = certificates.folder_of(session.paths, name)
    expires = certificates.require(folder, name, now=waiting.now())
    if view.docker_port is None:
        raise Conflict(f"{name} has no port that leads to Docker", code="OperationNotAllowed")
    if view.power is not PowerState.RUNNING:
        output.warn(f"{name} is {view.state}: 'dockyard vm start {name.name}' starts it.")
    if (expires - waiting.now()).days < _SOON_DAYS:
        output.warn(f"The certificates expire on {expires:%Y-%m-%d}: 'dockyard vm docker renew {name.name}'.")
    return {
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_HOST": docker_endpoint.url(view.docker_port),
        "DOCKER_CERT_PATH": str(folder.path),
    }
