"""The wire server's ``HostingEnvironmentConfig`` and ``SharedConfig``: names of the deployment a machine is part of.

Both are left over from Azure's cloud services. WALinuxAgent 2.12 reads three names of the first one for its telemetry
and keeps the second one as a file; a goal state without either is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import xml_text
from .documents import parse_xml

HOSTING_ENVIRONMENT = "hosting environment config"
SHARED_CONFIG = "shared config"
_VERSION = "1.0.0.0"


@dataclass(frozen=True)
class HostingEnvironment:
    """The three names the agent reads, and the machine's own."""

    deployment: str
    role: str
    instance: str
    incarnation: int


@dataclass(frozen=True)
class SharedConfig:
    """The same deployment as seen from one instance, with its address on the virtual network."""

    deployment: str
    role: str
    instance: str
    incarnation: int
    address: str


def parse_hosting_environment(text: str | bytes, *, document: str = HOSTING_ENVIRONMENT) -> HostingEnvironment:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, or a name is missing.
    """
    root = parse_xml(text, document=document, root="HostingEnvironmentConfig")
    return HostingEnvironment(
        deployment=root.child("Deployment").attribute("name"),
        role=root.child("Role").attribute("name"),
        instance=root.child("Incarnation").attribute("instance"),
        incarnation=root.child("Incarnation").integer_attribute("number"),
    )


def dump_hosting_environment(environment: HostingEnvironment) -> str:
    """The document's text."""
    number = str(environment.incarnation)
    # The agent reads the machine's name here, as attribute `instance` of Incarnation.
    incarnation = xml_text.element("Incarnation", attributes={"number": number, "instance": environment.instance})
    role = xml_text.element("Role", attributes={"name": environment.role})
    return xml_text.document(
        xml_text.element(
            "HostingEnvironmentConfig",
            xml_text.element("StoredCertificates"),
            _deployment(environment.deployment),
            incarnation,
            role,
            attributes={"version": _VERSION, "goalStateIncarnation": number},
        )
    )


def parse_shared_config(text: str | bytes, *, document: str = SHARED_CONFIG) -> SharedConfig:
    """Read the document.

    Raises:
        MalformedDocument: The text is not XML, or a name is missing.
    """
    root = parse_xml(text, document=document, root="SharedConfig")
    instance = root.child("Instances").child("Instance")
    return SharedConfig(
        deployment=root.child("Deployment").attribute("name"),
        role=root.child("Role").attribute("name"),
        instance=instance.attribute("id"),
        incarnation=root.child("Incarnation").integer_attribute("number"),
        address=instance.attribute("address"),
    )


def dump_shared_config(config: SharedConfig) -> str:
    """The document's text."""
    number = str(config.incarnation)
    instance = xml_text.element("Instance", attributes={"id": config.instance, "address": config.address})
    return xml_text.document(
        xml_text.element(
            "SharedConfig",
            _deployment(config.deployment),
            xml_text.element("Incarnation", attributes={"number": number}),
            xml_text.element("Role", attributes={"name": config.role}),
            xml_text.element("Instances", instance),
            attributes={"version": _VERSION, "goalStateIncarnation": number},
        )
    )


def _deployment(name: str) -> str:
    return xml_text.element("Deployment", attributes={"name": name})
