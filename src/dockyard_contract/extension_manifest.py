"""The extension manifest: which versions of a handler exist, and from where each can be fetched.

WALinuxAgent 2.12 fetches it from a plugin's ``location``, takes the highest version that begins with the wanted one,
and tries that version's URLs in random order.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import xml_text
from .documents import parse_xml

DOCUMENT = "extension manifest"


@dataclass(frozen=True)
class PublishedVersion:
    """One version and the URLs of its package."""

    version: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class ExtensionManifest:
    """All versions of one handler."""

    versions: tuple[PublishedVersion, ...]


def parse_extension_manifest(text: str | bytes, *, document: str = DOCUMENT) -> ExtensionManifest:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, or a version or its URLs are missing.
    """
    root = parse_xml(text, document=document, root="PluginVersionManifest")
    return ExtensionManifest(
        versions=tuple(
            PublishedVersion(
                version=plugin.child("Version").text(),
                urls=tuple(url.text() for url in plugin.child("Uris").children("Uri")),
            )
            for plugin in root.child("Plugins").children("Plugin")
        )
    )


def dump_extension_manifest(manifest: ExtensionManifest) -> str:
    """The document's text."""
    plugins = (
        xml_text.element(
            "Plugin",
            xml_text.leaf("Version", published.version),
            xml_text.element("Uris", *(xml_text.leaf("Uri", url) for url in published.urls)),
        )
        for published in manifest.versions
    )
    return xml_text.document(xml_text.element("PluginVersionManifest", xml_text.element("Plugins", *plugins)))
