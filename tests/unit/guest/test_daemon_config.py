"""The daemon's configuration: what is the user's stays, what is the extension's comes and goes."""

from __future__ import annotations

import json

import pytest

from dockyard_contract.errors import MalformedDocument
from dockyard_guest.handlers.docker.daemon_config import can_be_reloaded, foreign, merge

TLS: dict[str, object] = {"tlsverify": True, "tlscacert": "/etc/docker/ca.pem"}


def test_members_are_added_to_the_users_own() -> None:
    merged = merge(b'{"mtu": 1400}', wanted=TLS, ours={})
    assert json.loads(merged.content or b"") == {"mtu": 1400, **TLS}
    assert merged.ours == TLS


def test_members_that_are_no_longer_wanted_are_taken_back() -> None:
    merged = merge(b'{"mtu": 1400, "tlsverify": true}', wanted={}, ours=TLS)
    assert json.loads(merged.content or b"") == {"mtu": 1400}
    assert merged.ours == {}


def test_a_member_the_user_has_changed_since_is_his() -> None:
    existing = b'{"tlsverify": false}'
    assert merge(existing, wanted={}, ours=TLS).content == existing


def test_a_file_that_needs_no_change_keeps_its_very_text() -> None:
    existing = b'{\n\t"tlsverify" : true,   "tlscacert":"/etc/docker/ca.pem" }'
    assert merge(existing, wanted=TLS, ours=TLS).content == existing


def test_a_member_the_user_had_already_does_not_become_ours() -> None:
    assert merge(b'{"live-restore": true}', wanted={"live-restore": True}, ours={}).ours == {}


def test_nothing_left_means_no_file() -> None:
    assert merge(b'{"tlsverify": true}', wanted={}, ours=TLS).content is None
    assert merge(None, wanted={}, ours={}).content is None


def test_what_the_user_has_said_himself_can_be_told_apart() -> None:
    assert json.loads(foreign(b'{"mtu": 1, "tlsverify": true}', ours=TLS) or b"") == {"mtu": 1}


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"a": 1,}', b"\xff"])
def test_a_file_that_is_no_object_is_named(text: bytes) -> None:
    with pytest.raises(MalformedDocument) as caught:
        merge(text, wanted=TLS, ours={})
    assert caught.value.document == "/etc/docker/daemon.json"


@pytest.mark.parametrize("text", [b"", b" \n"])
def test_an_empty_file_is_an_empty_object(text: bytes) -> None:
    assert json.loads(merge(text, wanted=TLS, ours={}).content or b"") == TLS


def test_a_member_of_the_users_that_was_replaced_comes_back() -> None:
    first = merge(b'{"mtu": 1500}', wanted={"mtu": 1400}, ours={})
    assert first.displaced == {"mtu": 1500}
    again = merge(first.content, wanted={"mtu": 1300}, ours=first.ours, displaced=first.displaced)
    assert again.displaced == {"mtu": 1500}
    gone = merge(again.content, wanted={}, ours=again.ours, displaced=again.displaced)
    assert json.loads(gone.content or b"") == {"mtu": 1500}
    assert gone.displaced == {}


def test_the_users_later_word_comes_back_instead_of_his_earlier_one() -> None:
    first = merge(b'{"mtu": 1500}', wanted={"mtu": 1400}, ours={})
    again = merge(b'{"mtu": 9000}', wanted={"mtu": 1400}, ours=first.ours, displaced=first.displaced)
    gone = merge(again.content, wanted={}, ours=again.ours, displaced=again.displaced)
    assert json.loads(gone.content or b"") == {"mtu": 9000}


@pytest.mark.parametrize(
    ("before", "after", "reloads"),
    [
        (b"{}", b'{"debug": true}', True),
        (b'{"labels": ["a=b"]}', b'{"labels": []}', True),
        (b'{"labels": ["a=b"]}', b"{}", False),
        (b"{}", b'{"debug": true, "icc": false}', False),
        (None, None, True),
    ],
)
def test_a_running_engine_learns_some_members_by_reading_again(
    before: bytes | None, after: bytes | None, *, reloads: bool
) -> None:
    assert can_be_reloaded(before, after) is reloads
