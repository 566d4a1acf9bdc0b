"""The proxy: for the daemon by way of an environment file of root alone, for apt by a file that is there as it works.

The daemon's unit names the file only: what a unit says in ``Environment=`` every user of the machine can read.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .places import APT_PROXY, PROXY_ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dockyard_guest.ports import Machine

    from .settings_daemon import Proxy

DROP_IN_TEXT = f"""# Written by the Docker extension; docker.proxy of its settings says which proxy.
[Service]
EnvironmentFile={PROXY_ENVIRONMENT}
"""
_SECRET = 0o600
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


def environment_text(proxy: Proxy | None) -> str | None:
    """The environment file; ``None`` when there is no proxy."""
    if proxy is None:
        return None
    members = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": proxy.no}
    return "".join(f'{name}="{value}"\n' for name, value in members.items() if value)


def apt_text(proxy: Proxy) -> str:
    """What apt must be told to go the same way."""
    lines = [
        f'Acquire::{scheme}::Proxy "{value}";'
        for scheme, value in (("http", proxy.http), ("https", proxy.https))
        if value
    ]
    hosts = [host for host in re.split(r"[ ,]+", proxy.no) if _HOST.fullmatch(host)]
    lines += [f'Acquire::{scheme}::Proxy::{host} "DIRECT";' for host in hosts for scheme in ("http", "https")]
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def apt_goes_by(proxy: Proxy | None, *, machine: Machine) -> Iterator[None]:
    """Let apt go by the proxy for as long as this lasts. What an interrupted command left is removed first."""
    machine.files.remove(APT_PROXY)
    if proxy is None or not machine.packages.is_available():
        yield
        return
    machine.files.make_folder(APT_PROXY.rpartition("/")[0], mode=0o755)
    machine.files.write(APT_PROXY, apt_text(proxy).encode(), mode=_SECRET)
    try:
        yield
    finally:
        machine.files.remove(APT_PROXY)
