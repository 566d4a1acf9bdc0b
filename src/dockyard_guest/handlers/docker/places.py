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

ENGINE_SOCKET = "/run/docker.sock"
PID_FILE = "/run/docker.pid"
SERVICE = "docker.service"
SOCKET_UNIT = "docker.socket"
CONTAINERD = "containerd.service"
UNITS = (SERVICE, SOCKET_UNIT, CONTAINERD)

PACKAGES = ("docker.io", "apparmor")
"""The engine, and what dockerd needs to confine containers; docker.io only recommends the latter."""

PACKAGES_IF_KNOWN = ("docker-cli", "ca-certificates")
"""Debian 13 has the client in a package of its own; registries need the authorities."""

SWARM_STATE = "/var/lib/docker/swarm/docker-state.json"
