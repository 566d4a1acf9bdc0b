"""``dockyard role``: what each principal may do, and where."""

from __future__ import annotations

from typing import Annotated

import typer

from dockyard.cli import options, output
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import principals, roles
from dockyard.client.roles import AssignmentView

app = typer.Typer(help="Roles: what each principal may do, and where.", no_args_is_help=True)
assignment = typer.Typer(help="Which principal has which role at which scope.", no_args_is_help=True)
app.add_typer(assignment, name="assignment")
HEADERS = ("PRINCIPAL", "ROLE", "SCOPE")
Assignee = Annotated[str, typer.Option("--assignee", metavar="NAME", help="The principal's name.", show_default=False)]
Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="Owner, Contributor or Reader.", show_default=False)]


@assignment.command(
    "create",
    epilog=options.examples(
        "dockyard role assignment create --assignee ci --role Contributor -g dockyard",
        "dockyard role assignment create --assignee auditor --role Reader",
    ),
)
def create(
    *,
    assignee: Assignee,
    role: Role,
    resource_group: options.ScopeGroup = None,
    scope: options.Scope = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Give a principal a role in a resource group, at a scope, or in the whole subscription."""
    connection = open_session().connection
    where = roles.scope_of(connection, resource_group=resource_group, scope=scope)
    principal = principals.get(connection, name=assignee)
    made = roles.assign(connection, principal_id=principal.object_id, role=role, scope=where)
    _show([made], names={principal.object_id: principal.name}, form=form)


@assignment.command(
    "list",
    epilog=options.examples("dockyard role assignment list", "dockyard role assignment list --assignee ci -o json"),
)
def list_(
    *,
    assignee: Annotated[
        str | None, typer.Option("--assignee", metavar="NAME", help="Only the roles of this principal.")
    ] = None,
    resource_group: options.ScopeGroup = None,
    scope: options.Scope = None,
    form: options.Output = Format.TABLE,
) -> None:
    """List the roles that hold at a scope and those given below it."""
    connection = open_session().connection
    where = roles.scope_of(connection, resource_group=resource_group, scope=scope)
    names = {each.object_id: each.name for each in principals.list_all(connection)}
    wanted = principals.get(connection, name=assignee).object_id if assignee else None
    _show(roles.list_all(connection, scope=where, principal_id=wanted), names=names, form=form)


@assignment.command(
    "delete",
    epilog=options.examples("dockyard role assignment delete --assignee ci --role Contributor -g dockyard"),
)
def delete(
    *, assignee: Assignee, role: Role, resource_group: options.ScopeGroup = None, scope: options.Scope = None
) -> None:
    """Take away a role that was given at exactly this scope."""
    connection = open_session().connection
    where = roles.scope_of(connection, resource_group=resource_group, scope=scope)
    principal = principals.get(connection, name=assignee)
    gone = roles.unassign(connection, principal_id=principal.object_id, role=role, scope=where)
    output.note(f"Principal '{principal.name}' no longer has the role {gone.role} at {gone.scope}.")


def _show(found: list[AssignmentView], *, names: dict[str, str], form: Format) -> None:
    if form is Format.JSON:
        output.say_json([each.document for each in found])
        return
    rows = [(names.get(each.principal_id, each.principal_id), each.role, each.scope) for each in found]
    output.say_rows(HEADERS, rows, form=form)
