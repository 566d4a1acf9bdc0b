"""What must change so that the engine becomes what is wanted: a pure function from settings and facts to values.

Print the plan and you have a dry run. Nothing here reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .daemon_config import foreign, merge, wanted_members
from .places import AUTHORITY, CERTIFICATE, CERTIFICATE_FILES, DAEMON_CONFIG, DROP_IN, KEY
from .record import Record
from .unit_file import added_words, drop_in, program_words

if TYPE_CHECKING:
    from .facts import Facts, Found
    from .settings import DockerSettings

_PUBLIC = 0o644
_CERTIFICATE = 0o444
_KEY = 0o400


@dataclass(frozen=True)
class Change:
    """One file that must become something else.

    Attributes:
        path: Where it is.
        content: What it must hold; ``None`` when it must not be there.
        mode: The mode it must have.
        concerns_engine: Whether the running engine would not know it without a restart.
    """

    path: str
    content: bytes | None = field(repr=False)
    mode: int
    concerns_engine: bool = True

    def __str__(self) -> str:
        return f"{'remove' if self.content is None else 'write'} {self.path}"


@dataclass(frozen=True)
class Plan:
    """All that must be done.

    Attributes:
        changes: Files that differ from what they must be.
        enable: Units that must start at boot and do not.
        restart: Why the engine must be restarted; empty when it need not.
        start: Whether the engine must be started, as it does not run.
        arguments: The daemon's arguments, for judging them before they are used.
        daemon_config: The daemon's configuration as it will be.
        record: What the extension keeps about itself afterwards.
    """

    changes: tuple[Change, ...]
    enable: tuple[str, ...]
    restart: str
    start: bool
    arguments: tuple[str, ...]
    daemon_config: bytes | None
    record: Record

    @property
    def touches_engine(self) -> bool:
        """Whether the engine is started or restarted."""
        return self.start or bool(self.restart)

    def __str__(self) -> str:
        acts = [str(change) for change in self.changes] + [f"enable {unit}" for unit in self.enable]
        if self.touches_engine:
            acts.append(f"restart the engine: {self.restart}" if self.restart else "start the engine")
        return "; ".join(acts) or "nothing to do"


def decide(settings: DockerSettings, facts: Facts, *, version: str) -> Plan:
    """Find out what must change.

    Raises:
        MalformedDocument: The daemon's configuration that is there cannot be read.
        PermanentError: The port is somebody else's.
    """
    _check_port(settings, facts)
    record = facts.record
    existing = facts.files[DAEMON_CONFIG].content
    wanted = wanted_members(settings, existing=foreign(existing, ours=record.members), swarm=facts.swarm)
    merged = merge(existing, wanted=wanted, ours=record.members)
    unit = drop_in(facts.base_command, port=settings.port, options=settings.options)
    targets = {
        **_certificates(settings, record=record),
        DAEMON_CONFIG: (merged.content, facts.files[DAEMON_CONFIG].mode or _PUBLIC),
        DROP_IN: (None if unit is None else unit.encode(), _PUBLIC),
    }
    changes = tuple(
        change
        for path, (content, mode) in targets.items()
        for change in _change(path, facts.files[path], content=content, mode=mode)
    )
    added = added_words(facts.base_command, port=settings.port, options=settings.options)
    return Plan(
        changes=changes,
        enable=tuple(name for name, unit in facts.units.items() if unit.exists and not unit.starts_at_boot),
        restart=_restart_reason(changes, facts),
        start=not facts.service.is_active,
        arguments=(*program_words(facts.base_command), *added),
        daemon_config=merged.content,
        record=Record(
            owner=version,
            packages=record.packages,
            members=merged.ours,
            files=CERTIFICATE_FILES if settings.bundle is not None else (),
            options=settings.options,
            engine=record.engine.proved(remove_data=settings.engine.remove_data),
        ),
    )


def _check_port(settings: DockerSettings, facts: Facts) -> None:
    holder = facts.listener
    if holder is None or (holder.pid is not None and holder.pid == facts.service.main_pid):
        return
    raise PermanentError(
        f"Port {settings.port} is in use by {holder}.",
        resolution="Choose another docker.port, or end what uses this one.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _certificates(settings: DockerSettings, *, record: Record) -> dict[str, tuple[bytes | None, int]]:
    bundle = settings.bundle
    if bundle is None:
        return {path: (None, _CERTIFICATE) for path in record.files if path in CERTIFICATE_FILES}
    return {
        AUTHORITY: (bundle.authority, _CERTIFICATE),
        CERTIFICATE: (bundle.certificate, _CERTIFICATE),
        KEY: (bundle.key, _KEY),
    }


def _change(path: str, found: Found, *, content: bytes | None, mode: int) -> list[Change]:
    differs = found.content != content
    loose = content is not None and found.mode != mode
    return [Change(path=path, content=content, mode=mode, concerns_engine=differs)] if differs or loose else []


def _restart_reason(changes: tuple[Change, ...], facts: Facts) -> str:
    names = [change.path.rpartition("/")[2] for change in changes if change.concerns_engine]
    if names:
        return f"{', '.join(names)} changed"
    return "an earlier change was interrupted" if facts.interrupted else ""
