"""The wire server's ``Certificates`` document: a machine's certificates and keys, encrypted for one reader.

The content is a CMS envelope, DER, for the transport certificate the reader sent with its request, around a PKCS#12
with an empty password. WALinuxAgent 2.12 and cloud-init put the base64 text into a MIME message for ``openssl cms``,
which reads it only when its lines are short.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from . import xml_text
from .documents import parse_xml

DOCUMENT = "certificates"
_FORMAT = "Pkcs7BlobWithPfxContents"
_LINE = 64


@dataclass(frozen=True)
class Certificates:
    """``envelope`` is the CMS EnvelopedData in DER. Hidden from `repr`, as a key is in it."""

    incarnation: int
    envelope: bytes

    def __repr__(self) -> str:
        return f"Certificates(incarnation={self.incarnation}, {len(self.envelope)} bytes)"


def parse_certificates(text: str | bytes, *, document: str = DOCUMENT) -> Certificates:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, the format is another one, or the data is not base64.
    """
    root = parse_xml(text, document=document, root="CertificateFile")
    kind = root.optional_child("Format")
    if kind is not None and kind.optional_text() not in (None, _FORMAT):
        raise kind.malformed(expected=_FORMAT, found="another format")
    data = root.child("Data")
    encoded = "".join(data.text().split())
    try:
        envelope = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise data.malformed(expected="a base64 text", found="another text") from error
    return Certificates(incarnation=root.child("Incarnation").integer(), envelope=envelope)


def dump_certificates(certificates: Certificates) -> str:
    """The document's text, the data in lines of 64 characters."""
    encoded = base64.b64encode(certificates.envelope).decode("ascii")
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return xml_text.document(
        xml_text.element(
            "CertificateFile",
            xml_text.leaf("Version", "2012-11-30"),
            xml_text.leaf("Incarnation", str(certificates.incarnation)),
            xml_text.leaf("Format", _FORMAT),
            xml_text.leaf("Data", "\n".join(lines)),
        )
    )
