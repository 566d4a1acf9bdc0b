"""Proves a Docker endpoint: a verified request with the client's certificate, and one without that must fail.

Used by ``vm create`` before it claims success, by ``vm wait`` and by ``doctor``. Sends real requests: under TLS 1.3 the
handshake is over for the client before the server has judged its certificate.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard.client import https, waiting
from dockyard.model.errors import DeadlineExceeded, OperationFailed

if TYPE_CHECKING:
    from dockyard.client.certificates import Folder

_TIMEOUT = 10.0


@dataclass(frozen=True)
class Engine:
    """What a Docker engine says of itself."""

    version: str
    api_version: str


def url(port: int) -> str:
    """Return the endpoint as DOCKER_HOST has it."""
    return f"tcp://127.0.0.1:{port}"


def ask(*, port: int, folder: Folder, timeout: float = _TIMEOUT) -> Engine:
    """Return what the engine at the port answers to a verified request.

    Raises:
        OperationFailed: temporary while nothing answers there; permanent when the certificate of the other side is not
            the VM's own, or when it turns this client's away.
    """
    tls = https.context(authority=folder.authority, certificate=folder.certificate, key=folder.key)
    try:
        answer = https.request(f"https://127.0.0.1:{port}/version", tls=tls, timeout=timeout)
    except ssl.SSLCertVerificationError as error:
        raise OperationFailed(
            f"What answers at 127.0.0.1:{port} does not show this machine's certificate",
            details=error.verify_message,
            resolution="'dockyard vm docker renew NAME' hands the machine new certificates.",
            code="EndpointNotVerified",
        ) from error
    except ssl.SSLError as error:
        raise _refused(port, error) from error
    except OSError as error:
        raise _no_answer(port, str(error) or type(error).__name__) from error
    if answer.status != 200:
        raise _no_answer(port, f"status {answer.status}")
    return _engine(answer.body, port)


def wait(*, port: int, folder: Folder, deadline: float) -> Engine:
    """Wait until the engine answers a verified request.

    Raises:
        DeadlineExceeded: it did not in ``deadline`` seconds; the last reason is in the details.
        OperationFailed: something else answers there; waiting would not help.
    """
    last = ""

    def look() -> Engine | None:
        nonlocal last
        try:
            return ask(port=port, folder=folder)
        except OperationFailed as error:
            if not error.temporary:
                raise
            last = error.details
            return None

    try:
        return waiting.until(look, what=f"Docker to answer at {url(port)}", deadline=deadline, every=0.5)
    except DeadlineExceeded as error:
        raise DeadlineExceeded(
            error.brief,
            details=f"last attempt: {last}",
            resolution="'dockyard vm console NAME' shows what the machine is doing.",
            code="DockerEndpointTimeout",
        ) from error


def refuses_strangers(*, port: int, folder: Folder) -> bool:
    """Whether a whole request without a client certificate gets no HTTP answer at all.

    Says something only of a port where ``ask`` succeeds, for a closed port refuses everybody.
    """
    tls = https.context(authority=folder.authority)
    try:
        https.request(f"https://127.0.0.1:{port}/version", tls=tls, timeout=_TIMEOUT)
    except OSError:
        return True
    return False


def _engine(body: bytes, port: int) -> Engine:
    try:
        document = json.loads(body)
        return Engine(str(document["Version"]), str(document["ApiVersion"]))
    except (ValueError, KeyError, TypeError) as error:
        raise OperationFailed(
            f"What answers at 127.0.0.1:{port} is not Docker",
            details="GET /version did not return Version and ApiVersion.",
            code="EndpointNotDocker",
        ) from error


def _refused(port: int, error: ssl.SSLError) -> OperationFailed:
    """Tell an alert about our certificate, which is final, from a TLS stream cut while the engine restarts."""
    final = "CERTIFICATE" in (error.reason or "") or "UNKNOWN_CA" in (error.reason or "")
    if not final:
        return _no_answer(port, error.reason or str(error))
    return OperationFailed(
        f"The Docker endpoint at 127.0.0.1:{port} turns this client's certificate away",
        details=error.reason or "",
        resolution="'dockyard vm docker renew NAME' makes new certificates and hands them to the machine.",
        code="ClientCertificateRefused",
    )


def _no_answer(port: int, why: str) -> OperationFailed:
    return OperationFailed(
        f"Docker does not answer at {url(port)}",
        details=why,
        resolution="'dockyard vm show NAME' tells what state the machine and its extension are in.",
        code="DockerUnreachable",
        temporary=True,
    )
