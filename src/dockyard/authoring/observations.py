"""What was seen of a handler while it was taken through its life: values, the same from whichever runner saw them.

Made by ``fast`` and ``machine``, judged by ``judging``, printed by ``report``. No secret stands in them: whoever
observes puts a mask over each before it makes one of these values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dockyard_contract.environment import Command


class Runner(Enum):
    """Who ran the handler's commands."""

    FAST = "fast"
    MACHINE = "machine"


class Step(Enum):
    """The cases of a handler's life, in the order in which they are gone through."""

    FIRST = "first time"
    AGAIN = "same number again"
    SETTINGS = "new settings"
    UPDATE = "version up"
    DOWNGRADE = "version down"
    REBOOT = "reboot"
    REMOVAL = "removal"
    RETURN = "installed again"
    FAREWELL = "removed again"


class Moment(Enum):
    """When a status file was read."""

    RETURNED = "when enable returned"
    SETTLED = "when the work was over"


class Place(Enum):
    """Where a secret was seen."""

    LOG = "log"
    OUTPUT = "output"
    STATUS = "status"
    ARGUMENTS = "arguments of a process"
    FILE = "file that others can read"
    LEFT = "file left behind"


class LeftKind(Enum):
    """What sort of thing a handler left behind."""

    FILE = "file"
    CHANGED_FILE = "changed file"
    REMOVED_FILE = "removed file"
    PROCESS = "process"
    UNIT = "unit"
    USER = "user"
    GROUP = "group"
    PACKAGE = "package"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One command of the manifest as it ran.

    Attributes:
        exit_code: None when the agent's time limit ended it.
        seconds: from its start to its end.
        cpu_seconds: used by it and by its children that ended; None when nobody could measure it.
        memory_kib: the most that one of its processes held in memory, as was seen; None when nobody could look.
        output_bytes: what it wrote to standard output and standard error.
        tail: the end of what it wrote, secrets masked.
        has_settings: whether the folder of its version holds settings for its number.
    """

    step: Step
    command: Command
    version: str
    sequence_number: int
    exit_code: int | None
    seconds: float
    cpu_seconds: float | None = None
    memory_kib: int | None = None
    output_bytes: int = 0
    tail: str = ""
    has_settings: bool = True


@dataclass(frozen=True, kw_only=True)
class StatusSeen:
    """What stood in the status file of a number; ``text`` is None when there was no such file.

    ``others`` are the names of other new files in the status folder; ``in_place`` whether the file was written under
    its own name instead of being renamed to it (None: nobody looked); ``waited`` the seconds until it settled.
    """

    step: Step
    moment: Moment
    version: str
    sequence_number: int
    text: str | None
    others: tuple[str, ...] = ()
    in_place: bool | None = None
    waited: float = 0.0


@dataclass(frozen=True)
class Sighting:
    """A secret seen where none may be; ``where`` names the file or the program, never the secret."""

    step: Step
    place: Place
    where: str


@dataclass(frozen=True)
class Leftover:
    """Something that was not there before the handler came. ``is_tied``: it needs the folder that is gone."""

    step: Step
    kind: LeftKind
    name: str
    is_tied: bool = False


@dataclass(frozen=True, kw_only=True)
class WorkSeen:
    """Work in the background: a process that lived on after enable. ``in_agent``: as part of the agent's service."""

    step: Step
    name: str
    in_agent: bool = False
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True)
class PackageSeen:
    """What the package says of itself; ``fault`` is why its manifest cannot be read, empty when it can.

    ``commands`` are the manifest's texts by command; ``missing_programs`` those whose first word is no file in it.
    """

    handler: str
    version: str
    fault: str = ""
    commands: dict[Command, str] = field(default_factory=dict)
    missing_programs: tuple[str, ...] = ()
    runs_install_on_update: bool = True
    reports_heartbeat: bool = False
    takes_several: bool = False
    continues_on_update_failure: bool = False


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Everything seen in one run. ``notes`` say how it was observed and what was not looked at."""

    runner: Runner
    package: PackageSeen
    executions: tuple[Execution, ...] = ()
    statuses: tuple[StatusSeen, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    works: tuple[WorkSeen, ...] = ()
    heartbeat: str | None = None
    keeps_number: bool = True
    notes: tuple[str, ...] = ()


@dataclass
class Record:
    """What one run has seen so far; its runner adds to it."""

    executions: list[Execution] = field(default_factory=list)
    statuses: list[StatusSeen] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    works: list[WorkSeen] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    heartbeat: str | None = None
    keeps_number: bool = True

    def observations(self, *, runner: Runner, package: PackageSeen) -> Observations:
        """Return everything seen, as a value."""
        return Observations(
            runner=runner,
            package=package,
            executions=tuple(self.executions),
            statuses=tuple(self.statuses),
            sightings=tuple(self.sightings),
            leftovers=tuple(self.leftovers),
            works=tuple(self.works),
            heartbeat=self.heartbeat,
            keeps_number=self.keeps_number,
            notes=tuple(self.notes),
        )
