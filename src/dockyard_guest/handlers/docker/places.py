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
SERVICE = "docker.service"
SOCKET_UNIT = "docker.socket"
CONTAINERD = "containerd.service"
UNITS = (SERVICE, SOCKET_UNIT, CONTAINERD)

SWARM_STATE = "/var/lib/docker/swarm/docker-state.json"
