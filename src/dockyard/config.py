"""Where Dockyard keeps its files, read from the environment once.

Used by the composition (``dockyard.serve``) and by the front doors; no other room looks at the environment for folders.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_LONGEST_RUNTIME = 60  # leaves room for "/<vm id>/<socket>" within the kernel's 107 bytes of a socket's path


@dataclass(frozen=True)
class Paths:
    """The folders, all private to the user (mode 0700).

    Attributes:
        config: credentials and the public CA certificate.
        data: images, machines, certificates, the store.
        state: logs and what tells a running server.
        cache: what can be fetched or made again.
        runtime: sockets; gone after a reboot.
    """

    config: Path
    data: Path
    state: Path
    cache: Path
    runtime: Path

    @classmethod
    def default(cls) -> Paths:
        """Read this process's environment."""
        return cls.from_environ(os.environ)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Paths:
        """Return the XDG folders, or sub-folders of ``DOCKYARD_HOME`` when that is set."""
        home = environ.get("DOCKYARD_HOME")
        if home:
            root = Path(home).absolute()
            runtime = _short_runtime(root / "run", name=str(root))
            return cls(root / "config", root / "data", root / "state", root / "cache", runtime)
        dirs = platformdirs.PlatformDirs("dockyard", appauthor=False)
        return cls(
            dirs.user_config_path,
            dirs.user_data_path,
            dirs.user_state_path,
            dirs.user_cache_path,
            _short_runtime(Path(environ.get("XDG_RUNTIME_DIR") or "/nonexistent") / "dockyard", name="dockyard"),
        )

    @property
    def certificate_authority(self) -> Path:
        """The fabric's own CA certificate, PEM; what clients verify the API with."""
        return self.config / "ca.pem"

    @property
    def credentials(self) -> Path:
        """The file only the user can read that lets a client in."""
        return self.config / "credentials.json"

    @property
    def server_record(self) -> Path:
        """Process identity and endpoint of the running server."""
        return self.state / "serve.json"

    @property
    def server_log(self) -> Path:
        """The server's log."""
        return self.state / "serve.log"

    @property
    def machines(self) -> Path:
        """One folder a virtual machine."""
        return self.data / "machines"

    @property
    def store(self) -> Path:
        """The database of resources and operations."""
        return self.data / "dockyard.db"

    def make(self) -> None:
        """Create the folders that are missing, each readable by the user alone."""
        for folder in (self.config, self.data, self.state, self.cache, self.runtime):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _short_runtime(wanted: Path, *, name: str) -> Path:
    """Return ``wanted`` when sockets fit below it and it can exist, else a private folder below /tmp."""
    usable = len(str(wanted)) <= _LONGEST_RUNTIME and not str(wanted).startswith("/nonexistent")
    if usable:
        return wanted
    suffix = "" if name == "dockyard" else f"-{_digest(name)}"
    return Path(f"/tmp/dockyard-{os.getuid()}{suffix}")  # noqa: S108 - mode 0700, checked by make()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
