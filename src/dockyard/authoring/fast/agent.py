"""Plays the agent's part around a real handler folder, by the rules seen of WALinuxAgent 2.12: files, modes, variables.

Every command is started as the agent starts it: through a shell, in a session of its own, its output in files of the
handler's folder, its process group killed at the time limit. Used by ``life`` and by the tests of our own handlers.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from resource import struct_rusage
from typing import BinaryIO

from dockyard.authoring.fast.tenant import Tenant
from dockyard_contract.environment import Command, HandlerEnvironment, dump_handler_environment
from dockyard_contract.manifest import parse_manifest

NOT_RUN = "NOT_RUN"
UPDATING_FROM = "AZURE_GUEST_AGENT_UPDATING_FROM_VERSION"
DISABLE_CODE = "AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE"
DISABLE_CODES = "AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODES_MULTIPLE_EXTENSIONS"
UNINSTALL_CODE = "AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE"
_FEATURES = json.dumps([{"Key": "ExtensionTelemetryPipeline", "Value": "1.0"}])
_EVERY = 0.005
_DYING = 2.0
_TAIL = 3200
"""Characters of a command's output that the agent passes on."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended: ``code`` is None at the time limit; ``output`` is the end of what it wrote."""

    code: int | None
    seconds: float
    cpu_seconds: float
    output_bytes: int
    output: bytes

    @property
    def told_code(self) -> str:
        """The exit code as the agent hands it on to the next command."""
        return str(-1 if self.code is None else self.code)


class StandIn:
    """One agent with one extension. ``configuration`` is its name, for a handler that takes several."""

    def __init__(
        self,
        *,
        lib: Path,
        logs: Path,
        handler: str,
        tenant: Tenant,
        configuration: str | None = None,
        path: str = _PATH,
    ) -> None:
        self._lib = lib
        self._handler = handler
        self._tenant = tenant
        self._path = path
        self.configuration = configuration
        self.log_folder = logs / handler
        lib.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.tenant_files = tenant.write(lib)

    def folder(self, version: str) -> Path:
        """The folder of a version."""
        return self._lib / f"{self._handler}-{version}"

    def unpack(self, version: str, archive: Path | BinaryIO) -> None:
        """Unpack a package: its modes are lost, and every file becomes executable by its owner."""
        folder = self.folder(version)
        with zipfile.ZipFile(archive) as package:
            package.extractall(folder)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o744)
        self._find_manifest(folder)
        for part in ("status", "config"):
            (folder / part).mkdir(mode=0o700, exist_ok=True)
        self.log_folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        (self.log_folder / "events").mkdir(mode=0o700, exist_ok=True)
        (folder / "HandlerEnvironment.json").write_text(dump_handler_environment(self._environment(folder)))

    def settings(self, version: str, number: int, public: object, protected: object | None = None) -> None:
        """Write a settings file, the protected part encrypted for this machine."""
        members: dict[str, object] = {"publicSettings": public, "protectedSettings": None}
        members["protectedSettingsCertThumbprint"] = None
        if protected is not None:
            envelope = self._tenant.seal(json.dumps(protected).encode())
            members["protectedSettings"] = base64.b64encode(envelope).decode()
            members["protectedSettingsCertThumbprint"] = self._tenant.thumbprint
        self.write(version, number, json.dumps({"runtimeSettings": [{"handlerSettings": members}]}))

    def write(self, version: str, number: int, text: str) -> None:
        """Write a settings file as it stands."""
        path = self.settings_file(version, number)
        path.write_text(text)
        path.chmod(0o644)

    def settings_file(self, version: str, number: int) -> Path:
        """The settings file of a number."""
        return self.folder(version) / "config" / f"{self._stem(number)}.settings"

    def status_file(self, version: str, number: int) -> Path:
        """The status file of a number."""
        return self.folder(version) / "status" / f"{self._stem(number)}.status"

    def run(
        self,
        version: str,
        command: Command,
        number: int,
        *,
        more: Mapping[str, str] | None = None,
        limit: float | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> Ended:
        """Run one command of the manifest to its end; ``look`` is called again and again meanwhile."""
        folder = self.folder(version)
        text = parse_manifest((folder / "HandlerManifest.json").read_bytes()).commands[command]
        with tempfile.TemporaryFile(dir=folder) as output, tempfile.TemporaryFile(dir=folder) as error:
            begun = time.monotonic()
            process = subprocess.Popen(  # noqa: S602 - the agent does so
                os.path.join(folder, text.lstrip("/")),  # noqa: PTH118 - the text is a command line, not a path
                shell=True,
                cwd=folder,
                env={**self._variables(version, number), **(more or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=error,
                start_new_session=True,
                umask=0o022,
            )
            code, usage = _ended(process, limit=limit or command.time_limit, look=look)
            seconds = time.monotonic() - begun
            texts = [_end_of(file) for file in (output, error)]
            size = sum(os.fstat(file.fileno()).st_size for file in (output, error))
        return Ended(
            code=code,
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            output_bytes=size,
            output=b"\n".join(text for text in texts if text)[-_TAIL:],
        )

    def carry_over(self, old: str, new: str) -> None:
        """Copy what the agent copies from one version's folder to the next: all statuses, and mrseq."""
        for path in (self.folder(old) / "status").iterdir():
            shutil.copy(path, self.folder(new) / "status" / path.name)
        number = self.folder(old) / "mrseq"
        if number.is_file():
            shutil.copy(number, self.folder(new) / "mrseq")

    def remove(self, version: str) -> None:
        """Remove a version's folder."""
        shutil.rmtree(self.folder(version))

    def _stem(self, number: int) -> str:
        return str(number) if self.configuration is None else f"{self.configuration}.{number}"

    def _environment(self, folder: Path) -> HandlerEnvironment:
        return HandlerEnvironment(
            name=self._handler,
            log_folder=str(self.log_folder),
            config_folder=str(folder / "config"),
            status_folder=str(folder / "status"),
            heartbeat_file=str(folder / "heartbeat.log"),
            events_folder=str(self.log_folder / "events"),
        )

    def _find_manifest(self, folder: Path) -> None:
        if not (folder / "HandlerManifest.json").exists():
            for path in sorted(folder.rglob("HandlerManifest.json")):
                shutil.copy(path, folder / "HandlerManifest.json")
                return

    def _variables(self, version: str, number: int) -> dict[str, str]:
        named = {} if self.configuration is None else {"ConfigExtensionName": self.configuration}
        return {
            "PATH": self._path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C",
            "AZURE_GUEST_AGENT_EXTENSION_PATH": str(self.folder(version)),
            "AZURE_GUEST_AGENT_EXTENSION_VERSION": version,
            "AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS": "168.63.129.16",
            "AZURE_GUEST_AGENT_EXTENSION_SUPPORTED_FEATURES": _FEATURES,
            "ConfigSequenceNumber": str(number),
            **named,
        }


def _ended(
    process: subprocess.Popen[bytes], *, limit: float, look: Callable[[], None]
) -> tuple[int | None, struct_rusage]:
    """Wait for the end, and answer the exit code, None at the limit, with what was used."""
    deadline, in_time = time.monotonic() + limit, True
    try:
        while True:
            look()
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                if not in_time:
                    _await_end(process.pid)
                return (_as_shells_say(process.returncode) if in_time else None), usage
            if in_time and time.monotonic() >= deadline:
                in_time = False
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(_EVERY)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def _await_end(group: int) -> None:
    """Wait until a killed process group is gone, which takes the kernel a moment."""
    deadline = time.monotonic() + _DYING
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(_EVERY)


def _as_shells_say(code: int) -> int:
    return code if code >= 0 else 128 - code


def _end_of(file: BinaryIO) -> bytes:
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - _TAIL))
    return file.read()
