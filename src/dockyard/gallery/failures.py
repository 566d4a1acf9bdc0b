"""Explain a failed build by what it wrote. Pure; used by ``build``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dockyard.model.errors import DockyardError, Exhausted, OperationFailed

SHOWN_LINES = 15
"""How much of a failed build's output an error shows."""

_NO_SPACE = ("No space left on device", "You don't have enough free space")
_UNTRUSTED = ("NO_PUBKEY", "is not signed", "Missing key", "signatures couldn't be verified")
_UNREACHABLE = (
    "Temporary failure resolving",
    "Could not resolve",
    "Could not connect",
    "Connection failed",
    "Unable to connect",
)
_NO_NAMESPACE = (
    "newuidmap",
    "unable to unshare",
    "unshare() failed",
    "failed to unshare",
    "/etc/subuid",
    "/etc/subgid",
)


def explain(*, alias: str, code: int, lines: Sequence[str], log: Path) -> DockyardError:
    """Return the error for a build that ended with ``code``; ``lines`` are its output, kept in ``log``."""
    text = "\n".join(lines)
    details = "\n".join([f"mmdebstrap ended with code {code}; its last lines, from '{log}':", *lines[-SHOWN_LINES:]])
    brief = f"The VM image '{alias}' could not be built"
    if _any(_NO_SPACE, text):
        return Exhausted(
            f"{brief}: a disk is full",
            details=details,
            resolution="Free some space, or set DOCKYARD_HOME to another disk.",
            code="InsufficientDiskSpace",
        )
    return OperationFailed(brief, details=details, resolution=_advice(text), temporary=_any(_UNREACHABLE, text))


def _advice(text: str) -> str:
    if _any(_UNTRUSTED, text):
        return "The archive's keys on this computer may be too old: install a newer package 'debian-archive-keyring'."
    if _any(_UNREACHABLE, text):
        return "Look whether this computer reaches the archive, directly or by apt's proxy, or name another mirror."
    if _any(_NO_NAMESPACE, text):
        return (
            "Building without root needs user namespaces: install the package 'uidmap', and see that /etc/subuid and "
            "/etc/subgid have a line for this user (sudo usermod --add-subuids 100000-165535 --add-subgids "
            "100000-165535 USER)."
        )
    return "Read the log, then build again."


def _any(needles: Sequence[str], text: str) -> bool:
    return any(needle in text for needle in needles)
