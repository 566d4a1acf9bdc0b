"""``dockyard extension publish | list | show | unpublish``: the gallery that machines take their extensions from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockyard.cli import options, output
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import packages
from dockyard.client.packages import PackageView

PUBLISH = options.examples(
    "dockyard extension publish dist/Contoso.Greeter-1.0.0.zip",
    "dockyard extension publish agent.zip --publisher Contoso --type Greeter --version 1.1.0",
)
LIST = options.examples("dockyard extension list", "dockyard extension list --output json")
SHOW = options.examples("dockyard extension show Contoso.Greeter --version 1.0.0")
UNPUBLISH = options.examples("dockyard extension unpublish Contoso.Greeter --version 1.0.0")
HEADERS = ("HANDLER", "VERSION", "ORIGIN", "SIZE")
Handler = Annotated[str, typer.Argument(metavar="PUBLISHER.TYPE", help="The handler's name.", show_default=False)]


def publish(
    *,
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE", help="A zip file, or a folder with a HandlerManifest.json.")
    ],
    publisher: Annotated[
        str | None,
        typer.Option("--publisher", metavar="PUBLISHER", help="Default: the file's name, else its manifest.xml."),
    ] = None,
    handler_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="The handler's type. Default: as the publisher.")
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="Default: as the publisher.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Put a handler's package into the gallery; a version once published never changes."""
    from dockyard.authoring.publishing import prepared  # noqa: PLC0415 - one rare command pays for reading archives

    ready = prepared(package, publisher=publisher, type=handler_type, version=version)
    made = packages.publish(open_session().connection, name=ready.name, archive=ready.archive)
    _show(made, form=form)
    output.note(
        f"Published. Next: 'dockyard vm extension set NAME --publisher {made.publisher} --type {made.type} "
        f"--version {made.version}'."
    )


def list_(*, quiet: options.Quiet = False, form: options.Output = Format.TABLE) -> None:
    """List the extensions of the gallery: Dockyard's own and those that were published."""
    found = packages.list_all(open_session().connection)
    if quiet:
        for name in dict.fromkeys(package.handler for package in found):
            output.say(name)
    elif form is Format.JSON:
        output.say_json([package.document for package in found])
    else:
        output.say_rows(HEADERS, [_row(package) for package in found], form=form)


def show(
    *,
    handler: Handler,
    version: Annotated[str | None, typer.Option("--version", metavar="VERSION", help="Default: the newest.")] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Show one version of an extension."""
    _show(packages.get(open_session().connection, handler=handler, version=version), form=form)


def unpublish(
    *,
    handler: Handler,
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="Which one.", show_default=False)],
) -> None:
    """Take a published version out of the gallery; refused while a machine has it."""
    connection = open_session().connection
    package = packages.get(connection, handler=handler, version=version)
    packages.unpublish(connection, package)
    output.note(f"{package.handler} {package.version} is in the gallery no more.")


def _row(package: PackageView) -> tuple[str, ...]:
    origin = "published" if package.published_at else "Dockyard"
    return package.handler, package.version, origin, f"{max(1, package.size_bytes // 1024)} KiB"


def _show(package: PackageView, *, form: Format) -> None:
    if form is Format.JSON:
        output.say_json(package.document)
        return
    if form is Format.TSV:
        output.say_rows(HEADERS, [_row(package)], form=form)
        return
    fields = zip(("Handler", "Version", "Origin", "Size"), _row(package), strict=True)
    several = "yes" if package.takes_several else "no"
    more = (("Published", package.published_at), ("Several configurations", several), ("SHA-256", package.sha256))
    output.say_fields([*fields, *more])
