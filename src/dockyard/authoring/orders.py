"""Which commands the agent runs in each step, in order, and for which version. Pure.

Followed by the runner ``fast``; what the real agent did is compared with it. Source: WALinuxAgent 2.12's own code, and
what was seen of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from dockyard.authoring.observations import PackageSeen, Step
from dockyard_contract.environment import Command


class Side(Enum):
    """Which of two versions runs a command in a change of version."""

    LEAVING = "leaving"
    COMING = "coming"


Order = tuple[tuple[Side, Command], ...]
_BEGIN = ((Side.COMING, Command.INSTALL), (Side.COMING, Command.ENABLE))
_ENABLE = ((Side.COMING, Command.ENABLE),)
_END = ((Side.COMING, Command.DISABLE), (Side.COMING, Command.UNINSTALL))


def order(step: Step, package: PackageSeen) -> Order:
    """Return what the agent runs in a step, for a package that is enabled before it (and after its removal is not)."""
    if step in (Step.FIRST, Step.RETURN):
        return _BEGIN
    if step in (Step.REMOVAL, Step.FAREWELL):
        return _END
    if step in (Step.UPDATE, Step.DOWNGRADE):
        return _change(package, updater=Side.COMING if step is Step.UPDATE else Side.LEAVING)
    return _ENABLE


def told(order: Order) -> Sequence[str]:
    """Return an order as words, for comparison and for people."""
    return [command.value if side is Side.COMING else f"old {command.value}" for side, command in order]


def _change(package: PackageSeen, *, updater: Side) -> Order:
    # On the way down it is the leaving, newer version that runs update, its target told twice.
    install = ((Side.COMING, Command.INSTALL),) if package.runs_install_on_update else ()
    return (
        (Side.LEAVING, Command.DISABLE),
        (updater, Command.UPDATE),
        (Side.LEAVING, Command.UNINSTALL),
        *install,
        (Side.COMING, Command.ENABLE),
    )
