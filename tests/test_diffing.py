"""Differences of content documents: at the smallest place, items by what they are called."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.builtin import documents
from pore_plugin.contracts import canonical
from pore_plugin.library.diffing import diff, in_order
from pore_plugin.library.places import joined, name_of, names_of, split

CONTENT = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
TEMPLATE = CONTENT["pore.template.microtoxin-pores"]

WORDS = st.sampled_from(["a", "b", "c", "a:b", "a/b", "~", ""])
NAMED = st.fixed_dictionaries(
    {},
    optional={
        "id": WORDS,
        "code": WORDS,
        "region": WORDS,
        "side": st.sampled_from(["left", "right"]),
        "value": st.integers(0, 3),
        "title": st.dictionaries(st.sampled_from(["en", "de"]), st.sampled_from(["x", "y"]), max_size=2),
    },
)
VALUES = st.recursive(
    st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", "0.5"]) | NAMED,
    lambda below: (
        st.lists(below, max_size=5)
        | st.lists(NAMED, max_size=5)
        | st.lists(st.sampled_from("abcde"), unique=True, max_size=5)
        | st.dictionaries(st.sampled_from(["steps", "notes", "x", "y/z"]), below, max_size=3)
    ),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["steps", "regions", "title", "notes"]), VALUES, max_size=4)


def edited(document: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(document)


def read(document: Any, pointer: str) -> Any:
    for name in split(pointer)[1:]:
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document


def test_an_inserted_step_is_one_difference() -> None:
    new = edited(TEMPLATE)
    step = {"id": "cool", "title": {"en": "Cool"}, "instruction": {"en": "Cool the skin."}}
    new["steps"].insert(2, step)
    (change,) = diff(TEMPLATE, new)
    assert (change.change, change.place, change.pointer, change.was) == ("added", "steps/cool", "/steps/2", None)
    assert change.now == canonical(step).decode()


def test_a_change_inside_an_item_is_named_by_the_item_wherever_it_stands_now() -> None:
    new = edited(TEMPLATE)
    new["steps"].insert(0, {"id": "cool", "title": {"en": "Cool"}, "instruction": {"en": "Cool the skin."}})
    place = next(index for index, step in enumerate(new["steps"]) if step["id"] == "consent")
    new["steps"][place]["title"]["en"] = "Signed consent"
    added, changed = diff(TEMPLATE, new)
    assert (added.place, changed.place) == ("steps/cool", "steps/consent/title/en")
    assert changed.pointer == f"/steps/{place}/title/en"
    assert (changed.was, changed.now) == ('"Consent"', '"Signed consent"')


def test_a_removed_item_is_pointed_to_in_the_old_document() -> None:
    new = edited(TEMPLATE)
    del new["steps"][1]
    (change,) = diff(TEMPLATE, new)
    assert (change.change, change.pointer, change.now) == ("removed", "/steps/1", None)


def test_only_the_items_that_left_their_order_have_moved() -> None:
    new = edited(TEMPLATE)
    new["steps"].insert(0, new["steps"].pop())
    (change,) = diff(TEMPLATE, new)
    last = len(TEMPLATE["steps"]) - 1
    assert (change.change, change.pointer, change.was, change.now) == ("moved", "/steps/0", str(last), "0")


def test_a_region_is_called_by_itself_and_its_side() -> None:
    assert name_of({"region": "pore.region.cheek", "side": "left", "points": 3}) == "pore.region.cheek:left"
    assert name_of({"region": "pore.region.nose"}) == "pore.region.nose"
    assert name_of({"system": "http://x", "code": "1"}) == "http://x:1"
    assert name_of({"text": {"en": "x"}}) is None
    # As it stands it would be called like the left side of `a:b`.
    assert name_of({"region": "a", "side": "b:left"}) is None
    assert names_of([{"id": "a"}, {"id": "a"}]) is None


def test_items_without_names_are_aligned_by_what_is_equal() -> None:
    notes = [{"text": {"en": text}} for text in "abcd"]
    (change,) = diff({"notes": notes}, {"notes": [{"text": {"en": "new"}}, *notes]})
    assert (change.change, change.place) == ("added", "notes/0")
    (change,) = diff({"notes": notes}, {"notes": [*notes[:2], {"text": {"en": "C"}}, notes[3]]})
    assert (change.change, change.place) == ("changed", "notes/2/text/en")


def test_what_a_long_list_often_holds_is_aligned_as_well() -> None:
    often = [{"text": {"en": "x"}}] * 300
    changes = diff(
        {"notes": often}, {"notes": [{"text": {"en": "y"}}, *often[:150], {"text": {"en": "z"}}, *often[150:]]}
    )
    assert [(change.change, change.place) for change in changes] == [("added", "notes/0"), ("added", "notes/151")]


def test_what_two_versions_differ_in_anyway_is_left_out() -> None:
    new = {**TEMPLATE, "version": "9.0.0", "status": "active", "digest": "sha256:" + "0" * 64}
    assert diff(TEMPLATE, new) == ()


def test_true_is_not_one_and_a_string_is_no_number() -> None:
    for old, new in ((True, 1), (0, False), ("1", 1)):
        (change,) = diff({"x": old}, {"x": new})
        assert change.change == "changed"


@pytest.mark.parametrize("identifier", sorted(CONTENT))
def test_a_document_does_not_differ_from_itself(identifier: str) -> None:
    assert diff(CONTENT[identifier], edited(CONTENT[identifier])) == ()


@given(DOCUMENTS, DOCUMENTS)
def test_there_are_differences_exactly_where_the_documents_differ(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (diff(old, new) == ()) == (canonical(old) == canonical(new))


@given(DOCUMENTS, DOCUMENTS)
def test_what_one_way_adds_the_other_way_removes(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = (Counter(change.change for change in diff(*pair)) for pair in ((old, new), (new, old)))
    assert there["added"] == back["removed"]
    assert there["removed"] == back["added"]


@given(DOCUMENTS, DOCUMENTS)
def test_pointers_lead_to_the_values_that_are_told(old: dict[str, Any], new: dict[str, Any]) -> None:
    for change in diff(old, new):
        if change.change == "removed":
            assert canonical(read(old, change.pointer)).decode() == change.was
        elif change.change != "moved":
            assert canonical(read(new, change.pointer)).decode() == change.now


@given(st.lists(st.integers(0, 30), unique=True))
def test_what_stays_in_order_is_a_longest_rising_row(indexes: list[int]) -> None:
    kept = in_order(indexes)
    row = [index for index in indexes if index in kept]
    longest: list[int] = []
    for place, index in enumerate(indexes):
        longest.append(1 + max((longest[i] for i in range(place) if indexes[i] < index), default=0))
    assert row == sorted(row)
    assert len(row) == max(longest, default=0)


@given(st.lists(st.text(max_size=4), min_size=1))
def test_a_place_splits_into_the_names_it_was_joined_from(names: list[str]) -> None:
    assert split(joined(names)) == names
