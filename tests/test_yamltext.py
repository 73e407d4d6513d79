"""YAML 1.2 is read into the values of its JSON; whatever readers could disagree on is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pore_plugin.builtin import documents
from pore_plugin.contracts import digest
from pore_plugin.contracts.limits import MAX_DEPTH, MAX_INTEGER, MAX_PROBLEMS, MAX_YAML_BYTES
from pore_plugin.contracts.problems import ProblemsError
from pore_plugin.validation import check, check_yaml
from pore_plugin.validation.jsontext import read_json
from pore_plugin.validation.yamltext import locate_yaml, read_yaml, read_yaml_text
from pore_plugin.validation.yamlwriting import write_yaml

TEXT = """\
# a comment
id: one
"quoted": "no"
price: '0.5'
count: 12
less: -3
yes-it-is: true
steps:
  - id: first
    title: {en: "A: b"}
  - id: second
    long: |
      one
      two
empty: []
"""


def codes(text: str | bytes) -> list[tuple[str, str, int, int]]:
    """Return pointer, code, line and column of everything that is wrong with a text."""
    data = text.encode() if isinstance(text, str) else text
    found = read_yaml_text(data, file="a.yaml").problems
    return [
        (one.pointer, one.code, one.location.line, one.location.column) for one in found if one.location is not None
    ]


def test_block_and_flow_become_plain_json_values() -> None:
    assert read_yaml(TEXT.encode()) == {
        "id": "one",
        "quoted": "no",
        "price": "0.5",
        "count": 12,
        "less": -3,
        "yes-it-is": True,
        "steps": [{"id": "first", "title": {"en": "A: b"}}, {"id": "second", "long": "one\ntwo\n"}],
        "empty": [],
    }


def test_pointers_are_located_at_their_values() -> None:
    wanted = ["/id", "/steps/1/long", "/steps/0/title/en", "/steps/1/nothing", "/nothing", ""]
    assert list(locate_yaml(TEXT.encode(), wanted).values()) == [(2, 5), (12, 11), (10, 17), (11, 5), (2, 1), (2, 1)]


def test_line_ends_of_windows_change_nothing() -> None:
    crlf = TEXT.replace("\n", "\r\n").encode()
    assert read_yaml(crlf) == read_yaml(TEXT.encode())
    assert digest(read_yaml(crlf)) == digest(read_yaml(TEXT.encode()))


@pytest.mark.parametrize(
    ("text", "pointer", "code", "place"),
    [
        ("a: no", "/a", "yaml.boolean", (1, 4)),
        ("a: Yes", "/a", "yaml.boolean", (1, 4)),
        ("a: on", "/a", "yaml.boolean", (1, 4)),
        ("a: y", "/a", "yaml.boolean", (1, 4)),
        ("a: True", "/a", "yaml.boolean", (1, 4)),
        ("title:\n  no: Peeling", "/title/no", "yaml.boolean", (2, 3)),
        ("a: 0.5", "/a", "number.float", (1, 4)),
        ("a: 1e3", "/a", "number.float", (1, 4)),
        ("a: .5", "/a", "number.float", (1, 4)),
        ("a: 0777", "/a", "yaml.number", (1, 4)),
        ("a: 08", "/a", "yaml.number", (1, 4)),
        ("a: 0o17", "/a", "yaml.number", (1, 4)),
        ("a: 0x1F", "/a", "yaml.number", (1, 4)),
        ("a: 0b11", "/a", "yaml.number", (1, 4)),
        ("a: 1_000", "/a", "yaml.number", (1, 4)),
        ("a: +5", "/a", "yaml.number", (1, 4)),
        ("a: -0", "/a", "number.minus_zero", (1, 4)),
        (f"a: {MAX_INTEGER + 1}", "/a", "number.too_large", (1, 4)),
        ("a: 12:30", "/a", "yaml.sexagesimal", (1, 4)),
        ("a: 09:00", "/a", "yaml.sexagesimal", (1, 4)),
        ("a: 2026-03-01", "/a", "yaml.timestamp", (1, 4)),
        ("a: 2026-03-01T09:30:00+01:00", "/a", "yaml.timestamp", (1, 4)),
        ("a: .inf", "/a", "yaml.not_finite", (1, 4)),
        ("a: .NaN", "/a", "yaml.not_finite", (1, 4)),
        ("a: ~", "/a", "yaml.null", (1, 4)),
        ("a: null", "/a", "yaml.null", (1, 4)),
        ("b: 1\na:\nc: 1", "/a", "yaml.null", (2, 1)),
        ("{a: 1, b}", "/b", "yaml.null", (1, 8)),
        ("a: !!str 5", "/a", "yaml.tag", (1, 4)),
        ("a: !!python/object/apply:os.system [x]", "/a", "yaml.tag", (1, 4)),
        ("a: ! 5", "/a", "yaml.tag", (1, 4)),
        ("a: &x 5", "/a", "yaml.anchor", (1, 4)),
        ("a: &x {b: 5}", "/a", "yaml.anchor", (1, 4)),
        ("&x a: 5", "/a", "yaml.anchor", (1, 1)),
        ("<<: {b: 5}", "", "yaml.merge", (1, 1)),
        ("1: x", "", "yaml.key", (1, 1)),
        ("true: x", "/true", "yaml.key", (1, 1)),
        ("? [a]\n: x", "", "yaml.complex_key", (1, 3)),
        ("a: 1\nb: 2\na: 3", "/a", "yaml.duplicate_key", (3, 1)),
        ('a: 1\n"a": 3', "/a", "yaml.duplicate_key", (2, 1)),
        ("a: 1\n---\nb: 2", "", "yaml.documents", (2, 1)),
        ("%YAML 1.1\n---\na: 1", "", "yaml.directive", (2, 1)),
        ("%TAG ! tag:x,2000:\n---\na: 1", "", "yaml.directive", (2, 1)),
        ("", "", "yaml.empty", (1, 1)),
        ("# nothing", "", "yaml.empty", (1, 10)),
        ("a: b: c", "", "yaml.syntax", (1, 5)),
        ("a: 'x", "/a", "yaml.syntax", (1, 6)),
        ("a:\n\t- b", "/a", "yaml.syntax", (2, 1)),
        ("a: [1, 2", "/a", "yaml.syntax", (1, 9)),
        ('a: "\\q"', "/a", "yaml.syntax", (1, 6)),
        ("a: @x", "/a", "yaml.syntax", (1, 4)),
        ('a: "\\ud800"', "/a", "yaml.surrogate", (1, 4)),
        ("a: x\x07", "", "yaml.character", (1, 5)),
        ("a: x\rb: y", "", "yaml.character", (1, 5)),
        ("a: x\u2028", "", "yaml.character", (1, 5)),
    ],
)
def test_what_readers_could_disagree_on_is_refused_with_its_place(
    text: str, pointer: str, code: str, place: tuple[int, int]
) -> None:
    assert codes(text) == [(pointer, code, *place)]
    with pytest.raises(ProblemsError):
        read_yaml(text.encode())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xef\xbb\xbfa: 1", "yaml.encoding"),
        ("a: 1".encode("utf-16"), "yaml.encoding"),
        ("a: 1".encode("utf-32-le"), "yaml.encoding"),
        ("a: ä".encode("latin-1"), "yaml.encoding"),
        (b" " * (MAX_YAML_BYTES + 1), "yaml.too_large"),
        (b"[" * (MAX_DEPTH + 1), "yaml.too_deep"),
        (b"- " * (MAX_DEPTH + 1), "yaml.too_deep"),
        (b"[" * 100_000, "yaml.too_deep"),
    ],
)
def test_wrong_encoding_size_and_depth_are_refused(data: bytes, code: str) -> None:
    assert [found[1] for found in codes(data)] == [code]


def test_everything_is_named_at_once_and_up_to_a_limit() -> None:
    assert [found[1] for found in codes("a: no\nb: 0.5\nc: &x 1\nd: *x\n")] == [
        "yaml.boolean",
        "number.float",
        "yaml.anchor",
        "yaml.alias",
    ]
    assert len(codes("- no\n" * (MAX_PROBLEMS + 20))) == MAX_PROBLEMS


def test_an_alias_bomb_stays_small() -> None:
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    levels += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    reading = read_yaml_text("\n".join(levels).encode())
    assert {problem.code for problem in reading.problems} == {"yaml.anchor", "yaml.alias"}
    assert len(json.dumps(reading.document)) < 1_000


def test_a_merge_bomb_is_refused_without_merging() -> None:
    found = [code for _, code, _, _ in codes("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n")]
    assert found == ["yaml.anchor", "yaml.merge", "yaml.alias", "yaml.merge", "yaml.duplicate_key", "yaml.alias"]


def test_escapes_of_one_character_are_joined() -> None:
    assert read_yaml(rb'"\ud83d\ude00 \u00e9"') == "😀 é"


def test_no_value_is_repeated_in_a_problem() -> None:
    text = "a: !secret hunter2\nb: *hunter2\nc: &hunter2 x\nd: 'hunter2\n"
    said = " ".join(problem.sentence + problem.next_step for problem in read_yaml_text(text.encode()).problems)
    assert said
    assert "hunter2" not in said


def test_problems_of_text_and_schema_come_together_with_their_places() -> None:
    text = """\
type: product
id: Bad Id
verion: 1.0.0
brand: no
status: actve
"""
    with pytest.raises(ProblemsError) as caught:
        check_yaml("product", text.encode(), file="p.yaml")
    found = {
        (one.pointer, one.code, one.location.line, one.location.column)
        for one in caught.value.problems
        if one.location is not None
    }
    assert {
        ("/id", "schema.pattern", 2, 5),
        ("/brand", "yaml.boolean", 4, 8),
        ("/status", "schema.enum", 5, 9),
    } <= found
    steps = {one.pointer: one.next_step for one in caught.value.problems}
    assert "Did you mean `version`?" in steps["/verion"]
    assert "Did you mean `active`?" in steps["/status"]


@pytest.mark.parametrize("name", [path for path, data in documents() if len(data) < 30_000])
def test_content_is_the_same_document_in_yaml(name: str) -> None:
    data = dict(documents())[name]
    document = read_json(data)
    checked = check_yaml(document["type"], write_yaml(document))
    assert checked.document == document
    assert checked.digest == check(document["type"], data).digest


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.text()
    | st.sampled_from(["no", "0777", "1e3", "~", "<<", "2026-03-01", "12:30", " x", "x ", "# a", "a: b", "-", "", "é"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_json_and_yaml_are_the_same_value_with_the_same_digest(value: Any) -> None:
    data = write_yaml(value)
    as_json = read_json(json.dumps(value, ensure_ascii=False))
    assert read_yaml(data) == as_json
    assert json.dumps(read_yaml(data)) == json.dumps(as_json)
    assert digest({"value": read_yaml(data)}) == digest({"value": as_json})
    assert write_yaml(read_yaml(data)) == data


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text(st.sampled_from("a:-? []{},&*!|>'\"%#\n\t\\0.<"), max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    reading = read_yaml_text(data, file="x")
    assert reading.problems or read_json(json.dumps(reading.document)) == reading.document
