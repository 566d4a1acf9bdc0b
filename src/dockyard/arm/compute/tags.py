"""Ports of the host as tags: ARM has no field for a loopback port, and tags reach every client unchanged. Pure.

``dockyard-ssh-port`` and ``dockyard-docker-port`` ask for and show the host's port of the two usual forwards;
``dockyard-forward-<name>`` = ``HOST:GUEST`` is any other (``0`` for HOST lets the fabric choose). What a security group
opens is shown the same way, a UDP port as ``HOST:GUEST/udp``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockyard.fabric.planning import DOCKER, SSH
from dockyard.fabric.requests import ForwardRequest
from dockyard.model.errors import InvalidRequest
from dockyard.model.virtual_machine import VirtualMachine

_USUAL = {"dockyard-ssh-port": SSH, "dockyard-docker-port": DOCKER}
_OTHER = "dockyard-forward-"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def forwards_asked_for(tags: Mapping[str, str]) -> tuple[ForwardRequest, ...]:
    """Return the forwards a request's tags ask for; ssh and docker always. Raises InvalidRequest."""
    forwards = [
        ForwardRequest(
            name=usual.name,
            guest_port=usual.guest_port,
            host_port=_port(tags[tag], tag=tag) if tags.get(tag) else None,
        )
        for tag, usual in _USUAL.items()
    ]
    forwards += [_other(tag, text) for tag, text in tags.items() if tag.startswith(_OTHER)]
    return tuple(forwards)


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags without those that speak of ports: what is stored."""
    return {name: text for name, text in tags.items() if name not in _USUAL and not name.startswith(_OTHER)}


def shown_tags(machine: VirtualMachine) -> dict[str, str]:
    """Return the machine's tags with its ports among them."""
    shown = dict(machine.tags)
    for forward in machine.network.forwards:
        usual = f"dockyard-{forward.name}-port"
        if usual in _USUAL:
            shown[usual] = str(forward.host_port)
        else:
            suffix = "" if forward.protocol == "tcp" else f"/{forward.protocol}"
            shown[f"{_OTHER}{forward.name}"] = f"{forward.host_port}:{forward.guest_port}{suffix}"
    return shown


def _other(tag: str, text: str) -> ForwardRequest:
    name = tag.removeprefix(_OTHER)
    ports = text.removesuffix("/udp")
    host, colon, guest = ports.partition(":")
    if not colon or not _NAME.fullmatch(name) or name in (SSH.name, DOCKER.name):
        raise InvalidRequest(
            f"The tag '{tag}' does not name a forward",
            resolution="Write it as dockyard-forward-<name> = HOST:GUEST, for example dockyard-forward-web = 8080:80.",
        )
    wanted = None if host == "0" else _port(host, tag=tag)
    protocol = "tcp" if ports == text else "udp"
    return ForwardRequest(name=name, guest_port=_port(guest, tag=tag), host_port=wanted, protocol=protocol)


def _port(text: str, *, tag: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise InvalidRequest(
        f"The tag '{tag}' holds no port number", details=f"found: '{text[:40]}'", resolution="Use 1 to 65535."
    )
