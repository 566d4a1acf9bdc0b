"""Making a running engine leave its containers running while its program is exchanged.

Called by `engine` before packages change. The engine takes ``live-restore`` from its file when it is told to read it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError

from .change import write_changes
from .daemon_config import LIVE_RESTORE, foreign, members_of, merge
from .facts import find
from .places import DAEMON_CONFIG, SERVICE, SWARM_STATE
from .plan import Change
from .proofs import keeps_containers
from .record import Record, read_record, write_record

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

_PUBLIC = 0o644
_PATIENCE = 20.0
_POLL = 0.5
_KEPT = "containers go on meanwhile"


def hold_containers(machine: Machine, *, version: str) -> str:
    """Make the containers outlive the engine's stop if that can be had. Answers what will become of them.

    Raises:
        MalformedDocument: The daemon's configuration that is there cannot be read.
    """
    if not machine.services.units((SERVICE,))[0].is_active:
        return "the engine does not run"
    swarm = machine.files.read(SWARM_STATE) is not None
    record = read_record(machine.files) or Record(owner=version)
    config = find(machine, DAEMON_CONFIG)
    own = members_of(foreign(config.content, ours=record.members, displaced=record.displaced))
    can_have = not swarm and LIVE_RESTORE not in own
    try:
        if keeps_containers(machine):
            return _KEPT
        if not can_have:
            return "containers are restarted, as live-restore cannot be had here"
        wanted = {**record.members, LIVE_RESTORE: True}
        merged = merge(config.content, wanted=wanted, ours=record.members, displaced=record.displaced)
        write_record(machine.files, replace(record, members=merged.ours, displaced=merged.displaced))
        change = Change(path=DAEMON_CONFIG, content=merged.content, mode=config.mode or _PUBLIC)
        write_changes(machine, (change,))
        machine.services.reload(SERVICE)
        return _KEPT if _await(machine) else "containers are restarted, as the engine does not take up live-restore"
    except GuestError as error:
        return f"containers may be restarted: {error.brief}"


def _await(machine: Machine) -> bool:
    deadline = machine.clock.monotonic() + _PATIENCE
    while not keeps_containers(machine):
        if machine.clock.monotonic() >= deadline:
            return False
        machine.clock.sleep(_POLL)
    return True
