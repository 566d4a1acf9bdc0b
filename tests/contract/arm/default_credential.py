"""A program of Azure's user: nothing in it knows Dockyard but the address. Run by ``test_default_credential``.

Finds its credentials in the environment, as on Azure, and does what the SDK can do with machines and extensions.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.mgmt.compute import ComputeManagementClient

GROUP = "dockyard"


def main() -> None:
    """Do what standard input asks for and print what was seen."""
    asked = json.load(sys.stdin)
    credential = DefaultAzureCredential()
    client = ComputeManagementClient(
        credential,
        asked["subscription"],
        base_url=asked["endpoint"],
        credential_scopes=[f"{asked['audience']}/.default"],
    )
    with credential, client:
        seen = life(client, asked) if asked["may_write"] else reading(client, asked)
    print(json.dumps(seen))


def life(client: ComputeManagementClient, asked: dict[str, Any]) -> dict[str, Any]:
    """A machine and an extension from their making to their end."""
    machines, extensions = client.virtual_machines, client.virtual_machine_extensions
    machines.begin_create_or_update(GROUP, "web", asked["machine"]).result()
    machines.begin_update(GROUP, "web", {"tags": {"team": "blue"}}).result()  # type: ignore[call-overload]
    extension = extensions.begin_create_or_update(GROUP, "web", "DockerExtension", asked["extension"]).result()
    view = machines.instance_view(GROUP, "web")
    seen = {
        "tags": machines.get(GROUP, "web", expand="instanceView").as_dict()["tags"],
        "listed": [machine.name for machine in machines.list(GROUP)],
        "all": [machine.name for machine in machines.list_all()],
        "extension": extension.provisioning_state,
        "extensions": [child.name for child in extensions.list(GROUP, "web").value or []],
        "view": [status.code for status in view.statuses or []],
        "sizes": len(list(machines.list_available_sizes(GROUP, "web"))),
        "console": machines.retrieve_boot_diagnostics_data(GROUP, "web").serial_console_log_blob_uri,
    }
    for action in (machines.begin_power_off, machines.begin_start, machines.begin_restart, machines.begin_deallocate):
        action(GROUP, "web").result()
    machines.begin_start(GROUP, "web").result()
    extensions.begin_delete(GROUP, "web", "DockerExtension").result()
    machines.begin_delete(GROUP, "web").result()
    return {**seen, "left": [machine.name for machine in machines.list_all()]}


def reading(client: ComputeManagementClient, asked: dict[str, Any]) -> dict[str, Any]:
    """What a Reader may do, and how what it may not is refused."""
    try:
        client.virtual_machines.begin_create_or_update(GROUP, "web", asked["machine"]).result()
    except HttpResponseError as error:
        refused = [error.status_code, error.error.code if error.error else None]
    else:
        refused = []
    return {"all": [machine.name for machine in client.virtual_machines.list_all()], "refused": refused}


if __name__ == "__main__":
    main()
