"""Service principals: the programs and people who may call this server. A secret is kept as a hash alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class SecretHash:
    """What a secret is recognised by: scrypt's salt and digest, hexadecimal, and the cost they were made with."""

    salt: str = field(repr=False)
    digest: str = field(repr=False)
    cost: int


@dataclass(frozen=True, kw_only=True)
class ServicePrincipal:
    """The stored document.

    Attributes:
        name: unique, compared without regard to case.
        client_id: what it logs in with (Azure's appId).
        object_id: what role assignments name.
        secret: None for the user's own client, whose secret is the server's own file.
        secret_id: changes with every secret; a token is good only while its principal still has the secret it was
            issued for.
    """

    name: str
    client_id: str
    object_id: str
    created_at: datetime
    secret: SecretHash | None = None
    secret_id: str = ""

    @property
    def is_owner_of_server(self) -> bool:
        """Whether this is the user's own client."""
        return self.secret is None
