"""Users and an SSH server, played on a machine that exists in a folder, for the VMAccess handler.

The server reads its configuration as sshd does: a keyword's first value counts, an included file ends its own ``Match``
block, a matching block goes before what is general. A test with the real programs stands beside the tests of these.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockyard_guest.system.accounts import SystemAccounts
from dockyard_guest.values import Account, Completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scenario.world import World

SSHD = "/usr/sbin/sshd"
SERVICE = "ssh.service"
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
PROGRAMS = frozenset(
    {"useradd", "userdel", "chpasswd", "chage", "openssl", "ssh-keygen", SSHD, "id", "fsck", "xfs_repair", "lsblk"}
)
_DEFAULTS = {
    "pubkeyauthentication": "yes",
    "passwordauthentication": "yes",
    "authorizedkeysfile": ".ssh/authorized_keys .ssh/authorized_keys2",
}
_KNOWN = frozenset(
    {
        *_DEFAULTS,
        *("kbdinteractiveauthentication", "usepam", "printmotd", "clientaliveinterval", "acceptenv", "subsystem"),
        *("allowusers", "denyusers", "allowgroups", "port", "listenaddress", "authenticationmethods", "forcecommand"),
    }
)


@dataclass
class Access:
    """What the programs know of; changed by them."""

    users: dict[str, int] = field(default_factory=lambda: {"root": 0, "daemon": 1, "bob": 1000})
    groups: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    expiries: dict[str, str] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    answers: dict[tuple[str, ...], tuple[int, str]] = field(default_factory=dict)
    busy: int = 0


class PlayedAccounts(SystemAccounts):
    """The real door, with homes inside the machine's folder; all users are whoever runs the test."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find(self, name: str) -> Account | None:
        known = {} if self._world.access is None else self._world.access.users
        uid = self._world.users.get(name, known.get(name))
        return None if uid is None else Account(name=name, uid=uid, gid=uid, home=f"/home/{name}")

    def rewrite(self, account: Account, path: str, *, change: Callable[[bytes], bytes], reads: bool = True) -> bool:
        self._world.effect()
        home = self._world.path(account.home)
        Path(home).mkdir(parents=True, exist_ok=True)
        inside = Account(name=account.name, uid=os.getuid(), gid=os.getgid(), home=home)
        return super().rewrite(inside, path, change=change, reads=reads)

    def end_processes(self, account: Account) -> None:
        self._world.events.append(f"end the processes of {account.name}")
        _of(self._world).busy = max(0, _of(self._world).busy - 1)


def play_access(world: World, argv: Sequence[str], *, stdin: bytes) -> Completed:
    """Play one program."""
    told = _of(world).answers.get(tuple(argv))
    if told is None:
        told = _PROGRAMS[argv[0]](world, list(argv), stdin.decode())
    code, text = told
    if code:
        return Completed(argv=tuple(argv), exit_code=code, stderr=text.encode())
    return Completed(argv=tuple(argv), exit_code=0, stdout=text.encode())


def _of(world: World) -> Access:
    assert world.access is not None, "nobody said that there are users"
    return world.access


def _useradd(world: World, argv: list[str], text: str) -> tuple[int, str]:
    if argv[-1] in _of(world).groups:
        return 9, f"useradd: group {argv[-1]} exists"
    world.effect()
    _of(world).users[argv[-1]] = 1000 + len(_of(world).users)
    return 0, ""


def _userdel(world: World, argv: list[str], text: str) -> tuple[int, str]:
    assert "--force" not in argv
    if _of(world).busy:
        return 8, f"userdel: user {argv[-1]} is currently used by process 77"
    world.effect()
    del _of(world).users[argv[-1]]
    return 0, ""


def _openssl(world: World, argv: list[str], text: str) -> tuple[int, str]:
    assert argv == ["openssl", "passwd", "-6", "-stdin"], argv
    return 0, f"$6$salt${text.strip()[::-1]}\n"


def _chpasswd(world: World, argv: list[str], text: str) -> tuple[int, str]:
    assert argv == ["chpasswd", "--encrypted"], argv
    world.effect()
    name, _, hashed = text.strip().partition(":")
    _of(world).hashes[name] = hashed
    return 0, ""


def _chage(world: World, argv: list[str], text: str) -> tuple[int, str]:
    _of(world).expiries[argv[-1]] = argv[2]
    return 0, ""


def _ssh_keygen(world: World, argv: list[str], text: str) -> tuple[int, str]:
    assert argv == ["ssh-keygen", "-A"], argv
    _put(world, HOST_KEY, "a new key", mode=0o600)
    return 0, ""


def _id(world: World, argv: list[str], text: str) -> tuple[int, str]:
    return 0, f"{argv[-1]}\n"


def _sshd(world: World, argv: list[str], text: str) -> tuple[int, str]:
    key = Path(world.path(HOST_KEY))
    if not key.is_file() or key.read_text() == "broken" or key.stat().st_mode & 0o077:
        return 255, "sshd: no hostkeys available -- exiting."
    path = argv[argv.index("-f") + 1] if "-f" in argv else "/etc/ssh/sshd_config"
    if world.text(path) is None:
        return 255, f"{path}: No such file or directory"
    user = re.search(r"user=([^,]*)", " ".join(argv))
    try:
        found = _read(world, path, user="" if user is None else user[1])
    except ValueError as error:
        return 255, str(error)
    return 0, "".join(f"{word} {value}\n" for word, values in found.items() for value in values)


def _read(world: World, path: str, *, user: str) -> dict[str, list[str]]:
    """The configuration that comes of all files together."""
    general: dict[str, list[str]] = {}
    matched: dict[str, list[str]] = {}
    _read_file(world, path, user=user, general=general, matched=matched)
    return {**{word: [value] for word, value in _DEFAULTS.items()}, **general, **matched}


def _read_file(
    world: World, path: str, *, user: str, general: dict[str, list[str]], matched: dict[str, list[str]]
) -> None:
    into: dict[str, list[str]] | None = general
    for number, line in enumerate((world.text(path) or "").splitlines(), start=1):
        word, _, value = line.strip().partition(" ")
        word = word.lower()
        if not word or word.startswith("#"):
            continue
        if word == "include":
            folder, _, pattern = value.rpartition("/")
            for file in sorted(Path(world.path(folder)).glob(pattern)):
                _read_file(world, f"{folder}/{file.name}", user=user, general=general, matched=matched)
        elif word == "match":
            into = matched if value == f"User {user}" else None
        elif word not in _KNOWN:
            raise ValueError(f"{path}: line {number}: Bad configuration option: {word}")
        elif into is not None:
            into.setdefault(word, [value])


def _put(world: World, path: str, text: str, *, mode: int) -> None:
    file = Path(world.path(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


_PROGRAMS = {
    "useradd": _useradd,
    "userdel": _userdel,
    "openssl": _openssl,
    "chpasswd": _chpasswd,
    "chage": _chage,
    "ssh-keygen": _ssh_keygen,
    SSHD: _sshd,
    "id": _id,
}
