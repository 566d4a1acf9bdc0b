"""The catalogue's routes: Azure's GETs, and PUT and DELETE of a version with a zip file as its body."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from azure.core.exceptions import ResourceNotFoundError

from dockyard.model.role import CONTRIBUTOR, READER
from tests.contract.arm.test_official_sdk import BODY
from tests.support.arm_api import Api
from tests.support.callers import RG, SUB, Caller, Directory
from tests.support.raw_zip import Raw, bad_archives, package

PUBLISHERS = f"{SUB}/providers/Microsoft.Compute/locations/local/publishers"
VERSIONS = f"{PUBLISHERS}/Contoso/artifacttypes/vmextension/types/Agent/versions"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"


async def send(caller: Caller, version: str, content: bytes | None = None) -> tuple[int, dict[str, object]]:
    answer = await caller.put_bytes(f"{VERSIONS}/{version}", package() if content is None else content)
    document: dict[str, object] = answer.json()
    return answer.status_code, document


async def test_a_version_is_made_once_and_shown(calls: Directory) -> None:
    code, made = await send(calls.owner, "1.0.0")
    assert code == 201
    assert made["id"] == VERSIONS.replace("artifacttypes", "artifactTypes") + "/1.0.0"
    assert (await send(calls.owner, "1.0.0"))[0] == 200
    code, refused = await send(calls.owner, "1.0.0", package(Raw(b"more", b"x")))
    assert code == 409
    assert "with other content" in str(refused)
    shown = await calls.owner.get(f"{VERSIONS}/1.0.0")
    assert shown.json() == made
    assert shown.headers["etag"]


async def test_azures_lists_have_it(calls: Directory) -> None:
    for version in ("1.9.0", "1.10.0", "2.0.0"):
        await send(calls.owner, version)
    assert "Contoso" in names(await calls.owner.get(PUBLISHERS))
    assert names(await calls.owner.get(VERSIONS.removesuffix("/Agent/versions"))) == ["Agent"]
    assert names(await calls.owner.get(VERSIONS)) == ["1.9.0", "1.10.0", "2.0.0"]
    assert names(await calls.owner.get(VERSIONS, _orderby="name desc", _top="2")) == ["2.0.0", "1.10.0"]
    assert names(await calls.owner.get(VERSIONS, _filter="startswith(name,'1.1')")) == ["1.10.0"]


def names(answer: object) -> list[str]:
    return [each["name"] for each in answer.json()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("what", ["a path that climbs", "a link", "a bomb by its ratio", "nothing", "no manifest"])
async def test_a_bad_package_is_refused_in_words(calls: Directory, what: str) -> None:
    code, refused = await send(calls.owner, "1.0.0", bad_archives()[what])
    assert code == 400
    assert "InvalidRequestContent" in str(refused)
    assert (await calls.owner.get(f"{VERSIONS}/1.0.0")).status_code == 404


@pytest.mark.parametrize("version", ["one", "1", "1.0.0.0.0", "01.0", "1.0-rc1"])
async def test_a_name_that_the_agent_could_not_use_is_refused(calls: Directory, version: str) -> None:
    assert (await send(calls.owner, version))[0] == 400


async def test_who_may_not_write_may_look(calls: Directory) -> None:
    reader, contributor = await calls.with_role(READER), await calls.with_role(CONTRIBUTOR)
    assert (await send(reader, "1.0.0"))[0] == 403
    assert (await send(contributor, "1.0.0"))[0] == 201
    assert (await reader.get(f"{VERSIONS}/1.0.0")).status_code == 200
    assert (await reader.delete(f"{VERSIONS}/1.0.0")).status_code == 403


async def test_a_version_is_taken_back_once_and_our_own_never(calls: Directory) -> None:
    await send(calls.owner, "1.0.0")
    assert (await calls.owner.delete(f"{VERSIONS}/1.0.0")).status_code == 200
    assert (await calls.owner.delete(f"{VERSIONS}/1.0.0")).status_code == 204
    own = f"{PUBLISHERS}/Microsoft.Azure.Extensions/artifacttypes/vmextension/types/DockerExtension/versions/1.3.0"
    assert (await calls.owner.delete(own)).status_code == 409


async def test_a_version_in_use_stays(calls: Directory) -> None:
    await send(calls.owner, "1.0.0")
    await calls.owner.put(VM, BODY)
    await calls.world.boot()
    await calls.settled()
    properties = {"publisher": "Contoso", "type": "Agent", "typeHandlerVersion": "1.0"}
    made = await calls.owner.put(f"{VM}/extensions/agent", {"properties": properties})
    assert made.status_code == 201, made.text
    refused = await calls.owner.delete(f"{VERSIONS}/1.0.0")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")


async def test_a_large_body_comes_in_pieces(calls: Directory) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        data = package(Raw(b"data", bytes(range(256)) * 32_768, method=0))  # 8 MiB, above what other bodies may have
        for at in range(0, len(data), 65_536):
            yield data[at : at + 65_536]

    assert (await calls.owner.put_bytes(f"{VERSIONS}/1.0.0", pieces())).status_code == 201


async def test_the_sdk_reads_the_catalogue(api: Api) -> None:
    def read(client: object) -> list[str]:
        images = client.virtual_machine_extension_images  # type: ignore[attr-defined]
        publisher, kind = "Microsoft.Azure.Extensions", "DockerExtension"
        found = images.get("local", publisher, kind, "1.3.0")
        assert found.supports_multiple_extensions is False
        with pytest.raises(ResourceNotFoundError):
            images.get("local", publisher, kind, "9.9.9")
        return [each.name for each in images.list_versions("local", publisher, kind, top=1)]

    assert await api.do(read) == ["1.3.0"]
