"""The readings of the rules, each at its boundary: dates, intervals, ceilings, doses, scopes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from factories import MESSAGES
from pore_plugin.clinical.safety.checks import CHECKS
from pore_plugin.clinical.safety.intervals import retreatment
from pore_plugin.clinical.safety.spans import birthday, forward, span
from pore_plugin.clinical.safety.suitability import UNAVAILABLE, compile_rules, join, verdict
from pore_plugin.contracts import EvidenceBase, Finding, Product, SafetyRules, SourcedNumber
from suitability_cases import (
    CONTENT,
    cases,
    clean,
    clean_day,
    codes,
    context,
    evidence,
    findings,
    market,
    past,
    place,
    policies,
    products,
    rules,
    scopes,
)

DAY = date(2026, 6, 15)
FALLBACK = ((84, "d"), (90, "d"), (3, "mo"))


def before(days: int) -> str:
    return (DAY - timedelta(days=days)).isoformat()


def born(birth_date: str) -> dict[str, Any]:
    return {"patient": {"host": "memory", "id": "p1", "birth_date": birth_date}}


def row(product: str, **changed: Any) -> dict[str, Product]:
    """The shipped products with one row changed (`None` removes a member)."""
    document = json.loads((CONTENT / "products" / f"{product}.json").read_text())
    document |= changed
    document = {key: value for key, value in document.items() if value is not None}
    found = Product.from_json(json.dumps(document))
    return {**products(), found.id: found}


def number(value: str | None, unit: str, mark: str | None = "V") -> dict[str, Any]:
    found: dict[str, Any] = {"unit": unit, "source": "test", "checked_on": "2026-01-01"}
    return found | ({"value": value} if value else {}) | ({"mark": mark} if mark else {})


# --- dates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 4, "2027-04-30"),
        ("2026-03-31", 3, "2026-06-30"),
        ("2026-03-15", 3, "2026-06-15"),
        ("2024-02-29", 12, "2025-02-28"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(start: str, months: int, end: str) -> None:
    assert forward(date.fromisoformat(start), months, "mo") == date.fromisoformat(end)


def test_days_weeks_and_years_and_the_end_of_the_calendar() -> None:
    assert forward(DAY, 12, "wk") == DAY + timedelta(days=84)
    assert forward(DAY, Fraction(1, 2), "d") == DAY + timedelta(days=1)
    assert forward(date(2024, 2, 29), 1, "a") == date(2025, 2, 28)
    assert forward(DAY, 10**12, "d") == forward(DAY, 10**12, "mo") == forward(DAY, 10**12, "a") == date.max
    assert forward(date(2199, 12, 30), 1, "d") == date(2199, 12, 31)
    assert forward(date(2199, 12, 31), 1, "d") == forward(date(2199, 12, 1), 1, "mo") == date.max


@pytest.mark.parametrize(("number", "unit"), [(Fraction(1, 2), "mo"), (3, "h"), (3, "")])
def test_a_span_that_the_calendar_does_not_know_is_an_error(number: Fraction, unit: str) -> None:
    with pytest.raises(ValueError, match="limit"):
        forward(DAY, number, unit)


@pytest.mark.parametrize("token", ["84", "d-84", "-3-mo", "3-h", "٣-mo", "", "1.5-mo"])
def test_a_span_token_has_one_spelling(token: str) -> None:
    with pytest.raises(ValueError, match="span"):
        span(token)


def test_somebody_born_on_29_february_comes_of_age_on_1_march() -> None:
    assert birthday(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert birthday(date(2008, 2, 29), 16) == date(2024, 2, 29)
    assert birthday(date(2008, 2, 28), 18) == date(2026, 2, 28)
    assert birthday(DAY, 10**6) == date.max
    with pytest.raises(ValueError, match="age"):
        birthday(DAY, Fraction(1, 2))
    assert cases(findings(context(date="2026-02-28", **born("2008-02-29")))) == {"AGE/under-18"}
    assert findings(context(date="2026-03-01", **born("2008-02-29"))) == ()


# --- age ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "in_market", "birth", "refused"),
    [
        # "< 65" refuses 65, "18-65" allows it and refuses 66, "contraindicated >= 75" refuses 75.
        ("azzalure-uk", "UK", "1961-06-15", True),
        ("azzalure-uk", "UK", "1961-06-16", False),
        ("dysport-us", "US", "1961-06-15", True),
        ("bocouture-uk", "UK", "1961-06-15", False),
        ("bocouture-uk", "UK", "1960-06-16", False),
        ("bocouture-uk", "UK", "1960-06-15", True),
        ("bocouture-eu", "EU", "1960-06-15", True),
        ("letybo-uk", "UK", "1951-06-15", True),
        ("letybo-uk", "UK", "1951-06-16", False),
        ("letybo-us", "US", "1930-01-01", False),
    ],
)
def test_the_upper_age_is_read_as_the_row_writes_it(product: str, in_market: str, birth: str, refused: bool) -> None:
    found = findings(context(product, **born(birth)), in_market)
    assert {code for code, _ in codes(found)} == ({"AGE_MAX"} if refused else set())


def test_a_secondary_upper_age_is_unverified_until_accepted() -> None:
    about = context("relfydess-uk", **born("1950-01-01"))
    (found,) = findings(about)
    assert found.unverified
    (found,) = findings(about, policies=policies(accepted_suggestions=["pore.product.relfydess-uk/age_max"]))
    assert not found.unverified


# --- TOX12 --------------------------------------------------------------------------------------------------------


def interval(product: str, in_market: str, history: list[dict[str, Any]], *doses: str, **more: Any) -> set[str]:
    about = context(product, doses or ("nose 4",), history=history, **more.pop("about", {}))
    return {case for case in cases(findings(about, in_market, **more)) if case.startswith("TOX12")}


def test_the_boundary_day_of_the_interval_is_allowed() -> None:
    # XEOMIN: 3 calendar months on the previous and on the planned row.
    assert interval("xeomin-us", "US", [past("xeomin-us", "2026-03-15", "20", "nose")]) == set()
    assert interval("xeomin-us", "US", [past("xeomin-us", "2026-03-16", "20", "nose")]) == {"TOX12/same-region"}


def test_the_latest_limit_of_both_rows_counts() -> None:
    # AZZALURE's own 12 weeks have passed; BOTOX Cosmetic's 90 days and 3 months are the later ones.
    rows = (products()["pore.product.azzalure-uk"], products()["pore.product.botox-cosmetic-us"])
    assert retreatment(DAY, rows[:1], fallback=FALLBACK).day == DAY + timedelta(days=84)
    assert retreatment(DAY, rows, fallback=FALLBACK).day == date(2026, 9, 15)
    assert retreatment(date(2026, 2, 1), rows, fallback=FALLBACK).day == date(2026, 5, 2)
    assert retreatment(DAY, rows, fallback=FALLBACK).verified == date(2026, 9, 15)


@pytest.mark.parametrize("given", ["2026-01-01", "2026-02-01", "2026-06-15", "2026-11-30"])
def test_an_empty_limit_is_the_latest_of_84_days_90_days_and_3_months_unverified(given: str) -> None:
    start = date.fromisoformat(given)
    expected = max(start + timedelta(days=90), forward(start, 3, "mo"))
    for empty in (None, products()["pore.product.botox-uk"], products()["pore.product.relfydess-uk"]):
        assert retreatment(start, (empty,), fallback=FALLBACK).day == expected
        assert retreatment(start, (empty,), fallback=FALLBACK).verified is None
    accepted = {"pore.product.relfydess-uk/retreatment.mo"}
    planned = products()["pore.product.relfydess-uk"]
    relfydess = retreatment(start, (planned,), fallback=FALLBACK, accepted=accepted)
    assert relfydess.day == relfydess.verified == forward(start, 3, "mo")


def test_the_limits_that_stand_for_an_unread_one_are_those_of_the_rules() -> None:
    assert compile_rules(rules()).fallback == FALLBACK
    # The sentence on the follow-up plan says the same figures in words.
    assert "latest of 84 days, 90 days and 3 calendar months" in MESSAGES["retreat-unverified"]["en"]


def test_an_unread_limit_without_a_rule_to_stand_for_it_is_an_error_and_no_free_pass() -> None:
    with pytest.raises(ValueError, match="fallback"):
        retreatment(DAY, (None,), fallback=())


def test_a_finding_that_only_an_empty_limit_raises_is_unverified() -> None:
    def unverified(product: str, days: int) -> bool:
        history = [past(product, before(days), "20", "nose")]
        (found,) = findings(context("azzalure-uk", history=history))
        return found.unverified

    assert not unverified("azzalure-uk", 83)
    about = context("botox-uk", history=[past("botox-uk", before(89), "20", "nose")])
    (found,) = findings(about)
    assert (found.case, found.unverified) == ("same-region", True)
    rows = row("azzalure-uk", retreatment=[number("12", "wk"), number(None, "mo", None)])
    late = findings(context("azzalure-uk", history=[past("azzalure-uk", before(89), "9", "nose")]), products=rows)
    assert [(one.case, one.unverified) for one in late] == [("same-region", True)]
    early = findings(context("azzalure-uk", history=[past("azzalure-uk", before(80), "9", "nose")]), products=rows)
    assert [(one.case, one.unverified) for one in early] == [("same-region", False)]


def test_a_toxin_known_by_inn_only_has_an_empty_limit() -> None:
    history = [past("abobotulinumtoxinA", before(85), "20", "nose")]
    about = context("azzalure-uk", history=history)
    assert [(one.case, one.unverified) for one in findings(about)] == [("same-region", True)]


def test_the_other_cheek_is_the_same_region() -> None:
    history = [past("bocouture-uk", before(30), "5", "cheek left")]
    assert interval("bocouture-uk", "UK", history, "cheek right 4") == {"TOX12/same-region"}


def test_another_region_is_a_review_and_each_finding_has_its_regions() -> None:
    history = [past("bocouture-uk", before(30), "5", "cheek left")]
    found = findings(context("bocouture-uk", ("cheek right 4", "nose 4", "chin 4"), history=history))
    assert scopes(found) == {"TOX12/same-region": ["cheek right"], "TOX12/other-region": ["chin", "nose"]}
    assert codes(found) == {("TOX12", "block"), ("TOX12", "review")}


def test_an_unknown_region_is_the_same_and_an_unknown_date_is_recent() -> None:
    assert interval("bocouture-uk", "UK", [past("bocouture-uk", before(30), "5")]) == {"TOX12/same-region"}
    assert interval("bocouture-uk", "UK", [past("bocouture-uk", None, "5", "nose")]) == {"TOX12/same-region"}
    assert interval("bocouture-uk", "UK", [past("bocouture-uk", None, "5", "chin")]) == {"TOX12/other-region"}
    assert interval("bocouture-uk", "UK", [past("bocouture-uk", before(200), "5")]) == set()


def test_nothing_planned_yet_is_a_review() -> None:
    history = [past("bocouture-uk", before(30), "5", "nose")]
    for product in ("bocouture-uk", None):
        found = findings(context(product, None, history=history))
        assert codes(found) == {("TOX12", "review")}
        assert cases(found) == {"TOX12/nothing-planned"}
    in_view = findings(context(None, None, history=history, regions=[place("chin")]))
    assert scopes(in_view) == {"TOX12/nothing-planned": ["chin"]}


def test_a_session_without_toxin_asks_for_no_interval() -> None:
    history = [past("bocouture-uk", before(30), None), past(None, None, None)]
    assert findings(context(None, (), history=history, regions=[place("nose")])) == ()


def test_another_region_treated_elsewhere_on_the_same_day_is_an_earlier_treatment() -> None:
    elsewhere = [past("bocouture-uk", DAY.isoformat(), "5", "chin")]
    assert interval("bocouture-uk", "UK", elsewhere) == {"TOX12/other-region"}
    here = [past("bocouture-uk", DAY.isoformat(), "5", "chin", given="here")]
    assert interval("bocouture-uk", "UK", here) == set()
    same = [past("bocouture-uk", DAY.isoformat(), "5", "nose", given="here")]
    assert interval("bocouture-uk", "UK", same) == {"TOX12/same-region"}


WINDOW = {"top_up_window": {"first_day": 14, "last_day": 28}}
TOP_UP = {"session": "top-up", "tops_up": "t1"}


def topped(days: int, product: str = "bocouture-uk", **more: Any) -> dict[str, Any]:
    known = {"given": "here", "treatment": "t1", "doses": [place("nose") | {"units": "4"}]}
    return past(product, before(days), "4", "nose", **{**known, **more})


@pytest.mark.parametrize(
    ("days", "expected"),
    [(13, "same-region"), (14, "top-up"), (28, "top-up"), (29, "same-region"), (0, "same-region")],
)
def test_the_top_up_window_includes_its_first_and_last_day(days: int, expected: str) -> None:
    found = interval("bocouture-uk", "UK", [topped(days)], policies=policies(**WINDOW), about=TOP_UP)
    assert found == {f"TOX12/{expected}"}


def test_without_a_window_a_top_up_is_blocked() -> None:
    assert interval("bocouture-uk", "UK", [topped(14)], about=TOP_UP) == {"TOX12/same-region"}


@pytest.mark.parametrize(
    "history",
    [
        [topped(14, treatment="t2")],
        [topped(14, given="elsewhere")],
        [topped(14, product="azzalure-uk")],
        [{**topped(14), "date": before(0)}],
        [topped(14), topped(10, treatment="t2")],
        [],
    ],
    ids=["another treatment", "elsewhere", "another product", "today", "a second top-up", "not in the history"],
)
def test_what_is_no_top_up_of_the_named_treatment_is_blocked(history: list[dict[str, Any]]) -> None:
    found = interval("bocouture-uk", "UK", history, policies=policies(**WINDOW), about=TOP_UP)
    assert "TOX12/same-region" in found


def test_a_top_up_of_unknown_date_is_blocked() -> None:
    unknown = {key: value for key, value in topped(14).items() if key != "date"}
    found = interval("bocouture-uk", "UK", [unknown], policies=policies(**WINDOW), about=TOP_UP)
    assert found == {"TOX12/same-region"}


def test_only_a_top_up_session_uses_the_window() -> None:
    found = interval("bocouture-uk", "UK", [topped(14)], policies=policies(**WINDOW), about={"session": "repeat"})
    assert found == {"TOX12/same-region"}


def test_a_top_up_reaches_only_what_was_treated() -> None:
    about = context("bocouture-uk", ("nose 4", "chin 4"), history=[topped(14)], **TOP_UP)
    found = findings(about, policies=policies(**WINDOW))
    assert scopes(found) == {"TOX12/top-up": ["nose"], "TOX12/other-region": ["chin"]}
    assert verdict(found) == "review"


# --- CUM ----------------------------------------------------------------------------------------------------------


def ceiling(history: list[dict[str, Any]], dose: str = "forehead 20", product: str = "botox-cosmetic-us") -> set[str]:
    found = findings(context(product, (dose,) if dose else None, history=history), "US" if "us" in product else "UK")
    return {case for case in cases(found) if case.startswith("CUM")}


def test_the_ceiling_itself_is_allowed() -> None:
    assert ceiling([past("botox-cosmetic-us", before(40), "380", "other")]) == set()
    assert ceiling([past("botox-cosmetic-us", before(40), "380.1", "other")]) == {"CUM/over"}


def test_the_window_is_the_longer_of_3_months_and_90_days_boundary_counted() -> None:
    assert ceiling([past("botox-cosmetic-us", "2026-03-15", "390", "other")]) == {"CUM/over"}
    assert ceiling([past("botox-cosmetic-us", "2026-03-14", "390", "other")]) == set()
    # Over February, 90 days are longer than 3 months: 1 February + 90 d = 2 May.
    history = [past("botox-cosmetic-us", "2026-02-01", "390", "other")]
    for day, expected in (("2026-05-02", {"CUM/over"}), ("2026-05-03", set())):
        found = findings(context("botox-cosmetic-us", ("forehead 20",), history=history, date=day), "US")
        assert cases(found) == expected


def test_exposures_and_planned_doses_of_one_unit_add_up() -> None:
    history = [past(name, before(40), "190", "other") for name in ("botox-cosmetic-us", "onabotulinumtoxinA")]
    assert ceiling(history) == set()
    assert ceiling(history, "forehead 20.5") == {"CUM/over"}
    assert ceiling([*history, past("dysport-us", before(40), "300", "other")]) == set()
    assert ceiling([past("botox-cosmetic-us", None, "390", "other")]) == {"CUM/over"}


def test_unknown_earlier_units_are_a_review() -> None:
    for product in ("botox-cosmetic-us", "onabotulinumtoxinA", None, "vistabel-xx"):
        assert ceiling([past(product, before(40), None, "other")]) == {"CUM/unknown-units"}
    assert ceiling([past(None, before(40), "300", "other")]) == {"CUM/unknown-units"}
    assert ceiling([past("dysport-us", before(40), None, "other")]) == set()
    assert ceiling([past("abobotulinumtoxinA", before(40), None, "other")]) == set()
    assert ceiling([past("botox-cosmetic-us", before(100), None, "other")]) == set()


def test_unknown_units_do_not_hide_what_is_over_already() -> None:
    history = [past("botox-cosmetic-us", before(40), "390", "other"), past(None, None, None)]
    assert ceiling(history) == {"CUM/over", "CUM/unknown-units"}


def test_history_alone_may_be_over() -> None:
    assert ceiling([past("botox-cosmetic-us", before(40), "401", "other")], "") == {"CUM/over"}
    assert ceiling([past("botox-cosmetic-us", before(40), "400", "other")], "") == set()


def test_without_a_ceiling_on_its_row_a_product_has_none() -> None:
    assert ceiling([past("botox-uk", before(40), "900", "other")], product="botox-uk") == set()


def test_per_session_figures_of_a_label_raise_nothing() -> None:
    assert {code for code, _ in codes(findings(context("relfydess-uk", ("forehead 120",))))} == set()


# --- TOXOTHER -----------------------------------------------------------------------------------------------------


def other(history: list[dict[str, Any]], product: str | None = "bocouture-uk") -> bool:
    found = findings(context(product, ("nose 4",) if product else None, history=history))
    return "TOXOTHER/recent" in cases(found)


def test_another_toxin_counts_for_4_calendar_months_boundary_included() -> None:
    assert other([past("azzalure-uk", "2026-02-15", "20", "chin")])
    assert not other([past("azzalure-uk", "2026-02-14", "20", "chin")])
    assert other([past("azzalure-uk", None, "20", "chin")])


def test_what_another_product_is() -> None:
    recent = before(100)
    assert other([past("xeomin-us", recent, "20", "chin")])
    assert other([past(None, recent, "20", "chin")])
    assert other([past("onabotulinumtoxinA", recent, "20", "chin")])
    assert not other([past("bocouture-uk", recent, "20", "chin")])
    assert not other([past("bocouture-eu", recent, "20", "chin")])
    assert not other([past("incobotulinumtoxinA", recent, "20", "chin")])
    assert not other([past("azzalure-uk", recent, "20", "chin")], None)


# --- answers with dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stopped", "raised"), [("2025-12-15", False), ("2025-12-16", True), ("2026-06-15", True), ("2026-07-01", True)]
)
def test_isotretinoin_counts_for_less_than_6_months(stopped: str, raised: bool) -> None:
    answers = clean(isotretinoin=("choice", "stopped-date-known"), isotretinoin_stop_date=("date", stopped))
    assert cases(findings(context(), answers=answers)) == ({"ISO/recent"} if raised else set())


@pytest.mark.parametrize(
    ("day", "raised"),
    [("2026-06-14", False), ("2026-06-15", True), ("2026-06-28", True), ("2026-06-29", False)],
)
def test_an_event_counts_in_less_than_2_weeks(day: str, raised: bool) -> None:
    answers = clean(event_planned=("boolean", True), event_date=("date", day))
    assert cases(findings(context(), answers=answers)) == ({"EVENT/soon"} if raised else set())


@pytest.mark.parametrize(
    ("day", "raised"),
    [("2026-05-17", False), ("2026-05-18", True), ("2026-06-15", True), ("2026-07-13", True), ("2026-07-14", False)],
)
def test_an_operation_counts_within_28_days_either_way(day: str, raised: bool) -> None:
    answers = clean(operation_planned=("choice", "date-known"), operation_date=("date", day))
    assert cases(findings(context(), answers=answers)) == ({"AMINO/planned"} if raised else set())


def test_an_operation_named_on_the_day_without_a_date_counts_beside_a_far_one() -> None:
    answers = clean(operation_planned=("choice", "date-known"), operation_date=("date", "2027-01-01"))
    day = clean_day(operation_planned=("choice", "date-unknown"))
    assert cases(findings(context(stage="treatment"), answers=answers, day_answers=day)) == {"AMINO/planned"}


# --- REGION_DOSE --------------------------------------------------------------------------------------------------


def dose_findings(*doses: str, **more: Any) -> dict[str, list[str]]:
    about = context(more.pop("product", "bocouture-uk"), doses, **more.pop("about", {}))
    found = findings(about, **more)
    return {case: where for case, where in scopes(found).items() if case.startswith("REGION_DOSE")}


def test_a_dose_is_compared_per_side() -> None:
    assert dose_findings("cheek left 20", "cheek right 20") == {}
    assert dose_findings("cheek left 12", "cheek left 9") == {"REGION_DOSE/evidence": ["cheek left"]}
    assert dose_findings("cheek 20.5") == {"REGION_DOSE/evidence": ["cheek"]}


def test_a_threshold_is_never_borrowed() -> None:
    assert dose_findings("cheek right 30", product="azzalure-uk") == {}
    assert dose_findings("cheek right 30", product="botox-uk") == {}


def top_up_of(*doses: str, **more: Any) -> dict[str, Any]:
    treated = topped(14, **more)
    del treated["doses"]
    parts = [text.rpartition(" ") for text in doses]
    return treated | {
        "doses": [place(where) | {"units": units} for where, _, units in parts],
        "regions": [place(where) for where, _, _ in parts],
    }


def test_a_top_up_adds_the_treatment_it_tops_up_per_side() -> None:
    about = {**TOP_UP, "history": [top_up_of("cheek left 18", "cheek right 10")]}
    assert dose_findings("cheek left 4", "cheek right 4", about=about) == {"REGION_DOSE/evidence": ["cheek left"]}
    assert dose_findings("cheek left 2", "cheek right 10", about=about) == {}
    repeat = {"session": "repeat", "history": about["history"]}
    assert dose_findings("cheek left 4", about=repeat) == {}


def test_a_topped_up_dose_that_is_not_known_counts_as_above() -> None:
    known = {"given": "here", "treatment": "t1"}
    nothing = past("bocouture-uk", before(14), None, "cheek left", **known)
    total = past("bocouture-uk", before(14), "17", "cheek left", "nose", **known)
    elsewhere = past("bocouture-uk", before(14), "17", "nose", **known)
    above = {"REGION_DOSE/evidence": ["cheek left"]}
    assert dose_findings("cheek left 1", about={**TOP_UP, "history": [nothing]}) == above
    assert dose_findings("cheek left 4", about={**TOP_UP, "history": [total]}) == above
    assert dose_findings("cheek left 3", about={**TOP_UP, "history": [total]}) == {}
    assert dose_findings("cheek left 4", about={**TOP_UP, "history": [elsewhere]}) == {}
    assert dose_findings("cheek left 1", about={**TOP_UP, "history": []}) == above


def test_units_of_another_product_are_never_added() -> None:
    about = {**TOP_UP, "history": [top_up_of("cheek left 18", product="azzalure-uk")]}
    assert dose_findings("cheek left 4", about=about) == {}


def figure(product: str, region: str, units: str, **more: Any) -> dict[str, Any]:
    return {
        "product": f"pore.product.{product}",
        "region": f"pore.region.{region}",
        "units": units,
        "reason": "r",
    } | more


def test_the_clinics_own_figure_raises_where_it_is_lower_or_alone() -> None:
    own = policies(dose_figures=[figure("bocouture-uk", "cheek", "15"), figure("botox-uk", "cheek", "20")])
    assert dose_findings("cheek left 15", policies=own) == {}
    assert dose_findings("cheek left 16", policies=own) == {"REGION_DOSE/clinic-policy": ["cheek left"]}
    assert set(dose_findings("cheek left 21", policies=own)) == {"REGION_DOSE/clinic-policy", "REGION_DOSE/evidence"}
    assert set(dose_findings("cheek left 21", product="botox-uk", policies=own)) == {"REGION_DOSE/clinic-policy"}
    assert dose_findings("cheek left 21", product="nuceiva-uk", policies=own) == {}
    right = policies(dose_figures=[figure("botox-uk", "cheek", "5", side="right")])
    assert dose_findings("cheek left 6", "cheek right 6", product="botox-uk", policies=right) == {
        "REGION_DOSE/clinic-policy": ["cheek right"]
    }


def test_a_threshold_per_region_takes_both_sides_together() -> None:
    document = evidence().to_document()
    document["thresholds"][0] |= {"per": "region"}
    both = EvidenceBase.from_json(json.dumps(document))
    assert dose_findings("cheek left 12", "cheek right 9", evidence=both) == {
        "REGION_DOSE/evidence": ["cheek left", "cheek right"]
    }


def test_a_secondary_threshold_is_shown_as_unverified_and_an_empty_one_is_none() -> None:
    document = evidence().to_document()
    document["thresholds"][0]["units"] |= {"mark": "T"}
    about = context("bocouture-uk", ("cheek left 21",))
    (found,) = findings(about, evidence=EvidenceBase.from_json(json.dumps(document)))
    assert found.unverified
    document["thresholds"][0]["units"] = number(None, "[arb'U]", "M")
    assert findings(about, evidence=EvidenceBase.from_json(json.dumps(document))) == ()


# --- products, excipients, anaesthetics ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "in_market", "blocked"),
    [
        ("bocouture-uk", "UK", False),
        ("bocouture-eu", "UK", True),
        ("bocouture-uk", "EU", True),
        ("botox-cosmetic-us", "US", False),
        ("innotox-kr", "UK", True),
    ],
)
def test_a_product_needs_a_row_for_the_clinics_market(product: str, in_market: str, blocked: bool) -> None:
    assert cases(findings(context(product), in_market)) == ({"UNLICENSED/any"} if blocked else set())


def test_a_row_from_memory_is_no_sourced_row() -> None:
    licensed = {"text": {"en": "x"}, "source": "memory", "mark": "M", "checked_on": "2026-01-01"}
    assert cases(findings(context(), products=row("bocouture-uk", licensed=licensed))) == {"UNLICENSED/any"}


@pytest.mark.parametrize(("present", "blocked"), [("yes", True), ("unknown", True), (None, True), ("no", False)])
def test_an_excipient_that_is_not_known_to_be_absent_is_there(present: str | None, blocked: bool) -> None:
    listed = [{"name": "albumin", "present": present, "source": "test", "mark": "V"}] if present else []
    found = findings(
        context(),
        answers=clean(allergies=("multi-choice", ["albumin"])),
        products=row("bocouture-uk", excipients=listed),
    )
    assert cases(found) == ({"ALB/allergy"} if blocked else set())


def test_without_a_product_no_excipient_is_met() -> None:
    answers = clean(allergies=("multi-choice", ["albumin", "lactose", "milk-protein"]))
    assert findings(context(None, None), answers=answers) == ()


@pytest.mark.parametrize(
    ("chosen", "blocked"),
    [(None, False), ("none", False), ("ice", False), ("emla", True), ("lidocaine-cream", True), ("unheard-of", True)],
)
def test_an_allergy_blocks_every_local_anaesthetic(chosen: str | None, blocked: bool) -> None:
    about = context(**({"anaesthetic": chosen} if chosen else {}))
    answers = clean(allergies=("multi-choice", ["local-anaesthetic"]))
    found = findings(about, answers=answers, anaesthetics={"ice": False, "emla": True, "lidocaine-cream": True})
    assert cases(found) == ({"ANAES/allergy"} if blocked else set())


def test_dry_eye_matters_for_regions_near_the_eye_only() -> None:
    dry = clean(eyes=("multi-choice", ["dry-eye"]))
    about = context("bocouture-uk", ("nose 4", "infraorbital left 2"))
    assert scopes(findings(about, answers=dry)) == {"DRYEYE/periocular": ["infraorbital left"]}
    assert findings(context(None, None), answers=dry) == ()
    in_view = context(None, None, regions=[place("infraorbital right"), place("nose")])
    assert scopes(findings(in_view, answers=dry)) == {"DRYEYE/periocular": ["infraorbital right"]}
    unknown = context("bocouture-uk", ("eyelid 1",))
    assert cases(findings(unknown, answers=dry)) == {"DRYEYE/periocular"}


# --- rules that a clinic or an extension could write --------------------------------------------------------------


def one_rule(predicate: dict[str, Any], **case: Any) -> SafetyRules:
    shown = {"id": "c", "action": "review", "message": {"en": "m"}, "source": "s", "mark": "V"}
    rule = {
        "code": "X",
        "title": {"en": "x"},
        "checked_on": "2026-01-01",
        "cases": [shown | case | {"predicate": predicate}],
    }
    document = {
        "type": "safety-rules",
        "id": "pore.rules.test",
        "version": "1.0.0",
        "title": {"en": "Test"},
        "rules": [rule],
    }
    return SafetyRules.from_json(json.dumps(document))


def condition(question: str, operator: str, value: Any) -> dict[str, Any]:
    return {"conditions": [{"question": f"pore.q.{question}", "operator": operator, "value": value}]}


def test_a_score_is_compared_with_the_limit_of_its_rule() -> None:
    limit = {"value": "40", "unit": "1", "source": "test", "mark": "V", "checked_on": "2026-01-01"}
    predicate = {"type": "computed", "check": "screen-result", "question": "pore.q.bdd-score", "limit": limit}
    for score, raised in ((39, False), (40, True)):
        answers = clean(bdd_score=("integer", score))
        assert bool(findings(context(), rules=one_rule(predicate), answers=answers)) is raised
    assert findings(context(), rules=one_rule(predicate)) == ()


def test_conditions_that_hold_unanswered_ask_only_forms_that_were_answered() -> None:
    missing = one_rule({"type": "answers", "when": condition("fainting", "!=", False)})
    assert findings(context(), rules=missing) == ()
    assert findings(context(), rules=missing, answers={}) == ()
    assert cases(findings(context(), rules=missing, answers=clean(voluntary=("boolean", True)))) == set()
    without = {key: value for key, value in clean().items() if key != "pore.q.fainting"}
    assert cases(findings(context(), rules=missing, answers=without)) == {"X/c"}
    assert findings(context(), rules=missing, day_answers=clean_day()) == ()
    absent = one_rule({"type": "answers", "when": condition("fainting", "exists", False)})
    assert cases(findings(context(), rules=absent, answers=without)) == {"X/c"}


def test_conditions_may_be_met_by_both_forms_together() -> None:
    both = {
        "conditions": [
            *condition("fainting", "=", True)["conditions"],
            *condition("voluntary", "=", False)["conditions"],
        ]
    }
    rules = one_rule({"type": "answers", "when": both})
    fainting, forced = clean(fainting=("boolean", True)), clean_day(voluntary=("boolean", False))
    assert findings(context(), rules=rules, answers=fainting, day_answers=clean_day()) == ()
    assert cases(findings(context(), rules=rules, answers=fainting, day_answers=forced)) == {"X/c"}


@pytest.mark.parametrize(
    ("scope", "applies"),
    [
        ({"stages": ["treatment"]}, False),
        ({"stages": ["plan", "treatment"]}, True),
        ({"markets": ["US"]}, False),
        ({"markets": ["EU", "UK"]}, True),
        ({"products": ["pore.product.azzalure-uk"]}, False),
        ({"products": ["pore.product.bocouture-uk"]}, True),
        ({"except_products": ["pore.product.bocouture-uk"]}, False),
        ({"except_products": ["pore.product.azzalure-uk"]}, True),
        ({"inns": ["letibotulinumtoxinA"]}, False),
        ({"inns": ["incobotulinumtoxinA"]}, True),
    ],
)
def test_a_case_applies_in_its_scope_only(scope: dict[str, Any], applies: bool) -> None:
    rules = one_rule({"type": "answers", "when": condition("fainting", "=", False)}, **scope)
    assert bool(findings(context(), rules=rules)) is applies


def test_a_case_for_certain_products_needs_a_product() -> None:
    for scope in ({"products": ["pore.product.bocouture-uk"]}, {"inns": ["incobotulinumtoxinA"]}):
        rules = one_rule({"type": "answers", "when": condition("fainting", "=", False)}, **scope)
        assert findings(context(None, None), rules=rules) == ()
    excepted = one_rule(
        {"type": "answers", "when": condition("fainting", "=", False)}, except_products=["pore.product.bocouture-uk"]
    )
    assert cases(findings(context(None, None), rules=excepted)) == {"X/c"}


RAISING = [
    {"check": "age-min"},
    {"check": "age-min", "limit": {"value": "18", "unit": "mo"}},
    {"check": "interval"},
    {"check": "interval", "parameters": ["same-region"]},
    {"check": "interval", "parameters": ["someday", "84-d"]},
    {"check": "interval", "parameters": ["same-region", "84"]},
    {"check": "cumulative"},
    {"check": "cumulative", "parameters": ["under"]},
    {"check": "other-toxin"},
    {"check": "region-dose", "parameters": ["guess"]},
    {"check": "recent-date", "parameters": ["sometime"], "limit": {"value": "2", "unit": "wk"}},
    {"check": "planned-blocker", "limit": {"value": "1", "unit": "mo"}},
]


@pytest.mark.parametrize("predicate", RAISING)
def test_a_rule_that_cannot_be_evaluated_blocks(predicate: dict[str, Any]) -> None:
    limit = predicate.get("limit")
    if limit:
        predicate = predicate | {"limit": {"source": "s", "mark": "V", "checked_on": "2026-01-01"} | limit}
    history = [past("botox-cosmetic-us", before(10), "5", "nose")]
    about = context("botox-cosmetic-us", history=history)
    found = findings(about, "US", rules=one_rule({"type": "computed"} | predicate))
    assert [(one.code, one.case, one.severity) for one in found] == [(UNAVAILABLE, "X", "block")]
    assert verdict(found) == "block"


def test_a_condition_that_cannot_be_compared_blocks() -> None:
    rules = one_rule({"type": "answers", "when": condition("weight", ">", "heavy")})
    found = findings(context(), rules=rules, answers=clean(weight=("decimal", "80")))
    assert {one.code for one in found} == {UNAVAILABLE}


def test_a_situation_that_cannot_be_looked_up_blocks() -> None:
    (found,) = findings(context(), products=None)
    assert (found.code, found.severity) == (UNAVAILABLE, "block")


def test_every_check_of_the_contract_exists() -> None:
    schema = SafetyRules.model_json_schema()
    assert set(CHECKS) == set(schema["$defs"]["ComputedPredicate"]["properties"]["check"]["enum"])


def test_findings_are_joined_once_and_most_severe_first() -> None:
    def finding(code: str, severity: str, plugin: str = "pore") -> Finding:
        document = {"code": code, "severity": severity, "message": {"en": "m"}, "source": "s", "mark": "V"}
        return Finding.from_json(json.dumps(document | {"plugin": plugin}))

    one, two, three = finding("B", "inform"), finding("A", "review"), finding("C", "block")
    theirs = finding("A", "review", "acme")
    assert join((one, two), (two, three), (theirs,)) == (three, theirs, two, one)
    assert join() == ()
    assert verdict(()) == "clear"
    assert [verdict((one,)), verdict((one, two)), verdict((two, three, one))] == ["inform", "review", "block"]


def test_a_market_may_ask_for_a_higher_age_never_for_a_lower() -> None:
    for years, raised in (("21", True), ("16", False)):
        asked = market("UK").model_copy(update={"age_min": SourcedNumber.from_json(json.dumps(number(years, "a")))})
        about = context(**born("2006-06-15"))
        assert cases(findings(about, market=asked)) == ({"AGE/under-18"} if raised else set())
    assert cases(findings(context(**born("2009-06-15")), market=asked)) == {"AGE/under-18"}


def test_recorded_doses_tell_the_regions_of_a_treatment() -> None:
    treated = past("bocouture-uk", before(30), "4", given="here", doses=[place("chin") | {"units": "4"}])
    del treated["regions"]
    assert interval("bocouture-uk", "UK", [treated]) == {"TOX12/other-region"}


def test_a_rule_that_is_always_on_is_never_switched_off() -> None:
    rule_set = one_rule({"type": "answers", "when": condition("fainting", "=", False)})
    off = policies(switched_off_rules=["X"])
    assert findings(context(), rules=rule_set, policies=off) == ()
    always = tuple(rule.model_copy(update={"always_on": True}) for rule in rule_set.rules)
    found = findings(context(), rules=rule_set.model_copy(update={"rules": always}), policies=off)
    assert cases(found) == {"X/c"}
