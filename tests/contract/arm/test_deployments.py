"""Templates deployed by the official client of deployments, and by the very bytes `az` sends."""

# ruff: noqa: E501 - a case a line
from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.deployments import DeploymentsMgmtClient

from dockyard.arm.identity.principal import AUDIENCE
from dockyard.model.provisioning import ProvisioningState
from dockyard.templates.json_text import read
from tests.support.arm_api import Api
from tests.support.values import SUBSCRIPTION

pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TEMPLATES = Path(__file__).parent / "templates"
KEY = "ssh-ed25519 AAAAcanary me"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/dockyard"
DEPLOYMENTS = f"{GROUP}/providers/Microsoft.Resources/deployments"


def body(name: str, *, mode: str = "Incremental", **parameters: Any) -> Any:
    template = read((TEMPLATES / f"{name}.json").read_bytes()).value
    values = {key: {"value": value} for key, value in parameters.items()}
    return {"properties": {"mode": mode, "template": template, "parameters": values}}


def made(client: DeploymentsMgmtClient, content: Any, *, name: str = "first") -> Any:
    """Deploy and return the properties as the client reads them."""
    return client.deployments.begin_create_or_update("dockyard", name, content).result().as_dict()["properties"]


async def raw(api: Api, method: str, path: str, content: bytes | None = None) -> httpx.Response:
    """Send a request as it is written here."""

    def send() -> httpx.Response:
        token = api.credential().get_token(f"{AUDIENCE}/.default").token
        return httpx.request(
            method,
            f"{api.endpoint}{path}?api-version=2025-04-01",
            content=content,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            verify=ssl.create_default_context(cafile=api.ca),
        )

    return await asyncio.to_thread(send)


async def test_a_machine_with_docker_comes_out_of_a_template(api: Api) -> None:
    properties = await api.deploy(lambda client: made(client, body("docker-simple", adminKey=KEY)))
    assert properties["provisioningState"] == "Succeeded"
    assert properties["outputs"]["vmId"]["value"] == api.world.machine("simple").vm_id
    assert int(properties["outputs"]["sshPort"]["value"]) > 0
    assert properties["outputs"]["admin"] == {"type": "SecureString"}
    assert properties["parameters"]["adminKey"] == {"type": "SecureString"}
    assert [entry["id"].rpartition("/")[2] for entry in properties["outputResources"]][1:] == [
        "simple",
        "DockerExtension",
    ]
    assert properties["duration"].startswith("PT")
    assert "canary" not in str(properties)


async def test_deploying_again_changes_nothing(api: Api) -> None:
    def twice(client: DeploymentsMgmtClient) -> list[str]:
        content = body("docker-simple", adminKey=KEY)
        return [made(client, content)["outputs"]["vmId"]["value"] for _ in range(2)]

    first, second = await api.deploy(twice)
    assert first == second


async def test_a_compose_template_keeps_its_password_to_itself(api: Api) -> None:
    content = body("docker-compose", adminUsername="me", databasePassword="canary-7f31", storageAccountName="disks1")

    def deploy(client: DeploymentsMgmtClient) -> list[Any]:
        properties = made(client, content)
        assert properties["outputs"]["state"]["value"] == "Succeeded"
        return [properties, client.deployments.export_template("dockyard", "first").as_dict()]

    answers = await api.deploy(deploy)
    operations = await raw(api, "GET", f"{GROUP}/deployments/first/operations")
    extension = api.world.fabric.extensions.list(machine=api.world.machine("compose").id)[0]
    assert extension.settings["compose"]["site"]["links"] == ["database:database"]
    assert extension.protected is not None
    stored = b"".join(path.read_bytes() for path in api.world.folder.glob("store.db*"))
    assert "canary-7f31" not in str(answers) + operations.text
    assert b"canary-7f31" not in stored


async def test_a_machine_comes_with_its_network_and_again_without_a_change(api: Api) -> None:
    """The shape of the public templates: everything a machine needs on Azure, written in any order."""
    content = body("docker-network", adminUsername="me", adminKey=KEY, databasePassword="canary-55", dnsLabel="joined")

    def deploy(client: DeploymentsMgmtClient) -> tuple[Any, Any]:
        first = made(client, content)
        foreseen = client.deployments.begin_what_if("dockyard", "first", content).result().as_dict()
        return first, foreseen["properties"]["changes"]

    properties, changes = await api.deploy(deploy)
    assert properties["outputs"]["name"]["value"] == "joined.localhost"
    assert properties["outputs"]["address"]["value"] == "127.0.0.1"
    begun = (await raw(api, "GET", f"{DEPLOYMENTS}/first/operations")).json()["value"]
    kinds = [each["properties"]["targetResource"]["resourceType"].rpartition("/")[2] for each in begun]
    assert set(kinds[:3]) == {"networkSecurityGroups", "publicIPAddresses", "storageAccounts"}
    assert kinds[3:] == ["virtualNetworks", "networkInterfaces", "virtualMachines", "extensions"]
    told = {each["resourceId"].rpartition("/")[2]: each["changeType"] for each in changes}
    assert {told[name] for name in ("network", "rules", "address", "interface")} == {"NoChange"}
    assert "canary-55" not in str(changes)


async def test_a_cluster_is_made_in_batches(api: Api) -> None:
    properties = await api.deploy(lambda client: made(client, body("docker-cluster", count=3)))
    assert properties["outputs"]["names"]["value"] == ["node-01", "node-02", "node-03"]
    assert len(properties["outputs"]["ids"]["value"]) == 3
    assert properties["outputs"]["engine"]["value"] == "DockerExtension"
    listed = (await raw(api, "GET", f"{DEPLOYMENTS}/first/operations")).json()["value"]
    begun = [step["properties"]["targetResource"]["resourceName"] for step in listed]
    assert set(begun[:2]) == {"node-01", "node-02"}
    assert begun[2] == "node-03"
    assert {step["properties"]["provisioningState"] for step in listed} == {"Succeeded"}
    assert [node.id.name for node in api.world.fabric.virtual_machines.list()] == ["node-01", "node-02", "node-03"]


async def test_complete_mode_removes_the_node_too_many(api: Api) -> None:
    def shrink(client: DeploymentsMgmtClient) -> None:
        made(client, body("docker-cluster", count=2, withDocker=False))
        made(client, body("docker-cluster", count=1, withDocker=False, mode="Complete"))

    await api.deploy(shrink)
    assert [node.id.name for node in api.world.fabric.virtual_machines.list()] == ["node-01"]


async def test_deployments_may_be_nested_in_both_scopes(api: Api) -> None:
    content = body("nested", suffix="7", secret="canary-33")
    properties = await api.deploy(lambda client: made(client, content))
    assert properties["outputs"]["inner"]["value"] == "inside7"
    accounts = {account.id.name: account for account in api.world.fabric.storage_accounts.list()}
    assert set(accounts) == {"inside7", "outside7"}
    assert accounts["outside7"].tags["inner"] == "inside7"
    inner = await raw(api, "POST", f"{DEPLOYMENTS}/inner/exportTemplate")
    outer = await raw(api, "POST", f"{DEPLOYMENTS}/outer/exportTemplate")
    assert inner.json()["template"]["variables"] == {"where": "inside"}
    assert outer.json()["error"]["code"] == "TemplateNotKept"


async def test_complete_mode_keeps_what_nested_deployments_made(api: Api) -> None:
    await api.deploy(lambda client: made(client, body("nested", suffix="7", mode="Complete")))
    assert len(api.world.fabric.storage_accounts.list()) == 2


async def test_a_failure_is_reported_with_the_resource_that_failed(api: Api) -> None:
    def fail(client: DeploymentsMgmtClient) -> Any:
        with pytest.raises(HttpResponseError) as caught:
            made(client, body("docker-simple", adminKey=KEY, sku="no-such-image"))
        return caught.value

    error = await api.deploy(fail)
    assert "DeploymentFailed" in str(error)
    found = (await raw(api, "GET", f"{DEPLOYMENTS}/first")).json()["properties"]
    assert found["provisioningState"] == "Failed"
    (detail,) = found["error"]["details"]
    assert detail["code"] == "PlatformImageNotFound"
    assert detail["target"].endswith("/virtualMachines/simple")
    (failed,) = [
        step["properties"]
        for step in (await raw(api, "GET", f"{DEPLOYMENTS}/first/operations")).json()["value"]
        if step["properties"]["provisioningState"] == "Failed"
    ]
    assert failed["statusMessage"]["error"]["code"] == "PlatformImageNotFound"
    assert failed["targetResource"]["resourceName"] == "simple"


async def test_a_resource_that_is_broken_is_not_taken_for_made(api: Api) -> None:
    await api.deploy(lambda client: made(client, body("docker-simple", adminKey=KEY)))
    broken = replace(api.world.machine("simple"), provisioning_state=ProvisioningState.FAILED)
    api.world.store.put_virtual_machine(broken)
    content = json.dumps(body("docker-simple", adminKey=KEY)).encode()
    begun = await raw(api, "PUT", f"{DEPLOYMENTS}/again", content)
    await api.world.fabric.operations.wait(operation_id=begun.json()["properties"]["correlationId"])
    error = (await raw(api, "GET", f"{DEPLOYMENTS}/again")).json()["properties"]["error"]
    assert [detail["code"] for detail in error["details"]] == ["ResourceDeploymentFailure"]


async def test_a_validation_says_what_is_wrong_and_makes_nothing(api: Api) -> None:
    def check(client: DeploymentsMgmtClient) -> str:
        right = client.deployments.begin_validate("dockyard", "v", body("docker-simple", adminKey=KEY)).result()
        assert right.as_dict()["properties"]["provisioningState"] == "Succeeded"
        with pytest.raises(HttpResponseError) as caught:
            client.deployments.begin_validate("dockyard", "v", body("docker-simple")).result()
        return str(caught.value)

    assert "'adminKey' is not provided" in await api.deploy(check)
    assert api.world.fabric.virtual_machines.list() == []
    assert (await raw(api, "GET", f"{DEPLOYMENTS}/v")).json()["error"]["code"] == "DeploymentNotFound"


async def test_a_type_nobody_serves_gets_arms_own_error(api: Api) -> None:
    content = body("docker-simple", adminKey=KEY)
    content["properties"]["template"]["resources"].append(
        {"type": "Microsoft.Sql/servers", "apiVersion": "2021-11-01", "name": "db"}
    )
    answer = await raw(api, "PUT", f"{DEPLOYMENTS}/first", json.dumps(content).encode())
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "InvalidResourceType"
    assert "'servers' could not be found in the namespace 'Microsoft.Sql'" in answer.text
    assert api.world.fabric.virtual_machines.list() == []


async def test_what_if_tells_the_changes_without_secrets(api: Api) -> None:
    def foresee(client: DeploymentsMgmtClient) -> dict[str, str]:
        content = body("docker-simple", adminKey=KEY)
        result = client.deployments.begin_what_if("dockyard", "w", content).result().as_dict()
        assert "canary" not in str([change.get("after") for change in result["properties"]["changes"]])
        changes = result["properties"]["changes"]
        return {change["resourceId"].rpartition("/")[2]: change["changeType"] for change in changes}

    before = await api.deploy(foresee)
    await api.deploy(lambda client: made(client, body("docker-simple", adminKey=KEY)))
    after = await api.deploy(foresee)
    assert set(before.values()) == {"Create"}
    assert {"simple", "DockerExtension"} < set(after)
    assert after["DockerExtension"] == "NoChange"


async def test_deployments_are_listed_probed_and_forgotten(api: Api) -> None:
    def life(client: DeploymentsMgmtClient) -> None:
        made(client, body("nested", suffix="7"))
        names = [each.name for each in client.deployments.list_by_resource_group("dockyard")]
        assert set(names) == {"first", "inner", "outer"}
        assert client.deployments.check_existence("dockyard", "first")
        client.deployments.begin_delete("dockyard", "first").result()
        assert not client.deployments.check_existence("dockyard", "first")
        with pytest.raises(ResourceNotFoundError):
            client.deployments.get("dockyard", "first")

    await api.deploy(life)


async def test_a_deployment_under_way_can_be_canceled(api: Api) -> None:
    api.world.images.built = False
    api.world.images.may_finish.clear()

    def begin(client: DeploymentsMgmtClient) -> None:
        content = body("docker-simple", adminKey=KEY)
        client.deployments.begin_create_or_update("dockyard", "first", content, polling=False)
        client.deployments.cancel("dockyard", "first")

    await api.deploy(begin)
    status = (await raw(api, "GET", f"{DEPLOYMENTS}/first")).json()["properties"]
    assert status["provisioningState"] == "Canceled"
    assert (await raw(api, "POST", f"{DEPLOYMENTS}/first/cancel")).json()["error"][
        "code"
    ] == "DeploymentCannotBeCancelled"
    api.world.images.may_finish.set()


async def test_what_az_splices_together_is_taken(api: Api) -> None:
    text = (TEMPLATES / "docker-compose.json").read_text()
    values = {"adminUsername": "me", "databasePassword": "password", "storageAccountName": "disks1"}
    parameters = json.dumps({name: {"value": value} for name, value in values.items()})
    spliced = f'{{"properties": {{"parameters": {parameters}, "mode": "Incremental", template:{text}}}}}'
    answer = await raw(api, "PUT", f"{DEPLOYMENTS}/first", spliced.encode())
    assert answer.status_code == 201
    assert answer.headers["retry-after-ms"] == "200"
    assert answer.json()["properties"]["provisioningState"] == "Accepted"
    url = httpx.URL(answer.headers["azure-asyncoperation"])
    status = await raw(api, "GET", url.path)
    while status.json()["status"] in ("Accepted", "Running"):
        await asyncio.sleep(0.05)
        status = await raw(api, "GET", url.path)
    assert status.json()["status"] == "Succeeded"


async def test_a_wrong_expression_is_named_with_its_line(api: Api) -> None:
    text = (
        (TEMPLATES / "docker-simple.json")
        .read_text()
        .replace("concat(variables('vmName'), '/'", "concat(variables('vm'), '/'")
    )
    spliced = f'{{"properties": {{"parameters": {{"adminKey": {{"value": "k"}}}}, template:{text}}}}}'
    error = (await raw(api, "POST", f"{DEPLOYMENTS}/v/validate", spliced.encode())).json()["error"]
    line = text[: text.index("variables('vm')")].count("\n") + 1
    assert error["code"] == "InvalidTemplate"
    assert "There is no variable 'vm'" in error["message"]
    assert f"resources[2].name, line {line} of the template: [concat(variables('vm')" in error["message"]


@pytest.mark.parametrize(
    ("path", "content", "code"),
    [
        (f"{DEPLOYMENTS}/x", {"properties": {"templateLink": {"uri": "https://example.org/t.json"}}}, "InvalidContentLink"),
        (f"{DEPLOYMENTS}/x", {"properties": {"mode": "Other", "template": {}}}, "InvalidDeploymentMode"),
        (f"{DEPLOYMENTS}/x", {"properties": {"template": {}}}, "InvalidTemplate"),
        (f"{DEPLOYMENTS}/x", {"properties": {}}, "InvalidRequestContent"),
        (f"{DEPLOYMENTS}/x!", body("docker-cluster"), "InvalidDeploymentName"),
        (DEPLOYMENTS.replace("resourcegroups/dockyard", "resourcegroups/no") + "/x", body("nested", suffix="1"), "ResourceGroupNotFound"),
        (f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/x", body("docker-cluster"), "DeploymentScopeNotSupported"),
    ],
)  # fmt: skip
async def test_what_is_not_offered_or_wrong_is_refused(api: Api, path: str, content: Any, code: str) -> None:
    answer = await raw(api, "PUT", path, json.dumps(content).encode())
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["code"] == code


async def test_a_storage_account_is_remembered(api: Api) -> None:
    path = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/disks1"
    made_ = await raw(api, "PUT", path, b'{"location": "local", "sku": {"name": "Premium_LRS"}, "tags": {"a": "b"}}')
    assert made_.json()["sku"] == {"name": "Premium_LRS", "tier": "Premium"}
    assert (
        (await raw(api, "GET", path)).json()["properties"]["primaryEndpoints"]["blob"].startswith("https://disks1.blob")
    )
    assert (await raw(api, "DELETE", path)).status_code == 200
    assert (await raw(api, "DELETE", path)).status_code == 204
    assert (await raw(api, "GET", path)).status_code == 404
    wrong = path.replace("disks1", "Not_A_Name")
    assert (await raw(api, "PUT", wrong, b"{}")).json()["error"]["code"] == "AccountNameInvalid"
