"""Docker's own repository, or a mirror of it: where it is for each distribution, and which key signs it.

Called by `engine` when the packages are Docker's. The key is fetched over https and refused unless it is the pinned
one; nothing that is fetched is ever run.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import GuestError, PermanentError
from dockyard_guest.values import Family, Repository, TextFile

from .record import read_record, write_record
from .signing_key import KeyTextError, fingerprint, public_key_block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard_guest.ports import Machine, Step
    from dockyard_guest.values import OsRelease

    from .settings_engine import EngineSettings

DEB_KEY = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
"""Fingerprint of the key "Docker Release (CE deb)", as https://docs.docker.com/engine/install/debian/ once had it."""

RPM_KEY = "060A61C51B558A7F742B77AAC52FEB6B621E9F35"
"""Fingerprint of the key "Docker Release (CE rpm)", as https://docs.docker.com/engine/install/centos/ has it."""

_NAME = "dockyard-docker"
_DOCKER = "https://download.docker.com"
_PUBLIC = 0o644
_FOLDER = 0o755


@dataclass(frozen=True)
class Place:
    """Where Docker's packages for one distribution are: the folder's address, the release, the key's fingerprint."""

    base: str
    suite: str
    key: str


def place_for(release: OsRelease, *, mirror: str) -> Place | None:
    """Docker's place for a distribution; ``None`` when Docker has no packages for it."""
    key = DEB_KEY if release.family is Family.DEBIAN else RPM_KEY
    folder = _folder(release)
    suite = release.codename if release.family is Family.DEBIAN else _number(release, folder=folder)
    # For SUSE Docker itself has packages for mainframes alone; a mirror may have others.
    if not folder or not suite or (folder == "sles" and not mirror):
        return None
    return Place(base=f"{mirror or _DOCKER}/linux/{folder}", suite=suite, key=key)


def put_repository(machine: Machine, wanted: EngineSettings, *, step: Step) -> None:
    """Make Docker's repository known, and fetch the lists anew. A repository that cannot be read is taken back at once.

    Raises:
        PermanentError: Docker has nothing for this distribution, or the key is not the pinned one.
        TemporaryError: The key or the lists cannot be fetched.
    """
    place = _place(machine, wanted)
    key = wanted.signing_key or _pinned_key(machine, place, step=step)
    files = machine.packages.repository_files(
        Repository(
            name=_NAME, title="Docker packages for the Docker extension", base=place.base, suite=place.suite, key=key
        )
    )
    with _taken_back_on_failure(machine, files):
        _note(machine, tuple(file.path for file in files))
        for file in files:
            machine.files.make_folder(file.path.rpartition("/")[0], mode=_FOLDER)
            machine.files.write(file.path, file.text.encode(), mode=_PUBLIC)
        machine.packages.trust(files)
        step.say(f"fetching the package lists of {place.base}")
        machine.packages.refresh(step=step)


def drop_repository(machine: Machine) -> None:
    """Forget the repository that the extension has made known, if it has."""
    record = read_record(machine.files)
    if record is None or not record.engine.files:
        return
    for path in record.engine.files:
        machine.files.remove(path)
    _note(machine, ())


def _place(machine: Machine, wanted: EngineSettings) -> Place:
    release = machine.system.release()
    place = place_for(release, mirror=wanted.mirror)
    if place is None:
        raise PermanentError(
            f"Docker has no packages for {release.pretty_name or release.id}.",
            resolution="Set docker.source to distro, or leave it out.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )
    return place


def _pinned_key(machine: Machine, place: Place, *, step: Step) -> str:
    url = f"{place.base}/gpg"
    step.say(f"fetching the key {url}")
    content = machine.downloads.get(url).decode("ascii", errors="replace")
    try:
        block = public_key_block(content)
        found = fingerprint(block)
    except KeyTextError as error:
        found = str(error)
        block = ""
    if found != place.key:
        raise PermanentError(
            f"The key at {url} is not Docker's.",
            details=f"Expected the fingerprint {place.key}, found {found}.",
            resolution="Find out who answers there. For a mirror with a key of its own give docker.signing-key.",
            exit_code=ExitCode.MISSING_DEPENDENCY,
        )
    return block


@contextmanager
def _taken_back_on_failure(machine: Machine, files: tuple[TextFile, ...]) -> Iterator[None]:
    # A repository that cannot be read would keep the package manager from working at all, for everybody.
    record = read_record(machine.files)
    noted = () if record is None else record.engine.files
    before = {file.path: machine.files.read(file.path) for file in files}
    try:
        yield
    except GuestError:
        for path, content in before.items():
            if content is None:
                machine.files.remove(path)
            else:
                machine.files.write(path, content, mode=_PUBLIC)
        _note(machine, noted)
        raise


def _note(machine: Machine, paths: tuple[str, ...]) -> None:
    record = read_record(machine.files)
    if record is not None:
        write_record(machine.files, replace(record, engine=replace(record.engine, files=paths)))


def _folder(release: OsRelease) -> str:
    if release.family is Family.DEBIAN:
        if "ubuntu" in (release.id, *release.id_like):
            return "ubuntu"
        return "raspbian" if release.id == "raspbian" else "debian"
    if release.family is Family.SUSE:
        return "sles"
    if release.id in ("fedora", "rhel", "centos"):
        return release.id
    return "centos" if "rhel" in release.id_like else ""


def _number(release: OsRelease, *, folder: str) -> str:
    # Docker has one folder for all of 9, not one for 9.4; SUSE's service packs have a folder each.
    return release.version_id if folder == "sles" else release.version_id.partition(".")[0]
