"""Where things of the Docker extension lie in the machine, and what they are called."""

from __future__ import annotations

DAEMON_CONFIG = "/etc/docker/daemon.json"
DROP_IN = "/etc/systemd/system/docker.service.d/10-docker-extension.conf"
AUTHORITY = "/etc/docker/ca.pem"
CERTIFICATE = "/etc/docker/cert.pem"
KEY = "/etc/docker/key.pem"
CERTIFICATE_FILES = (AUTHORITY, CERTIFICATE, KEY)

STATE_FOLDER = "/var/lib/dockyard-docker"
RECORD = f"{STATE_FOLDER}/record.json"
LAST_GOOD = f"{STATE_FOLDER}/last-good.json"

CLIENT_FOLDER = f"{STATE_FOLDER}/client"
CLIENT_CONFIG = f"{CLIENT_FOLDER}/config.json"
COMPOSE_FOLDER = "/etc/docker/compose"
COMPOSE_FILE = f"{COMPOSE_FOLDER}/docker-compose.yml"
COMPOSE_RECORD = f"{STATE_FOLDER}/compose.json"

ENGINE_SOCKET = "/run/docker.sock"
PID_FILE = "/run/docker.pid"
SERVICE = "docker.service"
SOCKET_UNIT = "docker.socket"
CONTAINERD = "containerd.service"
UNITS = (SERVICE, SOCKET_UNIT, CONTAINERD)

SECCOMP_SUPPORT = "/proc/sys/kernel/seccomp/actions_avail"
SWARM_STATE = "/var/lib/docker/swarm/docker-state.json"

_DROP_INS = DROP_IN.rpartition("/")[0]
PROXY_DROP_IN = f"{_DROP_INS}/20-docker-extension-proxy.conf"
PROXY_ENVIRONMENT = f"{STATE_FOLDER}/proxy.env"
GUARD_DROP_IN = f"{_DROP_INS}/20-docker-extension-guard.conf"
GUARD = f"{STATE_FOLDER}/platform-guard"
DISK_DROP_IN = f"{_DROP_INS}/20-docker-extension-disk.conf"
DATA_ROOT = "/var/lib/docker"
MOUNT_UNIT = "var-lib-docker.mount"
MOUNT_FILE = f"/etc/systemd/system/{MOUNT_UNIT}"
APT_PROXY = "/etc/apt/apt.conf.d/95docker-extension-proxy"
AUDIT_RULES = "/etc/audit/rules.d/60-docker-extension.rules"
DEFAULT_OPTIONS = "/etc/default/docker"

SECCOMP_PROFILE = "/etc/docker/docker-extension-seccomp.json"

DAEMON_FILES = (PROXY_DROP_IN, PROXY_ENVIRONMENT, GUARD_DROP_IN, GUARD, SECCOMP_PROFILE)
"""What stands beside the daemon's configuration and is kept, rolled back and taken back with it."""
