"""What of a template may be stored: everything but the secrets written into it."""

from __future__ import annotations

from dockyard.templates.secrets import without_secrets
from tests.unit.templates.kit import machine, plan, template


def test_secrets_written_into_a_template_are_starred() -> None:
    kept = without_secrets(
        template(
            parameters={
                "p": {"type": "SecureString", "defaultValue": "canary"},
                "q": {"type": "securestring", "defaultValue": "[newGuid()]"},
                "r": {"type": "string", "defaultValue": "open"},
            },
            resources=[
                machine("a", properties={"ProtectedSettings": {"certs": ["canary", 7], "of": "[parameters('p')]"}}),
                machine("b", properties={"osProfile": {"adminPassword": "canary", "adminUsername": "me"}}),
            ],
        )
    )
    assert "canary" not in str(kept)
    assert [each["defaultValue"] for each in kept["parameters"].values()] == ["********", "[newGuid()]", "open"]
    first, second = (resource["properties"] for resource in kept["resources"])
    assert first["ProtectedSettings"] == {"certs": ["********", "********"], "of": "[parameters('p')]"}
    assert second["osProfile"]["adminUsername"] == "me"


def test_a_plan_does_not_show_secure_values_by_accident() -> None:
    body = template(parameters={"p": {"type": "securestring"}}, resources=[machine("[concat('a', 'b')]")])
    assert "canary" not in repr(plan(body, p="canary"))
