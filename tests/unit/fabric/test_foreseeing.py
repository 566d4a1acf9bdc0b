"""What counts as a change: what a server adds by itself does not, in lists either."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.fabric.foreseeing import differences

RULE = {"name": "ssh", "properties": {"priority": 100, "access": "Allow"}}
SHOWN = {"id": "/x/ssh", "name": "ssh", "properties": {**RULE["properties"], "provisioningState": "Succeeded"}}  # type: ignore[dict-item]
OTHER = {"id": "/x/http", "name": "http", "properties": {"priority": 110, "access": "Allow"}}


def changed(before: Any, after: Any) -> list[str]:
    found = differences({"properties": {"rules": before}}, {"properties": {"rules": after}}, told={})
    return [change.path for change in found]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([SHOWN], [RULE]),
        ([OTHER, SHOWN], [RULE, {"name": "http"}]),
        ([{"id": "nic", "properties": {"primary": True}}], [{"id": "nic"}]),
        ([], []),
        (None, []),
        (["a", "b"], ["a", "b"]),
        ([{"a": 1, "b": None}], [{"a": 1, "b": None}]),
    ],
)
def test_what_is_there_is_no_change(before: Any, after: Any) -> None:
    assert changed(before, after) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([SHOWN], []),
        ([SHOWN], [RULE, OTHER]),
        ([SHOWN, OTHER], [RULE]),
        ([SHOWN], [{**RULE, "properties": {"priority": 200}}]),
        ([SHOWN], [{**RULE, "name": "http"}]),
        ([{"id": "nic"}], [{"id": "other"}]),
        (["a"], ["b"]),
        ([], ["a"]),
        (None, ["a"]),
    ],
)
def test_what_differs_is_a_change_of_the_whole_list(before: Any, after: Any) -> None:
    assert changed(before, after) == ["properties.rules"]
