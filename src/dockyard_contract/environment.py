"""What the agent hands a handler command: ``HandlerEnvironment.json``, environment variables, command names.

Read once at the start of each handler command and passed on as frozen values; the host writes the same values when it
plays the agent's part in tests. Facts are those of WALinuxAgent 2.12. Paths are texts: nothing here opens a file.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .documents import JsonObject, dump_json, parse_json
from .errors import MalformedDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

PATH_VARIABLE = "AZURE_GUEST_AGENT_EXTENSION_PATH"
VERSION_VARIABLE = "AZURE_GUEST_AGENT_EXTENSION_VERSION"
SEQUENCE_VARIABLE = "ConfigSequenceNumber"
_DOCUMENT = "environment"


class Command(enum.Enum):
    """The five commands of a handler."""

    INSTALL = "install"
    ENABLE = "enable"
    DISABLE = "disable"
    UPDATE = "update"
    UNINSTALL = "uninstall"

    @property
    def manifest_key(self) -> str:
        """The member of ``handlerManifest`` that holds this command's text."""
        return f"{self.value}Command"

    @property
    def time_limit(self) -> int:
        """Seconds after which the agent kills the command's whole process group."""
        return 300 if self in (Command.ENABLE, Command.UNINSTALL) else 900


class ExitCode(enum.IntEnum):
    """Exit codes with a meaning to the platform; the agent treats all but 0 alike."""

    SUCCESS = 0
    FAILURE = 1
    UNSUPPORTED_SYSTEM = 51
    MISSING_DEPENDENCY = 52
    BAD_CONFIGURATION = 53

    @property
    def is_users_matter(self) -> bool:
        """Whether the platform leaves the failure out of the publisher's reliability figure."""
        return self in (
            ExitCode.UNSUPPORTED_SYSTEM,
            ExitCode.MISSING_DEPENDENCY,
            ExitCode.BAD_CONFIGURATION,
        )


@dataclass(frozen=True)
class AgentVariables:
    """The agent's environment variables.

    Attributes:
        folder: The handler's folder, ``<agent's folder>/<Name>-<Version>``.
        version: Version of the handler whose command runs.
        sequence_number: N of the settings asked for. Old versions' disable and uninstall get the *new* N during
            an update, for which they have no settings file.
        extension_name: Name of the configuration, for a handler that takes several.
        wire_protocol_address: Address of the platform's wire server.
        updating_from_version: The old version, during update.
        target_version: The version to end up with, during update. On the way down it is the older one, and the
            newer handler's update command is the one that runs.
        old_disable_exit_code: Exit code of the old version's disable, or ``NOT_RUN``; during update.
        old_uninstall_exit_code: Exit code of the old version's uninstall, or ``NOT_RUN``; during install and enable.
    """

    folder: str
    version: str
    sequence_number: int | None = None
    extension_name: str | None = None
    wire_protocol_address: str | None = None
    updating_from_version: str | None = None
    target_version: str | None = None
    old_disable_exit_code: str | None = None
    old_uninstall_exit_code: str | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> AgentVariables:
        """Read the variables.

        Raises:
            MalformedDocument: Folder or version is missing, or the sequence number is no number.
        """
        return cls(
            folder=_required(environ, PATH_VARIABLE),
            version=_required(environ, VERSION_VARIABLE),
            sequence_number=_sequence_number(environ.get(SEQUENCE_VARIABLE)),
            extension_name=environ.get("ConfigExtensionName") or None,
            wire_protocol_address=environ.get("AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS") or None,
            updating_from_version=environ.get("AZURE_GUEST_AGENT_UPDATING_FROM_VERSION") or None,
            target_version=environ.get("VERSION") or None,
            old_disable_exit_code=environ.get("AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE") or None,
            old_uninstall_exit_code=environ.get("AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE") or None,
        )

    def to_environ(self) -> dict[str, str]:
        """The variables as the agent sets them; those without a value are left out."""
        number = None if self.sequence_number is None else str(self.sequence_number)
        variables = {
            PATH_VARIABLE: self.folder,
            VERSION_VARIABLE: self.version,
            SEQUENCE_VARIABLE: number,
            "ConfigExtensionName": self.extension_name,
            "AZURE_GUEST_AGENT_WIRE_PROTOCOL_ADDRESS": self.wire_protocol_address,
            "AZURE_GUEST_AGENT_UPDATING_FROM_VERSION": self.updating_from_version,
            "VERSION": self.target_version,
            "AZURE_GUEST_AGENT_DISABLE_CMD_EXIT_CODE": self.old_disable_exit_code,
            "AZURE_GUEST_AGENT_UNINSTALL_CMD_EXIT_CODE": self.old_uninstall_exit_code,
        }
        return {name: value for name, value in variables.items() if value is not None}


@dataclass(frozen=True)
class HandlerEnvironment:
    """``HandlerEnvironment.json``. Everything beyond the first four folders and files is optional."""

    log_folder: str
    config_folder: str
    status_folder: str
    heartbeat_file: str
    name: str | None = None
    events_folder: str | None = None
    deployment_id: str | None = None
    role_name: str | None = None
    instance: str | None = None
    host_resolver_address: str | None = None

    def settings_file(self, sequence_number: int, *, extension_name: str | None = None) -> str:
        """Path of the settings file for a sequence number."""
        return f"{self.config_folder}/{_stem(sequence_number, extension_name)}.settings"

    def status_file(self, sequence_number: int, *, extension_name: str | None = None) -> str:
        """Path of the status file for a sequence number."""
        return f"{self.status_folder}/{_stem(sequence_number, extension_name)}.status"


_OPTIONAL_MEMBERS = (
    ("events_folder", "eventsFolder"),
    ("deployment_id", "deploymentid"),
    ("role_name", "rolename"),
    ("instance", "instance"),
    ("host_resolver_address", "hostResolverAddress"),
)


def parse_handler_environment(text: str | bytes, *, document: str = "HandlerEnvironment.json") -> HandlerEnvironment:
    """Read ``HandlerEnvironment.json``.

    Raises:
        MalformedDocument: The text is not JSON, not an array of one, or a folder is missing.
    """
    root = parse_json(text, document=document)
    elements = root.array()
    if not elements:
        raise root.malformed(expected="one element", found="an empty array")
    outer = elements[0].object()
    inner = outer.object("handlerEnvironment")
    return HandlerEnvironment(
        log_folder=_folder(inner, "logFolder"),
        config_folder=_folder(inner, "configFolder"),
        status_folder=_folder(inner, "statusFolder"),
        heartbeat_file=_folder(inner, "heartbeatFile"),
        name=outer.optional_string("name"),
        **{field: inner.optional_string(member) for field, member in _OPTIONAL_MEMBERS},
    )


def dump_handler_environment(environment: HandlerEnvironment) -> str:
    """The text of ``HandlerEnvironment.json``; members without a value are left out."""
    members = {
        "logFolder": environment.log_folder,
        "configFolder": environment.config_folder,
        "statusFolder": environment.status_folder,
        "heartbeatFile": environment.heartbeat_file,
    }
    for field, member in _OPTIONAL_MEMBERS:
        value: str | None = getattr(environment, field)
        if value is not None:
            members[member] = value
    outer: dict[str, object] = {} if environment.name is None else {"name": environment.name}
    return dump_json([{**outer, "version": 1.0, "handlerEnvironment": members}])


def _stem(sequence_number: int, extension_name: str | None) -> str:
    return str(sequence_number) if extension_name is None else f"{extension_name}.{sequence_number}"


def _folder(members: JsonObject, name: str) -> str:
    value = members.value(name)
    if not value.string().startswith("/"):
        raise value.malformed(expected="an absolute path", found="another text")
    return value.string()


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise MalformedDocument(document=_DOCUMENT, member=name, expected="a value", found="nothing")
    return value


def _sequence_number(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise MalformedDocument(
            document=_DOCUMENT, member=SEQUENCE_VARIABLE, expected="a sequence number", found="another text"
        )
    return int(text)
