"""The engine's own judgement: of a configuration before it is put in place, and of why it did not start.

``dockerd --validate`` came with version 23.0. It reads what the configuration points to, certificates too, so those
that are still to be written lie beside the configuration for as long as it judges, in a folder of root alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .places import CERTIFICATE_FILES, DAEMON_CONFIG, STATE_FOLDER

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

    from .plan import Change, Plan

_LIMIT = 60.0
_NO_JUDGEMENT = "unknown flag: --validate"
_STATUS = "Status: "
_CHATTER = ("level=info", "level=warning", "docker.service:", "See 'dockerd --help'")
_TELLING = (
    *("unable to configure", "failed to", "unknown ", "invalid ", "accepts no argument"),
    *("level=fatal", "level=error", "Error"),
)


def validate(machine: Machine, plan: Plan) -> bool:
    """Have the engine judge the configuration before it is put in place. False when this engine cannot judge.

    Raises:
        PermanentError: The engine refuses it; the error has the engine's own words.
    """
    pending = [change for change in plan.changes if change.path in CERTIFICATE_FILES and change.content is not None]
    try:
        words = _refusal(machine, plan, pending=pending)
    finally:
        for path in (DAEMON_CONFIG, *CERTIFICATE_FILES):
            machine.files.remove(_candidate(path))
    if not words:
        return True
    if _NO_JUDGEMENT in words:
        return False
    raise PermanentError(
        f"The engine refuses the configuration: {first_words(words)}",
        details=words,
        resolution="Change docker.options, docker.daemon or /etc/docker/daemon.json; nothing has been changed.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def first_words(text: str) -> str:
    """The line that says most, out of what the engine wrote as it gave up."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if not any(sign in line for sign in _CHATTER)]
    telling = [line for sign in _TELLING for line in reversed(grave) if sign in line]
    words = (telling or grave[-1:] or lines[-1:] or ["it gave no reason"])[0]
    return words.removeprefix(_STATUS)


def _refusal(machine: Machine, plan: Plan, *, pending: list[Change]) -> str:
    """What the engine has against the configuration, with the paths that will be; empty when it has nothing."""
    config = (plan.daemon_config or b"{}\n").decode()
    machine.files.make_folder(STATE_FOLDER, mode=0o700)
    for change in pending:
        machine.files.write(_candidate(change.path), change.content or b"", mode=change.mode)
        config = config.replace(f'"{change.path}"', f'"{_candidate(change.path)}"')
    machine.files.write(_candidate(DAEMON_CONFIG), config.encode(), mode=0o600)
    dockerd = machine.commands.find("dockerd") or "dockerd"
    argv = [dockerd, "--validate", f"--config-file={_candidate(DAEMON_CONFIG)}", *plan.arguments]
    completed = machine.commands.run(argv, timeout=_LIMIT)
    if completed.succeeded:
        return ""
    words = completed.complaint or completed.output.strip() or f"exit code {completed.exit_code}"
    for path in (DAEMON_CONFIG, *CERTIFICATE_FILES):
        words = words.replace(_candidate(path), path)
    return words


def _candidate(path: str) -> str:
    return f"{STATE_FOLDER}/candidate-{path.rpartition('/')[2]}"
