"""``DefaultAzureCredential`` finds its way from the environment, over TLS, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from dockyard.arm.identity.principal import AUDIENCE
from dockyard.model.role import CONTRIBUTOR, READER, RoleDefinition
from tests.contract.arm.test_official_sdk import BODY, EXTENSION
from tests.support.arm_api import Api
from tests.support.callers import RG, SUB
from tests.support.values import SUBSCRIPTION

PROGRAM = Path(__file__).with_name("default_credential.py")


async def seen_by(api: Api, role: RoleDefinition, *, scope: str, secret: str | None = None) -> Any:
    """Run the program as a new principal with a role; return what it printed, or its error's text."""
    fabric = api.world.fabric
    made, good = await fabric.principals.create(name="program")
    fabric.roles.put(scope=scope, name=str(uuid.uuid4()), role_id=role.id, principal_id=made.object_id)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(api.folder),
        "AZURE_TENANT_ID": "adfs",
        "AZURE_CLIENT_ID": made.client_id,
        "AZURE_CLIENT_SECRET": secret or good or "",
        "AZURE_AUTHORITY_HOST": api.endpoint,
        "REQUESTS_CA_BUNDLE": api.ca,
    }
    asked = {
        "endpoint": api.endpoint,
        "subscription": SUBSCRIPTION,
        "audience": AUDIENCE,
        "machine": BODY,
        "extension": EXTENSION,
        "may_write": role is not READER,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(json.dumps(asked).encode())
    return json.loads(output) if process.returncode == 0 else errors.decode()


async def test_a_contributor_does_all_the_sdk_can_do(api: Api) -> None:
    seen = await seen_by(api, CONTRIBUTOR, scope=SUB)
    assert isinstance(seen, dict), seen
    assert seen["tags"]["team"] == "blue"
    assert seen["listed"] == seen["all"] == ["web"]
    assert (seen["extension"], seen["extensions"]) == ("Succeeded", ["DockerExtension"])
    assert "PowerState/running" in seen["view"]
    assert seen["sizes"] > 0
    assert seen["console"].startswith(f"{api.endpoint}/console/")
    assert seen["left"] == []


@pytest.mark.parametrize("scope", [SUB, RG])
async def test_a_reader_reads_and_is_refused_as_on_azure(api: Api, scope: str) -> None:
    assert await seen_by(api, READER, scope=scope) == {"all": [], "refused": [403, "AuthorizationFailed"]}


async def test_a_wrong_secret_is_told(api: Api) -> None:
    assert "The client id or secret is wrong" in await seen_by(api, READER, scope=SUB, secret="wrong")
