"""ARM's documents become values; what is missing is empty, what is unknown is ignored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockyard.client import views
from dockyard.client.names import MachineName
from dockyard.client.views import Phase
from dockyard.model.provisioning import PowerState, ProvisioningState

DOCUMENT = {
    "id": "/subscriptions/s/resourceGroups/team/providers/Microsoft.Compute/virtualMachines/web",
    "name": "web",
    "tags": {"dockyard-ssh-port": "2201", "dockyard-docker-port": "2376"},
    "properties": {
        "vmId": "v",
        "provisioningState": "Creating",
        "timeCreated": "2030-01-02T03:04:05+00:00",
        "hardwareProfile": {"vmSize": "Standard_B1s"},
        "storageProfile": {
            "imageReference": {"publisher": "Debian", "offer": "debian-13", "sku": "13", "version": "1"},
            "osDisk": {"diskSizeGB": 20},
        },
        "osProfile": {"adminUsername": "ann"},
        "instanceView": {
            "statuses": [
                {"code": "ProvisioningState/creating"},
                {"code": "PowerState/starting"},
                {"code": "Step/image/done", "displayStatus": "image done (1.5 s)", "time": "2030-01-02T03:04:10+00:00"},
                {"code": "Step/boot/running", "message": "kernel"},
            ],
            "vmAgent": {"statuses": [{"displayStatus": "Ready"}]},
            "extensions": [
                {
                    "name": "DockerExtension",
                    "typeHandlerVersion": "1.3.0",
                    "statuses": [{"code": "ProvisioningState/transitioning", "message": "installing"}],
                    "substatuses": [{"code": "ComponentStatus/engine/transitioning", "message": "pulling"}],
                }
            ],
        },
    },
}


def test_machine_is_read_whole() -> None:
    view = views.machine(DOCUMENT)
    assert view.id == MachineName("team", "web")
    assert (view.vm_id, view.size, view.disk_gib, view.admin_username) == ("v", "Standard_B1s", 20, "ann")
    assert (view.ssh_port, view.docker_port, view.image) == (2201, 2376, "Debian:debian-13:13:1")
    assert (view.provisioning, view.power, view.agent) == (ProvisioningState.CREATING, PowerState.STARTING, "Ready")
    assert view.created_at == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_steps_keep_their_order_phase_and_duration() -> None:
    steps = views.machine(DOCUMENT).stages
    assert [(step.name, step.phase, step.seconds) for step in steps] == [
        ("image", Phase.DONE, 1.5),
        ("boot", Phase.RUNNING, None),
    ]


def test_duration_at_the_end_of_a_message_is_taken_out() -> None:
    part = {"code": "ComponentStatus/engine/succeeded", "message": "restarted (94.1 s)"}
    (stage,) = views.extension({"substatuses": [part]}).stages
    assert (stage.message, stage.seconds) == ("restarted", 94.1)


def test_extension_carries_its_parts() -> None:
    docker = views.machine(DOCUMENT).extension("dockerextension")
    assert docker is not None
    assert (docker.phase, docker.message) == (Phase.RUNNING, "installing")
    assert [(stage.name, stage.message) for stage in docker.stages] == [("engine", "pulling")]


@pytest.mark.parametrize("document", [{}, {"properties": None, "tags": None}, {"properties": {"instanceView": {}}}])
def test_bare_document_is_not_an_error(document: dict[str, object]) -> None:
    view = views.machine(document)
    assert (view.power, view.ssh_port, view.stages, view.state) == (None, None, (), "unknown")


@pytest.mark.parametrize(
    ("provisioning", "power", "state"),
    [("Creating", "running", "creating"), ("Succeeded", "stopped", "stopped"), ("Failed", "running", "failed")],
)
def test_state_is_one_word_for_people(provisioning: str, power: str, state: str) -> None:
    statuses = [{"code": f"PowerState/{power}"}]
    document = {"properties": {"provisioningState": provisioning, "instanceView": {"statuses": statuses}}}
    assert views.machine(document).state == state


def test_failure_is_the_provisioning_message() -> None:
    statuses = [{"code": "ProvisioningState/failed", "message": "The disk is full."}]
    assert views.machine({"properties": {"instanceView": {"statuses": statuses}}}).failure == "The disk is full."


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("success", Phase.DONE),
        ("Succeeded", Phase.DONE),
        ("done", Phase.DONE),
        ("error", Phase.FAILED),
        ("failed", Phase.FAILED),
        ("warning", Phase.WARNING),
        ("transitioning", Phase.RUNNING),
        ("something-new", Phase.RUNNING),
    ],
)
def test_dialects_of_a_phase(word: str, phase: Phase) -> None:
    assert Phase.of(word) is phase


def test_alias_is_shown_as_the_user_wrote_it() -> None:
    reference = {"publisher": "Dockyard", "offer": "alias", "sku": "debian-13", "version": "latest"}
    document = {"properties": {"storageProfile": {"imageReference": reference}}}
    assert views.machine(document).image == "debian-13"
