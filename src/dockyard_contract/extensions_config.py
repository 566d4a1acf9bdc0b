"""The wire server's ``ExtensionsConfig``: which handlers a machine shall have, with their settings.

Read by WALinuxAgent 2.12 for each new incarnation. Three traps are closed here: settings are escaped and never CDATA
(one makes the agent refuse the goal state), a plugin's settings carry exactly the plugin's version (else the agent says
"Version Mismatch"), and a state is never empty. A handler has either one settings document or several named ones: both
at once, or one of each kind twice, is a mistake of the goal state to the agent.
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
_REQUIRED_FEATURES = xml_text.element(
    "RequiredFeatures", xml_text.element("RequiredFeature", xml_text.leaf("Name", "MultipleExtensionsPerHandler"))
)
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


class ConfigurationState(enum.Enum):
    """What the agent is to do with one of several named configurations."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@dataclass(frozen=True)
class NamedSettings:
    """One named configuration of a handler that takes several.

    Attributes:
        name: Becomes part of file names: ``config/<name>.<N>.settings``, ``status/<name>.<N>.status``.
        settings: Number, document and level.
        state: Disabled for one that is to go; the agent then removes its files.
    """

    name: str
    settings: PluginSettings
    state: ConfigurationState = ConfigurationState.ENABLED


@dataclass(frozen=True)
class Plugin:
    """One handler.

    Attributes:
        name: ``Publisher.Type``.
        version: Exact version.
        location: URL of its extension manifest.
        state: What becomes of it.
        settings: Its one settings document, or ``None``.
        configurations: Its named ones, for a handler that takes several.
    """

    name: str
    version: str
    location: str
    state: HandlerState = HandlerState.ENABLED
    settings: PluginSettings | None = None
    configurations: tuple[NamedSettings, ...] = ()


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
    settings = [_dump_settings(plugin) for plugin in config.plugins if plugin.settings or plugin.configurations]
    several = any(plugin.configurations for plugin in config.plugins)
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
            _REQUIRED_FEATURES if several else "",
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
    named = () if settings is None else settings.children("ExtensionRuntimeSettings")
    return Plugin(
        name=item.attribute("name"),
        version=item.attribute("version"),
        location=item.attribute("location"),
        state=_enum(HandlerState, item, "state"),
        settings=None if settings is None or named else _settings(settings),
        configurations=() if settings is None else tuple(_named(one, settings) for one in named),
    )


def _settings(item: XmlElement) -> PluginSettings:
    return _document(item.child("RuntimeSettings"), depends_on=item.optional_child("DependsOn"))


def _named(item: XmlElement, holder: XmlElement) -> NamedSettings:
    name = item.attribute("name")
    levels = [one for one in holder.children("DependsOn") if one.attribute("name") == name]
    return NamedSettings(
        name=name,
        settings=_document(item, depends_on=levels[0] if levels else None),
        state=_enum(ConfigurationState, item, "state"),
    )


def _document(item: XmlElement, *, depends_on: XmlElement | None) -> PluginSettings:
    return PluginSettings(
        sequence_number=item.integer_attribute("seqNo"),
        settings=parse_settings(item.optional_text() or "", document=f"{item.document}: {item.path}"),
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


def _dump_settings(plugin: Plugin) -> str:
    parts = [_dump_document("RuntimeSettings", plugin.settings)] if plugin.settings else []
    parts += [
        _dump_document("ExtensionRuntimeSettings", one.settings, name=one.name, state=one.state.value)
        for one in plugin.configurations
    ]
    return xml_text.element("Plugin", *parts, attributes={"name": plugin.name, "version": plugin.version})


def _dump_document(tag: str, settings: PluginSettings, **more: str) -> str:
    named = {"name": more["name"]} if "name" in more else {}
    level = {"dependencyLevel": str(settings.dependency_level), **named}
    depends_on = xml_text.element("DependsOn", attributes=level) if settings.dependency_level else ""
    number = {"seqNo": str(settings.sequence_number), **more}
    return depends_on + xml_text.leaf(tag, dump_settings(settings.settings), attributes=number)


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
