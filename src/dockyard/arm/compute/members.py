"""Members of a virtual machine's body beside what this fabric acts upon: kept and shown back, or refused. Pure.

Azure refuses a member it does not know, and what the place cannot give; what has no effect on a machine by itself
(licences, prices, evictions) is kept as it was given. Names and codes are Azure's.
"""

from __future__ import annotations

from typing import Any

from dockyard.arm.context import LOCATION
from dockyard.model.errors import InvalidRequest, NotFound
from dockyard_contract.documents import JsonObject, JsonValue

_ACTED_UPON = frozenset({"hardwareProfile", "storageProfile", "osProfile", "networkProfile", "userData"})
_SHOWN_ONLY = frozenset({"provisioningState", "instanceView", "vmId", "timeCreated"})  # a PUT of what was read has them
_KEPT = frozenset(
    {
        *("additionalCapabilities", "applicationProfile", "billingProfile", "diagnosticsProfile", "evictionPolicy"),
        *(
            "extensionsTimeBudget",
            "licenseType",
            "priority",
            "scheduledEventsPolicy",
            "scheduledEventsProfile",
            "securityProfile",
        ),
    }
)
_ELSEWHERE = {
    "availabilitySet": "availabilitySets",
    "capacityReservation": "capacityReservationGroups",
    "host": "hostGroups/hosts",
    "hostGroup": "hostGroups",
    "proximityPlacementGroup": "proximityPlacementGroups",
    "virtualMachineScaleSet": "virtualMachineScaleSets",
}
_CHOICES = {"priority": ("Regular", "Low", "Spot"), "evictionPolicy": ("Deallocate", "Delete")}
_NOT_A_SPOT = "The evictionPolicy can be set for virtual machines of priority Spot or Low alone"


def kept_members(properties: JsonObject) -> dict[str, Any]:
    """Return what is kept as it was given; null and absent are the same.

    Raises:
        InvalidRequest: a member nobody knows, a value that is none of Azure's, or what this fabric cannot give.
        NotFound: a resource of a type that does not exist here.
        MalformedDocument: a member of another type.
    """
    for name in properties.names():
        _check_known(properties, name)
    kept = {name: properties.value(name) for name in sorted(_KEPT & set(properties.names()))}
    kept = {name: value for name, value in kept.items() if not value.is_null}
    for name, value in kept.items():
        _check_value(name, value)
    if "evictionPolicy" in kept and _lower(kept.get("priority")) not in ("spot", "low"):
        raise InvalidRequest(_NOT_A_SPOT, resolution="Leave properties.evictionPolicy out.")
    return {name: value.raw for name, value in kept.items()}


def check_around(body: JsonObject, *, name: str) -> None:
    """Check the members beside ``properties``. Raises InvalidRequest for zones, plans and managed identities."""
    zones = [zone.string() for zone in body.optional_array("zones") or ()]
    if zones:
        raise InvalidRequest(
            f"The zone(s) '{','.join(zones)[:40]}' for resource 'Microsoft.Compute/virtualMachines/{name}'"
            f" is not supported. The supported zones for location '{LOCATION}' are ''",
            resolution="Leave zones out: this fabric is one computer.",
            code="AvailabilityZoneNotSupported",
        )
    if body.optional_object("plan") is not None:
        raise InvalidRequest(
            "Creating a virtual machine from a non-Marketplace image does not need Plan information in the request",
            resolution="Leave plan out.",
            code="VMMarketplaceInvalidInput",
        )
    identity = body.optional_object("identity")
    kind = identity.optional_string("type") if identity else None
    if kind and kind.lower() != "none":
        raise InvalidRequest(
            "Managed identities of virtual machines are not offered here",
            resolution="Leave identity out; a service principal ('dockyard principal create') can log in from a guest.",
            code="FeatureNotSupported",
        )


def _check_known(properties: JsonObject, name: str) -> None:
    if name in _ELSEWHERE and not properties.value(name).is_null:
        asked = str(properties.object(name).optional_string("id") or "")[:200]
        raise NotFound(
            f"The Resource 'Microsoft.Compute/{_ELSEWHERE[name]}' that properties.{name} names was not found",
            details=f"It is: {asked}" if asked else "",
            resolution=f"Leave properties.{name} out: there are no resources of that type here.",
        )
    if name not in _ACTED_UPON | _SHOWN_ONLY | _KEPT | set(_ELSEWHERE):
        raise InvalidRequest(
            f"Could not find member '{name[:60]}' on object of type 'VirtualMachineProperties'."
            f" Path 'properties.{name[:60]}'",
            resolution="Look for a slip of the pen, or leave it out.",
            code="InvalidRequestContent",
        )


def _check_value(name: str, value: JsonValue) -> None:
    if name in _CHOICES:
        choices = _CHOICES[name]
        if value.string().lower() not in [choice.lower() for choice in choices]:
            raise InvalidRequest(
                f"The value '{value.string()[:40]}' of parameter '{name}' is invalid",
                resolution=f"Use one of {', '.join(choices)}.",
            )
    if name in ("licenseType", "extensionsTimeBudget"):
        value.string()
    if name == "diagnosticsProfile":
        _check_diagnostics(value.object())
    if name == "securityProfile":
        _check_security(value.object())
    if name == "additionalCapabilities":
        for each in value.object().names():
            if value.object().optional_boolean(each):
                raise InvalidRequest(f"The capability '{each[:40]}' is not offered here", code="FeatureNotSupported")


def _check_diagnostics(profile: JsonObject) -> None:
    boot = profile.optional_object("bootDiagnostics")
    if boot is not None:
        boot.optional_boolean("enabled")
        boot.optional_string("storageUri")


def _check_security(profile: JsonObject) -> None:
    kind = profile.optional_string("securityType")
    if kind and kind.lower() != "standard":
        raise InvalidRequest(
            f"The image and the size do not support the security type '{kind[:40]}'",
            resolution="Leave securityProfile out, or use Standard ('az vm create --security-type Standard').",
            code="BadRequest",
        )
    if profile.optional_boolean("encryptionAtHost"):
        raise InvalidRequest(
            "The property 'securityProfile.encryptionAtHost' is not valid because the feature is not enabled"
            " for this subscription"
        )


def _lower(value: JsonValue | None) -> str:
    return "" if value is None else value.string().lower()
