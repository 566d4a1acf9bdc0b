"""Resource groups: named sets of resources that live and go together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceGroup:
    """One group; every resource lies in exactly one."""

    subscription_id: str
    name: str
    location: str
    tags: tuple[tuple[str, str], ...] = ()
