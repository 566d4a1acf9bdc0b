"""A template as they were written for the Docker extension, deployed by az: network, machine, containers, outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.az.conftest import GROUP, Az, fetched, forwarded

pytestmark = [pytest.mark.timeout(900)]
TEMPLATE = str(Path(__file__).parent / "templates/docker-machine.json")
OF_GROUP = ("--resource-group", GROUP)
WHOLE = (*OF_GROUP, "--name", "whole")


def given(key: Path) -> list[str]:
    public = Path(f"{key}.pub").read_text().strip()
    parameters = ("adminUsername=azureuser", "dnsNameForPublicIP=composed", f"adminPublicKey={public}")
    return ["--template-file", TEMPLATE, "--parameters", *parameters]


def test_it_is_found_valid_and_foreseen(az: Az, key: Path) -> None:
    valid = az("deployment", "group", "validate", *WHOLE, *given(key))
    assert valid["properties"]["provisioningState"] == "Succeeded"
    foreseen = az("deployment", "group", "what-if", *WHOLE, *given(key), "--no-pretty-print")
    kinds = [change["changeType"] for change in foreseen["changes"]]
    assert kinds.count("Create") == 7
    assert set(kinds) <= {"Create", "Ignore"}  # an earlier machine's network may still be in the group, as on Azure


def test_its_containers_are_up_and_its_outputs_printed(az: Az, key: Path) -> None:
    seconds, made = az.timed("deployment", "group", "create", *WHOLE, *given(key))
    print(f"deployment to prompt: {seconds:.1f} s")
    properties = made["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["outputs"]["address"] == {"type": "String", "value": "127.0.0.1"}
    assert properties["outputs"]["machine"]["value"].endswith("/virtualMachines/composed")
    assert properties["parameters"]["adminPublicKey"] == {"type": "SecureString"}
    port = forwarded(az, "composed", guest=8088)
    assert "localhost" in fetched(f"http://127.0.0.1:{port}/hosts")


def test_its_operations_are_listed(az: Az) -> None:
    operations = az("deployment", "operation", "group", "list", *WHOLE)
    states = {operation["properties"]["provisioningState"] for operation in operations}
    assert states == {"Succeeded"}
    assert len(operations) >= 7


def test_deploying_again_changes_nothing(az: Az, key: Path) -> None:
    again = az("deployment", "group", "create", *WHOLE, *given(key))
    assert again["properties"]["provisioningState"] == "Succeeded"
    assert [machine["name"] for machine in az("vm", "list", *OF_GROUP)] == ["composed"]


def test_the_group_goes_with_all_that_was_made(az: Az) -> None:
    az("group", "delete", "--name", GROUP, "--yes")
    assert az("group", "exists", "--name", GROUP) is False
    az("group", "create", "--name", GROUP, "--location", "local")
    assert az("resource", "list", *OF_GROUP) == []
