"""Texts of systemd units: commands found in them, words quoted for them, the drop-in made of both."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dockyard_guest.handlers.docker.unit_file import drop_in, program_words, quote, sets_start_command, start_command

DEBIAN = "/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS"


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("--label=a=b", "--label=a=b"),
        ("tcp://0.0.0.0:2376", "tcp://0.0.0.0:2376"),
        ("", '""'),
        ("two words", '"two words"'),
        ("50%", '"50%%"'),
        ("$HOME", '"$$HOME"'),
        ("${HOME}", '"$${HOME}"'),
        (r"C:\temp", r'"C:\\temp"'),
        ('say "hi"', r'"say \"hi\""'),
        ("it's", '"it\'s"'),
        ("a\tb\nc", r'"a\tb\nc"'),
        (";", '";"'),
        ("ü", '"ü"'),
    ],
)
def test_a_word_is_quoted_as_systemd_reads_it(word: str, quoted: str) -> None:
    assert quote(word) == quoted


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze to judge")
def test_systemd_itself_has_no_complaint_about_a_drop_in(tmp_path: Path) -> None:
    text = drop_in("/bin/true -H fd://", port=2376, options=("a b", "50%", "$X", r"\x", '"', "'", ";"))
    unit = tmp_path / "probe.service"
    unit.write_text(str(text).replace("ExecStart=\n", "", 1))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "probe.service" not in done.stderr


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("[Service]\nExecStart=/bin/a -x\n", "/bin/a -x"),
        ("[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b\n", "/bin/b"),
        ("[Service]\nExecStart=/bin/a\nExecStart=\n", None),
        ("[Service]\nExecStart=/bin/a \\\n  -x \\\n  -y\nType=notify\n", "/bin/a  -x  -y"),
        ("[Service]\n# ExecStart=/bin/no\n; ExecStart=/bin/no\nExecStart = /bin/a\n", "/bin/a"),
        ("[Unit]\nExecStart=/bin/no\n[Service]\nType=x\n", None),
        ("[Service]\nExecStartPre=/bin/no\nExecStart=/bin/a\n[Install]\nExecStart=/bin/no\n", "/bin/a"),
        ("", None),
    ],
)
def test_the_last_start_command_of_the_service_counts(text: str, command: str | None) -> None:
    assert start_command(text) == command


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("[Service]\nExecStart=\n", True),
        ("[Service]\nEnvironment=HTTP_PROXY=x\nExecStartPre=/bin/x\n", False),
        ("[Service]\n#ExecStart=/bin/x\n", False),
    ],
)
def test_a_drop_in_that_replaces_the_command_is_known(text: str, sets: bool) -> None:
    assert sets_start_command(text) is sets


def test_the_arguments_of_a_command_are_known_but_for_variables() -> None:
    assert program_words(DEBIAN) == ("-H", "fd://", "--containerd=/run/containerd/containerd.sock")
    assert program_words('/bin/a "b c" 50%% $$x') == ("b c", "50%", "$x")


def test_nothing_to_add_needs_no_drop_in() -> None:
    assert drop_in(DEBIAN, port=None, options=()) is None


def test_a_port_is_added_to_the_units_own_command() -> None:
    text = drop_in(DEBIAN, port=2376, options=())
    assert text is not None
    assert text.splitlines()[1:] == ["[Service]", "ExecStart=", f"ExecStart={DEBIAN} -H tcp://0.0.0.0:2376"]


def test_a_command_without_any_host_keeps_its_socket_beside_the_port() -> None:
    text = drop_in("/usr/bin/dockerd", port=2376, options=("-D",))
    assert str(text).endswith("ExecStart=/usr/bin/dockerd -H unix:///var/run/docker.sock -H tcp://0.0.0.0:2376 -D\n")
