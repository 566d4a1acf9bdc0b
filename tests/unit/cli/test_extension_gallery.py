"""``extension publish | list | show | unpublish``: judged before anything is sent, and what the server says of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.raw_zip import Raw, package, written
from tests.unit.cli.conftest import Cli
from tests.unit.client.arm_stub import ArmStub

PATH = "/publishers/Contoso/artifacttypes/vmextension/types/Agent/versions/"
IMAGE = b"""<?xml version='1.0' encoding='utf-8'?>
<ExtensionImage xmlns="http://schemas.microsoft.com/windowsazure">
  <ProviderNameSpace>Contoso</ProviderNameSpace><Type>Agent</Type><Version>2.5.0</Version>
</ExtensionImage>"""


def test_a_package_is_sent_as_it_is_under_the_files_name(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    file = tmp_path / "Contoso.Agent-1.2.0.zip"
    file.write_bytes(package())
    done = cli("extension", "publish", str(file))
    assert done.code == 0, done.err
    assert arm.sent("PUT", f"{PATH}1.2.0") == package()
    assert "Contoso.Agent" in done.out
    assert "vm extension set NAME --publisher Contoso --type Agent --version 1.2.0" in done.err


def test_options_go_before_what_the_file_says(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    file = tmp_path / "Other.Name-9.9.zip"
    file.write_bytes(package())
    words = ("--publisher", "Contoso", "--type", "Agent", "--version", "1.0")
    assert json.loads(cli("extension", "publish", str(file), *words, "-o", "json").out)["name"] == "1.0"
    assert arm.sent("PUT", f"{PATH}1.0") == package()


def test_a_package_may_tell_its_own_name(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    file = tmp_path / "agent.zip"
    file.write_bytes(package(Raw(b"manifest.xml", IMAGE)))
    assert cli("extension", "publish", str(file)).code == 0
    assert arm.sent("PUT", f"{PATH}2.5.0")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (("Contoso.Agent-1.0.zip", package(Raw(b"../up", b"x"))), "climbs out"),
        (("Contoso.Agent-1.0.zip", written([Raw(b"bin/run")])), "HandlerManifest.json"),
        (("Contoso.Agent-1.0.zip", b"text"), "not a zip file"),
        (("agent.zip", package()), "does not tell its handler's name"),
    ],
)
def test_what_cannot_be_published_is_told_before_anything_is_sent(
    cli: Cli, arm: ArmStub, tmp_path: Path, sent: tuple[str, bytes], told: str
) -> None:
    file, content = sent
    (tmp_path / file).write_bytes(content)
    done = cli("extension", "publish", str(tmp_path / file))
    assert (done.code, arm.requests) == (2, [])
    assert told in done.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--publisher", "Contoso"), "belong together"),
        (("--publisher", "Con-toso", "--type", "Agent"), "publisher"),
        (("--version", "01.0"), "version"),
    ],
)
def test_names_the_agent_could_not_use_are_told(
    cli: Cli, arm: ArmStub, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / "Contoso.Agent-1.0.zip").write_bytes(package())
    done = cli("extension", "publish", str(tmp_path / "Contoso.Agent-1.0.zip"), *words)
    assert (done.code, arm.requests) == (2, [])
    assert told in done.err


def test_a_version_with_other_content_is_a_conflict(cli: Cli, arm: ArmStub, tmp_path: Path) -> None:
    arm.package_failure = ("PackageExists", "It is there already.")
    (tmp_path / "Contoso.Agent-1.2.0.zip").write_bytes(package())
    assert cli("extension", "publish", str(tmp_path / "Contoso.Agent-1.2.0.zip")).code == 4


def test_list_and_show(cli: Cli, arm: ArmStub) -> None:
    rows = cli("extension", "list", "-o", "tsv").out.splitlines()
    assert [row.split("\t")[:2] for row in rows] == [["Contoso.Agent", v] for v in ("1.2.9", "1.3.0", "1.10.1")]
    assert cli("extension", "list", "-q").out == "Contoso.Agent\n"
    assert "1.10.1" in cli("extension", "show", "contoso.agent").out
    assert cli("extension", "show", "Contoso.Agent", "--version", "7.0").code == 3
    assert cli("extension", "show", "Contoso.Nothing").code == 3


def test_unpublish(cli: Cli, arm: ArmStub) -> None:
    assert cli("extension", "unpublish", "Contoso.Agent", "--version", "1.3.0").code == 0
    assert arm.sent("DELETE", f"{PATH}1.3.0") is None
    assert cli("extension", "unpublish", "Contoso.Agent", "--version", "1.3.1").code == 3
