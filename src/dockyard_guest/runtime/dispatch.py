"""From a verb to what is done for it: the five commands of a handler, and the background work that enable starts.

Called by `main` with everything joined. Disable, update and uninstall of an old version are given a sequence number
whose settings they do not have, so none of them reads settings or writes a status.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from .enable import desk_of, run_enable
from .once import keep_status
from .work import run_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard_guest.ports import Handler, Machine

    from .call import Call


class Verb(enum.Enum):
    """What a handler's program can be told to do."""

    INSTALL = "install"
    ENABLE = "enable"
    DISABLE = "disable"
    UPDATE = "update"
    UNINSTALL = "uninstall"
    WORK = "work"
    DIAGNOSE = "diagnose"

    @property
    def reports_status(self) -> bool:
        """Whether it is this verb's business to leave a status for its sequence number."""
        return self in (Verb.ENABLE, Verb.WORK)

    @property
    def patience(self) -> float:
        """Seconds to wait for another command of the extension, well within the agent's own limit."""
        return 200.0 if self is Verb.UNINSTALL else 600.0


def parse_verb(text: str) -> Verb:
    """The verb of this name.

    Raises:
        PermanentError: There is none.
    """
    try:
        return Verb(text)
    except ValueError:
        verbs = ", ".join(verb.value for verb in Verb)
        raise PermanentError(
            f"There is no command {text!r}; there are {verbs}.", exit_code=ExitCode.BAD_CONFIGURATION
        ) from None


def dispatch(verb: Verb, call: Call, *, handler: Handler, machine: Machine, log: Callable[[str], None]) -> str:
    """Do what the verb asks for. Answers one sentence.

    Raises:
        GuestError: It could not be done.
        MalformedDocument: A document from outside is not what it should be.
    """
    if verb is Verb.INSTALL:
        return handler.install()
    if verb is Verb.ENABLE:
        return run_enable(call, handler=handler, machine=machine, log=log)
    if verb is Verb.WORK:
        return run_work(call, handler=handler, machine=machine, log=log)
    return _take_back(verb, call, handler=handler, machine=machine)


def _take_back(verb: Verb, call: Call, *, handler: Handler, machine: Machine) -> str:
    desk = desk_of(call, machine=machine)
    intent = f"{verb.value} of version {call.version}"
    desk.want(intent)
    with desk.hold(intent=intent, patience=verb.patience):
        machine.settled.forget(folder=call.folder)
        if verb is Verb.DISABLE:
            keep_status(call, files=machine.files)
            return handler.disable()
        if verb is Verb.UPDATE:
            return handler.update(target_version=call.variables.target_version or call.version)
        return handler.uninstall()
