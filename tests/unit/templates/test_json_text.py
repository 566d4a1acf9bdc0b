"""JSON as ARM takes it, with everything the command line sends along."""

from __future__ import annotations

import json

import pytest

from dockyard.templates.errors import TemplateError
from dockyard.templates.json_text import read

SPLICED = """{"properties": {"mode": "Incremental", template:{ // the file begins
  "$schema": "x", /* several
  lines */ 'single': 'it\\'s "so"',
  "text": "one
two",
  "list": [1, -2.5e3, true, false, null,],
}}}"""


def test_what_the_command_line_splices_together_is_read() -> None:
    template = read(SPLICED).value["properties"]["template"]
    assert template == {
        "$schema": "x",
        "single": 'it\'s "so"',
        "text": "one\ntwo",
        "list": [1, -2500.0, True, False, None],
    }


def test_lines_count_from_the_template() -> None:
    document = read(SPLICED)
    base = ("properties", "template")
    assert document.line((*base, "list"), since=base) == 6
    assert document.line((*base, "list", 99), since=base) == 6


def test_plain_json_reads_as_everywhere() -> None:
    value = {"a": [1, 2.5, "ü\n\\", {"b": None}], "": {}}
    assert read(json.dumps(value)).value == read(b"\xef\xbb\xbf" + json.dumps(value).encode()).value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value at line 1, column 1"),
        ('{"a": }', "a value at line 1, column 7"),
        ('{"a": 1\n "b": 2}', "',' or '}' at line 2, column 2"),
        ('{"a"', "':' at line 1, column 5"),
        ('{"a": "x', "a string that ends"),
        ("{'a': 'x", "a string that ends"),
        ("[1] 2", "the end of the text"),
        ("[NaN]", "a value"),
        ("/* x", "the end of the comment"),
        ("[" * 200, "no more than 100 levels"),
    ],
)
def test_other_text_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        read(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(TemplateError, match="not UTF-8"):
        read(b"\xff\xfe{}")
