"""Runs inside namespaces of its own: the safe defaults and the guard, seen from containers of a real dockerd.

As `inside`, whose parts it uses, but with dockerd's own bridge and rules. Addresses of the platform stand behind a
device, in a namespace of their own, with servers on them. Prints what happened as one JSON object.

Started by ``test_real_daemon.py``: ``python inside_daemon.py <folder of the engine> <scratch folder>``.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.integration.guest.inside import PROGRAMS, SOCKET, Bench, docker, prepare

PLATFORM, METADATA, ELSEWHERE = "168.63.129.16", "169.254.169.254", "203.0.113.7"
FAR, SERVE = "192.0.2.2", "serve"
ENDPOINTS = [(PLATFORM, 80), (PLATFORM, 32526), (PLATFORM, 443), (METADATA, 80), (PLATFORM, 53), (ELSEWHERE, 80)]
PROBE = f"""import socket
with socket.create_connection(("192.0.2.1", 8001), timeout=5, source_address=("{PLATFORM}", 0)) as connection:
    print(connection.recv(5).decode(), end="")
"""
OPENS = """import errno, socket
for family, kind in ((1, 1), (2, 1), (38, 5)):
    try:
        socket.socket(family, kind).close()
        print("open")
    except OSError as error:
        print(errno.errorcode[error.errno])
"""
CONFIG = Path("/etc/docker/daemon.json")
IMAGE = "busybox:1"


def make_platform() -> int:
    """Put the platform's addresses behind a device, in a namespace with a server on each port; its process."""
    far = subprocess.Popen(["unshare", "--net", "--kill-child", sys.executable, __file__, SERVE]).pid
    subprocess.run(["ip", "link", "add", "near", "type", "veth", "peer", "name", "far"], check=True)
    while Path(f"/proc/{far}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
        time.sleep(0.05)
    subprocess.run(["ip", "link", "set", "far", "netns", str(far)], check=True)
    subprocess.run(["ip", "address", "add", "192.0.2.1/24", "dev", "near"], check=True)
    subprocess.run(["ip", "link", "set", "near", "up"], check=True)
    for words in (
        ["link", "set", "lo", "up"],
        ["address", "add", FAR + "/24", "dev", "far"],
        ["link", "set", "far", "up"],
    ):
        subprocess.run(["nsenter", f"--net=/proc/{far}/ns/net", "ip", *words], check=True)
    for address in (PLATFORM, METADATA, ELSEWHERE):
        subprocess.run(
            ["nsenter", f"--net=/proc/{far}/ns/net", "ip", "address", "add", address, "dev", "lo"], check=True
        )
        subprocess.run(["ip", "route", "add", address, "via", FAR], check=True)
    return far


def serve() -> None:
    """Answer on every port, for as long as this process lives."""
    servers = [socket.create_server(("", port)) for port in sorted({port for _, port in ENDPOINTS})]
    while True:
        for server in select.select(servers, [], [])[0]:
            connection, _ = server.accept()
            with suppress(OSError), connection:
                connection.sendall(b"secret\n")


def probe(far: int) -> str:
    """What the platform's own probe hears from a published port."""
    argv = ["nsenter", f"--net=/proc/{far}/ns/net", sys.executable, "-c", PROBE]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60).stdout


def from_host() -> list[str]:
    """The endpoints that a process of the machine itself reads."""
    found = []
    for address, port in ENDPOINTS:
        with suppress(OSError), socket.create_connection((address, port), timeout=3) as connection:
            found += [f"{address}:{port}"] if connection.recv(7) else []
    return found


def from_container(network: str) -> list[str]:
    """The endpoints that a container reads."""
    script = " ".join(
        f"(busybox nc -w 2 {address} {port} </dev/null | busybox grep -q secret && echo {address}:{port}) &"
        for address, port in ENDPOINTS
    )
    output = docker("run", "--rm", f"--network={network}", IMAGE, "/bin/busybox", "sh", "-c", f"{script} wait")
    names = [f"{address}:{port}" for address, port in ENDPOINTS]
    return sorted(output.split(), key=names.index)


def make_image() -> str:
    """An image of one static program, with a port that links may open."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    root = Path("/run/image/bin")
    root.mkdir(parents=True)
    shutil.copy(busybox, root / "busybox")
    archive = subprocess.run(["tar", "-C", "/run/image", "-c", "."], capture_output=True, check=True).stdout
    change = ["--change", "EXPOSE 8000", "--change", "ENV PATH=/bin"]
    return docker("import", *change, "-", IMAGE, stdin=archive)


def neighbour(name: str, *words: str) -> str:
    """Start a container that answers on port 8000; its address."""
    answer = ["/bin/busybox", "nc", "-ll", "-p", "8000", "-e", "/bin/busybox", "echo", "hello"]
    docker("run", "-d", "--name", name, *words, IMAGE, *answer)
    return docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name)


def hears(address: str, *words: str) -> bool:
    """Whether a container hears its neighbour."""
    ask = f"busybox nc -w 2 {address} 8000 </dev/null"
    argv = [
        f"{PROGRAMS}/docker",
        "-H",
        f"unix://{SOCKET}",
        "run",
        "--rm",
        *words,
        IMAGE,
        "/bin/busybox",
        "sh",
        "-c",
        ask,
    ]
    return b"hello" in subprocess.run(argv, capture_output=True, check=False, timeout=60).stdout


def published(address: str) -> bool:
    """Whether the machine itself hears a published port."""
    with suppress(OSError), socket.create_connection((address, 8001), timeout=5) as connection:
        return connection.recv(5) == b"hello"
    return False


def opens_sockets() -> list[str]:
    """What a container's program gets that asks for a socket of Unix, the internet, and the kernel's cryptography.

    The program is this Python, on the machine's own files: the image has none that could try.
    """
    words = ["run", "--rm", "-v", "/:/machine:ro", IMAGE, "/bin/busybox", "chroot", "/machine", sys.executable, "-c"]
    return docker(*words, OPENS).split()


def described(name: str) -> dict[str, object]:
    """What the engine says about itself and about a container."""
    info = json.loads(docker("info", "--format", "{{json .}}"))
    inspected = json.loads(docker("inspect", name))[0]["HostConfig"]
    status = docker("exec", name, "/bin/busybox", "grep", "-E", "NoNewPrivs|Seccomp:", "/proc/self/status")
    proxies = subprocess.run(["pgrep", "-c", "docker-proxy"], capture_output=True, check=False).stdout
    return {
        "security": info["SecurityOptions"],
        "live restore": info["LiveRestoreEnabled"],
        "log": inspected["LogConfig"],
        "process": status.split(),
        "proxies": int(proxies),
    }


def main(engine: Path, scratch: Path) -> dict[str, object]:
    """All that happens, in order; later parts stand on earlier ones."""
    prepare(engine, scratch, network="")
    far = make_platform()
    bench = Bench(scratch)
    seen: dict[str, object] = {}

    def note(name: str, act: Callable[[], object]) -> None:
        seen[name] = act()

    bench.services.restart("docker.service")
    make_image()
    note("stock: bridge", lambda: from_container("bridge"))
    address = neighbour("before", "--publish=8001:8000")
    note("stock: neighbour", lambda: hears(address))
    note("stock: described", lambda: described("before"))
    note("stock: sockets", opens_sockets)
    docker("rm", "-f", "before")
    note("applied", bench.apply)
    docker("network", "create", "own")
    for network in ("bridge", "own"):
        note(f"ours: {network}", lambda: from_container(network))  # noqa: B023 - called at once
    note("ours: machine", from_host)
    other = neighbour("other", "--publish=8001:8000")
    note("ours: neighbour", lambda: hears(other))
    note("ours: linked", lambda: hears("other", "--link=other"))
    neighbour("third", "--network=own")
    note("ours: neighbour on an own network", lambda: hears("third", "--network=own"))
    note("ours: described", lambda: described("other"))
    note("ours: sockets", opens_sockets)
    note("ours: published", lambda: [published("127.0.0.1"), published("192.0.2.1")])
    note("ours: probe", lambda: probe(far))
    bench.services.restart("docker.service")
    note("ours: bridge after a restart", lambda: from_container("bridge"))
    subprocess.run(["iptables", "-t", "raw", "-F"], check=True)
    note("rules lost", lambda: from_container("bridge"))
    bench.services.restart("docker.service")
    note("ours: bridge after rules were lost", lambda: from_container("bridge"))
    good = CONFIG.read_text()
    note("wrong member", lambda: bench.apply(more={"daemon": {"storage-driver": "nonsense"}}))
    note("unknown member", lambda: bench.apply(more={"daemon": {"no-such-member": 1}}))
    note("configuration kept", lambda: CONFIG.read_text() == good)
    mirror = {"registry-mirrors": ["https://mirror.invalid/"], "daemon": {"labels": ["a=b"]}}
    note("reloaded", lambda: bench.apply(more=mirror))
    note("after reload", lambda: docker("info", "--format", "{{json .RegistryConfig.Mirrors}} {{json .Labels}}"))
    note("proxied", lambda: bench.apply(more={"proxy": {"http": "http://proxy.invalid:3128"}}))
    note("proxy", lambda: docker("info", "--format", "{{.HTTPProxy}}"))
    note("uninstalled", bench.handler.uninstall)
    note("left: bridge", lambda: from_container("bridge"))
    note("left: rules", lambda: subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout)
    note("left: files", lambda: sorted(file.name for file in Path("/var/lib/dockyard-docker").iterdir()))
    docker("rm", "-f", "other", "third")
    bench.services.stop(["docker.service"])
    os.kill(far, signal.SIGKILL)
    return seen


if __name__ == "__main__":
    if sys.argv[1:] == [SERVE]:
        serve()
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2])), default=str))
