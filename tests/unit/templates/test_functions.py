"""Each function with the examples of ARM's own documentation, and what it refuses."""

# ruff: noqa: E501 - one example a line
from __future__ import annotations

from typing import Any

import pytest

from dockyard.templates.errors import ExpressionError
from tests.unit.templates.kit import PREFIX, value_of

OBJECT = {"one": "a", "two": "b"}
P = {
    "list": ["one", "two", "three"],
    "object": OBJECT,
    "numbers": [0, 3, 2, 5, 4],
    "null": None,
    "deep": {"settings": {"a": 1}, "list": [1]},
    "more": {"settings": {"b": 2}, "list": [2]},
    "secret": "canary-77",
}

EXAMPLES: list[tuple[str, Any]] = [
    # strings
    ("[base64('one, two, three')]", "b25lLCB0d28sIHRocmVl"),
    ("[base64ToString('b25lLCB0d28sIHRocmVl')]", "one, two, three"),
    ("[base64ToJson(base64('{\"one\": \"a\"}'))]", {"one": "a"}),
    ("[concat('prefix-', 'a''b', 1)]", "prefix-a'b1"),
    ("[concat(parameters('list'), createArray('four'))]", ["one", "two", "three", "four"]),
    ("[dataUri('Hello')]", "data:text/plain;charset=utf8;base64,SGVsbG8="),
    ("[dataUriToString('data:;base64,SGVsbG8sIFdvcmxkIQ==')]", "Hello, World!"),
    ("[endsWith('abcdef', 'EF')]", True),
    ("[startsWith('abcdef', 'AB')]", True),
    ("[startsWith('abcdef', 'e')]", False),
    ("[format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)]", "Hello, User. Formatted number: 8,175,133"),
    ("[format('{0:D3}{{}}', 7)]", "007{}"),
    ("[indexOf('test', 'T')]", 0),
    ("[indexOf('abcdef', 'z')]", -1),
    ("[lastIndexOf('test', 't')]", 3),
    ("[padLeft('123', 10, '0')]", "0000000123"),
    ("[padLeft(7, 3)]", "  7"),
    ("[replace('123-123-1234', '-', '')]", "1231231234"),
    ("[split('one,two,three', ',')]", ["one", "two", "three"]),
    ("[split('one;two,three', createArray(',', ';'))]", ["one", "two", "three"]),
    ("[join(parameters('list'), '-')]", "one-two-three"),
    ("[string(parameters('object'))]", '{"one":"a","two":"b"}'),
    ("[string(true())]", "True"),
    ("[string(12)]", "12"),
    ("[substring('one two three', 4, 3)]", "two"),
    ("[substring('one two', 4)]", "two"),
    ("[toLower('One Two')]", "one two"),
    ("[toUpper('One Two')]", "ONE TWO"),
    ("[trim('  one  ')]", "one"),
    ("[uri('http://contoso.org/firstpath', 'myscript.sh')]", "http://contoso.org/myscript.sh"),
    ("[uri('http://contoso.org/firstpath/', 'myscript.sh')]", "http://contoso.org/firstpath/myscript.sh"),
    ("[uriComponent('http://contoso.com/a b')]", "http%3A%2F%2Fcontoso.com%2Fa%20b"),
    ("[uriComponentToString(uriComponent('a/b'))]", "a/b"),
    ("[uniqueString('test')]", "rbgf3xv4ufgzg"),
    ("[uniqueString('hello', 'world')]", "a7wkljktk6wne"),
    ("[uniqueString('abc')]", "cgtzqvhu4i23s"),
    ("[uniqueString('foo', 'bar', 'baz')]", "xzi4ioaxtmth4"),
    # arrays and objects
    ("[array('a')]", ["a"]),
    ("[array(parameters('list'))]", ["one", "two", "three"]),
    ("[contains('OneTwoThree', 'e')]", True),
    ("[contains(parameters('object'), 'ONE')]", True),
    ("[contains(parameters('list'), 'four')]", False),
    ("[createArray('a', 1)]", ["a", 1]),
    ("[createObject('a', 1, 'b', createArray())]", {"a": 1, "b": []}),
    ("[empty('')]", True),
    ("[empty(parameters('list'))]", False),
    ("[empty(parameters('null'))]", True),
    ("[first('One')]", "O"),
    ("[first(parameters('list'))]", "one"),
    ("[last(parameters('list'))]", "three"),
    ("[first(createArray())]", None),
    ("[flatten(createArray(createArray(1), createArray(2, 3)))]", [1, 2, 3]),
    ("[indexOf(parameters('list'), 'two')]", 1),
    ("[intersection(parameters('list'), createArray('two', 'three'))]", ["two", "three"]),
    ("[intersection(parameters('object'), json('{\"one\": \"a\", \"two\": \"z\"}'))]", {"one": "a"}),
    ("[items(parameters('object'))]", [{"key": "one", "value": "a"}, {"key": "two", "value": "b"}]),
    ("[objectKeys(parameters('object'))]", ["one", "two"]),
    ("[length(parameters('object'))]", 2),
    ("[length('One Two Three')]", 13),
    ("[range(5, 3)]", [5, 6, 7]),
    ("[shallowMerge(createArray(parameters('deep'), parameters('more')))]", {"settings": {"b": 2}, "list": [2]}),
    ("[skip(parameters('list'), 2)]", ["three"]),
    ("[skip('one two', 4)]", "two"),
    ("[take(parameters('list'), 2)]", ["one", "two"]),
    ("[take('one two', 3)]", "one"),
    ("[tryGet(parameters('deep'), 'settings', 'a')]", 1),
    ("[tryGet(parameters('deep'), 'nothing', 'a')]", None),
    ("[union(parameters('list'), createArray('three', 'four'))]", ["one", "two", "three", "four"]),
    ("[union(parameters('deep'), parameters('more'))]", {"settings": {"a": 1, "b": 2}, "list": [2]}),
    # numbers, comparisons, logic
    ("[add(5, 3)]", 8),
    ("[sub(7, 3)]", 4),
    ("[mul(5, 3)]", 15),
    ("[div(8, 3)]", 2),
    ("[div(-7, 2)]", -3),
    ("[mod(7, 3)]", 1),
    ("[mod(-7, 3)]", -1),
    ("[min(parameters('numbers'))]", 0),
    ("[max(0, 3, 2, 5, 4)]", 5),
    ("[int('4')]", 4),
    ("[bool('TRUE')]", True),
    ("[bool(0)]", False),
    ("[json('null')]", None),
    ("[json('[1, true]')]", [1, True]),
    ("[null()]", None),
    ("[equals(1, 1)]", True),
    ("[equals('a', 'A')]", False),
    ("[equals(true(), 1)]", False),
    ("[equals(parameters('deep'), parameters('deep'))]", True),
    ("[not(equals(1, 2))]", True),
    ("[less(1, 2)]", True),
    ("[lessOrEquals('b', 'a')]", False),
    ("[greater(2, 2)]", False),
    ("[greaterOrEquals(2, 2)]", True),
    ("[and(true(), true(), false())]", False),
    ("[or(false(), true())]", True),
    ("[coalesce(parameters('null'), null(), 'found')]", "found"),
    ("[if(equals('a', 'a'), 'yes', div(1, 0))]", "yes"),
    ("[if(false(), div(1, 0), 'no')]", "no"),
    # dates
    ("[dateTimeAdd('2020-04-07 14:53:14Z', 'P3Y')]", "4/7/2023 2:53:14 PM"),
    ("[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D')]", "3/29/2020 2:53:14 PM"),
    ("[dateTimeAdd('2020-01-31T00:00:00Z', 'P1M', 'yyyy-MM-dd')]", "2020-02-29"),
    ("[dateTimeAdd('20200407T145314Z', 'PT1H', 'u')]", "2020-04-07 15:53:14Z"),
    ("[dateTimeFromEpoch(1683040573)]", "2023-05-02T15:16:13Z"),
    ("[dateTimeToEpoch('2023-05-02T15:16:13Z')]", 1683040573),
    # lambdas
    ("[map(range(0, 3), lambda('i', mul(lambdaVariables('i'), 2)))]", [0, 2, 4]),
    ("[filter(parameters('numbers'), lambda('i', greater(lambdaVariables('i'), 2)))]", [3, 5, 4]),
    ("[reduce(parameters('numbers'), 0, lambda('a', 'b', add(lambdaVariables('a'), lambdaVariables('b'))))]", 14),
    ("[sort(parameters('numbers'), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]", [0, 2, 3, 4, 5]),
    ("[toObject(parameters('list'), lambda('x', lambdaVariables('x')), lambda('x', length(lambdaVariables('x'))))]", {"one": 3, "two": 3, "three": 5}),
    # where things are
    ("[parameters('OBJECT').TWO]", "b"),
    ("[parameters('list')[1]]", "two"),
    ("[parameters('object')['one']]", "a"),
    ("[parameters('object').?three]", None),
    ("[parameters('list')[?9]]", None),
    ("[resourceGroup().location]", "local"),
    ("[resourceGroup().tags.team]", "red"),
    ("[subscription().tenantId]", "adfs"),
    ("[deployment().name]", "first"),
    ("[environment().resourceManager]", "https://127.0.0.1:1/"),
    ("[resourceId('Microsoft.Network/networkInterfaces/', 'nic')]", f"{PREFIX}/Microsoft.Network/networkInterfaces/nic"),
    ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]", f"{PREFIX}/Microsoft.Network/virtualNetworks/v/subnets/s"),
    ("[resourceId('other', 'A.B/c', 'n')]", f"{PREFIX}/A.B/c/n".replace("/dockyard/", "/other/")),
    ("[resourceId('sub', 'other', 'A.B/c', 'n')]", "/subscriptions/sub/resourceGroups/other/providers/A.B/c/n"),
    ("[subscriptionResourceId('sub', 'A.B/c', 'n')]", "/subscriptions/sub/providers/A.B/c/n"),
    ("[tenantResourceId('A.B/c', 'n')]", "/providers/A.B/c/n"),
    ("[extensionResourceId('/x', 'A.B/locks', 'n')]", "/x/providers/A.B/locks/n"),
    # texts that are no expressions
    ("[[not an expression]", "[not an expression]"),
    ("plain", "plain"),
    ("[open", "[open"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_a_function_gives_what_its_documentation_says(text: str, value: Any) -> None:
    found = value_of(text, parameters=P)
    assert found == value
    assert type(found) is type(value)


REFUSED = [
    ("[nonsense()]", "no template function 'nonsense'"),
    ("[concat('a', createArray())]", "strings or arrays, not both"),
    ("[substring('abc', 2, 5)]", "outside the string"),
    ("[add('1', 2)]", "Argument 1 of 'add' must be an integer, but is a string"),
    ("[add(true(), 2)]", "must be an integer, but is a boolean"),
    ("[add(1)]", "takes 2 arguments, but has 1"),
    ("[div(1, 0)]", "divided by zero"),
    ("[parameters('none')]", "no parameter 'none'"),
    ("[variables('none')]", "no variable 'none'"),
    ("[parameters('object').three]", "no property 'three'; there are: 'one', 'two'"),
    ("[parameters('list')[7]]", "outside the array, which has 3 elements"),
    ("[copyIndex()]", "no copy loop around"),
    ("[utcNow()]", "default of a parameter only"),
    ("[newGuid()]", "default of a parameter only"),
    ("[reference('x')]", "in outputs only"),
    ("[listKeys('x', '2020-01-01')]", "no resource here has keys"),
    ("[pickZones('a', 'b', 'c')]", "no availability zones"),
    ("[providers('a', 'b')]", "retired"),
    ("[resourceId('A.B/c/d', 'n')]", "a name for each part of the type: 2, but has 1"),
    ("[resourceId('noslash', 'n')]", "no resource type"),
    ("[concat('a'", None),
    ("[concat('a' 'b')]", "cannot be read at column"),
    ("[if('yes', 1, 2)]", "must be a boolean"),
    ("[base64ToString('!')]", "not the base64"),
    ("[json('{')]", "not JSON"),
    ("[format('{1}', 'a')]", "has 1 values"),
    ("[dateTimeAdd('2020-01-01', 'x')]", "ISO 8601"),
    ("[lambda('x', 1)]", "stands only as an argument"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_wrong_expression_is_refused_with_its_reason(text: str, message: str | None) -> None:
    if message is None:
        assert value_of(text) == text  # without its last bracket it is no expression
        return
    with pytest.raises(ExpressionError, match=message):
        value_of(text, parameters=P)


def test_guid_depends_on_its_arguments_alone() -> None:
    assert value_of("[guid('a', 'b')]") == value_of("[guid('a-b')]") != value_of("[guid('a')]")


def test_a_reason_never_quotes_a_parameters_value() -> None:
    for text in ("[add(parameters('secret'), 1)]", "[json(parameters('secret'))]", "[int(parameters('secret'))]"):
        with pytest.raises(ExpressionError) as caught:
            value_of(text, parameters=P)
        assert "canary" not in str(caught.value)


def test_variables_may_use_each_other_and_loops() -> None:
    variables = {
        "a": "[concat(variables('B'), '!')]",
        "b": "[variables('c')[1].name]",
        "copy": [{"name": "c", "count": 2, "input": {"name": "[format('vm{0}', copyIndex('c', 1))]"}}],
    }
    assert value_of("[variables('a')]", variables=variables) == "vm2!"


def test_variables_that_use_themselves_are_refused() -> None:
    with pytest.raises(Exception, match="refers to itself: a > b > a"):
        value_of("[variables('a')]", variables={"a": "[variables('b')]", "b": "[variables('a')]"})
