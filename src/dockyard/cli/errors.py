"""What a user sees of a failure: what happened, details, what to do next; never a traceback.

Called by ``main`` alone, the one place that catches everything.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

from dockyard import files
from dockyard.cli import output
from dockyard.client import waiting
from dockyard.client.text import printable
from dockyard.config import Paths
from dockyard.model.errors import DockyardError


def show(error: DockyardError) -> None:
    """Print a foreseen failure to standard error."""
    label = output.styled("Error:", "red", stream=sys.stderr)
    sys.stderr.write(f"{label} {printable(error.brief).rstrip('.')}. ({printable(error.code)})\n")
    for paragraph in (error.details, error.resolution):
        for line in printable(paragraph).splitlines():
            sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


def show_unforeseen(error: BaseException, *, paths: Paths) -> None:
    """Keep the traceback of an error nobody foresaw in a file, and print where."""
    label = output.styled("Error:", "red", stream=sys.stderr)
    sys.stderr.write(f"{label} Something went wrong inside Dockyard: {type(error).__name__}.\n")
    try:
        kept = _keep(error, paths)
    except OSError as failure:
        sys.stderr.write(f"  The details could not be kept: {failure}\n")
        return
    sys.stderr.write(f"  This is a defect of Dockyard. The details are in {kept}\n")
    sys.stderr.write("  'dockyard doctor' may show what is the matter; a report should bring that file along.\n")


def _keep(error: BaseException, paths: Paths) -> Path:
    path = paths.state / f"crash-{waiting.now():%Y%m%d-%H%M%S-%f}.log"
    lines = traceback.format_exception(error)
    files.write(path, "".join(lines).encode(), mode=files.SECRET)
    return path
