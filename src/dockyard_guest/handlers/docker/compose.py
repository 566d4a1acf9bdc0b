"""Containers by a compose file: checked, pulled, started, and looked at.

Called by `handler` once the engine has proved to work, so that nothing here takes the engine back. The file stands
where the extension of 2016 had it. Secret variables are in the compose program's own environment and nowhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from dockyard_contract.documents import dump_json, parse_json
from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

from .compose_program import ensure_compose
from .compose_record import read_compose_record, write_compose_record
from .masks import Masks
from .places import CLIENT_FOLDER, COMPOSE_FILE, COMPOSE_FOLDER, ENGINE_SOCKET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dockyard_guest.ports import Machine, Step
    from dockyard_guest.values import Completed

    from .settings_compose import ComposeSettings

_CANDIDATE = f"{COMPOSE_FOLDER}/docker-compose.new.yml"
_CHECK_LIMIT = 60.0
_LIMIT = 1800.0
_TRIES = 4
_PAUSE = 10.0
_TAIL = 12
_PASSING = (
    *("timeout", "timed out", "deadline exceeded", "connection refused", "connection reset", "no such host"),
    *("temporary failure", "network is unreachable", "unexpected eof", "toomanyrequests", "server misbehaving"),
    *("500 internal", "502 bad", "503 service", "504 gateway", "no route to host"),
)
"""What the engine and registries say of trouble that may pass, in small letters."""

_DONE = "Exited (0)"


@dataclass(frozen=True)
class _Compose:
    """The program, ready to be started for one project."""

    machine: Machine
    words: tuple[str, ...]
    environment: Mapping[str, str]
    masks: Masks

    def run(self, *words: str, file: str, limit: float, step: Step) -> Completed:
        def show(line: str) -> None:
            if line.strip():
                step.say(self.masks.hide(line.strip())[:200])

        # The folder of the file is the project's, whichever of its names the file has just now.
        argv = (*self.words, "--file", file, "--project-directory", COMPOSE_FOLDER, *words)
        return self.machine.commands.stream(argv, timeout=limit, on_line=show, environment=self.environment)

    def tail(self, completed: Completed) -> str:
        lines = [line for line in self.masks.hide(completed.output).splitlines() if line.strip()]
        return "\n".join(lines[-_TAIL:])


def bring_up(machine: Machine, wanted: ComposeSettings, *, step: Step) -> None:
    """Make the containers run as the file says.

    Raises:
        PermanentError: The file is wrong, an image is not there, or a container cannot be started.
        TemporaryError: A registry or the package manager did not get through.
    """
    compose = _ready(machine, wanted, step=step)
    record = read_compose_record(machine.files)
    digest = _digest(wanted)
    _put_file(compose, wanted, step=step)
    write_compose_record(machine.files, replace(record, project=wanted.project, digest=""))
    if record.digest != digest:
        _pull(compose, step=step)
    _up(compose, step=step)
    write_compose_record(machine.files, replace(record, project=wanted.project, digest=digest))
    _look(machine, wanted.project, step=step)


def bring_down(machine: Machine, wanted: ComposeSettings, *, step: Step) -> None:
    """Remove the containers and networks of a former compose file; volumes stay.

    Raises:
        PermanentError: They could not be removed.
    """
    record = read_compose_record(machine.files)
    if not record.project or machine.files.read(COMPOSE_FILE) is None:
        step.say("there is no former project")
        return
    compose = _ready(machine, wanted, step=step, project=record.project)
    done = compose.run("down", "--remove-orphans", file=COMPOSE_FILE, limit=_LIMIT, step=step)
    if not done.succeeded:
        raise _failed("The containers of the former compose file could not be removed.", compose.tail(done))
    machine.files.remove(COMPOSE_FILE)
    write_compose_record(machine.files, replace(record, project="", digest=""))
    step.say(f"the containers of the project {record.project} are removed; its volumes stay")


def _ready(machine: Machine, wanted: ComposeSettings, *, step: Step, project: str = "") -> _Compose:
    own = {"DOCKER_HOST": f"unix://{ENGINE_SOCKET}", "DOCKER_CONFIG": CLIENT_FOLDER}
    named = {"COMPOSE_PROJECT_NAME": project} if project else {}
    return _Compose(
        machine=machine,
        words=ensure_compose(machine, step=step),
        environment={**wanted.environment, **own, **named},
        masks=Masks(wanted.secrets),
    )


def _digest(wanted: ComposeSettings) -> str:
    told = dump_json([wanted.text, sorted(wanted.environment.items())])
    return hashlib.sha256(told.encode()).hexdigest()


def _put_file(compose: _Compose, wanted: ComposeSettings, *, step: Step) -> None:
    """Replace the file, unless the compose program refuses the new one."""
    files = compose.machine.files
    files.make_folder(COMPOSE_FOLDER, mode=0o700)
    files.write(_CANDIDATE, wanted.text.encode(), mode=0o600)
    try:
        step.say("checking the compose file")
        judged = compose.run("config", "--quiet", file=_CANDIDATE, limit=_CHECK_LIMIT, step=step)
        if not judged.succeeded:
            raise PermanentError(
                "The compose program refuses the setting compose.",
                details=compose.tail(judged).replace(_CANDIDATE, "compose"),
                resolution="Correct it and send the settings again; the engine and former containers go on.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
        files.rename(_CANDIDATE, COMPOSE_FILE)
    finally:
        files.remove(_CANDIDATE)


def _pull(compose: _Compose, *, step: Step) -> None:
    """Fetch images before a container stops for its successor. What cannot be had may be here already: `_up` knows."""
    for number in range(_TRIES):
        if number:
            compose.machine.clock.sleep(_PAUSE * 2 ** (number - 1))
        step.checkpoint()
        step.say("pulling images")
        done = compose.run("pull", file=COMPOSE_FILE, limit=_LIMIT, step=step)
        if done.succeeded or not _may_pass(done):
            return


def _up(compose: _Compose, *, step: Step) -> None:
    step.checkpoint()
    step.say("starting containers")
    done = compose.run("up", "--detach", "--remove-orphans", file=COMPOSE_FILE, limit=_LIMIT, step=step)
    if done.succeeded:
        return
    tail = compose.tail(done)
    if _may_pass(done):
        raise TemporaryError(
            "The engine is ready, but containers of compose did not start.",
            details=tail,
            resolution="Make sure that this machine reaches the registry, and send the settings again.",
        )
    raise _failed("The engine is ready, but containers of compose did not start.", tail)


def _may_pass(done: Completed) -> bool:
    said = done.output.lower()
    return any(words in said for words in _PASSING)


def _failed(brief: str, tail: str) -> PermanentError:
    return PermanentError(brief, details=tail, resolution="What compose said last is in the details.")


def _look(machine: Machine, project: str, *, step: Step) -> None:
    """Say how the containers are, in the engine's words."""
    states = _states(machine, project)
    text = ", ".join(f"{name}: {state}" for name, state in states) or "no containers"
    if all(state.startswith(("Up", _DONE)) for _, state in states):
        step.say(text)
    else:
        step.warn(text)


def _states(machine: Machine, project: str) -> list[tuple[str, str]]:
    filters = dump_json({"label": [f"com.docker.compose.project={project}"]})
    path = f"/containers/json?all=true&filters={quote(filters)}"
    answer = machine.sockets.get_unix(ENGINE_SOCKET, path, timeout=_CHECK_LIMIT)
    found = []
    for item in parse_json(answer.body, document="the engine's containers").array():
        container = item.object()
        name = container.object("Labels").string("com.docker.compose.service")
        found.append((name, container.string("Status")))
    return sorted(found)
