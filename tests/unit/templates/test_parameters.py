"""Parameters: given, by default, checked; secure ones are never shown."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.templates.errors import TemplateError
from tests.unit.templates.kit import plan, template


def given(declared: dict[str, Any], **supplied: Any) -> dict[str, Any]:
    return dict(plan(template(parameters=declared), **supplied).given.values)


def test_defaults_may_use_each_other_the_group_and_the_present() -> None:
    declared = {
        "name": {"type": "string", "defaultValue": "[concat(parameters('Prefix'), '-', utcNow('yyyy-MM-dd'))]"},
        "prefix": {"type": "string", "defaultValue": "[resourceGroup().location]"},
        "id": {"type": "string", "defaultValue": "[newGuid()]"},
    }
    values = given(declared)
    assert values["name"] == "local-2026-02-03"
    assert values["id"] == "11111111-2222-4333-8444-555555555555"


def test_a_given_value_is_not_evaluated() -> None:
    assert given({"a": {"type": "string"}}, A="[concat('x')]") == {"a": "[concat('x')]"}


def test_secure_values_are_not_shown() -> None:
    declared = {"p": {"type": "securestring"}, "o": {"type": "secureObject"}, "s": {"type": "string"}}
    made = plan(template(parameters=declared), p="canary", o={"k": "canary"}, s="open")
    assert made.given.shown == {
        "p": {"type": "SecureString"},
        "o": {"type": "SecureObject"},
        "s": {"type": "String", "value": "open"},
    }


@pytest.mark.parametrize(
    ("declared", "supplied", "message"),
    [
        ({"type": "string"}, {}, "template parameter 'a' is not provided"),
        ({"type": "string"}, {"a": 7}, "must be of type 'String', but is an integer"),
        ({"type": "int"}, {"a": True}, "must be of type 'Int', but is a boolean"),
        ({"type": "bool"}, {"a": "true"}, "must be of type 'Bool', but is a string"),
        ({"type": "string", "allowedValues": ["x", "y"]}, {"a": "z"}, "allowed values: x, y"),
        ({"type": "string", "minLength": 3}, {"a": "xy"}, "at least 3 long"),
        ({"type": "array", "maxLength": 1}, {"a": [1, 2]}, "at most 1 long"),
        ({"type": "int", "minValue": 3}, {"a": 2}, "at least 3"),
        ({"type": "int", "maxValue": 3, "defaultValue": 4}, {}, "at most 3"),
        ({"type": "text"}, {"a": "x"}, "has no known type"),
        ({"type": "string", "defaultValue": "[parameters('a')]"}, {}, "refers to itself"),
        ({"type": "string", "defaultValue": "[variables('x')]"}, {}, "Variables cannot be used here"),
        ({"type": "string"}, {"a": "x", "b": "y"}, "does not define: 'b'"),
    ],
)
def test_a_wrong_parameter_is_refused(declared: dict[str, Any], supplied: dict[str, Any], message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        given({"a": declared}, **supplied)
    assert message in str(caught.value)


def test_a_refusal_does_not_tell_a_secure_value() -> None:
    with pytest.raises(TemplateError) as caught:
        given({"p": {"type": "securestring", "minLength": 30}}, p="canary-5b1f")
    assert "canary" not in str(caught.value)


def test_every_element_of_an_array_must_be_allowed() -> None:
    declared = {"a": {"type": "array", "allowedValues": ["x", "y"]}}
    assert given(declared, a=["y", "x"]) == {"a": ["y", "x"]}
    with pytest.raises(TemplateError, match="allowed values"):
        given(declared, a=["x", "z"])
