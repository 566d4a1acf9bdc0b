"""ARM's paths: keywords in any case, names as they were written."""

from __future__ import annotations

import pytest

from dockyard.arm.paths import normalised

VM = "/subscriptions/S/resourcegroups/MyGroup/providers/microsoft.compute/virtualmachines/Web"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Subscriptions/S/resourceGroups/MyGroup/providers/Microsoft.Compute/virtualMachines/Web", VM),
        (f"{VM}/powerOff", f"{VM}/poweroff"),
        (f"{VM}/Extensions/DockerExtension", f"{VM}/extensions/DockerExtension"),
        ("/subscriptions/S/resourceGroups/", "/subscriptions/S/resourcegroups"),
        ("/subscriptions/S/providers/Microsoft.Compute/locations/local/operations/1-A", ""),
        (
            f"{VM}/Providers/Microsoft.Authorization/RoleAssignments/Mine",
            f"{VM}/providers/microsoft.authorization/roleassignments/Mine",
        ),
        (
            "/Providers/Microsoft.Authorization/roleDefinitions/A",
            "/providers/microsoft.authorization/roledefinitions/A",
        ),
        ("/metadata/endpoints", "/metadata/endpoints"),
        ("/", "/"),
    ],
)
def test_keywords_are_lowered_and_names_kept(path: str, expected: str) -> None:
    wanted = expected or "/subscriptions/S/providers/microsoft.compute/locations/local/operations/1-A"
    assert normalised(path) == wanted


def test_a_machine_may_be_called_like_a_keyword() -> None:
    assert normalised(f"{VM[:-3]}Images/instanceView").endswith("/virtualmachines/Images/instanceview")
