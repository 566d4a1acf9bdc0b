"""How each shell sets and unsets environment variables; the shapes are docker-machine's. Pure.

Used by ``dockyard env``. Values may hold any character a path can.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath

_POWERSHELL_SPECIAL = re.compile(r'([`"$])')
_BASH_SPECIAL = re.compile(r'([\\"$`])')
_FISH_SPECIAL = re.compile(r'([\\"$])')


class Shell(StrEnum):
    """The shells ``dockyard env`` speaks."""

    BASH = "bash"
    FISH = "fish"
    POWERSHELL = "powershell"
    CMD = "cmd"

    @classmethod
    def of(cls, login_shell: str | None) -> Shell:
        """Return the shell a path such as $SHELL names; bash stands for every other POSIX shell."""
        return cls.FISH if login_shell and PurePath(login_shell).name == "fish" else cls.BASH


def export(variables: Mapping[str, str], *, shell: Shell, command: str) -> str:
    """Return the lines that set ``variables``, and how to run ``command`` so that they take effect."""
    lines = [_set(name, value, shell) for name, value in variables.items()]
    return "\n".join([*lines, *_usage(shell, command)])


def unset(names: Sequence[str], *, shell: Shell, command: str) -> str:
    """Return the lines that unset ``names``, and how to run ``command`` so that they take effect."""
    return "\n".join([*(_unset(name, shell) for name in names), *_usage(shell, command)])


def _set(name: str, value: str, shell: Shell) -> str:
    match shell:
        case Shell.FISH:
            return 'set -gx {} "{}";'.format(name, _FISH_SPECIAL.sub(r"\\\1", value))
        case Shell.POWERSHELL:
            return '$Env:{} = "{}"'.format(name, _POWERSHELL_SPECIAL.sub(r"`\1", value))
        case Shell.CMD:
            return f"SET {name}={value}"
        case Shell.BASH:
            return 'export {}="{}"'.format(name, _BASH_SPECIAL.sub(r"\\\1", value))


def _unset(name: str, shell: Shell) -> str:
    match shell:
        case Shell.FISH:
            return f"set -e {name};"
        case Shell.POWERSHELL:
            return f"Remove-Item Env:\\{name} -ErrorAction SilentlyContinue"
        case Shell.CMD:
            return f"SET {name}="
        case Shell.BASH:
            return f"unset {name}"


def _usage(shell: Shell, command: str) -> list[str]:
    told = "Run this command to configure your shell:"
    match shell:
        case Shell.FISH:
            return [f"# {told}", f"# eval ({command})"]
        case Shell.POWERSHELL:
            return [f"# {told}", f"# & {command} | Invoke-Expression"]
        case Shell.CMD:
            return [f"REM {told}", f"REM \t@FOR /f \"tokens=*\" %i IN ('{command}') DO @%i"]
        case Shell.BASH:
            return [f"# {told}", f"# eval $({command})"]
