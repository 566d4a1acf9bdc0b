"""The guest's own exceptions: everything foreseen that can keep a handler from doing what was asked.

Raised by handlers and by the system room, turned into a status and an exit code by the runtime. Each says what
happened (brief), what is known about it (details) and what to do next (resolution); none may hold a secret.

    GuestError
     ├─ TemporaryError      the same command may work later without anybody changing anything
     │   └─ SupersededError a newer command was given while this one worked
     └─ PermanentError      somebody has to change something first
"""

from __future__ import annotations

from dockyard_contract.environment import ExitCode


class GuestError(Exception):
    """What happened, what is known, and what to do next.

    Attributes:
        brief: One sentence for the status message.
        details: What is known besides, possibly several lines; empty when there is nothing.
        resolution: What the reader can do; empty when there is nothing to do.
        exit_code: What a command that fails for this reason exits with.
    """

    def __init__(
        self,
        brief: str,
        *,
        details: str = "",
        resolution: str = "",
        exit_code: ExitCode = ExitCode.FAILURE,
    ) -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.resolution = resolution
        self.exit_code = exit_code

    def __str__(self) -> str:
        # A brief may end in words of somebody else, who need not end in a full stop.
        stop = "" if self.brief.endswith((".", "!", "?")) or not self.resolution else "."
        return f"{self.brief}{stop} {self.resolution}".strip()

    @property
    def full_text(self) -> str:
        """Brief, details and resolution, a paragraph each."""
        return "\n".join(part for part in (self.brief, self.details, self.resolution) if part)


class TemporaryError(GuestError):
    """The same command may work later without anybody changing anything."""


class SupersededError(TemporaryError):
    """A newer command was given while this one worked; the newer one's outcome is the one that counts."""


class PermanentError(GuestError):
    """Somebody has to change something before the command can work."""
