"""JSON text and mappings are read with nothing lost, guessed or printed."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.contracts.limits import MAX_BYTES, MAX_DEPTH, MAX_INTEGER
from pore_plugin.contracts.problems import ProblemsError
from pore_plugin.validation.jsonscan import scan, shown_pointer
from pore_plugin.validation.jsontext import locate, read_json, read_text
from pore_plugin.validation.jsonvalues import from_mapping

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=30,
)


def found(data: bytes | str) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in read_text(data)[2]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", [("json.truncated", "")]),
        (b'{"a": "x', [("json.truncated", "/a")]),
        (b'["\\u12', [("json.truncated", "/0")]),
        (b'{"a": {"b": [1, 2', [("json.truncated", "/a/b")]),
        (b'["\\x"]', [("json.syntax", "/0")]),
        (b'["a\nb"]', [("json.syntax", "/0")]),
        (b"[1,]", [("json.syntax", "/1")]),
        (b"{'a': 1}", [("json.syntax", "")]),
        (b"[1] 2", [("json.syntax", "")]),
        (b"[01]", [("json.syntax", "")]),
        (b"\xff", [("json.encoding", "")]),
        (b'\xef\xbb\xbf{"a": 1}', [("json.encoding", "")]),
        ('{"a": 1}'.encode("utf-16"), [("json.encoding", "")]),
        ('{"a": 1}'.encode("utf-16-le"), [("json.encoding", "")]),
        ('["\ud800"]', [("json.encoding", "")]),
        (b'["\\ud800"]', [("json.surrogate", "/0")]),
        (b'{"\\udead": 1}', [("json.surrogate", "")]),
        (b'{"a": 1, "b": {"a": 1, "a": 2}, "a": 3}', [("json.duplicate_key", "/b/a"), ("json.duplicate_key", "/a")]),
        (b'{"a": NaN, "b": -Infinity}', [("json.not_finite", "/a"), ("json.not_finite", "/b")]),
        (b'{"a": [0.5, 1e2]}', [("number.float", "/a/0"), ("number.float", "/a/1")]),
        (b'{"a": -0}', [("number.minus_zero", "/a")]),
        (b'{"a": 9007199254740992}', [("number.too_large", "/a")]),
        (b"9" * 5000, [("number.too_large", "")]),
        (b'{"Jane Roe, 1 Main St": [0.5]}', [("number.float", "")]),
        (b'{"a~b": 1, "c": 1.5, "a/b": 0}', [("number.float", "/c")]),
    ],
)
def test_every_oddity_of_a_text_is_named_with_its_place(text: bytes | str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize("text", [b'["\\ud83d\\ude00"]', b'["\\\\ud800"]', b"[9007199254740991, -9007199254740991, 0]"])
def test_what_only_looks_odd_is_read(text: bytes) -> None:
    assert read_json(text) == json.loads(text)


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_good_text_reads_as_json_does(value: Any, ascii_only: bool, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_json(text) == read_json(text.encode()) == value
    assert scan(text).document == value


@given(st.text(alphabet='{}[]",:\\u0123456789-.eEaNtrufalsn \n'))
def test_the_careful_reader_refuses_what_json_refuses(text: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        assert found(text)


@given(st.binary())
def test_arbitrary_bytes_raise_nothing_but_problems(data: bytes) -> None:
    with suppress(ProblemsError):
        read_json(data)


@pytest.mark.parametrize(
    "text",
    [b"[" * 10**6, b'{"a":' * 10**6 + b"1", b"[" * 10**6 + b"]" * 10**6, b'["]",' * 10**6],
    ids=["open arrays", "open objects", "closed arrays", "brackets in strings"],
)
def test_nesting_without_end_is_answered_at_once(text: bytes) -> None:
    begun = time.perf_counter()
    codes = [code for code, _ in found(text[:MAX_BYTES])]
    assert codes == ["json.too_deep"]
    assert time.perf_counter() - begun < 10


def test_depth_ends_where_it_is_published() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert found(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))[0][0] == "json.too_deep"
    assert read_json(b'["' + b"[" * 1000 + b'", "\\"' + b"{" * 1000 + b'"]')


def test_size_ends_where_it_is_published() -> None:
    assert read_json(b'"' + b"a" * (MAX_BYTES - 2) + b'"')
    assert found(b'"' + b"a" * (MAX_BYTES - 1) + b'"') == [("json.too_large", "")]


def test_problems_of_a_file_carry_line_and_column() -> None:
    text = '{\n  "ä": 1,\n  "b": 0.5,\n  "b": 2\n}'
    places = [(p.code, p.location.line, p.location.column) for p in read_text(text, file="x.json")[2] if p.location]
    assert places == [("number.float", 3, 8), ("json.duplicate_key", 4, 3)]


def test_pointers_are_located_or_their_nearest_ancestor_is() -> None:
    data = b'{\n  "a": [\n    {"b/c": 1}\n  ]\n}'
    assert locate(data, ["", "/a/0/b~1c", "/a/0/missing", "/a/7"]) == {
        "": (1, 1),
        "/a/0/b~1c": (3, 13),
        "/a/0/missing": (3, 5),
        "/a/7": (2, 8),
    }


def test_a_pointer_ends_before_a_key_that_could_be_a_value() -> None:
    assert shown_pointer(["answers", 3, "pore.q~a"]) == "/answers/3"
    assert shown_pointer(["a/b", 0]) == "/a~1b/0"
    assert shown_pointer(["answers", "Jane Roe", "x"]) == "/answers"


class Unreadable(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("the caller's code must not run")


def looped() -> dict[str, Any]:
    loop: dict[str, Any] = {}
    loop["a"] = [loop]
    return loop


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def laughing() -> dict[str, Any]:
    value: Any = ["ha"]
    for _ in range(40):
        value = [value, value]
    return {"a": value}


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({1: 2, "a": {None: 1}}, [("json.key", ""), ("json.key", "/a")]),
        ({"a": 0.5, "b": Decimal("0.5")}, [("number.float", "/a"), ("number.float", "/b")]),
        ({"a": datetime(2026, 3, 1, 9, 30)}, [("instant.naive", "/a")]),  # noqa: DTZ001
        (
            {"a": datetime(2026, 3, 1, tzinfo=UTC), "b": date(2026, 3, 1)},
            [("json.type", "/a"), ("json.type", "/b")],
        ),
        ({"a": {1, 2}, "b": b"x", "c": object()}, [("json.type", "/a"), ("json.type", "/b"), ("json.type", "/c")]),
        ({"a": 2**60}, [("number.too_large", "/a")]),
        ({"a": "\ud800"}, [("json.surrogate", "/a")]),
        ({"\ud800": 1}, [("json.surrogate", "")]),
        (looped(), [("json.cycle", "/a/0")]),
        (deep(MAX_DEPTH), [("json.too_deep", "/a" * MAX_DEPTH)]),
        (laughing(), [("json.too_large", "")]),
        ({"a": "x" * MAX_BYTES}, [("json.too_large", "")]),
    ],
)
def test_every_oddity_of_a_mapping_is_named_with_its_place(mapping: Any, expected: list[tuple[str, str]]) -> None:
    assert [(problem.code, problem.pointer) for problem in from_mapping(mapping)[1]] == expected


def test_unusual_but_plain_mappings_are_copied() -> None:
    source = MappingProxyType({"a": (1, True, None), "b": Unreadable(c="d")})
    document, problems = from_mapping(source)
    assert (document, problems) == ({"a": [1, True, None], "b": {"c": "d"}}, [])
    assert type(document["b"]) is dict


@given(st.dictionaries(st.text(), VALUES))
def test_a_copy_of_a_mapping_is_equal_and_apart(value: dict[str, Any]) -> None:
    document, problems = from_mapping(value)
    assert document == value
    assert document is not value
    assert problems == []


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\xef\xbb\xbf{}", (1, 1)),
        ("{}".encode("utf-16"), (1, 1)),
        (b'{\n "a": "\xff"}', (2, 8)),
        (b" " * (MAX_BYTES + 1), (1, 1)),
        ('["\ud800"]', (1, 1)),
    ],
)
def test_what_is_wrong_with_a_whole_text_names_its_file(data: bytes | str, place: tuple[int, int]) -> None:
    (problem,) = read_text(data, file="a.json")[2]
    assert problem.location is not None
    assert (problem.location.file, problem.location.line, problem.location.column) == ("a.json", *place)
