"""``dockyard extension test``: a handler taken through its whole life, and judged by the agent's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dockyard import files
from dockyard.authoring import package as packages
from dockyard.authoring import report
from dockyard.authoring.fast import runner as fast
from dockyard.authoring.judging import has_errors, judge
from dockyard.authoring.machine.runner import MachineOptions
from dockyard.authoring.observations import Observations
from dockyard.authoring.rules import Finding
from dockyard.authoring.settings import Given, settings_of
from dockyard.cli import extension_test_vm, inputs, options, output, vm_create
from dockyard.cli.exit_codes import ExitCode
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
    tested = packages.read(package, handler=handler, version=version)
    given = _given(settings, protected_settings)
    if fast_:
        output.note(f"Testing {tested.handler} {tested.version}.")
        choice = fast.FastOptions(patience=patience or 60, limit=limit, deadline=timeout, isolate=not no_isolation)
        seen = fast.run(tested, given, choice)
    else:
        machine = extension_test_vm.Choice(vm=vm, resource_group=resource_group, image=image, deadline=timeout)
        seen = extension_test_vm.run(
            tested, given, MachineOptions(patience=patience or 600, reboots=not no_reboot), machine
        )
    findings = judge(seen, keeps=keeps or ())
    if junit is not None:
        files.write(junit.absolute(), report.junit(seen, findings).encode(), mode=files.PUBLIC)
    _show(seen, findings, form=form)
    if has_errors(findings):
        raise typer.Exit(ExitCode.FAILED)


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


def _given(settings: str, protected: str | None) -> Given:
    public = inputs.json_object(settings, option="--settings")
    secret = None if protected is None else inputs.json_object(protected, option="--protected-settings")
    return settings_of(public, secret)


def _show(seen: Observations, findings: list[Finding], *, form: Format) -> None:
    if form is Format.JSON:
        output.say_json(report.document(seen, findings))
        return
    output.say_rows(report.RUN_HEADERS, report.run_rows(seen), form=form)
    if form is Format.TSV:
        return
    for finding in findings:
        output.say()
        output.say(report.told(finding))
    output.say()
    for note in seen.notes:
        output.say(note)
    output.say(report.verdict(seen, findings))
