"""What disable and uninstall do: closing the remote access, and taking back what the extension brought.

Both work from the record alone: during a version change they are called for a sequence number without settings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError

from .change import write_changes
from .daemon_config import merge
from .engine import is_present
from .facts import find, observe
from .flags import without_remote_hosts
from .places import DAEMON_CONFIG, DROP_IN, LAST_GOOD, SERVICE, SOCKET_UNIT
from .plan import Change
from .record import forget_everything, read_record, write_record
from .unit_file import drop_in

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

    from .record import Record

_PUBLIC = 0o644


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
    changed = _take_back_files(machine, record)
    machine.services.reload_units()
    if record.packages:
        _remove_engine(machine, record)
    elif changed and is_present(machine):
        machine.services.restart(SERVICE)
    forget_everything(machine.files)
    return f"Taken back: {', '.join((*changed, *record.packages)) or 'nothing'}. Volumes and images stay."


def _take_back_files(machine: Machine, record: Record) -> tuple[str, ...]:
    config = find(machine, DAEMON_CONFIG)
    cleaned = merge(config.content, wanted={}, ours=record.members).content
    targets: list[tuple[str, bytes | None, int]] = [
        (DROP_IN, None, _PUBLIC),
        *((path, None, _PUBLIC) for path in record.files),
    ]
    targets.append((DAEMON_CONFIG, cleaned, config.mode or _PUBLIC))
    changes = tuple(
        Change(path=path, content=content, mode=mode)
        for path, content, mode in targets
        if machine.files.read(path) != content
    )
    write_changes(machine, changes)
    return tuple(change.path for change in changes)


def _remove_engine(machine: Machine, record: Record) -> None:
    # The engine must know that live-restore is gone before it stops, or its containers would go on without it.
    with suppress(GuestError):
        machine.services.reload(SERVICE)
    machine.services.stop((SOCKET_UNIT, SERVICE))
    machine.packages.remove(record.packages)
