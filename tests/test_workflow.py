"""The whole way, for a toxin in the UK and in the US and for a peel without one, and what holds for every step."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from factories import (
    CANARY,
    FOREHEAD,
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
    forehead,
    made,
    make,
    peel,
    plan_request,
    report_of,
    with_canaries,
    workflow,
    workflow_of,
)
from pore_plugin import PoreWorkflow, ProblemsError, check
from pore_plugin.clinical.follow_up.ical import to_ical
from pore_plugin.contracts import (
    AssessmentContext,
    AssessmentRequest,
    ConsentRequest,
    Consultation,
    Event,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResponse,
    FollowUpReview,
    Model,
    Outcome,
    Override,
    PlanRequest,
    ReviewRequest,
    TreatmentRecord,
    TreatmentRequest,
)
from pore_plugin.hooks import hookimpl
from pore_plugin.rendering import answers_sheet, names_of, review_sheet


@dataclass(frozen=True)
class Walked:
    """A case with all that came after the treatment."""

    case: Made
    treatment: TreatmentRecord
    follow_up: FollowUpPlan
    reviews: tuple[FollowUpReview, ...]
    results: tuple[Model, ...]


def walk(case: Made, *steps: str, shift: str = "+01:00") -> Walked:
    """Submit, treat, follow up and review a case, with the follow-up answers of the sample for these steps."""
    flow = case.flow
    submitted = flow.submit(case.consultation)
    of_the_day = flow.submit(case.case.day_form) if case.case.day_form else None
    assert submitted.accepted
    assert of_the_day is None or of_the_day.accepted
    treated = flow.treat(TreatmentRequest(case=case.case, report=case.report))
    planned = flow.follow_up(FollowUpRequest(treatment=treated.treatment))
    reviewed = []
    for given in case_input()["follow_up"]["responses"]:
        if given["step"] in steps:
            given = json.loads(json.dumps(given).replace("+01:00", shift))
            reviewed.append(flow.review(review_request(flow, treated.treatment, planned.follow_up_plan, given)))
    return Walked(
        case,
        treated.treatment,
        planned.follow_up_plan,
        tuple(result.review for result in reviewed),
        (submitted, case.planned, treated, planned, *reviewed),
    )


def review_request(
    flow: PoreWorkflow, treatment: TreatmentRecord, plan: FollowUpPlan, given: dict[str, Any]
) -> ReviewRequest:
    outcomes = tuple(check(Outcome, outcome).model for outcome in given.pop("outcomes", ()))
    response = {
        **given,
        "clinic": flow.clinic.id,
        "form": doc(flow.follow_up_form(plan, given["step"]).pin),
        "follow_up_plan": doc(flow.record_pin(plan)),
    }
    return ReviewRequest(
        treatment=treatment,
        follow_up_plan=plan,
        response=check(FollowUpResponse, response).model,
        outcomes=outcomes,
        at=given["recorded_at"],
    )


def events_of(results: tuple[Any, ...]) -> Iterator[Event]:
    for result in results:
        yield from result.events


# -- the whole way ----------------------------------------------------------------------------------------------


def test_a_nurse_treats_pores_under_an_authorisation() -> None:
    walked = walk(made(), "D2", "W4")
    injection = walked.case.plan.injection
    assert injection is not None
    assert (injection.brand, injection.total_units.value, injection.total_volume.value) == ("BOCOUTURE", "66", "3.3")
    assert walked.treatment.authorisation == "authorisation-1"
    assert walked.treatment.readiness.ready
    assert [flag.urgency for review in walked.reviews for flag in review.flags] == ["same-day"]
    assert [review.accepted for review in walked.reviews] == [True, True]
    assert [point.change for point in walked.reviews[1].trends[0].points] == ["better"]
    assert "SAMPLE-LOT-7" in dict(walked.follow_up.red_flag_card or {})["en"]


def test_a_prescriber_treats_alone() -> None:
    case = made()
    report = changed(case.report, operator="dr-sample")
    alone = case.case_with(authorisations=())
    record = case.flow.treat(TreatmentRequest(case=alone, report=report)).treatment
    assert (record.readiness.ready, record.authorisation) == (True, None)


def test_an_oily_forehead_is_treated_in_the_us() -> None:
    walked = walk(forehead(), "W4", shift="-04:00")
    injection = walked.case.plan.injection
    assert injection is not None
    assert [(region.region, region.units.value) for region in injection.regions] == [("pore.region.forehead", "30")]
    assert (walked.treatment.market, walked.treatment.date) == ("US", "2026-09-10")
    assert walked.follow_up.zone == "America/New_York"
    assert {step.due[-6:] for step in walked.follow_up.steps if step.due < "2026-11-01"} == {"-04:00"}
    assert walked.reviews[0].flags == ()
    assert "911" in dict(walked.follow_up.red_flag_card or {})["en"]


def test_a_peel_without_toxin_goes_the_same_way() -> None:
    walked = walk(peel(), "W4")
    plan = walked.case.plan
    assert (plan.template.id, plan.injection, plan.product, plan.product_id) == (PEEL, None, None, None)
    assert {figure.key: f"{figure.value} {figure.unit}" for figure in plan.parameters} == {
        "parameter.concentration": "20 %",
        "parameter.contact-time": "3 min",
        "parameter.layers": "1 {layer}",
        "parameter.observation-time": "15 min",
    }
    assert (walked.treatment.product, walked.treatment.report.vials, walked.treatment.report.doses) == (None, (), ())
    assert walked.treatment.report.parameters
    assert [step.step for step in walked.follow_up.steps] == ["D0", "D2", "W4"]
    assert walked.follow_up.retreat_not_before is None
    assert [review.accepted for review in walked.reviews] == [True]
    assert walked.reviews[0].trends[0].points[-1].change == "better"


def test_nothing_of_a_peel_speaks_of_toxin() -> None:
    walked = walk(peel(), "W4")
    for record in (walked.case.plan, walked.treatment, walked.follow_up):
        said = record.to_json().decode().lower()
        assert "botulinum" not in said
        assert "pore.unit." not in said


def test_earlier_toxin_does_not_stop_a_peel() -> None:
    history = [{"product": "pore.product.bocouture-uk", "date": "2026-08-20", "given": "here", "units": "20"}]
    request = {"template": PEEL, "product": None, "protocol": "pore.protocol.sample-salicylic-peel", "history": history}
    toxin = workflow().plan(plan_request(workflow(), consultation(), history=history))
    assert toxin.plan is None
    assert {finding.code for finding in toxin.assessment.findings if finding.severity == "block"} == {"TOX12"}
    planned = workflow().plan(plan_request(workflow(), consultation(), **request))
    assert planned.plan is not None
    assert "block" not in {finding.severity for finding in planned.assessment.findings}


@pytest.mark.parametrize("case", [made, forehead, peel])
def test_every_consent_text_of_the_plan_is_filled_in(case: Callable[[], Made]) -> None:
    sheets = case().flow.consent_sheets(case().plan, "en", lots=("LOT-1",))
    assert [sheet.purpose for sheet in sheets] == ["treatment", "record-photo", "teaching", "marketing"]
    assert {sheet.plan for sheet in sheets} == {case().plan_pin}
    assert not any("{" in paragraph for sheet in sheets for paragraph in sheet.paragraphs)


def test_a_red_flag_is_raised_although_the_answers_are_not_accepted() -> None:
    walked = walk(made())
    [given, _] = case_input()["follow_up"]["responses"]
    given["answers"] = [a for a in given["answers"] if a["question"] in ("pore.q.droop", "pore.q.droop-where")]
    review = made().flow.review(review_request(made().flow, walked.treatment, walked.follow_up, given)).review
    assert (review.accepted, bool(review.problems)) == (False, True)
    assert [flag.urgency for flag in review.flags] == ["same-day"]


def test_the_watch_form_is_answered_at_any_time_of_the_watch() -> None:
    walked = walk(made())
    flow, plan = made().flow, walked.follow_up
    form = flow.follow_up_form(plan, "D0")
    assert form.pin == plan.watch_form
    [given, _] = case_input()["follow_up"]["responses"]
    given |= {"step": "D0", "answers": given["answers"][:4]}
    review = flow.review(review_request(flow, walked.treatment, plan, given)).review
    assert [flag.urgency for flag in review.flags] == ["same-day"]


def test_a_response_to_another_plan_or_patient_is_not_accepted_but_keeps_its_flags() -> None:
    walked = walk(made())
    flow = made().flow
    [given, _] = case_input()["follow_up"]["responses"]
    request = review_request(flow, walked.treatment, walked.follow_up, given)
    flagged = [flag.code for flag in flow.review(request).review.flags]
    other_patient = {**doc(request.response.patient), "id": "patient-9"}
    other_plan = {"id": walked.follow_up.id, "digest": "sha256:" + "0" * 64}
    for members in ({"patient": other_patient}, {"follow_up_plan": other_plan}):
        review = flow.review(changed(request, response={**doc(request.response), **members})).review
        assert not review.accepted
        assert [problem.code for problem in review.problems] == ["review.other_plan"]
        assert [flag.code for flag in review.flags] == flagged, "a sign of danger never waits for paperwork"
        assert review.patient == members.get("patient", doc(request.response.patient))["id"]


def codes(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        call()
    return [problem.code for problem in caught.value.problems]


# -- assessing --------------------------------------------------------------------------------------------------


def context(stage: str, **members: Any) -> AssessmentContext:
    patient = case_input()["consultation"]["patient"]
    return AssessmentContext.model_validate(
        {"stage": stage, "date": "2026-09-10", "patient": patient, **members}, strict=False
    )


def test_a_booking_is_assessed_without_a_consultation() -> None:
    at = "2026-09-01T09:00:00+01:00"
    adult = workflow().assess(AssessmentRequest(context=context("booking"), at=at)).assessment
    assert (adult.verdict, adult.consultation) == ("clear", None)
    child = {"host": "sample-host", "id": "patient-2", "birth_date": "2010-01-01"}
    minor = workflow().assess(AssessmentRequest(context=context("booking", patient=child), at=at)).assessment
    assert (minor.verdict, [finding.code for finding in minor.findings]) == ("block", ["AGE"])


@pytest.mark.parametrize("stage", ["consultation", "plan", "treatment"])
def test_every_later_stage_needs_a_consultation(stage: str) -> None:
    request = AssessmentRequest(context=context(stage), at="2026-09-07T10:35:00+01:00")
    assert codes(lambda: workflow().assess(request)) == ["assessment.no_consultation"]


def test_answers_of_another_patient_are_not_assessed() -> None:
    child = {"host": "sample-host", "id": "patient-2", "birth_date": "1990-05-17"}
    at = "2026-09-07T10:35:00+01:00"
    request = AssessmentRequest(context=context("consultation", patient=child), consultation=consultation(), at=at)
    assert codes(lambda: workflow().assess(request)) == ["assessment.patient"]


def test_a_draft_is_neither_assessed_nor_planned() -> None:
    draft = consultation(status="draft")
    request = AssessmentRequest(context=context("consultation"), consultation=draft, at=draft.recorded_at)
    assert codes(lambda: workflow().assess(request)) == ["consultation.draft"]
    assert codes(lambda: workflow().plan(plan_request(workflow(), draft))) == ["consultation.draft"]


def test_an_assessment_pins_the_answers_and_the_rules_it_rests_on() -> None:
    assessment = made().assessment
    assert assessment.consultation == made().consultation_pin
    assert assessment.rules == made().flow.pin("pore.rules.safety").digest
    assert made().plan.assessment == made().flow.record_pin(assessment)


# -- planning ---------------------------------------------------------------------------------------------------


def test_a_blocked_plan_leaves_the_plan_out_and_says_why() -> None:
    whole = case_input("2-blocked")
    flow = workflow()
    response = check(
        Consultation, {**whole["consultation"], "form": doc(flow.form().pin), "clinic": flow.clinic.id}
    ).model
    request = check(PlanRequest, {**whole["plan"], "consultation": doc(response)}).model
    result = flow.plan(request)
    assert (result.plan, result.plan_digest, result.missing) == (None, None, ())
    assert result.assessment.verdict == "block"
    assert [event.type for event in result.events] == ["assessment.made"]


def test_missing_figures_are_listed_all_at_once_and_supplying_them_makes_the_plan() -> None:
    bare = workflow_of(clinic(policies={"accepted_suggestions": []}))
    result = bare.plan(plan_request(bare, consultation(bare), protocol=None))
    assert result.plan is None
    missing = {number.key: number for number in result.missing}
    protocol = content_document("pore.protocol.sample-microtoxin-pores-inco-uk")
    # What may be left out, such as how many needles are used up, is printed as not given instead.
    needed = {figure["key"] for figure in protocol["parameters"] if not figure["key"].startswith("consumable.")}
    assert needed <= set(missing)
    suggested = {number.accept for number in missing.values() if number.accept}
    assert suggested
    assert all(number.reason and number.source for number in missing.values())
    # Whatever was suggested is accepted, the rest comes with the protocol: nothing else is asked for then.
    accepting = workflow_of(clinic(policies={"accepted_suggestions": sorted(suggested)}))
    assert accepting.plan(plan_request(accepting, consultation(accepting))).plan is not None


@pytest.mark.parametrize(
    ("template", "product"),
    [(PORES, "pore.product.bocouture-uk"), (FOREHEAD, "pore.product.azzalure-uk"), (PEEL, None)],
)
def test_no_template_can_be_planned_on_what_ships_alone(template: str, product: str | None) -> None:
    request = plan_request(workflow(), consultation(), template=template, product=product, protocol=None)
    result = workflow().plan(request)
    assert result.plan is None
    assert len(result.missing) > 3


def test_a_sample_protocol_is_used_only_when_it_is_named() -> None:
    unnamed = workflow().plan(plan_request(workflow(), consultation(), protocol=None))
    assert (unnamed.plan, bool(unnamed.missing)) == (None, True)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"template": "pore.template.nothing"}, "catalogue.unknown"),
        ({"product": "pore.product.nothing"}, "catalogue.unknown"),
        ({"protocol": "pore.protocol.nothing"}, "catalogue.unknown"),
    ],
)
def test_an_unknown_document_is_refused(members: dict[str, str], code: str) -> None:
    request = plan_request(workflow(), consultation(), **members)
    assert codes(lambda: workflow().plan(request)) == [code]


def test_a_product_of_another_market_cannot_be_planned() -> None:
    request = plan_request(workflow(), consultation(), product="pore.product.xeomin-us", protocol=None)
    assert "plan.market" in codes(lambda: workflow().plan(request))


def test_a_plan_without_approvals_is_marked_a_draft() -> None:
    assert make(approvals=[]).plan.draft is True
    assert made().plan.draft is False


@pytest.mark.parametrize(
    ("missing", "draft"),
    [
        ("pore.form.consultation", True),
        ("pore.template.microtoxin-pores", True),
        ("pore.protocol.sample-microtoxin-pores-inco-uk", True),
        ("pore.form.day-of-treatment", False),
        ("pore.consent.treatment", False),
    ],
)
def test_a_plan_is_a_draft_while_a_document_it_rests_on_is_not_approved(missing: str, draft: bool) -> None:
    flow = workflow()
    documents = [one["document"] for one in case_input()["approvals"]]
    kept = approvals(flow, *(one for one in documents if one != missing), prescriber="dr-sample")
    assert len(kept) == len(documents) - 1
    assert make(flow, approvals=kept).plan.draft is draft


# -- what holds for every step ----------------------------------------------------------------------------------


def all_bytes(walked: Walked) -> list[bytes]:
    return [result.to_json() for result in walked.results]


def test_the_same_input_gives_the_same_bytes() -> None:
    again = make(workflow_of(clinic()))
    assert all_bytes(walk(again, "D2", "W4")) == all_bytes(walk(made(), "D2", "W4"))
    ical = [to_ical(walk(c).follow_up, clinic_name="Sample", stamp=made().report.ended_at) for c in (again, made())]
    assert ical[0] == ical[1]


@pytest.mark.parametrize("case", [made, peel])
def test_every_result_reads_back_as_it_was_written(case: Callable[[], Made]) -> None:
    for result in walk(case(), "W4").results:
        again = check(type(result), result.to_json()).model
        assert again.to_json() == result.to_json()


def test_steps_return_events_and_doing_a_step_again_returns_the_same_ones() -> None:
    first, second = (list(events_of(walk(made(), "D2", "W4").results)) for _ in range(2))
    assert [event.type for event in first] == [
        "consultation.submitted",
        "assessment.made",
        "plan.made",
        "treatment.recorded",
        "follow_up.planned",
        "follow_up.reviewed",
        "red_flag.raised",
        "follow_up.reviewed",
    ]
    assert first == second
    assert len({event.id for event in first}) == len(first)


def test_events_hold_ids_and_moments_and_nothing_of_the_patient() -> None:
    case = with_canaries()
    walked = walk(case, "D2", "W4")
    for event in events_of(walked.results):
        assert set(doc(event)) <= {"id", "type", "clinic", "subject", "at", "related"}
        said = event.to_json().decode()
        assert CANARY not in said
        assert case.consultation.patient.id not in said
        assert case.consultation.patient.birth_date not in said


def test_no_record_shows_itself() -> None:
    walked = walk(with_canaries(), "D2", "W4")
    for record in (*walked.results, walked.case.case, walked.case.report, walked.case.consultation, *walked.reviews):
        for shown in (repr(record), str(record), f"{record!r:.200}"):
            assert CANARY not in shown
            assert walked.case.consultation.patient.birth_date not in shown


def test_no_error_repeats_what_was_written() -> None:
    case = with_canaries()
    flow = case.flow
    override = {
        "id": "o",
        "clinic": "c",
        "patient": "p",
        "consultation": doc(case.consultation_pin),
        "finding": "CVD",
        "prescriber": "dr-sample",
        "reason": "other",
        "reason_text": CANARY,
        "at": case.at,
    }
    wrong: list[Callable[[], Any]] = [
        lambda: flow.plan(plan_request(flow, changed(case.consultation, status="draft"))),
        lambda: flow.treat(TreatmentRequest(case=case.case_with(consents=()), report=case.report)),
        lambda: flow.treat(TreatmentRequest(case=case.case, report=changed(case.report, parameters=[]))),
        lambda: check(Override, {**override, "at": CANARY}),
        lambda: check(
            ConsentRequest, {"plan": CANARY, "signature": {"method": "typed", "name": 3, CANARY[:0]: CANARY}}
        ),
        lambda: flow.consent_sheets(case.plan, "xx"),
        lambda: flow.form(f"pore.form.{CANARY.lower()}"),
        lambda: flow.pin(f"pore.form.{CANARY.lower()}"),
    ]
    for call in wrong:
        with pytest.raises(ProblemsError) as caught:
            call()
        said = repr(caught.value) + str(caught.value)
        said += "".join(problem.to_json().decode() for problem in caught.value.problems)
        assert CANARY.lower() not in said.lower()


def test_a_workflow_has_no_memory_of_a_case() -> None:
    flow = workflow_of(clinic())
    before = all_bytes(walk(make(flow), "W4"))
    make(flow, answers={"health_conditions": ["cardiovascular-disease"]})
    assert all_bytes(walk(make(flow), "W4")) == before


# -- years later ------------------------------------------------------------------------------------------------


class Sleep:
    """An extension with a question of its own."""

    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "acme"

    @hookimpl
    def pore_register_questions(self, form: Any) -> Any:
        if form.id == "pore.form.consultation":
            question = {"id": "acme.q.sleep", "type": "boolean", "text": {"en": "Do you sleep well?"}, "required": True}
            yield {"section": form.sections[0].id, "question": question}


SLEPT = {"question": "acme.q.sleep", "type": "boolean", "value": True}


def test_an_extensions_question_is_asked_answered_and_required() -> None:
    flow = workflow_of(clinic(), plugins={"acme": Sleep()})
    base = workflow().form().pin
    composed = flow.form()
    assert re.fullmatch(rf"{re.escape(base.version)}\+[0-9a-f]{{12}}", composed.pin.version)
    without = flow.submit(consultation(flow))
    assert [problem.code for problem in without.problems] == ["answers.required"]
    answered = changed(consultation(flow), answers=[*doc(consultation(flow).answers), SLEPT])
    assert flow.submit(answered).accepted


def test_a_record_is_rendered_and_treated_from_its_own_bytes_when_the_extension_is_gone() -> None:
    then = workflow_of(clinic(), plugins={"acme": Sleep()})
    entry = then.form()
    answered = changed(consultation(then), answers=[*doc(consultation(then).answers), SLEPT])
    sheet = answers_sheet(entry.model, answered, "en")
    assert "Do you sleep well?" in sheet
    kept = entry.canonical

    gone = workflow_of(clinic())
    assert codes(lambda: gone.submit(answered)) == ["catalogue.unknown_pin"]
    later = workflow_of(clinic(), content=[kept])
    found = later.catalogue.pinned(answered.form)
    assert found.canonical == kept
    assert answers_sheet(found.model, answered, "en") == sheet
    assert later.submit(answered).accepted
    assert later.form().pin == workflow().form().pin
    assert later.plan(plan_request(later, answered)).plan is not None


def test_a_record_keeps_to_its_form_when_a_newer_one_ships() -> None:
    older = content_document("pore.form.consultation")
    older["version"] = "0.0.9"
    older["sections"][0]["questions"][0]["text"]["en"] = "As it was asked then?"
    flow = workflow_of(clinic(), content=[older])
    [old] = [entry for entry in flow.catalogue.entries if entry.pin.version == "0.0.9"]
    assert flow.form().pin == workflow().form().pin
    response = changed(consultation(flow), form=old.pin)
    assert flow.submit(response).accepted
    assert "As it was asked then?" in answers_sheet(flow.catalogue.pinned(response.form).model, response, "en")


def test_a_follow_up_goes_on_with_the_template_that_was_used() -> None:
    older = content_document(PORES)
    older["version"] = "0.0.9"
    flow = workflow_of(clinic(), content=[older])
    [old] = [entry.pin for entry in flow.catalogue.entries if entry.pin.id == PORES and entry.pin.version == "0.0.9"]
    record = walk(made()).treatment
    plan = flow.follow_up(FollowUpRequest(treatment=changed(record, template=old))).follow_up_plan
    assert [step.step for step in plan.steps] == [step.step for step in walk(made()).follow_up.steps]
    missing = changed(record, template={**doc(old), "digest": "sha256:" + "0" * 64})
    assert codes(lambda: flow.follow_up(FollowUpRequest(treatment=missing))) == ["catalogue.unknown_pin"]


# -- follow-up --------------------------------------------------------------------------------------------------


def test_a_second_treatment_has_steps_of_its_own() -> None:
    case = made()
    again = changed(case.report, id="treatment-2")
    first = walk(case).follow_up
    record = case.flow.treat(TreatmentRequest(case=case.case, report=again)).treatment
    second = case.flow.follow_up(FollowUpRequest(treatment=record)).follow_up_plan
    assert {step.key for step in first.steps}.isdisjoint(step.key for step in second.steps)


def test_steps_on_request_come_only_when_they_are_asked_for() -> None:
    record = walk(made()).treatment
    steps = {s.step for s in walk(made()).follow_up.steps}
    request = FollowUpRequest(treatment=record, requested_steps=("W2", "W24"))
    asked = {s.step for s in made().flow.follow_up(request).follow_up_plan.steps}
    assert asked - steps == {"W2", "W24"}
    wrong = FollowUpRequest(treatment=record, requested_steps=("W99",))
    assert codes(lambda: made().flow.follow_up(wrong)) == ["follow_up.unknown_step"]


def test_a_form_is_found_for_every_step_that_has_one_and_none_is_made_up() -> None:
    plan = walk(peel()).follow_up
    assert peel().flow.follow_up_form(plan, "W4").pin.id == "pore.form.follow-up-review"
    assert codes(lambda: peel().flow.follow_up_form(plan, "D2")) == ["review.no_form"]


def test_the_plan_reports_what_a_report_of_it_needs() -> None:
    # The factory's report of a treatment as planned is the sample's own, figure by figure.
    ours, theirs = report_of(made().plan, made().case.vials), case_input()["treatment"]
    assert [doc(dose) for dose in ours.doses] == theirs["doses"]
    assert [doc(use) for use in ours.vials] == theirs["vials"]
    assert day_form().form.id == made().plan.day_form


def test_a_switched_off_rule_that_does_not_exist_is_refused_by_its_place() -> None:
    policies = clinic().policies.model_copy(update={"switched_off_rules": ("CVD", "CVX")})
    with pytest.raises(ProblemsError) as caught:
        workflow_of(clinic(policies=policies))
    assert [(p.code, p.pointer) for p in caught.value.problems] == [
        ("clinic.unknown_rule", "/policies/switched_off_rules/1")
    ]


@pytest.mark.parametrize(
    ("figure", "pointer", "code"),
    [
        ({"region": "pore.region.forhead"}, "/policies/dose_figures/0/region", "clinic.unknown_region"),
        ({"product": "pore.product.bocouture-us"}, "/policies/dose_figures/0/product", "clinic.unknown_product"),
    ],
)
def test_a_misspelt_dose_policy_is_refused_with_the_nearest_name(
    figure: dict[str, str], pointer: str, code: str
) -> None:
    own = {"product": "pore.product.bocouture-uk", "region": "pore.region.forehead", "units": "10", "reason": "Ours."}
    settings = clinic()
    policies = changed(settings.policies, dose_figures=[{**own, **figure}])
    with pytest.raises(ProblemsError) as caught:
        workflow_of(changed(settings, policies=doc(policies)))
    [problem] = caught.value.problems
    assert (problem.code, problem.pointer) == (code, pointer)
    assert problem.next_step.startswith("Did you mean pore.")


def test_an_extension_that_could_not_be_loaded_asks_for_a_review_until_it_is_switched_off() -> None:
    class Broken:
        PORE_CONTRACT = "9.9"
        PORE_VENDOR = "acme"

    def findings(**settings: Any) -> list[str]:
        flow = workflow_of(clinic(**settings), plugins={"acme": Broken()})
        return [finding.code for finding in make(flow).planned.assessment.findings]

    assert findings() == ["extension.quarantined"]
    assert findings(extensions={"disabled": ["acme"]}) == []


def test_answers_of_another_clinic_are_not_accepted_and_not_planned_on() -> None:
    flow = workflow_of(clinic())
    elsewhere = changed(consultation(flow), clinic="another-clinic")
    result = flow.submit(elsewhere)
    assert not result.accepted
    assert [(p.code, p.pointer) for p in result.problems] == [("response.clinic", "/clinic")]
    with pytest.raises(ProblemsError) as caught:
        flow.plan(plan_request(flow, elsewhere))
    assert [(p.code, p.pointer) for p in caught.value.problems] == [("response.clinic", "/consultation/clinic")]


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"at": "2026-09-07T09:59:59+01:00"}, "plan.time_order"),
        ({"treatment_date": "2026-09-06"}, "plan.treatment_date"),
    ],
)
def test_a_plan_before_its_consultation_is_refused(dates: dict[str, str], code: str) -> None:
    flow = workflow_of(clinic())
    with pytest.raises(ProblemsError) as caught:
        flow.plan(plan_request(flow, consultation(flow), **dates))
    assert [problem.code for problem in caught.value.problems] == [code]


def test_a_consent_explained_by_nobody_of_the_clinic_is_refused() -> None:
    request = check("consent-request", {**case_input()["consent"], "plan": doc(made().plan), "explained_by": "ghost"})
    with pytest.raises(ProblemsError) as caught:
        made().flow.consent(request.model)
    assert [problem.code for problem in caught.value.problems] == ["consent.explained_by"]


def test_unanswered_signs_and_free_text_become_tasks_and_never_read_as_all_clear() -> None:
    walked = walk(made())
    flow = made().flow
    [given, _] = case_input()["follow_up"]["responses"]
    request = review_request(flow, walked.treatment, walked.follow_up, given)
    empty = flow.review(changed(request, response={**doc(request.response), "answers": []})).review
    assert not empty.accepted
    assert [task.code for task in empty.tasks] == ["answers-incomplete"]
    names = names_of(flow.clinic, (entry.model for entry in flow.catalogue.entries), "en")
    assert "NOT ACCEPTED" in review_sheet(empty, "en", names)
    assert "No red flag" not in review_sheet(empty, "en", names)
    written = flow.review(request).review
    assert "read-text" in {task.code for task in written.tasks}, "the sample answers have free text"
