"""What the runtime may ask of a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dockyard_guest.values import Applied, PlainSettings, Repeats, Section

    from .work import Progress


class Handler(Protocol):
    """One extension, as the runtime sees it."""

    @property
    def title(self) -> str:
        """What is handled, as it stands in the status: ``Docker``."""

    @property
    def repeats(self) -> Repeats:
        """What becomes of a sequence number that the agent gives once more."""

    def install(self) -> str:
        """Find out, quickly, whether this machine can have the extension. Answers one sentence.

        Raises:
            PermanentError: It cannot.
        """

    def check(self, settings: PlainSettings) -> None:
        """Judge settings without touching the machine.

        Raises:
            MalformedDocument: A member is missing or of the wrong type.
            PermanentError: The members do not go together.
        """

    def apply(self, settings: PlainSettings, *, progress: Progress) -> Applied:
        """Bring the machine into the state asked for; finds the state it is in first, and changes what differs.

        Raises:
            MalformedDocument: A member is missing or of the wrong type.
            GuestError: It could not be done. What worked before works again.
        """

    def disable(self) -> str:
        """Take back what makes the extension reachable; keeps data. Answers one sentence."""

    def update(self, *, target_version: str) -> str:
        """Hand over to another version of this handler. Answers one sentence."""

    def uninstall(self) -> str:
        """Take back what this version brought, unless another version has taken over. Answers one sentence."""

    def diagnose(self) -> tuple[Section, ...]:
        """What support must know of this extension's part of the machine; reads only, and no secret."""
