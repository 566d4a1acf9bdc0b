"""One report for support about this machine and this extension: what a person would otherwise gather by hand.

Started as ``bin/<handler>-extension diagnose`` by a person, or by the platform as a command in the machine; changes
nothing. What every handler has is gathered here, the rest by the handler. Protected settings, private keys and kept
copies of files are never read; what is read passes through `without_secrets` besides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dockyard_contract.documents import dump_json
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import parse_settings
from dockyard_guest.errors import GuestError
from dockyard_guest.values import Section

from .log import utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockyard_guest.ports import Files, Handler, Machine

    from .call import Call

_KEPT_NUMBERS = 3
_LOG_LINES = 80
_LEFT_OUT = "(left out)"
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), _LEFT_OUT),
    (re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]{0,20}://)[^/\s@\"']+@", re.IGNORECASE), rf"\g<head>{_LEFT_OUT}@"),
    (
        re.compile(
            r"(?P<head>(?:passw(?:or)?d|passphrase|secret|token|(?:api|account|access)[_-]?key|credential|\bauth(?=[\"']))"
            r"[\w-]*[\\\"']*\s*[=:]\s*)(?:\"(?:[^\"\\]|\\.)*\"|\\\"[^\"]*\"|'[^']*'|[^\s,;}]+)",
            re.IGNORECASE,
        ),
        rf"\g<head>{_LEFT_OUT}",
    ),
    (re.compile(r"(?P<head>\bauthorization:\s*\w+\s+)\S+", re.IGNORECASE), rf"\g<head>{_LEFT_OUT}"),
    (re.compile(r"(?P<head>[?&]sig=)[^&\s\"']+", re.IGNORECASE), rf"\g<head>{_LEFT_OUT}"),
)


def diagnose(call: Call, *, handler: Handler, machine: Machine) -> str:
    """The report as text: a title, then sections under headings."""
    sections = (
        Section("this report", f"{handler.title} extension {call.version}, {utc(machine.clock.time())}"),
        Section("system", section_text(lambda: _system(machine))),
        *handler.diagnose(),
        *_statuses(call, files=machine.files),
        *_settings(call, files=machine.files),
        Section("end of the extension's log", section_text(lambda: _tail(call.log_file, files=machine.files))),
    )
    return "\n".join(f"==== {section.title}\n{without_secrets(section.text).rstrip()}\n" for section in sections)


def section_text(read: Callable[[], str]) -> str:
    """A section's text, or why there is none: one that fails must not take the others with it."""
    try:
        return read()
    except (GuestError, MalformedDocument) as error:
        return f"cannot be told: {error}"


def without_secrets(text: str) -> str:
    """The text without what looks like a private key, a password, a token or the user part of an address."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _system(machine: Machine) -> str:
    release = machine.system.release()
    booted = "systemd runs" if machine.services.is_available() else "systemd does not run"
    return f"{release.pretty_name or release.id} ({release.id} {release.version_id}); {booted}"


def _statuses(call: Call, *, files: Files) -> list[Section]:
    folder = call.environment.status_folder
    names = _latest(files.names(folder), ending=".status")
    return [Section(name, section_text(lambda name=name: _text(f"{folder}/{name}", files=files))) for name in names]  # type: ignore[misc]


def _settings(call: Call, *, files: Files) -> list[Section]:
    folder = call.environment.config_folder
    names = _latest(files.names(folder), ending=".settings")
    return [
        Section(f"{name}, public part", section_text(lambda name=name: _public(f"{folder}/{name}", files=files)))  # type: ignore[misc]
        for name in names
    ]


def _public(path: str, *, files: Files) -> str:
    settings = parse_settings(files.read(path) or b"", document=path.rpartition("/")[2])
    public = {} if settings.public is None else dict(settings.public.members)
    protected = "protected settings are there and left out" if settings.has_protected else "no protected settings"
    return f"{dump_json(public).rstrip()}\n{protected}"


def _latest(names: tuple[str, ...], *, ending: str) -> list[str]:
    numbered = [name for name in names if name.endswith(ending)]
    return sorted(numbered, key=_number)[-_KEPT_NUMBERS:]


def _number(name: str) -> int:
    digits = name.split(".")[-2]
    return int(digits) if digits.isdigit() else -1


def _tail(path: str, *, files: Files) -> str:
    return "\n".join(_text(path, files=files).splitlines()[-_LOG_LINES:])


def _text(path: str, *, files: Files) -> str:
    return (files.read(path) or b"there is none").decode(errors="replace")
