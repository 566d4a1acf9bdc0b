"""The engine as a program: is it there, can it be, where does it come from, and which version of it.

An engine that is there and fits the settings is left alone. Another is exchanged in one go of the package manager, with
all that `way_back` needs noted before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .engine_choice import best, flavours_of, matches, plain, present_engine, twin, why_change
from .engine_repository import drop_repository, place_for, put_repository
from .live_restore import hold_containers
from .record import Record, read_record, write_record
from .settings_engine import EngineSettings, Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_guest.ports import Machine, Step

    from .engine_choice import Flavour, Present

_SHOWN = 8


def check_machine(machine: Machine) -> str:
    """Make sure, quickly, that this machine can have the engine. Answers one sentence.

    Raises:
        PermanentError: It cannot.
    """
    if not machine.services.is_available():
        raise _unsupported("systemd does not run this machine")
    release = machine.system.release()
    name = release.pretty_name or release.id or "an unknown system"
    if is_present(machine):
        return f"{name} has the engine."
    if release.family is None or not machine.packages.is_available():
        raise _unsupported(f"{name} is not of the Debian, Red Hat or SUSE family and has no engine")
    return f"{name} can have the engine."


def is_present(machine: Machine) -> bool:
    """Whether the engine's program is there."""
    return machine.commands.find("dockerd") is not None


def bring_engine(machine: Machine, wanted: EngineSettings, *, number: int, version: str, step: Step) -> str:
    """Make the engine that is wanted be there. Answers what was found or done.

    What comes along is noted, so that uninstall can take it back, even if this process dies on the way. `number` is the
    settings' sequence number: the newest version is looked for once for each.

    Raises:
        GuestError: It could not be had. When packages have changed, `way_back` can undo that.
    """
    record = read_record(machine.files) or Record(owner=version)
    present = _present(machine)
    reason = why_change(wanted, present=present, record=record.engine, number=number)
    if not reason and record.packages_before is None:
        return f"the engine is there: {present}"
    check_machine(machine)
    if record.engine.refused_for == number:
        raise _refused_before(reason)
    step.say(reason)
    _note_beginning(machine, record, present=present)
    flavour = _flavour(machine, wanted, present=present, step=step)
    versions = _versions(machine, wanted, flavour=flavour)
    if _is_newest(machine, wanted, present=present, flavour=flavour, versions=versions):
        _note_end(machine, wanted, number=number, settled=True)
        return f"{present} is there, and nothing newer can be had"
    held = hold_containers(machine, version=version) if present.program else ""
    step.say(f"installing {_named(flavour, versions)}{f'; {held}' if held else ''}")
    _install(machine, flavour, versions=versions, present=present, step=step)
    brought = _note_end(machine, wanted, number=number, settled=not present.program)
    after = _present(machine)
    _check_arrived(after, flavour=flavour, versions=versions)
    if not present.program:
        return f"installed {', '.join(brought)}"
    return f"{after} is installed in place of {present}; {held}"


def _present(machine: Machine) -> Present:
    program = is_present(machine)
    family = machine.system.release().family
    known = program and machine.packages.is_available()
    return present_engine(family, program=program, versions=machine.packages.versions() if known else {})


def _note_beginning(machine: Machine, record: Record, *, present: Present) -> None:
    versions = machine.packages.versions()
    engine = record.engine
    if present.program and record.packages_before is None:
        engine = replace(engine, previous=dict(versions), ours_before=record.packages)
    before = record.packages_before or tuple(sorted(versions))
    write_record(machine.files, replace(record, packages_before=before, engine=engine))


def _note_end(machine: Machine, wanted: EngineSettings, *, number: int, settled: bool) -> tuple[str, ...]:
    """Note what has come; a settled engine needs no way back. Answers the packages that have come."""
    record = read_record(machine.files)
    if record is None or record.packages_before is None:
        return ()
    installed = machine.packages.installed()
    brought = tuple(sorted(installed - set(record.packages_before)))
    engine = replace(record.engine, newest_for=number if wanted.newest else record.engine.newest_for)
    if settled:
        engine = replace(engine, previous=None, ours_before=())
    ours = tuple(name for name in (*record.packages, *brought) if name in installed)
    write_record(
        machine.files, replace(record, packages_before=None, packages=tuple(dict.fromkeys(ours)), engine=engine)
    )
    return brought


def _flavour(machine: Machine, wanted: EngineSettings, *, present: Present, step: Step) -> Flavour:
    """The engine to install, with its repository made known and the lists fetched."""
    source = _source(machine, wanted, present=present, step=step)
    record = read_record(machine.files)
    if source is Source.DISTRO:
        drop_repository(machine)
        machine.packages.refresh(step=step)
    elif wanted.mirror or (record is not None and record.engine.files):
        put_repository(machine, wanted, step=step)
    else:
        machine.packages.refresh(step=step)
    family = machine.system.release().family
    found = _offered(machine, flavours_of(family, source=source))
    if found is None and source is Source.DOCKER:
        put_repository(machine, wanted, step=step)
        found = _offered(machine, flavours_of(family, source=source))
    if found is None:
        raise _not_offered(machine, source)
    return found


def _source(machine: Machine, wanted: EngineSettings, *, present: Present, step: Step) -> Source:
    if wanted.source is not Source.AUTO:
        return wanted.source
    if present.flavour is not None:
        return present.flavour.source
    if wanted.mirror:
        return Source.DOCKER
    if present.program:
        raise _foreign_engine(wanted)
    machine.packages.refresh(step=step)
    release = machine.system.release()
    distro = _offered(machine, flavours_of(release.family, source=Source.DISTRO))
    if distro is not None and (not wanted.pin or best(wanted.pin, machine.packages.offered(distro.engine))):
        return Source.DISTRO
    if distro is None and place_for(release, mirror="") is None:
        raise _unsupported(f"neither {release.pretty_name or release.id} nor Docker has packages of the engine for it")
    return Source.DOCKER


def _offered(machine: Machine, flavours: tuple[Flavour, ...]) -> Flavour | None:
    return next((flavour for flavour in flavours if machine.packages.offered(flavour.engine)), None)


def _versions(machine: Machine, wanted: EngineSettings, *, flavour: Flavour) -> dict[str, str]:
    """The exact versions to install; empty when any will do."""
    if not wanted.pin and not wanted.newest:
        return {}
    offered = machine.packages.offered(flavour.engine)
    version = best(wanted.pin, offered) if wanted.pin else offered[0]
    if not version:
        raise PermanentError(
            f"There is no version {wanted.pin} of {flavour.engine} to be had.",
            details=f"There are: {', '.join(plain(one) for one in offered[:_SHOWN])}",
            resolution="Change docker.version, or docker.source or docker.mirror.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )
    twins = {name: twin(version, machine.packages.offered(name)) for name in flavour.companions}
    return {flavour.engine: version, **{name: one for name, one in twins.items() if one}}


def _is_newest(
    machine: Machine, wanted: EngineSettings, *, present: Present, flavour: Flavour, versions: Mapping[str, str]
) -> bool:
    """Whether the engine that is there need not be exchanged, now that it is known what can be had."""
    if present.flavour != flavour or not wanted.newest:
        return False
    return not machine.packages.is_newer(versions[flavour.engine], than=present.version)


def _install(machine: Machine, flavour: Flavour, *, versions: Mapping[str, str], present: Present, step: Step) -> None:
    known = [name for name in flavour.companions if name not in versions]
    machine.packages.install(
        (flavour.engine, *(name for name in versions if name != flavour.engine), *flavour.others),
        if_known=(*known, *flavour.if_known),
        step=step,
        versions=versions,
        replaces=_replaced(machine, flavour) if present.program else (),
    )


def _replaced(machine: Machine, flavour: Flavour) -> tuple[str, ...]:
    """The packages that may go for this engine: those of the other engines."""
    others = flavours_of(machine.system.release().family, source=Source.AUTO)
    return tuple(name for other in others if other != flavour for name in other.all_parts)


def _check_arrived(after: Present, *, flavour: Flavour, versions: Mapping[str, str]) -> None:
    wanted = versions.get(flavour.engine, "")
    if after.flavour == flavour and (not wanted or matches(wanted, after.version)):
        return
    raise PermanentError(
        f"The package manager has finished, but {after} is there instead of {_named(flavour, versions)}.",
        exit_code=ExitCode.MISSING_DEPENDENCY,
    )


def _named(flavour: Flavour, versions: Mapping[str, str]) -> str:
    version = versions.get(flavour.engine, "")
    from_whom = "the distribution" if flavour.source is Source.DISTRO else "Docker"
    return f"{flavour.engine}{f' {plain(version)}' if version else ''} from {from_whom}"


def _refused_before(reason: str) -> PermanentError:
    return PermanentError(
        f"{reason[:1].upper()}{reason[1:]}; that was tried for these settings, did not come up, and was undone.",
        resolution="Change docker.version or docker.source, or send the settings anew to have it tried again.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _foreign_engine(wanted: EngineSettings) -> PermanentError:
    return PermanentError(
        f"The engine that is there is of no known package; version {wanted.pin or 'latest'} cannot take its place.",
        resolution="Leave out docker.version, or remove that engine.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _not_offered(machine: Machine, source: Source) -> PermanentError:
    release = machine.system.release()
    who = release.pretty_name or release.id if source is Source.DISTRO else "The repository"
    other = Source.DOCKER if source is Source.DISTRO else Source.DISTRO
    return PermanentError(
        f"{who} has no package of the engine.",
        resolution=f"Set docker.source to {other.value}.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _unsupported(reason: str) -> PermanentError:
    return PermanentError(
        f"The Docker extension cannot work here: {reason}.",
        resolution="Use Debian, Ubuntu, Fedora, RHEL or what is made from it, Azure Linux or SUSE, or an image that "
        "has the engine as a service of systemd.",
        exit_code=ExitCode.UNSUPPORTED_SYSTEM,
    )
