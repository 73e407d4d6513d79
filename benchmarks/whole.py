"""The whole workflow on the package's own sample case: JSON bytes in, review out, and what is set beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pore_plugin import PoreWorkflow, check, check_toml, rendering
from pore_plugin.clinical.follow_up.ical import to_ical
from pore_plugin.contracts import (
    Approval,
    Assessment,
    AssessmentContext,
    AssessmentRequest,
    Authorisation,
    CaseFile,
    Clinic,
    ConsentRequest,
    Consultation,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResponse,
    FollowUpReview,
    Outcome,
    PlanRequest,
    ProcedurePlan,
    Readiness,
    ReadinessRequest,
    ReviewRequest,
    Signature,
    TreatmentRecord,
    TreatmentReport,
    TreatmentRequest,
    Vial,
)
from pore_plugin.demo import run_case

__all__ = ["Case", "Walked", "ical", "prepare_case", "prepare_workflow", "sheets", "walk"]

STEP = "W4"
"""The visit that is reviewed: the primary outcome, with scores against baseline."""


@dataclass(frozen=True)
class Case:
    """What a host hands in for one case, as the bytes that reach it, and the few fields it types in itself."""

    consultation: bytes
    day_form: bytes
    approvals: tuple[bytes, ...]
    authorisations: tuple[bytes, ...]
    vials: tuple[bytes, ...]
    report: bytes
    response: bytes
    outcomes: tuple[bytes, ...]
    plan: dict[str, Any]
    consent: dict[str, Any]
    requested_steps: tuple[str, ...]
    reviewed_at: str


@dataclass(frozen=True)
class Walked:
    """What one walk made."""

    consultation: Consultation
    assessment: Assessment
    plan: ProcedurePlan
    readiness: Readiness
    treatment: TreatmentRecord
    follow_up: FollowUpPlan
    review: FollowUpReview


def prepare_workflow() -> PoreWorkflow:
    """Return the sample clinic's workflow: catalogue, form and rules ready."""
    sample = resources.files("pore_plugin") / "content" / "sample"
    return PoreWorkflow(check_toml(Clinic, (sample / "clinic.toml").read_bytes()).model, installed=False)


def sample_case() -> dict[str, Any]:
    """Return the shipped case that is treated and followed up."""
    sample = resources.files("pore_plugin") / "content" / "sample" / "cases" / "1-treated.json"
    case: dict[str, Any] = json.loads(sample.read_bytes())
    return case


def prepare_case(workflow: PoreWorkflow) -> Case:
    """Return the bytes of the sample case, with the pins that the steps of an earlier, equal walk gave."""
    case = sample_case()
    run = run_case(workflow, case, "en")
    if run.follow_up is None or run.plan is None:
        raise RuntimeError(f"the sample case does not reach its follow-up: {run.ended}")
    clinic = {"clinic": workflow.clinic.id}
    patient = {**clinic, "patient": case["consultation"]["patient"]["id"]}
    answer = next(dict(one) for one in case["follow_up"]["responses"] if one["step"] == STEP)
    outcomes = answer.pop("outcomes")
    reviewed_at = answer.pop("reviewed_at", answer["recorded_at"])
    return Case(
        consultation=_bytes(case["consultation"], **clinic, form=workflow.form().pin.to_document()),
        day_form=_bytes(case["day_form"], **clinic, form=workflow.form(run.plan.day_form).pin.to_document()),
        approvals=tuple(
            _bytes(one, **clinic, document=workflow.pin(one["document"]).to_document()) for one in case["approvals"]
        ),
        authorisations=tuple(_bytes(one, **patient) for one in case["authorisations"]),
        vials=tuple(_bytes(one) for one in case["vials"]),
        report=_bytes(case["treatment"]),
        response=_bytes(
            answer,
            **clinic,
            form=workflow.follow_up_form(run.follow_up, STEP).pin.to_document(),
            follow_up_plan=workflow.record_pin(run.follow_up).to_document(),
        ),
        outcomes=tuple(_bytes(one) for one in outcomes),
        plan=case["plan"],
        consent=case["consent"],
        requested_steps=tuple(case["follow_up"]["requested_steps"]),
        reviewed_at=reviewed_at,
    )


def _bytes(document: dict[str, Any], /, **pins: Any) -> bytes:
    return json.dumps({**document, **pins}, ensure_ascii=False).encode()


def walk(workflow: PoreWorkflow, case: Case) -> Walked:
    """Go the whole way once. Every document that reaches the host is checked; what a step made is handed on."""
    workflow.form()
    consultation = check(Consultation, case.consultation).model
    submission = workflow.submit(consultation)
    planned_for, at = case.plan["treatment_date"], consultation.recorded_at
    workflow.assess(
        AssessmentRequest(
            context=AssessmentContext(
                stage="consultation",
                session=case.plan["session"],
                date=planned_for,
                patient=consultation.patient,
                template=case.plan["template"],
                product=case.plan["product"],
            ),
            consultation=submission.consultation,
            at=at,
        )
    )
    approvals = tuple(check(Approval, one).model for one in case.approvals)
    planned = workflow.plan(PlanRequest(consultation=submission.consultation, approvals=approvals, **case.plan))
    plan = _there(planned.plan)
    signature = Signature(**case.consent["signature"])
    consent = workflow.consent(ConsentRequest(plan=plan, **{**case.consent, "signature": signature})).consent
    case_file = CaseFile(
        consultation=submission.consultation,
        assessment=planned.assessment,
        plan=plan,
        day_form=check(Consultation, case.day_form).model,
        consents=(consent,),
        authorisations=tuple(check(Authorisation, one).model for one in case.authorisations),
        approvals=approvals,
        vials=tuple(check(Vial, one).model for one in case.vials),
    )
    report = check(TreatmentReport, case.report).model
    readiness = workflow.ready(
        ReadinessRequest(case=case_file, operator=report.operator, prescriber=report.prescriber, at=report.started_at)
    )
    treatment = workflow.treat(TreatmentRequest(case=case_file, report=report)).treatment
    follow_up = workflow.follow_up(
        FollowUpRequest(treatment=treatment, requested_steps=case.requested_steps)
    ).follow_up_plan
    review = workflow.review(
        ReviewRequest(
            treatment=treatment,
            follow_up_plan=follow_up,
            response=check(FollowUpResponse, case.response).model,
            outcomes=tuple(check(Outcome, one).model for one in case.outcomes),
            at=case.reviewed_at,
        )
    ).review
    return Walked(consultation, planned.assessment, plan, readiness, treatment, follow_up, review)


def sheets(workflow: PoreWorkflow, walked: Walked) -> list[str]:
    """Render what a walk made for people, one text for each record."""
    names = rendering.names_of(workflow.clinic, (entry.model for entry in workflow.catalogue.entries), "en")
    return [
        rendering.answers_sheet(workflow.form().model, walked.consultation, "en"),
        rendering.assessment_sheet(walked.assessment, "en", names),
        rendering.plan_sheet(walked.plan, "en"),
        *(rendering.consent_text_sheet(one) for one in workflow.consent_sheets(walked.plan, "en")),
        rendering.readiness_sheet(walked.readiness, "en", names),
        rendering.treatment_sheet(walked.treatment, "en", names, walked.plan),
        rendering.follow_up_sheet(walked.follow_up, "en", sample=True),
        rendering.review_sheet(walked.review, "en", names, sample=True),
    ]


def ical(workflow: PoreWorkflow, walked: Walked) -> bytes:
    """Write the follow-up as iCalendar."""
    return to_ical(walked.follow_up, clinic_name=workflow.clinic.name, stamp=walked.treatment.report.ended_at)


def _there(plan: ProcedurePlan | None) -> ProcedurePlan:
    if plan is None:
        raise RuntimeError("the sample case got no plan")
    return plan
