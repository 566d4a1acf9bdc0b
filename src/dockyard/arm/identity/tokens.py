"""Access tokens: short-lived, signed by this server alone, checked for issuer, audience and expiry.

Used by ``routes`` to issue and by ``guard`` to check. The one service principal is the user's own client, whose
secret lies in a file only the user can read.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import jwt

from dockyard.model.errors import Unauthenticated

LIFETIME = timedelta(hours=1)
_ALGORITHM = "HS256"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Issue and check tokens. ``signing_key`` is at least 32 random bytes."""

    issuer: str
    audience: str
    client_id: str
    client_secret: str = field(repr=False)
    signing_key: bytes = field(repr=False)

    def issue(self, *, client_id: str, client_secret: str) -> str:
        """Return a token for the right secret. Raises Unauthenticated otherwise."""
        right_id = hmac.compare_digest(client_id.encode(), self.client_id.encode())
        right_secret = hmac.compare_digest(client_secret.encode(), self.client_secret.encode())
        if not (right_id and right_secret):
            raise Unauthenticated("The client id or secret is wrong", code="invalid_client")
        now = datetime.now(UTC)
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client_id,
            "appid": client_id,
            "iat": now,
            "exp": now + LIFETIME,
        }
        return jwt.encode(claims, self.signing_key, algorithm=_ALGORITHM)

    def check(self, authorization: str | None) -> None:
        """Pass a good ``Authorization`` header. Raises Unauthenticated for none, another scheme or a bad token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "Authentication failed: the 'Authorization' header is missing or is not a bearer token",
                resolution="Log in with the credentials of this server, 'credentials.json' in its config folder.",
            )
        try:
            jwt.decode(
                token.strip(),
                self.signing_key,
                algorithms=[_ALGORITHM],
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The access token has expired", code="ExpiredAuthenticationToken") from error
        except jwt.InvalidTokenError as error:
            raise Unauthenticated(
                "The access token is not one of this server's",
                resolution="Log in again.",
                code="InvalidAuthenticationToken",
            ) from error

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
