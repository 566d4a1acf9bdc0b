"""Which of the engine's many words are its reason: texts as dockerd 20.10 and 26.1 wrote them."""

from __future__ import annotations

import pytest

from dockyard_guest.handlers.docker.judgement import first_words

FAILED_START = """time="2026-11-23T23:08:54Z" level=info msg="Daemon shutdown complete"
docker.service: Referenced but unset environment variable evaluates to an empty string: DOCKER_OPTS
time="2026-11-23T23:08:56Z" level=info msg="Starting up"
mkdir /proc/nowhere: no such file or directory
"""
CONFLICT = (
    "unable to configure the Docker daemon with file /etc/docker/daemon.json: the following directives are specified "
    "both as a flag and in the configuration file: hosts"
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FAILED_START, "mkdir /proc/nowhere: no such file or directory"),
        ("Status: unknown flag: --bogus\nSee 'dockerd --help'., Code: 125\n", "unknown flag: --bogus"),
        (
            'Status: invalid argument "a" for "--label" flag: bad attribute format: a\nSee \'dockerd --help\'.',
            'invalid argument "a" for "--label" flag: bad attribute format: a',
        ),
        (f"level=info msg=x\n{CONFLICT}\n", CONFLICT),
        ('"dockerd" accepts no argument(s).\nSee \'dockerd --help\'.\n\nUsage:  dockerd [OPTIONS]\n\nA runtime.',
         '"dockerd" accepts no argument(s).'),
        ("failed to start daemon: no such device\nlevel=info msg=bye", "failed to start daemon: no such device"),
        ('level=info msg="failed to load a plugin"\nthe real reason', "the real reason"),
        ("level=info msg=only", "level=info msg=only"),
        ("", "it gave no reason"),
    ],
)  # fmt: skip
def test_the_line_that_says_most_is_found(text: str, words: str) -> None:
    assert first_words(text) == words
