"""What can be said of a package before anything runs. Called by ``judge``."""

from __future__ import annotations

from collections.abc import Iterator

from dockyard.authoring.observations import Observations
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard_contract.environment import Command


def judge(seen: Observations) -> Iterator[Finding]:
    """Look at the name, the manifest and the programs it names."""
    package = seen.package
    if "-" in package.handler:
        yield _error(
            Rule.HANDLER_NAME,
            f"'{package.handler}' has a hyphen: the agent parts name and version of a folder at the first one.",
        )
    if package.fault:
        yield _error(Rule.MANIFEST, package.fault)
        return
    for command in Command:
        if command not in package.commands:
            message = f"There is no {command.manifest_key}: the agent fails with code -1 when it needs it."
            yield _error(Rule.COMMAND_MISSING, message)
    for text in package.missing_programs:
        message = (
            f"'{text}' does not begin with a file of the package: the agent puts the handler's folder before it and "
            "gives the whole to a shell, so an interpreter cannot stand first."
        )
        yield _error(Rule.COMMAND_NOT_FOUND, message)


def _error(rule: Rule, message: str) -> Finding:
    return Finding(rule=rule, level=Level.ERROR, where="package", message=message)
