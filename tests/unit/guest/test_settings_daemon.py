"""Settings of the daemon's own configuration: what is taken, and what is refused by its path."""

from __future__ import annotations

import json

import pytest

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import parse_protected, public_settings
from dockyard_guest.errors import PermanentError
from dockyard_guest.handlers.docker.safe_defaults import Switch
from dockyard_guest.handlers.docker.settings import DockerSettings, parse_docker_settings
from dockyard_guest.handlers.docker.settings_daemon import ANY_DISK
from dockyard_guest.values import PlainSettings


def parsed(docker: object, protected: object = None) -> DockerSettings:
    return parse_docker_settings(
        PlainSettings(
            public=public_settings({"docker": docker}, document="0.settings"),
            protected=parse_protected(json.dumps(protected or {}), document="0.settings"),
        )
    )


def test_members_and_registries_become_members_of_the_configuration() -> None:
    daemon = parsed({"daemon": {"mtu": 1400}, "registry-mirrors": ["https://m"], "insecure-registries": ["r:5000"]})
    expected = {"mtu": 1400, "registry-mirrors": ["https://m"], "insecure-registries": ["r:5000"]}
    assert daemon.daemon.members == expected
    assert daemon.ignored == ()


@pytest.mark.parametrize("name", ["hosts", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey"])
def test_a_member_that_the_extension_manages_is_refused_by_its_path(name: str) -> None:
    with pytest.raises(PermanentError, match=rf"docker\.daemon\.{name} is managed"):
        parsed({"daemon": {name: "x"}})


@pytest.mark.parametrize(
    ("docker", "path"),
    [
        ({"daemon": {"mtu": 1400}, "options": ["--mtu=1500"]}, r"docker\.daemon\.mtu is given as --mtu"),
        ({"daemon": {"labels": ["a=b"]}, "options": ["--label a=b"]}, r"docker\.daemon\.labels is given as --label"),
        ({"daemon": {"debug": True}, "options": ["-D"]}, r"docker\.daemon\.debug is given as --debug"),
        ({"registry-mirrors": ["https://m"], "options": ["--registry-mirror=x"]}, r"docker\.registry-mirrors is given"),
        ({"registry-mirrors": [], "daemon": {"registry-mirrors": []}}, r"docker\.registry-mirrors is given as docker"),
        ({"data-disk": 0, "daemon": {"data-root": "/x"}}, r"docker\.data-disk is for /var/lib/docker"),
    ],
)
def test_what_is_said_twice_is_refused_by_its_path(docker: object, path: str) -> None:
    with pytest.raises(PermanentError, match=path):
        parsed(docker)


def test_a_member_without_a_value_is_refused() -> None:
    with pytest.raises(MalformedDocument) as caught:
        parsed({"daemon": {"mtu": None}})
    assert caught.value.member.endswith("docker.daemon.mtu")


def test_the_protected_proxy_counts_before_the_public_one() -> None:
    public = {"proxy": {"http": "http://proxy:3128", "no": "localhost, .internal,10.0.0.0/8"}}
    proxy = parsed(public, {"proxy": {"http": "http://me:canary@proxy:3128"}}).daemon.proxy
    assert proxy is not None
    assert (proxy.http, proxy.no) == ("http://me:canary@proxy:3128", "localhost, .internal,10.0.0.0/8")
    assert "canary" not in repr(proxy)


def test_a_public_proxy_with_a_password_is_refused_without_telling_it() -> None:
    with pytest.raises(PermanentError, match=r"docker\.proxy\.https has a user or a password") as caught:
        parsed({"proxy": {"https": "http://me:canary@proxy:3128"}})
    assert "canary" not in caught.value.full_text


@pytest.mark.parametrize("text", ["proxy:3128", "http://a b", 'http://a"', "http://a\nEVIL=1", "ftp://a", "http://$x"])
def test_a_proxy_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        parsed({"proxy": {"http": text}})


@pytest.mark.parametrize(
    ("given", "read"),
    [(True, ANY_DISK), (False, None), (0, 0), ("3", 3), ("/dev/sdc", "/dev/sdc"), ("/dev/disk/by-id/a-1", None)],
)
def test_a_data_disk_is_a_device_a_lun_or_any(given: object, read: object) -> None:
    assert parsed({"data-disk": given}).daemon.data_disk == (given if read is None and given else read)


@pytest.mark.parametrize("given", [-1, 64, 1.5, "sdc", "/dev/../etc/passwd", "/etc/passwd", "", [], "/dev/sd c"])
def test_another_data_disk_is_refused(given: object) -> None:
    with pytest.raises(MalformedDocument):
        parsed({"data-disk": given})


def test_each_default_has_a_switch_of_its_name() -> None:
    off = parsed({"defaults": {switch.value: False for switch in Switch}}).daemon.off
    assert off == frozenset(Switch)
    assert parsed({"defaults": {"icc": True}}).daemon.off == frozenset()


def test_names_that_mean_nothing_are_told() -> None:
    found = parsed({"defaults": {"ic": False}, "proxy": {"ftp": "x"}, "bridge": 1}, {"proxy": {"user": "x"}})
    assert found.ignored == ("docker.bridge", "docker.proxy.ftp", "docker.defaults.ic", "proxy.user")
