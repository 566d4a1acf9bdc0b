"""Runs in a machine, as root, under whatever Python 3 it has: collects the agent's and the handlers' files.

Sent there by ``guest`` as text; needs the standard library alone. Prints one line: base85 of deflated JSON, which maps
names to texts. Protected settings are dropped here, before anything leaves the machine; keys and goal states, which
hold them too, are not looked at. With a budget, the ends of files are cut until the line is no longer than that.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from pathlib import Path

PROTECTED = "protectedSettings"
_LIMITS = (1000000, 200000, 50000, 16000, 6000, 2000, 700)
_ALONE = (
    *("HandlerManifest.json", "HandlerEnvironment.json", "mrseq", "heartbeat.log"),
    *("config/HandlerState", "config/HandlerStatus"),
)


def main(arguments: list[str]) -> int:
    """Print what is below a root folder: ``BUDGET [ROOT]``; a budget of 0 is none."""
    budget = int(arguments[0])
    root = Path(arguments[1] if len(arguments) > 1 else "/")
    for limit in _LIMITS:
        line = packed(collected(root, limit=limit))
        if not budget or len(line) <= budget:
            break
    else:
        line = packed(_within(collected(root, limit=_LIMITS[-1]), budget))
    sys.stdout.write(line + "\n")
    return 0


def collected(root: Path, *, limit: int) -> dict[str, str]:
    """Return the files' texts by name, what tells most first; of each no more than the last ``limit`` bytes."""
    lib, logs = root / "var/lib/waagent", root / "var/log"
    folders = sorted(path.parent for path in lib.glob("*-*/HandlerManifest.json"))
    named = [
        *((f"handlers/{path.parents[1].name}/status/{path.name}", path) for path in lib.glob("*-*/status/*.status")),
        *((name, logs / name) for name in ("waagent.log", "cloud-init.log")),
        *((f"logs/{path.relative_to(logs / 'azure')}", path) for path in sorted((logs / "azure").rglob("*"))),
        *((f"handlers/{folder.name}/{name}", folder / name) for folder in folders for name in _ALONE),
    ]
    found = {name: _end_of(path, limit=limit) for name, path in named if path.is_file() and "events" not in path.parts}
    for path in sorted(lib.glob("*-*/config/*.settings")):
        found[f"handlers/{path.parents[1].name}/config/{path.name}"] = settings_without_secrets(path)
    return found


def settings_without_secrets(path: Path) -> str:
    """Return a settings file whose protected settings are a mark that there were some."""
    try:
        document = json.loads(path.read_text("utf-8-sig", "replace") or "null")
    except ValueError:
        return "(left out: it is not JSON)"
    _drop(document)
    return json.dumps(document, indent=1)


def packed(found: dict[str, str]) -> str:
    """Return the texts as one line."""
    return base64.b85encode(zlib.compress(json.dumps(found).encode(), 9)).decode()


def _drop(value: object) -> None:
    if isinstance(value, dict):
        for name in value:
            if str(name).lower() == PROTECTED.lower() and value[name]:
                value[name] = "(removed)"
            else:
                _drop(value[name])
    elif isinstance(value, list):
        for item in value:
            _drop(item)


def _end_of(path: Path, *, limit: int) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read(limit).decode("utf-8", "replace")
    except OSError as error:
        return f"(left out: {error.strerror})"
    return text if size <= limit else f"(the first {size - limit} bytes are left out)\n{text}"


def _within(found: dict[str, str], budget: int) -> dict[str, str]:
    """Return as many of the files, from the first on, as fit."""
    kept: dict[str, str] = {}
    for name, text in found.items():
        kept[name] = text
        if len(packed(kept)) > budget:
            del kept[name]
            break
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
