"""Leads a handler's life on this computer, without a machine, and returns what was seen. Called by the CLI."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass, replace

from dockyard.authoring import package as packages
from dockyard.authoring.fast import isolation
from dockyard.authoring.fast.request import Request, dump_request, read_answer
from dockyard.authoring.observations import Observations, Runner
from dockyard.authoring.package import Package
from dockyard.authoring.settings import Given
from dockyard.client import processes
from dockyard.model.errors import DockyardError, Exhausted, OperationFailed

_PROGRAM = (sys.executable, "-P", "-m", "dockyard.authoring.fast.inside")
# The shell is process 1 there: it buries the processes whose parents have ended, as an init would.
_INIT = ("sh", "-c", '"$@"; exit $?', "init")
_UNPROTECTED = "Not isolated at all: the handler ran on this machine, with your own rights, from a temporary folder."
_NOT_SEEN = "What it left outside of that folder was not looked for."


@dataclass(frozen=True, kw_only=True)
class FastOptions:
    """How to run: ``patience`` for a final status and ``deadline`` for all, in seconds; ``limit`` for one command."""

    patience: float = 60.0
    limit: float | None = None
    deadline: float = 1800.0
    isolate: bool = True


def run(package: Package, given: Given, options: FastOptions) -> Observations:
    """Lead the life of a package's handler.

    A package whose manifest or programs are missing is looked at and not run.

    Raises:
        Exhausted: (code IsolationUnavailable) this host or these rights do not allow a private copy.
        DeadlineExceeded: it took longer than the deadline.
        OperationFailed: the runner itself broke.
    """
    seen = packages.look_at(package)
    if not packages.can_run(seen):
        return Observations(runner=Runner.FAST, package=seen, notes=("Nothing was run: the agent could not either.",))
    if not options.isolate:
        return _noted(_run(package, given, options, scratch=""), _UNPROTECTED, _NOT_SEEN)
    if os.geteuid() != 0:
        raise Exhausted(
            "A private copy of this machine's files needs root",
            details="Handlers run as root, and what they change must not be this machine's own.",
            resolution="Run it with sudo, or under a real agent by leaving out --fast. --no-isolation runs the handler "
            "with your own rights on this very machine; use that in throw-away places only, such as a CI container.",
            code="IsolationUnavailable",
        )
    with tempfile.TemporaryDirectory(prefix="dockyard-fast-") as scratch:
        return _noted(_run(package, given, options, scratch=scratch), *isolation.NOTES)


def _run(package: Package, given: Given, options: FastOptions, *, scratch: str) -> Observations:
    request = Request(
        handler=package.handler,
        version=package.version,
        archive=package.archive,
        given=given,
        patience=options.patience,
        limit=options.limit,
        scratch=scratch,
    )
    prefix = ("unshare", *isolation.NAMESPACES, *_INIT) if scratch else ()
    done = processes.run([*prefix, *_PROGRAM], text=dump_request(request), deadline=options.deadline)
    try:
        told = json.loads(done.output)
    except json.JSONDecodeError:
        raise OperationFailed(
            "The test of the handler broke",
            details=done.error[-1500:],
            resolution="Where unshare(1) is not allowed, --no-isolation goes without it.",
            code="RunnerFailed",
        ) from None
    if "error" in told:
        raise _error(told["error"])
    return read_answer(done.output)


def _error(parts: list[str]) -> DockyardError:
    brief, details, resolution, code = parts
    kind = Exhausted if code == "IsolationUnavailable" else OperationFailed
    return kind(brief, details=details, resolution=resolution, code=code)


def _noted(seen: Observations, *notes: str) -> Observations:
    return replace(seen, notes=(*notes, *seen.notes))
