"""Whom a consent text names: one person in each role, or nobody, and never an examination that nobody vouches for."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from factories import (
    PEEL,
    case_input,
    clinic,
    consultation,
    content_document,
    doc,
    made,
    plan_request,
    workflow,
    workflow_of,
)
from pore_plugin import PoreWorkflow, ProblemsError, check
from pore_plugin.contracts import ConsentRequest, ConsentSheet, ConsentText, ProcedurePlan
from pore_plugin.host import HostPlugin


def _two_prescribers() -> tuple[PoreWorkflow, ProcedurePlan]:
    people = doc(workflow().clinic)["people"]
    people.append(
        {
            "id": "dr-other",
            "name": "Dr Other (invented)",
            "profession": "doctor",
            "roles": ["prescriber"],
            "register_entry": {"body": "Sample Medical Register", "number": "SAMPLE-0003"},
        }
    )
    flow = workflow_of(clinic(people=people))
    plan = flow.plan(plan_request(flow, consultation(flow))).plan
    assert plan is not None
    return flow, plan


def _treatment_text(sheets: Iterable[ConsentSheet]) -> str:
    (text,) = ("\n".join(sheet.paragraphs) for sheet in sheets if sheet.purpose == "treatment")
    return text


def test_a_consent_text_names_one_prescriber_and_one_operator_or_points_to_the_record() -> None:
    flow, plan = _two_prescribers()
    unnamed = _treatment_text(flow.consent_sheets(plan, "en"))
    assert not any(person.name in unnamed for person in flow.clinic.people)
    assert "prescribed by the prescriber named on your record" in unnamed
    named = _treatment_text(flow.consent_sheets(plan, "en", prescriber="dr-other", operator="nurse-example"))
    assert "prescribed by Dr Other (invented)" in named
    assert "given by Nell Example (invented)" in named
    assert "Sam Sample" not in named


def test_the_only_prescriber_is_named_without_being_asked_for() -> None:
    assert "prescribed by Dr Sam Sample (invented)" in _treatment_text(made().flow.consent_sheets(made().plan, "en"))


@pytest.mark.parametrize("text", ["pore.consent.treatment", "pore.consent.peel"])
def test_no_consent_text_says_that_an_examination_took_place(text: str) -> None:
    paragraphs = made().flow.catalogue.get(ConsentText, text).model.paragraphs
    assert not any("examined you" in one.text["en"] for one in paragraphs)


@pytest.mark.parametrize(
    ("role", "person"), [("prescriber", "nurse-example"), ("operator", "admin-placeholder"), ("operator", "nobody")]
)
def test_only_a_person_in_the_role_is_named_in_a_consent(role: str, person: str) -> None:
    flow, plan = _two_prescribers()
    with pytest.raises(ProblemsError) as refused:
        flow.consent_sheets(plan, "en", **{role: person})  # type: ignore[arg-type]
    request = check(ConsentRequest, {**case_input()["consent"], "plan": doc(plan), role: person}).model
    with pytest.raises(ProblemsError) as again:
        flow.consent(request)
    for error in (refused.value, again.value):
        assert [(one.code, one.pointer) for one in error.problems] == [(f"consent.{role}", f"/{role}")]


def test_a_consent_keeps_whom_its_text_named() -> None:
    flow, plan = _two_prescribers()
    people = {"prescriber": "dr-other", "operator": "nurse-example"}
    given = flow.consent(check(ConsentRequest, {**case_input()["consent"], "plan": doc(plan), **people}).model).consent
    assert (given.prescriber, given.operator) == ("dr-other", "nurse-example")


def test_a_region_that_left_the_catalogue_is_named_by_its_id() -> None:
    region = made().plan.regions[0]
    gone = made().plan.model_copy(
        update={"regions": (region.model_copy(update={"region": "acme.region.gone", "side": None}),)}
    )
    assert "acme.region.gone" in _treatment_text(made().flow.consent_sheets(gone, "en"))


def test_a_consent_text_with_an_unknown_placeholder_is_refused_at_the_hosts_door() -> None:
    text = content_document("pore.consent.treatment") | {"id": "acme.consent.treatment"}
    text["paragraphs"][0]["text"]["en"] += " {surprise}"
    template = content_document(PEEL) | {"id": "acme.template.peel", "consent_texts": ["acme.consent.treatment"]}
    protocol = content_document("pore.protocol.sample-salicylic-peel") | {
        "id": "acme.protocol.peel",
        "template": "acme.template.peel",
    }
    flow = workflow_of(clinic(), content=[text, template, protocol])
    request = plan_request(
        flow, consultation(flow), template="acme.template.peel", product=None, protocol="acme.protocol.peel"
    )
    with pytest.raises(ProblemsError) as refused:
        HostPlugin(flow).pore_plan_procedure(request)
    assert [one.code for one in refused.value.problems] == ["text.placeholder"]
