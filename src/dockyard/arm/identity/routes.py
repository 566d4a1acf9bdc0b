"""Cloud metadata and the token endpoint, in the ADFS style, which needs no instance discovery on the internet."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dockyard.arm import schemas
from dockyard.arm.context import TENANT_ID, context_of
from dockyard.arm.describe import describe
from dockyard.arm.identity.tokens import LIFETIME
from dockyard.model.errors import Unauthenticated
from dockyard.model.principal import ServicePrincipal

_MAX_FORM_BYTES = 65_536


@describe(answer=schemas.an_object("name", "authentication", name=schemas.TEXT, authentication=schemas.OBJECT))
async def endpoints(request: Request) -> Response:
    """Serve the document ``az cloud register`` reads."""
    context = context_of(request)
    return JSONResponse(
        {
            "name": "Dockyard",
            "portal": context.endpoint,
            "authentication": {
                "loginEndpoint": f"{context.endpoint}/adfs",
                "audiences": [context.tokens.audience],
                "tenant": TENANT_ID,
                "identityProvider": "ADFS",
            },
            "resourceManager": context.endpoint,
            "microsoftGraphResourceId": f"{context.endpoint}/",  # az names a directory, even where it asks it nothing
            "suffixes": {},
            "vmImageAliasDoc": f"{context.endpoint}/metadata/aliases",
        }
    )


@describe(answer=schemas.an_object("token_endpoint", token_endpoint=schemas.TEXT))
async def openid_configuration(request: Request) -> Response:
    """Serve the discovery document MSAL reads before it asks for a token."""
    base = f"{context_of(request).endpoint}/adfs"
    return JSONResponse(
        {
            "issuer": context_of(request).tokens.issuer,
            "authorization_endpoint": f"{base}/oauth2/authorize",
            "token_endpoint": f"{base}/oauth2/token",
            "jwks_uri": f"{base}/discovery/keys",
        }
    )


@describe(answer=schemas.an_object("access_token", access_token=schemas.TEXT), form=True)
async def token(request: Request) -> Response:
    """Issue a token for the client-credentials grant (RFC 6749, section 4.4)."""
    form = parse_qs((await request.body())[:_MAX_FORM_BYTES].decode("utf-8", "replace"))
    if form.get("grant_type") != ["client_credentials"]:
        return _refused(400, error="unsupported_grant_type", text="Only client_credentials is served.", number=70003)
    client_id, client_secret = (form.get(key, [""])[0] for key in ("client_id", "client_secret"))
    try:
        principal = await _logged_in(request, client_id=client_id, client_secret=client_secret)
    except Unauthenticated as error:
        return _refused(401, error="invalid_client", text=error.brief, number=7000215)
    issued = context_of(request).tokens.issue(principal)
    seconds = int(LIFETIME.total_seconds())
    return JSONResponse({"token_type": "Bearer", "access_token": issued, "expires_in": seconds})


async def _logged_in(request: Request, *, client_id: str, client_secret: str) -> ServicePrincipal:
    context = context_of(request)
    if context.tokens.is_own(client_id=client_id, client_secret=client_secret):
        return context.fabric.principals.recognise(client_id=client_id, secret_id="")
    return await context.fabric.principals.log_in(client_id=client_id, client_secret=client_secret)


def _refused(status: int, *, error: str, text: str, number: int) -> Response:
    body = {"error": error, "error_description": f"AADSTS{number}: {text}", "error_codes": [number]}
    return JSONResponse(body, status_code=status)


ROUTES = [
    Route("/metadata/endpoints", endpoints),
    Route("/adfs/.well-known/openid-configuration", openid_configuration),
    # Where az looks for the tenant 'adfs' that a user names with --tenant.
    Route(f"/adfs/{TENANT_ID}/v2.0/.well-known/openid-configuration", openid_configuration, include_in_schema=False),
    Route("/adfs/oauth2/token", token, methods=["POST"]),
]
