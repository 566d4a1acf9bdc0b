"""The Docker extension's part of the report for support: the engine, its unit, its configuration, its certificates.

Called by `handler`; reads only. The engine's private key is never read, nor the copies that a change under way keeps.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dockyard_guest.errors import GuestError
from dockyard_guest.values import Section

from .facts import observe
from .places import AUTHORITY, CERTIFICATE, DAEMON_CONFIG, DROP_IN, ENGINE_SOCKET, LAST_GOOD, RECORD, SERVICE, UNITS
from .unit_file import program_words, start_command

if TYPE_CHECKING:
    from dockyard_guest.ports import Machine

_LIMIT = 60.0
_JOURNAL_LINES = 60
_JOURNAL_DAYS = 7 * 86400.0
_PLAIN_FILES = (DAEMON_CONFIG, DROP_IN, RECORD)


def sections(machine: Machine, *, version: str) -> tuple[Section, ...]:
    """All that there is to say, each under its title."""
    return (
        Section("engine", _engine(machine)),
        Section("units", "\n".join(_units(machine))),
        *(Section(path, _file(machine, path)) for path in _PLAIN_FILES),
        Section("certificates", "\n".join(_certificate(machine, path) for path in (AUTHORITY, CERTIFICATE))),
        Section("change under way", "yes" if machine.files.mode(LAST_GOOD) is not None else "no"),
        Section("dockerd --validate", _validated(machine, version=version)),
        Section("listeners", _output(machine, "ss", "-H", "-ltnp")),
        Section("disk", _output(machine, "df", "-h", "/", "/var/lib/docker", "/etc", "/run")),
        Section(f"end of the journal of {SERVICE}", _journal(machine)),
    )


def _engine(machine: Machine) -> str:
    if machine.commands.find("dockerd") is None:
        return "there is none"
    version = _output(machine, "dockerd", "--version")
    try:
        answer = machine.sockets.get_unix(ENGINE_SOCKET, "/version", timeout=_LIMIT)
    except GuestError as error:
        return f"{version}\n{error}"
    return f"{version}\nanswers on {ENGINE_SOCKET}: HTTP status {answer.status}"


def _units(machine: Machine) -> list[str]:
    try:
        units = machine.services.units(UNITS)
    except GuestError as error:
        return [str(error)]
    return [
        f"{unit.name}: {unit.load_state}, {unit.active_state}, {unit.file_state or 'no file'}, "
        f"process {unit.main_pid}, drop-ins {', '.join(unit.drop_ins) or 'none'}"
        for unit in units
    ]


def _file(machine: Machine, path: str) -> str:
    content = machine.files.read(path)
    return "there is none" if content is None else content.decode(errors="replace")


def _certificate(machine: Machine, path: str) -> str:
    if machine.files.mode(path) is None:
        return f"{path}: there is none"
    words = ("x509", "-noout", "-subject", "-issuer", "-startdate", "-enddate", "-serial", "-in", path)
    return f"{path}: {'; '.join(_output(machine, 'openssl', *words).splitlines())}"


def _validated(machine: Machine, *, version: str) -> str:
    """What dockerd says to the arguments and the configuration that are there."""
    try:
        facts = observe(machine, version=version, port=None)
        drop_in = (facts.files[DROP_IN].content or b"").decode(errors="replace")
        words = program_words(start_command(drop_in) or facts.base_command)
        completed = machine.commands.run(["dockerd", "--validate", *words], timeout=_LIMIT)
    except GuestError as error:
        return str(error)
    return f"exit code {completed.exit_code}: {completed.complaint or completed.output.strip()}"


def _journal(machine: Machine) -> str:
    since = machine.clock.time() - _JOURNAL_DAYS
    began = time.strftime("%Y-%m-%d", time.gmtime(since))
    try:
        lines = machine.services.journal(SERVICE, since=since, lines=_JOURNAL_LINES)
    except GuestError as error:
        return str(error)
    return "\n".join(lines) or f"nothing since {began}"


def _output(machine: Machine, *argv: str) -> str:
    try:
        completed = machine.commands.run(argv, timeout=_LIMIT)
    except GuestError as error:
        return str(error)
    return "\n".join(part for part in (completed.output.strip(), completed.complaint) if part)
