"""What tests of templates share: a target, and short ways to evaluate and to plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dockyard.model.resource_group import ResourceGroup
from dockyard.templates.evaluate import evaluate_text
from dockyard.templates.places import Place, Source
from dockyard.templates.planning import Plan, make_plan
from dockyard.templates.scope import Moment, Scope, Target
from dockyard.templates.template import read_template
from dockyard.templates.variables import Variables
from tests.support.values import GROUP, SUBSCRIPTION

TARGET = Target(
    group=ResourceGroup(SUBSCRIPTION, GROUP, "local", (("team", "red"),)),
    tenant_id="adfs",
    deployment="first",
    endpoint="https://127.0.0.1:1",
)
MOMENT = Moment(now=datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), guid="11111111-2222-4333-8444-555555555555")
PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers"


def value_of(
    text: str, *, parameters: Mapping[str, Any] | None = None, variables: Mapping[str, Any] | None = None
) -> Any:
    """Evaluate one expression."""
    given = {name.lower(): value for name, value in (parameters or {}).items()}
    scope = Scope(target=TARGET, parameters=given, variables=Variables(variables or {}, Place()))
    return evaluate_text(text, scope)


def template(**sections: Any) -> dict[str, Any]:
    """Return a template with the sections nobody looks at filled in."""
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return {"$schema": schema, "contentVersion": "1.0.0.0", "resources": [], **sections}


def plan(body: Mapping[str, Any], **supplied: Any) -> Plan:
    """Plan a template with the given parameters."""
    values = {name: {"value": value} for name, value in supplied.items()}
    return make_plan(read_template(body, source=Source()), supplied=values, target=TARGET, moment=MOMENT)


def machine(name: str, **members: Any) -> dict[str, Any]:
    """Return a small virtual machine of a template."""
    return {"type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-11-01", "name": name, **members}


def key(name: str, *, type: str = "Microsoft.Compute/virtualMachines") -> str:
    """Return the key of a resource of one name."""
    return f"{PREFIX}/{type}/{name}".lower()


def order(made: Plan) -> dict[str, set[str]]:
    """Return, by last name, the last names each resource comes after."""
    names = {resource.key: "/".join(resource.id.names) for resource in made.resources}
    return {names[key]: {names[before] for before in befores} for key, befores in made.after.items()}
