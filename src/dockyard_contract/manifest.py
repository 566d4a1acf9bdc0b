"""``HandlerManifest.json``: what a handler's package tells the agent about its commands.

Read by the agent (WALinuxAgent 2.12) from the root of the handler's folder and by whoever builds packages. Element 0
of the array counts. ``resourceLimits`` is not read here: it acts only where the agent manages cgroups.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .documents import JsonObject, dump_json, parse_json
from .environment import Command

if TYPE_CHECKING:
    from collections.abc import Mapping


class UpdateMode(enum.Enum):
    """What the agent does with the new version's install command when the version changes."""

    WITH_INSTALL = "UpdateWithInstall"
    WITHOUT_INSTALL = "UpdateWithoutInstall"

    @property
    def runs_install(self) -> bool:
        """Whether install runs between the old version's uninstall and the new one's enable."""
        return self is UpdateMode.WITH_INSTALL


@dataclass(frozen=True)
class HandlerManifest:
    """One handler manifest.

    Attributes:
        commands: Command text by command; the agent joins the handler's folder and the text and gives that to a
            shell. A command that is absent fails at the moment the agent needs it.
        report_heartbeat: Whether the agent reads the heartbeat file.
        update_mode: Whether install runs on update; absent means `UpdateMode.WITH_INSTALL`.
        continue_on_update_failure: Whether an update goes on when the old version's disable or uninstall fails.
        supports_multiple_extensions: Whether the handler takes several named configurations.
        reboot_after_install: Carried for completeness; the agent ignores it.
    """

    commands: Mapping[Command, str] = field(default_factory=dict)
    report_heartbeat: bool = False
    update_mode: UpdateMode = UpdateMode.WITH_INSTALL
    continue_on_update_failure: bool = False
    supports_multiple_extensions: bool = False
    reboot_after_install: bool = False


def parse_manifest(text: str | bytes, *, document: str = "HandlerManifest.json") -> HandlerManifest:
    """Read a manifest.

    Raises:
        MalformedDocument: The text is not JSON, not an array of objects with ``handlerManifest``, or a member is of
            the wrong type.
    """
    root = parse_json(text, document=document)
    elements = root.array()
    if not elements:
        raise root.malformed(expected="one element", found="an empty array")
    members = elements[0].object().object("handlerManifest")
    return HandlerManifest(
        commands=_commands(members),
        report_heartbeat=_truth(members, "reportHeartbeat"),
        update_mode=_update_mode(members),
        continue_on_update_failure=_truth(members, "continueOnUpdateFailure"),
        supports_multiple_extensions=_truth(members, "supportsMultipleExtensions"),
        reboot_after_install=_truth(members, "rebootAfterInstall"),
    )


def dump_manifest(manifest: HandlerManifest) -> str:
    """The manifest's text."""
    members: dict[str, object] = {
        command.manifest_key: manifest.commands[command] for command in Command if command in manifest.commands
    }
    members["rebootAfterInstall"] = manifest.reboot_after_install
    members["reportHeartbeat"] = manifest.report_heartbeat
    members["updateMode"] = manifest.update_mode.value
    members["continueOnUpdateFailure"] = manifest.continue_on_update_failure
    members["supportsMultipleExtensions"] = manifest.supports_multiple_extensions
    return dump_json([{"version": 1.0, "handlerManifest": members}])


def _commands(members: JsonObject) -> dict[Command, str]:
    found = {command: members.optional_string(command.manifest_key) for command in Command}
    return {command: text for command, text in found.items() if text}


def _truth(members: JsonObject, name: str) -> bool:
    # The agent takes any value for its truth; published handlers ship the string "true" and mean it.
    value = members.optional(name)
    if value is None:
        return False
    return bool(value.raw)


def _update_mode(members: JsonObject) -> UpdateMode:
    text: str | None = members.optional_string("updateMode")
    if text is None:
        return UpdateMode.WITH_INSTALL
    for mode in UpdateMode:
        if mode.value.lower() == text.lower():
            return mode
    words = ", ".join(mode.value for mode in UpdateMode)
    raise members.value("updateMode").malformed(expected=f"one of {words}", found="another word")
