"""Users of machines, managed from outside: what is asked of the VMAccess extension, and the list of who there is.

Called by the CLI. The extension has the name that ``az vm user`` gives it, so the two manage the same one. The list is
what a run command prints that is gone afterwards.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dockyard.client import run_commands
from dockyard.client.extensions import ExtensionRequest
from dockyard.client.names import MachineName
from dockyard.client.run_commands import Follower, RunRequest
from dockyard.model.errors import DockyardError, OperationFailed

if TYPE_CHECKING:
    from dockyard.client.connection import Connection

EXTENSION = "enablevmaccess"
_PUBLISHER = "Microsoft.OSTCExtensions"
_TYPE = "VMAccessForLinux"
_VERSION = "1.5"  # as az asks
_SCRIPT_SECONDS = 120
_MEMBERS = 6
# Each line: name, number, password, keys, sudo, expiry; a user's file is read as that user.
LIST_SCRIPT = r"""
min=$(awk '$1 == "UID_MIN" { print $2 }' /etc/login.defs 2>/dev/null)
getent passwd | while IFS=: read -r name _ uid _ _ home _; do
  [ "$uid" -ge "${min:-1000}" ] && [ "$uid" -lt 60000 ] || continue
  case $(passwd -S "$name" 2>/dev/null | cut -d' ' -f2) in P|PS) password=yes ;; *) password=no ;; esac
  keys=$(timeout 5 runuser -u "$name" -- sh -c \
    '[ -f "$1" ] && grep -cE "^[[:space:]]*[^#[:space:]]" "$1"' sh "$home/.ssh/authorized_keys" 2>/dev/null)
  sudo=no
  LC_ALL=C sudo -n -l -U "$name" 2>/dev/null | grep -q 'may run' && sudo=yes
  days=$(getent shadow "$name" | cut -d: -f8)
  expires=never
  [ -n "$days" ] && expires=$(date -u -d "@$((days * 86400))" +%F)
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$uid" "$password" "${keys:-0}" "$sudo" "$expires"
done
"""


@dataclass(frozen=True, kw_only=True)
class UserView:
    """A user for people, as the machine tells it; ``expires`` is a day or ``never``."""

    name: str
    uid: int
    has_password: bool
    keys: int
    sudo: bool
    expires: str

    def document(self) -> dict[str, Any]:
        """Return it with the names that programs read."""
        return {
            "name": self.name,
            "uid": self.uid,
            "hasPassword": self.has_password,
            "keys": self.keys,
            "sudo": self.sudo,
            "expires": self.expires,
        }


def access_request(machine: MachineName, *, protected: Mapping[str, Any]) -> ExtensionRequest:
    """Return the request for the VMAccess extension; the same one twice is done twice."""
    return ExtensionRequest(
        machine=machine,
        name=EXTENSION,
        publisher=_PUBLISHER,
        type=_TYPE,
        version=_VERSION,
        protected=protected,
        force_update_tag=secrets.token_hex(8),
    )


def list_all(connection: Connection, machine: MachineName) -> list[UserView]:
    """Return the users of a running machine, by name.

    Raises:
        OperationFailed: the machine does not tell them.
    """
    parts: list[str] = []
    follower = Follower(parts.append, missed=lambda _: None)
    errors = Follower(lambda _: None, missed=lambda _: None)
    request = RunRequest(machine=machine, name=run_commands.fresh_name(), script=LIST_SCRIPT, timeout=_SCRIPT_SECONDS)
    try:
        operation = run_commands.put(connection, request)
        seen = run_commands.follow(
            connection, request, operation, out=follower, err=errors, deadline=2 * _SCRIPT_SECONDS
        )
    finally:
        with contextlib.suppress(DockyardError):
            run_commands.delete(connection, machine, name=request.name)
    if seen.state != "Succeeded":
        raise OperationFailed(f"{machine} does not tell its users", details=seen.error or seen.message)
    return parse_users("".join(parts))


def parse_users(text: str) -> list[UserView]:
    """Read what the machine printed; a line of another shape is left out."""
    rows = [line.split("\t") for line in text.splitlines()]
    found = [
        UserView(
            name=row[0],
            uid=int(row[1]),
            has_password=row[2] == "yes",
            keys=int(row[3]) if row[3].isdigit() else 0,
            sudo=row[4] == "yes",
            expires=row[5],
        )
        for row in rows
        if len(row) == _MEMBERS and row[1].isdigit()
    ]
    return sorted(found, key=lambda user: user.name)
