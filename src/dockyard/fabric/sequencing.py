"""The order among a machine's extensions: ``provisionAfterExtensions`` checked, and as levels for the agent. Pure.

The agent takes extensions one after another by their level, waits for the final word of each that is not of the last
level, and after one that failed leaves out all of higher levels. Words of refusals and failures are Azure's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dockyard.fabric.planning import Outcome, outcome
from dockyard.model.errors import InvalidRequest, OperationFailed
from dockyard.model.extension import Extension
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import EXTENSIONS, ResourceId

CODE = "BadRequest"


def checked_order(id: ResourceId, *, after: Sequence[str], others: Iterable[Extension]) -> tuple[str, ...]:
    """Return the names that an extension is to come after; each may be given as a name or as a resource id.

    Raises:
        InvalidRequest: (code BadRequest) one of them is not there, or comes after this one itself.
    """
    present = {other.id.name.lower(): other for other in _staying(others) if other.id.key != id.key}
    names: dict[str, str] = {}
    for given in after:
        key = _name_in(given, machine=id.parent).lower()
        if key != id.name.lower() and key not in present:
            raise _refused(id, given, "is not configured on this resource. Set it first, or leave it out")
        names[key] = present[key].id.name if key in present else id.name
    orders = {key: [name.lower() for name in other.provision_after] for key, other in present.items()}
    orders[id.name.lower()] = list(names)
    for key, name in names.items():
        cycle = _way(orders, start=key, end=id.name.lower())
        if cycle:
            told = " -> ".join([id.name, *(present[each].id.name if each in present else id.name for each in cycle)])
            raise _refused(id, name, f"comes after it itself: {told}. Take one of these out of the order")
    return tuple(names.values())


def check_may_go(id: ResourceId, *, others: Iterable[Extension]) -> None:
    """Raise InvalidRequest (code BadRequest) when another extension is to come after the one that is to be deleted."""
    for other in _staying(others):
        if id.name.lower() in (name.lower() for name in other.provision_after):
            raise _refused(
                other.id,
                id.name,
                f"will no longer exist. First, remove the extension '{other.id.name}' or remove '{id.name}' from the "
                f"provisionAfterExtensions property of '{other.id.name}'",
            )


def levels(extensions: Iterable[Extension]) -> Mapping[str, int]:
    """Return each extension's level by its id's key: 0 for one that comes after none, else above all it comes after."""
    present = {each.id.name.lower(): each for each in extensions if each.id.type == EXTENSIONS}
    found: dict[str, int] = {}

    def level(name: str, *, seen: frozenset[str]) -> int:
        if name not in found:
            before = {each.lower() for each in present[name].provision_after} & present.keys() - seen
            found[name] = max((1 + level(each, seen=seen | {name}) for each in before), default=0)
        return found[name]

    return {each.id.key: level(name, seen=frozenset({name})) for name, each in present.items()}


def held_back(extension: Extension, *, others: Sequence[Extension]) -> OperationFailed | None:
    """Return the failure of an extension whose handler was not run because one it comes after has failed."""
    present = {other.id.name.lower(): other for other in others if other.id.type == EXTENSIONS}
    waiting = list(extension.provision_after)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop().lower()
        before = present.get(name)
        if before is None or name in seen:
            continue
        seen.add(name)
        waiting += before.provision_after
        if outcome(before) is Outcome.FAILED and held_back(before, others=others) is None:
            return _dependent(extension, before)
    return None


def _dependent(extension: Extension, before: Extension) -> OperationFailed:
    return OperationFailed(
        f"VM Extension '{extension.id.name}' is marked as failed since it depends upon the VM Extension "
        f"'{before.id.name}' which has failed",
        details=before.error.message if before.error else "",
        resolution=f"Mend '{before.id.name}' first, then set '{extension.id.name}' again.",
        code="VMExtensionProvisioningError",
    )


def _refused(id: ResourceId, name: str, why: str) -> InvalidRequest:
    shown = ascii(name[:80])
    return InvalidRequest(
        f"On resource '{id.parent.name}', extension '{id.name}' specifies {shown} in its provisionAfterExtensions "
        f"property, but the extension {shown} {why}",
        code=CODE,
    )


def _staying(extensions: Iterable[Extension]) -> list[Extension]:
    leaving = ProvisioningState.DELETING
    return [each for each in extensions if each.id.type == EXTENSIONS and each.provisioning_state is not leaving]


def _name_in(given: str, *, machine: ResourceId) -> str:
    """Return the name in a resource id of an extension of the same machine; any other text is a name."""
    prefix = f"{machine.key}/extensions/"
    return given[len(prefix) :] if given.lower().startswith(prefix) else given


def _way(orders: Mapping[str, Sequence[str]], *, start: str, end: str) -> list[str]:
    """Return a way along the orders from ``start`` to ``end``, both included; empty when there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        fresh = [name for name in orders.get(way[-1], ()) if name not in seen]
        seen.update(fresh)
        ways += [[*way, name] for name in fresh]
    return []
