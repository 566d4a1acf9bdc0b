"""The traps of WALinuxAgent 2.12 that a document must not step into."""

from __future__ import annotations

from dockyard_contract import xml_text
from dockyard_contract.certificates import Certificates, dump_certificates
from dockyard_contract.documents import XmlElement, parse_xml
from dockyard_contract.extensions_config import (
    ExtensionsConfig,
    Plugin,
    PluginSettings,
    StatusBlob,
    dump_extensions_config,
)
from dockyard_contract.settings import HandlerSettings, parse_settings, public_settings

SETTINGS = public_settings({"script": "echo ']]>' && cat <<E\r\n\tx\x07"}, document="test")
PLUGIN = Plugin("A.B", "1.2.3", "http://m/", settings=PluginSettings(4, HandlerSettings(public=SETTINGS)))


def test_settings_are_escaped_and_never_cdata() -> None:
    text = dump_extensions_config(ExtensionsConfig(1, StatusBlob("u"), (PLUGIN,)))
    assert "CDATA" not in text
    runtime = parse(text).child("PluginSettings").child("Plugin").child("RuntimeSettings")
    read = parse_settings(runtime.text(), document="test").public
    assert read is not None
    assert read.members == SETTINGS.members


def test_settings_carry_the_plugins_own_version() -> None:
    root = parse(dump_extensions_config(ExtensionsConfig(1, StatusBlob("u"), (PLUGIN,))))
    lists = (root.child("Plugins"), root.child("PluginSettings"))
    assert [item.child("Plugin").attribute("version") for item in lists] == ["1.2.3", "1.2.3"]


def test_certificates_come_in_short_lines() -> None:
    text = dump_certificates(Certificates(1, bytes(4000)))
    data = parse_xml(text, document="test", root="CertificateFile").child("Data").text()
    assert max(len(line) for line in data.splitlines()) == 64


def test_a_certificates_document_hides_its_content() -> None:
    assert "secret" not in repr(Certificates(1, b"secret"))


def test_attributes_keep_every_character() -> None:
    nasty = "a\"<&>'\r\n\tb"
    written = xml_text.element("a", attributes={"b": nasty})
    assert parse_xml(written, document="test", root="a").attribute("b") == nasty


def parse(text: str) -> XmlElement:
    return parse_xml(text, document="test", root="Extensions")
