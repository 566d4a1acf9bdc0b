"""``dockyard extension test``: a handler taken through its whole life, and judged by the agent's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockyard.cli import options, vm_create
from dockyard.cli.output import Format
from dockyard.client.names import DEFAULT_GROUP
from dockyard.model.errors import InvalidRequest

EXAMPLES = options.examples(
    "dockyard extension test Contoso.Greeter-1.0.0.zip     in a machine of its own, under the real agent",
    "dockyard extension test Contoso.Greeter-1.0.0.zip --vm web --no-reboot     in a machine that runs",
    "dockyard extension test . --handler Contoso.Greeter --fast     without a machine, in seconds",
    'dockyard extension test Contoso.Greeter-1.0.0.zip --settings \'{"greeting": "hello"}\' --fast',
    "dockyard extension test Contoso.Greeter-1.0.0.zip --fast --junit report.xml     a step of a CI",
)
_HOW = "How to run"
_WHAT = "What it is given"


def test(
    *,
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE", help="A zip file, or a folder with a HandlerManifest.json.")
    ],
    handler: Annotated[
        str | None,
        typer.Option("--handler", metavar="PUBLISHER.TYPE", help="The handler's name. Default: the file's name."),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="Default: the file's name, else 1.0.0.")
    ] = None,
    settings: Annotated[
        str,
        typer.Option("--settings", metavar="JSON|@FILE|-", help="Public settings, an object.", rich_help_panel=_WHAT),
    ] = "{}",
    protected_settings: Annotated[
        str | None,
        typer.Option(
            "--protected-settings",
            metavar="JSON|@FILE|-",
            help="Secret settings; @canary@ in them becomes a text that must be seen nowhere. Default: that alone.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    keeps: Annotated[
        list[str] | None,
        typer.Option(
            "--keeps", metavar="PATTERN", help="What stays after uninstall on purpose, such as '/var/lib/mine/*'."
        ),
    ] = None,
    fast_: Annotated[
        bool, typer.Option("--fast", help="Without a machine: an agent's stand-in, in seconds.", rich_help_panel=_HOW)
    ] = False,
    no_isolation: Annotated[
        bool,
        typer.Option(
            "--no-isolation",
            help="With --fast: on this very machine, with your own rights. For throw-away places only.",
            rich_help_panel=_HOW,
        ),
    ] = False,
    patience: Annotated[
        float | None,
        typer.Option(
            "--patience",
            metavar="SECONDS",
            min=1,
            help="How long a status may be transitioning. Default: 600, with --fast 60.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            metavar="SECONDS",
            min=1,
            help="With --fast: a command's time, if less than the agent's.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    vm: Annotated[
        str | None,
        typer.Option(
            "--vm",
            metavar="NAME",
            help="In this machine, which must run. Default: one is made, and deleted at the end.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    image: Annotated[
        str,
        typer.Option("--image", metavar="IMAGE", help="What the machine that is made runs.", rich_help_panel=_HOW),
    ] = vm_create.IMAGE_PLAIN,
    no_reboot: Annotated[
        bool, typer.Option("--no-reboot", help="Leave the step out that reboots the machine.", rich_help_panel=_HOW)
    ] = False,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    timeout: options.Timeout = 1800,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML as well, for a CI.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Take a handler through its whole life, from install to uninstall, and judge it; a breach of a rule ends with 1.

    Under the real agent, in a virtual machine; --fast goes without one.
    """
    _check_combination(fast=fast_, vm=vm, no_reboot=no_reboot, limit=limit, no_isolation=no_isolation)
    from dockyard.cli import extension_test_run as run  # noqa: PLC0415 - one command pays for what runs and judges

    tested = run.read(package, handler=handler, version=version)
    given = run.given(settings, protected_settings)
    if fast_:
        seen = run.fast(tested, given, patience=patience, limit=limit, deadline=timeout, isolate=not no_isolation)
    else:
        choice = run.Choice(vm=vm, resource_group=resource_group, image=image, deadline=timeout)
        seen = run.in_machine(tested, given, choice, patience=patience, reboots=not no_reboot)
    run.conclude(seen, keeps=keeps or (), junit=junit, form=form)


def _check_combination(*, fast: bool, vm: str | None, no_reboot: bool, limit: float | None, no_isolation: bool) -> None:
    """Raise InvalidRequest when an option of the other way is given."""
    wrong = {"--vm": vm, "--no-reboot": no_reboot} if fast else {"--limit": limit, "--no-isolation": no_isolation}
    for name, value in wrong.items():
        if value:
            way = "is for a machine" if fast else "is for a test without a machine"
            raise InvalidRequest(
                f"{name} {way}",
                resolution=f"Leave out {'--fast' if fast else name}, or {name if fast else 'add --fast'}.",
            )
