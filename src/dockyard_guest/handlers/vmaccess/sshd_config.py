"""What sshd's configuration should be, and what in it keeps people out. Pure.

A keyword's first value counts, and a matching ``Match`` block before all that is general. ``sshd -T`` tells what comes
of all files together.
"""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from .places import DROP_INS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

INCLUDE = f"Include {DROP_INS}/*.conf\n"
BARE = """KbdInteractiveAuthentication no
PasswordAuthentication no
UsePAM yes
PrintMotd no
ClientAliveInterval 180
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
"""
KNOWN_GOOD = f"# Written by the VMAccess extension: a configuration that is known to work.\n{INCLUDE}{BARE}"
_INCLUDES = re.compile(rf'^\s*Include\s+.*{re.escape(DROP_INS)}/\*\.conf"?\s*$', re.IGNORECASE | re.MULTILINE)
_MATCH = re.compile(r"^\s*Match\s", re.IGNORECASE | re.MULTILINE)
_KEYS_FILE = ".ssh/authorized_keys"
_LISTS = ("allowusers", "denyusers", "allowgroups", "denygroups")


def trial_of(drop_in: str) -> str:
    """A configuration of one drop-in and nothing but what is known to work."""
    return f"Include {drop_in}\n{BARE}"


def reads_drop_ins(config: str) -> bool:
    """Whether a configuration includes the folder of drop-ins, for everybody."""
    found, match = _INCLUDES.search(config), _MATCH.search(config)
    return found is not None and (match is None or found.start() < match.start())


def password_for(user: str) -> str:
    """A drop-in that lets one user in by password, and nobody else."""
    return (
        "# Written by the VMAccess extension: this user may log in by password.\n"
        f"Match User {user}\n    PasswordAuthentication yes\n"
    )


def parse_effective(text: str) -> dict[str, list[str]]:
    """Read what ``sshd -T`` tells: the values of each keyword."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        found.setdefault(keyword.lower(), []).append(value)
    return found


def locks(effective: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What keeps people out of a machine whatever user they are; each as its line of the configuration."""
    found = [*_keeps_keys_out(effective), *_keeps_all_out(effective)]
    found += [f"{word} {value}" for word in _LISTS for value in effective.get(word, ())]
    if "22" not in effective.get("port", ("22",)):
        found += [f"port {value}" for value in effective["port"]]
    elsewhere = [value for value in effective.get("listenaddress", ()) if value not in ("0.0.0.0:22", "[::]:22")]
    if elsewhere and len(elsewhere) == len(effective["listenaddress"]):
        found += [f"listenaddress {value}" for value in elsewhere]
    return tuple(dict.fromkeys(found))


def locks_of_user(
    effective: Mapping[str, Sequence[str]], *, user: str, groups: Collection[str], key: bool, password: bool
) -> tuple[str, ...]:
    """What keeps one user out, who has got a key, a password or both."""
    found = list(_keeps_all_out(effective))
    if key:
        found += _keeps_keys_out(effective)
    if password and effective.get("passwordauthentication", ("yes",))[0] != "yes":
        found.append("passwordauthentication no")
    for word, names in (("users", (user,)), ("groups", tuple(groups))):
        allowed, denied = effective.get(f"allow{word}", ()), effective.get(f"deny{word}", ())
        if any(_fits(pattern, names) for pattern in denied):
            found.append(f"deny{word} {' '.join(denied)}")
        if allowed and not any(_fits(pattern, names) for pattern in allowed):
            found.append(f"allow{word} {' '.join(allowed)}")
    return tuple(found)


def _keeps_all_out(effective: Mapping[str, Sequence[str]]) -> list[str]:
    wanted = (("authenticationmethods", "any"), ("forcecommand", "none"), ("chrootdirectory", "none"))
    return [
        f"{word} {effective[word][0]}" for word, harmless in wanted if effective.get(word, (harmless,))[0] != harmless
    ]


def _keeps_keys_out(effective: Mapping[str, Sequence[str]]) -> list[str]:
    found = []
    if effective.get("pubkeyauthentication", ("yes",))[0] not in ("yes", "true"):
        found.append("pubkeyauthentication no")
    files = effective.get("authorizedkeysfile", (_KEYS_FILE,))[0]
    if not any(name.endswith(_KEYS_FILE) for name in files.split()):
        found.append(f"authorizedkeysfile {files}")
    return found


def _fits(pattern: str, names: Collection[str]) -> bool:
    # A pattern of user and host is compared by the user: where somebody comes from is not known here.
    return any(fnmatch.fnmatchcase(name, pattern.partition("@")[0]) for name in names)
