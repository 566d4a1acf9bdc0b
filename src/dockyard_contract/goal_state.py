"""The wire server's ``GoalState`` document: the goal's number, and where its parts are.

Polled by the agent every few seconds (WALinuxAgent 2.12: fetches the parts anew when ``Incarnation`` differs as a
text from the one before) and read once by cloud-init, which needs the incarnation and both ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import xml_text
from .documents import parse_xml

if TYPE_CHECKING:
    from .documents import XmlElement

DOCUMENT = "goal state"
_VERSION = "2012-11-30"


@dataclass(frozen=True)
class GoalState:
    """One goal state; the parts are absolute URLs.

    Attributes:
        incarnation: Changes whenever a part does. A number here; the agent takes any text.
        container_id: The machine's id; goes back in the agent's reports.
        instance_id: The role instance's id; goes back in the agent's reports.
        certificates: ``None`` when there are none to deliver; settings cannot be protected then.
        config_name: Goes back in the header ``x-ms-host-config-name``.
    """

    incarnation: int
    container_id: str
    instance_id: str
    hosting_environment: str
    shared_config: str
    extensions_config: str
    certificates: str | None = None
    config_name: str = ""


def parse_goal_state(text: str | bytes, *, document: str = DOCUMENT) -> GoalState:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, or an element is missing, empty or doubled.
    """
    root = parse_xml(text, document=document, root="GoalState")
    container = root.child("Container")
    instance = container.child("RoleInstanceList").child("RoleInstance")
    configuration = instance.child("Configuration")
    return GoalState(
        incarnation=root.child("Incarnation").integer(),
        container_id=container.child("ContainerId").text(),
        instance_id=instance.child("InstanceId").text(),
        hosting_environment=configuration.child("HostingEnvironmentConfig").text(),
        shared_config=configuration.child("SharedConfig").text(),
        extensions_config=configuration.child("ExtensionsConfig").text(),
        certificates=_optional_text(configuration.optional_child("Certificates")),
        config_name=_optional_text(configuration.optional_child("ConfigName")) or "",
    )


def dump_goal_state(goal: GoalState) -> str:
    """The document's text."""
    machine = xml_text.element("Machine", xml_text.leaf("ExpectedState", "Started"))
    container = xml_text.element(
        "Container",
        xml_text.leaf("ContainerId", goal.container_id),
        xml_text.element("RoleInstanceList", _dump_instance(goal)),
    )
    return xml_text.document(
        xml_text.element(
            "GoalState",
            xml_text.leaf("Version", _VERSION),
            xml_text.leaf("Incarnation", str(goal.incarnation)),
            machine,
            container,
        )
    )


def _dump_instance(goal: GoalState) -> str:
    certificates = "" if goal.certificates is None else xml_text.leaf("Certificates", goal.certificates)
    configuration = xml_text.element(
        "Configuration",
        xml_text.leaf("HostingEnvironmentConfig", goal.hosting_environment),
        xml_text.leaf("SharedConfig", goal.shared_config),
        xml_text.leaf("ExtensionsConfig", goal.extensions_config),
        certificates,
        xml_text.leaf("ConfigName", goal.config_name),
    )
    return xml_text.element(
        "RoleInstance",
        xml_text.leaf("InstanceId", goal.instance_id),
        xml_text.leaf("State", "Started"),
        configuration,
    )


def _optional_text(element: XmlElement | None) -> str | None:
    return None if element is None else element.optional_text()
