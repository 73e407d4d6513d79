"""Templates, protocols, schedules, consents, instruments and patient texts: sourced, whole, and fitting together."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pytest

from factories import MESSAGES
from pore_plugin import validation
from pore_plugin.clinical.planning.drafting import resolve_numbers
from pore_plugin.contracts import (
    Clinic,
    ClinicProtocol,
    ConsentText,
    ConsultationForm,
    EvidenceBase,
    FollowUpSchedule,
    Instrument,
    PatientTexts,
    ProcedureTemplate,
    Product,
    RegionMap,
    ScheduleStep,
    SourcedNumber,
)

CONTENT = resources.files("pore_plugin") / "content"


def files(folder: Traversable, path: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from files(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(".json"):
            yield f"{path}{entry.name}", entry.read_bytes()


FILES = {path: data for path, data in files(CONTENT) if not path.startswith("sample/")}
DOCUMENTS = {path: json.loads(data) for path, data in FILES.items()}
OURS = {
    path: document for path, document in DOCUMENTS.items() if path != "rules.json" and not path.startswith("forms/")
}
IDS = {document["id"] for document in DOCUMENTS.values()}


def read(model: Any, path: str) -> Any:
    return model.from_json(FILES[path])


PORES: ProcedureTemplate = read(ProcedureTemplate, "templates/microtoxin-pores.json")
FOREHEAD: ProcedureTemplate = read(ProcedureTemplate, "templates/microtoxin-forehead-sebum.json")
PEEL: ProcedureTemplate = read(ProcedureTemplate, "templates/salicylic-peel.json")
TEMPLATES = {template.id: template for template in (PORES, FOREHEAD, PEEL)}
SCHEDULE: FollowUpSchedule = read(FollowUpSchedule, "schedules/microtoxin.json")
PEEL_SCHEDULE: FollowUpSchedule = read(FollowUpSchedule, "schedules/peel.json")
STEPS: dict[str, ScheduleStep] = {step.id: step for step in SCHEDULE.steps}
EVIDENCE: EvidenceBase = read(EvidenceBase, "evidence.json")
REGIONS: RegionMap = read(RegionMap, "regions.json")
CONSENTS = {path: read(ConsentText, path) for path in FILES if path.startswith("consent/")}
INSTRUMENTS: dict[str, Instrument] = {
    path[12:-5]: read(Instrument, path) for path in FILES if path.startswith("instruments/")
}
PRODUCTS: dict[str, Product] = {path[9:-5]: read(Product, path) for path in FILES if path.startswith("products/")}
PROTOCOLS: dict[str, ClinicProtocol] = {
    path[10:-5]: read(ClinicProtocol, path) for path in FILES if path.startswith("protocols/")
}
TEXTS: PatientTexts = read(PatientTexts, "texts.json")


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for below in value.values():
            yield from nodes(below)
    elif isinstance(value, list):
        for below in value:
            yield from nodes(below)


@pytest.mark.parametrize("path", sorted(OURS))
def test_a_document_passes_the_schema_it_names_and_is_an_unreviewed_draft(path: str) -> None:
    document = OURS[path]
    assert document["$schema"] == f"urn:pore-plugin:schema:v0:{document['type']}"
    assert validation.problems(document["type"], FILES[path]) == ()
    assert document["status"] == "draft"
    assert "review" not in document


@pytest.mark.parametrize("path", sorted(OURS))
def test_a_file_is_indented_json_in_one_spelling(path: str) -> None:
    assert FILES[path].decode() == json.dumps(DOCUMENTS[path], indent=2, ensure_ascii=False) + "\n"


def test_every_text_has_the_same_locales() -> None:
    locales = re.compile(r"^[a-z]{2,3}(-[A-Z]{2})?$")
    found = {
        frozenset(node)
        for document in DOCUMENTS.values()
        for node in nodes(document)
        if node and all(locales.match(key) and isinstance(value, str) for key, value in node.items())
    }
    assert found == {frozenset({"en"})}


def test_ids_are_unique() -> None:
    assert len(IDS) == len(DOCUMENTS)


def test_every_number_carries_source_and_day_and_is_empty_without_a_mark_that_allows_it() -> None:
    numbers = [node for document in OURS.values() for node in nodes(document) if {"unit", "checked_on"} <= node.keys()]
    assert len(numbers) > 200
    for number in numbers:
        assert number["source"]
        assert number["checked_on"] == "2026-11-22"
        assert ("value" in number) == (number.get("mark") in ("V", "D", "T"))


# ---------------------------------------------------------------------------------------------- templates
def technique(name: str) -> SourcedNumber:
    assert PORES.injection is not None
    number = getattr(PORES.injection, name)
    assert isinstance(number, SourcedNumber)
    return number


@pytest.mark.parametrize(
    ("name", "value", "mark"),
    [
        ("spacing", None, "M"),
        ("depth", "1", "T"),
        ("angle", "10", "T"),
        ("needle_gauge", None, None),
        ("needle_length", None, "M"),
        ("syringe_graduation", "0.01", "D"),
    ],
)
def test_a_technique_figure_has_the_mark_of_its_source(name: str, value: str | None, mark: str | None) -> None:
    assert (technique(name).value, technique(name).mark) == (value, mark)


@pytest.mark.parametrize("template", [PORES, FOREHEAD], ids=lambda template: template.id)
def test_points_and_volumes_are_left_to_the_clinic(template: ProcedureTemplate) -> None:
    assert template.injection is not None
    assert template.injection.route == "intradermal"
    for region in template.injection.regions:
        assert region.points.value is None
        assert region.volume_per_point.value is None


def test_no_dose_for_pores_is_a_default() -> None:
    assert PORES.injection is not None
    assert all(region.units == () for region in PORES.injection.regions)


def test_the_forehead_dose_is_the_one_that_was_given_into_the_skin() -> None:
    assert FOREHEAD.injection is not None
    [forehead] = FOREHEAD.injection.regions
    figures = {number.inn: (number.number.value, number.number.mark) for number in forehead.units}
    assert figures == {"abobotulinumtoxinA": (None, None), "onabotulinumtoxinA": (None, None)}, "S4 names no brand"


def test_the_dilutions_are_those_reported() -> None:
    assert PORES.injection is not None
    found = [
        (
            scheme.inns,
            scheme.vial_units.value,
            [(step.draw.value if step.draw else None, step.add.value) for step in scheme.steps],
        )
        for scheme in PORES.injection.dilutions
    ]
    assert found == [
        (("incobotulinumtoxinA",), "100", [(None, "5")]),
        (("onabotulinumtoxinA",), "100", [(None, "5")]),
        (("onabotulinumtoxinA",), "100", [(None, "2.5"), ("0.5", "0.5")]),
    ]


@pytest.mark.parametrize(("anaesthetic", "minutes"), [("lidocaine-cream", "30"), ("lmx4", "30"), ("emla", "60")])
def test_an_anaesthetic_has_its_contact_time(anaesthetic: str, minutes: str) -> None:
    found = next(item for item in PORES.anaesthetics if item.id == anaesthetic)
    assert (found.contact_time.value, found.contact_time.mark) == (minutes, "V")
    assert found.local_anaesthetic


@pytest.mark.parametrize(
    ("item", "value", "unit"),
    [
        ("no-rubbing", "24", "h"),
        ("upright", "4", "h"),
        ("no-exercise", "24", "h"),
        ("no-heat", "24", "h"),
        ("no-alcohol", "24", "h"),
        ("no-make-up", "12", "h"),
        ("no-procedures", "14", "d"),
        ("no-pressure", "1", "night"),
    ],
)
def test_aftercare_values_are_suggestions_with_the_range_seen(item: str, value: str, unit: str) -> None:
    for template in (PORES, FOREHEAD):
        found = next(entry for entry in template.aftercare if entry.id == item)
        assert (found.value.value, found.value.unit, found.value.mark) == (value, unit, "T")
        assert found.range_seen
        assert "{value}" in found.text["en"]


@pytest.mark.parametrize("template", [PORES, FOREHEAD], ids=lambda template: template.id)
def test_an_injection_leaves_every_record_it_must(template: ProcedureTemplate) -> None:
    records = [record for step in template.steps for record in step.records]
    assert set(records) == {
        "identity-check", "day-form", "consent-check", "photographs", "vial", "dilution", "anaesthetic",
        "skin-preparation", "region-map", "doses", "waste", "observation", "reaction", "aftercare-given",
        "red-flag-card-given",
    }  # fmt: skip
    assert records[0] == "identity-check"
    assert records[-1] == "red-flag-card-given"


def test_the_peel_has_nothing_of_a_toxin() -> None:
    assert PEEL.injection is None
    assert PEEL.off_label is None
    assert all(parameter.number.value is None for parameter in PEEL.parameters)
    for path in ("templates/salicylic-peel.json", "consent/peel.json", "schedules/peel.json"):
        for node in nodes(DOCUMENTS[path]):
            words = str(node.get("en", "")).lower()
            assert not [word for word in ("toxin", "inject", "vial", "botox", "{product}", "{units}") if word in words]


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.id)
def test_a_template_refers_only_to_what_exists(template: ProcedureTemplate) -> None:
    wanted = {
        template.consultation_form, template.day_form, template.schedule,
        *template.consent_texts, *template.instruments,
    }  # fmt: skip
    assert wanted <= IDS
    assert set(template.evidence) <= {statement.id for statement in EVIDENCE.statements}
    regions = template.injection.regions if template.injection else template.regions
    assert {region.region for region in regions} <= {region.id for region in REGIONS.regions if region.treatable}
    assert template.alternatives[-1]["en"] == "No treatment"


def test_regions_of_a_template_have_sides_exactly_where_the_face_has() -> None:
    paired = {region.id: region.paired for region in REGIONS.regions}
    assert PORES.injection is not None
    for region in PORES.injection.regions:
        assert (region.sides == ("left", "right")) == paired[region.region]
    for place in PEEL.regions:
        assert (place.side is not None) == paired[place.region]


def test_all_evidence_is_used_by_a_template() -> None:
    used = {evidence for template in TEMPLATES.values() for evidence in template.evidence}
    assert used == {statement.id for statement in EVIDENCE.statements}


# ---------------------------------------------------------------------------------------------- sample protocols
SAMPLES = [
    ("sample-microtoxin-pores-inco-uk", "clinic"),
    ("sample-microtoxin-forehead-abo-us", "clinic-us"),
    ("sample-salicylic-peel", "clinic"),
]


def sample_clinic(name: str) -> Clinic:
    data = (CONTENT / "sample" / f"{name}.toml").read_bytes()
    return validation.check_toml(Clinic, data).model


@pytest.mark.parametrize(("name", "clinic_name"), SAMPLES)
def test_a_sample_protocol_makes_its_template_plannable_in_a_sample_clinic(name: str, clinic_name: str) -> None:
    clinic, protocol = sample_clinic(clinic_name), PROTOCOLS[name]
    product = PRODUCTS[protocol.product.removeprefix("pore.product.")] if protocol.product else None
    numbers = resolve_numbers(
        TEMPLATES[protocol.template],
        market=clinic.market,
        region_map=REGIONS,
        evidence=EVIDENCE,
        messages=MESSAGES,
        product=product,
        protocol=protocol,
        accepted=clinic.policies.accepted_suggestions,
    )
    assert numbers.problems == ()
    assert numbers.not_given == ()
    assert protocol.sample
    assert protocol.title["en"].startswith("SAMPLE")


def test_the_sample_doses_come_out_even() -> None:
    protocol = PROTOCOLS["sample-microtoxin-pores-inco-uk"]
    assert protocol.dilution is not None
    concentration = Decimal(protocol.dilution.vial_units) / Decimal(protocol.dilution.steps[0].add)
    assert concentration == 20
    doses = {(entry.region, entry.side): Decimal(entry.volume or "0") * concentration for entry in protocol.regions}
    assert doses[("pore.region.cheek", "left")] == doses[("pore.region.cheek", "right")] == 18
    assert sum(doses.values()) == 66


def test_a_sample_protocol_fills_only_what_the_template_leaves_empty() -> None:
    for protocol in PROTOCOLS.values():
        template = DOCUMENTS[f"templates/{protocol.template.rsplit('.', 1)[1]}.json"]
        empty = {
            **{f"injection.{key}": "value" not in number for key, number in template.get("injection", {}).items()
               if isinstance(number, dict) and "unit" in number},
            **{f"parameter.{item['id']}": "value" not in item["number"] for item in template.get("parameters", ())},
            **{f"consumable.{item['id']}": "value" not in item["quantity"] for item in template["consumables"]},
            **{f"aftercare.{item['id']}": "value" not in item["value"] for item in template["aftercare"]},
        }  # fmt: skip
        assert {parameter.key for parameter in protocol.parameters} == {
            key for key, is_empty in empty.items() if is_empty
        }


def test_the_sample_clinics_have_one_of_each_role_and_invented_people() -> None:
    for name, market in (("clinic", "UK"), ("clinic-us", "US")):
        clinic = sample_clinic(name)
        assert clinic.market == market
        assert clinic.sample
        assert {person.profession for person in clinic.people} == {"doctor", "nurse", "other"}
        assert all("(invented)" in person.name for person in clinic.people)
        accepted = {key.split("/", 1)[0] for key in clinic.policies.accepted_suggestions}
        assert accepted <= set(TEMPLATES)
    assert sample_clinic("clinic").id == "sample-clinic"


# ---------------------------------------------------------------------------------------------- follow-up
@pytest.mark.parametrize(
    ("step", "offset", "earliest", "latest", "kind", "offered"),
    [
        ("D0", "P0D", None, None, "staff-task", "always"),
        ("D2", "PT48H", "PT48H", "PT72H", "remote-questionnaire", "always"),
        ("W1", "P7D", "P4D", "P10D", "remote-questionnaire", "always"),
        ("W2", "P14D", "P10D", "P21D", "visit", "on-request"),
        ("W4", "P28D", "P25D", "P31D", "visit", "always"),
        ("W12", "P84D", "P77D", "P91D", "remote-questionnaire", "always"),
        ("W16", "P112D", None, None, "remote-questionnaire", "always"),
        ("W24", "P24W", None, None, "remote-questionnaire", "on-request"),
    ],
)
def test_a_step_comes_when_the_schedule_table_says(
    step: str, offset: str, earliest: str | None, latest: str | None, kind: str, offered: str
) -> None:
    found = STEPS[step]
    assert (found.offset, found.earliest, found.latest) == (offset, earliest, latest)
    assert (found.kind, found.offered) == (kind, offered)


def test_the_schedule_has_one_visit_by_default_and_it_closes_the_watch() -> None:
    assert list(STEPS) == ["D0", "D2", "W1", "W2", "W4", "W12", "W16", "W24"]
    assert [step.id for step in SCHEDULE.steps if step.kind == "visit" and step.offered == "always"] == ["W4"]
    assert [step.id for step in SCHEDULE.steps if step.primary_outcome] == ["W4"]
    assert [step.id for step in SCHEDULE.steps if step.closes_watch] == ["W4"]
    assert {"D2", "W4"} <= {step.id for step in SCHEDULE.steps if step.required}
    assert {step.id for step in SCHEDULE.steps if step.photographs} == {"W2", "W4", "W12"}


def test_the_watch_is_open_for_28_days() -> None:
    assert SCHEDULE.watch is not None
    assert (SCHEDULE.watch.value, SCHEDULE.watch.unit, SCHEDULE.watch.mark) == ("28", "d", "V")
    assert SCHEDULE.watch_form == "pore.form.red-flags"
    assert PEEL_SCHEDULE.watch is None


@pytest.mark.parametrize("schedule", [SCHEDULE, PEEL_SCHEDULE], ids=lambda schedule: schedule.id)
def test_a_schedule_refers_only_to_what_exists(schedule: FollowUpSchedule) -> None:
    forms = {step.form for step in schedule.steps if step.form} | ({schedule.watch_form} - {None})
    assert forms <= IDS
    assert {instrument for step in schedule.steps for instrument in step.instruments} <= IDS


def test_steps_after_a_peel_are_marked_as_our_own_choice() -> None:
    assert {step.mark for step in PEEL_SCHEDULE.steps} == {"D"}


def test_the_red_flag_card_names_product_and_lot_and_puts_the_emergency_number_first() -> None:
    assert SCHEDULE.red_flag_card is not None
    card = SCHEDULE.red_flag_card["en"]
    assert {"{product}", "{lot}", "{emergency}", "{clinic}"} == set(re.findall(r"\{[a-z]+\}", card))
    assert card.index("{emergency}") < card.index("{clinic}")
    for sign in (
        "breathing",
        "swallowing",
        "speaking",
        "hoarse",
        "weakness",
        "double",
        "bladder",
        "hives",
        "both eyelids",
    ):
        assert sign in card


# ---------------------------------------------------------------------------------------------- consent
def test_the_treatment_consent_covers_every_item() -> None:
    text = CONSENTS["consent/treatment.json"]
    assert text.injections_only
    assert {paragraph.covers for paragraph in text.paragraphs} == {
        "product-and-units", "off-label", "mixed-evidence", "size-of-benefit", "temporary", "alternatives",
        "common-effects", "less-common-effects", "rare-effects", "antibodies", "diluent", "photographs", "costs",
        "follow-up", "complaints", "who-prescribes", "who-injects", "emergency-contact", "time-to-reflect",
        "right-to-withdraw",
    }  # fmt: skip
    whole = " ".join(paragraph.text["en"] for paragraph in text.paragraphs)
    placeholders = {"product", "units", "regions", "lot", "prescriber", "operator", "clinic", "emergency"}
    assert set(re.findall(r"\{([a-z]+)\}", whole)) == placeholders


def test_consents_are_apart_by_purpose() -> None:
    assert {path[8:-5]: text.purpose for path, text in CONSENTS.items()} == {
        "treatment": "treatment",
        "peel": "treatment",
        "record-photo": "record-photo",
        "teaching": "teaching",
        "marketing": "marketing",
    }
    for text in CONSENTS.values():
        assert "right-to-withdraw" in {paragraph.covers for paragraph in text.paragraphs}
        assert set(text.markets) == {"EU", "UK", "US"}


# ---------------------------------------------------------------------------------------------- instruments
@pytest.mark.parametrize(
    ("name", "minimum", "maximum", "direction", "verified"),
    [
        ("pore-vas", "0", "10", "higher-is-better", False),
        ("satisfaction", "0", "5", "higher-is-better", False),
        ("kim-pore-score", None, None, "lower-is-better", False),
        ("el-attar-pore-scale", "0", "4", "none", False),
        ("cheek-smoothness-scale", None, None, "none", False),
        ("haut-ai-pores", "0", "100", "higher-is-better", True),
        ("chowis-pores", "0", "99", "lower-is-better", True),
        ("visia-pore-percentile", None, None, "higher-is-better", False),
        ("sebumeter", None, None, "lower-is-better", False),
        ("gais", None, None, "none", False),
        ("gais-1-5", "1", "5", "lower-is-better", True),
        ("dlqi", "0", "30", "lower-is-better", True),
        ("house-brackmann", None, None, "lower-is-better", False),
        ("pain-nrs", None, None, "lower-is-better", False),
        ("cops", None, None, "lower-is-better", False),
    ],
)
def test_an_instrument_has_a_range_only_where_one_was_read(
    name: str, minimum: str | None, maximum: str | None, direction: str, verified: bool
) -> None:
    found = INSTRUMENTS[name]
    assert (found.minimum, found.maximum) == (minimum, maximum)
    assert (found.direction, found.range_verified) == (direction, verified)


def test_a_range_from_memory_is_empty() -> None:
    for instrument in INSTRUMENTS.values():
        if instrument.mark == "M":
            assert instrument.minimum is None
            assert instrument.maximum is None
        assert not instrument.range_verified or instrument.mark == "V"


def test_licensed_instruments_are_marked() -> None:
    assert {name for name, instrument in INSTRUMENTS.items() if instrument.licensed} == {"dlqi", "bddq-as", "cops"}


def test_every_score_question_has_its_instrument_with_the_same_unit_and_limits() -> None:
    for path in ("forms/consultation.json", "forms/follow-up-review.json"):
        form: ConsultationForm = read(ConsultationForm, path)
        scores = [q for section in form.sections for q in section.questions if q.id.startswith("pore.q.score-")]
        assert scores
        for question in scores:
            instrument = INSTRUMENTS[question.id.removeprefix("pore.q.score-")]
            if question.type == "quantity":
                assert question.units == (instrument.unit,)
            if question.type in ("integer", "decimal") and question.max is not None:
                assert instrument.maximum == str(question.max)


# ---------------------------------------------------------------------------------------------- patient texts
NAMES = sorted(
    {product.brand.lower() for product in PRODUCTS.values()}
    | {product.inn.lower() for product in PRODUCTS.values()}
    | {"botox", "toxin", "botulin", "baby "}
)


@pytest.mark.parametrize("use", ["promotional", "invitation", "information", "consultation"])
def test_a_text_before_the_consultation_names_no_medicine(use: str) -> None:
    found = [text.text["en"].lower() for text in TEXTS.texts if text.use == use]
    assert found
    for text in found:
        assert not [name for name in NAMES if name in text]


@pytest.mark.parametrize("use", ["aftercare", "red-flag-card"])
def test_a_text_after_the_treatment_names_product_and_lot(use: str) -> None:
    for text in TEXTS.texts:
        if text.use == use:
            assert "{product}" in text.text["en"]
            assert "{lot}" in text.text["en"]


def test_the_card_of_the_schedule_and_of_the_texts_is_the_same() -> None:
    assert [text.text for text in TEXTS.texts if text.use == "red-flag-card"] == [SCHEDULE.red_flag_card]


def test_the_promotional_text_offers_a_consultation_for_pore_concerns() -> None:
    promotional = next(text.text["en"] for text in TEXTS.texts if text.use == "promotional")
    assert "a consultation for pore concerns" in promotional


@pytest.mark.parametrize(
    "promise",
    ["guarantee", "permanent", "no downtime", "painless", "root cause", "lasts", "instant", "will shrink", "for good"],
)
def test_no_text_promises_effect_time_or_permanence(promise: str) -> None:
    for document in OURS.values():
        for node in nodes(document):
            if isinstance(node.get("en"), str):
                assert promise not in node["en"].lower()
