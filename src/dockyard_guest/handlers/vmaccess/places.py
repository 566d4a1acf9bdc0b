"""Where the VMAccess extension keeps and finds things. Pure."""

from __future__ import annotations

STATE = "/var/lib/dockyard-vmaccess"
BACKUP = f"{STATE}/sshd_config.backup"
TRIAL = f"{STATE}/sshd_config.trial"
SSH_FOLDER = "/etc/ssh"
SSHD_CONFIG = f"{SSH_FOLDER}/sshd_config"
DROP_INS = f"{SSH_FOLDER}/sshd_config.d"
SET_ASIDE = ".set-aside"
"""What ends the name of a drop-in, or of a host key, that was in the way."""

RUN_SSHD = "/run/sshd"
AUTHORIZED_KEYS = ".ssh/authorized_keys"
SUDOERS = "/etc/sudoers.d"
LOGIN_DEFS = "/etc/login.defs"
SHADOW = "/etc/shadow"
PROVISIONING = "/var/lib/waagent/ovf-env.xml"
"""What the machine was made with, as the agent keeps it."""


def password_drop_in(user: str) -> str:
    """The file that lets one user in by password; it comes before all others, as the first word counts."""
    return f"{DROP_INS}/00-vmaccess-{user}.conf"


def sudo_rule(user: str) -> str:
    """The file that lets one user become root. sudo leaves out files whose names have a dot."""
    return f"{SUDOERS}/90-vmaccess-{user.replace('.', '%2E')}"
