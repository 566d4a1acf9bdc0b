"""ARM resource identifiers: the names of everything the fabric keeps.

Compared without regard to case, as Azure does (clients mix ``resourcegroups`` and ``resourceGroups``), yet shown as
first written. Used by every room that names a resource.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard.model.errors import InvalidRequest

_VM_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_GROUP_NAME = re.compile(r"[-\w.()]{0,89}[-\w()]")
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9_](?:[\w.-]{0,78}[\w-])?")

VIRTUAL_MACHINES = "Microsoft.Compute/virtualMachines"
EXTENSIONS = "Microsoft.Compute/virtualMachines/extensions"
RUN_COMMANDS = "Microsoft.Compute/virtualMachines/runCommands"
IMAGES = "Microsoft.Compute/images"
DISKS = "Microsoft.Compute/disks"


@dataclass(frozen=True)
class ResourceId:
    """The full name of one resource.

    ``names`` has one element for each segment of ``type`` after the provider: a virtual machine has one, an
    extension two (machine, extension).
    """

    subscription_id: str
    resource_group: str
    type: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        provider, *kinds = self.type.split("/")
        pairs = "/".join(f"{kind}/{name}" for kind, name in zip(kinds, self.names, strict=True))
        group = f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/{provider}/{pairs}"

    @property
    def key(self) -> str:
        """The identifier in lower case: what equality and the store go by."""
        return str(self).lower()

    @property
    def name(self) -> str:
        """The last name: the resource's own."""
        return self.names[-1]

    @property
    def parent(self) -> ResourceId:
        """The resource this one is a child of; an extension's virtual machine."""
        return ResourceId(self.subscription_id, self.resource_group, self.type.rpartition("/")[0], self.names[:-1])

    def child(self, *, kind: str, name: str) -> ResourceId:
        """Name a child resource, for example ``child(kind="extensions", name="DockerExtension")``."""
        return ResourceId(self.subscription_id, self.resource_group, f"{self.type}/{kind}", (*self.names, name))


def check_virtual_machine_name(name: str) -> str:
    """Return ``name`` when Azure would take it for a Linux VM, else raise InvalidRequest (code InvalidResourceName)."""
    return _check(
        name,
        pattern=_VM_NAME,
        what="virtual machine",
        rule="1 to 64 letters, digits and hyphens, beginning and ending with a letter or digit",
    )


def check_resource_group_name(name: str) -> str:
    """Return ``name`` when it can name a resource group, else raise InvalidRequest."""
    return _check(
        name,
        pattern=_GROUP_NAME,
        what="resource group",
        rule="1 to 90 letters, digits, hyphens, underscores, dots and parentheses, not ending with a dot",
    )


def check_resource_name(name: str, *, what: str) -> str:
    """Return ``name`` when it can name a child or an image, else raise InvalidRequest."""
    return _check(
        name,
        pattern=_RESOURCE_NAME,
        what=what,
        rule="1 to 80 letters, digits, underscores, dots and hyphens, not ending with a dot",
    )


def _check(name: str, *, pattern: re.Pattern[str], what: str, rule: str) -> str:
    if not pattern.fullmatch(name):
        raise InvalidRequest(
            f"'{name}' is not a valid {what} name",
            resolution=f"Use {rule}.",
            code="InvalidResourceName",
        )
    return name
