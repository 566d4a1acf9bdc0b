"""Dockyard as a cloud of az: registered and logged in to by hand, and without a hand through ``dockyard az``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.az.conftest import GROUP, Az
from tests.e2e.conftest import Home

pytestmark = [pytest.mark.timeout(300)]


def test_a_cloud_is_registered_and_logged_in_to_by_hand(home: Home, program: str, tmp_path: Path, az: Az) -> None:
    known = json.loads((home.folder / "config/credentials.json").read_text())
    hand = Az(program, {"AZURE_CONFIG_DIR": str(tmp_path), "REQUESTS_CA_BUNDLE": known["ca"]})
    hand("cloud", "register", "--name", "ByHand", "--endpoint-resource-manager", known["endpoint"])
    hand("cloud", "set", "--name", "ByHand")
    login = ["login", "--service-principal", "--tenant", known["tenant_id"], "--username", known["client_id"]]
    # First, because az goes on using the token of an earlier login.
    assert "AADSTS7000215" in hand.run(*login, "--password", "wrong", expect=1).error
    (subscription,) = hand(*login, "--password", known["client_secret"])
    assert (subscription["id"], subscription["state"]) == (known["subscription_id"], "Enabled")
    assert GROUP in [group["name"] for group in hand("group", "list")]


def test_az_is_logged_in_without_a_hand(home: Home, az: Az) -> None:
    known = json.loads((home.folder / "config/credentials.json").read_text())
    account = az("account", "show")
    assert (account["id"], account["environmentName"]) == (known["subscription_id"], "Dockyard")
    assert [place["name"] for place in az("account", "list-locations")] == ["local"]


@pytest.mark.usefixtures("az")
def test_dockyard_runs_az_and_passes_its_exit_code_on(home: Home, program: str) -> None:
    path = f"{Path(program).parent}:{home.environment['PATH']}"
    found = Az(str(Path(__file__).parents[2] / ".venv/bin/dockyard"), {**home.environment, "PATH": path})
    assert found("az", "group", "show", "--name", GROUP)["name"] == GROUP
    missing = found.run("az", "group", "show", "--name", "no-such-group", expect=3)
    assert "ResourceGroupNotFound" in missing.error


def test_groups(az: Az) -> None:
    made = az("group", "create", "--name", "short-lived", "--location", "local", "--tags", "a=b")
    assert (made["properties"]["provisioningState"], made["tags"]) == ("Succeeded", {"a": "b"})
    assert az("group", "exists", "--name", "short-lived") is True
    assert az("group", "update", "--name", "short-lived", "--set", "tags.c=d")["tags"] == {"a": "b", "c": "d"}
    assert [group["name"] for group in az("group", "list", "--tag", "c=d")] == ["short-lived"]
    az("group", "delete", "--name", "short-lived", "--yes")
    assert az("group", "exists", "--name", "short-lived") is False
