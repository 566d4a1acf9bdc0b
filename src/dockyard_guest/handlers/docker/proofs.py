"""Proofs that the engine is what was asked for, taken from the engine itself over its sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockyard_contract.documents import parse_json
from dockyard_contract.errors import MalformedDocument
from dockyard_guest.errors import PermanentError, TemporaryError

from .places import AUTHORITY, ENGINE_SOCKET

if TYPE_CHECKING:
    from dockyard_contract.documents import JsonObject
    from dockyard_guest.ports import Machine

_REQUEST_LIMIT = 20.0
_PATIENCE = 60.0
_POLL = 1.0
_MODULES = {"apparmor": "AppArmor", "selinux": "SELinux"}
_OWN_PROFILES = ("default", "builtin")


@dataclass(frozen=True)
class Version:
    """What the engine says it is."""

    engine: str
    api: str

    def __str__(self) -> str:
        return f"Docker {self.engine} (API {self.api})"


def prove_answer(machine: Machine) -> Version:
    """The engine's version, as it answers on its unix socket.

    Raises:
        TemporaryError: It does not answer in time.
    """
    deadline = machine.clock.monotonic() + _PATIENCE
    while True:
        try:
            return _version(_ask(machine, "/version"))
        except TemporaryError:
            if machine.clock.monotonic() >= deadline:
                raise
        machine.clock.sleep(_POLL)


@dataclass(frozen=True)
class Confinement:
    """How the engine confines containers: the kernel's module, and the profile of system calls; empty for none."""

    module: str
    seccomp: str

    @property
    def is_whole(self) -> bool:
        """Whether there are both."""
        return bool(self.module and self.seccomp)

    def __str__(self) -> str:
        module = self.module or "neither AppArmor nor SELinux"
        return f"containers are confined by {module} and by {self.seccomp or 'no'} seccomp profile"


def confinement(machine: Machine) -> Confinement:
    """How the engine confines containers, in its own words."""
    options = [str(option.raw) for option in _ask(machine, "/info").optional_array("SecurityOptions") or ()]
    modules = [name for key, name in _MODULES.items() if any(f"name={key}" in option for option in options)]
    profiles = [option.partition("profile=")[2] for option in options if "name=seccomp" in option]
    profile = profiles[0] if profiles else ""
    seccomp = "" if profile == "unconfined" else "the engine's own" if profile in _OWN_PROFILES else profile
    return Confinement(module=modules[0] if modules else "", seccomp=seccomp)


def keeps_containers(machine: Machine) -> bool:
    """Whether the engine would leave its containers running when it stops."""
    value = _ask(machine, "/info").optional("LiveRestoreEnabled")
    return value is not None and value.raw is True


def data_root(machine: Machine) -> str:
    """The folder in which the engine keeps images, containers and volumes; empty when it does not say."""
    return _ask(machine, "/info").optional_string("DockerRootDir") or ""


def prove_refusal(machine: Machine, *, port: int) -> str:
    """Make sure that the engine refuses a client without a certificate on its TCP port. Answers the refusal.

    Raises:
        PermanentError: It answered such a client.
        TemporaryError: There is no TLS server on the port.
    """
    deadline = machine.clock.monotonic() + _PATIENCE
    while True:
        probe = machine.sockets.get_tls(port, "/_ping", authority=AUTHORITY, timeout=_REQUEST_LIMIT)
        if probe.answer is not None:
            raise PermanentError(f"The engine answers on port {port} without asking for a certificate.")
        if probe.refused:
            return probe.refused
        if machine.clock.monotonic() >= deadline:
            raise TemporaryError(f"The engine does not answer on port {port}: {probe.unreachable}.")
        machine.clock.sleep(_POLL)


def _version(answer: JsonObject) -> Version:
    return Version(
        engine=answer.optional_string("Version") or "of unknown version",
        api=answer.optional_string("ApiVersion") or "unknown",
    )


def _ask(machine: Machine, path: str) -> JsonObject:
    answer = machine.sockets.get_unix(ENGINE_SOCKET, path, timeout=_REQUEST_LIMIT)
    if answer.status != 200:
        raise TemporaryError(f"The engine answers {path} with HTTP status {answer.status}.")
    try:
        return parse_json(answer.body, document=f"the engine's answer to {path}").object()
    except MalformedDocument as error:
        raise TemporaryError("The engine's answer cannot be read.", details=str(error)) from error
