"""The shipped rules on a healthy adult: the vectors of the clinical basis, and every rule code both ways."""

from __future__ import annotations

from typing import Any

import pytest

from pore_plugin.clinical.safety.evidence import evidence_for
from pore_plugin.clinical.safety.suitability import switched_off, verdict
from suitability_cases import (
    cases,
    clean,
    clean_day,
    codes,
    context,
    evidence,
    findings,
    market,
    past,
    policies,
    products,
    regions,
    rules,
    scopes,
)

NONE = {"en": "No evidence figure for {product} in this region ({region})."}

# --- vectors of the clinical basis, section 3 ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("product", "in_market", "doses"),
    [
        ("botox-cosmetic-us", "US", ("forehead 20",)),
        ("bocouture-uk", "UK", ("cheek left 20", "cheek right 20", "forehead 20", "glabella 5", "nose 5", "chin 22")),
        ("dysport-us", "US", ("forehead 45",)),
        ("azzalure-uk", "UK", ("forehead 45",)),
        ("daxxify-us", "US", ("forehead 8",)),
    ],
)
def test_a_clean_plan_has_no_finding(product: str, in_market: str, doses: tuple[str, ...]) -> None:
    found = findings(context(product, doses), in_market)
    assert codes(found) == set()
    assert verdict(found) == "clear"


def test_inco_22_u_in_the_right_cheek_is_a_review_there_only() -> None:
    found = findings(context("bocouture-uk", ("cheek right 22", "cheek left 20", "nose 40")))
    assert codes(found) == {("REGION_DOSE", "review")}
    assert scopes(found) == {"REGION_DOSE/evidence": ["cheek right"]}


def test_leti_22_u_in_the_right_cheek_has_no_finding_and_says_that_there_is_no_evidence() -> None:
    about = context("letybo-uk", ("cheek right 22",))
    assert codes(findings(about)) == set()
    texts = [text["en"] for text in evidence_for(about, evidence(), products=products(), regions=regions(), none=NONE)]
    assert any(text.startswith("No evidence figure") and "LETI" in text and "Cheek" in text for text in texts)
    assert not any(threshold.text["en"] in texts for threshold in evidence().thresholds)


@pytest.mark.parametrize("known_as", ["botox-cosmetic-us", "onabotulinumtoxinA", "botox-uk"])
def test_ona_390_u_elsewhere_40_days_ago_blocks_another_20_u_in_the_us(known_as: str) -> None:
    history = [past(known_as, "2026-05-06", "390", "other")]
    found = findings(context("botox-cosmetic-us", ("forehead 20",), history=history), "US")
    expected = {("CUM", "block"), ("TOX12", "review")}
    # Another brand than the planned one, although of the same unit.
    assert codes(found) == expected | ({("TOXOTHER", "review")} if known_as == "botox-uk" else set())
    assert cases(found) >= {"CUM/over", "TOX12/other-region"}


def test_abo_in_the_same_session_is_another_toxin_and_no_earlier_treatment() -> None:
    history = [past("dysport-us", "2026-06-15", "50", "nose", given="here")]
    found = findings(context("botox-cosmetic-us", ("forehead 20",), history=history), "US")
    assert codes(found) == {("TOXOTHER", "review")}


def test_the_evidence_text_of_the_planned_product_is_shown() -> None:
    about = context("xeomin-us", ("cheek left 20", "nose 5"))
    texts = [text["en"] for text in evidence_for(about, evidence(), products=products(), regions=regions(), none=NONE)]
    assert evidence().thresholds[0].text["en"] in texts
    assert next(text for text in texts if text.startswith("No evidence figure")).count("Nose") == 1


def test_the_evidence_of_a_session_without_toxin_names_no_dose() -> None:
    about = context(None, (), regions=[{"region": "pore.region.nose"}])
    texts = [text["en"] for text in evidence_for(about, evidence(), products=products(), regions=regions(), none=NONE)]
    assert texts
    assert not any("evidence figure" in text for text in texts)


# --- one code, one change -----------------------------------------------------------------------------------------

INFECTED = {
    "skin_at_site": ("multi-choice", ["infection"]),
    "skin_at_site_regions": ("region-map", [{"region": "pore.region.nose"}]),
}
EMLA = {"anaesthetic": "emla"}
MINOR = {"patient": {"host": "memory", "id": "p1", "birth_date": "2008-06-16"}}
OLD = {"patient": {"host": "memory", "id": "p1", "birth_date": "1950-06-15"}}
RECENT = [past("bocouture-uk", "2026-05-01", "20", "nose")]
HISTORY_OTHER = [past("azzalure-uk", "2026-03-01", "20", "chin")]

POSITIVE: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    # code/case, severity, product, changed answers, changed context
    ("AGE/under-18", "block", "bocouture-uk", {}, MINOR),
    ("AGE_MAX/above-label", "review", "bocouture-uk", {}, OLD),
    ("AGE_MAX/letybo-uk", "block", "letybo-uk", {}, OLD),
    ("HYP/botulinum-toxin", "block", "bocouture-uk", {"allergies": ("multi-choice", ["botulinum-toxin"])}, {}),
    ("HYP/excipient", "block", "bocouture-uk", {"allergies": ("multi-choice", ["lactose"])}, {}),
    ("HYP/excipient", "block", "bocouture-uk", {"allergies": ("multi-choice", ["other-excipient"])}, {}),
    ("HYP/objection", "inform", "bocouture-uk", {"objections": ("multi-choice", ["lactose"])}, {}),
    ("MILK/dysport-us", "block", "dysport-us", {"allergies": ("multi-choice", ["milk-protein"])}, {}),
    ("MILK/speywood", "review", "azzalure-uk", {"allergies": ("multi-choice", ["milk-protein"])}, {}),
    ("ALB/allergy", "block", "bocouture-uk", {"allergies": ("multi-choice", ["albumin"])}, {}),
    ("ALB/objection", "inform", "bocouture-uk", {"objections": ("multi-choice", ["albumin"])}, {}),
    ("INF/infection", "block", "bocouture-uk", INFECTED, {}),
    *(
        (f"INF/{sign}", "block", "bocouture-uk", INFECTED | {"skin_at_site": ("multi-choice", [sign])}, {})
        for sign in ("inflammation", "active-herpes", "pustular-acne")
    ),
    *(
        ("NMJ/known", "block", "botox-cosmetic-us", {"nerve_muscle": ("multi-choice", [disease])}, {})
        for disease in ("myasthenia-gravis", "lambert-eaton", "als", "motor-neuropathy")
    ),
    *(
        ("DYS/any", "review", "bocouture-uk", {"swallowing_breathing": ("multi-choice", [sign])}, {})
        for sign in ("dysphagia", "aspiration", "respiratory-compromise")
    ),
    *(
        ("PREG/any", "block", "bocouture-uk", {"pregnancy": ("multi-choice", [state])}, {})
        for state in ("pregnant", "trying", "possible")
    ),
    ("LACT/any", "block", "bocouture-uk", {"pregnancy": ("multi-choice", ["breast-feeding"])}, {}),
    ("TOX12/same-region", "block", "bocouture-uk", {}, {"history": RECENT}),
    ("TOXOTHER/recent", "review", "bocouture-uk", {}, {"history": HISTORY_OTHER}),
    *(
        ("AMINO/taking", "review", "bocouture-uk", {"medicines": ("multi-choice", [drug])}, {})
        for drug in ("aminoglycoside", "spectinomycin", "nm-blocker")
    ),
    ("AMINO/planned", "review", "bocouture-uk", {"operation_planned": ("choice", "date-unknown")}, {}),
    *(
        ("ANTICH/label", "review", "bocouture-uk", {"medicines": ("multi-choice", [drug])}, {})
        for drug in ("anticholinergic", "muscle-relaxant")
    ),
    *(
        ("ANTICH/others", "review", "bocouture-uk", {"medicines": ("multi-choice", [drug])}, {})
        for drug in ("quinidine", "magnesium", "penicillamine", "quinine")
    ),
    *(
        ("ANTICOAG/medicine", "inform", "letybo-uk", {"medicines": ("multi-choice", [drug])}, {})
        for drug in ("anticoagulant", "antiplatelet")
    ),
    (
        "ANTICOAG/bleeding-disorder",
        "inform",
        "bocouture-uk",
        {"health_conditions": ("multi-choice", ["bleeding-disorder"])},
        {},
    ),
    (
        "ANTICOAG/bleeding-disorder-letybo-uk",
        "review",
        "letybo-uk",
        {"health_conditions": ("multi-choice", ["bleeding-disorder"])},
        {},
    ),
    ("CVD/any", "review", "bocouture-uk", {"health_conditions": ("multi-choice", ["cardiovascular-disease"])}, {}),
    *(
        ("THICK/any", "inform", "bocouture-uk", {"exam_face": ("multi-choice", [sign])}, {})
        for sign in ("thick-sebaceous-skin", "deep-dermal-scars", "marked-asymmetry", "ptosis", "surgical-change")
    ),
    *(
        ("PALSY/any", "review", "bocouture-uk", {"face_nerve": ("multi-choice", [sign])}, {})
        for sign in ("bells-palsy", "facial-nerve-surgery")
    ),
    *(
        ("IMMUNO/any", "review", "bocouture-uk", {"health_conditions": ("multi-choice", [state])}, {})
        for state in ("immunosuppression", "diabetes-poorly-controlled")
    ),
    ("KEL/any", "inform", "bocouture-uk", {"health_conditions": ("multi-choice", ["keloid-tendency"])}, {}),
    ("ISO/now", "inform", "bocouture-uk", {"isotretinoin": ("choice", "now")}, {}),
    ("ISO/date-unknown", "inform", "bocouture-uk", {"isotretinoin": ("choice", "stopped-date-unknown")}, {}),
    (
        "ANAES/allergy",
        "block",
        "bocouture-uk",
        {"allergies": ("multi-choice", ["local-anaesthetic"])},
        {"anaesthetic": "lidocaine-cream"},
    ),
    *(
        (
            "ANAES/emla",
            "block",
            "bocouture-uk",
            {"health_conditions": ("multi-choice", [state])},
            {"anaesthetic": "emla"},
        )
        for state in ("g6pd-deficiency", "methaemoglobinaemia")
    ),
    (
        "ANAES/emla",
        "block",
        "bocouture-uk",
        {"medicines": ("multi-choice", ["class-iii-antiarrhythmic"])},
        {"anaesthetic": "emla"},
    ),
    ("BDD/positive", "review", "bocouture-uk", {"bdd_result": ("choice", "positive")}, {}),
    *(
        (f"CAPACITY/{sign}", "block", "bocouture-uk", {"capacity_concerns": ("multi-choice", [sign])}, {})
        for sign in ("cannot-consent", "coerced", "intoxicated")
    ),
    ("CAPACITY/coerced", "block", "bocouture-uk", {"voluntary": ("boolean", False)}, {}),
    ("NEEDLE/any", "inform", "bocouture-uk", {"fainting": ("boolean", True)}, {}),
    (
        "EVENT/soon",
        "inform",
        "bocouture-uk",
        {"event_planned": ("boolean", True), "event_date": ("date", "2026-06-20")},
        {},
    ),
    *(
        (
            "DRYEYE/periocular",
            "review",
            "bocouture-uk",
            {"eyes": ("multi-choice", [state])},
            {"planned": [{"region": "pore.region.infraorbital", "side": "left", "units": "2"}]},
        )
        for state in ("dry-eye", "lasik")
    ),
    ("UNLICENSED/any", "block", "xeomin-us", {}, {}),
    (
        "REGION_DOSE/evidence",
        "review",
        "bocouture-uk",
        {},
        {"planned": [{"region": "pore.region.cheek", "side": "left", "units": "20.1"}]},
    ),
]


@pytest.mark.parametrize(("case", "severity", "product", "answers", "more"), POSITIVE)
def test_one_change_raises_exactly_its_rule(
    case: str, severity: str, product: str, answers: dict[str, Any], more: dict[str, Any]
) -> None:
    about = context(product, **more)
    in_market = "US" if product.endswith("-us") and product != "xeomin-us" else "UK"
    found = findings(about, in_market, answers=clean(**answers))
    assert cases(found) == {case}
    assert codes(found) == {(case.partition("/")[0], severity)}
    assert verdict(found) == severity


def test_the_cumulative_ceiling_blocks_alone_when_the_interval_has_passed() -> None:
    # Three months to the day: allowed again by the interval, still counted by the ceiling.
    history = [past("botox-cosmetic-us", "2026-03-15", "390", "nose")]
    found = findings(context("botox-cosmetic-us", ("nose 20",), history=history), "US")
    assert cases(found) == {"CUM/over"}


def test_every_shipped_rule_was_raised_by_one_change() -> None:
    raised = {case.partition("/")[0] for case, *_ in POSITIVE} | {"CUM"}
    assert raised == {rule.code for rule in rules().rules}


NEGATIVE: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("of age on the day", "bocouture-uk", {}, {"patient": {"host": "m", "id": "p", "birth_date": "2008-06-15"}}),
    ("no upper age on the row", "botox-uk", {}, OLD),
    ("milk protein in none but ABO", "bocouture-uk", {"allergies": ("multi-choice", ["milk-protein"])}, {}),
    ("no albumin in DAXI", "daxxify-us", {"allergies": ("multi-choice", ["albumin"])}, {}),
    ("infection elsewhere", "bocouture-uk", INFECTED, {"planned": [{"region": "pore.region.chin", "units": "1"}]}),
    ("no anaesthetic chosen", "bocouture-uk", {"allergies": ("multi-choice", ["local-anaesthetic"])}, {}),
    (
        "another anaesthetic",
        "bocouture-uk",
        {"health_conditions": ("multi-choice", ["g6pd-deficiency"])},
        {"anaesthetic": "lmx4"},
    ),
    ("dry eye away from the eye", "bocouture-uk", {"eyes": ("multi-choice", ["dry-eye"])}, {}),
    ("other drugs", "bocouture-uk", {"medicines": ("multi-choice", ["nsaid", "oral-contraceptive"])}, {}),
    (
        "exactly the threshold",
        "bocouture-uk",
        {},
        {"planned": [{"region": "pore.region.cheek", "side": "left", "units": "20"}]},
    ),
]


@pytest.mark.parametrize(("name", "product", "answers", "more"), NEGATIVE)
def test_what_is_near_a_rule_but_outside_raises_nothing(
    name: str, product: str, answers: dict[str, Any], more: dict[str, Any]
) -> None:
    about = context(product, **more)
    assert findings(about, "US" if product.endswith("-us") else "UK", answers=clean(**answers)) == (), name


# --- stages, forms, policies --------------------------------------------------------------------------------------


def test_booking_with_nothing_but_a_birth_date_checks_the_age() -> None:
    about = context(None, None, stage="booking", **MINOR)
    assert cases(findings(about, answers={})) == {"AGE/under-18"}
    assert findings(context(None, None, stage="booking"), answers={}) == ()


def test_what_the_day_form_says_joins_what_the_consultation_said() -> None:
    about = context(stage="treatment")
    fainted = clean(fainting=("boolean", True))
    found = findings(about, answers=fainted, day_answers=clean_day(pregnancy=("multi-choice", ["possible"])))
    assert cases(found) == {"NEEDLE/any", "PREG/any"}
    pregnant = clean(pregnancy=("multi-choice", ["possible"]))
    assert cases(findings(about, answers=pregnant, day_answers=clean_day())) == {"PREG/any"}


def test_withdrawn_consent_on_the_day_blocks() -> None:
    day = clean_day(still_consents=("boolean", False))
    assert cases(findings(context(stage="treatment"), day_answers=day)) == {"CAPACITY/withdrawn"}


def test_a_clean_day_form_adds_nothing() -> None:
    assert findings(context(stage="treatment"), day_answers=clean_day()) == ()


def test_marks_are_read_form_by_form() -> None:
    about = context("bocouture-uk", ("nose 4", "chin 4"), stage="treatment")
    unmarked = clean_day(skin_at_site=("multi-choice", ["infection"]))
    found = findings(about, answers=clean(**INFECTED), day_answers=unmarked)
    assert scopes(found) == {"INF/infection": []}
    assert scopes(findings(about, answers=clean(**INFECTED), day_answers=clean_day())) == {"INF/infection": ["nose"]}


def test_an_infection_on_one_side_leaves_the_other() -> None:
    marked = INFECTED | {"skin_at_site_regions": ("region-map", [{"region": "pore.region.cheek", "side": "left"}])}
    about = context("bocouture-uk", ("cheek left 4", "cheek right 4", "nose 4"))
    assert scopes(findings(about, answers=clean(**marked))) == {"INF/infection": ["cheek left"]}
    right = context("bocouture-uk", ("cheek right 4",))
    assert findings(right, answers=clean(**marked)) == ()
    unsided = context("bocouture-uk", ("cheek 4",))
    assert scopes(findings(unsided, answers=clean(**marked))) == {"INF/infection": ["cheek"]}


def test_before_anything_is_planned_an_infection_is_shown_where_it_is() -> None:
    assert scopes(findings(context(None, None), answers=clean(**INFECTED))) == {"INF/infection": ["nose"]}


def test_rules_marked_secondary_or_from_memory_are_shown_as_unverified() -> None:
    found = findings(context(), answers=clean(fainting=("boolean", True), exam_face=("multi-choice", ["ptosis"])))
    assert {finding.code: finding.unverified for finding in found} == {"NEEDLE": False, "THICK": True}


def test_a_finding_rests_on_its_questions() -> None:
    (found,) = findings(context(), answers=clean(**INFECTED))
    assert found.rests_on == ("pore.q.skin-at-site", "pore.q.skin-at-site-regions")
    assert found.plugin == "pore"


def test_a_clinic_may_switch_off_a_review_but_never_a_block() -> None:
    off = policies(switched_off_rules=["NEEDLE", "MILK", "PREG", "AGE_MAX", "NOT_A_RULE"])
    milk = clean(
        allergies=("multi-choice", ["milk-protein"]),
        fainting=("boolean", True),
        pregnancy=("multi-choice", ["pregnant"]),
    )
    about = context("azzalure-uk", **OLD)
    assert cases(findings(about, answers=milk, policies=off)) == {"PREG/any"}
    assert cases(findings(context("dysport-us"), "US", answers=milk, policies=off)) == {"PREG/any", "MILK/dysport-us"}
    assert cases(findings(context("letybo-uk", **OLD), policies=off)) == {"AGE_MAX/letybo-uk"}

    def really_off(product: str, in_market: str) -> tuple[str, ...]:
        return switched_off(rules(), context(product), products=products(), market=market(in_market), policies=off)

    assert really_off("azzalure-uk", "UK") == ("AGE_MAX", "MILK", "NEEDLE")
    assert really_off("dysport-us", "US") == ("AGE_MAX", "NEEDLE")
    assert really_off("letybo-uk", "UK") == ("MILK", "NEEDLE")


ALWAYS_ON = {"AGE", "HYP", "INF", "NMJ", "PREG", "LACT", "TOX12", "CUM", "CAPACITY"}


def test_the_rules_that_no_clinic_switches_off_are_marked_so() -> None:
    assert {rule.code for rule in rules().rules if rule.always_on} == ALWAYS_ON


def test_the_rules_with_region_scope_are_marked_so() -> None:
    assert {rule.code for rule in rules().rules if rule.regional} == {"INF", "REGION_DOSE", "TOX12", "DRYEYE"}
