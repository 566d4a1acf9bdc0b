"""``vm extension``: settings checked before they are sent, secrets that never show."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli, Result
from tests.unit.client.arm_stub import ArmStub

SET = ("vm", "extension", "set", "web", "--publisher", "Contoso", "--type", "Agent")


@pytest.fixture(autouse=True)
def machine(arm: ArmStub) -> None:
    arm.add_machine("web")


def sent(arm: ArmStub, name: str = "Agent") -> dict[str, object]:
    properties: dict[str, object] = arm.sent("PUT", f"/extensions/{name}")["properties"]
    return properties


def test_set_asks_the_gallery_for_the_newest_version(cli: Cli, arm: ArmStub) -> None:
    assert cli(*SET).code == 0
    assert sent(arm)["typeHandlerVersion"] == "1.10"


def test_set_sends_what_was_given(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"a": [1]}')
    done = cli(*SET, "--name", "mine", "--version", "2.0", "--settings", f"@{file}", "--force-update")
    assert done.code == 0, done.err
    properties = sent(arm, "mine")
    assert (properties["type"], properties["typeHandlerVersion"], properties["settings"]) == (
        "Agent",
        "2.0",
        {"a": [1]},
    )
    assert properties["forceUpdateTag"]


def test_name_may_stand_for_the_type(cli: Cli, arm: ArmStub) -> None:
    done = cli("vm", "extension", "set", "web", "--publisher", "Contoso", "--name", "Agent", "--version", "1.0")
    assert done.code == 0, done.err
    assert sent(arm)["type"] == "Agent"


def protected(cli: Cli, text: str) -> Result:
    return cli(*SET, "--version", "1.0", "--protected-settings", text)


def test_protected_settings_may_come_from_standard_input(
    cli: Cli, arm: ArmStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('{"password": "hush"}'))
    done = protected(cli, "-")
    assert done.code == 0, done.err
    assert sent(arm)["protectedSettings"] == {"password": "hush"}
    assert "hush" not in done.out + done.err


@pytest.mark.parametrize("text", ['["hush"]', '"hush"', "hush", '{"a": hush}', "@/nowhere", "1"])
def test_settings_that_are_no_object_are_refused_before_anything_is_sent(cli: Cli, arm: ArmStub, text: str) -> None:
    for option in ("--settings", "--protected-settings"):
        done = cli(*SET, "--version", "1.0", option, text)
        assert done.code == 2
        assert option in done.err
        assert "hush" not in done.err
    assert arm.requests == []


def test_failure_of_the_handler_is_exit_code_1(cli: Cli, arm: ArmStub) -> None:
    arm.extension_failure = ("VMExtensionProvisioningError", "VM has reported a failure.\nIt says no.")
    done = cli(*SET, "--version", "1.0")
    assert done.code == 1
    assert "It says no." in done.err


def test_deadline_of_the_handler_is_exit_code_6(cli: Cli, arm: ArmStub) -> None:
    arm.extension_failure = ("VMExtensionProvisioningTimeout", "It took too long.")
    assert cli(*SET, "--version", "1.0").code == 6


def test_list_and_show_tell_what_the_handler_said(cli: Cli, arm: ArmStub) -> None:
    cli(*SET, "--version", "1.0")
    assert cli("vm", "extension", "list", "web", "-q").out == "Agent\n"
    assert "Contoso.Agent" in cli("vm", "extension", "list", "web").out
    shown = json.loads(cli("vm", "extension", "show", "web", "Agent", "-o", "json").out)
    assert shown["properties"]["instanceView"]["substatuses"][0]["message"] == "docker 28"
    assert "docker 28" in cli("vm", "extension", "show", "web", "Agent").out


def test_delete_removes_it_once(cli: Cli, arm: ArmStub) -> None:
    cli(*SET, "--version", "1.0")
    assert cli("vm", "extension", "delete", "web", "Agent").code == 0
    assert cli("vm", "extension", "delete", "web", "Agent").code == 3


def test_machine_that_is_not_there_is_not_found(cli: Cli, arm: ArmStub) -> None:
    assert cli("vm", "extension", "list", "nope").code == 3
