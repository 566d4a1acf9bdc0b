"""The settings file ``config/<N>.settings``, as the agent writes it and a handler reads it.

WALinuxAgent 2.12 writes ``{"runtimeSettings":[{"handlerSettings":{…}}]}`` with three members, each of which may be null
or absent, and a zero-byte file for an extension that has no settings at all. Only element 0 counts. Decrypting the
protected part is the guest's business; here it is base64 text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .documents import JsonObject, JsonValue, dump_json, parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE = "runtimeSettings[0].handlerSettings"


@dataclass(frozen=True)
class HandlerSettings:
    """One settings document.

    Attributes:
        public: The public settings, or ``None`` when there are none. Their own shape is the handler's business.
        protected: Base64 text of the DER CMS envelope that holds the protected settings, or ``None``.
        thumbprint: Upper-case hexadecimal SHA-1 of the certificate the envelope is for. It may be there without
            an envelope.
    """

    public: JsonObject | None = None
    protected: str | None = None
    thumbprint: str | None = None

    @property
    def has_protected(self) -> bool:
        """Whether there is anything to decrypt."""
        return self.protected is not None


def parse_settings(text: str | bytes, *, document: str) -> HandlerSettings:
    """Read a settings file; an empty one means no settings.

    Raises:
        MalformedDocument: The text is not JSON or not the envelope, public settings are not an object, or there is
            an envelope without the thumbprint of its certificate.
    """
    if not text.strip():
        return HandlerSettings()
    return _parse_envelope(parse_json(text, document=document).object())


def parse_protected(plaintext: str | bytes, *, document: str) -> JsonObject:
    """Read decrypted protected settings.

    Raises:
        MalformedDocument: The plaintext is not a JSON object. The error never quotes it.
    """
    place = f"{_PLACE}.protectedSettings"
    root = parse_json(plaintext, document=f"{document} (decrypted protectedSettings)")
    return JsonValue(document=document, path=place, raw=root.raw).object()


def public_settings(members: Mapping[str, object], *, document: str) -> JsonObject:
    """Public settings made from members, placed where a settings file has them."""
    return JsonObject(document=document, path=f"{_PLACE}.publicSettings", members=members)


def dump_settings(settings: HandlerSettings) -> str:
    """The settings file's text; parts that are not there are written as null."""
    public = None if settings.public is None else dict(settings.public.members)
    handler_settings = {
        "publicSettings": public,
        "protectedSettings": settings.protected,
        "protectedSettingsCertThumbprint": settings.thumbprint,
    }
    return dump_json({"runtimeSettings": [{"handlerSettings": handler_settings}]})


def _parse_envelope(root: JsonObject) -> HandlerSettings:
    elements = root.array("runtimeSettings")
    if not elements:
        raise root.value("runtimeSettings").malformed(expected="one element", found="an empty array")
    members = elements[0].object().optional_object("handlerSettings")
    if members is None:
        return HandlerSettings()
    protected = members.optional_string("protectedSettings") or None
    thumbprint = members.optional_string("protectedSettingsCertThumbprint") or None
    if protected and not thumbprint:
        raise members.value("protectedSettings").malformed(
            expected="protectedSettingsCertThumbprint beside it", found="none"
        )
    return HandlerSettings(public=members.optional_object("publicSettings"), protected=protected, thumbprint=thumbprint)
