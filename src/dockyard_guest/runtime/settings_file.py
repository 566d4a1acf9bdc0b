"""The settings of one sequence number, read from the agent's file and decrypted.

The certificate and key that open protected settings lie in the agent's folder, which is the parent of the handler's.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from dockyard_contract.documents import JsonObject
from dockyard_contract.environment import ExitCode
from dockyard_contract.errors import MalformedDocument
from dockyard_contract.settings import parse_protected, parse_settings, public_settings
from dockyard_guest.errors import PermanentError
from dockyard_guest.values import PlainSettings

if TYPE_CHECKING:
    from dockyard_contract.settings import HandlerSettings
    from dockyard_guest.ports import Machine

    from .call import Call

_HEX = frozenset("0123456789abcdefABCDEF")


def read_settings(call: Call, *, machine: Machine) -> PlainSettings:
    """Read and decrypt the settings; parts that are not there are empty objects.

    Raises:
        MalformedDocument: The file or the decrypted part is not what it should be.
        PermanentError: The file is missing, or the protected part cannot be decrypted.
    """
    name = call.settings_file.rpartition("/")[2]
    text = machine.files.read(call.settings_file)
    if text is None:
        raise PermanentError(
            f"The settings file {name} is missing.", details=call.settings_file, exit_code=ExitCode.BAD_CONFIGURATION
        )
    if not text.strip() and call.sequence_number > 0:
        # The agent writes an empty file only for number 0 of an extension without settings. Any other was cut short, by
        # a power failure for example, and taking it for "nothing is wanted" would take back all that was.
        raise PermanentError(f"The settings file {name} is empty.", exit_code=ExitCode.BAD_CONFIGURATION)
    settings = parse_settings(text, document=name)
    return PlainSettings(
        public=settings.public or public_settings({}, document=name),
        protected=_protected(settings, document=name, call=call, machine=machine),
        sequence_number=call.sequence_number,
    )


def _protected(settings: HandlerSettings, *, document: str, call: Call, machine: Machine) -> JsonObject:
    if settings.protected is None or settings.thumbprint is None:
        return parse_protected("{}", document=document)
    pair = f"{call.folder.rstrip('/').rpartition('/')[0]}/{_thumbprint(settings.thumbprint, document=document)}"
    plaintext = machine.envelopes.open(
        _envelope(settings.protected, document=document), certificate=f"{pair}.crt", key=f"{pair}.prv"
    )
    return parse_protected(plaintext, document=document)


def _thumbprint(text: str, *, document: str) -> str:
    # The text becomes part of a path, so it must be nothing but what it is said to be.
    if len(text) != 40 or not set(text) <= _HEX:
        raise MalformedDocument(
            document=document,
            member="runtimeSettings[0].handlerSettings.protectedSettingsCertThumbprint",
            expected="40 hexadecimal digits",
            found="another text",
        )
    return text.upper()


def _envelope(text: str, *, document: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        found = "another text"
    raise MalformedDocument(
        document=document,
        member="runtimeSettings[0].handlerSettings.protectedSettings",
        expected="base64",
        found=found,
    )
