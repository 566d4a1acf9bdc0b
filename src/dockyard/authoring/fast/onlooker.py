"""Sees what a handler does between and during its commands, and makes observations of it, secrets masked.

Used by ``life``, which says when to look. Writes everything into one record, in order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from dockyard.authoring import secrets
from dockyard.authoring.fast.agent import Ended, StandIn
from dockyard.authoring.fast.traces import Traces
from dockyard.authoring.fast.watch import Processes, Writes, described
from dockyard.authoring.observations import (
    Execution,
    LeftKind,
    Leftover,
    Moment,
    Place,
    Record,
    Sighting,
    StatusSeen,
    Step,
    WorkSeen,
)
from dockyard_contract.environment import Command
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.status import parse_status

_EVERY = 0.02
_TAIL = 400


@dataclass(frozen=True)
class Ran:
    """Which command ran: its step, its version, its number."""

    step: Step
    command: Command
    version: str
    number: int


class Onlooker:
    """Looks on at one stand-in's work. ``traces`` is None where the handler's changes are not kept apart."""

    def __init__(
        self, stand_in: StandIn, *, processes: Processes, traces: Traces | None, hidden: Sequence[str], patience: float
    ) -> None:
        self._agent = stand_in
        self._processes = processes
        self._traces = traces
        self._hidden = hidden
        self._patience = patience
        self._own_names: set[str] = set()
        self.record = Record()

    def glance(self) -> None:
        """Look at the processes; called again and again while a command runs."""
        self._processes.look()

    def ended(self, ran: Ran, ended: Ended) -> None:
        """Take how a command ended."""
        if secrets.is_in(ended.output, self._hidden):
            self._saw(ran.step, Place.OUTPUT, f"{ran.command.value} of {ran.version}")
        text = secrets.mask(ended.output.decode("utf-8", "replace"), self._hidden).strip()
        self.record.executions.append(
            Execution(
                step=ran.step,
                command=ran.command,
                version=ran.version,
                sequence_number=ran.number,
                exit_code=ended.code,
                seconds=round(ended.seconds, 3),
                cpu_seconds=round(ended.cpu_seconds, 3),
                memory_kib=self._processes.peak_kib or None,
                output_bytes=ended.output_bytes,
                tail=text[-_TAIL:],
                has_settings=self._agent.settings_file(ran.version, ran.number).exists(),
            )
        )
        self._processes.peak_kib = 0

    def enable(self, ran: Ran, run: Callable[[Writes], Ended]) -> Ended:
        """Look on at an enable and at the work behind it, until its status is final or patience is over."""
        own = self._agent.status_file(ran.version, ran.number)
        before = _contents(own.parent)
        with closing(Writes(own.parent)) as writes:
            ended = run(writes)
            self._status(ran, Moment.RETURNED, own, before=before)
            waited = self._settle(own, writes) if ended.code == 0 else 0.0
            self._status(ran, Moment.SETTLED, own, before=before, waited=waited, in_place=own.name in writes.names)
        self._works(ran.step, is_settled=ended.code == 0)
        if ran.step is Step.FIRST:
            folder = self._agent.folder(ran.version)
            self.record.heartbeat = _text(folder / "heartbeat.log")
            self.record.keeps_number = any(folder.glob("*mrseq*"))
        return ended

    def step_over(self, step: Step) -> None:
        """Look for secrets after a step."""
        for path in sorted(self._agent.log_folder.rglob("*")):
            if path.is_file() and secrets.is_in(path.read_bytes(), self._hidden):
                self._saw(step, Place.LOG, str(path))
        for name in sorted(self._processes.tellers):
            self._saw(step, Place.ARGUMENTS, name)
        self._processes.tellers.clear()
        for file in self._traces.open_secrets() if self._traces else ():
            self._saw(step, Place.FILE, file)

    def removed(self, step: Step, *, folder: Path) -> None:
        """Look for what stayed after uninstall; ``folder`` is the handler's, which is gone."""
        for process in self._processes.running():
            is_tied = str(folder) in f"{process.folder} {process.arguments}"
            left = Leftover(step, LeftKind.PROCESS, described(process, hidden=self._hidden), is_tied)
            self.record.leftovers.append(left)
        if self._traces is not None:
            self.record.leftovers += self._traces.leftovers(step, folder=folder)
            for path in self._traces.left_secrets():
                self._saw(step, Place.LEFT, path)

    def _settle(self, own: Path, writes: Writes) -> float:
        """Wait until the status is final, as the agent does: by reading it again and again."""
        begun = time.monotonic()
        while True:
            writes.look()
            self._processes.look()
            waited = time.monotonic() - begun
            if _is_final(own) or waited >= self._patience:
                return round(waited, 3)
            time.sleep(_EVERY)

    def _status(
        self,
        ran: Ran,
        moment: Moment,
        own: Path,
        *,
        before: dict[str, tuple[int, int]],
        waited: float = 0.0,
        in_place: bool | None = None,
    ) -> None:
        text = _text(own)
        if text is not None and secrets.is_in(text.encode(), self._hidden):
            self._saw(ran.step, Place.STATUS, own.name)
        now = _contents(own.parent)
        self._own_names.add(own.name)
        others = sorted(name for name in now if name not in self._own_names and now[name] != before.get(name))
        self.record.statuses.append(
            StatusSeen(
                step=ran.step,
                moment=moment,
                version=ran.version,
                sequence_number=ran.number,
                text=None if text is None else secrets.mask(text, self._hidden),
                others=tuple(others),
                in_place=in_place,
                waited=waited,
            )
        )

    def _works(self, step: Step, *, is_settled: bool) -> None:
        time.sleep(_EVERY)  # what has written its final status needs a moment to end
        for process in self._processes.running():
            name = described(process, hidden=self._hidden)
            self.record.works.append(WorkSeen(step=step, name=name, is_settled=is_settled))

    def _saw(self, step: Step, place: Place, where: str) -> None:
        self.record.sightings.append(Sighting(step, place, where))


def _is_final(path: Path) -> bool:
    """Whether nothing more is to be awaited: a final status, or one that the agent could not read."""
    text = _text(path)
    try:
        return parse_status(text or "", document=path.name).status.is_final
    except MalformedDocument:
        return text is not None


def _contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what tells whether a file was written: its number and its time, by name."""
    found = {}
    for path in folder.glob("[!.]*"):  # a dot begins what is to be renamed
        with suppress(FileNotFoundError):
            state = path.stat()
            found[path.name] = (state.st_ino, state.st_mtime_ns)
    return found


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return None
