"""Microsoft.Network over the API: documents as clients read them, Azure's refusals, and rules that open ports."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from dockyard.model.role import CONTRIBUTOR, READER
from tests.contract.arm.test_deployments import KEY, body, made
from tests.contract.arm.test_official_sdk import BODY
from tests.support.arm_api import Api
from tests.support.callers import RG, SUB, Directory

NETWORK = f"{RG}/providers/Microsoft.Network"
VM = f"{RG}/providers/Microsoft.Compute/virtualMachines/web"
VNET, NSG, IP, NIC = (
    f"{NETWORK}/{kind}/own"
    for kind in ("virtualNetworks", "networkSecurityGroups", "publicIPAddresses", "networkInterfaces")
)
SUBNET = f"{VNET}/subnets/default"
VNET_BODY = {
    "location": "local",
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.7.0.0/16"]},
        "subnets": [{"name": "default", "properties": {"addressPrefix": "10.7.1.0/24"}}],
    },
}
ANY = {"sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}


def rule(port: str = "8080", **changes: Any) -> dict[str, Any]:
    allowed = {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": 300, **ANY}
    return {"properties": {**allowed, "destinationPortRange": port, **changes}}


def nic_body(**more: Any) -> dict[str, Any]:
    configuration = {"subnet": {"id": SUBNET}, "publicIPAddress": {"id": IP}}
    parts = [{"name": "ipconfig1", "properties": {**configuration, **more}}]
    return {"location": "local", "properties": {"ipConfigurations": parts, "networkSecurityGroup": {"id": NSG}}}


async def put(calls: Directory, path: str, body: Any) -> Any:
    answer = await calls.owner.put(path, body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def got(calls: Directory, path: str) -> Any:
    answer = await calls.owner.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refused(calls: Directory, path: str, body: Any = None, *, method: str = "PUT") -> str:
    answer = await calls.owner.ask(method, path, body)
    assert 400 <= answer.status_code < 500, answer.text
    return str(answer.json()["error"]["code"])


async def network(calls: Directory) -> None:
    await put(calls, VNET, VNET_BODY)
    label = {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "my-web"}}
    await put(calls, IP, {"location": "local", "sku": {"name": "Standard"}, "properties": label})
    await put(calls, NSG, {"location": "local"})
    await put(calls, NIC, nic_body())


async def attached(calls: Directory) -> None:
    await network(calls)
    await put(calls, VM, with_nic(NIC))
    await calls.world.boot()
    await calls.settled()


def with_nic(*ids: str) -> dict[str, Any]:
    profile = {"networkInterfaces": [{"id": id} for id in ids]}
    return {**BODY, "properties": {**BODY["properties"], "networkProfile": profile}}


def ports(calls: Directory) -> dict[int, int]:
    """The ports of the host that rules opened, by the guest's."""
    forwards = calls.world.machine().network.forwards
    wanted = {each.guest_port: each.host_port for each in forwards if each.opened}
    real = calls.world.hypervisor.open_ports(vm_id=calls.world.machine().vm_id)
    assert real == {each.host_port for each in forwards}, "what is recorded is not what is open"
    return wanted


async def test_a_machine_with_named_parts_is_shown_with_the_addresses_that_work(calls: Directory) -> None:
    await attached(calls)
    nic = (await got(calls, NIC))["properties"]
    (configuration,) = nic["ipConfigurations"]
    assert nic["virtualMachine"] == {"id": VM}
    assert nic["macAddress"].count("-") == 5
    assert configuration["id"] == f"{NIC}/ipConfigurations/ipconfig1"
    assert configuration["properties"]["privateIPAddress"] == "10.7.1.4" == calls.world.machine().network.private_ip
    address = (await got(calls, IP))["properties"]
    assert (address["ipAddress"], address["dnsSettings"]["fqdn"]) == ("127.0.0.1", "my-web.localhost")
    assert address["ipConfiguration"] == {"id": configuration["id"]}
    group = (await got(calls, NSG))["properties"]
    assert group["networkInterfaces"] == [{"id": NIC}]
    assert len(group["defaultSecurityRules"]) == 6
    vnet = (await got(calls, VNET))["properties"]
    assert vnet["subnets"][0]["properties"]["ipConfigurations"] == [{"id": configuration["id"]}]
    for properties in (nic, address, group, vnet):
        assert properties["provisioningState"] == "Succeeded"
        assert properties["resourceGuid"]
    machine = (await got(calls, VM))["properties"]
    assert machine["networkProfile"]["networkInterfaces"] == [
        {"id": NIC, "properties": {"primary": True, "deleteOption": "Detach"}}
    ]


async def test_a_machine_without_is_shown_with_those_its_name_implies(calls: Directory) -> None:
    await put(calls, VM, BODY)
    (link,) = (await got(calls, VM))["properties"]["networkProfile"]["networkInterfaces"]
    assert link["id"] == f"{NETWORK}/networkInterfaces/webVMNic"
    nic = (await got(calls, link["id"]))["properties"]
    (configuration,) = nic["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"] == calls.world.machine().network.private_ip
    assert (await got(calls, configuration["properties"]["publicIPAddress"]["id"]))["name"] == "webPublicIP"
    rules = (await got(calls, nic["networkSecurityGroup"]["id"]))["properties"]["securityRules"]
    assert [each["properties"]["destinationPortRange"] for each in rules] == ["22", "2376"]
    assert (await calls.owner.get(f"{RG}/resources")).json()["value"][0]["type"].endswith("virtualMachines")
    for kind in ("networkInterfaces", "publicIPAddresses", "networkSecurityGroups", "virtualNetworks"):
        assert len((await got(calls, f"{SUB}/providers/Microsoft.Network/{kind}"))["value"]) == 1
        assert len((await got(calls, f"{NETWORK}/{kind}"))["value"]) == 1


async def test_what_a_machine_implies_goes_with_it_even_when_it_was_changed(calls: Directory) -> None:
    await put(calls, VM, BODY)
    group = f"{NETWORK}/networkSecurityGroups/webNSG"
    await put(calls, f"{group}/securityRules/web", rule())
    assert (await calls.owner.ask("PATCH", group, {"tags": {"a": "b"}})).json()["tags"] == {"a": "b"}
    await calls.owner.delete(VM)
    await calls.settled()
    assert (await calls.owner.get(group)).status_code == 404
    assert (await got(calls, f"{NETWORK}/networkSecurityGroups"))["value"] == []


async def test_what_another_resource_names_outlives_its_machine(calls: Directory) -> None:
    await put(calls, VM, BODY)
    subnet = f"{NETWORK}/virtualNetworks/webVNET/subnets/webSubnet"
    parts = [{"name": "x", "properties": {"subnet": {"id": subnet}}}]
    await put(calls, NIC, {"properties": {"ipConfigurations": parts}})
    await calls.owner.delete(VM)
    await calls.settled()
    assert (await got(calls, subnet))["properties"]["ipConfigurations"] == [{"id": f"{NIC}/ipConfigurations/x"}]


async def test_a_rule_opens_a_port_and_its_deletion_closes_it(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule())
    assert ports(calls) == {8080: 8080}
    assert (await got(calls, VM))["tags"]["dockyard-forward-tcp-8080"] == "8080:8080"
    await put(calls, f"{NSG}/securityRules/web", rule())
    assert ports(calls) == {8080: 8080}
    assert (await calls.owner.delete(f"{NSG}/securityRules/web")).status_code == 200
    assert (await calls.owner.delete(f"{NSG}/securityRules/web")).status_code == 204
    assert ports(calls) == {}
    assert "dockyard-forward-tcp-8080" not in (await got(calls, VM))["tags"]


async def test_a_machine_is_created_with_the_ports_its_group_opens(calls: Directory) -> None:
    await network(calls)
    calls.world.ports.taken.add(8080)
    await put(calls, f"{NSG}/securityRules/web", rule(destinationPortRanges=["8080", "80"], destinationPortRange=None))
    await put(calls, VM, with_nic(NIC))
    await calls.world.boot()
    assert ports(calls) == {80: 24500, 8080: 24501}, "a port below 1024 or taken gets another number"


async def test_rules_are_judged_in_the_order_of_their_priority(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule("8080-8083"))
    await put(calls, f"{NSG}/securityRules/not", rule("8081-8082", access="Deny", priority=200))
    await put(calls, f"{NSG}/securityRules/far", rule("9000", priority=310, sourceAddressPrefix="203.0.113.0/24"))
    await put(calls, f"{NSG}/securityRules/out", rule("9001", priority=310, direction="Outbound"))
    await put(calls, f"{NSG}/securityRules/all", rule("*", priority=320))
    await put(calls, f"{NSG}/securityRules/ssh", rule("22", priority=330))
    assert sorted(ports(calls)) == [8080, 8083]
    await put(calls, f"{NSG}/securityRules/not", rule("8081-8082", access="Deny", priority=301))
    assert sorted(ports(calls)) == [8080, 8081, 8082, 8083]


async def test_the_group_of_the_subnet_must_agree(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule("8080-8081"))
    other = f"{NETWORK}/networkSecurityGroups/other"
    await put(calls, other, {"properties": {"securityRules": [{"name": "one", **rule("8081")}]}})
    subnet = {"addressPrefix": "10.7.1.0/24", "networkSecurityGroup": {"id": other}}
    await put(calls, SUBNET, {"properties": subnet})
    assert sorted(ports(calls)) == [8081]
    assert (await got(calls, other))["properties"]["subnets"] == [{"id": SUBNET}]
    await put(calls, SUBNET, {"properties": {"addressPrefix": "10.7.1.0/24"}})
    assert sorted(ports(calls)) == [8080, 8081]


async def test_a_rule_whose_port_is_taken_in_that_moment_is_not_there(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule("8081"))
    calls.world.hypervisor.take_port(8080)
    assert await refused(calls, f"{NSG}/securityRules/late", rule("8080", priority=400)) == "PortInUse"
    assert [each["name"] for each in (await got(calls, NSG))["properties"]["securityRules"]] == ["web"]
    assert ports(calls) == {8081: 8081}


async def test_the_next_server_opens_what_the_one_before_only_wrote_down(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule())
    vm_id, own = calls.world.machine().vm_id, calls.world.machine().network.forwards[:2]
    await calls.world.hypervisor.set_forwards(vm_id=vm_id, forwards=own)
    await calls.world.reopen()
    assert ports(calls) == {8080: 8080}


async def test_udp_and_any_protocol(calls: Directory) -> None:
    await attached(calls)
    await put(calls, f"{NSG}/securityRules/web", rule("5353", protocol="udp"))
    assert (await got(calls, VM))["tags"]["dockyard-forward-udp-5353"] == "5353:5353/udp"
    document = await got(calls, VM)
    assert (await calls.owner.put(VM, document)).status_code == 200, "what was read can be put again"
    await put(calls, f"{NSG}/securityRules/web", rule("5353", protocol="*"))
    tags = (await got(calls, VM))["tags"]
    assert (tags["dockyard-forward-tcp-5353"], tags["dockyard-forward-udp-5353"]) == ("5353:5353", "5353:5353/udp")


async def test_two_machines_do_not_get_the_same_port(calls: Directory) -> None:
    await put(calls, VM, BODY)
    await put(calls, VM.replace("web", "db"), BODY)
    for name in ("web", "db"):
        await put(calls, f"{NETWORK}/networkSecurityGroups/{name}NSG/securityRules/x", rule())
    found = [each.host_port for name in ("web", "db") for each in calls.world.machine(name).network.forwards]
    assert len(set(found)) == len(found) == 6


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"port": "99999"}, "SecurityRuleInvalidPortRange"),
        ({"port": "90-80"}, "SecurityRuleInvalidPortRange"),
        ({"port": "1000-2000"}, "SecurityRuleTooManyPorts"),
        ({"port": ""}, "SecurityRuleParameterNotSpecified"),
        ({"priority": 99}, "SecurityRuleInvalidPriority"),
        ({"access": "Maybe"}, "InvalidRequestFormat"),
        ({"sourceAddressPrefix": "1.2.3.4.5"}, "SecurityRuleInvalidAddressPrefix"),
        ({"priority": 1000}, "SecurityRuleConflict"),
    ],
    ids=str,
)
async def test_rules_that_are_refused_change_nothing(calls: Directory, changes: dict[str, Any], code: str) -> None:
    await put(calls, VM, BODY)
    group = f"{NETWORK}/networkSecurityGroups/webNSG"
    before = await got(calls, group)
    assert await refused(calls, f"{group}/securityRules/bad", rule(**changes)) == code
    assert await got(calls, group) == before


async def test_what_is_in_use_cannot_be_deleted(calls: Directory) -> None:
    await attached(calls)
    for path, code in {
        NIC: "NicInUse",
        IP: "PublicIPAddressCannotBeDeleted",
        NSG: "InUseNetworkSecurityGroupCannotBeDeleted",
        SUBNET: "InUseSubnetCannotBeDeleted",
        VNET: "InUseSubnetCannotBeDeleted",
    }.items():
        assert await refused(calls, path, method="DELETE") == code
    empty = {**VNET_BODY, "properties": {**VNET_BODY["properties"], "subnets": []}}  # type: ignore[dict-item]
    assert await refused(calls, VNET, empty) == "InUseSubnetCannotBeDeleted"
    await calls.owner.delete(VM)
    await calls.settled()
    for path in (NIC, IP, NSG, SUBNET, VNET):
        assert (await calls.owner.delete(path)).status_code == 200, path
        assert (await calls.owner.delete(path)).status_code == 204, path


async def test_an_interface_goes_with_its_machine_when_it_is_to(calls: Directory) -> None:
    await network(calls)
    wanted = with_nic(NIC)
    wanted["properties"]["networkProfile"]["networkInterfaces"][0]["properties"] = {"deleteOption": "Delete"}
    await put(calls, VM, wanted)
    assert (await calls.owner.put(VM, await got(calls, VM))).status_code in (200, 409)
    await calls.owner.delete(VM)
    await calls.settled()
    assert (await calls.owner.get(NIC)).status_code == 404
    assert (await calls.owner.delete(IP)).status_code == 200


async def test_wrong_references_and_addresses_are_named(calls: Directory) -> None:
    await network(calls)
    second = NIC.replace("own", "second")
    static = {"privateIPAllocationMethod": "Static"}
    assert await refused(calls, second, nic_body()) == "PublicIPAddressInUse"
    alone = {"publicIPAddress": None}
    taken, far = {**static, "privateIPAddress": "10.7.1.4"}, {**static, "privateIPAddress": "10.8.0.4"}
    assert await refused(calls, second, nic_body(**alone, **taken)) == "PrivateIPAddressIsAllocated"
    assert await refused(calls, second, nic_body(**alone, **far)) == "PrivateIPAddressNotInSubnet"
    nowhere = {"subnet": {"id": f"{VNET}/subnets/none"}}
    assert await refused(calls, second, nic_body(**alone, **nowhere)) == "InvalidResourceReference"
    await put(calls, second, nic_body(**alone, **static, privateIPAddress="10.7.1.77"))
    await put(calls, VM, with_nic(NIC))
    assert await refused(calls, VM.replace("web", "db"), with_nic(NIC)) == "NicInUse"
    assert await refused(calls, VM.replace("web", "db"), with_nic(NIC, second)) == "NetworkInterfaceCountExceeded"
    assert await refused(calls, VM.replace("web", "db"), with_nic(f"{NIC}x")) == "InvalidResourceReference"
    assert await refused(calls, VM, with_nic(second)) in ("PropertyChangeNotAllowed", "Conflict")


@pytest.mark.parametrize(
    ("subnets", "code"),
    [
        ([("a", "10.9.0.0/24")], "NetcfgSubnetRangeOutsideVnet"),
        ([("a", "10.7.0.0/24"), ("b", "10.7.0.0/25")], "NetcfgSubnetRangesOverlap"),
        ([("a", "10.7.0.0/24"), ("A", "10.7.1.0/24")], "DuplicateResourceName"),
        ([("a", "10.7.0.0")], "InvalidAddressPrefixFormat"),
    ],
)
async def test_subnets_must_fit(calls: Directory, subnets: list[tuple[str, str]], code: str) -> None:
    parts = [{"name": name, "properties": {"addressPrefix": prefix}} for name, prefix in subnets]
    body = {"properties": {"addressSpace": {"addressPrefixes": ["10.7.0.0/16"]}, "subnets": parts}}
    assert await refused(calls, VNET, body) == code
    assert (await calls.owner.get(VNET)).status_code == 404


async def test_putting_again_changes_nothing_and_joining_needs_a_right(calls: Directory) -> None:
    await attached(calls)
    for path in (VNET, IP, NSG, NIC, SUBNET):
        before = await got(calls, path)
        answer = await calls.owner.put(path, before)
        assert answer.status_code == 200, answer.text
        assert answer.json() == before
    elsewhere = f"{SUB}/resourceGroups/other"
    await calls.owner.put(elsewhere, {"location": "local"})
    caller = await calls.with_role(CONTRIBUTOR, scope=elsewhere)
    answer = await caller.put(f"{elsewhere}/providers/Microsoft.Network/networkInterfaces/x", nic_body())
    assert answer.status_code == 403
    assert "networkSecurityGroups/join/action" in answer.json()["error"]["message"]
    reader = await calls.with_role(READER)
    assert (await reader.get(NIC)).status_code == 200
    assert (await reader.put(f"{NSG}/securityRules/x", rule())).status_code == 403


async def test_who_may_change_a_machine_may_put_it_back_with_its_interface(calls: Directory) -> None:
    await attached(calls)
    caller = await calls.with_role(CONTRIBUTOR, scope=VM)
    read = (await caller.get(VM)).json()
    assert (await caller.put(VM, read)).status_code == 200
    assert (await caller.put(VM, with_nic(NIC.replace("own", "other")))).status_code == 403


async def test_a_group_takes_its_networks_with_it(calls: Directory) -> None:
    await network(calls)
    assert len((await got(calls, f"{RG}/resources"))["value"]) == 4
    await calls.owner.delete(RG)
    await calls.settled()
    assert (await got(calls, f"{SUB}/providers/Microsoft.Network/networkInterfaces"))["value"] == []


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_template_makes_the_network_and_the_machine_in_it(api: Api) -> None:
    """Twice: deploying again changes nothing."""
    for name in ("first", "second"):
        properties = await api.deploy(partial(made, content=body("network", adminKey=KEY, mode="Complete"), name=name))
        outputs = {key: each["value"] for key, each in properties["outputs"].items()}
        assert outputs == {"address": "127.0.0.1", "hostname": "shop.localhost", "private": "10.20.0.4"}
    machine = api.world.machine("shop")
    assert machine.network.private_ip == "10.20.0.4"
    assert [each.guest_port for each in machine.network.forwards if each.opened] == [8080]
