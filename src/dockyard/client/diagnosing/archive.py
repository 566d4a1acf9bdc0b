"""The archive: every text scrubbed, an index of what is there and what lacks, and a last look before it is closed.

Called by ``gathering``. A ``tar.gz`` with one folder; ``manifest.json`` in it is the index.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from dockyard import files
from dockyard.client.diagnosing.scrubbing import Scrubber
from dockyard.model.errors import Conflict, OperationFailed

INDEX = "manifest.json"


@dataclass(frozen=True)
class Part:
    """One file of the archive: its name there, where it is from, its text."""

    name: str
    source: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Lacking:
    """A file, or a folder of files, that is not there, and why."""

    name: str
    reason: str


def write(
    path: Path, parts: Sequence[Part], lacking: Sequence[Lacking], *, scrubber: Scrubber, title: str, at: datetime
) -> dict[str, Any]:
    """Write the archive whole or not at all, readable by the user alone; return its index.

    Raises:
        OperationFailed: (code SecretsFound) a secret would be in it although all were taken out; nothing is written.
        Conflict: the file cannot be written there.
    """
    listed: list[dict[str, Any]] = []
    texts: dict[str, str] = {}
    for part in sorted(parts, key=lambda part: part.name):
        text, removed = scrubber.scrub(part.text)
        texts[part.name] = text
        listed.append({"name": part.name, "source": part.source, "bytes": len(text.encode()), "removed": removed})
    index = {
        "machine": title,
        "takenAt": at.isoformat(),
        "files": listed,
        "missing": [{"name": each.name, "reason": scrubber.scrub(each.reason)[0]} for each in lacking],
    }
    texts[INDEX] = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
    _check(texts, scrubber)
    try:
        files.write(path, _packed(texts, folder=path.name.partition(".")[0], at=at), mode=files.SECRET)
    except OSError as error:
        raise Conflict(f"The archive {path} cannot be written", details=error.strerror or "") from error
    return index


def _check(texts: dict[str, str], scrubber: Scrubber) -> None:
    unclean = [name for name, text in texts.items() if not scrubber.is_clean(text)]
    if unclean:
        raise OperationFailed(
            "The archive was not written: there would be secrets in it",
            details=f"In {', '.join(unclean)}.",
            resolution="This is a fault of Dockyard's; please report it.",
            code="SecretsFound",
        )


def _packed(texts: dict[str, str], *, folder: str, at: datetime) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in texts.items():
            content = text.encode()
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(content), files.SECRET, int(at.timestamp())
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
