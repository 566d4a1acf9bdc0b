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


def test_a_parameter_that_is_called_like_a_secret_keeps_its_definition() -> None:
    definition = {"type": "securestring", "minLength": 8, "metadata": {"description": "of the user"}}
    plain = {"type": "string", "defaultValue": "canary", "allowedValues": ["canary"]}
    kept = without_secrets({"parameters": {"adminPassword": definition, "protectedSettings": plain}})
    assert kept["parameters"] == {
        "adminPassword": definition,
        "protectedSettings": {"type": "string", "defaultValue": "********", "allowedValues": ["********"]},
    }


def test_what_is_given_to_a_nested_template_is_starred() -> None:
    inner = {"adminPassword": {"value": "canary"}, "other": {"value": "open"}}
    kept = without_secrets({"resources": [{"properties": {"parameters": inner}}]})
    assert kept["resources"][0]["properties"]["parameters"] == {
        "adminPassword": {"value": "********"},
        "other": {"value": "open"},
    }
    typed = without_secrets({"resources": [{"properties": {"protectedSettings": {"type": "string", "key": "canary"}}}]})
    assert "canary" not in str(typed)


def test_a_plan_does_not_show_secure_values_by_accident() -> None:
    body = template(parameters={"p": {"type": "securestring"}}, resources=[machine("[concat('a', 'b')]")])
    assert "canary" not in repr(plan(body, p="canary"))
