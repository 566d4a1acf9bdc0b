"""The engine as a program: is it there, can it be, where does it come from, and what does it say of a configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .places import PACKAGES, PACKAGES_IF_KNOWN, STATE_FOLDER
from .record import Record, read_record, write_record

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Step

    from .plan import Plan

_CANDIDATE = f"{STATE_FOLDER}/candidate.json"
_VALIDATION_LIMIT = 60.0
_STATUS = "Status: "
_NOT_THE_ENGINE = ("Failed to start", "docker.service:", "Starting ", "Stopped ")
_TELLING = (
    *("unable to configure", "failed to", "unknown ", "invalid ", "accepts no argument"),
    *("level=fatal", "level=error", "Error"),
)
_NO_VALIDATION = "unknown flag: --validate"


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
    if not (release.is_debian_family and machine.packages.is_available()):
        raise _unsupported(f"{name} is not of the Debian family and has no engine")
    return f"{name} can have the engine."


def is_present(machine: Machine) -> bool:
    """Whether the engine's program is there."""
    return machine.commands.find("dockerd") is not None


def ensure_present(machine: Machine, *, version: str, step: Step) -> str:
    """Install the engine from the distribution if it is not there. Answers what was found or done.

    What came along is noted, so that uninstall can take it back, even if this process dies on the way.

    Raises:
        GuestError: It could not be installed.
    """
    record = read_record(machine.files) or Record(owner=version)
    if is_present(machine) and record.packages_before is None:
        return "the engine is there"
    check_machine(machine)
    before = record.packages_before or tuple(sorted(machine.packages.installed()))
    write_record(machine.files, _replaced(record, before=before))
    step.say(f"installing {' and '.join(PACKAGES)} from the distribution")
    machine.packages.install(PACKAGES, if_known=PACKAGES_IF_KNOWN, step=step)
    brought = sorted(machine.packages.installed() - set(before))
    write_record(machine.files, _replaced(record, before=None, brought=(*record.packages, *brought)))
    return f"installed {', '.join(brought)}"


def validate(machine: Machine, plan: Plan) -> bool:
    """Have the engine judge the configuration before it is put in place. False when this engine cannot judge.

    Raises:
        PermanentError: The engine refuses it; the error has the engine's own words.
    """
    dockerd = machine.commands.find("dockerd") or "dockerd"
    machine.files.make_folder(STATE_FOLDER, mode=0o700)
    machine.files.write(_CANDIDATE, plan.daemon_config or b"{}\n", mode=0o600)
    try:
        completed = machine.commands.run(
            [dockerd, "--validate", f"--config-file={_CANDIDATE}", *plan.arguments], timeout=_VALIDATION_LIMIT
        )
    finally:
        machine.files.remove(_CANDIDATE)
    if completed.succeeded:
        return True
    words = completed.complaint or completed.output.strip()
    if _NO_VALIDATION in words:
        return False
    raise PermanentError(
        f"The engine refuses the configuration: {first_words(words)}",
        details=words.replace(_CANDIDATE, "daemon.json"),
        resolution="Change docker.options or /etc/docker/daemon.json; nothing has been changed in the machine.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def first_words(text: str) -> str:
    """The line that says most, out of what the engine wrote as it gave up."""
    lines = [line.strip() for line in text.replace(_CANDIDATE, "daemon.json").splitlines() if line.strip()]
    own = [line for line in lines if not line.startswith(_NOT_THE_ENGINE)]
    telling = [line for sign in _TELLING for line in reversed(own) if sign in line]
    words = (telling or lines[-1:] or ["it gave no reason"])[0]
    return words.removeprefix(_STATUS)


def _replaced(record: Record, *, before: tuple[str, ...] | None, brought: tuple[str, ...] | None = None) -> Record:
    return replace(record, packages_before=before, packages=record.packages if brought is None else brought)


def _unsupported(reason: str) -> PermanentError:
    return PermanentError(
        f"The Docker extension cannot work here: {reason}.",
        resolution="Use Debian 11 or Ubuntu 20.04 or later, or an image that has the engine as a service of systemd.",
        exit_code=ExitCode.UNSUPPORTED_SYSTEM,
    )
