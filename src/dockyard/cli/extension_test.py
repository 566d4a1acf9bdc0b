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
from dockyard.authoring.observations import Observations
from dockyard.authoring.rules import Finding
from dockyard.authoring.settings import Given, settings_of
from dockyard.cli import inputs, options, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.output import Format
from dockyard.model.errors import InvalidRequest

EXAMPLES = options.examples(
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
        float,
        typer.Option(
            "--patience", metavar="SECONDS", min=1, help="How long a status may be transitioning.", rich_help_panel=_HOW
        ),
    ] = 60,
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            metavar="SECONDS",
            min=1,
            help="A command's time, if less than the agent's.",
            rich_help_panel=_HOW,
        ),
    ] = None,
    timeout: options.Timeout = 1800,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML as well, for a CI.")
    ] = None,
    form: options.Output = Format.TABLE,
) -> None:
    """Take a handler through install, enable, update and uninstall, and judge it; a breach of a rule ends with 1."""
    if not fast_:
        raise InvalidRequest("--fast is missing", resolution="Tests run without a machine only: add --fast.")
    tested = packages.read(package, handler=handler, version=version)
    given = _given(settings, protected_settings)
    choice = fast.FastOptions(patience=patience, limit=limit, deadline=timeout, isolate=not no_isolation)
    output.note(f"Testing {tested.handler} {tested.version}.")
    seen = fast.run(tested, given, choice)
    findings = judge(seen, keeps=keeps or ())
    if junit is not None:
        files.write(junit.absolute(), report.junit(seen, findings).encode(), mode=files.PUBLIC)
    _show(seen, findings, form=form)
    if has_errors(findings):
        raise typer.Exit(ExitCode.FAILED)


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
