"""Overlays: what a clinic does otherwise than a base, through upgrades of the base."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.builtin import documents
from pore_plugin.catalogue import Catalogue
from pore_plugin.contracts import Overlay, Pin, ProblemsError, ProcedureTemplate, digest
from pore_plugin.hooks import Contributed
from pore_plugin.library.classes import bump_problem
from pore_plugin.library.diffing import diff
from pore_plugin.library.overlays import apply, compose, difference, overlay_of, rebase
from pore_plugin.validation import check

CONTENT = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
BASE = CONTENT["pore.template.salicylic-peel"]
Edit = Callable[[dict[str, Any]], object]


def edited(edit: Edit, base: dict[str, Any] = BASE, **members: Any) -> dict[str, Any]:
    document = copy.deepcopy(base)
    document |= {"id": "acme.template.peel", "version": "1.0.0", **members}
    edit(document)
    return document


def upgraded(edit: Edit) -> dict[str, Any]:
    return edited(edit, id=BASE["id"], version="0.2.0")


def overlay(edit: Edit) -> Overlay:
    return overlay_of(BASE, edited(edit), identifier="acme.overlay.peel")


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["id"] == name)


def retitled(document: dict[str, Any]) -> None:
    named(document["steps"], "consent")["title"]["en"] = "Signed consent"


def extended(document: dict[str, Any]) -> None:
    step = {"id": "cool", "title": {"en": "Cool"}, "instruction": {"en": "Cool the skin."}}
    document["steps"].insert(1, step)


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_an_overlay_of_an_edited_copy_makes_the_copy() -> None:
    copied = edited(lambda d: (retitled(d), extended(d), d["consumables"].reverse(), d["steps"].pop()))
    made = overlay_of(BASE, copied, identifier="acme.overlay.peel")
    overlaid = apply(made, BASE)
    assert overlaid.conflicts == ()
    assert overlaid.document == copied


def test_an_overlay_says_only_what_is_otherwise() -> None:
    made = overlay(lambda d: (retitled(d), extended(d)))
    first, second = made.to_document()["changes"]
    assert (first["action"], first["place"], first["after"]) == ("add", "steps/cool", BASE["steps"][0]["id"])
    assert second == {"action": "set", "place": "steps/consent/title/en", "was": "Consent", "now": "Signed consent"}


def test_an_overlay_composes_a_document_that_is_checked_against_its_contract() -> None:
    composed = compose(overlay(retitled), BASE)
    assert isinstance(composed.model, ProcedureTemplate)
    assert (composed.model.id, composed.model.version) == ("acme.template.peel", "1.0.0")
    with pytest.raises(ProblemsError) as error:
        compose(overlay(lambda d: d.pop("summary")), BASE)
    assert codes(error) == ["schema.required"]


def test_a_composed_document_is_a_draft_of_the_clinic_that_new_work_finds_in_the_catalogue() -> None:
    composed = compose(overlay(retitled), BASE)
    packaged: list[Any] = [Contributed("pore", check(d["type"], d).model, d) for d in CONTENT.values()]
    catalogue = Catalogue.build(packaged, [composed.document])
    entry = catalogue.get(ProcedureTemplate, "acme.template.peel")
    assert entry.pin.digest == composed.digest
    assert (entry.origin, entry.model.status) == ("clinic", "draft")


def test_what_was_said_of_the_base_is_not_said_of_the_composed_document() -> None:
    review = {"reviewer": "A", "reviewed_on": "2026-01-01", "review_due": "2027-01-01"}
    base = {**BASE, "status": "active", "review": review, "digest": digest({**BASE, "review": review})}
    made = overlay_of(base, {**edited(retitled), "status": "draft"}, identifier="acme.overlay.peel")
    document = apply(made, base).document
    assert document["status"] == "draft"
    assert not {"review", "digest"} & set(document)


def test_a_base_with_another_value_is_a_conflict_that_names_the_place() -> None:
    base = upgraded(lambda d: named(d["steps"], "consent")["title"].update(en="Consent form"))
    result = rebase(overlay(retitled), BASE, base)
    (conflict,) = result.conflicts
    assert (conflict.code, conflict.pointer) == ("overlay.conflict", "/changes/0")
    assert "steps/consent/title/en" in conflict.sentence
    assert result.overlay is None
    assert named(result.document["steps"], "consent")["title"]["en"] == "Consent form"


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (retitled, lambda d: d["steps"].remove(named(d["steps"], "consent"))),
        (lambda d: d["steps"].remove(named(d["steps"], "consent")), retitled),
        (extended, lambda d: d["steps"].pop(0)),
        (extended, lambda d: (extended(d), named(d["steps"], "cool")["title"].update(en="Chill"))),
        (lambda d: d["steps"].insert(1, d["steps"].pop()), lambda d: d["steps"].pop()),
        (lambda d: d["steps"].insert(1, d["steps"].pop()), lambda d: d["steps"].pop(0)),
        (lambda d: d["skin_preparation"].pop(), lambda d: d["skin_preparation"][0]["text"].update(en="Wash.")),
    ],
)
def test_what_base_and_overlay_both_changed_is_a_conflict(mine: Edit, theirs: Edit) -> None:
    result = rebase(overlay(mine), BASE, upgraded(theirs))
    assert [problem.code for problem in result.conflicts] == ["overlay.conflict"]


def test_an_upgraded_base_keeps_the_overlay_and_brings_what_is_new() -> None:
    def theirs(d: dict[str, Any]) -> None:
        d["steps"].insert(0, {"id": "greet", "title": {"en": "Greet"}, "instruction": {"en": "Say who you are."}})
        named(d["steps"], "consent")["title"]["de"] = "Einwilligung"

    made, base = overlay(retitled), upgraded(theirs)
    result = rebase(made, BASE, base)
    assert result.overlay is not None
    assert result.overlay.base == Pin(id=BASE["id"], version="0.2.0", digest=digest(base))
    assert result.document["steps"][0]["id"] == "greet"
    assert named(result.document["steps"], "consent")["title"] == {"en": "Signed consent", "de": "Einwilligung"}
    # A step more that has to be done.
    assert (result.needed_bump, result.overlay.version) == ("major", "2.0.0")
    assert bump_problem(made.version, result.overlay.version, result.needed_bump) is None
    assert apply(result.overlay, base).conflicts == ()
    assert apply(result.overlay, base).document == result.document


def test_an_overlay_whose_changes_the_base_has_taken_up_is_no_longer_needed() -> None:
    result = rebase(overlay(retitled), BASE, upgraded(retitled))
    assert (result.overlay, result.conflicts, result.changes) == (None, (), ())


def test_what_the_base_has_taken_up_is_no_longer_in_the_overlay() -> None:
    result = rebase(overlay(lambda d: (retitled(d), extended(d))), BASE, upgraded(retitled))
    assert result.overlay is not None
    assert [change.place for change in result.overlay.changes] == ["steps/cool"]
    assert result.overlay.version == "1.0.1"


def test_what_the_clinic_puts_last_stays_last() -> None:
    def theirs(d: dict[str, Any]) -> None:
        d["steps"].append({"id": "wave", "title": {"en": "Wave"}, "instruction": {"en": "Say goodbye."}})

    result = rebase(overlay(lambda d: d["steps"].append({**d["steps"][0], "id": "cool"})), BASE, upgraded(theirs))
    assert [step["id"] for step in result.document["steps"]][-2:] == ["wave", "cool"]


def test_another_base_than_the_pinned_one_is_refused() -> None:
    with pytest.raises(ProblemsError) as error:
        compose(overlay(retitled), upgraded(extended))
    assert codes(error) == ["overlay.other_base"]


@pytest.mark.parametrize("identifier", ["pore.product.bocouture-uk", "pore.rules.suitability", "pore.markets"])
def test_nothing_is_laid_over_products_rules_and_markets(identifier: str) -> None:
    base = CONTENT.get(identifier) or next(d for d in CONTENT.values() if d["type"] in ("safety-rules", "markets"))
    copied = edited(lambda d: d["title"].update(en="Ours"), base)
    with pytest.raises(ProblemsError) as error:
        compose(overlay_of(base, copied, identifier="acme.overlay.x"), base)
    assert codes(error) == ["overlay.base_type"]


@pytest.mark.parametrize(
    ("copied", "code"),
    [
        (edited(lambda d: None), "overlay.no_changes"),
        (edited(retitled, type="consent-text"), "overlay.other_type"),
        (edited(retitled, id=BASE["id"]), "overlay.target"),
        (edited(retitled, version="1.0.0+0123456789ab"), "overlay.version"),
    ],
)
def test_a_copy_that_makes_no_overlay_is_refused(copied: dict[str, Any], code: str) -> None:
    with pytest.raises(ProblemsError) as error:
        overlay_of(BASE, copied, identifier="acme.overlay.peel")
    assert codes(error) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action": "set", "place": "id", "was": "a", "now": "b"}, "overlay.place"),
        ({"action": "add", "place": "status", "now": "active"}, "overlay.place"),
        ({"action": "move", "place": "steps/consent", "first": True, "after": "cool"}, "overlay.order"),
    ],
)
def test_an_overlay_does_not_change_what_is_its_own(change: dict[str, Any], code: str) -> None:
    with pytest.raises(ProblemsError) as error:
        check("overlay", {**overlay(retitled).to_document(), "changes": [change]})
    assert codes(error) == [code]


def test_a_change_has_neither_null_nor_fraction() -> None:
    for now in (None, 0.5, [None], {"a": 0.5}):
        change = {"action": "add", "place": "steps/x", "now": now}
        with pytest.raises(ProblemsError):
            check("overlay", {**overlay(retitled).to_document(), "changes": [change]})


def test_an_item_without_a_name_is_reached_by_its_index_as_in_the_diff() -> None:
    (change,) = diff(BASE, edited(lambda d: d["skin_preparation"][0]["text"].update(en="Wash.")))[1:]
    assert change.place == "skin_preparation/0/text/en"
    was = BASE["skin_preparation"][0]["text"]["en"]
    by_hand = {"action": "set", "place": change.place, "was": was, "now": "Wash."}
    written = check(Overlay, {**overlay(retitled).to_document(), "changes": [by_hand]}).model
    assert apply(written, BASE).document["skin_preparation"][0]["text"]["en"] == "Wash."


def test_an_item_without_a_name_is_added_behind_the_last() -> None:
    statement = {"text": {"en": "Dry the skin."}, "source": "S1", "mark": "D", "checked_on": "2026-01-01"}
    written = [{"action": "add", "place": "skin_preparation/-", "now": statement}]
    made = check(Overlay, {**overlay(retitled).to_document(), "changes": written}).model
    assert apply(made, BASE).document["skin_preparation"] == [*BASE["skin_preparation"], statement]


@pytest.mark.parametrize(
    "change",
    [
        {"action": "add", "place": "steps/cold", "now": {"id": "cool", "title": {"en": "Cool"}}},
        {"action": "add", "place": "steps/consent", "now": {"id": "consent"}},
        {"action": "add", "place": "nothing/here", "now": "x"},
        {"action": "add", "place": "steps/new", "now": {"id": "new"}, "after": "nobody"},
        {"action": "set", "place": "steps/nobody/required", "was": True, "now": False},
        {"action": "set", "place": "skin_preparation/99/mark", "was": "V", "now": "D"},
        {"action": "remove", "place": "steps/consent", "was": {"id": "consent"}},
        {"action": "move", "place": "steps/nobody", "first": True},
        {"action": "move", "place": "summary", "first": True},
    ],
)
def test_a_change_that_the_base_speaks_against_is_named_and_leaves_the_rest(change: dict[str, Any]) -> None:
    given = overlay(retitled).to_document()
    overlaid = apply(check(Overlay, {**given, "changes": [change, *given["changes"]]}).model, BASE)
    (conflict,) = overlaid.conflicts
    assert conflict.code == "overlay.conflict"
    assert f"cannot change {change['place']}." in conflict.sentence
    assert overlaid.document == edited(retitled)


def test_a_difference_shows_the_places_the_changes_and_their_classes() -> None:
    shown = difference(overlay(lambda d: (retitled(d), extended(d))), BASE)
    assert [(change.place, change.change_class) for change in shown.changes] == [
        ("steps/cool", "breaking"),
        ("steps/consent/title/en", "wording"),
    ]
    assert (shown.old.id, shown.new.id) == (BASE["id"], "acme.template.peel")
    assert shown.new.digest == digest(apply(overlay(lambda d: (retitled(d), extended(d))), BASE).document)


KEYS = st.sampled_from(["steps", "notes", "units", "x"])
WORDS = st.sampled_from(["a", "b", "c", "a:b", "a/b", "~", "-", "0", ""])
NAMED = st.fixed_dictionaries(
    {},
    optional={
        "id": WORDS,
        "code": WORDS,
        "region": WORDS,
        "side": st.sampled_from(["left", "right", "a:b"]),
        "value": st.integers(0, 3) | st.booleans(),
        "notes": st.lists(WORDS, max_size=3),
    },
)
VALUES = st.recursive(
    st.booleans() | st.integers(-2, 2) | WORDS | NAMED,
    lambda below: (
        st.lists(below, max_size=4)
        | st.lists(NAMED, max_size=5)
        | st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)
        | st.dictionaries(KEYS, below, max_size=3)
    ),
    max_leaves=14,
)
BODIES = st.dictionaries(KEYS, VALUES, max_size=4)


def whole(body: dict[str, Any], identifier: str) -> dict[str, Any]:
    return {"type": "procedure-template", "id": identifier, "version": "1.0.0", "title": {"en": "x"}, **body}


@given(BODIES, BODIES)
def test_any_edited_copy_comes_out_of_its_overlay(before: dict[str, Any], after: dict[str, Any]) -> None:
    base, copied = whole(before, "pore.t.x"), whole(after, "acme.t.x")
    if not [change for change in diff(base, copied) if change.place != "id"]:
        return
    made = overlay_of(base, copied, identifier="acme.o.x")
    overlaid = apply(made, base)
    assert overlaid.conflicts == ()
    # Equal as JSON: True is not 1.
    assert digest(overlaid.document) == digest(copied)
    # Once more on what it made: all is as it should be already.
    again = rebase(made, base, {**overlaid.document, "id": "pore.t.x", "version": "1.1.0"})
    assert again.conflicts == ()
    assert again.overlay is None
    # Upgraded in nothing, it says the same.
    moved = rebase(made, base, {**base, "version": "1.1.0"})
    assert moved.overlay is not None
    assert (moved.overlay.changes, moved.changes) == (made.changes, ())


@given(st.permutations([step["id"] for step in BASE["steps"]]), st.sets(st.sampled_from(range(len(BASE["steps"])))))
def test_steps_in_any_order_and_number_come_out_of_the_overlay(order: list[str], left_out: set[int]) -> None:
    steps = [named(BASE["steps"], name) for name in order]
    copied = edited(lambda d: d.update(steps=[s for place, s in enumerate(steps) if place not in left_out]))
    if copied["steps"] != BASE["steps"]:
        assert apply(overlay_of(BASE, copied, identifier="acme.overlay.peel"), BASE).document == copied
