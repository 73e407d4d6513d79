"""The forms that ship: every item of the consultation, the day of treatment, the follow-up and its red flags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pore_plugin.clinical.forms.conditions import holds, index, visible
from pore_plugin.contracts.answers import Answer, BooleanAnswer, ChoiceAnswer, MultiChoiceAnswer, RegionMapAnswer
from pore_plugin.contracts.answers import RegionMark as Mark
from pore_plugin.contracts.forms import (
    AttachmentQuestion,
    ChoiceQuestion,
    ConsultationForm,
    DecimalQuestion,
    IntegerQuestion,
    MultiChoiceQuestion,
    QuantityQuestion,
    Question,
    RegionMapQuestion,
)
from pore_plugin.validation import problems

FOLDER = Path(__file__).parents[1] / "src" / "pore_plugin" / "content" / "forms"
NAMES = ("consultation", "day-of-treatment", "follow-up-d2", "follow-up-review", "red-flags")
WATCHING = ("follow-up-d2", "follow-up-review", "red-flags")


def form(name: str) -> ConsultationForm:
    return ConsultationForm.from_json((FOLDER / f"{name}.json").read_bytes())


FORMS = {name: form(name) for name in NAMES}


def questions(name: str) -> dict[str, Question]:
    return {question.id: question for section in FORMS[name].sections for question in section.questions}


def option_codes(question: Question) -> tuple[str, ...]:
    assert isinstance(question, ChoiceQuestion | MultiChoiceQuestion)
    return tuple(option.code for option in question.options)


def texts(value: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every localised text of a document: a mapping whose keys all look like locales and whose values are strings."""
    if isinstance(value, dict):
        for key, below in value.items():
            here = f"{pointer}/{key}"
            if key in ("title", "text", "help", "sign", "message"):
                yield here, below
            else:
                yield from texts(below, here)
    elif isinstance(value, list):
        for place, below in enumerate(value):
            yield from texts(below, f"{pointer}/{place}")


@pytest.mark.parametrize("name", NAMES)
def test_a_form_satisfies_its_published_contract(name: str) -> None:
    assert list(problems("consultation-form", (FOLDER / f"{name}.json").read_bytes())) == []
    assert FORMS[name].id == f"pore.form.{name}"


@pytest.mark.parametrize("name", NAMES)
def test_a_form_ships_as_a_draft_without_an_invented_reviewer(name: str) -> None:
    assert FORMS[name].status == "draft"
    assert FORMS[name].review is None


@pytest.mark.parametrize("name", NAMES)
def test_a_form_file_is_formatted_for_reading_and_diffing(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_text_has_exactly_the_locales_of_its_form(name: str) -> None:
    document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    locales = set(document["title"])
    assert "en" in locales
    assert [pointer for pointer, text in texts(document) if set(text) != locales] == []


# Section 4.1 of the clinical basis, item by item: the question, and the options where the item is an option.
ITEMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    *(
        (item, f"pore.q.causes-{place}", (option,))
        for place in ("forehead", "nose", "cheek-right", "cheek-left", "chin")
        for item, option in (
            ("sebum", "oil"),
            ("comedones or plugs", "comedones"),
            ("elasticity loss, photo-ageing", "elasticity-loss"),
            ("elongated pores", "elongated-pores"),
            ("follicle and hair volume", "hair-follicles"),
            ("hair removal", "hair-removal"),
            ("acne", "acne"),
            ("acne scars", "acne-scars"),
            ("occlusive cosmetics", "occlusive-products"),
            ("UV", "uv"),
        )
    ),
    ("goals", "pore.q.goals", ()),
    ("concerns", "pore.q.concerns", ("visible-pores", "oily-skin")),
    ("acne history", "pore.q.acne-history", ("past", "now")),
    ("hair removal", "pore.q.hair-removal", ()),
    ("sex", "pore.q.sex", ()),
    ("hormones", "pore.q.hormones", ()),
    ("cycle phase", "pore.q.cycle-phase", ()),
    ("skin care", "pore.q.routine", ("cleanser", "retinoid", "acids", "occlusive-cosmetics")),
    ("family", "pore.q.family-pores", ()),
    ("ethnic background", "pore.q.ethnic-background", ()),
    ("UV", "pore.q.sun", ()),
    (
        "differential",
        "pore.q.not-a-pore",
        (
            "ice-pick-scars",
            "rolling-scars",
            "sebaceous-hyperplasia",
            "dilated-pore-of-winer",
            "rosacea",
            "phyma",
            "sebaceous-filaments",
        ),
    ),
    ("differential by region", "pore.q.not-a-pore-regions", ()),
    ("Fitzpatrick", "pore.q.fitzpatrick", ("I", "II", "III", "IV", "V", "VI")),
    ("oiliness by measurement", "pore.q.oil-measured", ("sebumeter", "other-device", "not-measured")),
    ("oily or combination", "pore.q.oil-type", ("combination", "oily")),
    ("isotretinoin", "pore.q.isotretinoin", ("now",)),
    ("isotretinoin dose", "pore.q.isotretinoin-dose", ()),
    ("isotretinoin stop date", "pore.q.isotretinoin-stop-date", ()),
    (
        "drugs",
        "pore.q.medicines",
        (
            "aminoglycoside",
            "spectinomycin",
            "nm-blocker",
            "anticholinergic",
            "muscle-relaxant",
            "quinidine",
            "magnesium",
            "penicillamine",
            "quinine",
            "anticoagulant",
            "antiplatelet",
            "nsaid",
            "supplements",
            "antiandrogen",
            "oral-contraceptive",
            "class-iii-antiarrhythmic",
        ),
    ),
    ("planned neuromuscular blocker", "pore.q.operation-date", ()),
    ("toxin, product", "pore.q.toxin-product", ("bocouture-uk", "onabotulinumtoxinA", "unknown")),
    ("toxin, date", "pore.q.toxin-date", ()),
    ("toxin, site", "pore.q.toxin-regions", ()),
    ("toxin, units", "pore.q.toxin-units", ()),
    ("toxin, response", "pore.q.toxin-response", ()),
    ("toxin, duration", "pore.q.toxin-duration", ()),
    ("toxin, side effects", "pore.q.toxin-side-effects", ()),
    ("toxin, other clinic or hospital", "pore.q.toxin-where", ("here", "elsewhere")),
    ("toxin, indication", "pore.q.toxin-purpose", ("aesthetic", "medical", "unknown")),
    ("toxin, suspected resistance", "pore.q.toxin-resistance", ()),
    (
        "other procedures",
        "pore.q.procedures",
        ("filler", "laser", "peel", "microneedling", "dental", "vaccination"),
    ),
    *(
        (f"date of {procedure}", f"pore.q.{procedure}-date", ())
        for procedure in ("filler", "laser", "peel", "microneedling", "dental", "vaccination")
    ),
    ("expectations", "pore.q.good-enough", ()),
    ("shown", "pore.q.shown", ("temporary", "mixed-evidence", "may-not-work", "needle-effect")),
    ("BDD screen", "pore.q.bdd-result", ("positive", "negative", "not-done")),
    ("BDD instrument", "pore.q.bdd-instrument", ("bddq-as", "cops")),
    ("pressure or coercion", "pore.q.capacity-concerns", ("coerced",)),
    ("voluntary", "pore.q.voluntary", ()),
    ("photographs", "pore.q.photographs", ()),
    ("scale scores", "pore.q.scores-taken", ("sebumeter", "kim-pore-score", "el-attar-pore-scale")),
    ("movement at rest", "pore.q.exam-rest", ()),
    ("movement, smile", "pore.q.exam-smile", ()),
    ("movement, brow", "pore.q.exam-brow", ()),
    ("asymmetry", "pore.q.asymmetry-note", ()),
    ("lid position", "pore.q.exam-lid", ()),
    ("scars", "pore.q.scars", ()),
    ("identity check logged", "pore.q.birth-date-checked", ()),
    (
        "alternatives of 4.5",
        "pore.q.alternatives",
        (
            "topical-retinoids",
            "salicylic-peel",
            "glycolic-peel",
            "oral-antiandrogens",
            "laser",
            "microneedling",
            "fractional-rf",
            "ultrasound",
            "niacinamide",
            "oral-isotretinoin",
            "photoprotection",
            "no-treatment",
        ),
    ),
)


@pytest.mark.parametrize(("item", "question", "options"), ITEMS, ids=lambda value: value if type(value) is str else "")
def test_the_consultation_asks_for_every_item(item: str, question: str, options: tuple[str, ...]) -> None:
    asked = questions("consultation").get(question)
    assert asked is not None, item
    if options:
        assert set(options) <= set(option_codes(asked)), item


def test_the_cause_of_pores_is_asked_where_the_concern_is() -> None:
    nose = RegionMapAnswer(
        question="pore.q.concern-regions", type="region-map", value=(Mark(region="pore.region.nose"),)
    )
    shown = {question for question, _ in visible(FORMS["consultation"], index([nose])) if ".causes-" in question}
    assert shown == {"pore.q.causes-nose"}


def test_photographs_have_five_views_at_rest_and_in_movement() -> None:
    asked = questions("consultation")["pore.q.photographs"]
    assert isinstance(asked, AttachmentQuestion)
    views = ("frontal", "left-oblique", "right-oblique", "left-lateral", "right-lateral")
    assert set(asked.views) == {f"{view}-{face}" for view in views for face in ("rest", "smile", "brow-raise")}
    assert asked.max_items >= len(asked.views)


def test_the_psychological_screen_holds_a_result_and_no_items() -> None:
    kept = {question.id: question.type for name, question in questions("consultation").items() if ".bdd-" in name}
    assert kept == {
        "pore.q.bdd-result": "choice",
        "pore.q.bdd-instrument": "choice",
        "pore.q.bdd-score": "integer",
    }


def test_the_toxin_history_repeats_and_opens_only_on_a_yes() -> None:
    for name, guard in (("consultation", "pore.q.toxin-ever"), ("day-of-treatment", "pore.q.toxin-other-since")):
        section = next(part for part in FORMS[name].sections if part.id == "pore.section.toxin-history")
        assert section.repeats == 20
        first = {question.id for question in section.questions}
        for answer, expected in ((True, first), (False, set())):
            given = index([BooleanAnswer(question=guard, type="boolean", value=answer)])
            assert {question for question, _ in visible(FORMS[name], given)} & first == expected


def test_the_day_form_asks_the_same_questions_as_the_consultation() -> None:
    consultation = questions("consultation")
    own = {"pore.q.toxin-other-since", "pore.q.still-consents"}
    day = questions("day-of-treatment")
    assert set(day) - set(consultation) == own
    for name in set(day) - own:
        assert day[name].type == consultation[name].type
        assert day[name].required == consultation[name].required
        if isinstance(day[name], ChoiceQuestion | MultiChoiceQuestion):
            assert option_codes(day[name]) == option_codes(consultation[name])


@pytest.mark.parametrize(
    "question",
    [
        "pore.q.pregnancy",
        "pore.q.skin-at-site",
        "pore.q.medicines",
        "pore.q.operation-planned",
        "pore.q.toxin-other-since",
        "pore.q.still-consents",
        "pore.q.voluntary",
        "pore.q.capacity-concerns",
    ],
)
def test_the_day_form_leaves_no_safety_question_open(question: str) -> None:
    asked = questions("day-of-treatment")[question]
    assert asked.required
    assert asked.show_when is None


@pytest.mark.parametrize("name", NAMES)
def test_none_of_these_stands_alone(name: str) -> None:
    for question in questions(name).values():
        if isinstance(question, MultiChoiceQuestion):
            exclusive = [option.code for option in question.options if option.exclusive]
            assert exclusive == (["none"] if "none" in option_codes(question) else [])


def test_practitioners_examine_and_patients_tell() -> None:
    by = {name: question.answered_by for name, question in questions("consultation").items()}
    for name in ("causes-nose", "not-a-pore", "fitzpatrick", "exam-face", "bdd-result", "capacity-concerns"):
        assert by[f"pore.q.{name}"] == "practitioner"
    for name in ("pregnancy", "allergies", "medicines", "toxin-ever", "concerns", "voluntary"):
        assert by[f"pore.q.{name}"] == "patient"


def test_only_the_codes_that_were_looked_up_are_used_with_their_status() -> None:
    used = {
        (code.system, code.code, code.status)
        for name in NAMES
        for question in questions(name).values()
        for code in question.codes
    }
    assert used == {("http://loinc.org", "66472-2", "seen"), ("http://loinc.org", "72170-4", "unverified")}


def test_a_brand_or_inn_is_named_only_in_the_toxin_history() -> None:
    names = [option.text["en"].split(" (")[0] for option in _products()]
    names = [name.split(",")[0].lower() for name in names if name != "I do not know"]
    for name in NAMES:
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for section in document["sections"]:
            if section["id"] != "pore.section.toxin-history":
                said = " ".join(text["en"] for _, text in texts(section)).lower()
                assert [brand for brand in names if brand in said] == []


def _products() -> tuple[Any, ...]:
    asked = questions("consultation")["pore.q.toxin-product"]
    assert isinstance(asked, ChoiceQuestion)
    return asked.options


def test_the_toxin_history_names_every_product_that_ships() -> None:
    shipped = {path.stem for path in (FOLDER.parent / "products").glob("*.json")}
    assert shipped
    codes = {option.code for option in _products()}
    inns = {code for code in codes if code.endswith("botulinumtoxinA")}
    assert len(inns) == 7
    assert codes == shipped | inns | {"unknown"}


def test_a_region_on_a_form_is_on_the_face_map() -> None:
    known = {region["id"] for region in json.loads((FOLDER.parent / "regions.json").read_text("utf-8"))["regions"]}
    for name in NAMES:
        for question in questions(name).values():
            if isinstance(question, RegionMapQuestion):
                assert set(question.regions) <= known


# Section 6, the red flags: what is answered, and how urgent it is.
SIGNS = {
    "breathing": "emergency",
    "swallowing": "emergency",
    "wheeze": "emergency",
    "hives": "emergency",
    "swelling": "emergency",
    "faint": "emergency",
    "speaking": "advice",
    "hoarseness": "advice",
    "weakness": "advice",
    "double-vision": "advice",
    "blurred-vision": "advice",
    "bladder": "advice",
}
DROOPS = {"both-eyelids": "advice", "one-eyelid": "same-day", "brow": "same-day", "smile": "same-day"} | {
    "mouth": "same-day",
    "elsewhere": "same-day",
}
SAME_DAY = ("drooling", "spreading-redness", "heat", "pus", "fever", "dry-eye", "painful-eye")


def multi(question: str, *codes: str) -> Answer:
    return MultiChoiceAnswer(question=f"pore.q.{question}", type="multi-choice", value=codes)


def droop(*where: str) -> list[Answer]:
    return [BooleanAnswer(question="pore.q.droop", type="boolean", value=True), multi("droop-where", *where)]


def raised(name: str, *answers: Answer) -> set[tuple[str, str]]:
    given = index(answers)
    return {(flag.code, flag.urgency) for flag in FORMS[name].red_flags if holds(flag.when, given)}


@pytest.mark.parametrize("name", WATCHING)
def test_each_warning_sign_alone_raises_its_flag(name: str) -> None:
    for sign, urgency in SIGNS.items():
        assert raised(name, multi("warning-signs", sign)) == {(sign, urgency)}
    for sign in SAME_DAY:
        assert raised(name, multi("same-day-signs", sign)) == {(sign, "same-day")}
    for sign, urgency in DROOPS.items():
        assert raised(name, *droop(sign)) == {(f"droop-{sign}", urgency)}


@pytest.mark.parametrize("name", WATCHING)
@pytest.mark.parametrize("where", sorted(DROOPS))
def test_any_droop_with_another_sign_is_more_than_a_droop(name: str, where: str) -> None:
    for sign, urgency in SIGNS.items():
        found = raised(name, *droop(where), multi("warning-signs", sign))
        assert ("droop-with-sign", urgency) in found
        assert (sign, urgency) in found


@pytest.mark.parametrize("name", WATCHING)
def test_every_red_flag_option_raises_something(name: str) -> None:
    asked = questions(name)
    assert set(option_codes(asked["pore.q.warning-signs"])) == {*SIGNS, "none"}
    assert set(option_codes(asked["pore.q.droop-where"])) == set(DROOPS)
    assert set(option_codes(asked["pore.q.same-day-signs"])) == {*SAME_DAY, "none"}
    for question in ("warning-signs", "droop", "droop-where", "same-day-signs"):
        assert asked[f"pore.q.{question}"].required


@pytest.mark.parametrize("name", WATCHING)
def test_no_sign_raises_no_flag(name: str) -> None:
    none = BooleanAnswer(question="pore.q.droop", type="boolean", value=False)
    assert raised(name, multi("warning-signs", "none"), none, multi("same-day-signs", "none")) == set()


def test_red_flags_are_the_same_on_every_follow_up_form_and_asked_first() -> None:
    base = FORMS["red-flags"]
    assert [section.id for section in base.sections] == ["pore.section.warning-signs"]
    for name in WATCHING:
        assert FORMS[name].red_flags == base.red_flags
        assert FORMS[name].sections[0] == base.sections[0]


def test_what_is_remembered_and_not_read_is_marked_so() -> None:
    for flag in FORMS["red-flags"].red_flags:
        read = "M" if flag.urgency == "same-day" else "V"
        expected = "D" if flag.code in ("droop-elsewhere", "droop-unplaced") else read
        assert flag.mark == expected


@pytest.mark.parametrize("question", ["bruise", "pain", "headache", "warning-signs", "droop", "same-day-signs"])
def test_the_second_day_asks_what_can_go_wrong_early(question: str) -> None:
    assert questions("follow-up-d2")[f"pore.q.{question}"].required


STEPS = {
    "W1": {"oil-change", "dryness", "asymmetry"},
    "W2": {"oil-change", "asymmetry", "photographs", "scores-taken"},
    "W4": {"pore-change", "oil-change", "photographs", "scores-taken", "score-satisfaction", "no-response"},
    "W12": {"durability", "score-satisfaction", "photographs"},
    "W16": {"back-to-baseline", "decision"},
    "W24": {"oil-change", "durability"},
}


def test_each_review_asks_what_its_step_is_for() -> None:
    assert set(option_codes(questions("follow-up-review")["pore.q.review-step"])) == set(STEPS)
    always = _reviewed()
    for step, expected in STEPS.items():
        shown = _reviewed(ChoiceAnswer(question="pore.q.review-step", type="choice", value=step))
        assert expected <= shown, step
        assert always <= shown
    assert "photographs" not in _reviewed(ChoiceAnswer(question="pore.q.review-step", type="choice", value="W1"))
    assert "decision" not in always


def _reviewed(*answers: Answer) -> set[str]:
    shown = visible(FORMS["follow-up-review"], index(answers))
    return {question.removeprefix("pore.q.") for question, _ in shown}


def test_baseline_and_review_ask_for_the_same_scores() -> None:
    baseline = {name for name in questions("consultation") if ".score-" in name}
    later = {name for name in questions("follow-up-review") if ".score-" in name}
    only_after = {"gais", "gais-1-5", "gais-park", "pain-nrs", "satisfaction"}
    assert later - baseline == {f"pore.q.score-{name}" for name in only_after}
    assert baseline <= later


def instruments() -> dict[str, dict[str, Any]]:
    found = (json.loads(path.read_text("utf-8")) for path in (FOLDER.parent / "instruments").glob("*.json"))
    return {instrument["id"]: instrument for instrument in found}


def test_every_measure_has_its_question_with_the_range_and_unit_of_its_instrument() -> None:
    asked = {name: question for name, question in questions("follow-up-review").items() if ".score-" in name}
    # Screens of the consultation are kept as a result, not as a score to follow.
    screens = {"pore.instrument.bddq-as", "pore.instrument.cops"}
    assert {name.replace("pore.q.score-", "pore.instrument.") for name in asked} == set(instruments()) - screens
    for name, question in asked.items():
        instrument = instruments()[name.replace("pore.q.score-", "pore.instrument.")]
        assert isinstance(question, IntegerQuestion | DecimalQuestion | QuantityQuestion)
        if isinstance(question, QuantityQuestion):
            assert question.units == (instrument["unit"],)
        if question.max is not None:
            assert [str(question.min), str(question.max)] == [instrument["minimum"], instrument["maximum"]]


@pytest.mark.parametrize("step", ["W1", "W12", "W16", "W24"])
def test_a_review_from_afar_needs_no_practitioner(step: str) -> None:
    shown = _reviewed(ChoiceAnswer(question="pore.q.review-step", type="choice", value=step))
    asked = questions("follow-up-review")
    needed = {name for name in shown if asked[f"pore.q.{name}"].required}
    assert {name for name in needed if asked[f"pore.q.{name}"].answered_by == "practitioner"} == set()
