"""The files an image gets beside its packages' own: read from ``customize/``, packed the same way each time.

Pure but for reading package data. Called by ``images`` for a recipe's digest and by ``build`` for the archives.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from dockyard.gallery.recipes import Recipe

FORMAT = 1
"""Rises when the way of building changes without a trace in a recipe or in ``customize/``."""

_FOLDER = Path(__file__).parent / "customize"


@dataclass(frozen=True)
class Contents:
    """What is put into an image.

    Attributes:
        early: files by path that must be there before the packages are installed.
        files: files by path that are put over the packages' own.
        finish: a shell script; changes what cannot be put as a whole file.
        disk: a shell script; writes the tree as a file system.
    """

    early: Mapping[str, bytes]
    files: Mapping[str, bytes]
    finish: str
    disk: str

    @classmethod
    def read(cls, folder: Path = _FOLDER) -> Contents:
        """Read the package's own ``customize/`` folder."""
        return cls(
            early=_tree(folder / "early"),
            files=_tree(folder / "files"),
            finish=(folder / "finish.sh").read_text("utf-8"),
            disk=(folder / "disk.sh").read_text("utf-8"),
        )

    def digest(self, recipe: Recipe) -> str:
        """Return the SHA-256 of all that determines an image of ``recipe`` but its packages' versions."""
        texts = {f"early/{name}": data for name, data in self.early.items()}
        texts |= {f"files/{name}": data for name, data in self.files.items()}
        texts |= {"finish.sh": self.finish.encode(), "disk.sh": self.disk.encode()}
        document = {
            "format": FORMAT,
            "recipe": asdict(recipe),
            "customize": {name: hashlib.sha256(data).hexdigest() for name, data in texts.items()},
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def archive(files: Mapping[str, bytes]) -> bytes:
    """Pack files as a tar archive: owned by root, mode 0644 (folders 0755), without times, sorted."""
    folders = {str(parent) for name in files for parent in Path(name).parents if str(parent) != "."}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(folders):
            tar.addfile(_member(name, kind=tarfile.DIRTYPE, mode=0o755))
        for name, data in sorted(files.items()):
            tar.addfile(_member(name, kind=tarfile.REGTYPE, mode=0o644, size=len(data)), io.BytesIO(data))
    return buffer.getvalue()


def _member(name: str, *, kind: bytes, mode: int, size: int = 0) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, mode, size
    member.uname = member.gname = "root"
    return member


def _tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
