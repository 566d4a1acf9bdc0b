"""``dockyard vm user``: who may log in to a machine, changed from outside through the VMAccess extension."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dockyard.cli import listings, options, output, summaries
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import extensions, ssh, users, views, virtual_machines
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.model.errors import InvalidRequest

if TYPE_CHECKING:
    from dockyard.client.views import Document

app = typer.Typer(help="Users of virtual machines, changed without a login.", no_args_is_help=True)
HEADERS = ("NAME", "NUMBER", "KEYS", "PASSWORD", "SUDO", "EXPIRES")
_STATES = ("NAME", "STATE", "MESSAGE")
_NEVER = "never"

Username = Annotated[str, typer.Option("--username", "-u", metavar="USER", help="The user.")]


@app.command(
    "update",
    epilog=options.examples(
        "dockyard vm user update web",
        "dockyard vm user update web --username bob --ssh-key-value ~/.ssh/bob.pub",
        "dockyard vm user update web --username bob --password",
        "dockyard vm user update web --username guest --ssh-key-value guest.pub --no-sudo --expiration 2031-02-28",
    ),
)
def update(
    *,
    vm: options.VirtualMachine,
    username: Annotated[
        str | None,
        typer.Option("--username", "-u", metavar="USER", help="The user, made if need be. Default: the machine's own."),
    ] = None,
    ssh_key_value: Annotated[
        str | None,
        typer.Option(
            "--ssh-key-value", metavar="FILE|KEY", help="A public key. Default: yours, when nothing else is asked for."
        ),
    ] = None,
    remove_prior_keys: Annotated[
        bool, typer.Option("--remove-prior-keys", help="Let that key be the only one.")
    ] = False,
    password: Annotated[
        bool, typer.Option("--password", "-p", help="Set a password: asked for, or read from standard input.")
    ] = False,
    expiration: Annotated[
        str | None, typer.Option("--expiration", metavar="DAY", help="When the account ends: yyyy-mm-dd, or never.")
    ] = None,
    no_sudo: Annotated[bool, typer.Option("--no-sudo", help="Do not let the user become root.")] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 600,
    form: options.Output = Format.TABLE,
) -> None:
    """Give a user a key, a password or an expiry, and make the user if need be; a broken SSH server is mended.

    Without any of them the machine's own user gets your key: that is the way back in when a key is lost.
    """
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    asked: dict[str, Any] = {}
    if expiration is not None:
        asked["expiration"] = _day(expiration)
    if no_sudo:
        asked["sudo"] = False
    session = open_session()
    if ssh_key_value is not None or not (asked or password):
        asked["ssh_key"] = ssh.public_key(session.paths, given=ssh_key_value, home=session.home).line
        if remove_prior_keys:
            asked["remove_prior_keys"] = True
    elif remove_prior_keys:
        raise InvalidRequest(
            "--remove-prior-keys would leave no key at all", resolution="Give the one that is to stay: --ssh-key-value."
        )
    if password:
        asked["password"] = _password()
    asked["username"] = username or virtual_machines.get(session.connection, machine).admin_username
    _apply(session, machine, protected=asked, no_wait=no_wait, timeout=timeout, form=form)


@app.command("delete", epilog=options.examples("dockyard vm user delete web --username bob --yes"))
def delete(
    *,
    vm: options.VirtualMachine,
    username: Username,
    yes: options.Yes = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 600,
    form: options.Output = Format.TABLE,
) -> None:
    """Remove a user from a machine, with home and processes."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    question = f"Remove {username} from {machine} with all files of that user?"
    if not output.agreed(question, doing=f"Removing {username}", yes=yes):
        output.note("Nothing was removed.")
        raise typer.Exit(ExitCode.FAILED)
    asked = {"remove_user": username}
    _apply(open_session(), machine, protected=asked, no_wait=no_wait, timeout=timeout, form=form)


@app.command(
    "reset-ssh", epilog=options.examples("dockyard vm user reset-ssh web", "dockyard vm user reset-ssh web --restore")
)
def reset_ssh(
    *,
    vm: options.VirtualMachine,
    restore: Annotated[
        bool, typer.Option("--restore", help="Bring back the configuration there was before the first change.")
    ] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 600,
    form: options.Output = Format.TABLE,
) -> None:
    """Give a machine's SSH server a configuration that is known to work; what was there is kept."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    asked = {"restore_backup_ssh" if restore else "reset_ssh": True}
    _apply(open_session(), machine, protected=asked, no_wait=no_wait, timeout=timeout, form=form)


@app.command("list", epilog=options.examples("dockyard vm user list web", "dockyard vm user list web --output json"))
def list_(
    *,
    vm: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    quiet: options.Quiet = False,
    form: options.Output = Format.TABLE,
) -> None:
    """List a running machine's users, but for those of its system, with the keys and rights they have."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    documents = [user.document() for user in users.list_all(open_session().connection, machine)]
    listings.say_documents(documents, headers=HEADERS, row=_row, quiet=quiet, form=form)


def _apply(
    session: Session,
    machine: MachineName,
    *,
    protected: Mapping[str, Any],
    no_wait: bool,
    timeout: float,
    form: Format,
) -> None:
    """Hand it to the machine and show what its handler says."""
    connection = session.connection
    operation = extensions.put(connection, users.access_request(machine, protected=protected))
    if not no_wait:
        operation.wait(deadline=timeout)
    document = extensions.get(connection, machine, name=users.EXTENSION)
    if listings.say_alone(document, headers=_STATES, row=_state, form=form):
        return
    report = views.extension((document.get("properties") or {}).get("instanceView") or {})
    output.say_fields(
        [*zip(("Extension", "State", "Message"), _state(document), strict=True), *summaries.stages(report)]
    )


def _state(document: Document) -> tuple[str, ...]:
    properties = document.get("properties") or {}
    report = views.extension(properties.get("instanceView") or {})
    return (str(document.get("name", "")), str(properties.get("provisioningState", "")).lower(), report.message)


def _row(document: Document) -> tuple[str, ...]:
    words = ("yes" if document[name] else "no" for name in ("hasPassword", "sudo"))
    has_password, sudo = words
    return (document["name"], str(document["uid"]), str(document["keys"]), has_password, sudo, document["expires"])


def _day(text: str) -> str:
    try:
        return text if text == _NEVER else date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidRequest(
            f"--expiration: '{text}' is not a day", resolution="Write it as 2031-02-28, or never."
        ) from None


def _password() -> str:
    """Ask a person twice, or read the first line of standard input. Raises InvalidRequest when there is none."""
    if output.is_interactive():
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise InvalidRequest("--password: there is none", resolution="Write it to standard input, in one line.")
    return given
