"""The closed sets of this room."""

from __future__ import annotations

from enum import Enum


class AccelerationKind(Enum):
    """Who executes a guest's instructions."""

    KVM = "kvm"
    TCG = "tcg"

    @property
    def is_hardware(self) -> bool:
        """Whether the processor runs the guest directly."""
        return self is AccelerationKind.KVM


class AccelerationMode(Enum):
    """What the user asked for."""

    AUTO = "auto"
    KVM = "kvm"
    TCG = "tcg"
