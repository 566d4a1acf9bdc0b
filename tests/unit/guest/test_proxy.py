"""The proxy's texts: for the daemon's environment and for apt."""

from __future__ import annotations

from dockyard_guest.handlers.docker import proxy
from dockyard_guest.handlers.docker.settings_daemon import Proxy

GIVEN = Proxy(http="http://p:3128", https="http://p:3129", no="localhost, mirror.internal,.corp,10.0.0.0/8")


def test_the_environment_has_what_is_given_and_nothing_else() -> None:
    assert proxy.environment_text(Proxy(https="http://p:1")) == 'HTTPS_PROXY="http://p:1"\n'
    assert proxy.environment_text(None) is None


def test_the_unit_names_the_file_and_holds_no_address() -> None:
    assert "EnvironmentFile=/var/lib/dockyard-docker/proxy.env" in proxy.DROP_IN_TEXT


def test_apt_goes_the_same_way_and_straight_to_the_hosts_that_need_none() -> None:
    lines = proxy.apt_text(GIVEN).splitlines()
    assert lines[:2] == ['Acquire::http::Proxy "http://p:3128";', 'Acquire::https::Proxy "http://p:3129";']
    assert 'Acquire::http::Proxy::mirror.internal "DIRECT";' in lines
    assert not any(".corp" in line for line in lines)
