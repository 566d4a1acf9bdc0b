"""Packages are read from zip files and folders; who does not tell the handler's name is asked for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockyard.authoring import package as packages
from dockyard.authoring import secrets
from dockyard.authoring.settings import settings_of
from dockyard.model.errors import InvalidRequest, NotFound
from tests.unit.authoring.planted import handler


@pytest.mark.parametrize(
    ("file", "name", "version"),
    [
        ("Contoso.Agent-1.0.zip", "Contoso.Agent", "1.0"),
        ("Microsoft.Azure.Extensions.Docker-1.3.0-84983e9ad1e2.zip", "Microsoft.Azure.Extensions.Docker", "1.3.0"),
    ],
)
def test_the_file_name_tells_the_handlers_name_and_version(tmp_path: Path, file: str, name: str, version: str) -> None:
    (tmp_path / file).write_bytes(handler().archive)
    found = packages.read(tmp_path / file, handler=None, version=None)
    assert (found.handler, found.version) == (name, version)
    assert (found.publisher, found.type) == tuple(name.rsplit(".", 1))


def test_a_folder_is_packed_without_what_is_not_the_handlers(tmp_path: Path) -> None:
    (tmp_path / "HandlerManifest.json").write_text("[]")
    for path in ("bin/run", "tests/test_it.py", ".git/config", "lib/__pycache__/x.pyc"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    made = [packages.read(tmp_path, handler="Contoso.Agent", version=None) for _ in range(2)]
    assert made[0].archive == made[1].archive
    assert made[0].version == "1.0.0"
    assert b"bin/run" in made[0].archive
    assert not [word for word in (b"tests/", b".git", b"pyc") if word in made[0].archive]


def test_a_projects_own_file_tells_its_version(tmp_path: Path) -> None:
    (tmp_path / "HandlerManifest.json").write_text("[]")
    (tmp_path / "VERSION").write_text("2.4.0\n")
    assert packages.read(tmp_path, handler="Contoso.Agent", version=None).version == "2.4.0"
    assert packages.read(tmp_path, handler="Contoso.Agent", version="3.0").version == "3.0"


@pytest.mark.parametrize(
    ("file", "content", "options", "kind"),
    [
        ("none.zip", None, {}, NotFound),
        ("Contoso.Agent-1.0.zip", b"text", {}, InvalidRequest),
        ("agent.zip", handler().archive, {}, InvalidRequest),
        ("agent.zip", handler().archive, {"handler": "Agent"}, InvalidRequest),
        ("agent.zip", handler().archive, {"handler": "Contoso.Agent", "version": "one"}, InvalidRequest),
    ],
)
def test_what_is_no_package_is_told(
    tmp_path: Path, file: str, content: bytes | None, options: dict[str, str], kind: type[Exception]
) -> None:
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(kind):
        packages.read(tmp_path / file, handler=options.get("handler"), version=options.get("version"))


def test_a_raised_version_is_the_next_minor_one() -> None:
    assert handler().raised().version == "1.1.0"


def test_the_canary_takes_the_place_that_is_kept_for_it() -> None:
    given = settings_of({}, {"a": [{"password": "@canary@"}], "user": "longusername"})
    (canary,) = given.hidden
    assert given.protected == {"a": [{"password": canary}], "user": "longusername"}
    assert canary not in repr(given)


def test_without_a_canary_every_longer_text_is_a_secret() -> None:
    pem = "-----BEGIN X-----\nMIIBsecretline\n-----END X-----"
    given = settings_of({}, {"key": pem, "short": "yes", "list": ["password1"]})
    assert set(given.hidden) == {"MIIBsecretline", "password1"}


def test_without_protected_settings_the_canary_is_all_there_is() -> None:
    given = settings_of({"a": 1}, None)
    assert json.loads(json.dumps(given.protected)) == {secrets.CANARY_MEMBER: given.hidden[0]}


def test_a_mask_hides_the_longest_first() -> None:
    assert secrets.mask("a password12 b", ["password", "password12"]) == "a (secret) b"
