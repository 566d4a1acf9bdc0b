"""Every route of the API has an action Azure would know and a description: a route that lacks one is named here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from dockyard.arm.app import build_app
from dockyard.arm.authorization.actions import SPELLED, demand
from dockyard.arm.describe import description_of, summary_of
from dockyard.arm.paths import keyword_positions
from tests.support.arm_api import PRINCIPAL, arm_context
from tests.support.fabric import World

ACTION = re.compile(r"[A-Z][A-Za-z]+\.[A-Z][A-Za-z]+(/[A-Za-z]+)+/(read|write|delete|action)")
PARAMETER = re.compile(r"\{[^}]+\}")
# What needs no role: the public documents, what carries a signature of its own, and what any caller may ask for.
OPEN = {
    "GET /metadata/aliases",
    "GET /metadata/endpoints",
    "GET /adfs/.well-known/openid-configuration",
    "GET /adfs/adfs/v2.0/.well-known/openid-configuration",
    "POST /adfs/oauth2/token",
    "GET /console/{vm_id}",
    "GET /openapi.json",
    "GET /subscriptions",
    "GET /subscriptions/{subscription}/providers/microsoft.compute/locations/{location}/operations/{operation}",
}


@pytest.fixture
def routes(tmp_path: Path) -> Iterator[list[Route]]:
    world = World(tmp_path)
    app = build_app(arm_context(world, principal=PRINCIPAL, endpoint="https://127.0.0.1:1"))
    yield [route for route in app.routes if isinstance(route, Route)]
    world.close()


def test_every_request_is_an_action(routes: list[Route]) -> None:
    found = {
        f"{method} {route.path}": demand(method=method, path=PARAMETER.sub("x", typed(route.path)))
        for route in routes
        for method in sorted(route.methods or ())
        if method != "HEAD" and f"{method} {route.path}" not in OPEN
    }
    without = [name for name, wanted in found.items() if wanted is None or not ACTION.fullmatch(wanted.action)]
    assert without == [], "say in arm/authorization/actions.py what these demand, or here that they demand nothing"


def typed(path: str) -> str:
    """A path with words where a route takes any type of resource."""
    return path.replace("{namespace}/{type}", "microsoft.compute/virtualmachines").replace("{child_type}", "extensions")


def test_nobody_chooses_the_words_of_an_action(routes: list[Route]) -> None:
    """A parameter where a word stands would let a request be judged as another action than it is."""
    chosen = [
        route.path
        for route in routes
        for segments in [typed(route.path).strip("/").split("/")]
        for at in keyword_positions(segments)
        if segments[0] == "subscriptions" and segments[at].startswith("{") and route.name != "elsewhere"
    ]
    assert chosen == []
    assert [route.path for route in routes if ":path}" in route.path] == []


def test_every_word_of_a_path_is_spelled_as_azure_spells_it(routes: list[Route]) -> None:
    unknown = {
        segments[at]
        for route in routes
        for segments in [typed(route.path).strip("/").split("/")]
        if segments[0] in ("subscriptions", "providers")
        for at in keyword_positions(segments)
        if segments[at] not in SPELLED and not segments[at].startswith("{")
    }
    assert unknown == set(), "add Azure's spelling of these words to SPELLED in arm/authorization/actions.py"


def test_every_endpoint_says_what_it_takes_and_answers(routes: list[Route]) -> None:
    silent = {f"{route.endpoint.__module__}.{route.name}" for route in routes if description_of(route) is None}
    assert silent == set(), "put @describe(...) of arm/describe.py above these endpoints"
    assert [route.path for route in routes if not summary_of(route)] == []


def test_every_body_is_described(routes: list[Route]) -> None:
    bare = {
        f"{route.endpoint.__module__}.{route.name}"
        for route in routes
        for method in (route.methods or set()) & {"PUT", "PATCH"}
        for said in [description_of(route)]
        if said is not None and said.takes(method) is None and route.name != "elsewhere"
    }
    assert bare == set(), "give body=... to the @describe(...) of these endpoints"
