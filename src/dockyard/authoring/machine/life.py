"""A handler's life in a machine, step by step, each awaited and then looked at. Called by ``runner``.

What the machine is asked to do stands in ``Machine``; which commands the agent then runs is the agent's own matter and
is only observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from dockyard.authoring import secrets
from dockyard.authoring.observations import (
    Execution,
    LeftKind,
    Leftover,
    Moment,
    Observations,
    PackageSeen,
    Place,
    Record,
    Runner,
    Sighting,
    StatusSeen,
    Step,
    WorkSeen,
)
from dockyard.model.errors import DeadlineExceeded, DockyardError
from dockyard_contract.environment import Command
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import parse_status

NOTES = (
    "Under the real agent, in a virtual machine. Commands were run by a wrapper, which measured them and not itself.",
    "Not seen: how status files are written, and secrets in the arguments of processes that end soon (see --fast).",
)
EXTENSION = "dockyardExtensionTest"
"""What the extension is called in the machine; also the configuration of a handler that takes several."""
_TAIL = 400


class Machine(Protocol):
    """What a life needs of a machine. Every method returns when the machine has done it. Raises DockyardError."""

    def set(self, *, is_raised: bool, again: bool) -> None:
        """Give the machine the extension in its own or its raised version; ``again``: as new settings."""

    def remove(self) -> None:
        """Take the extension away."""

    def restart(self) -> None:
        """Reboot the machine."""

    def restart_agent(self) -> None:
        """Restart the agent alone."""

    def tell(self, verb: str) -> Mapping[str, Any]:
        """Return the answer of ``inside`` to a request."""

    def until(self, check: Callable[[], bool], *, what: str, deadline: float) -> None:
        """Wait until ``check`` holds. Raises DeadlineExceeded."""


class Life:
    """One handler in one machine. ``tell_step`` is told the name of each step as it begins."""

    def __init__(
        self,
        machine: Machine,
        package: PackageSeen,
        *,
        hidden: Sequence[str],
        patience: float,
        reboots: bool,
        tell_step: Callable[[str], None],
    ) -> None:
        self._machine = machine
        self._package = package
        self._hidden = hidden
        self._patience = patience
        self._reboots = reboots
        self._tell_step = tell_step
        self._runs: set[str] = set()
        self._seen = Record(notes=[*NOTES])

    def lead(self) -> Observations:
        """Go through every step; a handler that was never enabled is only removed again."""
        self._machine.tell("before")
        self._step(Step.FIRST, lambda: self._machine.set(is_raised=False, again=False))
        if any(item.command is Command.ENABLE and item.exit_code == 0 for item in self._seen.executions):
            self._step(Step.AGAIN, self._machine.restart_agent, awaits_enable=True)
            self._step(Step.SETTINGS, lambda: self._machine.set(is_raised=False, again=True))
            self._step(Step.UPDATE, lambda: self._machine.set(is_raised=True, again=False))
            if self._reboots:
                self._step(Step.REBOOT, self._machine.restart, awaits_enable=True)
        self._step(Step.REMOVAL, self._machine.remove)
        self._look_for_leftovers()
        self._seen.sightings = [*dict.fromkeys(self._seen.sightings)]
        return self._seen.observations(runner=Runner.MACHINE, package=self._package)

    def _step(self, step: Step, act: Callable[[], None], *, awaits_enable: bool = False) -> None:
        self._tell_step(step.value)
        try:
            act()
            if awaits_enable:
                self._machine.until(self._is_settled_anew, what="enable to be run again", deadline=self._patience)
        except DeadlineExceeded as error:
            self._seen.notes.append(f"{step.value}: {secrets.mask(error.brief, self._hidden)}.")
        except DockyardError as error:
            self._seen.notes.append(f"{step.value}: {secrets.mask(str(error), self._hidden)}")
        self._take(step, self._machine.tell("look"))

    def _is_settled_anew(self) -> bool:
        """Whether an enable has ended that was not seen before, and the status it is about is final."""
        told = self._machine.tell("progress")
        records = told["records"]
        begun = {item["run"]: item for item in records if item["event"] == "begin" and item["run"] not in self._runs}
        ended = {item["run"] for item in records if item["event"] == "end"}
        enables = [item for run, item in begun.items() if run in ended and item["command"] == Command.ENABLE.value]
        return bool(enables) and _is_final(self._status_of(told["statuses"], enables[-1]))

    def _take(self, step: Step, told: Mapping[str, Any]) -> None:
        records = told["records"]
        ends = {item["run"]: item for item in records if item["event"] == "end"}
        for item in records:
            if item["event"] == "begin" and item["run"] not in self._runs:
                self._runs.add(item["run"])
                self._execution(step, item, ends.get(item["run"], {}))
        self._settled(step, told["statuses"])
        self._seen.sightings += [Sighting(step, Place(place), where) for place, where in told["sightings"]]
        if step is not Step.REMOVAL:
            works = [WorkSeen(step=step, name=self._masked(w["name"]), in_agent=w["in_agent"]) for w in told["works"]]
            self._seen.works += works
        if step is Step.FIRST:
            self._seen.heartbeat = told["heartbeat"]
            self._seen.keeps_number = bool(told["keeps_number"])

    def _execution(self, step: Step, begin: Mapping[str, Any], end: Mapping[str, Any]) -> None:
        command, tail = Command(begin["command"]), str(end.get("tail", ""))
        execution = Execution(
            step=step,
            command=command,
            version=begin["version"],
            sequence_number=begin["number"],
            exit_code=end.get("code"),
            seconds=round(end.get("seconds", float(command.time_limit)), 3),
            cpu_seconds=end.get("cpu_seconds"),
            memory_kib=end.get("memory_kib"),
            output_bytes=end.get("output_bytes", 0),
            tail=self._masked(tail).strip()[-_TAIL:],
            has_settings=begin["has_settings"],
        )
        self._seen.executions.append(execution)
        if secrets.is_in(tail.encode(), self._hidden):
            self._seen.sightings.append(Sighting(step, Place.OUTPUT, f"{command.value} of {execution.version}"))
        if command is Command.ENABLE and end:
            self._status(step, Moment.RETURNED, execution, end.get("status"), others=tuple(end.get("others", ())))

    def _settled(self, step: Step, statuses: Mapping[str, str | None]) -> None:
        """Take the status of the step's last enable as it stands now."""
        enables = [item for item in self._seen.executions if item.step is step and item.command is Command.ENABLE]
        if not enables:
            return
        last = enables[-1]
        about = {"version": last.version, "number": last.sequence_number}
        self._status(step, Moment.SETTLED, last, self._status_of(statuses, about))

    def _status_of(self, statuses: Mapping[str, str | None], run: Mapping[str, Any]) -> str | None:
        """Find the status of a run's number among ``NAME-VERSION/status/[CONFIGURATION.]NUMBER.status``."""
        folder, name = f"-{run['version']}/status", f"{run['number']}.status"
        ends = (
            f"{folder}/{name}",
            f"{folder}/{EXTENSION}.{name}" if self._package.takes_several else f"{folder}/{name}",
        )
        return next((text for path, text in statuses.items() if path.endswith(ends)), None)

    def _status(
        self, step: Step, moment: Moment, execution: Execution, text: str | None, *, others: tuple[str, ...] = ()
    ) -> None:
        if text is not None and secrets.is_in(text.encode(), self._hidden):
            where = f"{execution.sequence_number}.status"
            self._seen.sightings.append(Sighting(step, Place.STATUS, where))
        self._seen.statuses.append(
            StatusSeen(
                step=step,
                moment=moment,
                version=execution.version,
                sequence_number=execution.sequence_number,
                text=None if text is None else self._masked(text),
                others=others,
                waited=self._patience,
            )
        )

    def _look_for_leftovers(self) -> None:
        told = self._machine.tell("after")
        self._seen.leftovers += [
            Leftover(Step.REMOVAL, LeftKind(kind), self._masked(name), is_tied)
            for kind, name, is_tied in told["leftovers"]
        ]
        self._seen.sightings += [Sighting(Step.REMOVAL, Place(place), where) for place, where in told["sightings"]]

    def _masked(self, text: str) -> str:
        return secrets.mask(text, self._hidden)


def _is_final(text: str | None) -> bool:
    """Whether nothing more is to be awaited: a final status, or one that the agent could not read."""
    try:
        return parse_status(text or "", document="status").status.is_final
    except MalformedDocument:
        return text is not None
