"""What a guest says about itself outside its status report.

``Health`` (XML, ``POST /machine?comp=health``) is posted by cloud-init when it has provisioned the machine and by
WALinuxAgent 2.12 when it starts. ``HealthService`` (JSON, ``POST /HealthService``) is the agent's judgement on the
platform's own endpoints, each minute.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import xml_text
from .documents import dump_json, parse_json, parse_xml

if TYPE_CHECKING:
    from .documents import XmlElement

HEALTH = "health report"
HEALTH_SERVICE = "health service report"


class HealthState(enum.Enum):
    """Whether the machine is provisioned."""

    READY = "Ready"
    NOT_READY = "NotReady"

    @property
    def is_ready(self) -> bool:
        """Whether the machine can be used."""
        return self is HealthState.READY


@dataclass(frozen=True)
class Health:
    """One report. The incarnation is a text: what the goal state said, given back."""

    incarnation: str
    container_id: str
    instance_id: str
    state: HealthState
    substatus: str = ""
    description: str = ""


@dataclass(frozen=True)
class Observation:
    """The agent's judgement on one endpoint, for example ``GuestAgentPluginHeartbeat``."""

    name: str
    is_healthy: bool
    description: str = ""
    value: str = ""


@dataclass(frozen=True)
class HealthServiceReport:
    """A list of judgements from one source, for example ``WALinuxAgent``."""

    source: str
    observations: tuple[Observation, ...]


def parse_health(text: str | bytes, *, document: str = HEALTH) -> Health:
    """Read a report.

    Raises:
        MalformedDocument: The text is not XML, or a member is missing or wrong.
    """
    root = parse_xml(text, document=document, root="Health")
    container = root.child("Container")
    role = container.child("RoleInstanceList").child("Role")
    health = role.child("Health")
    details = health.optional_child("Details")
    return Health(
        incarnation=root.child("GoalStateIncarnation").text(),
        container_id=container.child("ContainerId").text(),
        instance_id=role.child("InstanceId").text(),
        state=_state(health.child("State")),
        substatus=_detail(details, "SubStatus"),
        description=_detail(details, "Description"),
    )


def dump_health(health: Health) -> str:
    """The report's text, as the agent writes it."""
    details = xml_text.element(
        "Details", xml_text.leaf("SubStatus", health.substatus), xml_text.leaf("Description", health.description)
    )
    state = xml_text.element(
        "Health",
        xml_text.leaf("State", health.state.value),
        details if health.substatus or health.description else "",
    )
    role = xml_text.element("Role", xml_text.leaf("InstanceId", health.instance_id), state)
    container = xml_text.element(
        "Container",
        xml_text.leaf("ContainerId", health.container_id),
        xml_text.element("RoleInstanceList", role),
    )
    incarnation = xml_text.leaf("GoalStateIncarnation", health.incarnation)
    return xml_text.document(xml_text.element("Health", incarnation, container))


def parse_health_service(text: str | bytes, *, document: str = HEALTH_SERVICE) -> HealthServiceReport:
    """Read the judgements.

    Raises:
        MalformedDocument: The text is not JSON, or a member is missing or wrong.
    """
    root = parse_json(text, document=document).object()
    items = (item.object() for item in root.array("Observations"))
    return HealthServiceReport(
        source=root.string("Source"),
        observations=tuple(
            Observation(
                name=item.string("ObservationName"),
                is_healthy=item.boolean("IsHealthy"),
                description=item.optional_string("Description") or "",
                value=item.optional_string("Value") or "",
            )
            for item in items
        ),
    )


def dump_health_service(report: HealthServiceReport) -> str:
    """The judgements' text, as the agent writes it."""
    observations = [
        {
            "ObservationName": observation.name,
            "IsHealthy": observation.is_healthy,
            "Description": observation.description,
            "Value": observation.value,
        }
        for observation in report.observations
    ]
    return dump_json(
        {"Api": "reporttargethealth", "Version": "1.0", "Source": report.source, "Observations": observations}
    )


def _state(element: XmlElement) -> HealthState:
    word = element.text()
    for state in HealthState:
        if state.value == word:
            return state
    words = ", ".join(state.value for state in HealthState)
    raise element.malformed(expected=f"one of {words}", found="another word")


def _detail(details: XmlElement | None, name: str) -> str:
    element = None if details is None else details.optional_child(name)
    return "" if element is None else element.optional_text() or ""
