"""A handler's whole life, step by step, with an agent's stand-in. Called by ``inside``.

Which commands run in a step, and in which order, is said by ``authoring.orders``; after a failure the stand-in goes the
agent's way: no enable after a failed install, no change of version after a failed command.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

from dockyard.authoring import orders
from dockyard.authoring.fast import agent
from dockyard.authoring.fast.agent import Ended, StandIn
from dockyard.authoring.fast.onlooker import Onlooker, Ran
from dockyard.authoring.fast.watch import Writes
from dockyard.authoring.observations import Observations, PackageSeen, Runner, Step
from dockyard.authoring.orders import Side
from dockyard.authoring.package import Package
from dockyard.authoring.settings import Given
from dockyard_contract.environment import Command

_NUMBERS = {
    Step.FIRST: 0,
    Step.AGAIN: 0,
    Step.SETTINGS: 2,
    Step.UPDATE: 3,
    Step.DOWNGRADE: 5,
    Step.REMOVAL: 5,
    Step.RETURN: 0,
    Step.FAREWELL: 0,
}
"""The number of each step's settings: it begins at 0, it may jump, and begins anew for an extension made anew."""
_OF_THE_OLD = (Command.DISABLE, Command.UNINSTALL)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a life is led with; ``limit`` is a command's time where it is less than the agent's."""

    package: Package
    seen: PackageSeen
    given: Given
    limit: float | None


class StepFailed(Exception):
    """A command after whose failure the agent does not go on with the step. Caught by ``Life``."""


class Life:
    """One handler, one stand-in, one life."""

    def __init__(self, plan: Plan, stand_in: StandIn, onlooker: Onlooker) -> None:
        self._plan = plan
        self._agent = stand_in
        self._onlooker = onlooker
        self._version = plan.package.version
        self._is_installed = False
        self._is_enabled = False

    def lead(self) -> Observations:
        """Go through every step; an install that fails ends it."""
        own, raised = self._plan.package.version, self._plan.package.raised().version
        self._step(Step.FIRST, self._begin)
        if self._is_installed:
            self._step(Step.AGAIN, self._enable)
            self._step(Step.SETTINGS, self._new_settings)
            self._step(Step.UPDATE, lambda step: self._change(step, to=raised))
            if self._version == raised:
                self._step(Step.DOWNGRADE, lambda step: self._change(step, to=own))
        lived = self._is_installed
        self._step(Step.REMOVAL, self._remove)
        if lived:
            self._step(Step.RETURN, self._begin)
            self._step(Step.FAREWELL, self._remove)
        return self._onlooker.record.observations(runner=Runner.FAST, package=self._plan.seen)

    def _step(self, step: Step, act: Callable[[Step], None]) -> None:
        sys.stderr.write(f"{step.value}\n")
        sys.stderr.flush()
        try:
            act(step)
        except StepFailed as failure:
            self._onlooker.record.notes.append(f"{step.value}: the agent stops after {failure}, and so did this test.")
        self._onlooker.step_over(step)

    def _begin(self, step: Step) -> None:
        self._agent.unpack(self._version, io.BytesIO(self._plan.package.archive))
        self._write_settings(step, version=self._version)
        if self._run(step, Command.INSTALL, more={agent.UNINSTALL_CODE: agent.NOT_RUN}).code != 0:
            raise StepFailed("a failed install")
        self._is_installed = True
        self._enable(step)

    def _new_settings(self, step: Step) -> None:
        self._write_settings(step, version=self._version)
        self._enable(step)

    def _change(self, step: Step, *, to: str) -> None:
        """Replace the version by another, in the order of ``orders``; the settings lie in the new folder only."""
        old = self._version
        self._agent.unpack(to, io.BytesIO(self._plan.package.archive))
        self._write_settings(step, version=to)
        codes: dict[Command, str] = {}
        for side, command in orders.order(step, self._plan.seen):
            if command is Command.ENABLE:
                continue
            if command is Command.UPDATE:
                self._agent.carry_over(old, to)
            version = old if side is Side.LEAVING else to
            more = self._told(command, codes, leaving=old if step is Step.UPDATE else to, to=to)
            ended = self._run(step, command, version=version, more=more)
            codes[command] = ended.told_code
            if ended.code != 0 and not (command in _OF_THE_OLD and self._plan.seen.continues_on_update_failure):
                self._agent.remove(to)
                raise StepFailed(f"a failed {command.value} of {version}")
        self._agent.remove(old)
        self._version = to
        self._enable(step, uninstall_code=codes[Command.UNINSTALL])

    def _told(self, command: Command, codes: dict[Command, str], *, leaving: str, to: str) -> dict[str, str]:
        """Return the variables of a change: on the way down the target stands in both versions."""
        if command is Command.INSTALL:
            return {agent.UNINSTALL_CODE: codes[Command.UNINSTALL]}
        if command is not Command.UPDATE:
            return {}
        disabled = {agent.DISABLE_CODE: codes[Command.DISABLE]}
        if self._agent.configuration:
            told = [{"extensionName": self._agent.configuration, "exitCode": codes[Command.DISABLE]}]
            disabled = {agent.DISABLE_CODES: json.dumps(told)}
        return {"VERSION": to, agent.UPDATING_FROM: leaving, **disabled}

    def _remove(self, step: Step) -> None:
        if self._is_installed:
            if self._is_enabled:
                self._run(step, Command.DISABLE)
            self._run(step, Command.UNINSTALL)
        self._agent.remove(self._version)
        self._is_installed = self._is_enabled = False
        self._onlooker.removed(step, folder=self._agent.folder(self._version))

    def _enable(self, step: Step, *, uninstall_code: str = agent.NOT_RUN) -> None:
        more = {agent.UNINSTALL_CODE: uninstall_code}
        ran = Ran(step, Command.ENABLE, self._version, _NUMBERS[step])
        ended = self._onlooker.enable(ran, lambda writes: self._run(step, Command.ENABLE, more=more, writes=writes))
        self._is_enabled = self._is_enabled or ended.code == 0

    def _run(
        self,
        step: Step,
        command: Command,
        *,
        version: str | None = None,
        more: dict[str, str] | None = None,
        writes: Writes | None = None,
    ) -> Ended:
        ran = Ran(step, command, version or self._version, _NUMBERS[step])

        def look() -> None:
            self._onlooker.glance()
            if writes is not None:
                writes.look()

        ended = self._agent.run(ran.version, command, ran.number, more=more, limit=self._plan.limit, look=look)
        self._onlooker.ended(ran, ended)
        return ended

    def _write_settings(self, step: Step, *, version: str) -> None:
        given = self._plan.given
        self._agent.settings(version, _NUMBERS[step], given.public, given.protected)
