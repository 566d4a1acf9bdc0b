"""One run of a script, from its start to its end, its deadline, or the moment nobody wants it any more.

Called by the handlers, which say what to run and how to show it. Whatever ends the run, nothing of it goes on then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dockyard_guest.ports import Machine, Step
    from dockyard_guest.values import Account, ScriptOrder

    from .tail import Output

DEFAULT_TIMEOUT = 5400
"""Seconds: the platform gives up on an extension after these."""

_POLL = 0.2
_RENEWED = 1.0
_REPEATED = 15.0
_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run_to_end(
    machine: Machine, order: ScriptOrder, *, timeout: float, output: Output, step: Step, show: Callable[[], None]
) -> int | None:
    """Run a script. Answers its exit code, or ``None`` when it was killed at its deadline.

    `show` is called a second after there was something new, and now and then besides.

    Raises:
        SupersededError: A newer command has been given; the script has been killed.
        PermanentError: It could not be started.
    """
    clock = machine.clock
    script = machine.scripts.start(order)
    code, begun = None, clock.monotonic()
    shown, news = begun, True
    try:
        while clock.monotonic() - begun < timeout:
            code = script.exit_code()
            news = output.look() or news
            if code is not None:
                break
            step.checkpoint()
            if clock.monotonic() - shown >= (_RENEWED if news else _REPEATED):
                show()
                shown, news = clock.monotonic(), False
            clock.sleep(_POLL)
    finally:
        if code is None:
            script.kill()
        output.end()
    return code


def account_of(machine: Machine, name: str | None) -> Account | None:
    """The user a script is to run as; ``None`` is root.

    Raises:
        PermanentError: There is no such user.
    """
    if name is None:
        return None
    account = machine.accounts.find(name)
    if account is None:
        raise PermanentError(f"There is no user {name!r} on this machine.", exit_code=ExitCode.BAD_CONFIGURATION)
    return account if account.uid else None


def environment_of(account: Account | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """All of a script's environment: what a login has, and what was asked for."""
    name, home = ("root", "/root") if account is None else (account.name, account.home)
    own = {"PATH": _SEARCH_PATH, "HOME": home, "USER": name, "LOGNAME": name, "LANG": "C.UTF-8"}
    return {**own, **(more or {})}


def program_of(path: str, content: bytes, *, interpreter: str) -> tuple[str, ...]:
    """The words that start a script's file: itself when it names its interpreter, else by `interpreter`."""
    return (path,) if content.startswith(b"#!") else (interpreter, path)


def lasting(seconds: float) -> str:
    """A number of seconds in words."""
    return f"{seconds:.0f} second{'' if round(seconds) == 1 else 's'}"
