"""Who may use the engine on the machine without ``sudo``: the members of the group ``docker``.

Called by `handler`. Whoever is in that group can become root, so nobody is added but whom the settings name, or the
user the machine was made with, who has ``sudo`` anyway; the extension of 2016 did so too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject, JsonValue
    from dockyard_guest.ports import Machine, Step

PROVISIONING = "/var/lib/waagent/ovf-env.xml"
"""What the machine was made with, as the agent keeps it."""

_GROUP = "docker"
_LIMIT = 60.0
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?")
# The prefix of the names is the fabric's choice, so that no XML reader finds the element by one name.
_PROVISIONED = re.compile(rb"<(?:\w+:)?UserName>\s*([A-Za-z_][A-Za-z0-9_.-]{0,31})\s*</")


def parse_users(docker: JsonObject | None) -> tuple[str, ...] | None:
    """Read ``docker.users``; ``None`` when nothing is said.

    Raises:
        MalformedDocument: It is no list of users' names.
    """
    items = None if docker is None else docker.optional_array("users")
    return None if items is None else tuple(_name(item) for item in items)


def _name(value: JsonValue) -> str:
    if not _USER.fullmatch(value.string()):
        raise value.malformed(expected="a user's name", found="another text")
    return value.string()


def members_wanted(machine: Machine, users: tuple[str, ...] | None) -> tuple[str, ...]:
    """The users that are to be in the group."""
    if users is not None:
        return users
    found = _PROVISIONED.search(machine.files.read(PROVISIONING) or b"")
    name = "" if found is None else found[1].decode()
    return (name,) if name and _groups(machine, name) is not None else ()


def add_members(machine: Machine, users: tuple[str, ...], *, step: Step) -> None:
    """Put users into the group; nobody is taken out.

    Raises:
        PermanentError: There is no such user, or the group cannot be changed.
    """
    for user in users:
        groups = _groups(machine, user)
        if groups is None:
            raise PermanentError(
                f"docker.users names {user}, but this machine has no such user.",
                resolution="Make the user first, or leave the name out.",
                exit_code=ExitCode.BAD_CONFIGURATION,
            )
        if _GROUP not in groups:
            _add(machine, user)
    step.say(f"the group {_GROUP} has {', '.join(users)}")


def _groups(machine: Machine, user: str) -> frozenset[str] | None:
    told = machine.commands.run(["id", "-nG", "--", user], timeout=_LIMIT)
    return frozenset(told.stdout.decode().split()) if told.succeeded else None


def _add(machine: Machine, user: str) -> None:
    done = machine.commands.run(["usermod", "--append", "--groups", _GROUP, "--", user], timeout=_LIMIT)
    if not done.succeeded:
        raise PermanentError(f"{user} could not be put into the group {_GROUP}.", details=done.complaint)
