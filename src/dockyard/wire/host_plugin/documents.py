"""The host plugin's only document: the versions of its interface. Pure; called by ``routes``."""

from __future__ import annotations

from dockyard.model.guest import GuestGoal
from dockyard_contract.documents import dump_json

API_VERSION = "2015-09-01"
"""The version of the interface WALinuxAgent 2.12 asks for."""


def versions(_goal: GuestGoal) -> str:
    """The interface's versions; the same for every goal."""
    return dump_json([API_VERSION])
