"""Protected settings that have done their work, taken out of the agent's files.

A deed is done once for a number, so its passwords are of no use afterwards; the agent leaves its settings files where
they are for ever, and writes the current one anew after each of its restarts. A handler that keeps up a state needs
its settings again and keeps them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import dump_settings, parse_settings
from dockyard_guest.errors import GuestError
from dockyard_guest.values import Repeats

if TYPE_CHECKING:
    from dockyard_guest.ports import Files, Handler

    from .call import Call

_SUFFIX = ".settings"


def forget_spent(call: Call, *, handler: Handler, files: Files) -> None:
    """Take the protected part out of the settings of this number and of all before it."""
    if handler.repeats is Repeats.WHENEVER_ASKED:
        return
    folder, _, own = call.settings_file.rpartition("/")
    stem = own[: -len(f"{call.sequence_number}{_SUFFIX}")]
    for name in files.names(folder):
        number = name[len(stem) : -len(_SUFFIX)]
        is_one = name == f"{stem}{number}{_SUFFIX}" and number.isascii() and number.isdigit()
        if is_one and int(number) <= call.sequence_number:
            with suppress(GuestError, MalformedDocument):  # what cannot be read has nothing to be taken out of
                _forget(f"{folder}/{name}", files=files)


def _forget(path: str, *, files: Files) -> None:
    settings = parse_settings(files.read(path) or b"", document=path.rpartition("/")[2])
    if settings.has_protected:
        spent = replace(settings, protected=None, thumbprint=None)
        files.write(path, dump_settings(spent).encode(), mode=0o600)
