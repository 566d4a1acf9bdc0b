"""What one guest is told by the platform, and what it says back: the values between the fabric and the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from dockyard.model.extension import ProtectedSettings
from dockyard.model.virtual_machine import VirtualMachine


class PluginState(Enum):
    """What the agent is to do with a handler; the values are the goal state's words."""

    ENABLED = "enabled"
    UNINSTALL = "uninstall"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """One named configuration of a handler that takes several; one that is not wanted any more is to be disabled."""

    name: str
    sequence_number: int
    is_wanted: bool = True
    settings: Mapping[str, Any] | None = None
    protected: ProtectedSettings | None = None
    dependency_level: int = 0


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One handler in the goal state. ``settings`` of None means a handler without any.

    ``configurations`` takes the place of the settings for a handler that takes several. ``archive`` of None: the
    gallery has the package no more. A machine that has it installed needs it no more, either.
    """

    handler_name: str
    version: str
    state: PluginState
    archive: Path | None
    sequence_number: int
    settings: Mapping[str, Any] | None = None
    protected: ProtectedSettings | None = None
    dependency_level: int = 0
    configurations: tuple[Configuration, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GuestGoal:
    """Everything the platform endpoints of one machine serve.

    ``incarnation`` changes whenever anything here does; ``machine.goal_ticks`` (.NET ticks) never goes back.
    """

    machine: VirtualMachine
    incarnation: int
    plugins: tuple[Plugin, ...] = field(default=())

    @property
    def vm_id(self) -> str:
        """The machine's UUID, also its container id on the wire."""
        return self.machine.vm_id


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """A POST to ``/machine?comp=health``: ``ready`` or not yet, with the guest's own words."""

    incarnation: str
    ready: bool
    substatus: str = ""
    description: str = ""
    user_agent: str = ""
