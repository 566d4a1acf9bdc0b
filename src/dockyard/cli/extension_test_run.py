"""What ``dockyard extension test`` does: read, run one of two ways, judge, report. Loaded by that command alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from dockyard import files
from dockyard.authoring import package as packages
from dockyard.authoring import report
from dockyard.authoring.fast import runner
from dockyard.authoring.judging import has_errors, judge
from dockyard.authoring.machine.runner import MachineOptions
from dockyard.authoring.observations import Observations
from dockyard.authoring.package import Package
from dockyard.authoring.rules import Finding
from dockyard.authoring.settings import Given, settings_of
from dockyard.cli import extension_test_vm, inputs, output
from dockyard.cli.exit_codes import ExitCode
from dockyard.cli.extension_test_vm import Choice
from dockyard.cli.output import Format

__all__ = ["Choice", "conclude", "fast", "given", "in_machine", "read"]

_PATIENCE, _FAST_PATIENCE = 600.0, 60.0


def read(package: Path, *, handler: str | None, version: str | None) -> Package:
    """Return the package to be tested."""
    return packages.read(package, handler=handler, version=version)


def given(settings: str, protected: str | None) -> Given:
    """Return the settings it is given; both are what the user wrote."""
    public = inputs.json_object(settings, option="--settings")
    secret = None if protected is None else inputs.json_object(protected, option="--protected-settings")
    return settings_of(public, secret)


def fast(
    tested: Package, settings: Given, *, patience: float | None, limit: float | None, deadline: float, isolate: bool
) -> Observations:
    """Run it without a machine."""
    output.note(f"Testing {tested.handler} {tested.version}.")
    choice = runner.FastOptions(patience=patience or _FAST_PATIENCE, limit=limit, deadline=deadline, isolate=isolate)
    return runner.run(tested, settings, choice)


def in_machine(
    tested: Package, settings: Given, choice: Choice, *, patience: float | None, reboots: bool
) -> Observations:
    """Run it in a machine, under the real agent."""
    chosen = MachineOptions(patience=patience or _PATIENCE, reboots=reboots)
    return extension_test_vm.run(tested, settings, chosen, choice)


def conclude(seen: Observations, *, keeps: Sequence[str], junit: Path | None, form: Format) -> None:
    """Judge what was seen and report it; a breach of a rule ends the command with 1."""
    findings = judge(seen, keeps=keeps)
    if junit is not None:
        files.write(junit.absolute(), report.junit(seen, findings).encode(), mode=files.PUBLIC)
    _show(seen, findings, form=form)
    if has_errors(findings):
        raise typer.Exit(ExitCode.FAILED)


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
