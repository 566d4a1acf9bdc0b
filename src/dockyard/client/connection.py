"""The way to ARM: the official SDK over verified HTTPS, with a token the endpoint issues to this user.

Opened by the front doors; ``virtual_machines``, ``extensions`` and ``images`` take a Connection. The only module beside
``errors`` that imports ``azure.*``, so that a command which needs no server does not pay for it.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient

from dockyard.client import errors, https
from dockyard.client.credentials import Credentials
from dockyard.model.errors import OperationFailed, Unauthenticated

_TIMEOUT = 30.0
_DIAGNOSTICS_VERSION = "2026-04-01"


class ClientSecretToken:
    """A token credential for the endpoint's own service principal.

    azure-identity would do the same in 0.2 s more at every start (it brings MSAL and asks for the discovery
    document); what is left of the protocol at one known endpoint is this single POST.
    """

    def __init__(self, credentials: Credentials, *, tls: ssl.SSLContext) -> None:
        self._credentials = credentials
        self._tls = tls

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Ask for a token; azure-core keeps it until it expires. Raises Unauthenticated or OperationFailed."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
            "scope": self._credentials.scope,
        }
        answer = self._post(urllib.parse.urlencode(form).encode())
        if answer.status != 200:
            raise Unauthenticated(
                "The server does not accept this user's credentials",
                details=f"{self._credentials.endpoint} answered {answer.status}.",
                resolution="Run 'dockyard serve --stop' and repeat the command: a starting server renews them.",
            )
        document = json.loads(answer.body)
        return AccessToken(str(document["access_token"]), int(time.time()) + int(document["expires_in"]))

    def _post(self, body: bytes) -> https.Answer:
        url = f"{self._credentials.endpoint}/{self._credentials.tenant_id}/oauth2/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            return https.request(url, tls=self._tls, method="POST", body=body, headers=headers, timeout=_TIMEOUT)
        except OSError as error:
            raise OperationFailed(
                "The Dockyard server did not issue a token",
                details=str(error),
                resolution="Run 'dockyard doctor'.",
                code="ServerUnreachable",
                temporary=True,
            ) from error


class Connection:
    """An open way to one ARM endpoint."""

    def __init__(self, credentials: Credentials) -> None:
        self._tls = https.context(authority=credentials.ca)
        self.credentials = credentials
        self.compute = ComputeManagementClient(
            credential=ClientSecretToken(credentials, tls=self._tls),
            subscription_id=credentials.subscription_id,
            base_url=credentials.endpoint,
            credential_scopes=[credentials.scope],
            transport=RequestsTransport(connection_verify=str(credentials.ca), use_env_settings=False),
            retry_total=5,
            retry_backoff_factor=0.1,
            logging_enable=False,
        )

    def mapped(self) -> AbstractContextManager[None]:
        """Return the guard every call of the SDK is made under."""
        return errors.mapped()

    def diagnostics(self) -> Mapping[str, Any]:
        """Return the server's own checks of its host. Raises DockyardError."""
        path = f"/subscriptions/{self.credentials.subscription_id}/providers/Dockyard.Host/diagnostics"
        with self.mapped():
            request = HttpRequest("GET", path, params={"api-version": _DIAGNOSTICS_VERSION})
            response = self.compute.send_request(request)
            response.raise_for_status()
            document: Mapping[str, Any] = response.json()
            return document

    def download(self, url: str) -> bytes:
        """Fetch a document by a URL that carries its own permission, such as a console log. Raises OperationFailed."""
        try:
            answer = https.request(url, tls=self._tls, timeout=_TIMEOUT)
        except OSError as error:
            raise OperationFailed("The download failed", details=str(error), temporary=True) from error
        if answer.status != 200:
            raise OperationFailed("The download failed", details=f"The server answered {answer.status}.")
        return answer.body
