"""The settings of the VMAccess extension: Azure's, with several keys, `sudo` and expiry at any time added. Pure.

Azure's own tools send true and false as texts now and then; both are read as what they say.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError
from dockyard_guest.scripting.members import check_members

from .keys import GivenKey, parse_keys

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject
    from dockyard_guest.values import PlainSettings

PUBLIC_MEMBERS = frozenset({"check_disk", "repair_disk", "disk_name"})
PROTECTED_MEMBERS = frozenset(
    {
        "username",
        "password",
        "ssh_key",
        "remove_prior_keys",
        "expiration",
        "sudo",
        "enable_passwordless_access",
        "remove_user",
        "reset_ssh",
        "restore_backup_ssh",
    }
)
NEVER = "never"
# Names of capitals alone are names of lists in sudo's rules.
_NAME = re.compile(r"(?![A-Z][A-Z0-9_]*$)[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DISK = re.compile(r"[A-Za-z0-9_./:@+-]{1,255}")
_LONGEST_PASSWORD = 256
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class UserAccess:
    """What a user is to have; ``None`` leaves things as they are.

    Attributes:
        name: The user, made when there is none.
        password: Hidden from `repr`.
        keys: Public keys to log in with.
        replaces: Whether these are to be the only ones.
        expiration: The last day but one, ``yyyy-mm-dd``, or ``never``.
        sudo: Whether the user may become root.
        without_password: Whether without being asked for the password, even if there is one.
    """

    name: str
    password: str | None = field(default=None, repr=False)
    keys: tuple[GivenKey, ...] = ()
    replaces: bool = False
    expiration: str | None = None
    sudo: bool | None = None
    without_password: bool = False


@dataclass(frozen=True)
class VmAccess:
    """What is to be done, in this order."""

    reset_ssh: bool = False
    restore_ssh: bool = False
    remove_user: str | None = None
    user: UserAccess | None = None
    check_disk: bool = False
    repair_disk: str | None = None


def parse_vmaccess(settings: PlainSettings) -> VmAccess:
    """Read the settings.

    Raises:
        MalformedDocument: A member is of the wrong type or cannot be what it stands for, or nobody knows it.
        PermanentError: Members do not go together, or nothing is asked for.
    """
    public, protected = settings.public, settings.protected
    check_members(public, known=PUBLIC_MEMBERS)
    check_members(protected, known=PROTECTED_MEMBERS)
    wanted = VmAccess(
        reset_ssh=_flag(protected, "reset_ssh") or False,
        restore_ssh=_flag(protected, "restore_backup_ssh") or False,
        remove_user=_name(protected, "remove_user"),
        user=_user(protected),
        check_disk=_flag(public, "check_disk") or False,
        repair_disk=_disk(public),
    )
    _check_together(wanted)
    return wanted


def _check_together(wanted: VmAccess) -> None:
    if wanted == VmAccess():
        raise _refused(
            "Nothing is asked for.",
            resolution="Give `username` with `ssh_key` or `password`, or `remove_user`, `reset_ssh`, `check_disk`.",
        )
    if wanted.remove_user and (wanted.user or wanted.reset_ssh or wanted.restore_ssh):
        raise _refused("`remove_user` goes with nothing else.", resolution="Ask for one after the other.")
    if wanted.reset_ssh and wanted.restore_ssh:
        raise _refused("`reset_ssh` and `restore_backup_ssh` are opposites.", resolution="Ask for one of the two.")
    if wanted.check_disk and wanted.repair_disk:
        raise _refused("`check_disk` and `repair_disk` do not go together.", resolution="Ask for one of the two.")


def _user(protected: JsonObject) -> UserAccess | None:
    name = _name(protected, "username")
    key = protected.optional("ssh_key")
    found = UserAccess(
        name=name or "",
        password=_password(protected),
        keys=() if key is None or key.raw == "" else parse_keys(key),
        replaces=_flag(protected, "remove_prior_keys") or False,
        expiration=_expiration(protected),
        sudo=_flag(protected, "sudo"),
        without_password=_flag(protected, "enable_passwordless_access") or False,
    )
    asks = found != UserAccess(name=found.name, replaces=found.replaces, without_password=found.without_password)
    if asks and name is None:
        raise _refused("`username` is missing.", resolution="Say whose password, key or expiry it is.")
    if name is not None and not (asks or found.without_password):
        raise _refused(
            "`username` alone asks for nothing.", resolution="Give `ssh_key`, `password`, `expiration` or `sudo` too."
        )
    if found.replaces and not found.keys and name is not None:
        raise _refused(
            "`remove_prior_keys` would leave no key at all.", resolution="Give the one that is to stay as `ssh_key`."
        )
    if found.without_password and found.sudo is False:
        raise _refused("`enable_passwordless_access` is about sudo, which `sudo` takes away.", resolution="")
    return found if name is not None else None


def _flag(members: JsonObject, name: str) -> bool | None:
    """True or false, or the text of one; an empty text says nothing."""
    value = members.optional(name)
    if value is None or value.raw == "":
        return None
    if not isinstance(value.raw, str):
        return value.boolean()
    if value.raw.lower() not in _WORDS:
        raise value.malformed(expected="true or false", found="another text")
    return _WORDS[value.raw.lower()]


def _name(members: JsonObject, name: str) -> str | None:
    text = members.optional_string(name)
    if text and not _NAME.fullmatch(text):
        raise members.value(name).malformed(
            expected="a user's name: at most 32 letters, digits, dots, hyphens and underscores, with a small letter",
            found="another text",
        )
    return text or None


def _password(members: JsonObject) -> str | None:
    text = members.optional_string("password")
    if text and (not text.isprintable() or len(text.encode("utf-8", "replace")) > _LONGEST_PASSWORD):
        raise members.value("password").malformed(
            expected="at most 256 bytes of text in one line", found="a longer one, or one with control characters"
        )
    return text or None


def _expiration(members: JsonObject) -> str | None:
    text = members.optional_string("expiration")
    if not text or text == NEVER:
        return text or None
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise members.value("expiration").malformed(expected="a day as yyyy-mm-dd, or never", found="another text")


def _disk(public: JsonObject) -> str | None:
    name = public.optional_string("disk_name") or None
    repairs = _flag(public, "repair_disk") or False
    if name and not _DISK.fullmatch(name):
        raise public.value("disk_name").malformed(expected="a disk, as sdb1 or /dev/sdb1", found="another text")
    if repairs and name is None:
        raise _refused("`repair_disk` needs `disk_name`.", resolution="`check_disk` tells the names of all.")
    if name and not repairs:
        raise _refused("`disk_name` is for `repair_disk`, which is not asked for.", resolution="")
    return name


def _refused(text: str, *, resolution: str) -> PermanentError:
    return PermanentError(text, resolution=resolution, exit_code=ExitCode.BAD_CONFIGURATION)
