"""The catalogue: what is in it, what is left out and why, and forms with the questions of extensions."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import hook_inputs as given
from pore_plugin import PoreWorkflow, check_toml
from pore_plugin.builtin import content, documents, sample
from pore_plugin.catalogue import Catalogue, Entry, compose_form
from pore_plugin.contracts import (
    Clinic,
    ConsultationForm,
    ContentItem,
    Instrument,
    Pin,
    ProblemsError,
    ProcedureTemplate,
    Product,
    QuestionContribution,
    canonical,
    digest,
)
from pore_plugin.hooks import Contributed
from pore_plugin.validation import check

TITLE = {"title": {"en": "T"}}


def item(document: dict[str, Any], plugin: str = "pore") -> Contributed[ContentItem]:
    checked: Any = check(document["type"], document)
    return Contributed(plugin, checked.model, checked.document)


def instrument(identifier: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {
        "type": "instrument",
        "id": identifier,
        "version": version,
        **TITLE,
        "direction": "none",
        "unit": "1",
        "rater": "any",
        "range_verified": False,
        "source": "S",
        "mark": "D",
        **more,
    }


def region_map(vendor: str) -> dict[str, Any]:
    return {
        "type": "region-map",
        "id": f"{vendor}.regions.face",
        "version": "1.0.0",
        **TITLE,
        "regions": [
            {"id": f"{vendor}.region.chin", **TITLE, "paired": False},
            {"id": f"{vendor}.region.cheek", **TITLE, "paired": True},
        ],
        "charts": [{"id": f"{vendor}.chart.front", **TITLE, "view": "frontal"}],
    }


def schedule(identifier: str, instruments: list[str] | None = None) -> dict[str, Any]:
    step = {"id": "W4", **TITLE, "kind": "visit", "offset": "P28D", "purpose": {"en": "P"}, "basis": "B", "mark": "D"}
    step["instruments"] = instruments or []
    return {"type": "follow-up-schedule", "id": identifier, "version": "1.0.0", **TITLE, "steps": [step]}


def names(found: ProblemsError | Catalogue) -> set[tuple[str, str | None, str]]:
    return {(problem.code, problem.plugin, problem.pointer) for problem in found.problems}


def refused(*contributions: Contributed[ContentItem], documents: tuple[Any, ...] = ()) -> ProblemsError:
    with pytest.raises(ProblemsError) as caught:
        Catalogue.build(contributions, documents)
    return caught.value


# What is in it.


def test_a_document_is_pinned_by_the_digest_of_what_was_read() -> None:
    document = instrument("pore.instrument.a", status="active")
    entry = Catalogue.build([item(document)]).get(Instrument, "pore.instrument.a")
    assert entry.pin == Pin(id="pore.instrument.a", version="1.0.0", digest=digest(document))
    assert entry.canonical == canonical(document)
    assert entry.document == document
    assert (entry.origin, entry.model.status) == ("pore", "active")


def test_what_a_caller_does_to_a_document_stays_with_the_caller() -> None:
    catalogue = Catalogue.build([item(instrument("pore.instrument.a"))])
    entry = catalogue.get(Instrument, "pore.instrument.a")
    entry.document["title"]["en"] = "Changed"
    assert entry.document["title"] == {"en": "T"}


def test_the_newest_version_is_found_and_the_older_stays_pinned() -> None:
    versions = ["1.9.0", "1.10.0", "1.2.0"]
    catalogue = Catalogue.build([item(instrument("pore.instrument.a", version)) for version in versions])
    assert catalogue.get(Instrument, "pore.instrument.a").pin.version == "1.10.0"
    assert len(catalogue.of_type(Instrument)) == 1
    assert [catalogue.pinned(entry.pin) for entry in catalogue.entries] == list(catalogue.entries)


def test_a_retired_version_is_reached_by_its_pin_only() -> None:
    old = item(instrument("pore.instrument.a", "1.0.0"))
    new = item(instrument("pore.instrument.a", "2.0.0", status="retired"))
    catalogue = Catalogue.build([old, new])
    assert catalogue.get(Instrument, "pore.instrument.a").pin.version == "1.0.0"
    assert {entry.pin.version for entry in catalogue.entries} == {"1.0.0", "2.0.0"}
    assert Catalogue.build([new]).find(Instrument, "pore.instrument.a") is None


def test_what_is_not_there_has_a_code() -> None:
    catalogue = Catalogue.build([item(instrument("pore.instrument.a"))])
    assert catalogue.find(Product, "pore.instrument.a") is None
    with pytest.raises(ProblemsError) as caught:
        catalogue.get(Instrument, "pore.instrument.b")
    assert caught.value.problems[0].code == "catalogue.unknown"
    with pytest.raises(ProblemsError) as caught:
        catalogue.pinned(catalogue.entries[0].pin.model_copy(update={"digest": given.DIGEST}))
    assert caught.value.problems[0].code == "catalogue.unknown_pin"


def test_documents_of_a_type_come_by_id() -> None:
    catalogue = Catalogue.build([item(instrument(f"pore.instrument.{name}")) for name in "cab"])
    assert [entry.pin.id[-1] for entry in catalogue.of_type(Instrument)] == ["a", "b", "c"]


# What the clinic hands in.


def test_the_clinic_hands_in_bytes_or_dicts() -> None:
    documents = [json.dumps(instrument("own.instrument.a")).encode(), instrument("own.instrument.b")]
    assert {entry.origin for entry in Catalogue.build([], documents).entries} == {"clinic"}


def test_every_bad_document_of_the_clinic_is_named() -> None:
    documents = (b"{", {"type": "nonsense"}, {"type": "clinic"}, {**instrument("own.instrument.a"), "unit": 1}, b"[]")
    error = refused(documents=documents)
    assert {problem.pointer.split("/")[1] for problem in error.problems} == {"0", "1", "2", "3", "4"}
    assert {problem.plugin for problem in error.problems} == {"clinic"}


def test_a_document_of_ours_handed_in_serves_its_pins_and_replaces_nothing() -> None:
    ours, theirs = instrument("pore.instrument.a", "1.0.0"), instrument("pore.instrument.a", "9.0.0", unit="2")
    catalogue = Catalogue.build([item(ours)], [theirs])
    assert catalogue.get(Instrument, "pore.instrument.a").pin.version == "1.0.0"
    assert catalogue.pinned(Entry(item(theirs).value, theirs, "clinic").pin).origin == "clinic"


def test_the_same_bytes_twice_are_one_document() -> None:
    document = instrument("acme.instrument.a")
    catalogue = Catalogue.build([item(document, "acme")], [document])
    assert len(catalogue.entries) == 1
    assert catalogue.problems == ()


# Duplicates.


def test_two_authors_of_one_version_are_both_named_and_both_left_out() -> None:
    one = item(instrument("acme.instrument.a", unit="1"), "north")
    two = item(instrument("acme.instrument.a", unit="2"), "south")
    catalogue = Catalogue.build([one, two])
    assert catalogue.entries == ()
    assert names(catalogue) == {("catalogue.duplicate", "north", ""), ("catalogue.duplicate", "south", "")}
    assert all("north and by south" in problem.sentence for problem in catalogue.problems)


def test_one_id_for_two_kinds_of_document_is_a_duplicate() -> None:
    catalogue = Catalogue.build([item(instrument("acme.x.a"), "acme"), item(schedule("acme.x.a"), "acme")])
    assert {problem.code for problem in catalogue.problems} == {"catalogue.duplicate"}


def test_an_extension_gives_way_to_the_clinic() -> None:
    catalogue = Catalogue.build(
        [item(instrument("acme.instrument.a", unit="1"), "acme")], [instrument("acme.instrument.a", unit="2")]
    )
    assert [entry.origin for entry in catalogue.entries] == ["clinic"]
    assert names(catalogue) == {("catalogue.duplicate", "acme", "")}


def test_two_versions_of_the_clinic_s_own_document_with_one_number_are_refused() -> None:
    documents = (instrument("own.instrument.a", unit="1"), instrument("own.instrument.a", unit="2"))
    assert {problem.code for problem in refused(documents=documents).problems} == {"catalogue.duplicate"}


def test_a_region_is_defined_once() -> None:
    first, second = region_map("pore"), {**region_map("pore"), "id": "acme.regions.face"}
    catalogue = Catalogue.build([item(first), item(second, "acme")])
    assert [entry.origin for entry in catalogue.entries] == ["pore"]
    assert {problem.plugin for problem in catalogue.problems} == {"acme"}


# Cross-references.


def test_a_template_without_what_it_needs_is_left_out_with_every_pointer() -> None:
    template = {**given.TEMPLATE, "instruments": ["base.instrument.a"], "evidence": ["base.evidence.a"]}
    template["regions"] = [{"region": "pore.region.chin", "side": "left"}]
    catalogue = Catalogue.build([item(region_map("pore")), item(template, "acme")])
    assert [entry.model.type for entry in catalogue.entries] == ["region-map"]
    assert names(catalogue) == {
        ("catalogue.unknown_reference", "acme", pointer)
        for pointer in (
            "/consultation_form",
            "/day_form",
            "/schedule",
            "/consent_texts/0",
            "/evidence/0",
            "/instruments/0",
            "/regions/0/side",
        )
    }


def test_a_form_of_another_kind_is_not_the_form_that_is_needed() -> None:
    step = {**schedule("acme.schedule.a")["steps"][0], "form": "base.form.consultation"}
    document = {**schedule("acme.schedule.a"), "steps": [step]}
    catalogue = Catalogue.build([item(given.FORM), item(document, "acme")])
    assert names(catalogue) == {("catalogue.unknown_reference", "acme", "/steps/0/form")}


def test_what_leans_on_what_was_left_out_falls_with_it() -> None:
    broken = item(schedule("north.schedule.a", ["north.instrument.none"]), "north")
    also_north = item(instrument("north.instrument.a"), "north")
    leaning = item(schedule("south.schedule.a", ["north.instrument.a"]), "south")
    standing = item(instrument("west.instrument.a"), "west")
    catalogue = Catalogue.build([broken, also_north, leaning, standing])
    assert [entry.origin for entry in catalogue.entries] == ["west"]
    assert {problem.plugin for problem in catalogue.problems} == {"north", "south"}


def test_content_of_ours_that_refers_to_nothing_is_refused() -> None:
    error = refused(item(schedule("pore.schedule.a", ["pore.instrument.none"])))
    assert names(error) == {("catalogue.unknown_reference", "pore", "/steps/0/instruments/0")}


def test_a_rule_names_questions_that_some_form_asks() -> None:
    when = {"conditions": [{"question": "base.q.none", "operator": "exists", "value": True}]}
    rules = {
        "type": "safety-rules",
        "id": "pore.rules.a",
        "version": "1.0.0",
        **TITLE,
        "rules": [
            {
                "code": "MOON",
                **TITLE,
                "checked_on": "2026-01-01",
                "cases": [
                    {
                        "id": "full",
                        "action": "review",
                        "products": ["base.product.none"],
                        "predicate": {"type": "answers", "when": when, "region_question": "base.q.goal"},
                        "message": {"en": "M"},
                        "source": "S",
                        "mark": "D",
                    }
                ],
            }
        ],
    }
    at = "/rules/0/cases/0"
    assert names(refused(item(given.FORM), item(rules))) == {
        ("catalogue.unknown_reference", "pore", f"{at}/products/0"),
        ("catalogue.unknown_reference", "pore", f"{at}/predicate/when/conditions/0/question"),
    }


@pytest.mark.parametrize("kind", ["safety-rules", "markets"])
def test_rules_and_markets_are_taken_from_the_package_only(kind: str) -> None:
    ours = next(checked.document for checked in content() if checked.document["type"] == kind)
    theirs = {**ours, "id": "acme.own.a"}
    catalogue = Catalogue.build([item(theirs, "acme")])
    assert catalogue.entries == ()
    assert ("catalogue.package_only", "acme", "/type") in names(catalogue)
    assert ("catalogue.package_only", "clinic", "/type") in names(refused(documents=(theirs,)))


def test_a_protocol_names_template_product_and_regions() -> None:
    protocol = {
        "type": "clinic-protocol",
        "id": "own.protocol.a",
        "version": "1.0.0",
        **TITLE,
        "template": "base.template.none",
        "product": "base.product.none",
        "responsible": "Dr Own",
        "regions": [
            {"region": "pore.region.cheek", "side": "left", "points": 3},
            {"region": "own.region.x", "points": 1},
        ],
    }
    error = refused(item(region_map("pore")), documents=(protocol,))
    assert {problem.pointer for problem in error.problems} == {"/template", "/product", "/regions/1/region"}


def test_a_text_that_lacks_a_locale_of_its_document_is_an_error() -> None:
    document = instrument("acme.instrument.a", title={"en": "A", "de": "A"})
    half = {**schedule("acme.schedule.a"), "title": {"en": "A", "de": "A"}}
    assert Catalogue.build([item(document, "acme")]).problems == ()
    assert names(Catalogue.build([item(half, "acme")])) == {
        ("locale.missing", "acme", "/steps/0/title"),
        ("locale.missing", "acme", "/steps/0/purpose"),
    }


def test_problems_name_the_document_and_what_it_lacks() -> None:
    problem = refused(item(schedule("pore.schedule.a", ["pore.instrument.none"]))).problems[0]
    assert "pore.schedule.a" in problem.sentence
    assert "instrument pore.instrument.none" in problem.sentence


# Composed forms.

BASE: Entry[Any] = Entry(given.form(), given.FORM, "pore")


def question(identifier: str, plugin: str = "acme", **more: Any) -> Contributed[QuestionContribution]:
    document = {
        "section": "base.section.goals",
        "question": {"id": identifier, "type": "boolean", "text": {"en": "Q?"}},
    }
    document.update({key: value for key, value in more.items() if key in ("section", "section_title")})
    document["question"].update(more.get("question", {}))  # type: ignore[attr-defined]
    return Contributed(plugin, QuestionContribution.model_validate_json(json.dumps(document)), document)


def form_of(entry: Entry[Any]) -> ConsultationForm:
    assert isinstance(entry.model, ConsultationForm)
    return entry.model


def test_without_contributions_a_form_is_itself() -> None:
    assert compose_form(BASE, []).entry is BASE


def test_a_composed_form_has_a_version_of_its_own_and_lists_who_added_what() -> None:
    composed = compose_form(BASE, [question("acme.q.a"), question("zeta.q.a", "zeta"), question("acme.q.b")])
    form = form_of(composed.entry)
    assert [q.id for q in form.sections[0].questions] == ["base.q.goal", "acme.q.a", "acme.q.b", "zeta.q.a"]
    assert [(c.plugin, c.questions) for c in form.contributions] == [
        ("acme", ("acme.q.a", "acme.q.b")),
        ("zeta", ("zeta.q.a",)),
    ]
    unversioned = {**composed.entry.document, "version": "1.2.0"}
    assert form.version == f"1.2.0+{digest(unversioned).removeprefix('sha256:')[:12]}"
    assert re.fullmatch(r"1\.2\.0\+[0-9a-f]{12}", form.version)
    assert composed.entry.pin.digest == digest(json.loads(composed.entry.canonical))


def test_a_composed_form_depends_on_nothing_but_what_is_in_it() -> None:
    one, two = (compose_form(BASE, [question("acme.q.a")]).entry.pin for _ in range(2))
    other = compose_form(BASE, [question("acme.q.a", question={"required": True})]).entry.pin
    assert one == two
    assert one.version != other.version


def test_a_composed_form_is_a_draft_that_nobody_has_reviewed() -> None:
    review = {"reviewer": "Dr A", "reviewed_on": "2026-01-01", "review_due": "2027-01-01"}
    reviewed: dict[str, Any] = {**given.FORM, "review": review}
    reviewed["digest"] = digest(reviewed)
    base = Entry(item(reviewed).value, reviewed, "pore")
    form = form_of(compose_form(base, [question("acme.q.a")]).entry)
    assert (form.status, form.review, form.digest) == ("draft", None, None)
    assert form_of(base).review is not None


def test_a_section_of_one_s_own_stands_at_the_end() -> None:
    own = {"section": "acme.section.sleep", "section_title": {"en": "Sleep"}}
    composed = compose_form(BASE, [question("acme.q.a", **own), question("acme.q.b", section="acme.section.sleep")])
    assert [section.id for section in form_of(composed.entry).sections] == ["base.section.goals", "acme.section.sleep"]
    assert composed.problems == ()


def test_conditions_may_look_at_the_base_form_and_at_one_s_own_questions() -> None:
    def shown(target: str) -> dict[str, Any]:
        return {"show_when": {"conditions": [{"question": target, "operator": "exists", "value": True}]}}

    north = [question("north.q.a", "north", question=shown("base.q.goal"))]
    north.append(question("north.q.b", "north", question=shown("north.q.a")))
    south = [question("south.q.a", "south", question=shown("north.q.a"))]
    composed = compose_form(BASE, north + south)
    assert [c.plugin for c in form_of(composed.entry).contributions] == ["north"]
    assert [(p.code, p.plugin) for p in composed.problems] == [("form.unknown_condition_question", "south")]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (question("base.q.goal"), "form.duplicate_question"),
        (question("acme.q.a", section="base.section.none"), "form.unknown_section"),
        (question("acme.q.a", section_title={"en": "Goals"}), "form.section_title"),
        (question("acme.q.a", question={"text": {"de": "Q?"}}), "locale.missing"),
        (
            question("acme.q.a", question={"type": "region-map", "regions": ["base.region.none"]}),
            "catalogue.unknown_region",
        ),
        (question("acme.q.a", question={"type": "integer", "min": 5, "max": 4}), "form.limits"),
    ],
)
def test_a_question_that_does_not_fit_leaves_out_its_plugin_only(
    bad: Contributed[QuestionContribution], code: str
) -> None:
    composed = compose_form(BASE, [question("acme.q.fine"), bad, question("zeta.q.a", "zeta")], regions=())
    assert [c.plugin for c in form_of(composed.entry).contributions] == ["zeta"]
    assert [(p.code, p.plugin, p.hook) for p in composed.problems] == [(code, "acme", "pore_register_questions")]


def test_one_question_by_two_plugins_is_nobody_s() -> None:
    composed = compose_form(BASE, [question("acme.q.a", "north"), question("acme.q.a", "south")])
    assert composed.entry is BASE
    assert [(p.code, p.plugin) for p in composed.problems] == [
        ("catalogue.duplicate", "north"),
        ("catalogue.duplicate", "south"),
    ]
    assert all("north and by south" in problem.sentence for problem in composed.problems)


def test_a_composed_form_is_found_by_its_pin_and_the_base_by_its_id() -> None:
    composed = compose_form(BASE, [question("acme.q.a")]).entry
    catalogue = Catalogue([BASE]).with_entries([composed])
    assert catalogue.pinned(composed.pin) is composed
    assert catalogue.get(ConsultationForm, "base.form.consultation") is BASE


def test_stored_bytes_of_a_composed_form_serve_when_its_extension_is_gone() -> None:
    composed = compose_form(BASE, [question("acme.q.a")]).entry
    catalogue = Catalogue.build([item(given.FORM)], [composed.canonical])
    assert catalogue.pinned(composed.pin).canonical == composed.canonical
    assert not catalogue.get(ConsultationForm, "base.form.consultation").is_composed


# Our own content.


def test_our_content_hangs_together() -> None:
    catalogue = Catalogue.build([Contributed("pore", checked.model, checked.document) for checked in content()])
    templates = [entry.model for entry in catalogue.of_type(ProcedureTemplate)]
    assert {template.id for template in templates} == {
        "pore.template.microtoxin-forehead-sebum",
        "pore.template.microtoxin-pores",
        "pore.template.salicylic-peel",
    }


def test_an_unknown_id_is_answered_with_the_contracts_name_and_the_nearest_id_and_never_repeated() -> None:
    with pytest.raises(ProblemsError) as caught:
        PoreWorkflow(_sample_clinic(), installed=False).catalogue.get(Product, "pore.product.botox-ukk")
    [problem] = caught.value.problems
    assert problem.sentence == "The catalogue has no product with the id that was asked for."
    assert problem.next_step.startswith("Did you mean pore.product.botox-uk?")


def test_a_document_of_the_clinic_under_an_id_of_the_package_is_said_to_serve_no_new_work() -> None:
    protocol = json.loads(dict(documents())["protocols/sample-salicylic-peel.json"])
    edited = {**protocol, "version": "9.0.0"}
    workflow = PoreWorkflow(_sample_clinic(), content=[edited], installed=False)
    assert [(p.code, p.severity) for p in workflow.plugins.problems] == [("catalogue.pinned_only", "warning")]
    same = PoreWorkflow(_sample_clinic(), content=[protocol], installed=False)
    assert same.plugins.problems == ()


def _sample_clinic() -> Clinic:
    return check_toml("clinic", sample("clinic.toml")).model
