"""What must change so that the engine becomes what is wanted: a pure function from settings and facts to values.

Print the plan and you have a dry run. Nothing here reads or writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from . import platform_guard, proxy
from .daemon_config import can_be_reloaded, foreign, merge, tls_members
from .flags import members_of_flags
from .places import (
    AUTHORITY,
    CERTIFICATE,
    CERTIFICATE_FILES,
    DAEMON_CONFIG,
    DROP_IN,
    GUARD,
    GUARD_DROP_IN,
    KEY,
    PROXY_DROP_IN,
    PROXY_ENVIRONMENT,
    SECCOMP_PROFILE,
)
from .record import Record
from .safe_defaults import Chosen, Switch, choose_defaults, said_by_user
from .seccomp_profile import profile_text
from .unit_file import added_words, drop_in, program_words

if TYPE_CHECKING:
    from .facts import Facts, Found
    from .settings import DockerSettings

_PUBLIC = 0o644
_CERTIFICATE = 0o444
_KEY = 0o400
_SECRET = 0o600
_NOT_THE_ENGINES = (GUARD, GUARD_DROP_IN)


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
        reload: Why the engine must read its configuration again; empty when it need not, or is restarted.
        start: Whether the engine must be started, as it does not run.
        arguments: The daemon's arguments, for judging them before they are used.
        daemon_config: The daemon's configuration as it will be.
        record: What the extension keeps about itself afterwards.
        defaults: The safe defaults of the daemon's configuration, as far as they apply.
    """

    changes: tuple[Change, ...]
    enable: tuple[str, ...]
    restart: str
    start: bool
    arguments: tuple[str, ...]
    daemon_config: bytes | None
    record: Record
    reload: str = ""
    defaults: Chosen = field(default_factory=Chosen)

    @property
    def touches_engine(self) -> bool:
        """Whether the engine is started, restarted or told to read its configuration again."""
        return self.start or bool(self.restart) or bool(self.reload)

    def with_restart(self) -> Plan:
        """The plan with a restart where it would only have told the engine to read its configuration again."""
        return replace(self, restart=self.restart or self.reload, reload="")

    def __str__(self) -> str:
        acts = [str(change) for change in self.changes] + [f"enable {unit}" for unit in self.enable]
        if self.touches_engine:
            acts.append(_act(self))
        return "; ".join(acts) or "nothing to do"


def _act(plan: Plan) -> str:
    if plan.restart:
        return f"restart the engine: {plan.restart}"
    return "start the engine" if plan.start else f"have the engine reload: {plan.reload}"


def decide(settings: DockerSettings, facts: Facts, *, version: str) -> Plan:
    """Find out what must change.

    Raises:
        MalformedDocument: The daemon's configuration that is there cannot be read.
        PermanentError: The port is somebody else's, or a member is a flag of the engine's unit too.
    """
    _check_port(settings, facts)
    _check_members(settings, facts)
    record = facts.record
    existing = facts.files[DAEMON_CONFIG].content
    users = foreign(existing, ours=record.members, displaced=record.displaced)
    said = said_by_user(settings, facts, foreign=users)
    defaults = choose_defaults(said, off=settings.daemon.off, swarm=facts.swarm, seccomp=facts.seccomp)
    wanted = {**tls_members(settings.bundle), **defaults.members, **settings.daemon.members}
    merged = merge(existing, wanted=wanted, ours=record.members, displaced=record.displaced)
    unit = drop_in(facts.base_command, port=settings.port, options=settings.options)
    targets = {
        **_certificates(settings, record=record),
        DAEMON_CONFIG: (merged.content, _config_mode(settings, facts)),
        DROP_IN: (_bytes(unit), _PUBLIC),
        **_beside(settings, defaults=defaults),
    }
    changes = tuple(
        change
        for path, (content, mode) in targets.items()
        for change in _change(path, facts.files[path], content=content, mode=mode)
    )
    added = added_words(facts.base_command, port=settings.port, options=settings.options)
    restart, reload = _reasons(changes, facts, config=merged.content)
    return Plan(
        changes=changes,
        enable=tuple(name for name, unit in facts.units.items() if unit.exists and not unit.starts_at_boot),
        restart=restart,
        reload=reload,
        start=not facts.service.is_active,
        arguments=(*program_words(facts.base_command), *facts.default_options, *added),
        daemon_config=merged.content,
        record=Record(
            owner=version,
            packages=record.packages,
            members=merged.ours,
            files=CERTIFICATE_FILES if settings.bundle is not None else (),
            options=settings.options,
            displaced=merged.displaced,
            engine=record.engine.proved(remove_data=settings.engine.remove_data),
        ),
        defaults=defaults,
    )


def _check_members(settings: DockerSettings, facts: Facts) -> None:
    flags = members_of_flags((*program_words(facts.base_command), *facts.default_options))
    for name in settings.daemon.members:
        if name in flags:
            raise PermanentError(
                f"The member {name} of docker.daemon is a flag of the engine's unit too, and dockerd refuses both.",
                resolution="Leave it out, or take the flag out of the unit or of /etc/default/docker.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )


def _beside(settings: DockerSettings, *, defaults: Chosen) -> dict[str, tuple[bytes | None, int]]:
    environment = proxy.environment_text(settings.daemon.proxy)
    guard = platform_guard.script(platform_guard.guarded(settings.daemon.off))
    return {
        PROXY_ENVIRONMENT: (_bytes(environment), _SECRET),
        PROXY_DROP_IN: (_bytes(environment and proxy.DROP_IN_TEXT), _PUBLIC),
        GUARD: (_bytes(guard), _PUBLIC),
        GUARD_DROP_IN: (_bytes(guard and platform_guard.DROP_IN_TEXT), _PUBLIC),
        SECCOMP_PROFILE: (_bytes(profile_text() if Switch.SECCOMP in defaults.applied else None), _PUBLIC),
    }


def _config_mode(settings: DockerSettings, facts: Facts) -> int:
    mode = facts.files[DAEMON_CONFIG].mode or _PUBLIC
    return mode if Switch.FILE_MODES in settings.daemon.off else mode & _PUBLIC


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


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
    concerns = differs and path not in _NOT_THE_ENGINES
    return [Change(path=path, content=content, mode=mode, concerns_engine=concerns)] if differs or loose else []


def _reasons(changes: tuple[Change, ...], facts: Facts, *, config: bytes | None) -> tuple[str, str]:
    """Why the engine must be restarted, and why it must reload; at most one of the two."""
    paths = [change.path for change in changes if change.concerns_engine]
    reason = f"{', '.join(path.rpartition('/')[2] for path in paths)} changed" if paths else ""
    if facts.interrupted:
        return reason or "an earlier change was interrupted", ""
    if paths == [DAEMON_CONFIG] and can_be_reloaded(facts.files[DAEMON_CONFIG].content, config):
        return "", reason
    return reason, ""
