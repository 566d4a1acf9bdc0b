"""The wire server's ``ExtensionsConfig``: which handlers a machine shall have, with their settings.

Read by WALinuxAgent 2.12 for each new incarnation. Three traps are closed here: settings are escaped and never CDATA
(one makes the agent refuse the goal state), a plugin's settings carry exactly the plugin's version (else the agent says
"Version Mismatch"), and a state is never empty.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from . import xml_text
from .documents import parse_xml
from .settings import HandlerSettings, dump_settings, parse_settings

if TYPE_CHECKING:
    from .documents import XmlElement

DOCUMENT = "extensions config"
_VERSION = "1.0.0.0"
_Word = TypeVar("_Word", bound=enum.Enum)


class HandlerState(enum.Enum):
    """What the agent is to do with a handler."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UNINSTALL = "uninstall"


class BlobType(enum.Enum):
    """How a status is written to its blob."""

    BLOCK = "BlockBlob"
    PAGE = "PageBlob"


@dataclass(frozen=True)
class StatusBlob:
    """Where the agent writes its report when the host plugin does not take it."""

    url: str
    type: BlobType = BlobType.BLOCK


@dataclass(frozen=True)
class PluginSettings:
    """One settings document of a handler.

    Attributes:
        sequence_number: Rises when the user's settings change.
        settings: The document that becomes ``config/<N>.settings``.
        dependency_level: Handlers with a higher level wait for those with a lower one.
    """

    sequence_number: int
    settings: HandlerSettings
    dependency_level: int = 0


@dataclass(frozen=True)
class Plugin:
    """One handler; ``location`` is the URL of its extension manifest, ``settings`` ``None`` for one without any."""

    name: str
    version: str
    location: str
    state: HandlerState = HandlerState.ENABLED
    settings: PluginSettings | None = None


@dataclass(frozen=True)
class GoalStateMetaData:
    """Numbers of the goal as the control plane counts them.

    Attributes:
        in_svd_seq_no: Goes back in reports on FastTrack goals.
        created_on_ticks: .NET ticks; when this goes backwards, the agent ignores the goal.
    """

    in_svd_seq_no: int
    created_on_ticks: int


@dataclass(frozen=True)
class ExtensionsConfig:
    """All handlers of one incarnation."""

    incarnation: int
    status_blob: StatusBlob
    plugins: tuple[Plugin, ...] = ()
    meta_data: GoalStateMetaData | None = None


def parse_extensions_config(text: str | bytes, *, document: str = DOCUMENT) -> ExtensionsConfig:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, a member is missing or wrong, or settings belong to no plugin or to
            another version of it.
    """
    root = parse_xml(text, document=document, root="Extensions")
    blob = root.child("StatusUploadBlob")
    meta_data = root.optional_child("InVMGoalStateMetaData")
    return ExtensionsConfig(
        incarnation=root.integer_attribute("goalStateIncarnation"),
        status_blob=StatusBlob(url=blob.text(), type=_enum(BlobType, blob, "statusBlobType")),
        plugins=_plugins(root),
        meta_data=None if meta_data is None else _meta_data(meta_data),
    )


def dump_extensions_config(config: ExtensionsConfig) -> str:
    """The document's text."""
    settings = [_dump_settings(plugin, plugin.settings) for plugin in config.plugins if plugin.settings is not None]
    blob = xml_text.leaf(
        "StatusUploadBlob", config.status_blob.url, attributes={"statusBlobType": config.status_blob.type.value}
    )
    return xml_text.document(
        xml_text.element(
            "Extensions",
            xml_text.element("GuestAgentExtension", xml_text.element("GAFamilies")),
            xml_text.element("Plugins", *(_dump_plugin(plugin) for plugin in config.plugins)),
            xml_text.element("PluginSettings", *settings),
            blob,
            "" if config.meta_data is None else _dump_meta_data(config.meta_data),
            attributes={"version": _VERSION, "goalStateIncarnation": str(config.incarnation)},
        )
    )


def _plugins(root: XmlElement) -> tuple[Plugin, ...]:
    listed = root.child("Plugins").children("Plugin")
    holder = root.optional_child("PluginSettings")
    settings = {} if holder is None else {_key(item): item for item in holder.children("Plugin")}
    plugins = tuple(_plugin(item, settings.pop(_key(item), None)) for item in listed)
    for stray in settings.values():
        raise stray.malformed(expected="name and version of a listed plugin", found="others")
    return plugins


def _key(item: XmlElement) -> tuple[str, str]:
    return item.attribute("name").lower(), item.attribute("version")


def _plugin(item: XmlElement, settings: XmlElement | None) -> Plugin:
    return Plugin(
        name=item.attribute("name"),
        version=item.attribute("version"),
        location=item.attribute("location"),
        state=_enum(HandlerState, item, "state"),
        settings=None if settings is None else _settings(settings),
    )


def _settings(item: XmlElement) -> PluginSettings:
    depends_on = item.optional_child("DependsOn")
    runtime = item.child("RuntimeSettings")
    return PluginSettings(
        sequence_number=runtime.integer_attribute("seqNo"),
        settings=parse_settings(runtime.optional_text() or "", document=f"{item.document}: {runtime.path}"),
        dependency_level=0 if depends_on is None else depends_on.integer_attribute("dependencyLevel"),
    )


def _meta_data(item: XmlElement) -> GoalStateMetaData:
    return GoalStateMetaData(
        in_svd_seq_no=item.integer_attribute("inSvdSeqNo"),
        created_on_ticks=item.integer_attribute("createdOnTicks"),
    )


def _dump_plugin(plugin: Plugin) -> str:
    attributes = {
        "name": plugin.name,
        "version": plugin.version,
        "location": plugin.location,
        "state": plugin.state.value,
        "autoUpgrade": "false",
        "runAsStartupTask": "false",
        "isJson": "true",
        "useExactVersion": "true",
    }
    return xml_text.element("Plugin", attributes=attributes)


def _dump_settings(plugin: Plugin, settings: PluginSettings) -> str:
    level = {"dependencyLevel": str(settings.dependency_level)}
    runtime = xml_text.leaf(
        "RuntimeSettings",
        dump_settings(settings.settings),
        attributes={"seqNo": str(settings.sequence_number)},
    )
    return xml_text.element(
        "Plugin",
        xml_text.element("DependsOn", attributes=level) if settings.dependency_level else "",
        runtime,
        attributes={"name": plugin.name, "version": plugin.version},
    )


def _dump_meta_data(meta_data: GoalStateMetaData) -> str:
    attributes = {
        "inSvdSeqNo": str(meta_data.in_svd_seq_no),
        "createdOnTicks": str(meta_data.created_on_ticks),
    }
    return xml_text.element("InVMGoalStateMetaData", attributes=attributes)


def _enum(kind: type[_Word], item: XmlElement, name: str) -> _Word:
    word = item.attribute(name)
    try:
        return kind(word)
    except ValueError as error:
        words = ", ".join(str(word.value) for word in kind)
        raise item.malformed(expected=f"one of {words} as {name}", found="another word") from error
