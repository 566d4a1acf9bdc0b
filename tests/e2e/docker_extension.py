"""How the end-to-end tests send settings of the Docker extension's own, as its users did before there was a command."""

from __future__ import annotations

import base64
import json
from typing import Any

from dockyard.pki import certificates
from tests.e2e.conftest import Home


def send(home: Home, machine: str, *, public: dict[str, Any], protected: dict[str, Any] | None, expect: int = 0) -> str:
    """Set the extension; answers what the user is told."""
    file = home.folder / "protected.json"
    words = ["--publisher", "Microsoft.Azure.Extensions", "--type", "DockerExtension", "--version", "1.0"]
    words += ["--settings", json.dumps(public)]
    if protected is not None:
        file.write_text(json.dumps(protected))
        words += ["--protected-settings", f"@{file}"]
    try:
        done = home.run("vm", "extension", "set", machine, *words, expect=expect)
    finally:
        file.unlink(missing_ok=True)
    return done.output + done.error


def new_certificates(machine: str) -> dict[str, str]:
    """A server's certificates by an authority of its own, as members of ``certs``."""
    authority = certificates.certificate_authority(common_name="test", days=2)
    server = certificates.server_certificate(
        authority=authority, common_name="*", dns_names=[machine], ip_addresses=["127.0.0.1"], days=2
    )
    return encoded(authority.certificate_pem, server.certificate_pem, server.key_pem)


def encoded(authority: bytes, certificate: bytes, key: bytes) -> dict[str, str]:
    """PEM texts as members of ``certs``."""
    files = {"ca": authority, "cert": certificate, "key": key}
    return {name: base64.b64encode(pem).decode() for name, pem in files.items()}
