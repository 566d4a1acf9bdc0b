"""Plays the agent's part around a real handler folder, by the rules seen of WALinuxAgent 2.12: files, modes, variables.

Every command is started as the agent starts it: through a shell, in a session of its own, its output in files.
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.openssl_pki import Pair, openssl, seal

NAME = "Microsoft.Azure.Extensions.DockerExtension"
LIMIT = 300.0
NOT_RUN = "NOT_RUN"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the status it left for its number; none when it left none."""

    code: int
    error: str
    seconds: float
    status: dict[str, Any] | None


class Agent:
    """One agent with one extension in its folder."""

    def __init__(self, folder: Path, *, package: Path, name: str = NAME) -> None:
        self._name = name
        self._lib = folder / "lib"
        self._log = folder / "log" / name
        self._package = package
        self._lib.mkdir(mode=0o700, parents=True)
        pair = Pair(certificate=folder / "tenant.crt", key=folder / "tenant.prv")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(pair.key), "-out",
                str(pair.certificate), "-subj", "/CN=tenant", "-days", "3")  # fmt: skip
        printed = openssl("x509", "-in", str(pair.certificate), "-noout", "-fingerprint", "-sha1").decode()
        self._thumbprint = printed.strip().rpartition("=")[2].replace(":", "")
        self._tenant = pair
        shutil.copy(pair.certificate, self._lib / f"{self._thumbprint}.crt")
        shutil.copy(pair.key, self._lib / f"{self._thumbprint}.prv")

    def folder(self, version: str) -> Path:
        """The handler's folder."""
        return self._lib / f"{self._name}-{version}"

    def unpack(self, version: str) -> None:
        """Unpack the package: its modes are lost, every file becomes executable by its owner."""
        folder = self.folder(version)
        with zipfile.ZipFile(self._package) as archive:
            archive.extractall(folder)
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(0o744)
        for part in ("status", "config"):
            (folder / part).mkdir(mode=0o700)
        self._log.mkdir(parents=True, exist_ok=True)
        members = {
            "logFolder": str(self._log),
            "configFolder": str(folder / "config"),
            "statusFolder": str(folder / "status"),
            "heartbeatFile": str(folder / "heartbeat.log"),
        }
        environment = [{"name": self._name, "version": 1.0, "handlerEnvironment": members}]
        (folder / "HandlerEnvironment.json").write_text(json.dumps(environment))

    def settings(self, version: str, number: int, public: object, protected: object | None = None) -> None:
        """Write a settings file, the protected part encrypted for this machine."""
        members: dict[str, object] = {"publicSettings": public, "protectedSettings": None}
        members["protectedSettingsCertThumbprint"] = None
        if protected is not None:
            envelope = seal(json.dumps(protected).encode(), recipient=self._tenant.certificate)
            members["protectedSettings"] = base64.b64encode(envelope).decode()
            members["protectedSettingsCertThumbprint"] = self._thumbprint
        self.write(version, number, json.dumps({"runtimeSettings": [{"handlerSettings": members}]}))

    def write(self, version: str, number: int, text: str) -> None:
        """Write a settings file as it stands."""
        path = self.folder(version) / f"config/{number}.settings"
        path.write_text(text)
        path.chmod(0o644)

    def run(self, version: str, verb: str, number: int, **more: str) -> Ended:
        """Run one command of the manifest to its end."""
        begun = time.monotonic()
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as error:
            process = subprocess.Popen(  # noqa: S602 - the agent does so
                f"{self.folder(version)}/{self._command(version, verb)}",
                shell=True,
                cwd=self.folder(version),
                env=self._variables(version, number, more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=error,
                start_new_session=True,
            )
            code = process.wait(timeout=LIMIT)
            seconds = time.monotonic() - begun
            status = self.status(version, number)
            kill_group(process.pid)
            error.seek(0)
            return Ended(code, error.read().decode(), seconds, status)

    def enable(self, version: str, number: int) -> dict[str, Any]:
        """Run enable, and wait for the final status as the agent does: by reading it again and again."""
        self.run(version, "enable", number, AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE=NOT_RUN)
        return self.final(version, number)

    def final(self, version: str, number: int, *, seconds: float = 120.0) -> dict[str, Any]:
        """The status of a number once it is final."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.status(version, number)
            if status is not None and status["status"] != "transitioning":
                return status
            time.sleep(0.05)
        raise AssertionError(f"no final status for {number} of {version}: {self.status(version, number)}")

    def status(self, version: str, number: int) -> dict[str, Any] | None:
        """What stands in a number's status file."""
        path = self.folder(version) / f"status/{number}.status"
        if not path.exists():
            return None
        (element,) = json.loads(path.read_text())
        status: dict[str, Any] = element["status"]
        return status

    def change_version(self, old: str, new: str, number: int) -> list[int]:
        """Replace a version by another, up or down, in the agent's order; answers the commands' exit codes.

        The new number's settings lie in the new version's folder only. On the way down the version that leaves runs
        update, and is told its target twice.
        """
        down = [int(part) for part in new.split(".")] < [int(part) for part in old.split(".")]
        updater, leaving = (old, new) if down else (new, old)
        disabled = self.run(old, "disable", number)
        self._carry_over(old, new)
        updated = self.run(
            updater,
            "update",
            number,
            VERSION=new,
            AZURE_GUEST_AGENT_UPDATING_FROM_VERSION=leaving,
            AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE=str(disabled.code),
        )
        gone = self.run(old, "uninstall", number)
        shutil.rmtree(self.folder(old))
        return [disabled.code, updated.code, gone.code]

    def _carry_over(self, old: str, new: str) -> None:
        for path in (self.folder(old) / "status").iterdir():
            shutil.copy(path, self.folder(new) / "status" / path.name)
        shutil.copy(self.folder(old) / "mrseq", self.folder(new) / "mrseq")

    def _command(self, version: str, verb: str) -> str:
        (element,) = json.loads((self.folder(version) / "HandlerManifest.json").read_text())
        command: str = element["handlerManifest"][f"{verb}Command"]
        return command

    def _variables(self, version: str, number: int, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C",
            "AZURE_GUEST_AGENT_EXTENSION_PATH": str(self.folder(version)),
            "AZURE_GUEST_AGENT_EXTENSION_VERSION": version,
            "AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS": "168.63.129.16",
            "AZURE_GUEST_AGENT_EXTENSION_SUPPORTED_FEATURES": '[{"Key": "ExtensionTelemetryPipeline", "Value": "1.0"}]',
            "ConfigSequenceNumber": str(number),
            **more,
        }


def kill_group(leader: int) -> None:
    """Kill what a command left in its process group, as the end of the agent's service would."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
