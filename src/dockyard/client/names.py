"""How front doors name a machine: a resource group and a name, and the local names derived from them.

Used by the client and the CLI for ARM paths, for the certificate folder and for the Docker context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockyard.model.resource_id import check_resource_group_name, check_virtual_machine_name

DEFAULT_GROUP = "dockyard"
LOCATION = "local"


@dataclass(frozen=True)
class MachineName:
    """A virtual machine as the user names it."""

    resource_group: str
    name: str

    @classmethod
    def checked(cls, *, resource_group: str, name: str) -> MachineName:
        """Return the name when Azure would take both parts, else raise InvalidRequest."""
        return cls(check_resource_group_name(resource_group), check_virtual_machine_name(name))

    @property
    def slug(self) -> str:
        """A folder name: the machine's own in the default group, ``group.name`` elsewhere.

        Unambiguous, for a machine's name holds no dot; lower case, for ARM does not tell cases apart.
        """
        name = self.name.lower()
        group = self.resource_group.lower()
        return name if group == DEFAULT_GROUP else f"{re.sub(r'[^a-z0-9_.-]', '+', group)}.{name}"

    def __str__(self) -> str:
        group = "" if self.resource_group.lower() == DEFAULT_GROUP else f" in group '{self.resource_group}'"
        return f"'{self.name}'{group}"
