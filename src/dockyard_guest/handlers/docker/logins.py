"""Logging in to registries, so that compose can pull; called by `handler` before `compose`.

The client keeps what it logged in with in a folder of the extension's own, for root alone. Passwords go to it through
its standard input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError, TemporaryError

from .masks import Masks
from .places import CLIENT_CONFIG, CLIENT_FOLDER, ENGINE_SOCKET, STATE_FOLDER

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine, Step

    from .settings_login import Login

_TRIES = 3
_PAUSE = 5.0
_LIMIT = 120.0
_REFUSALS = ("unauthorized", "401", "incorrect username or password", "access denied", "denied:", "403")
_OWN_WORDS = ("WARNING", "Configure a credential helper", "https://docs.docker.com")


def log_in(machine: Machine, logins: tuple[Login, ...], *, step: Step) -> None:
    """Log in wherever the settings say, and forget former logins.

    Raises:
        PermanentError: A registry refused the user or the password.
        TemporaryError: A registry was not reached.
    """
    forget_logins(machine)
    for folder in (STATE_FOLDER, CLIENT_FOLDER):
        machine.files.make_folder(folder, mode=0o700)
    # The client keeps the mode of a file that is there.
    machine.files.write(CLIENT_CONFIG, json.dumps({"auths": {}}).encode(), mode=0o600)
    for login in logins:
        step.say(f"logging in to {login.shown}")
        _log_in(machine, login, step=step)
    step.say(f"logged in to {', '.join(login.shown for login in logins)}")


def forget_logins(machine: Machine) -> None:
    """Remove what former logins left."""
    machine.files.remove(CLIENT_CONFIG)
    machine.files.remove_folder(CLIENT_FOLDER)


def _log_in(machine: Machine, login: Login, *, step: Step) -> None:
    argv = ["docker", "--config", CLIENT_FOLDER, "--host", f"unix://{ENGINE_SOCKET}", "login"]
    argv += ["--username", login.username, "--password-stdin", *([login.server] if login.server else [])]
    said = ""
    for number in range(_TRIES):
        if number:
            machine.clock.sleep(_PAUSE * 2 ** (number - 1))
        step.checkpoint()
        done = machine.commands.run(argv, timeout=_LIMIT, stdin=login.password.encode())
        if done.succeeded:
            return
        said = _told(done.complaint, login=login)
        if any(word in said.lower() for word in _REFUSALS):
            raise PermanentError(
                f"The registry {login.shown} refused the login of {login.username}.",
                details=said,
                resolution="Give the right user and password in the protected settings.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
    raise TemporaryError(
        f"The registry {login.shown} was not reached, {_TRIES} times.",
        details=said,
        resolution="Make sure that this machine reaches it, and that docker.insecure-registries has it if it is plain.",
    )


def _told(complaint: str, *, login: Login) -> str:
    lines = (line.strip() for line in complaint.splitlines())
    return Masks((login.password,)).hide("\n".join(line for line in lines if line and not line.startswith(_OWN_WORDS)))
