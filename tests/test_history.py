"""The toxin history as the answers tell it, joined with what the clinic recorded."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.clinical.forms.conditions import AnswerIndex, index
from pore_plugin.clinical.safety.history import exposures, merge
from pore_plugin.contracts import Consultation, ConsultationForm, ToxinExposure


def toxin_form(guard: str = "toxin-ever") -> ConsultationForm:
    kinds = {"date": "date", "units": "decimal", "purpose": "choice", "response": "choice", "regions": "region-map"}
    extra: dict[str, dict[str, Any]] = {
        "region-map": {"regions": ["pore.region.forehead", "pore.region.cheek"]},
        "choice": {"options": [{"code": "x", "text": {"en": "x"}}]},
    }
    kinds |= {"product": "choice", "where": "choice", "side-effects": "text"}
    questions = [
        {"id": f"pore.q.toxin-{name}", "type": kind, "text": {"en": name}, **extra.get(kind, {})}
        for name, kind in kinds.items()
    ]
    document = {
        "id": "pore.form.test",
        "version": "1.0.0",
        "title": {"en": "Test"},
        "type": "consultation-form",
        "kind": "consultation",
        "sections": [
            {
                "id": "pore.section.toxin",
                "title": {"en": "Toxin"},
                "questions": [{"id": f"pore.q.{guard}", "type": "boolean", "text": {"en": "Ever?"}}],
            },
            {
                "id": "pore.section.toxin-history",
                "title": {"en": "History"},
                "repeats": 20,
                "show_when": {"conditions": [{"question": f"pore.q.{guard}", "operator": "=", "value": True}]},
                "questions": questions,
            },
        ],
    }
    return ConsultationForm.from_json(json.dumps(document))


def answers(ever: bool | None, *entries: dict[str, tuple[str, Any]], guard: str = "toxin-ever") -> AnswerIndex:
    """The guard, then one entry per instance: name of the question to type and value."""
    listed: list[dict[str, Any]] = []
    if ever is not None:
        listed.append({"question": f"pore.q.{guard}", "type": "boolean", "value": ever})
    for instance, entry in enumerate(entries, start=1):
        for name, (kind, value) in entry.items():
            listed.append({"question": f"pore.q.toxin-{name}", "type": kind, "value": value, "instance": instance})
    document = {
        "id": "c1",
        "clinic": "clinic",
        "patient": {"host": "memory", "id": "p1", "birth_date": "1990-01-01"},
        "form": {"id": "pore.form.test", "version": "1.0.0", "digest": "sha256:" + "0" * 64},
        "locale": "en",
        "occurred_at": "2026-03-01T09:00:00+00:00",
        "recorded_at": "2026-03-01T09:00:00+00:00",
        "answers": listed,
    }
    return index(Consultation.from_json(json.dumps(document)).answers)


FULL = {
    "product": ("choice", "bocouture-uk"),
    "date": ("date", "2026-01-15"),
    "units": ("decimal", "12.5"),
    "where": ("choice", "elsewhere"),
    "purpose": ("choice", "aesthetic"),
    "regions": (
        "region-map",
        [
            {"region": "pore.region.forehead"},
            {"region": "pore.region.cheek", "side": "left"},
            {"region": "pore.region.forehead"},
        ],
    ),
}
EXPECTED = {
    "product": "pore.product.bocouture-uk",
    "date": "2026-01-15",
    "units": "12.5",
    "given": "elsewhere",
    "regions": [{"region": "pore.region.cheek", "side": "left"}, {"region": "pore.region.forehead"}],
}


def documents(found: tuple[ToxinExposure, ...]) -> list[dict[str, Any]]:
    return [exposure.to_document() for exposure in found]


def test_a_full_entry_becomes_a_full_exposure() -> None:
    assert documents(exposures(answers(True, FULL), toxin_form())) == [EXPECTED]


def test_what_is_missing_stays_missing() -> None:
    found = exposures(answers(True, {"product": ("choice", "unknown")}), toxin_form())
    assert documents(found) == [{"given": "elsewhere", "regions": []}]


def test_a_toxin_known_by_inn_only_has_no_product() -> None:
    (found,) = exposures(answers(True, {"product": ("choice", "onabotulinumtoxinA")}), toxin_form())
    assert (found.inn, found.product) == ("onabotulinumtoxinA", None)


def test_an_entry_with_a_date_only_is_an_exposure() -> None:
    (found,) = exposures(answers(True, {"date": ("date", "2026-01-15")}), toxin_form())
    assert (found.date, found.product, found.units) == ("2026-01-15", None, None)


def test_negative_units_count_as_unknown() -> None:
    (found,) = exposures(answers(True, {"units": ("decimal", "-5")}), toxin_form())
    assert found.units is None


def test_every_instance_is_an_exposure_in_order() -> None:
    later = {"where": ("choice", "here"), "product": ("choice", "unknown")}
    found = exposures(answers(True, FULL, later), toxin_form())
    assert [exposure.given for exposure in found] == ["elsewhere", "here"]


def test_toxin_without_an_entry_is_one_unknown_exposure() -> None:
    assert exposures(answers(True), toxin_form()) == (ToxinExposure(given="elsewhere"),)


def test_no_toxin_is_no_exposure() -> None:
    assert exposures(answers(False), toxin_form()) == ()
    assert exposures(answers(None), toxin_form()) == ()


def test_hidden_entries_do_not_count() -> None:
    assert exposures(answers(False, FULL), toxin_form()) == ()


def test_the_day_form_asks_the_same_under_its_own_guard() -> None:
    guard = "toxin-other-since"
    assert documents(exposures(answers(True, FULL, guard=guard), toxin_form(guard))) == [EXPECTED]
    assert exposures(answers(True, guard=guard), toxin_form(guard)) == (ToxinExposure(given="elsewhere"),)


BOCOUTURE = "pore.product.bocouture-uk"
RECORDED = ToxinExposure(
    given="here", treatment="t1", date="2026-01-15", product=BOCOUTURE, inn="incobotulinumtoxinA", units="20"
)


def test_a_treatment_of_this_clinic_is_not_counted_twice() -> None:
    reported = ToxinExposure(given="here", date="2026-01-15", product=BOCOUTURE, units="30")
    by_inn = ToxinExposure(given="here", date="2026-01-15", inn="incobotulinumtoxinA")
    assert merge((RECORDED,), (reported, by_inn)) == (RECORDED,)


def test_another_date_product_or_place_is_another_treatment() -> None:
    others = (
        ToxinExposure(given="here", date="2026-01-16", product=BOCOUTURE),
        ToxinExposure(given="here", date="2026-01-15", product="pore.product.azzalure-uk"),
        ToxinExposure(given="here", date="2026-01-15"),
        ToxinExposure(given="here", product=BOCOUTURE),
        ToxinExposure(given="elsewhere", date="2026-01-15", product=BOCOUTURE),
    )
    assert merge((RECORDED,), others) == (RECORDED, *others)


def test_of_a_treatment_that_both_have_the_history_counts() -> None:
    moved = ToxinExposure.from_json(
        json.dumps({**RECORDED.to_document(), "date": "2026-01-18", "product": "pore.product.azzalure-uk"})
    )
    assert merge((moved,), (RECORDED,)) == (moved,)


def test_two_equal_reports_are_two_treatments() -> None:
    unknown = ToxinExposure(given="elsewhere")
    assert merge((), (unknown, unknown)) == (unknown, unknown)


some_exposures = st.lists(
    st.builds(
        ToxinExposure,
        given=st.sampled_from(["here", "elsewhere"]),
        date=st.sampled_from([None, "2026-01-15", "2026-02-15"]),
        product=st.sampled_from([None, BOCOUTURE, "pore.product.azzalure-uk"]),
        inn=st.sampled_from([None, "incobotulinumtoxinA"]),
        units=st.sampled_from([None, "20"]),
        treatment=st.sampled_from([None, "t1", "t2"]),
    ),
    max_size=5,
).map(tuple)


@given(some_exposures, some_exposures)
def test_merging_loses_no_history_and_twice_is_once(
    history: tuple[ToxinExposure, ...], reported: tuple[ToxinExposure, ...]
) -> None:
    merged = merge(history, reported)
    assert merged[: len(history)] == history
    assert merge(merged, reported) == merged
