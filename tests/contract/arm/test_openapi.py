"""The OpenAPI document holds: schemathesis sends what it allows and what it forbids, as each role and as nobody.

Every answer must be one the document speaks of, in its shape; wrong requests must be refused and nothing may be a
server's fault, not even one that is dressed up as a 400: those are in the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.routing import Route

from dockyard.arm.identity.guard import is_public
from dockyard.arm.openapi.document import openapi
from dockyard.model.errors import DockyardError
from dockyard.model.resource_group import ResourceGroup
from dockyard.model.role import CONTRIBUTOR, OWNER, READER, RoleDefinition
from tests.support.arm_api import Api, serving_api
from tests.support.callers import SUB, Directory
from tests.support.fabric import extension_request, machine_request
from tests.support.values import GROUP, SUBSCRIPTION

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
GENERATED = re.compile(r"(\d+) generated, (\d+) passed")
# What schemathesis cannot know: a failed condition (412) refuses a request as well as a look into its body does, and
# a text that is a valid one for JSON (a name, a template) may still name nothing.
CONFIG = """
[checks]
positive_data_acceptance.enabled = false
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "412"]

[parameters]
"""
NAMES = {"group": GROUP, "name": "web", "child": "DockerExtension", "location": "local", "vm_id": "1"}


@dataclass(frozen=True)
class Run:
    """Who asks, and which names are given so that requests reach what exists."""

    role: RoleDefinition | None
    names: tuple[str, ...]
    examples: int


RUNS = {
    "owner": Run(OWNER, tuple(NAMES), 3),
    "owner, any names": Run(OWNER, ("group",), 2),
    "contributor": Run(CONTRIBUTOR, tuple(NAMES), 2),
    "reader": Run(READER, tuple(NAMES), 2),
    "nobody": Run(None, tuple(NAMES), 1),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
async def test_the_document_holds(run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving_api(tmp_path) as api:
        gardener = asyncio.create_task(keep_a_machine(api))
        with caplog.at_level(logging.ERROR):
            code, text = await schemathesis(api, run, folder=tmp_path)
        gardener.cancel()
    figures = GENERATED.search(text)
    assert code == 0, text[-20_000:]
    assert figures is not None, text[-2_000:]
    print(f"{figures[1]} requests")  # shown by pytest -rP
    assert int(figures[1]) == int(figures[2]) > 500
    assert [record.getMessage() for record in caplog.records if record.name.startswith("dockyard")] == []


async def schemathesis(api: Api, run: Run, *, folder: Path) -> tuple[int, str]:
    document = openapi(api.app.routes, version="0", endpoint=api.endpoint, subscription_id=SUBSCRIPTION)
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(CONFIG + "".join(f'{name} = "{NAMES[name]}"\n' for name in run.names))
    options = ["--seed", "20141117", "--max-examples", str(run.examples), "--phases", "examples,coverage,fuzzing"]
    options += ["--continue-on-failure", "--warnings", "off", "--url", api.endpoint, "--tls-verify", api.ca]
    token = await token_of(api, run.role)
    if token:
        options += ["--header", f"Authorization: Bearer {token}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1", "COLUMNS": "160"}
    process = await asyncio.create_subprocess_exec(
        str(SCHEMATHESIS),
        "run",
        "openapi.json",
        *options,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode("utf-8", "replace")


async def token_of(api: Api, role: RoleDefinition | None) -> str:
    """A token of a principal with this role; the owner is another one than the user's own client."""
    if role is None:
        return ""
    fabric = api.world.fabric
    made, _ = await fabric.principals.create(name="fuzzer")
    fabric.roles.put(scope=SUB, name=str(uuid.uuid4()), role_id=role.id, principal_id=made.object_id)
    return api.context.tokens.issue(made)


async def keep_a_machine(api: Api) -> None:
    """Put the group, the machine and its extension back whenever they were deleted."""
    while True:
        await plant(api)
        await asyncio.sleep(0.2)


async def plant(api: Api) -> None:
    fabric = api.world.fabric
    for lock in fabric.locks.list(scope=SUB, below=True):  # or what follows would meet nothing else
        fabric.locks.delete(scope=lock.scope, name=lock.name)
    if not any(group.name.lower() == GROUP for group in fabric.resource_groups.list()):
        fabric.resource_groups.put(ResourceGroup(SUBSCRIPTION, GROUP, "local"))
    with suppress(DockyardError):
        fabric.virtual_machines.create(request=machine_request(), only_if_absent=True)
    with suppress(DockyardError):
        await fabric.extensions.set(request=extension_request())


def test_every_operation_is_in_the_document_once(calls: Directory) -> None:
    document = openapi(calls.app.routes, version="0", endpoint="https://x", subscription_id=SUBSCRIPTION)
    operations = [each for item in document["paths"].values() for name, each in item.items() if name != "parameters"]
    ids = [operation["operationId"] for operation in operations]
    assert len(ids) == len(set(ids)) > 80
    machine = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    assert sorted(document["paths"][machine]) == ["delete", "get", "parameters", "patch", "put"]
    assert document["paths"][machine]["get"]["summary"] == "Show, create, change or delete one machine"


async def test_the_document_is_served_to_those_with_a_token(calls: Directory) -> None:
    assert (await calls.nobody.get("/openapi.json")).status_code == 401
    stranger = await calls.principal("stranger")
    assert (await stranger.get("/openapi.json")).json()["openapi"] == "3.1.0"


async def test_no_route_answers_without_a_token_but_the_public_ones(calls: Directory) -> None:
    public = set()
    for route in calls.app.routes:
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]+\}", "x", route.path)
        for method in sorted(route.methods or ()):
            answer = await calls.nobody.ask(method, path)
            if is_public(path):
                public.add(route.path)
            else:
                assert answer.status_code == 401, (method, path)
    assert public == {
        "/metadata/endpoints",
        "/metadata/aliases",
        "/adfs/.well-known/openid-configuration",
        "/adfs/adfs/v2.0/.well-known/openid-configuration",
        "/adfs/oauth2/token",
        "/console/{vm_id}",
    }
    unsigned = await calls.nobody.get("/console/x")
    assert unsigned.status_code == 401
