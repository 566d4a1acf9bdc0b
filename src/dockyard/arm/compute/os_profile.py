"""``osProfile`` of a virtual machine's body as values: who may log in, and what cloud-init gets. Pure.

Secrets are read here and shown nowhere: no error text repeats them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field

from dockyard.arm.compute.passwords import check_password
from dockyard.model.errors import InvalidRequest
from dockyard.model.resource_id import check_virtual_machine_name
from dockyard.model.virtual_machine import OsProfile, SshPublicKey
from dockyard_contract.documents import JsonObject

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_FORBIDDEN_USERS = frozenset({"root", "admin", "docker", "daemon", "bin", "sys", "sshd", "nobody"})
LONGEST_DATA = 87_380  # characters: 64 KiB in base64


@dataclass(frozen=True, kw_only=True)
class Access:
    """``password`` is plaintext; ``password_logins`` is None where the body does not say whether there are any."""

    profile: OsProfile
    password: str | None = field(default=None, repr=False)
    password_logins: bool | None = None
    allow_extension_operations: bool | None = None


def read_access(profile: JsonObject, *, name: str) -> Access:
    """Read ``osProfile``; ``name`` is the machine's. Raises MalformedDocument, InvalidRequest."""
    admin = _user(profile.string("adminUsername"))
    linux = profile.optional_object("linuxConfiguration")
    if linux is not None and linux.optional_boolean("provisionVMAgent") is False:
        raise InvalidRequest(
            "A machine without the guest agent is not offered: extensions and readiness are its work",
            resolution="Leave linuxConfiguration.provisionVMAgent out.",
        )
    if profile.optional_object("windowsConfiguration") is not None:
        raise InvalidRequest("The property 'windowsConfiguration' is not valid for a Linux image")
    custom_data = base64_text(profile, "customData")
    return Access(
        profile=OsProfile(
            computer_name=check_virtual_machine_name(profile.optional_string("computerName") or name),
            admin_username=admin,
            ssh_public_keys=_ssh_keys(linux, admin=admin),
            custom_data=custom_data or None,
            custom_data_digest=hashlib.sha256(custom_data.encode()).hexdigest() if custom_data else None,
        ),
        password=_password(profile, linux),
        password_logins=_password_logins(profile, linux),
        allow_extension_operations=profile.optional_boolean("allowExtensionOperations"),
    )


def base64_text(holder: JsonObject, name: str) -> str | None:
    """Return a member that is base64 of at most 64 KiB, None when it is not there. Raises InvalidRequest."""
    text = holder.optional_string(name)
    if text is None:
        return None
    try:
        base64.b64decode(text, validate=True)
        fits = len(text) <= LONGEST_DATA
    except (binascii.Error, ValueError):
        fits = False
    if not fits:
        raise InvalidRequest(
            f"{name} must be in Base64 encoding and with a maximum length of {LONGEST_DATA} characters",
            details=f"It has {len(text)}.",
            resolution="Encode it with base64, in one line.",
        )
    return text


def _user(admin: str) -> str:
    if not _USER.fullmatch(admin) or admin in _FORBIDDEN_USERS:
        raise InvalidRequest(
            f"'{admin[:40]}' cannot be the administrator's name",
            resolution="Use 1 to 32 lower-case letters, digits, hyphens and underscores, and no system account.",
        )
    return admin


def _password(profile: JsonObject, linux: JsonObject | None) -> str | None:
    password = profile.optional_string("adminPassword")
    if not password:
        return None
    if linux is not None and linux.optional_boolean("disablePasswordAuthentication"):
        return None  # templates give their one secret as key and as password alike; it opens nothing then
    return check_password(password)


def _password_logins(profile: JsonObject, linux: JsonObject | None) -> bool | None:
    disabled = linux.optional_boolean("disablePasswordAuthentication") if linux else None
    if disabled is None:
        return True if profile.optional_string("adminPassword") else None
    return not disabled


def _ssh_keys(linux: JsonObject | None, *, admin: str) -> tuple[SshPublicKey, ...]:
    ssh = linux.optional_object("ssh") if linux else None
    keys = [key.object() for key in (ssh.optional_array("publicKeys") if ssh else None) or ()]
    return tuple(SshPublicKey(_path(key, admin=admin), _one_line(key.string("keyData"))) for key in keys)


def _path(key: JsonObject, *, admin: str) -> str:
    default = f"/home/{admin}/.ssh/authorized_keys"
    path = key.optional_string("path") or default
    if path != default:
        raise InvalidRequest(
            f"Destination path for SSH public keys is currently limited to its default value {default}"
            " due to a known issue in Linux provisioning agent",
            resolution="Leave the path out.",
        )
    return path


def _one_line(key: str) -> str:
    text = key.strip()
    if "\n" in text or len(text.split()) < 2:
        raise InvalidRequest(
            "An SSH public key is not in the one-line form of OpenSSH",
            resolution="Give a line such as 'ssh-ed25519 AAAA... me@host', the content of a .pub file.",
        )
    return text
