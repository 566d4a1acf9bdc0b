"""Principals and their tokens: made once, shown once, worthless the moment they are taken back."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from dockyard.arm.identity.principal import AUDIENCE
from dockyard.model.role import READER
from tests.support.arm_api import PRINCIPAL
from tests.support.callers import ENDPOINT, PRINCIPALS, SUB, Caller, Directory

KEY = bytes.fromhex(PRINCIPAL.signing_key)


async def test_a_secret_is_shown_once_and_kept_as_a_hash(calls: Directory, tmp_path: Path) -> None:
    made = await calls.owner.put(f"{PRINCIPALS}/ci", {})
    secret = made.json()["properties"]["clientSecret"]
    assert len(secret) >= 43
    again = await calls.owner.put(f"{PRINCIPALS}/CI", {})
    assert again.status_code == 200
    assert again.json()["properties"]["appId"] == made.json()["properties"]["appId"]
    listed = await calls.owner.get(PRINCIPALS)
    shown = await calls.owner.get(f"{PRINCIPALS}/ci")
    for answer in (again, listed, shown):
        assert secret not in answer.text
        assert "clientSecret" not in answer.text
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert made.json()["properties"]["appId"].encode() in kept
    assert secret.encode() not in kept


async def test_a_principal_logs_in_with_its_secret_alone(calls: Directory) -> None:
    made = (await calls.owner.put(f"{PRINCIPALS}/ci", {})).json()["properties"]
    assert (await calls.log_in(made["appId"], made["clientSecret"])).status_code == 200
    for client_id, secret in (
        (made["appId"], "wrong"),
        (made["appId"], ""),
        ("", ""),
        ("nobody", made["clientSecret"]),
        (PRINCIPAL.client_id, made["clientSecret"]),
        (made["appId"], PRINCIPAL.client_secret),
        ("\x00\ud7ff", "ü"),
    ):
        refused = await calls.log_in(client_id, secret)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_a_new_secret_ends_the_tokens_of_the_old_one(calls: Directory) -> None:
    reader = await calls.with_role(READER)
    assert (await reader.get(SUB)).status_code == 200
    renewed = (await calls.owner.post(f"{PRINCIPALS}/reader/resetSecret")).json()["properties"]
    assert (await reader.get(SUB)).json()["error"]["code"] == "InvalidAuthenticationToken"
    answer = await calls.log_in(renewed["appId"], renewed["clientSecret"])
    assert (await Caller(calls.app, token=answer.json()["access_token"]).get(SUB)).status_code == 200


async def test_a_deleted_principal_has_neither_token_nor_role(calls: Directory) -> None:
    reader = await calls.with_role(READER)
    assert (await calls.owner.delete(f"{PRINCIPALS}/reader")).status_code == 200
    assert (await calls.owner.delete(f"{PRINCIPALS}/reader")).status_code == 204
    assert (await reader.get("/subscriptions")).status_code == 401
    assert len(calls.world.store.role_assignments()) == 1
    assert (await calls.owner.get(f"{PRINCIPALS}/reader")).status_code == 404


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": "https://login.example/adfs"}, "InvalidAuthenticationToken"),
        ({"aud": "https://management.azure.com/"}, "InvalidAuthenticationToken"),
        ({"exp": datetime(2026, 1, 1, tzinfo=UTC)}, "ExpiredAuthenticationToken"),
        ({"appid": "nobody"}, "InvalidAuthenticationToken"),
        ({"sid": "another secret"}, "InvalidAuthenticationToken"),
        ({"exp": None}, "InvalidAuthenticationToken"),
        ({"appid": None}, "InvalidAuthenticationToken"),
        ({"sid": None}, "InvalidAuthenticationToken"),
    ],
    ids=str,
)
async def test_a_token_must_be_right_in_every_claim(calls: Directory, change: dict[str, object], code: str) -> None:
    good = {
        "iss": f"{ENDPOINT}/adfs",
        "aud": AUDIENCE,
        "appid": PRINCIPAL.client_id,
        "sid": "",
        "exp": datetime.now(UTC) + timedelta(minutes=1),
    }
    assert (await Caller(calls.app, token=jwt.encode(good, KEY)).get(SUB)).status_code == 200
    bad = {name: value for name, value in {**good, **change}.items() if value is not None}
    answer = await Caller(calls.app, token=jwt.encode(bad, KEY)).get(SUB)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [SUB, "/subscriptions", "/openapi.json", "/", "/nothing", PRINCIPALS])
async def test_nothing_but_the_public_documents_is_answered_without_a_token(calls: Directory, path: str) -> None:
    forged = jwt.encode({"iss": f"{ENDPOINT}/adfs", "aud": AUDIENCE, "exp": 4_000_000_000}, b"x" * 32)
    for caller in (calls.nobody, Caller(calls.app, token=forged), Caller(calls.app, token="")):
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"):
            assert (await caller.ask(method, path)).status_code == 401
    assert (await calls.nobody.get("/metadata/endpoints")).status_code == 200


async def test_two_who_create_one_principal_at_once_get_one_secret(calls: Directory) -> None:
    answers = await asyncio.gather(*(calls.owner.put(f"{PRINCIPALS}/ci", {}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({json.loads(answer.text)["properties"]["appId"] for answer in answers}) == 1
