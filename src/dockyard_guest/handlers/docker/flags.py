"""Reading ``docker.options``: dockerd's flags as users wrote them for the extension of 2016, some not theirs to set.

Pure. One option may hold several words, ``"--label=a=b -D"``. A word counts as a flag wherever it stands, even where
dockerd would take it for another flag's value: a listener without certificates must not slip through a doubt.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError

_SWITCHES = frozenset("Dhv")
_MANAGED = {
    "tls": "certificates come from the protected settings `certs`",
    "tlsverify": "certificates come from the protected settings `certs`",
    "tlscacert": "certificates come from the protected settings `certs`",
    "tlscert": "certificates come from the protected settings `certs`",
    "tlskey": "certificates come from the protected settings `certs`",
    "config-file": "the daemon's configuration file is where the extension keeps the certificates' places",
    "validate": "it makes the daemon exit",
    "version": "it makes the daemon exit",
    "help": "it makes the daemon exit",
}
_SHORT = {
    "H": "host",
    "D": "debug",
    "v": "version",
    "h": "help",
    "l": "log-level",
    "p": "pidfile",
    "G": "group",
    "s": "storage-driver",
    "b": "bridge",
    "g": "data-root",
}
MANAGED_MEMBERS = {
    "hosts": "docker.port opens the engine to the network, and the unit file has its unix socket",
    **{name: _MANAGED[name] for name in ("tls", "tlsverify", "tlscacert", "tlscert", "tlskey")},
}
"""Members of ``daemon.json`` that are the extension's own, and why."""

_PLURALS = frozenset(
    (
        *("host", "label", "registry-mirror", "storage-opt", "exec-opt", "log-opt", "default-ulimit", "dns-opt"),
        *("authorization-plugin", "feature", "node-generic-resource", "default-address-pool", "default-network-opt"),
        *("cdi-spec-dir", "allow-nondistributable-artifact"),
    )
)
_OTHER_MEMBERS = {"insecure-registry": "insecure-registries", "add-runtime": "runtimes", "graph": "data-root"}


@dataclass(frozen=True)
class Flag:
    """One flag: its long name, and its value if that is in the same word or must be the next."""

    name: str
    value: str


def split_option(text: str, *, member: str) -> tuple[str, ...]:
    """The words of one option. Quotes group, a backslash is a backslash.

    Raises:
        PermanentError: A quote is not closed, or there are characters that cannot be part of a command line.
    """
    if any((ord(letter) < 32 and letter not in "\t\n\r") or ord(letter) == 127 for letter in text):
        raise _refused(member, "has control characters")
    reader = shlex.shlex(text, posix=True, punctuation_chars=False)
    reader.whitespace_split = True
    reader.commenters = ""
    reader.escape = ""
    try:
        return tuple(reader)
    except ValueError:
        raise _refused(member, "has a quote that is not closed") from None


def flags_of(words: tuple[str, ...]) -> tuple[Flag, ...]:
    """Every flag among the words."""
    following = (*words[1:], "")
    return tuple(flag for word, after in zip(words, following) for flag in _flags_in(word, following=after))


def members_of_flags(words: tuple[str, ...]) -> dict[str, Flag]:
    """The flags among the words by the names their values have in ``daemon.json``."""
    return {_member_of(flag.name): flag for flag in flags_of(words)}


def check_flags(words: tuple[str, ...], *, members: tuple[str, ...], with_certificates: bool) -> None:
    """Make sure that no word takes over what the extension itself manages. `members` says where each word is from.

    Raises:
        PermanentError: One does, and why.
    """
    for word, following, member in zip(words, (*words[1:], ""), members):
        for flag in _flags_in(word, following=following):
            if flag.name in _MANAGED:
                raise _refused(member, f"has --{flag.name}: {_MANAGED[flag.name]}")
            if flag.name == "host" and _is_remote(flag.value) and not with_certificates:
                raise _refused(member, "opens the engine to the network without certificates")


def without_remote_hosts(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words without those that make the daemon listen on the network."""
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flags = _flags_in(word, following=rest[0] if rest else "")
        if not any(flag.name == "host" and _is_remote(flag.value) for flag in flags):
            kept.append(word)
            continue
        if word == "--host" or (not word.startswith("--") and word.endswith("H")):
            del rest[:1]
        switches = "" if word.startswith("--") else word[1:].partition("H")[0]
        kept.extend([f"-{switches}"] if switches else [])
    return tuple(kept)


def _member_of(flag: str) -> str:
    return f"{flag}s" if flag in _PLURALS else _OTHER_MEMBERS.get(flag, flag)


def _flags_in(word: str, *, following: str) -> list[Flag]:
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return [Flag(name=name, value=value if equals else following)]
    return _short_flags(word[1:], following=following) if word.startswith("-") else []


def _short_flags(letters: str, *, following: str) -> list[Flag]:
    # Several letters may share one dash; the first that takes a value takes the rest of the word, or the next word.
    found: list[Flag] = []
    for index, letter in enumerate(letters):
        rest = letters[index + 1 :]
        name = _SHORT.get(letter, letter)
        if letter in _SWITCHES:
            found.append(Flag(name=name, value=""))
            continue
        found.append(Flag(name=name, value=rest[1:] if rest.startswith("=") else rest or following))
        break
    return found


def _is_remote(host: str) -> bool:
    return not host.startswith(("unix:", "fd:", "npipe:", "/"))


def _refused(member: str, reason: str) -> PermanentError:
    return PermanentError(
        f"The option {member} {reason}.",
        resolution="Change docker.options and send the settings again.",
        exit_code=ExitCode.BAD_CONFIGURATION,
    )
