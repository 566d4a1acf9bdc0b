"""What disable and uninstall do: closing the remote access, and taking back what the extension brought.

Both work from the record alone: during a version change they are called for a sequence number without settings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError

from . import data_disk, hardening, platform_guard
from .change import write_changes
from .compose_record import read_compose_record
from .daemon_config import LIVE_RESTORE, merge
from .engine import is_present
from .engine_data import find_data, remove_data
from .engine_repository import drop_repository
from .facts import find, observe
from .flags import without_remote_hosts
from .logins import forget_logins
from .places import (
    APT_PROXY,
    COMPOSE_FILE,
    COMPOSE_FOLDER,
    COMPOSE_RECORD,
    DAEMON_CONFIG,
    DAEMON_FILES,
    DROP_IN,
    GUARD,
    LAST_GOOD,
    SERVICE,
    SOCKET_UNIT,
)
from .plan import Change
from .proofs import keeps_containers
from .record import forget_everything, read_record, write_record
from .unit_file import drop_in

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

    from .record import Record

_PUBLIC = 0o644
_PATIENCE = 20.0
_POLL = 0.5


def close_remote_access(machine: Machine, *, version: str) -> str:
    """Make the engine stop listening on the network. Answers one sentence.

    Raises:
        GuestError: The engine did not come up again.
    """
    record = read_record(machine.files)
    if record is None or not is_present(machine):
        return "There is no remote access to close."
    facts = observe(machine, version=version, port=None)
    options = without_remote_hosts(record.options)
    text = drop_in(facts.base_command, port=None, options=options)
    content = None if text is None else text.encode()
    if facts.files[DROP_IN].content == content and not facts.interrupted:
        return "The remote access is closed already."
    write_changes(machine, (Change(path=DROP_IN, content=content, mode=_PUBLIC),))
    write_record(machine.files, replace(record, options=options))
    machine.services.reload_units()
    if facts.service.is_active:
        machine.services.restart(SERVICE)
    machine.files.remove(LAST_GOOD)
    return "The remote access is closed; the engine goes on on its unix socket, and containers on their own."


def take_back(machine: Machine, *, version: str) -> str:
    """Remove what the extension brought, unless another version is in charge. Answers one sentence.

    Raises:
        GuestError: Something could not be removed.
    """
    record = read_record(machine.files)
    if record is None:
        return "There is nothing to take back."
    if record.owner != version:
        return f"Version {record.owner} is in charge; nothing is taken back."
    config = find(machine, DAEMON_CONFIG)
    cleaned = merge(config.content, wanted={}, ours=record.members, displaced=record.displaced).content
    changes = _changes_back(machine, record, cleaned=cleaned, mode=config.mode or _PUBLIC)
    if record.packages:
        _remove_engine(machine, record, changes=changes)
    elif changes and machine.services.units((SERVICE,))[0].is_active:
        _restart_without(machine, record, changes=changes)
    else:
        write_changes(machine, changes)
    _take_back_the_rest(machine, changes=changes, engine_goes=bool(record.packages))
    compose = _take_back_compose(machine)
    machine.files.remove_folder(DROP_IN.rpartition("/")[0])
    drop_repository(machine)
    forget_everything(machine.files)
    taken = (*(change.path for change in changes), *record.packages, *compose, *record.engine.files)
    data = "are removed" if record.packages and record.engine.remove_data else "stay"
    return f"Taken back: {', '.join(taken) or 'nothing'}. Volumes and images {data}."


def _changes_back(machine: Machine, record: Record, *, cleaned: bytes | None, mode: int) -> tuple[Change, ...]:
    ours = (DROP_IN, *DAEMON_FILES, *record.files)
    targets: dict[str, bytes | None] = {**dict.fromkeys(ours), DAEMON_CONFIG: cleaned}
    return tuple(
        Change(path=path, content=content, mode=mode)
        for path, content in targets.items()
        if machine.files.read(path) != content
    )


def _take_back_the_rest(machine: Machine, *, changes: tuple[Change, ...], engine_goes: bool) -> None:
    if any(change.path == GUARD for change in changes):
        platform_guard.remove_rules(machine)
    hardening.remove_audit_rules(machine)
    machine.files.remove(APT_PROXY)
    if engine_goes:
        data_disk.take_back(machine)


def _take_back_compose(machine: Machine) -> tuple[str, ...]:
    """Forget logins and the compose file. Its containers go with the engine; where the engine stays, they do."""
    packages = read_compose_record(machine.files).packages
    if packages:
        machine.packages.remove(packages)
    forget_logins(machine)
    for path in (COMPOSE_FILE, COMPOSE_RECORD):
        machine.files.remove(path)
    machine.files.remove_folder(COMPOSE_FOLDER)
    return packages


def _restart_without(machine: Machine, record: Record, *, changes: tuple[Change, ...]) -> None:
    """Restart an engine that is not ours without what is ours, and without stopping containers.

    The daemon goes on with live-restore until its next start; only its file no longer says so.
    """
    cleaned = {change.path: change for change in changes}.get(DAEMON_CONFIG)
    write_changes(machine, changes)
    _write_live_restore(machine, record, value=True)
    machine.services.reload_units()
    machine.services.restart(SERVICE)
    if cleaned is not None:
        write_changes(machine, (cleaned,))


def _remove_engine(machine: Machine, record: Record, *, changes: tuple[Change, ...]) -> None:
    """Stop the engine with its containers, and remove its packages, and its data if the settings said so."""
    root = find_data(machine)
    with suppress(GuestError):
        # An engine with live-restore would leave its containers running, with nobody to manage them. It gives that up
        # only for an explicit word; when it cannot be asked, it does not run.
        _write_live_restore(machine, record, value=False)
        machine.services.reload(SERVICE)
        _await_end_of_live_restore(machine)
    machine.services.stop((SOCKET_UNIT, SERVICE))
    write_changes(machine, changes)
    machine.services.reload_units()
    machine.packages.remove(record.packages)
    if record.engine.remove_data:
        remove_data(machine, root=root, packages=record.packages)


def _write_live_restore(machine: Machine, record: Record, *, value: bool) -> None:
    if LIVE_RESTORE not in record.members:
        return
    config = find(machine, DAEMON_CONFIG)
    content = merge(config.content, wanted={LIVE_RESTORE: value}, ours={}).content
    write_changes(machine, (Change(path=DAEMON_CONFIG, content=content, mode=config.mode or _PUBLIC),))


def _await_end_of_live_restore(machine: Machine) -> None:
    deadline = machine.clock.monotonic() + _PATIENCE
    while keeps_containers(machine) and machine.clock.monotonic() < deadline:
        machine.clock.sleep(_POLL)
