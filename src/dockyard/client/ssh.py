"""SSH to machines: which public key to hand over, and the command line that logs in.

Used by ``vm create`` and ``vm ssh``. Known hosts are kept in a file of each machine, the user's own files are never
written.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from dockyard import files
from dockyard.client import locking, processes
from dockyard.client.processes import Completed
from dockyard.client.views import MachineView
from dockyard.config import Paths
from dockyard.model.errors import Conflict, InvalidRequest

_USUAL = ("id_ed25519.pub", "id_ecdsa.pub", "id_rsa.pub")
CONNECT_SECONDS = 10
_KEY_TYPES = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-")


@dataclass(frozen=True)
class PublicKey:
    """A public key in OpenSSH's one-line form, where it came from, and whether it was made just now."""

    line: str
    source: Path | None
    is_new: bool = False


def public_key(paths: Paths, *, given: str | None, home: Path) -> PublicKey:
    """Return the key a new machine is to accept.

    ``given`` is a file or the key's text; without it, the first of the user's usual keys; without any, a key made once
    in the data folder.

    Raises:
        InvalidRequest: ``given`` is neither a public key nor a readable file with one.
    """
    if given is not None:
        return _given(given)
    for name in _USUAL:
        path = home / ".ssh" / name
        if path.is_file():
            return PublicKey(_checked(path.read_text(encoding="utf-8"), where=str(path)), path)
    return _own(paths)


def command(paths: Paths, machine: MachineView, *, home: Path, remote: Sequence[str]) -> list[str]:
    """Return the ``ssh`` command line for a machine.

    Raises:
        Conflict: the machine has no SSH port to connect to.
    """
    if machine.ssh_port is None:
        raise Conflict(f"{machine.id} has no SSH port", code="OperationNotAllowed")
    known_hosts = paths.data / "ssh" / "known_hosts" / machine.vm_id
    files.make_folder(known_hosts.parent)
    options = {
        "HostKeyAlias": f"dockyard-{machine.vm_id}",
        "UserKnownHostsFile": _quoted(known_hosts),
        "StrictHostKeyChecking": "accept-new",
        "CheckHostIP": "no",
        "LogLevel": "ERROR",
    }
    argv = ["ssh", "-p", str(machine.ssh_port)]
    for name, value in options.items():
        argv += ["-o", f"{name}={value}"]
    identity = _identity(paths, machine, home=home)
    if identity is not None:
        argv += ["-i", str(identity)]
    return [*argv, f"{machine.admin_username}@127.0.0.1", *remote]


def run(paths: Paths, machine: MachineView, *, home: Path, remote: str, text: str, deadline: float) -> Completed:
    """Run a command line in a machine as its user, with ``text`` on standard input; never asks for anything.

    Raises:
        Conflict: the machine has no SSH port to connect to.
        Exhausted: there is no ``ssh`` on this computer.
        DeadlineExceeded: it had not ended after ``deadline`` seconds.
    """
    program, *rest = command(paths, machine, home=home, remote=[remote])
    unattended = ("-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}")
    return processes.run([program, *unattended, *rest], text=text, deadline=deadline)


def forget(paths: Paths, vm_id: str) -> None:
    """Remove a machine's host keys."""
    if vm_id:
        (paths.data / "ssh" / "known_hosts" / vm_id).unlink(missing_ok=True)


def _given(given: str) -> PublicKey:
    if given.startswith(_KEY_TYPES):
        return PublicKey(_checked(given, where="--ssh-key"), None)
    path = Path(given).expanduser()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(
            f"The SSH key '{given}' cannot be read",
            details=str(error),
            resolution="Give the path of a public key (a .pub file) or the key itself.",
        ) from error
    return PublicKey(_checked(text, where=str(path)), path)


def _checked(text: str, *, where: str) -> str:
    """Return the key in one line. A private key given by mistake is refused without being repeated."""
    line = text.strip()
    if not _is_public_key(line):
        raise InvalidRequest(
            f"{where} is not an SSH public key", resolution="Give a public key: the file that ends in .pub."
        )
    return line


def _is_public_key(line: str) -> bool:
    """Whether it is one line of type, base64 and comment, and the base64 says the same type (RFC 4253, 6.6)."""
    parts = line.split()
    if "\n" in line or len(parts) < 2 or not parts[0].startswith(_KEY_TYPES):
        return False
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except ValueError:
        return False
    end = 4 + int.from_bytes(blob[:4])
    return blob[4:end] == parts[0].encode() and len(blob) > end


def _own(paths: Paths) -> PublicKey:
    private = paths.data / "ssh" / "id_ed25519"
    public = private.with_suffix(".pub")
    with locking.locked(private.parent / ".lock", what="another process to make an SSH key", deadline=30):
        if public.exists():
            return PublicKey(_checked(public.read_text(encoding="utf-8"), where=str(public)), public)
        key = ed25519.Ed25519PrivateKey.generate()
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        line = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        files.write(private, pem, mode=files.SECRET)
        files.write(public, line + b" dockyard\n", mode=files.PUBLIC)
    return PublicKey(f"{line.decode()} dockyard", public, is_new=True)


def _identity(paths: Paths, machine: MachineView, *, home: Path) -> Path | None:
    """Return the private key whose public half the machine was given, when it lies in one of the usual places.

    A machine that was given another key since has the one that ``public_key`` chooses; ssh knows the user's usual ones.
    """
    accepted = {_blob(line) for line in machine.ssh_public_keys}
    candidates = [paths.data / "ssh" / "id_ed25519.pub", *sorted((home / ".ssh").glob("*.pub"))]
    for public in candidates:
        private = public.with_suffix("")
        if public.is_file() and private.is_file() and _blob(public.read_text(encoding="utf-8")) in accepted:
            return private
    own = paths.data / "ssh" / "id_ed25519"
    has_usual = any((home / ".ssh" / name).is_file() for name in _USUAL)
    return own if own.is_file() and not has_usual else None


def _blob(line: str) -> str:
    """Return the key without type and comment."""
    parts = line.split()
    return parts[1] if len(parts) > 1 else line


def _quoted(path: Path) -> str:
    """Return a path as ssh's option parser reads it back: quoted, percent signs doubled."""
    return '"' + str(path).replace("%", "%%") + '"'
