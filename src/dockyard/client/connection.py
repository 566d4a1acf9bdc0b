"""The way to ARM: the official SDK over verified HTTPS, with tokens the endpoint issues to this user.

Opened by the front doors; ``virtual_machines``, ``extensions`` and ``images`` take a Connection. The only module beside
``errors`` that imports ``azure.*``, so that a command which needs no server does not pay for it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.identity import ClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient

from dockyard.client import errors, https
from dockyard.client.credentials import Credentials
from dockyard.model.errors import OperationFailed

_TIMEOUT = 30.0
_VERSION = "2026-04-01"
logging.getLogger("azure").propagate = False  # what goes wrong is raised, and shown once, by us
logging.getLogger("azure").addHandler(logging.NullHandler())


class Connection:
    """An open way to one ARM endpoint."""

    def __init__(self, credentials: Credentials) -> None:
        self._tls = https.context(authority=credentials.ca)
        self.credentials = credentials
        credential = ClientSecretCredential(
            credentials.tenant_id,
            credentials.client_id,
            credentials.client_secret,
            authority=credentials.endpoint,
            transport=_transport(credentials),
        )
        self.compute = ComputeManagementClient(
            credential=credential,
            subscription_id=credentials.subscription_id,
            base_url=credentials.endpoint,
            credential_scopes=[credentials.scope],
            transport=_transport(credentials),
            retry_total=5,
            retry_backoff_factor=0.1,
        )

    def mapped(self) -> AbstractContextManager[None]:
        """Return the guard every call of the SDK is made under."""
        return errors.mapped()

    def diagnostics(self) -> Mapping[str, Any]:
        """Return the server's own checks of its host. Raises DockyardError."""
        return self.ask("GET", f"{self.subscription}/providers/Dockyard.Host/diagnostics")

    @property
    def subscription(self) -> str:
        """The id of the subscription, the widest scope there is."""
        return f"/subscriptions/{self.credentials.subscription_id}"

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        media: str = "",
    ) -> Mapping[str, Any]:
        """Make one request for which the SDK has no client; an answer without a body is empty. Raises DockyardError.

        ``content`` of type ``media`` takes the place of a JSON ``body``.
        """
        headers = {"Content-Type": media} if media else None
        parameters = {"api-version": _VERSION, **(query or {})}
        request = HttpRequest(method, path, params=parameters, json=body, content=content, headers=headers)
        document: Mapping[str, Any] = self._answered(request)
        return document

    def ask_list(self, path: str) -> list[Mapping[str, Any]]:
        """Read a document that is an array by itself, as those of the catalogues are. Raises DockyardError."""
        return list(self._answered(HttpRequest("GET", path, params={"api-version": _VERSION})))

    def _answered(self, request: HttpRequest) -> Any:
        with self.mapped():
            response = self.compute.send_request(request)
            response.raise_for_status()
            return response.json() if response.content else {}

    def download(self, url: str) -> bytes:
        """Fetch a document by a URL that carries its own permission, such as a console log. Raises OperationFailed."""
        try:
            answer = https.request(url, tls=self._tls, timeout=_TIMEOUT)
        except OSError as error:
            raise OperationFailed("The download failed", details=str(error), temporary=True) from error
        if answer.status != 200:
            raise OperationFailed("The download failed", details=f"The server answered {answer.status}.")
        return answer.body


def _transport(credentials: Credentials) -> RequestsTransport:
    """Verify against the endpoint's own authority alone, whatever the environment says of proxies and authorities."""
    return RequestsTransport(connection_verify=str(credentials.ca), use_env_settings=False)
