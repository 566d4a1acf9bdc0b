"""Ready-made values of the model for tests that need one and do not care which."""

from __future__ import annotations

from datetime import UTC, datetime

from dockyard.model.extension import Extension, ExtensionStatus, ProtectedSettings, SubStatus
from dockyard.model.image import ImageReference
from dockyard.model.provisioning import ProvisioningState
from dockyard.model.resource_id import VIRTUAL_MACHINES, ResourceId
from dockyard.model.virtual_machine import (
    NetworkProfile,
    OsProfile,
    PortForward,
    SshPublicKey,
    VirtualMachine,
    size_named,
)

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
GROUP = "dockyard"
URN = ImageReference("Debian", "debian-13", "13", "1.0.0")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def machine_id(name: str = "web") -> ResourceId:
    return ResourceId(SUBSCRIPTION, GROUP, VIRTUAL_MACHINES, (name,))


def a_machine(name: str = "web") -> VirtualMachine:
    return VirtualMachine(
        id=machine_id(name),
        vm_id="11111111-2222-4333-8444-555555555555",
        location="local",
        size=size_named("Standard_B1s"),
        image=URN,
        disk_gib=20,
        os_profile=OsProfile(
            computer_name=name,
            admin_username="dockyard",
            ssh_public_keys=(SshPublicKey("/home/dockyard/.ssh/authorized_keys", "ssh-ed25519 AAAA me"),),
        ),
        network=NetworkProfile(
            mac_address="52:54:11:11:11:11",
            outbound_mac_address="52:55:11:11:11:11",
            private_ip="10.0.0.4",
            forwards=(PortForward("ssh", 22022, 22), PortForward("docker", 23760, 2376)),
        ),
        created_at=NOW,
        provisioning_state=ProvisioningState.SUCCEEDED,
    )


def an_extension(name: str = "web") -> Extension:
    return Extension(
        id=machine_id(name).child(kind="extensions", name="DockerExtension"),
        location="local",
        publisher="Microsoft.Azure.Extensions",
        type="DockerExtension",
        type_handler_version="1.0",
        handler_version="1.3.0",
        created_at=NOW,
        provisioning_state=ProvisioningState.SUCCEEDED,
        settings={"docker": {"port": "2376", "options": ["-D"]}},
        protected=ProtectedSettings("Y2lwaGVydGV4dA==", "AB" * 20),
        status=ExtensionStatus(
            handler_version="1.3.0",
            handler_status="Ready",
            handler_code=0,
            handler_message="Plugin enabled",
            at=NOW,
            sequence_number=0,
            status="success",
            message="engine 26.1.5",
            substatuses=(SubStatus("engine", "success", 0, "26.1.5"),),
        ),
    )
