"""The safety rules that ship: the thirty codes of the table, what each does, and what each rests on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pore_plugin.clinical.forms.conditions import index
from pore_plugin.clinical.safety.suitability import assess
from pore_plugin.contracts.answers import (
    Answer,
    BooleanAnswer,
    ChoiceAnswer,
    DateAnswer,
    MultiChoiceAnswer,
    RegionMapAnswer,
    RegionMark,
)
from pore_plugin.contracts.clinic import Markets, Policies
from pore_plugin.contracts.common import PatientRef, RegionDose, RegionSide
from pore_plugin.contracts.forms import (
    ChoiceQuestion,
    Condition,
    ConsultationForm,
    DateQuestion,
    MultiChoiceQuestion,
    Question,
    RegionMapQuestion,
)
from pore_plugin.contracts.products import EvidenceBase, Product, RegionMap
from pore_plugin.contracts.safety import (
    AnswersPredicate,
    AssessmentContext,
    ComputedPredicate,
    RuleCase,
    SafetyRule,
    SafetyRules,
    ToxinExposure,
)
from pore_plugin.validation import problems

FOLDER = Path(__file__).parents[1] / "src" / "pore_plugin" / "content"
RULES = SafetyRules.from_json((FOLDER / "rules.json").read_bytes())
BY_CODE = {rule.code: rule for rule in RULES.rules}

# The table of section 4.2: each code with the actions that its row names.
TABLE: dict[str, set[str]] = {
    "AGE": {"block"},
    "AGE_MAX": {"review", "block"},
    "HYP": {"block", "inform"},
    "MILK": {"block", "review"},
    "ALB": {"block", "inform"},
    "INF": {"block"},
    "NMJ": {"block"},
    "DYS": {"review"},
    "PREG": {"block"},
    "LACT": {"block"},
    "TOX12": {"block", "review"},
    "CUM": {"block", "review"},
    "TOXOTHER": {"review"},
    "AMINO": {"review"},
    "ANTICH": {"review"},
    "ANTICOAG": {"inform", "review"},
    "CVD": {"review"},
    "THICK": {"inform"},
    "PALSY": {"review"},
    "IMMUNO": {"review"},
    "KEL": {"inform"},
    "ISO": {"inform"},
    "ANAES": {"block"},
    "BDD": {"review"},
    "CAPACITY": {"block"},
    "NEEDLE": {"inform"},
    "EVENT": {"inform"},
    "DRYEYE": {"review"},
    "UNLICENSED": {"block"},
    "REGION_DOSE": {"review"},
}
# Cases that the table does not have: an answer that leaves a safety question open is read with caution.
OURS = {("HYP", "unclear"), ("NMJ", "unclear"), ("AMINO", "unclear"), ("ISO", "date-unknown"), ("BDD", "not-done")} | {
    ("CAPACITY", "withdrawn")
}


def cases() -> Iterator[tuple[SafetyRule, RuleCase]]:
    for rule in RULES.rules:
        for case in rule.cases:
            yield rule, case


def form(name: str) -> dict[str, Question]:
    found = ConsultationForm.from_json((FOLDER / "forms" / f"{name}.json").read_bytes())
    return {question.id: question for section in found.sections for question in section.questions}


CONSULTATION = form("consultation")
DAY = form("day-of-treatment")


def conditions(case: RuleCase) -> tuple[Condition, ...]:
    when = case.predicate.when
    return when.conditions if when else ()


def rests_on(case: RuleCase) -> set[str]:
    predicate = case.predicate
    named = predicate.region_question if isinstance(predicate, AnswersPredicate) else predicate.question
    return {condition.question for condition in conditions(case)} | ({named} if named else set())


def test_the_rules_satisfy_their_published_contract() -> None:
    assert list(problems("safety-rules", (FOLDER / "rules.json").read_bytes())) == []
    assert (RULES.id, RULES.status, RULES.review) == ("pore.rules.safety", "draft", None)


def test_the_file_is_formatted_for_reading_and_diffing() -> None:
    text = (FOLDER / "rules.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_there_is_a_rule_for_each_code_of_the_table_and_no_other() -> None:
    assert len(TABLE) == 30
    assert set(BY_CODE) == set(TABLE)


@pytest.mark.parametrize("code", sorted(TABLE))
def test_a_rule_takes_the_actions_of_its_row(code: str) -> None:
    taken = {case.action for case in BY_CODE[code].cases if (code, case.id) not in OURS}
    assert taken == TABLE[code]


def test_an_open_answer_never_blocks_by_our_own_choice_alone() -> None:
    for rule, case in cases():
        if (rule.code, case.id) in OURS - {("CAPACITY", "withdrawn")}:
            assert case.action in ("review", "inform")
            assert case.mark == "D"


def test_the_rules_that_no_clinic_switches_off() -> None:
    assert {rule.code for rule in RULES.rules if rule.always_on} == {
        "AGE",
        "HYP",
        "INF",
        "NMJ",
        "PREG",
        "LACT",
        "TOX12",
        "CUM",
        "CAPACITY",
    }


def test_the_rules_that_are_scoped_to_regions() -> None:
    regional = {rule.code for rule in RULES.rules if rule.regional}
    assert regional == {"INF", "REGION_DOSE", "TOX12", "DRYEYE"}


def test_case_ids_are_unique_inside_a_rule() -> None:
    for rule in RULES.rules:
        assert len({case.id for case in rule.cases}) == len(rule.cases)


def test_what_was_not_read_in_a_first_hand_source_shows_as_unverified() -> None:
    unverified = {(rule.code, case.id, case.mark) for rule, case in cases() if case.mark in ("T", "M")}
    assert unverified == {
        ("MILK", "dysport-us", "T"),
        ("MILK", "speywood", "T"),
        ("ALB", "objection", "M"),
        ("INF", "active-herpes", "M"),
        ("INF", "pustular-acne", "M"),
        ("ANTICH", "others", "M"),
        ("THICK", "any", "T"),
        ("PALSY", "any", "M"),
        ("IMMUNO", "any", "M"),
        ("KEL", "any", "M"),
        ("CAPACITY", "intoxicated", "M"),
        ("EVENT", "soon", "M"),
    }


def test_a_number_from_memory_is_no_limit() -> None:
    limits = {
        (rule.code, case.predicate.limit.value, case.predicate.limit.unit, case.predicate.limit.mark)
        for rule, case in cases()
        if isinstance(case.predicate, ComputedPredicate) and case.predicate.limit
    }
    assert limits == {
        ("AGE", "18", "a", "V"),
        ("TOXOTHER", "4", "mo", "V"),
        ("AMINO", "28", "d", "D"),
        ("ISO", "6", "mo", "V"),
        ("EVENT", "2", "wk", "D"),
    }


def test_every_interval_case_knows_all_three_fallback_limits() -> None:
    for case in BY_CODE["TOX12"].cases:
        assert isinstance(case.predicate, ComputedPredicate)
        outcome, *fallback = case.predicate.parameters
        assert outcome == case.id
        assert fallback == ["84-d", "90-d", "3-mo"]


def test_every_question_a_rule_rests_on_is_asked_in_the_consultation() -> None:
    missing = {
        (rule.code, case.id, question) for rule, case in cases() for question in rests_on(case) - set(CONSULTATION)
    }
    # Whether the patient still agrees can only be asked on the day.
    assert missing == {("CAPACITY", "withdrawn", "pore.q.still-consents")}
    assert BY_CODE["CAPACITY"].cases[-1].stages == ("treatment",)
    assert "pore.q.still-consents" in DAY


@pytest.mark.parametrize("code", ["PREG", "LACT", "INF", "AMINO", "ANTICH", "TOX12", "CUM", "TOXOTHER", "CAPACITY"])
def test_the_day_form_asks_again_what_may_have_changed(code: str) -> None:
    asked = {question for case in BY_CODE[code].cases for question in rests_on(case)}
    assert asked <= set(DAY)


def test_every_condition_fits_the_question_it_compares_with() -> None:
    for rule, case in cases():
        for condition in conditions(case):
            assert condition.operator == "=", (rule.code, case.id)
            for asked in (CONSULTATION.get(condition.question), DAY.get(condition.question)):
                if isinstance(asked, ChoiceQuestion | MultiChoiceQuestion):
                    assert condition.value in {option.code for option in asked.options}, (rule.code, case.id)
                elif asked is not None:
                    assert asked.type == "boolean"
                    assert isinstance(condition.value, bool)


def test_every_check_reads_a_question_of_its_kind() -> None:
    for rule, case in cases():
        predicate = case.predicate
        if isinstance(predicate, AnswersPredicate):
            if predicate.region_question:
                assert isinstance(CONSULTATION[predicate.region_question], RegionMapQuestion)
            continue
        asked = CONSULTATION[predicate.question] if predicate.question else None
        if predicate.check in ("recent-date", "planned-blocker"):
            assert isinstance(asked, DateQuestion), rule.code
        if predicate.check in ("excipient", "screen-result"):
            assert isinstance(asked, ChoiceQuestion | MultiChoiceQuestion), rule.code
            assert set(predicate.parameters) <= {option.code for option in asked.options}, rule.code


def test_a_safety_question_cannot_be_left_out() -> None:
    # What is not known of earlier toxin stays empty on purpose: the rules read it with caution.
    open_on_purpose = {"pore.q.toxin-date", "pore.q.toxin-units"}
    for _, case in cases():
        for question in rests_on(case) - open_on_purpose:
            asked = CONSULTATION.get(question) or DAY[question]
            assert asked.required, question


def test_each_answer_that_matters_is_an_option_that_some_rule_looks_at() -> None:
    looked_at = {(condition.question, condition.value) for _, case in cases() for condition in conditions(case)}
    looked_at |= {
        (case.predicate.question, token)
        for _, case in cases()
        if isinstance(case.predicate, ComputedPredicate) and case.predicate.question
        for token in case.predicate.parameters
    }
    history_only = {"nsaid", "antiandrogen", "oral-contraceptive", "supplements", "other", "none"}
    for name in (
        "pregnancy",
        "allergies",
        "objections",
        "nerve-muscle",
        "swallowing-breathing",
        "health-conditions",
        "face-nerve",
        "eyes",
        "skin-at-site",
        "medicines",
        "exam-face",
        "capacity-concerns",
    ):
        asked = CONSULTATION[f"pore.q.{name}"]
        assert isinstance(asked, MultiChoiceQuestion)
        for option in asked.options:
            if option.code not in history_only:
                assert (asked.id, option.code) in looked_at, (name, option.code)


def test_a_product_in_a_scope_is_a_product_that_ships() -> None:
    shipped = {f"pore.product.{path.stem}" for path in (FOLDER / "products").glob("*.json")}
    for rule, case in cases():
        assert {*case.products, *case.except_products} <= shipped, rule.code


def test_every_text_has_exactly_the_locales_of_the_document() -> None:
    locales = set(RULES.title)
    assert "en" in locales
    for rule, case in cases():
        assert set(rule.title) == locales
        assert set(case.message) == locales


def test_no_rule_tells_anyone_to_stop_a_prescribed_medicine() -> None:
    for code in ("AMINO", "ANTICH", "ANTICOAG"):
        for case in BY_CODE[code].cases:
            said = case.message["en"].lower()
            assert "stop" not in said or "not stop a prescribed" in said or "not tell the patient to stop" in said


# --- through the engine: what is answered, for which product, and exactly which findings follow ---

MARKETS = {market.id: market for market in Markets.from_json((FOLDER / "markets.json").read_bytes()).markets}
REGIONS = RegionMap.from_json((FOLDER / "regions.json").read_bytes())
EVIDENCE = EvidenceBase.from_json((FOLDER / "evidence.json").read_bytes())
PRODUCTS = {
    product.id: product
    for product in (Product.from_json(path.read_bytes()) for path in sorted((FOLDER / "products").glob("*.json")))
}
DAY_OF_TREATMENT = "2026-12-01"


def many(question: str, *codes: str) -> Answer:
    return MultiChoiceAnswer(question=f"pore.q.{question}", type="multi-choice", value=codes)


def one(question: str, code: str) -> Answer:
    return ChoiceAnswer(question=f"pore.q.{question}", type="choice", value=code)


def yes(question: str, value: bool = True) -> Answer:
    return BooleanAnswer(question=f"pore.q.{question}", type="boolean", value=value)


def on(question: str, day: str) -> Answer:
    return DateAnswer(question=f"pore.q.{question}", type="date", value=day)


def at(question: str, *regions: str) -> Answer:
    marks = tuple(RegionMark(region=f"pore.region.{region}") for region in regions)
    return RegionMapAnswer(question=f"pore.q.{question}", type="region-map", value=marks)


def found(*answers: Answer, product: str = "botox-uk", born: str = "1990-05-05", **more: Any) -> set[tuple[str, str]]:
    """Return code and action of every finding for a nose treatment with this product in its own market."""
    row = PRODUCTS[f"pore.product.{product}"]
    given: dict[str, Any] = {
        "stage": "plan",
        "date": DAY_OF_TREATMENT,
        "patient": PatientRef(host="demo", id="p1", birth_date=born),
        "product": row.id,
        "planned": (RegionDose(region="pore.region.nose", units="4"),),
        "regions": (RegionSide(region="pore.region.nose"),),
    }
    market = more.pop("market", row.market)
    findings = assess(
        RULES,
        AssessmentContext(**(given | more)),
        answers=index(answers),
        products=PRODUCTS,
        regions=REGIONS,
        evidence=EVIDENCE,
        market=MARKETS[market],
        policies=Policies(),
        anaesthetics={"emla": True, "lmx4": True, "cooling": False},
    )
    return {(finding.code, finding.severity) for finding in findings}


NOTHING = (
    many("pregnancy", "none"),
    many("allergies", "none"),
    many("objections", "none"),
    many("nerve-muscle", "none"),
    many("swallowing-breathing", "none"),
    many("health-conditions", "none"),
    many("face-nerve", "none"),
    many("eyes", "none"),
    yes("fainting", False),
    many("skin-at-site", "none"),
    many("medicines", "none"),
    one("isotretinoin", "never"),
    one("operation-planned", "no"),
    yes("toxin-ever", False),
    yes("event-planned", False),
    yes("voluntary"),
    many("exam-face", "none"),
    one("bdd-result", "negative"),
    many("capacity-concerns", "none"),
)


def test_a_patient_with_nothing_to_report_raises_nothing() -> None:
    assert found(*NOTHING) == set()


INF_NOSE = at("skin-at-site-regions", "nose")
EACH: tuple[tuple[str, tuple[Answer, ...], dict[str, Any], set[tuple[str, str]]], ...] = (
    ("toxin allergy", (many("allergies", "botulinum-toxin"),), {}, {("HYP", "block")}),
    ("unknown reaction", (many("allergies", "not-sure"),), {}, {("HYP", "review")}),
    ("food allergy", (many("allergies", "other"),), {}, set()),
    ("trehalose in it", (many("allergies", "trehalose"),), {"product": "daxxify-us"}, {("HYP", "block")}),
    ("lactose not known", (many("allergies", "lactose"),), {}, {("HYP", "block")}),
    ("lactose objection", (many("objections", "lactose"),), {}, {("HYP", "inform")}),
    ("albumin allergy", (many("allergies", "albumin"),), {}, {("ALB", "block")}),
    ("albumin objection", (many("objections", "albumin"),), {}, {("ALB", "inform")}),
    ("no albumin in it", (many("allergies", "albumin"),), {"product": "daxxify-us"}, set()),
    ("milk, dysport", (many("allergies", "milk-protein"),), {"product": "dysport-us"}, {("MILK", "block")}),
    ("milk, azzalure", (many("allergies", "milk-protein"),), {"product": "azzalure-uk"}, {("MILK", "review")}),
    ("milk, other", (many("allergies", "milk-protein"),), {}, set()),
    ("infection here", (many("skin-at-site", "infection"), INF_NOSE), {}, {("INF", "block")}),
    ("cold sore here", (many("skin-at-site", "active-herpes"), INF_NOSE), {}, {("INF", "block")}),
    (
        "infection elsewhere",
        (many("skin-at-site", "infection"), at("skin-at-site-regions", "forehead")),
        {},
        set(),
    ),
    ("myasthenia", (many("nerve-muscle", "myasthenia-gravis"),), {}, {("NMJ", "block")}),
    ("motor neuropathy", (many("nerve-muscle", "motor-neuropathy"),), {}, {("NMJ", "block")}),
    ("unnamed nerve disease", (many("nerve-muscle", "not-sure"),), {}, {("NMJ", "review")}),
    ("swallowing", (many("swallowing-breathing", "dysphagia"),), {}, {("DYS", "review")}),
    ("pregnant", (many("pregnancy", "pregnant"),), {}, {("PREG", "block")}),
    ("trying", (many("pregnancy", "trying"),), {}, {("PREG", "block")}),
    ("possible", (many("pregnancy", "possible"),), {}, {("PREG", "block")}),
    ("breast-feeding", (many("pregnancy", "breast-feeding"),), {}, {("LACT", "block")}),
    ("aminoglycoside", (many("medicines", "aminoglycoside"),), {}, {("AMINO", "review")}),
    ("operation, no date", (one("operation-planned", "date-unknown"),), {}, {("AMINO", "review")}),
    (
        "operation on day 28",
        (one("operation-planned", "date-known"), on("operation-date", "2026-12-29")),
        {},
        {("AMINO", "review")},
    ),
    (
        "operation on day 29",
        (one("operation-planned", "date-known"), on("operation-date", "2026-12-30")),
        {},
        set(),
    ),
    ("anticholinergic", (many("medicines", "anticholinergic"),), {}, {("ANTICH", "review")}),
    ("quinine", (many("medicines", "quinine"),), {}, {("ANTICH", "review")}),
    ("blood thinner", (many("medicines", "anticoagulant"),), {}, {("ANTICOAG", "inform")}),
    ("bleeding", (many("health-conditions", "bleeding-disorder"),), {}, {("ANTICOAG", "inform")}),
    (
        "bleeding, letybo uk",
        (many("health-conditions", "bleeding-disorder"),),
        {"product": "letybo-uk"},
        {("ANTICOAG", "review")},
    ),
    ("heart", (many("health-conditions", "cardiovascular-disease"),), {}, {("CVD", "review")}),
    ("thick skin", (many("exam-face", "thick-sebaceous-skin"),), {}, {("THICK", "inform")}),
    ("palsy", (many("face-nerve", "bells-palsy"),), {}, {("PALSY", "review")}),
    ("diabetes", (many("health-conditions", "diabetes-poorly-controlled"),), {}, {("IMMUNO", "review")}),
    ("keloid", (many("health-conditions", "keloid-tendency"),), {}, {("KEL", "inform")}),
    ("isotretinoin now", (one("isotretinoin", "now"),), {}, {("ISO", "inform")}),
    (
        "isotretinoin stopped one day less than six months ago",
        (one("isotretinoin", "stopped-date-known"), on("isotretinoin-stop-date", "2026-06-02")),
        {},
        {("ISO", "inform")},
    ),
    (
        "isotretinoin stopped six months ago",
        (one("isotretinoin", "stopped-date-known"), on("isotretinoin-stop-date", "2026-06-01")),
        {},
        set(),
    ),
    ("isotretinoin, no date", (one("isotretinoin", "stopped-date-unknown"),), {}, {("ISO", "inform")}),
    (
        "numbing cream allergy",
        (many("allergies", "local-anaesthetic"),),
        {"anaesthetic": "lmx4"},
        {("ANAES", "block")},
    ),
    ("no anaesthetic", (many("allergies", "local-anaesthetic"),), {}, set()),
    ("cooling", (many("allergies", "local-anaesthetic"),), {"anaesthetic": "cooling"}, set()),
    (
        "G6PD and EMLA",
        (many("health-conditions", "g6pd-deficiency"),),
        {"anaesthetic": "emla"},
        {("ANAES", "block")},
    ),
    ("G6PD and another", (many("health-conditions", "g6pd-deficiency"),), {"anaesthetic": "lmx4"}, set()),
    (
        "class III and EMLA",
        (many("medicines", "class-iii-antiarrhythmic"),),
        {"anaesthetic": "emla"},
        {("ANAES", "block")},
    ),
    ("positive screen", (one("bdd-result", "positive"),), {}, {("BDD", "review")}),
    ("no screen", (one("bdd-result", "not-done"),), {}, {("BDD", "inform")}),
    ("cannot consent", (many("capacity-concerns", "cannot-consent"),), {}, {("CAPACITY", "block")}),
    ("intoxicated", (many("capacity-concerns", "intoxicated"),), {}, {("CAPACITY", "block")}),
    ("under pressure", (yes("voluntary", False),), {}, {("CAPACITY", "block")}),
    ("changed mind", (yes("still-consents", False),), {"stage": "treatment"}, {("CAPACITY", "block")}),
    ("fainting", (yes("fainting"),), {}, {("NEEDLE", "inform")}),
    (
        "event in 13 days",
        (yes("event-planned"), on("event-date", "2026-12-14")),
        {},
        {("EVENT", "inform")},
    ),
    ("event in two weeks", (yes("event-planned"), on("event-date", "2026-12-15")), {}, set()),
    ("dry eye, nose", (many("eyes", "dry-eye"),), {}, set()),
    (
        "dry eye, lower lid",
        (many("eyes", "lasik"),),
        {
            "planned": (RegionDose(region="pore.region.infraorbital", side="left", units="1"),),
            "regions": (RegionSide(region="pore.region.infraorbital", side="left"),),
        },
        {("DRYEYE", "review")},
    ),
    ("17 years old", (), {"born": "2008-12-02"}, {("AGE", "block")}),
    ("18 years old", (), {"born": "2008-12-01"}, set()),
    ("66, bocouture", (), {"product": "bocouture-uk", "born": "1960-12-01"}, {("AGE_MAX", "review")}),
    ("75, letybo uk", (), {"product": "letybo-uk", "born": "1951-12-01"}, {("AGE_MAX", "block")}),
    ("us product in the uk", (), {"product": "dysport-us", "market": "UK"}, {("UNLICENSED", "block")}),
    (
        "22 U in the right cheek",
        (),
        {
            "product": "bocouture-uk",
            "planned": (RegionDose(region="pore.region.cheek", side="right", units="22"),),
            "regions": (RegionSide(region="pore.region.cheek", side="right"),),
        },
        {("REGION_DOSE", "review")},
    ),
    (
        "another toxin three months ago, leg",
        (),
        {
            "history": (
                ToxinExposure(
                    product="pore.product.azzalure-uk",
                    units="50",
                    date="2026-09-01",
                    regions=(RegionSide(region="pore.region.other"),),
                    given="elsewhere",
                ),
            )
        },
        {("TOXOTHER", "review")},
    ),
    (
        "the nose a month ago",
        (),
        {
            "history": (
                ToxinExposure(
                    product="pore.product.botox-uk",
                    units="4",
                    date="2026-11-01",
                    regions=(RegionSide(region="pore.region.nose"),),
                    given="here",
                ),
            )
        },
        {("TOX12", "block")},
    ),
    (
        "390 U elsewhere forty days ago",
        (),
        {
            "product": "botox-cosmetic-us",
            "planned": (RegionDose(region="pore.region.nose", units="20"),),
            "history": (
                ToxinExposure(
                    product="pore.product.botox-cosmetic-us",
                    units="390",
                    date="2026-10-22",
                    regions=(RegionSide(region="pore.region.other"),),
                    given="elsewhere",
                ),
            ),
        },
        {("CUM", "block"), ("TOX12", "review")},
    ),
)


@pytest.mark.parametrize(("answers", "more", "expected"), [row[1:] for row in EACH], ids=[row[0] for row in EACH])
def test_a_finding_follows_from_its_answer_and_from_nothing_else(
    answers: tuple[Answer, ...], more: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    given = {answer.question for answer in answers}
    rest = tuple(answer for answer in NOTHING if answer.question not in given)
    assert found(*rest, *answers, **more) == expected


def test_every_code_of_the_table_was_raised_above() -> None:
    assert {code for row in EACH for code, _ in row[3]} == set(TABLE)
