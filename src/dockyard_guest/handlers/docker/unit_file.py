"""Texts of systemd units: reading the start command of a unit, quoting words for one, and the extension's drop-in.

Pure. The rules are those of systemd.service(5) and systemd.syntax(7): words are separated by blanks, quotes group,
a backslash escapes, ``%`` begins a specifier and ``$`` a variable.
"""

from __future__ import annotations

import shlex

from .flags import flags_of

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=.,:/+@")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_HEAD = "# Written by the Docker extension and replaced by it: put changes into docker.options of its settings.\n"
_DEFAULT_HOST = "unix:///var/run/docker.sock"


def quote(word: str) -> str:
    """A word as it must stand in a start command to arrive unchanged."""
    if word and set(word) <= _PLAIN:
        return word
    return '"' + "".join(_ESCAPES.get(letter, letter) for letter in word) + '"'


def start_command(text: str) -> str | None:
    """The command of the last ``ExecStart=`` in the section ``[Service]``; ``None`` when there is none left."""
    command: str | None = None
    section = ""
    for line in _logical_lines(text):
        if line.startswith("["):
            section = line
        name, equals, value = line.partition("=")
        if section == "[Service]" and equals and name.strip() == "ExecStart":
            command = value.strip() or None
    return command


def sets_start_command(text: str) -> bool:
    """Whether a drop-in says anything about the start command."""
    return any(line.partition("=")[0].strip() == "ExecStart" for line in _logical_lines(text))


def program_words(command: str) -> tuple[str, ...]:
    """The arguments of a start command as far as they can be known: without the program and without variables."""
    try:
        words = shlex.split(command)[1:]
    except ValueError:
        words = command.split()[1:]
    known = [word for word in words if word.startswith("$$") or not word.startswith("$")]
    return tuple(word.replace("%%", "%").replace("$$", "$") for word in known)


def added_words(base: str, *, port: int | None, options: tuple[str, ...]) -> tuple[str, ...]:
    """What must follow the unit's own command: hosts, then the user's options."""
    remote = () if port is None else ("-H", f"tcp://0.0.0.0:{port}")
    has_host = any(flag.name == "host" for flag in flags_of(program_words(base)))
    # A daemon that is told any host no longer listens on its usual socket by itself.
    local = () if has_host or not remote else ("-H", _DEFAULT_HOST)
    return (*local, *remote, *options)


def drop_in(base: str, *, port: int | None, options: tuple[str, ...]) -> str | None:
    """The drop-in that adds words to the unit's own command; ``None`` when there is nothing to add."""
    added = added_words(base, port=port, options=options)
    if not added:
        return None
    command = " ".join([base, *(quote(word) for word in added)])
    return f"{_HEAD}[Service]\nExecStart=\nExecStart={command}\n"


def _logical_lines(text: str) -> list[str]:
    lines: list[str] = []
    joined = ""
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(("#", ";")):
            continue
        if stripped.endswith("\\"):
            joined += stripped[:-1] + " "
            continue
        lines.append((joined + stripped).strip())
        joined = ""
    return [*lines, joined.strip()]
