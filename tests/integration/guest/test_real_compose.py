"""The settings of 2016 for containers, on a real engine with real compose and a registry with a password."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockyard.gallery.archive import handler_archive
from tests.integration.guest.engine_files import engine_of, programs_of
from tests.integration.guest.namespace import enter

INSIDE = Path(__file__).with_name("compose_inside.py")
pytestmark = [
    pytest.mark.privileged,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt to fetch an engine"),
]
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """What happened inside."""
    cache = Path(request.config.cache.mkdir("engines"))
    tree = programs_of("trixie", ("docker-compose", "docker-registry"), cache=cache)
    scratch = tmp_path_factory.mktemp("compose")
    package = scratch / "package.zip"
    package.write_bytes(handler_archive(handler="docker"))
    told: Seen = enter(INSIDE, str(engine_of("trixie", cache=cache)), str(package), str(tree), str(scratch))
    return told


def told(story: Seen) -> str:
    """All that the status of a story says."""
    status = story["final"]
    parts = [status["formattedMessage"]["message"]]
    parts += [f"{part['name']}: {part['formattedMessage']['message']}" for part in status["substatus"]]
    return "\n".join(parts)


def test_a_refused_login_names_the_registry(seen: Seen) -> None:
    assert seen["wrong_password"]["final"]["status"] == "error"
    text = told(seen["wrong_password"])
    assert "refused the login of builder" in text, text


def test_the_sample_of_2016_runs(seen: Seen) -> None:
    assert seen["sample"]["final"]["status"] == "success", told(seen["sample"])
    assert seen["sample"]["running"] == ["compose-web-1"]
    assert "web: Up" in told(seen["sample"])


def test_public_and_secret_variables_are_in_the_container(seen: Seen) -> None:
    assert seen["said"] == "shown canary-variable-81fc"


def test_the_same_containers_are_not_started_again(seen: Seen) -> None:
    assert seen["again"]["final"]["status"] == "success"
    assert seen["kept"]


def test_a_text_replaces_services(seen: Seen) -> None:
    assert seen["text"]["running"] == ["compose-other-1"], told(seen["text"])


def test_a_wrong_file_leaves_containers_alone(seen: Seen) -> None:
    assert seen["wrong"]["final"]["status"] == "error"
    assert "The compose program refuses the setting compose" in told(seen["wrong"])
    assert seen["wrong"]["running"] == ["compose-other-1"]


def test_an_image_that_is_nowhere_is_named(seen: Seen) -> None:
    assert seen["nowhere"]["final"]["status"] == "error"
    assert "none:1" in told(seen["nowhere"])


def test_files_with_secrets_are_for_root_alone(seen: Seen) -> None:
    assert set(seen["modes"].values()) == {"0o600"}


def test_no_secret_stands_in_status_log_or_process(seen: Seen) -> None:
    assert seen["leaks"] == []


def test_containers_go_when_the_settings_say_so(seen: Seen) -> None:
    assert seen["gone"]["final"]["status"] == "success", told(seen["gone"])
    assert seen["gone"]["running"] == []
