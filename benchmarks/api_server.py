"""The server of ``api``: a fabric of stored machines on a fake hypervisor, and a bare application beside it.

``python -m benchmarks.api_server FOLDER MACHINES`` prints one line of JSON that says where both are, and serves until
its standard input ends. The bare application answers with the bytes the API answered when it was first asked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dockyard.arm import server
from dockyard.arm.answers import Exchange
from tests.support.arm_api import PRINCIPAL, Api
from tests.support.fabric import World
from tests.support.values import a_machine, an_extension


def main() -> None:
    """Serve."""
    asyncio.run(_serve(Path(sys.argv[1]), machines=int(sys.argv[2])))


async def _serve(folder: Path, *, machines: int) -> None:
    world = World(folder)
    fill(world, machines=machines)
    certificates = {name: folder / f"{name}.pem" for name in ("authority_key", "certificate", "key")}
    server.write_certificates(authority=folder / "ca.pem", **certificates)
    tls = {name: certificates[name] for name in ("certificate", "key")}
    sockets = [server.listen(port=None, remembered=folder / f"{name}.json") for name in ("api", "bare")]
    ports = [each.getsockname()[1] for each in sockets]
    api = Api(world=world, folder=folder, principal=PRINCIPAL, port=ports[0])
    servers = [server.build_server(app, **tls) for app in (api.app, bare(api.app))]
    serving = [
        asyncio.create_task(each.serve(sockets=[listener])) for each, listener in zip(servers, sockets, strict=True)
    ]
    own = world.fabric.principals.recognise(client_id=PRINCIPAL.client_id, secret_id="")
    told = {"ports": ports, "ca": api.ca, "token": api.context.tokens.issue(own)}
    server.settle()
    print(json.dumps(told), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for each in servers:
        each.should_exit = each.force_exit = True
    await asyncio.gather(*serving)
    world.close()


def fill(world: World, *, machines: int) -> None:
    """Store machines, an extension in each, without any work on them."""
    with world.store.transaction():
        for number in range(machines):
            machine = replace(a_machine(f"vm-{number:04}"), vm_id=str(uuid.UUID(int=number)))
            world.store.put_virtual_machine(machine)
            world.store.put_extension(an_extension(machine.id.name))


def bare(app: Starlette) -> Starlette:
    """Return an application of one route that knows the answers of another by heart."""
    known: dict[str, Response] = {}

    async def answer(request: Request) -> Response:
        body = await request.body()
        key = f"{request.method} {request.url.path}?{request.url.query}"
        if key not in known:
            found = await Exchange(body).ask(app, dict(request.scope))
            known[key] = Response(found.body, found.status, media_type="application/json")
        return known[key]

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "PUT", "PATCH", "POST"])])


if __name__ == "__main__":
    main()
