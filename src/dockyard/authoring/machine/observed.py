"""A package made observable: the same files under a publisher of its own, its commands led through ``wrapper``.

Pure. The manifest keeps every other member, so that the agent treats the handler as it would treat the original.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from dockyard.authoring.machine import wrapper
from dockyard.authoring.package import Package
from dockyard_contract.environment import Command
from dockyard_contract.package import MANIFEST

PROGRAM = "dockyard-observe"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXECUTABLE = 0o755 << 16


def observed(package: Package, *, publisher: str, record: Path) -> Package:
    """Return the package to publish; its commands write into ``record``, a file of the machine's.

    ``package`` must be one that the agent can run (``package.can_run``).
    """
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package.archive)) as original,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        # The agent takes the manifest in the root before all others.
        names = (name for name in original.namelist() if name.rpartition("/")[2] == MANIFEST)
        chosen = min(names, key=lambda name: (name.count("/"), name))
        document, commands = _led(original.read(chosen))
        for entry in original.infolist():
            if not entry.is_dir():
                copy.writestr(entry, document if entry.filename == chosen else original.read(entry))
        told = json.dumps({"record": str(record), "commands": commands}).encode()
        program = "#!/usr/bin/python3\n" + Path(wrapper.__file__).read_text("utf-8")
        for name, content in ((wrapper.CONFIG, told), (PROGRAM, program.encode())):
            copy.writestr(_entry(name), content)
    handler = f"{publisher}.{package.type}"
    return Package(handler=handler, version=package.version, archive=buffer.getvalue())


def _led(text: bytes) -> tuple[bytes, dict[str, str]]:
    """Return the manifest with other commands, and the original ones."""
    document = json.loads(text.decode("utf-8-sig"))
    members = document[0]["handlerManifest"]
    commands = {command.value: members[command.manifest_key] for command in Command}
    for command in Command:
        members[command.manifest_key] = f"{PROGRAM} {command.value}"
    return json.dumps(document).encode(), commands


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = _EXECUTABLE
    return entry
