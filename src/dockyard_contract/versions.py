"""The wire server's ``Versions`` document: which protocol versions it speaks.

The first thing WALinuxAgent 2.12 asks for; it needs `AGENT_VERSION` among the supported ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import xml_text
from .documents import parse_xml

DOCUMENT = "versions"

AGENT_VERSION = "2012-11-30"
"""The version of the protocol that WALinuxAgent 2.12 speaks."""


@dataclass(frozen=True)
class Versions:
    """Protocol versions by date."""

    preferred: str
    supported: tuple[str, ...]


def parse_versions(text: str | bytes, *, document: str = DOCUMENT) -> Versions:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, or an element is missing or empty.
    """
    root = parse_xml(text, document=document, root="Versions")
    return Versions(
        preferred=root.child("Preferred").child("Version").text(),
        supported=tuple(version.text() for version in root.child("Supported").children("Version")),
    )


def dump_versions(versions: Versions) -> str:
    """The document's text."""
    preferred = xml_text.element("Preferred", xml_text.leaf("Version", versions.preferred))
    supported = xml_text.element("Supported", *(xml_text.leaf("Version", version) for version in versions.supported))
    return xml_text.document(xml_text.element("Versions", preferred, supported))
