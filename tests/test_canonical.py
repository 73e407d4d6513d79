"""One document has one canonical form and one digest."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from types import ModuleType
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.contracts import RecordPin
from pore_plugin.contracts.canonical import _fast_writer, canonical, composed_version, digest, record_digest
from pore_plugin.contracts.limits import MAX_INTEGER
from pore_plugin.schemas import python_pattern, schema_bytes, schema_names
from pore_plugin.validation import check

SCALARS = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text()
ANY_SCALARS = SCALARS | st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(ANY_SCALARS, lambda below: st.lists(below) | st.dictionaries(st.text(), below), max_leaves=30)
PLAIN = st.recursive(
    SCALARS,
    lambda below: st.lists(below) | st.dictionaries(st.text(st.characters(max_codepoint=127)), below),
    max_leaves=30,
)


@given(DOCUMENTS)
def test_every_document_has_the_bytes_of_rfc_8785(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


@given(PLAIN)
def test_the_fast_path_gives_the_bytes_of_rfc_8785(document: Any) -> None:
    fast = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert canonical(document) == fast == rfc8785.dumps(document)


def test_keys_are_ordered_by_utf16_code_units() -> None:
    # U+FB33 is one code unit above the surrogates that U+1F600 is written with.
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def cycle() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "document",
    [
        {"a": "\ud800"},
        {"\udfff": 1},
        {"é": "\ud800"},
        [float("nan")],
        [float("inf")],
        [MAX_INTEGER + 1],
        [-MAX_INTEGER - 1],
        {1: "a"},
        {None: "a"},
        {1: 1, "a": 2},
        [{1, 2}],
        [b"bytes"],
        cycle(),
    ],
)
def test_what_has_no_canonical_form_is_a_value_error_without_the_value(document: Any) -> None:
    with pytest.raises(ValueError, match=r"^the document [a-z]") as caught:
        canonical(document)
    assert "bytes" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_digest_and_status_stand_outside_the_digest_at_the_top_only() -> None:
    document = {"id": "a", "inner": {"status": "draft"}}
    expected = "sha256:" + sha256(b'{"id":"a","inner":{"status":"draft"}}').hexdigest()
    assert digest(document) == expected
    assert digest({**document, "status": "active", "digest": "sha256:0"}) == expected
    assert digest({"id": "a", "inner": {"status": "active"}}) != expected


@given(st.dictionaries(st.text(), SCALARS, min_size=2))
def test_the_order_of_members_does_not_change_the_digest(document: dict[str, Any]) -> None:
    assert digest(dict(reversed(document.items()))) == digest(document)


def test_a_composed_version_names_its_bytes() -> None:
    assert composed_version("1.2.0", "sha256:0123456789abcdef") == "1.2.0+0123456789ab"


def numbers_and_maps(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema below this one that a number or a free key fits."""
    if isinstance(schema, dict):
        if schema.get("type") in ("number", "integer") or "additionalProperties" in schema:
            yield schema
        for keyword, below in schema.items():
            if keyword not in ("examples", "default", "const", "enum"):
                yield from numbers_and_maps(below)
    elif isinstance(schema, list):
        for below in schema:
            yield from numbers_and_maps(below)


@pytest.mark.parametrize("name", schema_names())
def test_no_contract_can_hold_what_only_rfc_8785_spells(name: str) -> None:
    for schema in numbers_and_maps(json.loads(schema_bytes(name))):
        assert schema.get("type") != "number"
        if schema.get("type") == "integer":
            assert schema.get("minimum", schema.get("exclusiveMinimum", -MAX_INTEGER - 1)) >= -MAX_INTEGER
            assert schema.get("maximum", schema.get("exclusiveMaximum", MAX_INTEGER + 1)) <= MAX_INTEGER
        for pattern in schema.get("patternProperties", {}):
            assert not re.compile(python_pattern(pattern)).search("é")
            assert pattern.startswith("^")
            assert pattern.endswith("$")
        assert schema.get("additionalProperties", False) is False


@pytest.mark.parametrize("name", schema_names())
def test_a_record_has_the_digest_of_its_document(name: str) -> None:
    for example in json.loads(schema_bytes(name))["examples"]:
        record = check(name, example).model
        assert record_digest(record) == digest(record.to_document())


@given(PLAIN)
def test_the_writer_of_records_gives_the_bytes_of_rfc_8785(document: Any) -> None:
    writer = _fast_writer()
    assert writer is None or writer(document).encode() == rfc8785.dumps(document)


SPELLING: dict[str, Any] = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}


def other_spelling(**options: Any) -> Callable[[Any], str]:
    return lambda value: json.dumps(value, **{**SPELLING, **options})


def refusing(value: Any) -> str:
    raise TypeError(type(value).__name__)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[Any], str]], None]]:
    """Installs a writer in place of the fast engine's own, for one test."""

    def install(writer: Callable[[Any], str]) -> None:
        module = ModuleType("jsonschema_rs.canonical.json")
        vars(module)["to_string"] = writer
        monkeypatch.setitem(sys.modules, "jsonschema_rs.canonical", ModuleType("jsonschema_rs.canonical"))
        monkeypatch.setitem(sys.modules, "jsonschema_rs.canonical.json", module)
        _fast_writer.cache_clear()

    yield install
    _fast_writer.cache_clear()


@pytest.mark.parametrize(
    "writer",
    [
        other_spelling(ensure_ascii=True),
        other_spelling(sort_keys=False),
        other_spelling(separators=(", ", ":")),
        lambda value: other_spelling()(value).replace("/", "\\/"),
        lambda value: other_spelling()(value).replace("\\u001f", "\\u001F"),
        lambda value: other_spelling()(value).replace("\x7f", "\\u007f"),
        lambda value: other_spelling()(value).replace("\u2028", "\\u2028"),
        lambda value: other_spelling()(value).replace(str(MAX_INTEGER), "9.007199254740991e15"),
        refusing,
    ],
    ids=["escapes", "order", "blanks", "slash", "hexadecimal", "delete", "separator", "integer", "error"],
)
def test_a_writer_that_spells_otherwise_is_not_taken(
    writer: Callable[[Any], str], installed: Callable[[Callable[[Any], str]], None]
) -> None:
    installed(writer)
    assert _fast_writer() is None
    pin = RecordPin(id="plan-1", digest="sha256:" + "0" * 64)
    assert record_digest(pin) == "sha256:" + sha256(rfc8785.dumps({"id": "plan-1"})).hexdigest()


def test_a_writer_that_spells_alike_is_taken(installed: Callable[[Callable[[Any], str]], None]) -> None:
    writer = other_spelling()
    installed(writer)
    assert _fast_writer() is writer
