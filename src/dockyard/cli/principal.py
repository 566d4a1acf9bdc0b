"""``dockyard principal``: who may call this server, beside the user."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from dockyard.cli import options, output
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import principals, roles
from dockyard.client.principals import PrincipalView
from dockyard.model.errors import DockyardError, InvalidRequest
from dockyard.model.resource_id import check_resource_name

app = typer.Typer(help="Service principals: who else may call this server.", no_args_is_help=True)
HEADERS = ("NAME", "CLIENT ID", "OBJECT ID", "CREATED")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The principal.", show_default=False)]
Credentials = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        metavar="FILE",
        help="Write the secret with all a client needs into this file (mode 0600) instead of printing it.",
    ),
]


@app.command(
    "create",
    epilog=options.examples(
        "dockyard principal create ci --role Contributor -g dockyard --credentials ci.json",
        "DOCKYARD_CREDENTIALS=ci.json dockyard vm list -g dockyard",
        "dockyard principal create auditor --role Reader",
    ),
)
def create(
    *,
    name: Name,
    role: Annotated[
        str | None, typer.Option("--role", metavar="ROLE", help="Owner, Contributor or Reader; none when left out.")
    ] = None,
    resource_group: options.ScopeGroup = None,
    scope: options.Scope = None,
    credentials: Credentials = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Make a principal and, with --role, give it a role. Its secret is shown this once."""
    check_resource_name(name, what="principal")
    _check_file(credentials)
    if role is None and (resource_group or scope):
        raise InvalidRequest("A scope says nothing without a role", resolution="Add --role.")
    session = open_session()
    where = roles.scope_of(session.connection, resource_group=resource_group, scope=scope)
    made = principals.create(session.connection, name=name)
    if role is not None:
        _assign_or_take_back(session, made, role=role, scope=where)
    _hand_over(session, made, credentials=credentials, form=form)


@app.command("list", epilog=options.examples("dockyard principal list", "dockyard principal list --output json"))
def list_(*, quiet: options.Quiet = False, form: options.Output = Format.TABLE) -> None:
    """List the principals; 'dockyard' is the user's own client."""
    found = principals.list_all(open_session().connection)
    if quiet:
        for each in found:
            output.say(each.name)
    elif form is Format.JSON:
        output.say_json([each.document() for each in found])
    else:
        rows = [(each.name, each.client_id, each.object_id, each.created_at[:19]) for each in found]
        output.say_rows(HEADERS, rows, form=form)


@app.command(
    "reset",
    epilog=options.examples("dockyard principal reset ci", "dockyard principal reset ci --credentials ci.json"),
)
def reset(*, name: Name, credentials: Credentials = None, form: options.Output = Format.TABLE) -> None:
    """Give a principal a new secret; the old one and every token issued for it end at once."""
    _check_file(credentials)
    session = open_session()
    _hand_over(session, principals.reset(session.connection, name=name), credentials=credentials, form=form)


@app.command("delete", epilog=options.examples("dockyard principal delete ci"))
def delete(name: Name) -> None:
    """Delete a principal with its roles; its tokens end at once."""
    connection = open_session().connection
    principals.get(connection, name=name)
    principals.delete(connection, name=name)
    output.note(f"Principal '{name}' is deleted.")


def _assign_or_take_back(session: Session, made: PrincipalView, *, role: str, scope: str) -> None:
    try:
        roles.assign(session.connection, principal_id=made.object_id, role=role, scope=scope)
    except DockyardError:
        principals.delete(session.connection, name=made.name)
        raise


def _hand_over(session: Session, made: PrincipalView, *, credentials: Path | None, form: Format) -> None:
    if credentials is not None:
        principals.write_credentials(session.connection, made, path=credentials.absolute())
        output.note(
            f"The credentials of '{made.name}' are in {credentials}: DOCKYARD_CREDENTIALS={credentials} uses them."
        )
        return
    output.note("The secret is shown this once.")
    if form is Format.JSON:
        output.say_json(made.document())
    elif form is Format.TSV:
        output.say_rows((), [(made.name, made.client_id, made.object_id, made.secret)], form=form)
    else:
        named = (("name", made.name), ("client id", made.client_id), ("object id", made.object_id))
        output.say_fields((*named, ("secret", made.secret)))


def _check_file(path: Path | None) -> None:
    """Look before a secret is made that then could not be kept."""
    folder = path.absolute().parent if path else None
    if folder and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise InvalidRequest(f"No file can be written in {folder}", resolution="Name a file in a folder of yours.")
