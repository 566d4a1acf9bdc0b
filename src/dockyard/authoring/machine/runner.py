"""Leads a handler's life in a machine: publishes an observed copy, lets it live, and takes everything back.

Called by the CLI, which says in which machine. Also after a failure or Ctrl-C nothing of the test stays: not the
extension, not the publication.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard.authoring import package as packages
from dockyard.authoring.machine.arm import ArmMachine, Place, Wanted
from dockyard.authoring.machine.life import EXTENSION, Life
from dockyard.authoring.machine.observed import observed
from dockyard.authoring.observations import Observations, Runner
from dockyard.authoring.package import Package
from dockyard.authoring.settings import Given
from dockyard.client import extensions
from dockyard.client import packages as gallery
from dockyard.model.errors import DockyardError
from dockyard.model.package_name import PackageName

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

_END_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """How to run: ``patience`` for a final status in seconds; whether the machine is rebooted on the way."""

    patience: float
    reboots: bool = True


def can_run(package: Package) -> Observations | None:
    """Return what is to be said of a package that no agent could run, None when one could."""
    seen = packages.look_at(package)
    if packages.can_run(seen):
        return None
    return Observations(runner=Runner.MACHINE, package=seen, notes=("Nothing was run: the agent could not either.",))


def run(
    place: Place, package: Package, given: Given, options: MachineOptions, *, tell: Callable[[str], None]
) -> Observations:
    """Lead the life of a package's handler in a machine that runs.

    Raises:
        OperationFailed: the machine cannot be looked into.
        DockyardError: the package cannot be published, or the machine is not there.
    """
    publisher = f"DockyardTest{secrets.token_hex(4)}"
    wanted = Wanted(
        publisher=publisher,
        type=package.type,
        version=package.version,
        raised=package.raised().version,
        given=given,
        record=Path(f"/var/lib/dockyard-observe/{publisher}.jsonl"),
    )
    copy = observed(package, publisher=publisher, record=wanted.record)
    own = ArmMachine(place, wanted, patience=options.patience)
    raised = replace(copy, version=wanted.raised)
    with _published(place.connection, copy), _published(place.connection, raised):
        try:
            life = Life(
                own,
                packages.look_at(package),
                hidden=given.hidden,
                patience=options.patience,
                reboots=options.reboots,
                tell_step=tell,
            )
            return life.lead()
        finally:
            _take_away(place, own)


@contextlib.contextmanager
def _published(connection: Connection, package: Package) -> Iterator[None]:
    name = PackageName.checked(publisher=package.publisher, type=package.type, version=package.version)
    made = gallery.publish(connection, name=name, archive=package.archive)
    try:
        yield
    finally:
        with contextlib.suppress(DockyardError):  # a machine that cannot let go of it; told by the removal
            gallery.unpublish(connection, made)


def _take_away(place: Place, own: ArmMachine) -> None:
    """Remove the extension where a broken run left it, and the runner's own notes."""
    with contextlib.suppress(DockyardError):
        extensions.delete(place.connection, place.name, name=EXTENSION).wait(deadline=_END_SECONDS)
    with contextlib.suppress(DockyardError):
        own.tell("forget")
