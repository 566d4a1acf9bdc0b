"""The one service principal of this server and the keys behind its tokens, made on the first start and kept.

Used by the composition. Two files: the public half plus the secret for the user's client, and the server's own key.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from dockyard import files
from dockyard.arm.context import TENANT_ID
from dockyard.arm.identity.tokens import Tokens

AUDIENCE = "https://management.dockyard.local/"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who may call this server, and under which subscription everything lies. ``signing_key`` is hexadecimal."""

    client_id: str
    client_secret: str = field(repr=False)
    subscription_id: str
    signing_key: str = field(repr=False)

    @classmethod
    def load_or_create(cls, path: Path) -> Principal:
        """Read the server's own file, or make it."""
        if path.exists():
            return cls(**json.loads(path.read_text("utf-8")))
        made = cls(
            client_id=str(uuid.uuid4()),
            client_secret=secrets.token_urlsafe(32),
            subscription_id=str(uuid.uuid4()),
            signing_key=secrets.token_hex(32),
        )
        files.write(path, json.dumps(vars(made)).encode(), mode=files.SECRET)
        return made

    def tokens(self, *, endpoint: str) -> Tokens:
        """Return what issues and checks this principal's tokens."""
        return Tokens(
            issuer=f"{endpoint}/adfs",
            audience=AUDIENCE,
            client_id=self.client_id,
            client_secret=self.client_secret,
            signing_key=bytes.fromhex(self.signing_key),
        )

    def write_credentials(self, path: Path, *, endpoint: str, ca: Path) -> None:
        """Write what a client needs to log in; only the user can read it."""
        document = {
            "endpoint": endpoint,
            "tenant_id": TENANT_ID,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "subscription_id": self.subscription_id,
            "audience": AUDIENCE,
            "ca": str(ca),
        }
        files.write(path, json.dumps(document, indent=2).encode(), mode=files.SECRET)
