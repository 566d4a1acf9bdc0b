"""The official SDK drives the API over TLS: what Azure's client asks for is what this server answers."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.mgmt.compute import ComputeManagementClient

from tests.support.arm_api import Api

# The SDK's connection pools close their sockets only when they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BODY: Any = {
    "location": "local",
    "tags": {"team": "red"},
    "properties": {
        "hardwareProfile": {"vmSize": "Standard_B1s"},
        "storageProfile": {
            "imageReference": {"publisher": "Dockyard", "offer": "alias", "sku": "debian-13", "version": "latest"}
        },
        "osProfile": {
            "computerName": "web",
            "adminUsername": "dockyard",
            "linuxConfiguration": {"ssh": {"publicKeys": [{"keyData": "ssh-ed25519 AAAA me"}]}},
        },
    },
}
IMAGE: Any = {"location": "local"}
EXTENSION: Any = {
    "location": "local",
    "properties": {
        "publisher": "Microsoft.Azure.Extensions",
        "type": "DockerExtension",
        "typeHandlerVersion": "1.0",
        "autoUpgradeMinorVersion": True,
        "settings": {"docker": {"port": "2376"}},
        "protectedSettings": {"certs": {"key": "canary-51c9"}},
    },
}


async def test_a_machine_and_an_extension_through_their_whole_life(api: Api) -> None:
    def life(client: ComputeManagementClient) -> None:
        made = client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()
        assert made.provisioning_state == "Succeeded"
        assert made.tags is not None
        assert made.tags["team"] == "red"
        assert int(made.tags["dockyard-ssh-port"]) > 0
        child = client.virtual_machine_extensions.begin_create_or_update(
            "dockyard", "web", "DockerExtension", EXTENSION
        ).result()
        assert child.provisioning_state == "Succeeded"
        view = client.virtual_machines.instance_view("dockyard", "web")
        assert "PowerState/running" in [status.code for status in view.statuses or []]
        client.virtual_machines.begin_power_off("dockyard", "web").result()
        client.virtual_machines.begin_start("dockyard", "web").result()
        client.virtual_machines.begin_restart("dockyard", "web").result()
        client.virtual_machines.begin_deallocate("dockyard", "web").result()
        view = client.virtual_machines.instance_view("dockyard", "web")
        assert "PowerState/deallocated" in [status.code for status in view.statuses or []]
        client.virtual_machines.begin_start("dockyard", "web").result()
        client.virtual_machines.begin_redeploy("dockyard", "web").result()
        client.virtual_machines.begin_reapply("dockyard", "web").result()
        resize: Any = {"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}}
        resized = client.virtual_machines.begin_update("dockyard", "web", resize).result()
        assert resized.properties is not None
        assert resized.properties.hardware_profile is not None
        assert resized.properties.hardware_profile.vm_size == "Standard_B2s"
        client.virtual_machine_extensions.begin_delete("dockyard", "web", "DockerExtension").result()
        client.virtual_machines.begin_delete("dockyard", "web").result()
        assert list(client.virtual_machines.list_all()) == []

    await api.do(life)


async def test_protected_settings_never_come_back(api: Api) -> None:
    def set_and_read(client: ComputeManagementClient) -> list[Any]:
        client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()
        extensions = client.virtual_machine_extensions
        poller = extensions.begin_create_or_update("dockyard", "web", "DockerExtension", EXTENSION)
        return [
            poller.result().as_dict(),
            extensions.get("dockyard", "web", "DockerExtension", expand="instanceView").as_dict(),
            client.virtual_machines.get("dockyard", "web", expand="instanceView").as_dict(),
        ]

    answers = await api.do(set_and_read)
    assert "canary-51c9" not in str(answers)
    assert "protectedSettings" not in str(answers)


async def test_creating_an_existing_machine_is_refused_when_it_must_be_new(api: Api) -> None:
    def twice(client: ComputeManagementClient) -> None:
        machines = client.virtual_machines
        missing = MatchConditions.IfMissing
        machines.begin_create_or_update("dockyard", "web", BODY, match_condition=missing).result()
        machines.begin_create_or_update("dockyard", "web", BODY, match_condition=missing).result()

    with pytest.raises((ResourceExistsError, ResourceModifiedError), match="already exists"):
        await api.do(twice)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hardwareProfile": {"vmSize": "Standard_Nonsense"}}, "InvalidParameter"),
        ({"osProfile": {"adminUsername": "root"}}, "InvalidParameter"),
        ({"osProfile": {"adminUsername": 7}}, "InvalidRequestContent"),
        ({"storageProfile": {"imageReference": {"publisher": "a", "offer": "b", "sku": "c"}}}, "PlatformImageNotFound"),
    ],
)
async def test_a_wrong_body_is_explained(api: Api, change: dict[str, Any], code: str) -> None:
    body: Any = {**BODY, "properties": {**BODY["properties"], **change}}
    with pytest.raises(HttpResponseError) as caught:
        await api.do(lambda client: client.virtual_machines.begin_create_or_update("dockyard", "web", body))
    assert caught.value.error is not None
    assert caught.value.error.code == code
    assert await api.do(lambda client: list(client.virtual_machines.list_all())) == []


async def test_what_does_not_exist_is_a_404(api: Api) -> None:
    with pytest.raises(ResourceNotFoundError, match="'nobody' does not exist"):
        await api.do(lambda client: client.virtual_machines.get("dockyard", "nobody"))


async def test_a_wrong_secret_gets_no_token(api: Api) -> None:
    with pytest.raises(ClientAuthenticationError, match="client id or secret is wrong"):
        await api.do(lambda client: list(client.virtual_machines.list_all()), credential=api.credential(secret="x"))


async def test_a_foreign_token_is_refused(api: Api) -> None:
    class Forged:
        def __enter__(self) -> None:
            """Nothing to open."""

        def __exit__(self, *_error: object) -> None:
            """Nothing to close."""

        def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            return AccessToken("eyJhbGciOiJub25lIn0.e30.", 4_000_000_000)

    with pytest.raises(ClientAuthenticationError, match="not one of this server's"):
        await api.do(lambda client: list(client.virtual_machines.list_all()), credential=Forged())


async def test_an_image_is_built_and_kept_while_a_disk_stands_on_it(api: Api) -> None:
    api.world.images.built = False

    def build_and_use(client: ComputeManagementClient) -> str:
        client.images.begin_create_or_update("dockyard", "debian-13", IMAGE).result()
        client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()
        with pytest.raises(HttpResponseError, match="in use by web") as caught:
            client.images.begin_delete("dockyard", "debian-13").result()
        return str(caught.value.error.code if caught.value.error else "")

    assert await api.do(build_and_use) == "ImageInUse"


async def test_the_catalogue_names_what_can_be_installed(api: Api) -> None:
    def versions(client: ComputeManagementClient) -> list[str | None]:
        images = client.virtual_machine_extension_images
        found = images.list_versions("local", "Microsoft.Azure.Extensions", "DockerExtension")
        return [version.name for version in found]

    assert await api.do(versions) == ["1.3.0"]


async def test_the_catalogue_of_images_leads_from_publisher_to_version(api: Api) -> None:
    def browse(client: ComputeManagementClient) -> None:
        images = client.virtual_machine_images
        publishers = [found.name for found in images.list_publishers("local")]
        assert "Debian" in publishers
        assert [found.name for found in images.list_offers("local", "debian")] == ["debian-13"]
        assert [found.name for found in images.list_skus("local", "Debian", "debian-13")] == ["13"]
        (version,) = images.list("local", "Debian", "debian-13", "13")
        image = images.get("local", "Debian", "debian-13", "13", version.name)
        assert image.os_disk_image is not None
        assert image.os_disk_image.operating_system == "Linux"
        with pytest.raises(ResourceNotFoundError) as refused:
            images.list_offers("local", "Nobody")
        assert refused.value.error is not None
        assert refused.value.error.code == "PlatformImageNotFound"

    await api.do(browse)


async def test_the_console_log_is_served_to_a_signed_address_only(api: Api) -> None:
    def console(client: ComputeManagementClient) -> str:
        client.virtual_machines.begin_create_or_update("dockyard", "web", BODY).result()
        return (
            client.virtual_machines.retrieve_boot_diagnostics_data("dockyard", "web").serial_console_log_blob_uri or ""
        )

    url = await api.do(console)
    api.world.hypervisor.write_console(vm_id=api.world.machine().vm_id, text="hello from the guest\n")
    assert await asyncio.to_thread(fetch, url, api.ca) == (200, "hello from the guest\n")
    status, _ = await asyncio.to_thread(fetch, url[:-1] + ("0" if url[-1] != "0" else "1"), api.ca)
    assert status == 401


def fetch(url: str, ca: str) -> tuple[int, str]:
    answer = httpx.get(url, verify=ssl.create_default_context(cafile=ca))
    return answer.status_code, answer.text
