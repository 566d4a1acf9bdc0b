"""The typed readers: what they accept, and that every refusal names document, member and expectation, never a value."""

from __future__ import annotations

import copy

import pytest

from dockyard_contract.documents import JsonObject, describe, dump_json, parse_json, parse_xml
from dockyard_contract.errors import MalformedDocument

SECRET = "canary-81c2"


def parsed(text: str) -> JsonObject:
    return parse_json(text, document="x.json").object()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"", "nothing"),
        (b" \n", "nothing"),
        (b"\xff\xfe", "bytes that are not UTF-8"),
        (b'{"a":NaN}', "a number that JSON does not have or that is too long"),
        (b'{"a":-Infinity}', "a number that JSON does not have or that is too long"),
        (b"[" * 200_000, "values nested too deeply"),
        (b'{"a":1,}', "a mistake at line 1, column 8"),
        (b'{"a":"x', "a mistake at line 1, column 6"),
    ],
)
def test_a_text_that_is_no_json_is_refused(text: bytes, found: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_json(text, document="0.settings")
    assert str(caught.value).startswith("0.settings: expected a JSON text, found ")
    assert caught.value.found.startswith(found[:24])


def test_a_refused_text_is_not_carried_along_by_the_error() -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_json(f'{{"password": "{SECRET}"', document="0.settings")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in repr(caught.value)


def test_a_byte_order_mark_is_dropped() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}', document="x").object().integer("a") == 1


@pytest.mark.parametrize(
    ("reader", "text", "complaint"),
    [
        ("object", '{"a": "s"}', "a: expected an object, found a string"),
        ("array", '{"a": {}}', "a: expected an array, found an object"),
        ("string", '{"a": null}', "a: expected a string, found null"),
        ("string", "{}", "a: expected a member of this name, found nothing"),
        ("integer", '{"a": true}', "a: expected an integer, found a boolean"),
        ("integer", '{"a": 1.0}', "a: expected an integer, found a number"),
        ("boolean", '{"a": "true"}', "a: expected true or false, found a string"),
        ("optional_object", '{"a": []}', "a: expected an object, found an array"),
        ("optional_array", '{"a": 1}', "a: expected an array, found an integer"),
        ("optional_string", '{"a": 1}', "a: expected a string, found an integer"),
        ("optional_integer", '{"a": "1"}', "a: expected an integer, found a string"),
        ("optional_boolean", '{"a": 0}', "a: expected true or false, found an integer"),
    ],
)
def test_a_member_of_the_wrong_type_is_named(reader: str, text: str, complaint: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        getattr(parsed(text), reader)("a")
    assert str(caught.value) == f"x.json: {complaint}"


@pytest.mark.parametrize("text", ["{}", '{"a": null}'])
@pytest.mark.parametrize("kind", ["object", "array", "string", "integer", "boolean"])
def test_an_optional_member_that_is_absent_or_null_is_none(text: str, kind: str) -> None:
    assert getattr(parsed(text), f"optional_{kind}")("a") is None


def test_the_path_leads_through_objects_and_arrays() -> None:
    root = parsed('{"a": [{"b": {}}, {"b": {"c": [1, "x"]}}]}')
    with pytest.raises(MalformedDocument) as caught:
        root.array("a")[1].object().object("b").array("c")[1].integer()
    assert caught.value.member == "a[1].b.c[1]"


def test_no_representation_shows_a_value() -> None:
    root = parsed(f'{{"password": "{SECRET}"}}')
    assert SECRET not in repr(root) + repr(root.value("password"))


def test_a_number_may_be_whole_or_not() -> None:
    assert [parsed('{"a": 1, "b": 1.5}').value(name).number() for name in "ab"] == [1, 1.5]
    with pytest.raises(MalformedDocument, match="expected a number"):
        parsed('{"a": true}').value("a").number()


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "null"), (True, "a boolean"), ("", "a string"), (1, "an integer"), (1.5, "a number"), ([], "an array")],
)
def test_types_have_names_for_people(value: object, words: str) -> None:
    assert describe(value) == words


def test_what_json_cannot_hold_has_a_name_too() -> None:
    assert describe(object()) == "a value that JSON cannot hold"


def test_dumping_refuses_what_json_does_not_have() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_json({"a": float("nan")})


def test_an_error_survives_being_copied() -> None:
    again = copy.copy(MalformedDocument(document="d", member="m", expected="e", found="f"))
    assert (str(again), again.member) == ("d: m: expected e, found f", "m")


XML = '<A b="3" c=" x "><C>  5 </C><D/><D e="1"/><E>text</E></A>'


def test_xml_members_are_read_by_name_and_type() -> None:
    root = parse_xml(XML, document="goal state", root="A")
    assert root.integer_attribute("b") == 3
    assert root.attribute("c") == " x "
    assert root.optional_attribute("nope") is None
    assert root.child("C").integer() == 5
    assert root.child("E").text() == "text"
    assert root.optional_child("nope") is None
    assert [item.path for item in root.children("D")] == ["A/D[0]", "A/D[1]"]
    assert root.name == "A"


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        (lambda root: root.attribute("z"), "A/@z: expected an attribute of this name, found nothing"),
        (lambda root: root.integer_attribute("c"), "A/@c: expected an integer, found another text"),
        (lambda root: root.child("z"), "A/z: expected an element of this name, found nothing"),
        (lambda root: root.child("D"), "A/D: expected one element of this name, found 2 of them"),
        (lambda root: root.children("D")[0].text(), "A/D[0]: expected a text, found an empty element"),
        (lambda root: root.child("E").integer(), "A/E: expected an integer, found another text"),
        (lambda root: root.children("D")[1].attribute("z"), "A/D[1]/@z: expected an attribute of this name"),
    ],
)
def test_a_wrong_xml_member_is_named(read, complaint: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(MalformedDocument) as caught:
        read(parse_xml(XML, document="goal state", root="A"))
    assert str(caught.value).startswith(f"goal state: {complaint}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "a mistake at line 1"),
        ("<B/>", "the root element B"),
        ("<A><B></A>", "a mistake at line 1"),
        ("<A/>x", "a mistake at line 1"),
        (b'<?xml version="1.0" encoding="nope"?><A/>', "a text that is not XML"),
        ('<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>', "a document type declaration"),
    ],
)
def test_a_text_that_is_not_the_xml_expected_is_refused(text: str, found: str) -> None:
    with pytest.raises(MalformedDocument) as caught:
        parse_xml(text, document="goal state", root="A")
    assert caught.value.found in {found, "a text that is not XML", "a mistake at line 1"}
    assert caught.value.expected == "an XML text with the root A"
