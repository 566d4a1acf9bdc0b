"""``dockyard vm docker``: the old verb for creating, and new certificates for a machine that has Docker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from dockyard.cli import creation, inputs, options, vm_create
from dockyard.cli.creation import Finished
from dockyard.cli.display import displayed
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import certificates, extensions, following, virtual_machines, waiting
from dockyard.client.following import Job
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.progress import StepBoard
from dockyard.model.errors import DockyardError, NotFound

app = typer.Typer(help="Docker on virtual machines: create, and renew certificates.", no_args_is_help=True)
app.command(
    "create",
    epilog=options.examples(
        "dockyard vm docker create web",
        "dockyard vm docker create web --docker-port 2376 --docker-cert-dir ~/.docker",
    ),
)(vm_create.create)


@app.command(
    "renew",
    epilog=options.examples(
        "dockyard vm docker renew web",
        "dockyard vm docker renew web --docker-cert-dir ~/team-certs",
        "dockyard vm docker renew web --protected-settings @registry-login.json",
    ),
)
def renew(
    *,
    name: options.VirtualMachine,
    docker_cert_dir: Annotated[
        Path | None,
        typer.Option("--docker-cert-dir", metavar="FOLDER", help="Use the certificates in this folder."),
    ] = None,
    protected_settings: Annotated[
        str | None,
        typer.Option(
            "--protected-settings",
            metavar="JSON|@FILE|-",
            help="What else is protected and must be given again, such as a registry login.",
        ),
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 900,
    form: options.Output = Format.TABLE,
) -> None:
    """Make new certificates for a machine and hand them over through its extension; also repairs a failed one.

    Works when the old certificates have expired or are lost, for it does not go through Docker.
    """
    machine = MachineName.checked(resource_group=resource_group, name=name)
    others = {} if protected_settings is None else inputs.json_object(protected_settings, option="--protected-settings")
    session = open_session()
    done = _renewed(session, machine, folder=docker_cert_dir, others=others, timeout=timeout)
    vm_create.show_finished(done, form=form)


def _renewed(
    session: Session, name: MachineName, *, folder: Path | None, others: Mapping[str, Any], timeout: float
) -> Finished:
    view = virtual_machines.get(session.connection, name)
    board = StepBoard(clock=waiting.now, stale=view.extension(extensions.DOCKER_EXTENSION))
    with displayed(board) as display:
        try:
            board.begin("certificates", "Certificates")
            bundle = certificates.issue(session.paths, name, own=folder)
            board.finish("certificates")
            request = extensions.docker_request(
                name, settings=_settings(session, name), protected={**others, **bundle.protected_settings()}
            )
            work = extensions.put(session.connection, request)
            job = Job(name=name, machine=None, extension=work)
            last = following.follow(session.connection, job, board=board, show=display.show, deadline=timeout)
            bundle.write(certificates.folder_of(session.paths, name))
            return creation.finish(session, last, board=board, display=display, docker=True)
        except DockyardError as error:
            raise creation.explained(session, name, error, board=board) from error


def _settings(session: Session, name: MachineName) -> Mapping[str, Any]:
    """Return the extension's present settings, so that nothing but the certificates changes."""
    try:
        document = extensions.get(session.connection, name, name=extensions.DOCKER_EXTENSION)
    except NotFound:
        return {"docker": {"port": str(extensions.DOCKER_GUEST_PORT)}}
    return (document.get("properties") or {}).get("settings") or {}
