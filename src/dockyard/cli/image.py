"""``dockyard image``: the images machines start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from dockyard.cli import options, output
from dockyard.cli.display import displayed
from dockyard.cli.output import Format
from dockyard.cli.session import Session, open_session
from dockyard.client import images, waiting
from dockyard.client.images import ImageView
from dockyard.client.operations import Operation
from dockyard.client.progress import StepBoard
from dockyard.model.errors import DeadlineExceeded, DockyardError, NotFound
from dockyard.model.resource_id import check_resource_name

app = typer.Typer(help="Images that machines start from.", no_args_is_help=True)
HEADERS = ("IMAGE", "STATE", "SIZE", "BUILT", "NAME", "PROGRESS")
_STEP = "build"
Alias = Annotated[str, typer.Argument(metavar="IMAGE", help="The image's alias.", show_default=False)]


@app.command(
    "build",
    epilog=options.examples(
        "dockyard image build docker-debian-13",
        "dockyard image build debian-13 --refresh",
        "dockyard image build debian-13 --mirror http://mirror.example/debian",
    ),
)
def build(
    *,
    alias: Alias,
    mirror: Annotated[
        str | None, typer.Option("--mirror", metavar="URL", help="The archive to take packages from.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Build anew although there is one.")] = False,
    no_wait: options.NoWait = False,
    timeout: options.Timeout = 3600,
    form: options.Output = Format.TABLE,
) -> None:
    """Build an image, or find it built. 'vm create' does this by itself when its image is missing."""
    check_resource_name(alias, what="image")
    session = open_session()
    operation = images.build(session.connection, alias=alias, mirror=mirror, refresh=refresh)
    if no_wait:
        output.note(f"Image '{alias}' is being built: 'dockyard image list' shows how far it is.")
        return
    _follow(session, operation, alias=alias, timeout=timeout)
    _show([images.get(session.connection, alias=alias)], form=form)


@app.command("list", epilog=options.examples("dockyard image list", "dockyard image list --output json"))
def list_(*, quiet: options.Quiet = False, form: options.Output = Format.TABLE) -> None:
    """List built images and those being built."""
    found = images.list_all(open_session().connection)
    if quiet:
        for image in found:
            output.say(image.alias)
        return
    _show(found, form=form)


@app.command("delete", epilog=options.examples("dockyard image delete debian-13"))
def delete(alias: Alias, timeout: options.Timeout = 120) -> None:
    """Delete an image that no machine's disk stands on; it can be built again."""
    connection = open_session().connection
    images.get(connection, alias=alias)
    images.delete(connection, alias=alias).wait(deadline=timeout)
    output.note(f"Image '{alias}' is deleted.")


def _follow(session: Session, operation: Operation, *, alias: str, timeout: float) -> None:
    board = StepBoard(clock=waiting.now)
    board.begin(_STEP, f"Image {alias}")
    with displayed(board) as display:
        try:
            waiting.until(
                lambda: _look(session, operation, board=board, show=display.show, alias=alias),
                what=f"image '{alias}' to be built",
                deadline=timeout,
                every=0.5,
            )
            operation.check()
        except DeadlineExceeded as error:
            raise DeadlineExceeded(
                error.brief, resolution="The build goes on: 'dockyard image list' shows how far it is.", temporary=True
            ) from error
        except DockyardError as error:
            board.fail_current(error.brief)
            raise
        board.finish(_STEP)


def _look(
    session: Session, operation: Operation, *, board: StepBoard, show: Callable[[], None], alias: str
) -> bool | None:
    done = operation.is_done
    try:
        board.tell(_STEP, images.get(session.connection, alias=alias).progress)
    except NotFound:
        board.tell(_STEP, "")
    show()
    return True if done else None


def _show(found: list[ImageView], *, form: Format) -> None:
    if form is Format.JSON:
        output.say_json([image.document for image in found])
        return
    output.say_rows(HEADERS, [_row(image) for image in found], form=form)


def _row(image: ImageView) -> tuple[str, ...]:
    size = f"{image.size_bytes / 2**20:.0f} MiB" if image.size_bytes else ""
    built = f"{image.built_at:%Y-%m-%d %H:%M}" if image.built_at else ""
    return image.alias, image.state.lower(), size, built, image.urn, image.progress
