"""The two configurations of the old extension's own guide (2016), on a real machine: containers up, secrets nowhere.

Its images are ours, in a registry of the machine's own that wants a password, as no public one is asked. Leaves the
machine with the certificates it had.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Home
from tests.e2e.docker_extension import new_certificates, send

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("one")]
SERVER = "127.0.0.1:5000"
PASSWORD, SECRET, ROOT_PASSWORD = "canary-word-93b1", "canary-value-2c8e", "canary-root-word-77aa"
REGISTRY = f"""set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq --yes --no-install-recommends install docker-registry >/dev/null
systemctl stop docker-registry
umask 077
mkdir -p /run/registry
read word
hash='chomp; print "myusername:", crypt($_, q($2y$05$abcdefghijklmnopqrstuu)), "\\n"'
echo "$word" | perl -ne "$hash" > /run/registry/users
cat > /run/registry/config.yml <<END
version: 0.1
storage: {{filesystem: {{rootdirectory: /run/registry/images}}}}
http: {{addr: "{SERVER}"}}
auth: {{htpasswd: {{realm: tests, path: /run/registry/users}}}}
END
systemd-run --quiet --unit=test-registry docker-registry serve /run/registry/config.yml
client="docker --config /run/registry/client"
for try in $(seq 50); do
  printf %s "$word" | $client login --username myusername --password-stdin {SERVER} && break
  sleep 0.2
done
push() {{
  answer="CMD [\\"/busybox\\", \\"nc\\", \\"-ll\\", \\"-p\\", \\"$2\\", \\"-e\\", \\"/busybox\\", \\"echo\\", \\"$1\\"]"
  docker create --name maker test/busybox >/dev/null
  docker commit --change 'ENTRYPOINT []' --change "$answer" maker {SERVER}/$1 >/dev/null
  docker rm maker >/dev/null
  $client push --quiet {SERVER}/$1
  docker rmi {SERVER}/$1 >/dev/null
}}
push memcached 11211
push ghost 2368
rm -r /run/registry/client
"""
SCAN = """import json, os, stat, subprocess, sys
secrets = [secret.encode() for secret in json.load(sys.stdin)]
found = []
def look(place, content):
    found.extend(place for secret in secrets if secret in content)
for process in filter(str.isdigit, os.listdir("/proc")):
    for name in ("cmdline", "environ"):
        try:
            look(f"/proc/{process}/{name}", open(f"/proc/{process}/{name}", "rb").read())
        except OSError:
            pass
look("the journal", subprocess.run(["journalctl", "--no-pager", "--output=cat"], capture_output=True).stdout)
for top in ("/etc", "/var", "/run", "/tmp", "/home", "/root", "/opt", "/srv"):
    for folder, _, names in os.walk(top):
        if "/overlay2" in folder or folder.startswith(("/run/registry", "/var/lib/apt", "/var/cache")):
            continue
        for path in (os.path.join(folder, name) for name in names):
            state = os.lstat(path)
            if not stat.S_ISREG(state.st_mode) or state.st_size > 50_000_000:
                continue
            keeps = state.st_mode & 0o077 == 0 and state.st_uid == 0 and not path.startswith("/var/log")
            if not keeps or path.endswith(".status"):
                try:
                    look(path, open(path, "rb").read())
                except OSError:
                    pass  # gone meanwhile, or one that answers only to its own kind of question
print(json.dumps(sorted(set(found))))
"""


def public() -> dict[str, Any]:
    """The guide's public configuration, with a registry before the images' names."""
    return {
        "docker": {"port": "2376", "options": ["-D", "--dns=8.8.8.8"]},
        "compose": {
            "cache": {"image": f"{SERVER}/memcached", "ports": ["11211:11211"]},
            "blog": {"image": f"{SERVER}/ghost", "ports": ["80:2368"]},
        },
    }


def protected() -> dict[str, Any]:
    """The guide's protected configuration, with certificates and a registry of ours."""
    return {
        "environment": {"SECRET_ENV": SECRET, "MYSQL_ROOT_PASSWORD": ROOT_PASSWORD},
        "certs": new_certificates("one"),
        "login": {"server": SERVER, "username": "myusername", "password": PASSWORD, "email": "name@example.com"},
    }


def key_lines(settings: dict[str, Any]) -> list[str]:
    """What would give the server's key away, as text and as the guide's base64."""
    encoded = settings["certs"]["key"]
    return [base64.b64decode(encoded).decode().splitlines()[2], encoded[100:180]]


@pytest.fixture(scope="module")
def registry(home: Home, docker_vm: str, busybox: str) -> str:
    """A registry in the machine that has the images and wants a password."""
    assert busybox == "test/busybox"
    home.ssh_with_input(docker_vm, f"sudo sh -c {quoted(REGISTRY)}", text=f"{PASSWORD}\n")
    return SERVER


@pytest.fixture(scope="module")
def applied(home: Home, docker_vm: str, registry: str) -> Iterator[dict[str, Any]]:
    """The guide's configurations, sent as its users sent them."""
    secret = protected()
    send(home, docker_vm, public=public(), protected=secret)
    yield secret
    home.ssh(
        docker_vm,
        "sudo sh -c 'docker rm -f compose-cache-1 compose-blog-1; systemctl kill --signal=KILL test-registry'",
    )
    home.run("vm", "docker", "renew", docker_vm)


def quoted(script: str) -> str:
    return "'" + script.replace("'", "'\\''") + "'"


def test_a_port_without_certificates_is_not_opened_as_it_was_then(home: Home, docker_vm: str, registry: str) -> None:
    told = send(home, docker_vm, public=public(), protected=None, expect=1)
    assert "certs" in told


def test_the_guides_containers_are_up_and_answer(home: Home, docker_vm: str, applied: dict[str, Any]) -> None:
    assert home.ssh(docker_vm, "sudo docker ps --format '{{.Names}}' | sort").split() == [
        "compose-blog-1",
        "compose-cache-1",
    ]
    for port, name in ((80, "ghost"), (11211, "memcached")):
        read = (
            f"python3 -c \"import socket; print(socket.create_connection(('127.0.0.1', {port}), 5).recv(99).decode())\""
        )
        assert home.ssh(docker_vm, read).strip() == name


def test_the_guides_options_are_the_engines(home: Home, docker_vm: str, applied: dict[str, Any]) -> None:
    assert home.ssh(docker_vm, "sudo docker info --format '{{.Debug}}' 2>/dev/null").strip() == "true"
    assert "8.8.8.8" in home.ssh(docker_vm, "sudo docker exec compose-blog-1 /busybox cat /etc/resolv.conf")


def test_no_secret_is_anywhere_in_the_machine(home: Home, docker_vm: str, applied: dict[str, Any]) -> None:
    secrets = [PASSWORD, SECRET, ROOT_PASSWORD, *key_lines(applied)]
    found = home.ssh_with_input(docker_vm, f"sudo python3 -c {quoted(SCAN)}", text=json.dumps(secrets))
    assert json.loads(found) == []
    planted = home.ssh_with_input(
        docker_vm,
        f"sudo sh -c 'echo {SECRET} > /var/log/planted'; sudo python3 -c {quoted(SCAN)}",
        text=json.dumps([SECRET]),
    )
    home.ssh(docker_vm, "sudo rm /var/log/planted")
    assert "/var/log/planted" in json.loads(planted)


def test_no_secret_is_anywhere_on_the_host(home: Home, docker_vm: str, applied: dict[str, Any]) -> None:
    secrets = [secret.encode() for secret in (PASSWORD, SECRET, ROOT_PASSWORD, *key_lines(applied))]
    assert [path for path in kept_files(home.folder) if any(secret in path.read_bytes() for secret in secrets)] == []


def kept_files(folder: Path) -> Iterator[Path]:
    """All that the server and the program keep, but images and the machines' disks."""
    for path in folder.rglob("*"):
        if path.is_file() and "images" not in path.parts and path.suffix not in (".qcow2", ".raw", ".img"):
            yield path
