"""From template to plan: loops, children, conditions, order; what each resource is sent; outputs."""

from __future__ import annotations

from typing import Any

import pytest

from dockyard.templates.errors import ResourceNeeded, TemplateError
from dockyard.templates.json_text import read
from dockyard.templates.places import Source
from dockyard.templates.planning import evaluate_outputs, make_plan, request_body
from dockyard.templates.template import read_template
from tests.unit.templates.kit import MOMENT, TARGET, key, machine, order, plan, template

EXTENSION = {"type": "extensions", "apiVersion": "2024-11-01", "name": "Docker", "properties": {}}


def test_children_take_their_parents_type_and_name() -> None:
    made = plan(template(resources=[machine("web", resources=[EXTENSION])]))
    assert [str(resource.id).rpartition("/providers/")[2] for resource in made.resources] == [
        "Microsoft.Compute/virtualMachines/web",
        "Microsoft.Compute/virtualMachines/web/extensions/Docker",
    ]


def test_a_child_waits_for_its_parent_only_when_it_says_so() -> None:
    child = {**EXTENSION, "dependsOn": ["[resourceId('Microsoft.Compute/virtualMachines', 'web')]"]}
    assert order(plan(template(resources=[machine("web", resources=[child])])))["web/Docker"] == {"web"}
    assert order(plan(template(resources=[machine("web", resources=[EXTENSION])])))["web/Docker"] == set()


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "Microsoft.Compute/virtualMachines/a",
        "[concat('microsoft.compute/VIRTUALMACHINES/', 'A')]",
        "[resourceId('Microsoft.Compute/virtualMachines/', 'a')]",
    ],
)
def test_a_dependency_may_be_named_in_every_way(text: str) -> None:
    assert order(plan(template(resources=[machine("a"), machine("b", dependsOn=[text])])))["b"] == {"a"}


def test_a_loop_makes_one_resource_a_turn_and_can_be_waited_for() -> None:
    loop = machine("[format('vm{0}', copyIndex(1))]", copy={"name": "vms", "count": 3})
    assert order(plan(template(resources=[loop, machine("last", dependsOn=["vms"])]))) == {
        "vm1": set(),
        "vm2": set(),
        "vm3": set(),
        "last": {"vm1", "vm2", "vm3"},
    }


def test_a_serial_loop_goes_by_batches() -> None:
    copy = {"name": "vms", "count": 5, "mode": "serial", "batchSize": 2}
    made = order(plan(template(resources=[machine("[concat('vm', copyIndex())]", copy=copy)])))
    assert made["vm0"] == made["vm1"] == set()
    assert made["vm2"] == made["vm3"] == {"vm0", "vm1"}
    assert made["vm4"] == {"vm2", "vm3"}


def test_an_empty_loop_may_be_waited_for() -> None:
    none = machine("[concat('vm', copyIndex())]", copy={"name": "vms", "count": 0})
    assert order(plan(template(resources=[none, machine("b", dependsOn=["vms"])]))) == {"b": set()}


def test_what_a_condition_leaves_out_is_neither_made_nor_waited_for() -> None:
    body = template(resources=[machine("a", condition="[equals(1, 2)]"), machine("b", dependsOn=["a"])])
    assert order(plan(body)) == {"b": set()}


def test_reference_makes_a_dependency() -> None:
    text = "[reference(resourceId('Microsoft.Compute/virtualMachines', 'a')).vmId]"
    made = plan(template(resources=[machine("b", properties={"x": [text]}), machine("a")]))
    assert order(made)["b"] == {"a"}


def test_a_circle_is_refused_by_name() -> None:
    resources = [machine("a", dependsOn=["c"]), machine("b", dependsOn=["a"]), machine("c", dependsOn=["b"])]
    with pytest.raises(TemplateError, match=r"in a circle") as caught:
        plan(template(resources=resources))
    assert all(f"virtualmachines/{name}" in str(caught.value) for name in "abc")


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ([machine("a", dependsOn=["nobody"])], "'nobody' is not defined in the template"),
        ([machine("a"), machine("A")], "defined more than once"),
        ([machine("a/b")], "incorrect segment lengths"),
        ([{"type": "A.B/c", "name": "x"}], "lacks its 'apiVersion'"),
        ([machine("[reference('x').name]")], "in outputs only"),
        ([machine("a", condition="perhaps")], "true or false"),
        ([machine("a", copy={"name": "l", "count": 801})], "0 to 800 times"),
        ([machine("a", scope="/x")], "not offered"),
        ([7], "A resource is an object"),
    ],
)
def test_a_wrong_resource_is_refused(resources: list[Any], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        plan(template(resources=resources))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"resources": []}, "lacks its section '\\$schema'"),
        ({**template(), "resource": []}, "no section 'resource'"),
        ({**template(), "variables": []}, "is an object"),
        ([], "A template is an object"),
    ],
)
def test_a_wrong_template_is_refused(body: Any, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        plan(body)


def test_an_error_names_path_line_and_expression() -> None:
    text = """{
      "$schema": "x", "contentVersion": "1.0.0.0",
      "resources": [
        {"type": "A.B/c", "apiVersion": "1",
         "name": "[concat(variables('none'))]"}]}"""
    source = Source(read(text))
    with pytest.raises(TemplateError) as caught:
        make_plan(read_template(read(text).value, source=source), supplied={}, target=TARGET, moment=MOMENT)
    assert "at resources[0].name, line 5 of the template: [concat(variables('none'))]" in str(caught.value)


def test_what_is_sent_is_evaluated_and_without_the_templates_own_members() -> None:
    body = machine(
        "web",
        location="[resourceGroup().location]",
        tags={"[concat('a', 'b')]": "x"},
        comments="no",
        dependsOn=[],
        properties={
            "copy": [{"name": "disks", "count": 2, "input": {"lun": "[copyIndex('disks')]"}}],
            "nothing": None,
            "deep": [{"x": "[parameters('p')]"}],
        },
    )
    made = plan(template(parameters={"p": {"type": "securestring"}}, resources=[body]), p="s3cret")
    assert request_body(made.resources[0], made.states({})) == {
        "location": "local",
        "tags": {"ab": "x"},
        "properties": {"disks": [{"lun": 0}, {"lun": 1}], "nothing": None, "deep": [{"x": "s3cret"}]},
    }


def test_a_state_that_is_not_known_is_asked_for() -> None:
    made = plan(template(resources=[machine("a"), machine("b", properties={"x": "[reference('a').vmId]"})]))
    with pytest.raises(ResourceNeeded) as caught:
        request_body(made.resources[1], made.states({}))
    assert caught.value.id.key == key("a")
    known = made.states({key("a"): {"name": "a", "properties": {"vmId": "7"}}})
    assert request_body(made.resources[1], known) == {"properties": {"x": "7"}}


def test_a_state_may_be_read_as_a_whole() -> None:
    outputs = {"tag": {"type": "string", "value": "[reference('a', '2024-11-01', 'Full').tags.x]"}}
    made = plan(template(resources=[machine("a")], outputs=outputs))
    known = made.states({key("a"): {"tags": {"x": "y"}, "properties": {}}})
    assert evaluate_outputs(made, known) == {"tag": {"type": "String", "value": "y"}}


def test_what_is_not_there_is_an_error_with_its_place() -> None:
    outputs = {"x": {"type": "string", "value": "[reference('a').vmId]"}}
    made = plan(template(resources=[machine("a")], outputs=outputs))
    with pytest.raises(TemplateError, match=r"does not exist(.|\n)*outputs.x.value"):
        evaluate_outputs(made, made.states({key("a"): None}))


def test_outputs_have_types_conditions_and_loops() -> None:
    outputs = {
        "list": {"type": "array", "copy": {"count": 2, "input": "[copyIndex(5)]"}},
        "left": {"type": "string", "condition": "[equals(1, 2)]", "value": "[reference('x')]"},
        "secret": {"type": "securestring", "value": "[parameters('p')]"},
    }
    made = plan(template(parameters={"p": {"type": "securestring"}}, outputs=outputs), p="canary")
    assert evaluate_outputs(made, made.states({})) == {
        "list": {"type": "Array", "value": [5, 6]},
        "secret": {"type": "SecureString"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[nonsense(1)]", "no template function 'nonsense'"),
        ("[listKeys('x', '1').keys[0]]", "no resource here has keys"),
        ("[if(true(), 1, pickZones('a', 'b', 'c'))]", "no availability zones"),
        ("[concat('a' 'b')]", "cannot be read"),
        (f"[{'not(' * 101}true(){')' * 101}]", "more than 100 calls deep"),
        (f"[concat('{'x' * 25_000}')]", "24576 are the most"),
    ],
)
def test_a_hopeless_expression_is_found_before_anything_is_deployed(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message) as caught:
        plan(template(resources=[machine("a")], outputs={"x": {"type": "string", "value": text}}))
    assert "outputs.x.value" in str(caught.value)


def test_a_template_has_no_more_resources_than_arm_takes() -> None:
    loops = [machine(f"[concat('{name}', copyIndex())]", copy={"name": name, "count": 500}) for name in "ab"]
    with pytest.raises(TemplateError, match="has 1000 resources; 800 are the most"):
        plan(template(resources=loops))


def test_a_nested_template_of_inner_scope_is_nobodys_business_here() -> None:
    deployment = nested("inner")
    inside = {"x": "[reference('web').vmId]", "y": "[later.version(1)]"}
    deployment["properties"]["template"]["resources"][0]["properties"] = inside
    made = plan(template(parameters={"p": {"type": "string"}}, resources=[deployment, machine("web")]), p="x")
    assert order(made) == {"n": set(), "web": set()}


def test_tolerant_states_leave_what_cannot_be_known_yet() -> None:
    properties = {"x": "[reference('a').vmId]", "y": "[concat('kn', 'own')]"}
    made = plan(template(resources=[machine("a"), machine("b", properties=properties)]))
    body = request_body(made.resources[1], made.states({key("a"): None}, tolerant=True))
    assert body["properties"] == {"x": "[reference('a').vmId]", "y": "known"}


def test_an_output_of_another_type_is_refused() -> None:
    with pytest.raises(TemplateError, match="declared as Int, but is a string"):
        made = plan(template(outputs={"x": {"type": "int", "value": "7"}}))
        evaluate_outputs(made, made.states({}))


def test_a_template_may_define_functions() -> None:
    functions = [
        {
            "namespace": "own",
            "members": {
                "name": {
                    "parameters": [{"name": "prefix", "type": "string"}],
                    "output": {"type": "string", "value": "[toLower(concat(parameters('prefix'), '-x'))]"},
                }
            },
        }
    ]
    made = plan(template(functions=functions, resources=[machine("[own.name('WEB')]")]))
    assert made.resources[0].id.name == "web-x"


def test_symbolic_names_stand_for_their_resources() -> None:
    resources = {
        "vms": machine("[concat('vm', copyIndex())]", copy={"name": "l", "count": 2}),
        "late": machine("late", dependsOn=["vms[1]"]),
        "later": machine("later", dependsOn=["vms"], properties={"x": "[reference('late').vmId]"}),
    }
    made = order(plan(template(languageVersion="2.0", resources=resources)))
    assert made["late"] == {"vm1"}
    assert made["later"] == {"vm0", "vm1", "late"}


def nested(scope: str) -> dict[str, Any]:
    inner = template(
        parameters={"p": {"type": "string"}},
        resources=[machine("[concat(parameters('p'), '-vm')]")],
        outputs={"o": {"type": "string", "value": "[[literal]"}},
    )
    properties = {
        "mode": "Incremental",
        "expressionEvaluationOptions": {"scope": scope},
        "parameters": {"p": {"value": "[parameters('p')]"}},
        "template": inner,
    }
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2022-09-01",
        "name": "n",
        "properties": properties,
    }


def sent_template(scope: str) -> Any:
    made = plan(template(parameters={"p": {"type": "string"}}, resources=[nested(scope)]), p="outer")
    body = request_body(made.resources[0], made.states({}))
    assert body["properties"]["parameters"] == {"p": {"value": "outer"}}
    return body["properties"]["template"]


def test_a_nested_template_of_inner_scope_is_sent_as_it_is() -> None:
    assert sent_template("inner") == nested("inner")["properties"]["template"]


def test_a_nested_template_of_outer_scope_is_evaluated_here() -> None:
    sent = sent_template("outer")
    assert sent["resources"][0]["name"] == "outer-vm"
    assert sent["outputs"]["o"]["value"] == "[[literal]"
