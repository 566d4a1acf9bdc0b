"""What a manifest's commands start.

The package's wrapper runs ``python3 -c 'from dockyard_guest.main import main; …'``. The agent repeats enable after
every restart and boot, mostly with nothing to do, so that question is answered before anything else is imported; all
the rest is in `composition`, which joins the handler, the runtime and the machine.
"""

from __future__ import annotations

import posix
import time

from .system.settled import is_settled


def main(argv: list[str]) -> int:
    """Run one command: the handler's name and the verb. Answers the exit code."""
    handler, verb = argv
    if verb == "enable" and _nothing_to_do():
        return 0
    from os import environ  # noqa: PLC0415 - see the module's docstring

    from .composition import run  # noqa: PLC0415 - the same

    return run(handler, verb, environ=environ)


def _nothing_to_do() -> bool:
    """Whether the agent repeats an enable whose result is still there; reads the three variables that tell."""
    return is_settled(
        folder=_variable(b"AZURE_GUEST_AGENT_EXTENSION_PATH"),
        version=_variable(b"AZURE_GUEST_AGENT_EXTENSION_VERSION"),
        sequence_number=_variable(b"ConfigSequenceNumber"),
        now=time.time(),
    )


def _variable(name: bytes) -> str:
    return posix.environ.get(name, b"").decode("utf-8", "surrogateescape")
