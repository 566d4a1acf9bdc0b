"""Small programs that stand in for the user's own, put on a PATH of the test's."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

FAKE_DOCKER = f"""#!{sys.executable}
# Keeps contexts as files below DOCKER_CONFIG, as far as Dockyard uses them.
import csv, json, os, sys
from pathlib import Path

store = Path(os.environ["DOCKER_CONFIG"]) / "fake"
store.mkdir(parents=True, exist_ok=True)
noun, verb, *rest = sys.argv[1:]
assert noun == "context" and "DOCKER_HOST" not in os.environ
name = next(word for word in rest if not word.startswith("-"))
file = store / name
if verb == "inspect":
    sys.exit("not found") if not file.exists() else print(file.read_text())
elif verb == "rm":
    file.unlink()
else:
    given = dict(zip(rest[1::2], rest[2::2]))
    assert file.exists() == (verb == "update")
    fields = dict(field.split("=", 1) for field in next(csv.reader([given["--docker"]])))
    for kind in ("ca", "cert", "key"):
        assert kind not in fields or Path(fields[kind]).exists(), fields
    described = {{"Metadata": {{"Description": given["--description"]}}, "Endpoints": {{"docker": fields}}}}
    file.write_text(json.dumps([described]))
"""


def install(folder: Path, name: str, script: str) -> None:
    """Put an executable program into ``folder``."""
    path = folder / name
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
