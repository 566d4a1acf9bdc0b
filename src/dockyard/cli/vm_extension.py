"""``dockyard vm extension``: what a machine is managed through after its creation."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dockyard.cli import inputs, listings, options, output, summaries
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import extensions, views
from dockyard.client.extensions import ExtensionRequest
from dockyard.client.names import DEFAULT_GROUP, MachineName
from dockyard.client.views import Document
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import check_resource_name

app = typer.Typer(help="Extensions of virtual machines.", no_args_is_help=True)
HEADERS = ("NAME", "TYPE", "VERSION", "STATE", "MESSAGE")
Extension = Annotated[str, typer.Argument(metavar="EXTENSION", help="The extension's name.", show_default=False)]


@app.command(
    "set",
    epilog=options.examples(
        "dockyard vm extension set web --publisher Microsoft.Azure.Extensions --type DockerExtension \\",
        """    --settings '{"docker": {"port": "2376"}}' --protected-settings @certs.json""",
        "dockyard vm extension set web --publisher Microsoft.OSTCExtensions --type VMAccessForLinux \\",
        "    --version 1.5 --protected-settings - < access.json",
        "dockyard vm extension set web --publisher Contoso --type Greeter --version 1.0 \\",
        "    --no-auto-upgrade-minor-version --provision-after DockerExtension",
    ),
)
def set_(
    *,
    vm: options.VirtualMachine,
    publisher: Annotated[str, typer.Option("--publisher", metavar="PUBLISHER", help="Who published it.")],
    handler_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The handler's type. Default: the name.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", "-n", metavar="NAME", help="The extension's name. Default: the type.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="MAJOR.MINOR", help="Default: the newest in the gallery.")
    ] = None,
    settings: Annotated[
        str, typer.Option("--settings", metavar="JSON|@FILE|-", help="Public settings, an object.")
    ] = "{}",
    protected_settings: Annotated[
        str | None,
        typer.Option("--protected-settings", metavar="JSON|@FILE|-", help="Secret settings; encrypted, never shown."),
    ] = None,
    force_update: Annotated[
        bool, typer.Option("--force-update", help="Run the handler although the settings are the same.")
    ] = False,
    exact: Annotated[
        bool,
        typer.Option(
            "--no-auto-upgrade-minor-version", help="Exactly --version, and newer fixes of it; older is a downgrade."
        ),
    ] = False,
    after: Annotated[
        list[str] | None,
        typer.Option("--provision-after", metavar="EXTENSION", help="Run after this extension; may be repeated."),
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
    form: options.Output = Format.TABLE,
) -> None:
    """Install an extension, or give an installed one new settings; wait for what its handler says."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    kind, own_name = _names(handler_type=handler_type, name=name)
    public = inputs.json_object(settings, option="--settings")
    protected = _protected(protected_settings)
    connection = open_session().connection
    request = ExtensionRequest(
        machine=machine,
        name=own_name,
        publisher=publisher,
        type=kind,
        version=version or extensions.newest_version(connection, publisher=publisher, handler_type=kind),
        settings=public,
        protected=protected,
        force_update_tag=secrets.token_hex(8) if force_update else None,
        auto_upgrade_minor_version=not exact,
        provision_after=tuple(after or ()),
    )
    operation = extensions.put(connection, request)
    if not no_wait:
        operation.wait(deadline=timeout)
    _show(extensions.get(connection, machine, name=own_name), form=form)


@app.command("list", epilog=options.examples("dockyard vm extension list web"))
def list_(
    *,
    vm: options.VirtualMachine,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    quiet: options.Quiet = False,
    form: options.Output = Format.TABLE,
) -> None:
    """List a machine's extensions with what their handlers say."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    documents = extensions.list_all(open_session().connection, machine)
    listings.say_documents(documents, headers=HEADERS, row=_row, quiet=quiet, form=form)


@app.command("show", epilog=options.examples("dockyard vm extension show web DockerExtension --output json"))
def show(
    *,
    vm: options.VirtualMachine,
    extension: Extension,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    form: options.Output = Format.TABLE,
) -> None:
    """Show one extension: settings, state, sub-statuses. Protected settings never come back."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    _show(extensions.get(open_session().connection, machine, name=extension), form=form)


@app.command("delete", epilog=options.examples("dockyard vm extension delete web DockerExtension"))
def delete(
    *,
    vm: options.VirtualMachine,
    extension: Extension,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 900,
) -> None:
    """Remove an extension from a machine; what to keep of its data is the handler's own rule."""
    machine = MachineName.checked(resource_group=resource_group, name=vm)
    connection = open_session().connection
    extensions.get(connection, machine, name=extension)
    operation = extensions.delete(connection, machine, name=extension)
    if not no_wait:
        operation.wait(deadline=timeout)
        output.note(f"Extension '{extension}' of {machine} is deleted.")


def _names(*, handler_type: str | None, name: str | None) -> tuple[str, str]:
    """Return type and name; either may stand for both, as in ``az``."""
    kind = handler_type or name
    if kind is None:
        raise InvalidRequest("--type is missing", resolution="Name the handler, for example --type DockerExtension.")
    return kind, check_resource_name(name or kind, what="extension")


def _protected(text: str | None) -> Mapping[str, Any]:
    return {} if text is None else inputs.json_object(text, option="--protected-settings")


def _row(document: Document) -> tuple[str, ...]:
    properties = document.get("properties") or {}
    report = views.extension(properties.get("instanceView") or {})
    return (
        str(document.get("name", "")),
        f"{properties.get('publisher', '')}.{properties.get('type', '')}",
        report.version or str(properties.get("typeHandlerVersion", "")),
        str(properties.get("provisioningState", "")).lower(),
        report.message,
    )


def _show(document: Document, *, form: Format) -> None:
    if listings.say_alone(document, headers=HEADERS, row=_row, form=form):
        return
    properties = document.get("properties") or {}
    report = views.extension(properties.get("instanceView") or {})
    titles = ("Name", "Handler", "Version", "State", "Message")
    output.say_fields([*zip(titles, _row(document), strict=True), *summaries.stages(report)])
