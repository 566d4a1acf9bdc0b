"""A request's action and scope, as Azure's own messages name them."""

from __future__ import annotations

import pytest

from dockyard.arm.authorization.actions import demand, spelled
from dockyard.arm.paths import normalised

SUB = "/subscriptions/S"
GROUP = f"{SUB}/resourceGroups/G"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/Web"
ROLES = "providers/Microsoft.Authorization/roleAssignments"
COMPUTE = "Microsoft.Compute/virtualMachines"
RESOURCES = "Microsoft.Resources/subscriptions"


@pytest.mark.parametrize(
    ("method", "path", "action", "scope"),
    [
        ("PUT", VM, f"{COMPUTE}/write", VM),
        ("PATCH", VM, f"{COMPUTE}/write", VM),
        ("GET", VM, f"{COMPUTE}/read", VM),
        ("HEAD", VM, f"{COMPUTE}/read", VM),
        ("DELETE", VM, f"{COMPUTE}/delete", VM),
        ("POST", f"{VM}/powerOff", f"{COMPUTE}/powerOff/action", VM),
        ("GET", f"{VM}/instanceView", f"{COMPUTE}/instanceView/read", VM),
        ("GET", VM.removesuffix("/Web"), f"{COMPUTE}/read", GROUP),
        ("GET", f"{SUB}/providers/{COMPUTE}", f"{COMPUTE}/read", SUB),
        ("PUT", f"{VM}/extensions/E", f"{COMPUTE}/extensions/write", f"{VM}/extensions/E"),
        ("GET", f"{VM}/extensions", f"{COMPUTE}/extensions/read", VM),
        ("POST", f"{VM[:-3]}providers/start", f"{COMPUTE}/start/action", f"{VM[:-3]}providers"),
        ("PUT", GROUP, f"{RESOURCES}/resourceGroups/write", GROUP),
        ("GET", f"{GROUP}/resources", f"{RESOURCES}/resourceGroups/resources/read", GROUP),
        ("GET", f"{SUB}/resources", f"{RESOURCES}/resources/read", SUB),
        ("PUT", f"{GROUP}/providers/Microsoft.Resources/deployments/D", "Microsoft.Resources/deployments/write", ""),
        (
            "POST",
            f"{GROUP}/providers/Microsoft.Resources/deployments/D/whatIf",
            "Microsoft.Resources/deployments/whatIf/action",
            f"{GROUP}/providers/Microsoft.Resources/deployments/D",
        ),
        ("PUT", f"{VM}/{ROLES}/R", "Microsoft.Authorization/roleAssignments/write", f"{VM}/{ROLES}/R"),
        ("GET", f"{VM}/{ROLES}", "Microsoft.Authorization/roleAssignments/read", VM),
        ("GET", f"{GROUP}/{ROLES}", "Microsoft.Authorization/roleAssignments/read", GROUP),
        ("POST", f"{SUB}/providers/Microsoft.Network/register", "Microsoft.Network/register/action", SUB),
        ("DELETE", "/subscriptions", "Microsoft.Resources/tenants/delete", "/"),
    ],
)
def test_a_request_is_an_action_over_a_scope(method: str, path: str, action: str, scope: str) -> None:
    wanted = demand(method=method, path=normalised(path))
    assert wanted is not None
    assert (wanted.action, wanted.scope, wanted.anywhere) == (action, scope or path, False)
    assert wanted.lists is (method == "GET" and wanted.scope != path)


@pytest.mark.parametrize(
    "path",
    [SUB, f"{SUB}/locations", f"{SUB}/resourceGroups", f"{SUB}/providers", f"{SUB}/providers/Microsoft.Compute"]
    + [f"{SUB}/providers/Microsoft.Compute/{rest}" for rest in ("skus", "locations/local/vmSizes")],
)
def test_what_every_caller_of_a_subscription_needs_is_read_with_any_role_in_it(path: str) -> None:
    wanted = demand(method="GET", path=normalised(path))
    assert wanted is not None
    assert wanted.anywhere


@pytest.mark.parametrize("path", [f"{SUB}/resources", f"{SUB}/providers/{COMPUTE}", GROUP, VM])
def test_lists_of_resources_and_resources_are_not_read_from_below(path: str) -> None:
    wanted = demand(method="GET", path=normalised(path))
    assert wanted is not None
    assert not wanted.anywhere


@pytest.mark.parametrize("path", ["/subscriptions", "/openapi.json", "/providers/Microsoft.Compute"])
def test_some_reads_demand_nothing(path: str) -> None:
    assert demand(method="GET", path=normalised(path)) is None
    assert demand(method="PUT", path=normalised(path)) is not None


def test_an_operation_is_read_by_whoever_knows_its_address() -> None:
    path = normalised(f"{SUB}/providers/Microsoft.Compute/locations/local/operations/1")
    assert demand(method="GET", path=path) is None
    assert demand(method="DELETE", path=path) is not None


def test_a_path_is_spelled_as_azure_spells_it_and_names_stay() -> None:
    path = f"{GROUP}/providers/{COMPUTE}/virtualmachines/retrieveBootDiagnosticsData"
    assert spelled(normalised(path)) == path
