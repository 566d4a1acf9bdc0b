"""What ``runner`` asks of ``inside`` and what it answers, as JSON text. Used by these two alone."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import cattrs

from dockyard.authoring.observations import Observations
from dockyard.authoring.settings import Given


@dataclass(frozen=True, kw_only=True)
class Request:
    """A package and how to lead its life; an empty ``scratch`` is a life on this very machine."""

    handler: str
    version: str
    archive: bytes = field(repr=False)
    given: Given
    patience: float
    limit: float | None
    scratch: str


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter()
    converter.register_unstructure_hook(bytes, lambda value: base64.b64encode(value).decode())
    converter.register_structure_hook(bytes, lambda value, _kind: base64.b64decode(value))
    return converter


_CONVERTER = _converter()


def dump_request(request: Request) -> str:
    """Return the request's text; it holds secrets."""
    return json.dumps(_CONVERTER.unstructure(request))


def read_request(text: str) -> Request:
    """Read a request's text."""
    return _CONVERTER.structure(json.loads(text), Request)


def answer(seen: Observations) -> str:
    """Return the text of what was seen."""
    return json.dumps(_CONVERTER.unstructure(seen))


def read_answer(text: str) -> Observations:
    """Read what was seen."""
    return _CONVERTER.structure(json.loads(text), Observations)
