"""Where guests find the platform: Azure's addresses, ports and the URLs the goal state names.

Read by every part of this room; imports nothing of it.
"""

from __future__ import annotations

from ipaddress import IPv4Address

WIRE_SERVER = IPv4Address("168.63.129.16")
METADATA = IPv4Address("169.254.169.254")

HTTP_PORT = 80
HOST_PLUGIN_PORT = 32526

WIRE_SERVER_URL = f"http://{WIRE_SERVER}"


def part_url(*, vm_id: str, instance: str, query: str) -> str:
    """The URL of one part of a machine's goal state."""
    return f"{WIRE_SERVER_URL}/machine/{vm_id}/{instance}?{query}"


def manifest_url(*, handler_name: str, version: str) -> str:
    """The URL of a handler's extension manifest."""
    return f"{WIRE_SERVER_URL}/extensions/{handler_name}/{version}/manifest.xml"


def package_url(*, handler_name: str, version: str) -> str:
    """The URL of a handler's package."""
    return f"{WIRE_SERVER_URL}/extensions/{handler_name}/{version}/package.zip"


def status_url(*, vm_id: str) -> str:
    """The URL of the blob a machine's status report goes to."""
    return f"{WIRE_SERVER_URL}/status/{vm_id}"
