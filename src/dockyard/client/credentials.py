"""What lets a client in: the server's ``credentials.json``, read once into a value.

Written by ``dockyard serve`` before it listens; read by ``dockyard.client.serve`` and ``dockyard.client.connection``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockyard.model.errors import OperationFailed

_MEMBERS = ("endpoint", "tenant_id", "client_id", "client_secret", "subscription_id", "audience", "ca")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A service principal of one ARM endpoint. ``ca`` is the file the endpoint's certificate is verified with."""

    endpoint: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    subscription_id: str
    audience: str
    ca: Path

    @property
    def scope(self) -> str:
        """The OAuth 2 scope of the endpoint; the audience keeps its slash, as azure-identity sends it."""
        return f"{self.audience}/.default"


def read(path: Path) -> Credentials | None:
    """Return the credentials, or None when the server has never run.

    Raises:
        OperationFailed: the file is there and is not what the server writes. Its content is not repeated.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _decoded(json.loads(text))
    except (ValueError, KeyError, TypeError) as error:
        raise OperationFailed(
            f"{path} is not a credentials file",
            details="It is not a JSON object."
            if isinstance(error, ValueError)
            else f"These members must be texts: {', '.join(_MEMBERS)}.",
            resolution=f"Remove {path}; the next start of the server writes it anew.",
            code="InvalidCredentialsFile",
        ) from None


def _decoded(document: Mapping[str, object]) -> Credentials:
    values: dict[str, str] = {}
    for name in _MEMBERS:
        value = document[name]
        if not isinstance(value, str):
            raise TypeError(name)
        values[name] = value
    return Credentials(
        endpoint=values["endpoint"].rstrip("/"),
        tenant_id=values["tenant_id"],
        client_id=values["client_id"],
        client_secret=values["client_secret"],
        subscription_id=values["subscription_id"],
        audience=values["audience"],
        ca=Path(values["ca"]),
    )
