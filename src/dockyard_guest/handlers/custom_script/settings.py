"""The settings of the CustomScript extension: Azure's, with a user, a time limit, checksums and a proxy added. Pure.

``commandToExecute``, ``script`` and ``fileUris`` stand in the public or in the protected part, each in one of the two.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockyard_contract.environment import ExitCode
from dockyard_guest.errors import PermanentError
from dockyard_guest.scripting.fetching import FileWanted, address, check_names, name_in
from dockyard_guest.scripting.members import check_members, optional_text, refuse, timeout, user

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject, JsonValue
    from dockyard_guest.values import PlainSettings

EITHER_PART = frozenset({"commandToExecute", "script", "fileUris", "proxy"})
PUBLIC_MEMBERS = EITHER_PART | {"skipDos2Unix", "timestamp", "runAsUser", "timeoutInSeconds", "sha256"}
UNSUPPORTED = ("storageAccountName", "storageAccountKey", "managedIdentity")
PROTECTED_MEMBERS = EITHER_PART | set(UNSUPPORTED)
SCRIPT_NAME = "script.sh"
COMMAND_NAME = ".command"
OUTPUT_NAMES = ("stdout", "stderr")

_LONGEST_SCRIPT = 256 * 1024
_LONGEST_UNPACKED = 16 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True)
class CustomScript:
    """What is to be run.

    Attributes:
        command: Text for a shell, or ``None``. Hidden from `repr` like the script: either may be protected.
        script: A script's content, or ``None``. Exactly one of the two is there.
        files: What is fetched before.
        proxy: Address of a proxy for the files, which may hold a password.
        unix_lines: Whether texts get Unix line ends.
        user: Whom it runs as; ``None`` is root.
        timeout: Seconds after which it is killed.
    """

    command: str | None = field(repr=False)
    script: bytes | None = field(repr=False)
    files: tuple[FileWanted, ...]
    proxy: str | None = field(repr=False)
    unix_lines: bool
    user: str | None
    timeout: int


def parse_custom_script(settings: PlainSettings) -> CustomScript:
    """Read the settings.

    Raises:
        MalformedDocument: A member is of the wrong type or cannot be what it stands for, or nobody knows it.
        PermanentError: Members do not go together, or are not supported.
    """
    public, protected = settings.public, settings.protected
    check_members(public, known=PUBLIC_MEMBERS)
    check_members(protected, known=PROTECTED_MEMBERS)
    refuse(
        protected,
        UNSUPPORTED,
        reason="there is no storage account to log in to",
        resolution="Give an address in fileUris that needs no login, with a signature in its query if need be.",
    )
    public.optional_integer("timestamp")
    command = _text(settings, "commandToExecute")
    script = _either(settings, "script")
    if (command is None) == (script is None or not script.string()):
        raise _refused("Exactly one of `commandToExecute` and `script` is needed.")
    return CustomScript(
        command=command,
        script=None if script is None or not script.string() else _script(script),
        files=_files(settings, reserved=(*OUTPUT_NAMES, SCRIPT_NAME if command is None else COMMAND_NAME)),
        proxy=_proxy(settings),
        unix_lines=not (public.optional_boolean("skipDos2Unix") or False),
        user=user(public),
        timeout=timeout(public),
    )


def _either(settings: PlainSettings, name: str) -> JsonValue | None:
    """A member that stands in one of the two parts."""
    public, protected = settings.public.optional(name), settings.protected.optional(name)
    if public is not None and protected is not None:
        raise _refused(f"`{name}` stands in the public and in the protected settings; only one of the two is possible.")
    return protected if public is None else public


def _text(settings: PlainSettings, name: str) -> str | None:
    _either(settings, name)
    return optional_text(settings.public, name) or optional_text(settings.protected, name)


def _script(value: JsonValue) -> bytes:
    text = value.string()
    if len(text) > _LONGEST_SCRIPT:
        raise value.malformed(expected="at most 256 KiB of base64", found="more")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise value.malformed(expected="base64", found="another text") from None
    return _unpacked(value, content) if content.startswith(_GZIP) else content


def _unpacked(value: JsonValue, content: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(content, _LONGEST_UNPACKED)
    except zlib.error:
        raise value.malformed(expected="a script, or one packed by gzip", found="a broken gzip file") from None
    if not unpacking.eof:
        found = "more" if unpacking.unconsumed_tail else "a gzip file that was cut short"
        raise value.malformed(expected="at most 16 MiB packed by gzip", found=found)
    return plain


def _files(settings: PlainSettings, *, reserved: tuple[str, ...]) -> tuple[FileWanted, ...]:
    listed = _either(settings, "fileUris")
    urls = () if listed is None else tuple(address(item) for item in listed.array())
    sums = _sums(settings.public)
    files = tuple(FileWanted(url, name_in(url), sums.pop(name_in(url), None)) for url in urls)
    check_names(files, reserved=reserved)
    for name in sums:
        raise _refused(f"`sha256` has a checksum for {name!r}, and no file of `fileUris` is called so.")
    return files


def _sums(public: JsonObject) -> dict[str, str]:
    sums = public.optional_object("sha256")
    if sums is None:
        return {}
    for name in sums.names():
        if not _SHA256.fullmatch(sums.string(name)):
            raise sums.value(name).malformed(expected="64 hexadecimal digits", found="another text")
    return {name: sums.string(name) for name in sums.names()}


def _proxy(settings: PlainSettings) -> str | None:
    value = _either(settings, "proxy")
    return None if value is None or value.raw == "" else address(value)


def _refused(text: str) -> PermanentError:
    return PermanentError(text, exit_code=ExitCode.BAD_CONFIGURATION)
