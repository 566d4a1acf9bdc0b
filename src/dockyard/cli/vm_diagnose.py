"""``dockyard vm diagnose``: one archive that tells why a machine is as it is, without secrets."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dockyard.cli import doctor, options, output
from dockyard.cli.output import Format
from dockyard.cli.session import open_session
from dockyard.client import virtual_machines, waiting
from dockyard.client.names import DEFAULT_GROUP, MachineName

EXAMPLES = options.examples(
    "dockyard vm diagnose web",
    "dockyard vm diagnose web --file web.tar.gz",
    "dockyard vm diagnose web --output json | jq .missing",
)


def diagnose(
    *,
    name: options.VirtualMachine,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="PATH", help="The archive. Default: NAME-diagnostics-TIME.tar.gz here."),
    ] = None,
    resource_group: options.ResourceGroup = DEFAULT_GROUP,
    form: options.Output = Format.TABLE,
) -> None:
    """Gather a machine's logs, documents and history into one archive, for a machine that does not boot as well.

    Secrets are left out or removed; manifest.json in the archive says where each file is from, and what is missing why.
    """
    from dockyard.client.diagnosing import archive  # noqa: PLC0415 - one rare command pays for archives and patterns
    from dockyard.client.diagnosing.gathering import Gathering  # noqa: PLC0415
    from dockyard.client.diagnosing.scrubbing import Scrubber  # noqa: PLC0415

    machine = MachineName.checked(resource_group=resource_group, name=name)
    session = open_session()
    view = virtual_machines.get(session.connection, machine)
    now = waiting.now()
    path = (file or Path(f"{view.id.name}-diagnostics-{now:%Y%m%dT%H%M%SZ}.tar.gz")).expanduser().absolute()
    gathering = Gathering(session.connection, session.paths, view, home=session.home)
    gathering.gather()
    gathering.add("doctor.json", "dockyard doctor", [asdict(check) for check in doctor.checks()])
    scrubber = Scrubber(gathering.known_secrets())
    index = archive.write(
        path, gathering.parts, gathering.lacking, scrubber=scrubber, title=str(view.document.get("id", "")), at=now
    )
    if form is Format.JSON:
        output.say_json({"path": str(path), **index})
        return
    for lacking in gathering.lacking:
        output.note(f"Missing {lacking.name}: {lacking.reason}")
    output.say(str(path))
