"""The client's small door to HTTPS without the SDK: the start-up probe, the token, the console log, Docker's API.

Used by ``serve``, ``connection`` and ``docker_endpoint``. Never goes through a proxy, never skips verification.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockyard.model.errors import OperationFailed


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its whole body."""

    status: int
    body: bytes


def context(*, authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Return a verifying context that trusts ``authority`` alone and shows ``certificate`` when one is given.

    Raises:
        OperationFailed: one of the files is missing or is not PEM, or the key does not belong to the certificate.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(cafile=authority)
        if certificate is not None:
            made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(path) for path in (authority, certificate, key) if path is not None)
        raise OperationFailed(
            "A certificate file cannot be used",
            details=f"{files}: {error.strerror or error}",
            resolution="Make sure that these files exist, are PEM, and belong together.",
            code="InvalidCertificate",
        ) from error
    return made


def request(
    url: str,
    *,
    tls: ssl.SSLContext,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float,
) -> Answer:
    """Send one request on a connection of its own.

    Raises:
        OSError: no connection, TLS refused (``ssl.SSLError``), no answer in ``timeout`` seconds, or an answer that is
            not HTTP (``ConnectionError``).
    """
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 443, context=tls, timeout=timeout)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target or "/", body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(f"The answer is not HTTP: {type(error).__name__} {error}") from error
    finally:
        connection.close()
