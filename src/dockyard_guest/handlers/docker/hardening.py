"""File modes and audit rules: safe defaults that are neither the daemon's configuration nor its drop-ins.

Numbers in brackets are those of the CIS Docker Benchmark 1.6. Nothing here needs a restart of anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .places import AUDIT_RULES, DAEMON_CONFIG, ENGINE_SOCKET
from .safe_defaults import Switch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_guest.ports import Machine

_LIMIT = 60.0
_LINK = 0o777
_OTHERS_WRITE = 0o022
_OF_OTHERS = 0o007
_RULES_MODE = 0o640

# [3.1-3.6, 3.17-3.20] Those that are there, unit files besides.
_ROOTS_OWN = ("/etc/docker", "/etc/docker/certs.d", DAEMON_CONFIG, "/etc/default/docker")

# [1.1.3-1.1.18] Files and folders themselves, not all that containers write below them. Debian's and Docker's own
# packages have the programs in different places. containerd's socket is missing: at boot its folder is not there yet
# when rules are loaded, and loading ends at the first rule that has no folder.
_WATCHED = (
    *("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/bin/containerd", "/usr/bin/runc", "/usr/sbin/runc"),
    *("/usr/bin/containerd-shim", "/usr/bin/containerd-shim-runc-v1", "/usr/bin/containerd-shim-runc-v2"),
    *("/run/containerd", "/var/lib/docker", "/etc/docker", DAEMON_CONFIG, "/etc/default/docker"),
    "/etc/containerd/config.toml",
    *("/usr/lib/systemd/system/docker.service", "/usr/lib/systemd/system/docker.socket"),
)


def rules_text(machine: Machine) -> str:
    """The audit rules for what is there, in the form of ``auditctl``."""
    present = [path for path in _WATCHED if machine.files.mode(path) is not None]
    head = "# Written by the Docker extension; docker.defaults.audit-rules switches it off.\n"
    return head + "".join(f"-a always,exit -F path={path} -F perm=wa -F key=docker\n" for path in present)


def tighten_modes(machine: Machine, *, units: Sequence[str], off: frozenset[Switch]) -> str:
    """Let root own, and nobody else write, what decides about the engine. Answers what was done."""
    if Switch.FILE_MODES in off:
        return "file modes are left alone, as asked for"
    modes = {path: machine.files.mode(path) for path in (*_ROOTS_OWN, *units)}
    # A link has that mode, and what it leads to is its owner's business.
    paths = [path for path, mode in modes.items() if mode not in (None, _LINK)]
    loose = [path for path in paths if (modes[path] or 0) & _OTHERS_WRITE]
    if paths:
        machine.commands.run(["chown", "--no-dereference", "root:root", *paths], timeout=_LIMIT)
    if loose:
        machine.commands.run(["chmod", "go-w", *loose], timeout=_LIMIT)
    if (machine.files.mode(ENGINE_SOCKET) or 0) & _OF_OTHERS:
        machine.commands.run(["chmod", "o=", ENGINE_SOCKET], timeout=_LIMIT)
        loose.append(ENGINE_SOCKET)
    return f"taken write access away from others: {', '.join(loose)}" if loose else "file modes are right"


def place_audit_rules(machine: Machine, *, off: frozenset[Switch]) -> str:
    """Have auditd, where there is one, watch what decides about the engine. Answers what holds."""
    if Switch.AUDIT_RULES in off:
        remove_audit_rules(machine)
        return "no audit rules, as asked for"
    if machine.commands.find("augenrules") is None:
        return "no audit rules, as there is no auditd"
    text = rules_text(machine).encode()
    if machine.files.read(AUDIT_RULES) == text:
        return "audit rules are there"
    machine.files.write(AUDIT_RULES, text, mode=_RULES_MODE)
    done = machine.commands.run(["augenrules", "--load"], timeout=_LIMIT)
    return "audit rules are loaded" if done.succeeded else "audit rules will be loaded at the next boot"


def remove_audit_rules(machine: Machine) -> None:
    """Take the audit rules back; they need not be there."""
    if machine.files.read(AUDIT_RULES) is None:
        return
    machine.files.remove(AUDIT_RULES)
    machine.commands.run(["augenrules", "--load"], timeout=_LIMIT)
