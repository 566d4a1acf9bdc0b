"""What a manifest's commands start.

The package's wrapper runs ``python3 -c 'from dockyard_guest.main import main; …'``. The agent repeats enable after
every restart and boot, mostly with nothing to do, so that question is answered before anything else is imported; all
the rest is in `composition`, which joins the handler, the runtime and the machine.
"""

from __future__ import annotations

import os
import time

from .system.settled import is_settled

TYPE_CHECKING = False  # the name type checkers know; importing it from typing would double the start

if TYPE_CHECKING:
    from collections.abc import Mapping


def main(argv: list[str]) -> int:
    """Run one command: the handler's name and the verb. Answers the exit code."""
    handler, verb = argv
    if verb == "enable" and _nothing_to_do(os.environ):
        return 0
    from .composition import run  # noqa: PLC0415 - see the module's docstring

    return run(handler, verb, environ=os.environ)


def _nothing_to_do(environ: Mapping[str, str]) -> bool:
    """Whether the agent repeats an enable whose result is still there; reads the three variables that tell."""
    return is_settled(
        folder=environ.get("AZURE_GUEST_AGENT_EXTENSION_PATH", ""),
        version=environ.get("AZURE_GUEST_AGENT_EXTENSION_VERSION", ""),
        sequence_number=environ.get("ConfigSequenceNumber", ""),
        now=time.time(),
    )
