"""Users: made, given a password, keys, an expiry and sudo, and removed. Called by `handler`.

Passwords go to programs by their standard input. Users of the system, root first, are never touched: only those with a
number of people's accounts, by ``/etc/login.defs``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

from . import places
from .keys import Form, check_converted, with_keys
from .settings import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_guest.ports import Machine
    from dockyard_guest.values import Account, Completed

    from .keys import GivenKey
    from .settings import UserAccess

_LIMIT = 120.0
_NOBODY = 65534
_DAY_SECONDS = 86400
_USED_BY_A_PROCESS = 8
_HOME_STAYS = 12
_TRIES = 3
_FIRST = 1000
_UID_MIN = re.compile(rb"^\s*UID_MIN\s+(\d+)", re.MULTILINE)
_PROVISIONED = re.compile(rb"<(?:\w+:)?UserName>\s*([A-Za-z_][A-Za-z0-9_.-]{0,31})\s*</")
_RULE = "# Written by the VMAccess extension.\n{name} ALL=(ALL:ALL) {tag}ALL\n"


def ensure_user(machine: Machine, wanted: UserAccess) -> tuple[Account, bool]:
    """The user, made when there is none. Answers whether it was made.

    Raises:
        PermanentError: It is a user of the system, or could not be made.
    """
    found = machine.accounts.find(wanted.name)
    if found is not None:
        _check_is_a_person(machine, found)
        return found, False
    if not wanted.keys and wanted.password is None:
        raise PermanentError(
            f"There is no user {wanted.name} on this machine, and nothing to make one with.",
            resolution="Give `ssh_key` or `password` to make the user.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )
    shell = "/bin/bash" if machine.commands.find("bash") else "/bin/sh"
    done = _run(machine, "useradd", "--create-home", "--shell", shell, "--", wanted.name)
    made = machine.accounts.find(wanted.name)
    if not done.succeeded or made is None:
        raise PermanentError(f"The user {wanted.name} could not be made.", details=done.complaint)
    return made, True


def set_password(machine: Machine, user: str, password: str) -> None:
    """Set a password; only its hash is given to the program that changes the files.

    Raises:
        PermanentError: It could not be set.
    """
    made = machine.commands.run(["openssl", "passwd", "-6", "-stdin"], timeout=_LIMIT, stdin=f"{password}\n".encode())
    hashed = made.output.strip()
    if not made.succeeded or not hashed.startswith("$6$"):
        raise PermanentError("The password could not be hashed.")  # what openssl says may quote it
    line = f"{user}:{hashed}\n".encode()
    done = machine.commands.run(["chpasswd", "--encrypted"], timeout=_LIMIT, stdin=line)
    if not done.succeeded:
        raise PermanentError(f"The password of {user} could not be set: chpasswd ended with {done.exit_code}.")


def set_keys(machine: Machine, account: Account, keys: Sequence[GivenKey], *, replaces: bool) -> bool:
    """Let keys log in. Answers whether anything was to be done.

    Raises:
        PermanentError: A key cannot be converted, or home or file are not what they should be.
    """
    lines = tuple(_line(machine, key) for key in keys)
    return machine.accounts.rewrite(
        account, places.AUTHORIZED_KEYS, change=lambda existing: with_keys(existing, lines), reads=not replaces
    )


def set_expiration(machine: Machine, user: str, day: str) -> None:
    """Let an account end on a day, or never.

    Raises:
        PermanentError: It could not be set.
    """
    done = _run(machine, "chage", "--expiredate", "-1" if day == NEVER else day, "--", user)
    if not done.succeeded:
        raise PermanentError(f"The expiry of {user} could not be set.", details=done.complaint)


def has_expired(machine: Machine, user: str) -> bool:
    """Whether nobody can log in as this user any more, key or not."""
    for line in (machine.files.read(places.SHADOW) or b"").splitlines():
        members = line.split(b":")
        if members[0] == user.encode() and len(members) > 7 and members[7].isdigit():
            return int(members[7]) * _DAY_SECONDS <= machine.clock.time()
    return False


def set_sudo(machine: Machine, wanted: UserAccess, *, is_new: bool) -> str:
    """Give or take the right to become root. Answers what was done; empty when nothing was to be."""
    path = places.sudo_rule(wanted.name)
    if wanted.sudo is False:
        was_there = machine.files.read(path) is not None
        machine.files.remove(path)
        return "without sudo" if is_new or was_there else "without sudo of this extension; other rules stay"
    if not (is_new or wanted.sudo or wanted.without_password):
        return ""
    if machine.commands.find("sudo") is None:
        return "without sudo, which is not installed"
    is_asked = wanted.password is not None and not wanted.without_password
    rule = _RULE.format(name=wanted.name, tag="" if is_asked else "NOPASSWD: ").encode()
    machine.files.make_folder(places.SUDOERS, mode=0o750)
    if machine.files.read(path) != rule:
        machine.files.write(path, rule, mode=0o440)
    return "with sudo, which asks for the password" if is_asked else "with sudo"


def remove_user(machine: Machine, name: str) -> str:
    """Remove a user with home and processes. Answers what was done.

    Raises:
        PermanentError: It is a user of the system, the one the machine was made with, or could not be removed.
    """
    found = machine.accounts.find(name)
    if found is not None:
        _check_may_go(machine, found)
    for path in (places.sudo_rule(name), places.password_drop_in(name)):
        machine.files.remove(path)
    if found is None:
        return f"There is no user {name}."
    done = _removed(machine, found)
    if done.exit_code == _HOME_STAYS:
        return f"{name} is removed; {found.home} stays, as it is not that user's own."
    if not done.succeeded:
        raise PermanentError(f"The user {name} could not be removed.", details=done.complaint)
    return f"{name} is removed."


def _removed(machine: Machine, account: Account) -> Completed:
    # No force: that would take a home away which others use, or which is no home.
    _run(machine, "chage", "--expiredate", "0", "--", account.name)
    for _ in range(_TRIES):
        machine.accounts.end_processes(account)
        done = _run(machine, "userdel", "--remove", "--", account.name)
        if done.exit_code != _USED_BY_A_PROCESS:
            break
    return done


def _check_may_go(machine: Machine, account: Account) -> None:
    _check_is_a_person(machine, account)
    found = _PROVISIONED.search(machine.files.read(places.PROVISIONING) or b"")
    if found is not None and found[1].decode() == account.name:
        raise PermanentError(
            f"{account.name} is the user this machine was made with; others count on it, and it stays.",
            resolution="Take away its keys with `remove_prior_keys` and another key instead.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )


def _check_is_a_person(machine: Machine, account: Account) -> None:
    first = _UID_MIN.search(machine.files.read(places.LOGIN_DEFS) or b"")
    if account.uid < (int(first[1]) if first else _FIRST) or account.uid == _NOBODY:
        raise PermanentError(
            f"{account.name} is a user of the system (number {account.uid}), which this extension does not touch.",
            resolution="Name a user for people.",
            exit_code=ExitCode.BAD_CONFIGURATION,
        )


def _line(machine: Machine, key: GivenKey) -> str:
    """A key as a line of ``authorized_keys``."""
    if key.form is Form.OPENSSH:
        return key.text
    form, text = key.form, key.text.encode()
    if form is Form.CERTIFICATE:
        shown = machine.commands.run(["openssl", "x509", "-noout", "-pubkey"], timeout=_LIMIT, stdin=text)
        if not shown.succeeded:
            raise _not_converted("The certificate cannot be read.", shown)
        form, text = Form.PUBLIC_KEY, shown.stdout
    argv = ["ssh-keygen", "-i", "-m", form.value, "-f", "/dev/stdin"]
    done = machine.commands.run(argv, timeout=_LIMIT, stdin=text)
    line = done.output.strip()
    if not done.succeeded or not check_converted(line):
        raise _not_converted("The public key in PEM cannot be made one of OpenSSH.", done)
    return line


def _not_converted(brief: str, done: Completed) -> PermanentError:
    return PermanentError(
        brief,
        details=done.complaint,
        resolution="Give it in OpenSSH's form: the line of a file that ends in .pub.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )


def _run(machine: Machine, *argv: str) -> Completed:
    return machine.commands.run(argv, timeout=_LIMIT)
