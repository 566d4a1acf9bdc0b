"""What the handler under test is given: public and protected settings, and what is secret in them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dockyard.authoring import secrets


@dataclass(frozen=True)
class Given:
    """Settings for every step, and the texts that must be seen nowhere; secrets never show in a repr."""

    public: Mapping[str, Any]
    protected: Mapping[str, Any] = field(repr=False)
    hidden: tuple[str, ...] = field(repr=False)


def settings_of(public: Mapping[str, Any], protected: Mapping[str, Any] | None) -> Given:
    """Return the settings with a fresh canary among the protected ones, where there is a place for it."""
    canary = secrets.new_canary()
    filled = secrets.with_canary(protected, canary=canary)
    return Given(dict(public), filled, secrets.texts(filled, canary=canary))
