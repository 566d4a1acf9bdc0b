"""How the manifest's commands behaved: order, exit codes, time limits, output. Called by ``judge``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockyard.authoring.observations import Execution, Observations, Runner, Step
from dockyard.authoring.orders import Side, order, told
from dockyard.authoring.rules import Finding, Level, Rule
from dockyard_contract.environment import Command, ExitCode

SLOW_SECONDS = 30.0
MUCH_OUTPUT = 256 * 1024
TOO_MUCH_OUTPUT = 10 * 1000 * 1000
"""Bytes to which the agent cuts the whole CommandExecution.log."""
_CONVENTION = range(51, 57)
_WITHOUT_SETTINGS = (Command.DISABLE, Command.UNINSTALL)


def judge(seen: Observations) -> Iterator[Finding]:
    """Look at every command that ran, and at the order of all."""
    yield from _orders(seen)
    for execution in seen.executions:
        yield from _ending(execution, is_here_for_good=seen.runner is Runner.MACHINE)
        yield from _duration(execution)
        yield from _output(execution)


def place(execution: Execution) -> str:
    """Name a command for people: ``version up: disable of 1.0.0 (number 3)``."""
    return (
        f"{execution.step.value}: {execution.command.value} of {execution.version} (number {execution.sequence_number})"
    )


def ran(executions: Sequence[Execution], step: Step) -> list[str]:
    """Return the commands of a step as words; those of the version that leaves are called old."""
    own = [execution for execution in executions if execution.step is step]
    coming = own[-1].version if own else ""
    sides = ((Side.COMING if item.version == coming else Side.LEAVING, item.command) for item in own)
    return list(told(tuple(sides)))


def _orders(seen: Observations) -> Iterator[Finding]:
    was_enabled = False
    for step in dict.fromkeys(execution.step for execution in seen.executions):
        own = [execution for execution in seen.executions if execution.step is step]
        was_enabled = was_enabled or any(item.command is Command.ENABLE and item.exit_code == 0 for item in own)
        if any(execution.exit_code != 0 for execution in own):
            continue  # the agent rightly goes another way after a failure, which is told as such
        wanted, found = list(told(order(step, seen.package))), _without_repeats(ran(seen.executions, step))
        if not was_enabled:
            wanted = [word for word in wanted if word != "disable"]  # the agent disables what it has enabled
        if found != wanted:
            message = f"The agent ran {', '.join(found)}; usual is {', '.join(wanted)}."
            yield Finding(rule=Rule.ORDER, level=Level.ERROR, where=step.value, message=message)


def _without_repeats(words: Sequence[str]) -> list[str]:
    # The agent repeats enable with the same number whenever the goal state changes for any reason.
    return [word for at, word in enumerate(words) if at == 0 or word != words[at - 1] or word != "enable"]


def _ending(execution: Execution, *, is_here_for_good: bool) -> Iterator[Finding]:
    code = execution.exit_code
    if code is None or code == 0:
        return
    where, tail = place(execution), f" It wrote: {execution.tail}" if execution.tail else " It wrote nothing."
    if execution.command in _WITHOUT_SETTINGS and not execution.has_settings:
        message = f"It ended with {code}, and there are no settings for its number in its folder.{tail}"
        yield Finding(rule=Rule.NEEDS_SETTINGS, level=Level.ERROR, where=where, message=message)
        return
    lacks = code in (ExitCode.UNSUPPORTED_SYSTEM, ExitCode.MISSING_DEPENDENCY)
    level = Level.WARNING if lacks and not is_here_for_good else Level.ERROR
    yield Finding(rule=Rule.EXIT_CODE, level=level, where=where, message=f"It ended with {code}.{tail}")
    if code not in _CONVENTION:
        message = f"Exit code {code} counts against the publisher's reliability and tells a user nothing."
        yield Finding(rule=Rule.EXIT_CODE_MEANING, level=Level.WARNING, where=where, message=message)


def _duration(execution: Execution) -> Iterator[Finding]:
    limit = execution.command.time_limit
    if execution.exit_code is None:
        message = (
            f"It was killed with its process group after {execution.seconds:.0f} s; the agent's limit is {limit} s."
        )
        yield Finding(rule=Rule.TIME_LIMIT, level=Level.ERROR, where=place(execution), message=message)
    elif execution.seconds > SLOW_SECONDS and execution.command is Command.ENABLE:
        message = f"It took {execution.seconds:.0f} s, in which the agent fetched no goal state and reported nothing."
        yield Finding(rule=Rule.SLOW, level=Level.WARNING, where=place(execution), message=message)


def _output(execution: Execution) -> Iterator[Finding]:
    size = execution.output_bytes
    if size > MUCH_OUTPUT:
        level = Level.ERROR if size >= TOO_MUCH_OUTPUT else Level.WARNING
        message = f"It wrote {size / 1e6:.1f} MB; the agent shows 3,200 characters and cuts its log at 10 MB."
        yield Finding(rule=Rule.OUTPUT, level=level, where=place(execution), message=message)
