"""The disc a machine is provisioned from at its first boot: custom data, and the hash of a password. Pure.

Azure hands both over on a disc of which ``ovf-env.xml`` is the only file; instance metadata, which every program in the
machine may ask, has neither. A machine with neither gets no disc. cloud-init would hash a plaintext password itself;
here there is none any more, so the hash comes as a cloud-config of its own beside the user's data.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.parser import BytesParser

from dockyard.model.virtual_machine import VirtualMachine
from dockyard_contract.documents import dump_json
from dockyard_contract.ovf_environment import FILE_NAME, OvfEnvironment

# Merged upon the user's own cloud-config: lists grow, what the user says stays.
_MERGING = "list(append)+dict(no_replace,recurse_list)+str()"
_SSHD = "/etc/ssh/sshd_config.d/05-password-logins.conf"  # the first word on a subject wins: before 10-keys-only.conf
_GZIP = b"\x1f\x8b"
_MAIL = (b"content-type:", b"mime-version:")


def disc(machine: VirtualMachine) -> Mapping[str, bytes]:
    """Return the files of a machine's disc by name; empty when it needs none, or has booted before."""
    profile = machine.os_profile
    if machine.provisioned or (profile.custom_data is None and profile.password_hash is None):
        return {}
    environment = OvfEnvironment(
        host_name=profile.computer_name,
        user_name=profile.admin_username,
        keys_only=profile.password_hash is None,
        custom_data=_custom_data(machine),
    )
    return {FILE_NAME: environment.to_xml().encode()}


def _custom_data(machine: VirtualMachine) -> str | None:
    profile = machine.os_profile
    if profile.password_hash is None:
        return profile.custom_data
    # cloud-init asks for user data only where there is no custom data, which now there is.
    own = profile.custom_data or machine.user_data
    message = MIMEMultipart(boundary="==dockyard==")
    if own:
        message.attach(_users_part(base64.b64decode(own)))
    message.attach(_password_part(profile.password_hash))
    return base64.b64encode(message.as_bytes()).decode("ascii")


def _users_part(data: bytes) -> Message:
    """The user's data as a part; what is several parts already stays so, and anything else is told by its content."""
    if data[:200].lstrip().lower().startswith(_MAIL):
        return BytesParser().parsebytes(data)
    return _part(data, kind="application/gzip" if data.startswith(_GZIP) else "text/x-not-multipart")


def _password_part(password_hash: str) -> Message:
    """A cloud-config that gives the first user a password and lets sshd ask for it."""
    config = {
        "user": {"hashed_passwd": password_hash, "lock_passwd": False},
        "write_files": [{"path": _SSHD, "content": "PasswordAuthentication yes\n", "permissions": "0644"}],
    }
    part = _part(f"#cloud-config\n{dump_json(config)}".encode(), kind="text/cloud-config")
    part["Merge-Type"] = _MERGING
    return part


def _part(content: bytes, *, kind: str) -> Message:
    part = MIMEApplication(content)
    part.replace_header("Content-Type", kind)
    return part
