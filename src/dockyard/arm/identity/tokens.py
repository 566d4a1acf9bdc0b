"""Access tokens: short-lived, signed by this server alone, checked for issuer, audience and expiry.

Used by ``routes`` to issue and by ``guard`` to check. The user's own client is known by the secret in a file only the
user can read, every other principal by the hash in the store (``fabric.principals``).
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt

from dockyard.model.errors import Unauthenticated
from dockyard.model.principal import ServicePrincipal

LIFETIME = timedelta(hours=1)
TENANT_ID = "adfs"
_ALGORITHM = "HS256"


@dataclass(frozen=True)
class Claims:
    """Whose token it is, and for which of its secrets it was issued."""

    client_id: str
    secret_id: str


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Issue and check tokens. ``signing_key`` is at least 32 random bytes."""

    issuer: str
    audience: str
    client_id: str
    client_secret: str = field(repr=False)
    signing_key: bytes = field(repr=False)

    def is_own(self, *, client_id: str, client_secret: str) -> bool:
        """Tell whether these are the id and the secret of the user's own client."""
        right_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        right_secret = hmac.compare_digest(client_secret.encode(), self.client_secret.encode())
        return right_id and right_secret

    def issue(self, principal: ServicePrincipal) -> str:
        """Return a token for a principal that has proved itself."""
        now = datetime.now(UTC)
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "tid": TENANT_ID,
            "sub": principal.object_id,
            "oid": principal.object_id,
            "appid": principal.client_id,
            "sid": principal.secret_id,
            "iat": now,
            "exp": now + LIFETIME,
        }
        return jwt.encode(claims, self.signing_key, algorithm=_ALGORITHM)

    def check(self, authorization: str | None) -> Claims:
        """Return what a good ``Authorization`` header says. Raises Unauthenticated for any other."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "Authentication failed: the 'Authorization' header is missing or is not a bearer token",
                resolution="Log in with the credentials of this server, 'credentials.json' in its config folder.",
            )
        try:
            claims = jwt.decode(
                token.strip(),
                self.signing_key,
                algorithms=[_ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "iss", "aud", "appid", "sid"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired", code="ExpiredAuthenticationToken") from error
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(
                "The access token is not one of this server's",
                resolution="Log in again.",
                code="InvalidAuthenticationToken",
            ) from error
        return Claims(client_id=str(claims["appid"]), secret_id=str(claims["sid"]))

    def sign_path(self, path: str) -> str:
        """Return a signature that lets its bearer fetch ``path`` for an hour."""
        expires = int((datetime.now(UTC) + LIFETIME).timestamp())
        return f"{expires}.{self._path_digest(path, expires=expires)}"

    def check_path(self, path: str, *, signature: str) -> bool:
        """Tell whether ``signature`` is one of ours for ``path`` and still good."""
        expires, _, digest = signature.partition(".")
        if not expires.isascii() or not expires.isdigit() or int(expires) < datetime.now(UTC).timestamp():
            return False
        return hmac.compare_digest(digest.encode(), self._path_digest(path, expires=int(expires)).encode())

    def _path_digest(self, path: str, *, expires: int) -> str:
        return hmac.new(self.signing_key, f"{expires} {path}".encode(), "sha256").hexdigest()
