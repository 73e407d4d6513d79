"""Ways around a gate, and things left unread, that an audit of the clinical side looked for; each is shut here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from factories import (
    ABO_SUGGESTIONS,
    PEEL,
    PORES,
    Made,
    approvals,
    case_input,
    changed,
    clinic,
    consultation,
    content_document,
    day_form,
    doc,
    finish,
    forehead,
    made,
    make,
    plan_request,
    workflow,
    workflow_of,
)
from pore_plugin import check
from pore_plugin.contracts import (
    AssessmentRequest,
    AssessmentResult,
    Consent,
    ConsentRequest,
    FollowUpRequest,
    FollowUpResponse,
    Override,
    ProblemsError,
    ReviewRequest,
    TreatmentRequest,
)

OTHER_REGION = [{"region": "pore.region.other"}]


def assess(name: str = "clinic.toml", **members: Any) -> AssessmentResult:
    """Assess answers at a stage of the sample clinic; members of the context beside them."""
    flow = workflow(name)
    response = consultation(flow, answers=members.pop("answers", None))
    day = members.pop("day_form", None)
    context = {"stage": "consultation", "date": "2026-09-10", "patient": doc(response.patient), **members}
    request: dict[str, Any] = {"consultation": doc(response), "context": context, "at": "2026-09-10T10:00:00+01:00"}
    return flow.assess(check(AssessmentRequest, request | ({"day_form": doc(day)} if day else {})).model)


def found(result: AssessmentResult) -> list[str]:
    """Return code and case of every finding that is more than shown."""
    return [f"{f.code} {f.case}" for f in result.assessment.findings if f.severity != "inform"]


# -- what a procedure without toxin need not ask, and what says that there is none --------------------------------


MYASTHENIA: Mapping[str, Any] = {"nerve_muscle": ["myasthenia-gravis"]}


def test_a_rule_about_toxin_does_not_stop_a_peel() -> None:
    assert found(assess(answers=MYASTHENIA, template=PEEL)) == []


@pytest.mark.parametrize("members", [{}, {"planned": []}, {"planned": [], "template": PORES}])
def test_an_empty_list_of_doses_does_not_say_that_there_is_no_toxin(members: dict[str, Any]) -> None:
    assert found(assess(answers=MYASTHENIA, **members)) == ["NMJ known"]


# -- whose records these are --------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [{"birth_date": "2012-01-01"}, {"host": "another-host"}])
def test_a_reference_that_differs_in_host_or_birth_date_is_another_patient(other: dict[str, str]) -> None:
    patient = {**doc(made().consultation.patient), **other}
    assert made().codes(day_form=day_form(patient=patient)) == ["case.patient"]


def test_a_consultation_of_tomorrow_is_no_consultation_yet() -> None:
    codes = made().codes(at="2026-09-07T09:00:00+01:00")
    assert "consultation.not_yet" in codes
    assert "consultation.not_yet" not in made().codes(at=made().consultation.occurred_at)


# -- time to reflect ----------------------------------------------------------------------------------------------


def consent_to(case: Made, informed_at: str, given_at: str, *earlier: Consent) -> Consent:
    wanted = {**case_input()["consent"], "plan": doc(case.plan), "informed_at": informed_at, "given_at": given_at}
    return case.flow.consent(check(ConsentRequest, {**wanted, "earlier": doc(earlier)}).model).consent


def test_signing_twice_does_not_cut_the_time_to_reflect_short() -> None:
    again = make(at="2026-09-10T13:00:00+01:00")
    first = consent_to(made(), "2026-09-10T12:50:00+01:00", "2026-09-10T12:55:00+01:00")
    second = consent_to(again, "2026-09-10T13:05:00+01:00", "2026-09-10T13:06:00+01:00", first)
    assert again.plan.substance == made().plan.substance
    assert second.cooling_off_ends == "2026-09-12T13:05:00+01:00"
    assert again.codes(consents=[first, second]) == ["consent.cooling_off"]


def test_the_time_to_reflect_does_not_run_before_the_plan_was_made() -> None:
    late = make(at="2026-09-10T13:00:00+01:00")
    assert late.consent.informed_at < late.plan.created_at
    assert late.codes() == ["consent.cooling_off"]


def test_a_consent_of_another_clinic_spares_no_time_to_reflect() -> None:
    now = made()
    first = consent_to(make(at="2026-09-07T10:35:30+01:00"), "2026-09-07T10:40:00+01:00", "2026-09-09T16:00:00+01:00")
    short = consent_to(now, "2026-09-10T13:30:00+01:00", "2026-09-10T13:55:00+01:00")
    assert now.codes(consents=[short, changed(first, cooling_off_ends=None)]) == []
    elsewhere = changed(first, cooling_off_ends=None, clinic="clinic-2")
    assert now.codes(consents=[short, elsewhere]) == ["consent.cooling_off"]


def test_nobody_consents_to_a_plan_that_is_not_made_yet() -> None:
    before = changed(made().consent, informed_at="2026-09-01T10:00:00+01:00", given_at="2026-09-02T10:00:00+01:00")
    assert made().codes(consents=[before]) == ["consent.before_plan"]


# -- overrides ----------------------------------------------------------------------------------------------------


def cheek_protocol(volume: str, name: str) -> dict[str, Any]:
    protocol = content_document("pore.protocol.sample-microtoxin-pores-inco-uk") | {"id": name}
    for region in protocol["regions"]:
        if region["region"] == "pore.region.cheek":
            region["volume"] = volume
    return protocol


def test_an_override_given_for_a_smaller_dose_does_not_lift_a_larger_one() -> None:
    names = {"clinic.protocol.a": "1.1", "clinic.protocol.b": "1.6"}
    flow = workflow_of(clinic(), content=[cheek_protocol(volume, name) for name, volume in names.items()])
    response = consultation(flow)
    codes = []
    for name, at in zip(names, ("2026-09-07T10:36:00+01:00", "2026-09-07T12:36:00+01:00"), strict=True):
        documents = [item["document"] for item in case_input()["approvals"]]
        papers = approvals(flow, *documents, name, prescriber="dr-sample")
        planned = flow.plan(plan_request(flow, response, protocol=name, approvals=papers, at=at))
        case = finish(flow, response, planned, papers)
        override = {
            "id": "override-1",
            "clinic": flow.clinic.id,
            "patient": response.patient.id,
            "consultation": doc(case.consultation_pin),
            "finding": "REGION_DOSE",
            "prescriber": "dr-sample",
            "reason": "specialist-consulted",
            "at": "2026-09-07T10:40:00+01:00",
        }
        ready = case.ready(operator="dr-sample", overrides=[check(Override, override).model], consents=())
        codes.append([reason.code for reason in ready.reasons])
    assert codes == [["consent.missing"], ["finding.region_dose", "consent.missing"]]


# -- anaesthetic in the solution ----------------------------------------------------------------------------------


def lidocaine_case(answers: Mapping[str, Any]) -> list[str]:
    protocol = content_document("pore.protocol.sample-microtoxin-pores-inco-uk") | {"id": "clinic.protocol.mixed"}
    protocol["dilution"]["steps"][0]["diluent"] = "lidocaine-1"
    flow = workflow_of(clinic(), content=[protocol])
    wanted = plan_request(flow, consultation(flow, answers=answers), protocol="clinic.protocol.mixed")
    result = flow.plan(wanted)
    assert (result.plan is None) is (result.assessment.verdict == "block")
    return [f"{f.code} {f.severity}" for f in result.assessment.findings]


def test_an_allergy_blocks_a_local_anaesthetic_in_the_diluent_too() -> None:
    detail = {"type": "text", "value": "A rash."}
    assert lidocaine_case({"allergies": ["local-anaesthetic"], "allergy_detail": detail}) == ["ANAES block"]
    assert lidocaine_case({}) == []


# -- toxin history ------------------------------------------------------------------------------------------------


def entry(**values: tuple[str, Any]) -> dict[str, Any]:
    """Return the answers of one entry of the toxin history."""
    whole = {"where": ("choice", "elsewhere"), "purpose": ("choice", "medical"), **values}
    return {f"toxin_{name}": {"type": kind, "value": value, "instance": 1} for name, (kind, value) in whole.items()}


ONA_TODAY = {
    "stage": "treatment",
    "template": PORES,
    "product": "pore.product.botox-cosmetic-us",
    "planned": [{"region": "pore.region.nose", "units": "5"}],
}
MIGRAINE = {
    "product": ("choice", "botox-cosmetic-us"),
    "units": ("decimal", "250"),
    "regions": ("region-map", OTHER_REGION),
}


@pytest.mark.parametrize(("date", "over"), [(None, True), ("2026-08-20", False)])
def test_an_undated_treatment_told_again_on_the_day_may_be_another(date: str | None, over: bool) -> None:
    told = entry(**MIGRAINE, **({"date": ("date", date)} if date else {}))
    day = day_form(workflow("clinic-us.toml"), answers={"toxin_other_since": True, **told})
    result = assess("clinic-us.toml", answers={"toxin_ever": True, **told}, day_form=day, **ONA_TODAY)
    assert ("CUM over" in found(result)) is over
    again = assess(
        "clinic-us.toml",
        answers={"toxin_ever": True, **told},
        day_form=day,
        **ONA_TODAY,
        history=doc(result.assessment.context.history),
    )
    assert again.assessment.context.history == result.assessment.context.history


@pytest.mark.parametrize("units", [None, "10"])
def test_units_by_region_count_towards_the_ceiling_where_the_total_is_missing_or_smaller(units: str | None) -> None:
    before = {
        "product": "pore.product.botox-cosmetic-us",
        "date": "2026-08-20",
        "given": "here",
        "treatment": "treatment-0",
        "doses": [{"region": "pore.region.forehead", "units": "398"}],
        **({"units": units} if units else {}),
    }
    assert "CUM over" in found(assess("clinic-us.toml", **ONA_TODAY, history=[before]))


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        ({}, ["TOX12 same-region", "TOXOTHER recent"]),
        ({"date": ("date", "2026-06-20")}, ["TOX12 same-region", "TOXOTHER recent"]),
        ({"date": ("date", "2026-06-11")}, ["TOX12 same-region", "TOXOTHER recent"]),
        ({"date": ("date", "2026-06-10")}, ["TOXOTHER recent"]),
        ({"date": ("date", "2026-05-10")}, ["TOXOTHER recent"]),
        ({"date": ("date", "2026-05-09")}, []),
        ({"regions": ("region-map", OTHER_REGION)}, ["TOX12 other-region", "TOXOTHER recent"]),
    ],
)
def test_what_is_not_known_of_earlier_toxin_is_read_cautiously(told: dict[str, Any], codes: list[str]) -> None:
    flow = workflow()
    answers = {"toxin_ever": True, **entry(product=("choice", "unknown"), **told)}
    result = flow.plan(plan_request(flow, consultation(flow, answers=answers)))
    assert [f"{f.code} {f.case}" for f in result.assessment.findings if f.severity != "inform"] == codes


# -- vials and records --------------------------------------------------------------------------------------------


def test_one_vial_handed_in_twice_is_one_vial() -> None:
    flow = workflow_of(clinic(), content=[cheek_protocol("2.2", "clinic.protocol.large")])
    documents = [item["document"] for item in case_input()["approvals"]]
    papers = approvals(flow, *documents, "clinic.protocol.large", prescriber="dr-sample")
    response = consultation(flow)
    planned = flow.plan(plan_request(flow, response, protocol="clinic.protocol.large", approvals=papers))
    case = finish(flow, response, planned, papers)
    twice, other = [doc(case.vial)] * 2, {**doc(case.vial), "id": "vial-2"}
    assert "vial.insufficient" in case.codes(vials=twice)
    assert "vial.insufficient" in case.codes(vials=[twice[0], {**twice[0], "lot": "SAMPLE-LOT-9"}])
    assert "vial.insufficient" not in case.codes(vials=[twice[0], other])


def test_a_vial_mixed_with_another_diluent_is_refused() -> None:
    assert made().codes(vials=[changed(made().vial, diluent="lidocaine-1")]) == ["vial.dilution"]


def refused(case: Made, **members: Any) -> list[str]:
    request = TreatmentRequest(case=case.case, report=changed(case.report, **members))
    with pytest.raises(ProblemsError) as error:
        case.flow.treat(request)
    return sorted(problem.sentence.partition(":")[0] for problem in error.value.problems)


def test_no_more_is_drawn_from_a_vial_in_several_draws_than_it_holds() -> None:
    use = doc(made().report.vials[0])
    second = {**use, "drawn": "10", "used": "0", "wasted": "10"}
    request = TreatmentRequest(case=made().case, report=changed(made().report, vials=[use, second]))
    with pytest.raises(ProblemsError) as error:
        made().flow.treat(request)
    assert {problem.code for problem in error.value.problems} == {"treatment.overdrawn"}


@pytest.mark.parametrize("gap", ["reconstituted_at", "diluent", "diluent_volume", "supplier", "storage_log"])
def test_a_vial_without_its_least_record_needs_a_deviation(gap: str) -> None:
    use = json.loads(made().report.vials[0].to_json())
    del use["vial"][gap]
    assert refused(made(), vials=[use]) == ["vial.record"]


def test_an_anaesthetic_without_its_lot_needs_a_deviation() -> None:
    case = make(anaesthetic="lidocaine-cream")
    used = {"anaesthetic": "lidocaine-cream", "lot": "SAMPLE-LOT-8"}
    explained = changed(case.report, anaesthetic=used)
    assert case.flow.treat(TreatmentRequest(case=case.case, report=explained)).treatment.id == case.report.id
    del used["lot"]
    assert refused(case, anaesthetic=used) == ["anaesthetic.record"]


# -- signs after the treatment ------------------------------------------------------------------------------------


D2_FORM = "pore.form.follow-up-d2"


def review_of(step: str, *answers: dict[str, Any]) -> Any:
    flow = made().flow
    treatment = flow.treat(TreatmentRequest(case=made().case, report=made().report)).treatment
    plan = flow.follow_up(FollowUpRequest(treatment=treatment)).follow_up_plan
    [given, _] = case_input()["follow_up"]["responses"]
    response = {
        **{name: value for name, value in given.items() if name != "outcomes"},
        "clinic": flow.clinic.id,
        "form": doc(flow.form(D2_FORM).pin),
        "follow_up_plan": doc(flow.record_pin(plan)),
        "step": step,
        "answers": answers,
    }
    checked = check(FollowUpResponse, doc(response)).model
    at = checked.recorded_at
    return flow.review(ReviewRequest(treatment=treatment, follow_up_plan=plan, response=checked, at=at)).review


def test_a_form_answered_for_a_wrong_step_raises_its_flags_all_the_same() -> None:
    signs = {"question": "pore.q.warning-signs", "type": "multi-choice", "value": ["breathing"]}
    review = review_of("W99", signs)
    assert (review.accepted, [flag.urgency for flag in review.flags]) == (False, ["emergency"])
    assert "review.unknown_step" in [problem.code for problem in review.problems]
    assert [task.code for task in review.tasks if task.ignores_hours] == [flag.code for flag in review.flags]
    assert "answers-incomplete" in {task.code for task in review.tasks}


def test_a_droop_of_which_nobody_said_where_is_read_as_one_of_both_eyelids() -> None:
    droop = {"question": "pore.q.droop", "type": "boolean", "value": True}
    where = {"question": "pore.q.droop-where", "type": "multi-choice", "value": ["brow"]}
    assert [(flag.code, flag.urgency) for flag in review_of("D2", droop).flags] == [("droop-unplaced", "advice")]
    assert [(flag.code, flag.urgency) for flag in review_of("D2", droop, where).flags] == [("droop-brow", "same-day")]


# -- what the content says ----------------------------------------------------------------------------------------


def test_a_low_lid_is_a_ptosis() -> None:
    result = assess(answers={"exam_lid": "low-left"})
    assert [(f.code, f.severity) for f in result.assessment.findings] == [("THICK", "inform")]


@pytest.mark.parametrize("document", ["pore.evidence.base", "pore.consent.treatment"])
def test_no_text_says_that_several_studies_saw_the_effect_gone_by_week_12(document: str) -> None:
    # One study was at baseline at 16 weeks (S3), one kept its effect to 12 weeks (S13), one to 4 months (S6).
    assert "had faded by 12" not in json.dumps(content_document(document))


# -- the right form, the right moment -----------------------------------------------------------------------------


def short_form() -> Any:
    """Answers to the short form of the day, handed in as if they were a consultation."""
    moments = {"occurred_at": "2026-09-07T10:00:00+01:00", "recorded_at": "2026-09-07T10:05:00+01:00"}
    return day_form(id="consultation-0", **moments)


def refusal(call: Callable[[], object]) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        call()
    return [problem.code for problem in caught.value.problems]


def test_no_plan_rests_on_the_short_form_of_the_day() -> None:
    flow = workflow()
    assert refusal(lambda: flow.plan(plan_request(flow, short_form()))) == ["assessment.form"]


@pytest.mark.parametrize("template", [None, PORES])
def test_no_verdict_rests_on_another_form_than_the_one_that_asks(template: str | None) -> None:
    flow = workflow()
    response = short_form()
    context = {"stage": "consultation", "date": "2026-09-10", "patient": doc(response.patient)}
    context |= {"template": template} if template else {}
    request = {"context": context, "at": "2026-09-10T10:00:00+01:00"}
    wrong = check(AssessmentRequest, {**request, "consultation": doc(response)}).model
    assert refusal(lambda: flow.assess(wrong)) == ["assessment.form"]
    long = check(AssessmentRequest, {**request, "consultation": doc(consultation()), "day_form": doc(consultation())})
    assert refusal(lambda: flow.assess(long.model)) == ["assessment.form"]


def test_a_consultation_on_another_form_than_the_plans_is_no_consultation_for_it() -> None:
    plan = changed(made().plan, consultation_form="clinic.form.other")
    assert "consultation.form" in made().codes(plan=plan)
    assert "consultation.form" not in made().codes()


def test_an_override_of_what_the_day_brought_up_is_given_on_that_day() -> None:
    names = {"type": "text", "value": "An antibiotic."}
    day = day_form(answers={"medicines": ["aminoglycoside"], "medicine_names": names})
    override = {
        "id": "override-1",
        "clinic": made().flow.clinic.id,
        "patient": made().plan.patient,
        "consultation": doc(made().consultation_pin),
        "finding": "AMINO",
        "prescriber": "dr-sample",
        "reason": "specialist-consulted",
    }
    early = check(Override, {**override, "at": "2026-09-08T10:40:00+01:00"}).model
    late = check(Override, {**override, "at": day.occurred_at}).model
    assert made().codes(day_form=day, overrides=[early]) == ["finding.amino"]
    assert made().codes(day_form=day, overrides=[late]) == []


def test_nobody_authorises_before_the_examination() -> None:
    issued = changed(made().authorisation, examined_on="2026-09-08", issued_at="2026-09-07T10:45:00+01:00")
    assert made().codes(authorisations=[issued]) == ["authorisation.exam"]


def test_an_in_use_time_that_the_clinic_accepted_holds_like_one_that_was_read() -> None:
    accepted = [*ABO_SUGGESTIONS, "pore.product.dysport-us/in_use"]
    flow = workflow_of(clinic("clinic-us.toml", policies={"accepted_suggestions": accepted}))
    vial = changed(
        forehead().vial, reconstituted_at="2026-09-09T14:00:00-04:00", discard_by="2026-09-30T14:00:00-04:00"
    )
    assert forehead().codes(flow=flow, vials=[vial]) == ["vial.in_use_hours"]
    assert forehead().codes(vials=[vial]) == []
