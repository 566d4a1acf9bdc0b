"""A run's result for people, for programs, and for CI: tables of texts, a JSON document, JUnit XML. Pure.

Used by the CLI. Times are seconds, memory is MiB for people and KiB for programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

from dockyard.authoring.judging import has_errors
from dockyard.authoring.observations import Execution, Observations, Step
from dockyard.authoring.rules import Finding, Level, Rule

RUN_HEADERS = ("STEP", "COMMAND", "VERSION", "NUMBER", "EXIT", "SECONDS", "CPU", "MEMORY")
RULES_PAGE = "docs/reference/extension-rules.md"


def run_rows(seen: Observations) -> list[tuple[str, ...]]:
    """Return the order of operations, a row for each command."""
    return [
        (
            item.step.value,
            item.command.value,
            item.version,
            str(item.sequence_number),
            "killed" if item.exit_code is None else str(item.exit_code),
            f"{item.seconds:.2f}",
            "" if item.cpu_seconds is None else f"{item.cpu_seconds:.2f}",
            "" if item.memory_kib is None else f"{item.memory_kib / 1024:.1f} MiB",
        )
        for item in seen.executions
    ]


def told(finding: Finding) -> str:
    """Return a finding as a paragraph: what was seen, where, what to do, which rule says so."""
    law = finding.rule.law
    return "\n".join(
        (
            f"{finding.level.value}: {finding.message}",
            f"  at {finding.where}",
            f"  {law.cure} ({law.name}: {RULES_PAGE}#{law.source})",
        )
    )


def verdict(seen: Observations, findings: Sequence[Finding]) -> str:
    """Return one line for all."""
    counts = [(level, sum(finding.level is level for finding in findings)) for level in Level]
    words = ", ".join(f"{count} {level.value}{'' if count == 1 else 's'}" for level, count in counts)
    passed = "does not pass" if has_errors(findings) else "passes"
    return f"{seen.package.handler} {seen.package.version} {passed}: {words}; {len(seen.executions)} commands ran."


def document(seen: Observations, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return everything for programs."""
    return {
        "handler": seen.package.handler,
        "version": seen.package.version,
        "runner": seen.runner.value,
        "passed": not has_errors(findings),
        "findings": [_finding(finding) for finding in findings],
        "operations": [_operation(item) for item in seen.executions],
        "statuses": [
            {
                "step": item.step.value,
                "moment": item.moment.value,
                "version": item.version,
                "sequenceNumber": item.sequence_number,
                "text": item.text,
                "waitedSeconds": item.waited,
            }
            for item in seen.statuses
        ],
        "leftBehind": [
            {"step": item.step.value, "kind": item.kind.value, "name": item.name} for item in seen.leftovers
        ],
        "notes": list(seen.notes),
    }


def junit(seen: Observations, findings: Sequence[Finding]) -> str:
    """Return JUnit XML: a case for each step that was gone through, and one for each rule; an error fails its rule."""
    name = f"{seen.package.handler}-{seen.package.version}"
    broken = {finding.rule for finding in findings if finding.level is Level.ERROR}
    steps = [step for step in Step if any(item.step is step for item in seen.executions)]
    seconds = {step: sum(item.seconds for item in seen.executions if item.step is step) for step in steps}
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(steps) + len(Rule)),
        failures=str(len(broken)),
        errors="0",
        skipped="0",
        time=f"{sum(seconds.values()):.3f}",
    )
    for step in steps:
        case = ET.SubElement(suite, "testcase", classname=f"{name}.steps", name=step.value, time=f"{seconds[step]:.3f}")
        ran = [
            f"{item.command.value} of {item.version}: {item.exit_code}" for item in seen.executions if item.step is step
        ]
        ET.SubElement(case, "system-out").text = "\n".join(ran)
    for rule in Rule:
        _case(suite, name, rule, [finding for finding in findings if finding.rule is rule])
    root = ET.Element("testsuites", name="dockyard extension test")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, name: str, rule: Rule, found: Sequence[Finding]) -> None:
    case = ET.SubElement(suite, "testcase", classname=f"{name}.rules", name=rule.law.name, time="0")
    errors = [finding for finding in found if finding.level is Level.ERROR]
    others = [finding for finding in found if finding.level is not Level.ERROR]
    if errors:
        failure = ET.SubElement(case, "failure", message=_plain(errors[0].message), type=rule.law.name)
        failure.text = _plain("\n".join(told(finding) for finding in errors))
    if others:
        ET.SubElement(case, "system-out").text = _plain("\n".join(told(finding) for finding in others))


def _plain(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n" or (letter >= " " and letter not in "\ufffe\uffff"))


def _finding(finding: Finding) -> dict[str, str]:
    law = finding.rule.law
    return {
        "rule": law.name,
        "level": finding.level.value,
        "where": finding.where,
        "message": finding.message,
        "resolution": law.cure,
        "source": f"{RULES_PAGE}#{law.source}",
    }


def _operation(item: Execution) -> dict[str, Any]:
    return {
        "step": item.step.value,
        "command": item.command.value,
        "version": item.version,
        "sequenceNumber": item.sequence_number,
        "exitCode": item.exit_code,
        "seconds": item.seconds,
        "cpuSeconds": item.cpu_seconds,
        "memoryKiB": item.memory_kib,
        "outputBytes": item.output_bytes,
    }
