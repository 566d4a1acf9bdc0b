"""Judgement: observations in, findings out; nothing is run and nothing is read here. Used by the runners' caller.

A file for each side of a handler that is looked at; every rule in ``authoring.rules`` is found by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockyard.authoring.judging import commands, package, statuses, traces
from dockyard.authoring.observations import Observations
from dockyard.authoring.rules import Finding, Level

__all__ = ["has_errors", "judge"]


def judge(seen: Observations, *, keeps: Sequence[str] = ()) -> list[Finding]:
    """Return what is wrong, the worst first; ``keeps`` are patterns of what the handler leaves behind on purpose."""
    found = [*package.judge(seen), *commands.judge(seen), *statuses.judge(seen), *traces.judge(seen, keeps=keeps)]
    levels = list(Level)
    return sorted(found, key=lambda finding: levels.index(finding.level))


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether one of them is an error."""
    return any(finding.level is Level.ERROR for finding in findings)
