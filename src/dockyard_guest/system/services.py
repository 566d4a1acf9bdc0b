"""The one door for services: systemd, by way of ``systemctl`` and ``journalctl``."""
# Why not pathlib: pathlib is slow to import.
# ruff: noqa: PTH112

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dockyard_guest.errors import TemporaryError
from dockyard_guest.values import Completed, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dockyard_guest.ports import Commands

_PROPERTIES = "Id,Names,LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,MainPID"
_QUICK = 60.0
_RESTART = 240.0


class SystemServices:
    """systemd on this machine."""

    def __init__(self, *, commands: Commands) -> None:
        self._commands = commands

    def is_available(self) -> bool:
        """Whether systemd runs this machine, by the test of sd_booted(3)."""
        return os.path.isdir("/run/systemd/system")

    def units(self, names: Sequence[str]) -> tuple[Unit, ...]:
        """The units of these names, in this order."""
        shown = self._systemctl("show", f"--property={_PROPERTIES}", *names).output
        return parse_units(shown, names=names)

    def reload_units(self) -> None:
        """Make the manager read unit files again."""
        self._systemctl("daemon-reload")

    def enable(self, names: Sequence[str]) -> None:
        """Make units start at boot; the manager learns of it when it next reads unit files."""
        self._systemctl("enable", "--no-reload", *names)

    def unmask(self, name: str) -> None:
        """Let a unit start again that somebody has forbidden to."""
        self._systemctl("unmask", name)

    def start(self, name: str) -> None:
        """Start a unit and wait until it is up.

        Earlier failures are forgotten first: they would count against the unit's start limit.
        """
        self._run("reset-failed", name)
        self._systemctl("start", name, timeout=_RESTART)

    def restart(self, name: str) -> None:
        """Start or restart a unit and wait until it is up; earlier failures are forgotten first."""
        self._run("reset-failed", name)
        self._systemctl("restart", name, timeout=_RESTART)

    def reload(self, name: str) -> None:
        """Ask a running unit to read its configuration again."""
        self._systemctl("reload", name)

    def stop(self, names: Sequence[str]) -> None:
        """Stop units; they need not run."""
        self._systemctl("stop", *names, timeout=_RESTART)

    def journal(self, name: str, *, since: float, lines: int) -> tuple[str, ...]:
        """The last lines the unit's own processes wrote since a time; none when the journal cannot be read."""
        self._commands.run(["journalctl", "--sync"], timeout=_QUICK)
        # Matching by the sender leaves out what systemd says about the unit, which --unit would mix in.
        argv = ["journalctl", "--no-pager", "--quiet", "--output=cat", f"_SYSTEMD_UNIT={name}"]
        argv += [f"--since=@{int(since)}", f"--lines={lines}"]
        return tuple(self._commands.run(argv, timeout=_QUICK).output.splitlines())

    def _systemctl(self, *words: str, timeout: float = _QUICK) -> Completed:
        completed = self._run(*words, timeout=timeout)
        if not completed.succeeded:
            raise TemporaryError(
                f"systemctl {' '.join(words[:2])} failed.", details=completed.complaint or completed.output.strip()
            )
        return completed

    def _run(self, *words: str, timeout: float = _QUICK) -> Completed:
        return self._commands.run(["systemctl", "--no-ask-password", *words], timeout=timeout)


def parse_units(shown: str, *, names: Sequence[str]) -> tuple[Unit, ...]:
    """Read ``systemctl show``'s answer: a block a unit, in the order asked, with an empty line between."""
    blocks = [dict(_member(line) for line in block.splitlines()) for block in shown.strip().split("\n\n")]
    by_position = dict(zip(names, blocks))
    return tuple(_unit(name, by_position.get(name, {})) for name in names)


def _member(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value


def _unit(name: str, members: dict[str, str]) -> Unit:
    pid = members.get("MainPID", "0")
    return Unit(
        name=name,
        load_state=members.get("LoadState", "not-found"),
        active_state=members.get("ActiveState", "inactive"),
        file_state=members.get("UnitFileState", ""),
        fragment=members.get("FragmentPath", ""),
        drop_ins=tuple(members.get("DropInPaths", "").split()),
        main_pid=int(pid) if pid.isdigit() else 0,
    )
