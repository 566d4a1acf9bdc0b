"""Who may log in to a machine and what cloud-init gets: taken as Azure takes it, and never given back."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from dockyard.pki.crypt_hash import is_password
from tests.contract.arm.test_machine_updates import VM, make, shown
from tests.contract.arm.test_official_sdk import BODY
from tests.support.callers import Directory

PASSWORD = "Canary-Horse-51c9"
DATA = base64.b64encode(b"canary-data-51c9").decode()


def with_access(*, linux: dict[str, Any] | None = None, properties: Any = None, **profile: Any) -> dict[str, Any]:
    body: dict[str, Any] = copy.deepcopy(BODY)
    own = body["properties"]["osProfile"]
    own.update(profile)
    own["linuxConfiguration"].update(linux or {})
    body["properties"].update(properties or {})
    return body


def with_password(password: str = PASSWORD) -> dict[str, Any]:
    return with_access(linux={"disablePasswordAuthentication": False}, adminPassword=password)


async def test_a_password_is_kept_as_a_hash_alone(calls: Directory) -> None:
    document = await make(calls, with_password())
    assert document["properties"]["osProfile"]["linuxConfiguration"]["disablePasswordAuthentication"] is False
    assert "adminPassword" not in document["properties"]["osProfile"]
    hashed = calls.world.machine().os_profile.password_hash
    assert hashed is not None
    assert is_password(PASSWORD, hashed)
    kept = b"".join(path.read_bytes() for path in calls.world.folder.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in kept
    assert hashed not in str(await shown(calls, _expand="instanceView"))


async def test_a_password_may_be_put_again_and_not_be_another(calls: Directory) -> None:
    document = await make(calls, with_password())
    assert (await calls.owner.put(VM, document)).status_code == 200
    assert (await calls.owner.put(VM, with_password())).status_code == 200
    for body in (with_password("Other-Horse-51c9"), with_access(linux={"disablePasswordAuthentication": True})):
        refused = await calls.owner.put(VM, body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "PropertyChangeNotAllowed")
        assert "Horse" not in refused.text


@pytest.mark.parametrize("password", ["Ab1", "abcdefgh1", "Abc-1\n567", "x" * 60 + "A1-" * 5, "P@ssw0rd"])
async def test_a_weak_password_is_refused_unrepeated(calls: Directory, password: str) -> None:
    refused = await calls.owner.put(VM, with_password(password))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidParameter")
    assert "password" in refused.text.lower()
    assert password not in refused.json()["error"]["message"]
    assert (await calls.owner.get(VM)).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (with_access(linux={"disablePasswordAuthentication": False}), "'adminPassword' is missing"),
        (with_access(linux={"provisionVMAgent": False}), "guest agent"),
        (with_access(customData="not base64!"), "must be in Base64 encoding"),
        (with_access(customData="A" * 90_000), "maximum length of 87380"),
        (with_access(properties={"userData": "%"}), "must be in Base64 encoding"),
        (with_access(windowsConfiguration={}), "windowsConfiguration"),
        (
            with_access(linux={"ssh": {"publicKeys": [{"path": "/root/x", "keyData": "ssh-ed25519 AAAA me"}]}}),
            "currently limited to its default value /home/dockyard/.ssh/authorized_keys",
        ),
    ],
)
async def test_what_cannot_be_is_told(calls: Directory, body: dict[str, Any], words: str) -> None:
    refused = await calls.owner.put(VM, body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidParameter"), refused.text
    assert words in refused.json()["error"]["message"]
    assert PASSWORD not in refused.text


async def test_custom_data_goes_to_the_first_boot_and_is_forgotten(calls: Directory) -> None:
    made = await calls.owner.put(VM, with_access(customData=DATA))
    assert DATA not in made.text
    await calls.world.boot()
    await calls.settled()
    spec = calls.world.hypervisor.last_start(vm_id=calls.world.machine().vm_id)
    assert spec is not None
    assert DATA.encode() in spec.disc["ovf-env.xml"]
    assert DATA not in str(await shown(calls, _expand="userData"))
    assert calls.world.machine().os_profile.custom_data is None
    restarted = calls.world.fabric.power.restart(id=calls.world.machine().id)
    await calls.world.until(lambda: calls.world.machine().agent is None)
    await calls.world.boot()
    await calls.world.fabric.operations.wait(operation_id=restarted.id)
    spec = calls.world.hypervisor.last_start(vm_id=calls.world.machine().vm_id)
    assert spec is not None
    assert spec.disc == {}
    assert (await calls.owner.put(VM, with_access(customData=DATA))).status_code == 200
    other = await calls.owner.put(VM, with_access(customData="b3RoZXI="))
    assert (other.status_code, other.json()["error"]["code"]) == (409, "PropertyChangeNotAllowed")


async def test_user_data_is_shown_when_asked_for_and_may_change(calls: Directory) -> None:
    document = await make(calls, with_access(properties={"userData": DATA}))
    assert DATA not in str(document)
    assert (await shown(calls, _expand="userData"))["properties"]["userData"] == DATA
    assert (await calls.owner.put(VM, document)).status_code == 200
    assert (await shown(calls, _expand="userData"))["properties"]["userData"] == DATA
    changed = await calls.owner.ask("PATCH", VM, {"properties": {"userData": "b3RoZXI="}})
    assert changed.status_code == 200
    assert (await shown(calls, _expand="userData"))["properties"]["userData"] == "b3RoZXI="
    goal = calls.world.fabric.guests.goal(vm_id=calls.world.machine().vm_id)
    assert goal.machine.user_data == "b3RoZXI="


async def test_several_keys_are_kept_in_their_order(calls: Directory) -> None:
    keys = [{"keyData": "ssh-ed25519 AAAA one"}, {"keyData": "ssh-rsa BBBB two"}]
    document = await make(calls, with_access(linux={"ssh": {"publicKeys": keys}}))
    found = document["properties"]["osProfile"]["linuxConfiguration"]["ssh"]["publicKeys"]
    assert [key["keyData"] for key in found] == ["ssh-ed25519 AAAA one", "ssh-rsa BBBB two"]
    assert {key["path"] for key in found} == {"/home/dockyard/.ssh/authorized_keys"}


async def test_extensions_may_be_disallowed(calls: Directory) -> None:
    await make(calls, with_access(allowExtensionOperations=False))
    extension = f"{VM}/extensions/DockerExtension"
    properties = {"publisher": "Microsoft.Azure.Extensions", "type": "DockerExtension", "typeHandlerVersion": "1.0"}
    refused = await calls.owner.put(extension, {"location": "local", "properties": properties})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert "when extension operations are disallowed" in refused.text
    allowed = {"properties": {"osProfile": {"allowExtensionOperations": True}}}
    assert (await calls.owner.ask("PATCH", VM, allowed)).status_code == 200
    made = await calls.owner.put(extension, {"location": "local", "properties": properties})
    assert made.status_code == 201


async def test_a_password_beside_disabled_passwords_opens_nothing(calls: Directory) -> None:
    """Public templates give their one secret as key and as password alike; Azure takes the key."""
    asked = with_access(linux={"disablePasswordAuthentication": True}, adminPassword=PASSWORD)
    assert (await calls.owner.put(VM, asked)).status_code == 201
    assert calls.world.machine().os_profile.password_hash is None
