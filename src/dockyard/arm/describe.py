"""What a route takes and answers, said in one line above its endpoint; ``openapi`` makes the served document of it.

    @describe(body=schemas.TAGGED, answer=schemas.RESOURCE)
    async def machine(request: Request) -> Response:

An endpoint without that line is served all the same: its docstring is its summary and its answer may be anything. The
architecture tests name every endpoint that lacks it. Only describes: what is refused is decided where it is read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]
Schema = Mapping[str, Any]
_KEY = "arm_description"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What one endpoint takes and answers, as JSON schemas.

    Attributes:
        answer: the document of a 200 or 201; None where an answer has no body.
        body: the document PUT, PATCH and POST take; None where none is read.
        patch: what PATCH takes, where that is not ``body``.
        query: the options after ``?`` beside ``api-version``, and what each is.
        media: the type of the answer.
        form: whether the body is a form and not JSON.
        body_media: the type of the body, where it is neither.
    """

    answer: Schema | None = None
    body: Schema | None = None
    patch: Schema | None = None
    query: Sequence[str] = ()
    media: str = "application/json"
    form: bool = False
    body_media: str = ""

    def takes(self, method: str) -> Schema | None:
        """Return the schema of what a method takes."""
        if method == "PATCH" and self.patch is not None:
            return self.patch
        return self.body if method in ("PUT", "PATCH", "POST") else None


def describe(
    *,
    answer: Schema | None = None,
    body: Schema | None = None,
    patch: Schema | None = None,
    query: Sequence[str] = (),
    media: str = "application/json",
    form: bool = False,
    body_media: str = "",
) -> Callable[[Endpoint], Endpoint]:
    """Say what an endpoint takes and answers; see ``Description``."""
    description = Description(
        answer=answer, body=body, patch=patch, query=query, media=media, form=form, body_media=body_media
    )

    def said(endpoint: Endpoint) -> Endpoint:
        vars(endpoint)[_KEY] = description
        return endpoint

    return said


def description_of(route: Route) -> Description | None:
    """Return what was said of a route's endpoint, None when nothing was."""
    found = vars(route.endpoint).get(_KEY)
    return found if isinstance(found, Description) else None


def summary_of(route: Route) -> str:
    """Return the first line of the endpoint's docstring."""
    return (route.endpoint.__doc__ or "").strip().partition("\n")[0].rstrip(".")
