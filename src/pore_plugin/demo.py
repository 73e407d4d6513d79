"""The whole way on sample input: what a host would do with the façade, one case file after the other.

A case file holds the documents of one case without their pins: pins are what a host gets from the step before, and
here they are filled in the same way. A case goes as far as its input and the findings let it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import rendering
from .clinical.ical import to_ical
from .contracts import (
    Approval,
    Assessment,
    AssessmentContext,
    AssessmentRequest,
    Authorisation,
    CaseFile,
    Consent,
    ConsentRequest,
    Consultation,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResponse,
    FollowUpReview,
    Model,
    Outcome,
    Override,
    Pin,
    PlanRequest,
    Problem,
    ProblemsError,
    ProcedurePlan,
    Readiness,
    ReadinessRequest,
    RecordPin,
    ReviewRequest,
    TreatmentReport,
    TreatmentRequest,
    Vial,
)
from .validation import check
from .workflow import PoreWorkflow

__all__ = ["CASE_KEYS", "CaseRun", "Sheet", "run_case"]

M = TypeVar("M", bound=Model)

CASE_KEYS = frozenset(
    {
        "approvals",
        "authorisations",
        "consent",
        "consultation",
        "day_form",
        "follow_up",
        "note",
        "overrides",
        "plan",
        "title",
        "treatment",
        "vials",
    }
)


@dataclass(frozen=True)
class Sheet:
    """One thing the case left: a file name without ending, a title, Markdown to read, the document."""

    name: str
    title: str
    markdown: str
    document: Model | None = None
    ical: bytes | None = None


@dataclass
class CaseRun:
    """What one case left, in order, and where it ended."""

    title: str
    sheets: list[Sheet] = field(default_factory=list)
    assessment: Assessment | None = None
    plan: ProcedurePlan | None = None
    readiness: Readiness | None = None
    follow_up: FollowUpPlan | None = None
    reviews: list[FollowUpReview] = field(default_factory=list)
    ended: str = "done"


def run_case(workflow: PoreWorkflow, case: Mapping[str, Any], locale: str) -> CaseRun:
    """Take one case as far as it goes. Raises `ProblemsError` when the input itself is wrong."""
    unknown = sorted(set(case) - CASE_KEYS)
    if unknown:
        raise ProblemsError(
            Problem(
                code="demo.unknown_key",
                sentence="A case file has a part that a case does not have.",
                pointer=f"/{key}",
                next_step=f"Use only: {', '.join(sorted(CASE_KEYS))}.",
            )
            for key in unknown
        )
    run = CaseRun(str(case.get("title", "case")))
    for _ in _walk(workflow, case, locale, run):
        pass
    return run


def _walk(workflow: PoreWorkflow, case: Mapping[str, Any], locale: str, run: CaseRun) -> Iterator[None]:
    titles = workflow.region_titles(locale)
    clinic = {"clinic": workflow.clinic.id}
    form = workflow.form()
    consultation = _check(Consultation, _part(case, "consultation"), form=form.pin, **clinic)
    submission = workflow.submit(consultation)
    sheet = rendering.answers_sheet(form.model, submission.consultation, locale)
    if submission.problems:
        sheet += "\n## Problems\n\n" + rendering.problems_sheet(submission.problems)
    run.sheets.append(Sheet("consultation", "Consultation", sheet, submission.consultation))
    if not submission.accepted:
        run.ended = "the consultation was kept as a draft"
        return
    yield

    plan_input = _part(case, "plan")
    context = AssessmentContext(
        stage="consultation",
        session=plan_input.get("session", "first"),
        tops_up=plan_input.get("tops_up"),
        date=plan_input["treatment_date"],
        patient=consultation.patient,
        template=plan_input["template"],
        product=plan_input.get("product"),
    )
    assessment = workflow.assess(
        AssessmentRequest(context=context, consultation=consultation, at=consultation.recorded_at)
    ).assessment
    run.assessment = assessment
    run.sheets.append(
        Sheet("assessment", "Suitability", rendering.assessment_sheet(assessment, locale, titles), assessment)
    )
    if assessment.verdict == "block":
        run.ended = "blocked at consultation"
        return
    yield

    approvals = _approvals(workflow, case, clinic)
    planned = workflow.plan(
        _check(PlanRequest, plan_input, consultation=consultation, approvals=[a.to_document() for a in approvals])
    )
    run.assessment = planned.assessment
    run.sheets.append(
        Sheet(
            "assessment-plan",
            "Suitability of the plan",
            rendering.assessment_sheet(
                planned.assessment, locale, titles, sample=planned.plan is not None and planned.plan.sample
            ),
            planned.assessment,
        )
    )
    if planned.plan is None:
        run.ended = "blocked at planning" if not planned.missing else "the protocol has to supply figures"
        if planned.missing:
            run.sheets.append(Sheet("missing", "Missing figures", rendering.missing_sheet(planned.missing), planned))
        return
    plan = run.plan = planned.plan
    run.sheets.append(Sheet("plan", "Plan", rendering.plan_sheet(plan, locale), plan))
    yield

    case_file = _case_file(workflow, case, run, consultation, planned.assessment, plan, approvals, locale)
    if "treatment" not in case:
        run.ended = "planned"
        return
    report = _check(TreatmentReport, _part(case, "treatment"))
    readiness = workflow.ready(ReadinessRequest(case=case_file, operator=report.operator, at=report.started_at))
    run.readiness = readiness
    run.sheets.append(
        Sheet(
            "readiness",
            "Ready to treat?",
            rendering.readiness_sheet(readiness, locale, titles, sample=plan.sample),
            readiness,
        )
    )
    if not readiness.ready and not report.deviations:
        run.ended = "not ready to treat"
        return
    yield

    record = workflow.treat(TreatmentRequest(case=case_file, report=report)).treatment
    run.sheets.append(Sheet("treatment", "Treatment", rendering.treatment_sheet(record, locale, titles), record))
    later = _part(case, "follow_up") if "follow_up" in case else {}
    follow_up = workflow.follow_up(
        FollowUpRequest(treatment=record, requested_steps=tuple(later.get("requested_steps", ())))
    ).follow_up_plan
    run.follow_up = follow_up
    run.sheets.append(
        Sheet(
            "follow-up",
            "Follow-up",
            rendering.follow_up_sheet(follow_up, locale, sample=record.sample),
            follow_up,
            to_ical(follow_up, clinic_name=workflow.clinic.name, stamp=report.ended_at),
        )
    )
    yield

    plan_pin = workflow.record_pin(follow_up)
    for position, entry in enumerate(later.get("responses", ())):
        entry = dict(entry)
        outcomes = tuple(_check(Outcome, outcome) for outcome in entry.pop("outcomes", ()))
        reviewed_at = entry.pop("reviewed_at", entry["recorded_at"])
        step_form = workflow.follow_up_form(follow_up, entry["step"])
        response = _check(FollowUpResponse, entry, form=step_form.pin, follow_up_plan=plan_pin, **clinic)
        review = workflow.review(
            ReviewRequest(
                treatment=record, follow_up_plan=follow_up, response=response, outcomes=outcomes, at=reviewed_at
            )
        ).review
        run.reviews.append(review)
        run.sheets.append(
            Sheet(
                f"review-{position + 1}-{review.step.lower()}",
                f"Review {review.step}",
                rendering.review_sheet(review, locale, titles, sample=record.sample),
                review,
            )
        )
        yield


def _case_file(
    workflow: PoreWorkflow,
    case: Mapping[str, Any],
    run: CaseRun,
    consultation: Consultation,
    assessment: Assessment,
    plan: ProcedurePlan,
    approvals: tuple[Approval, ...],
    locale: str,
) -> CaseFile:
    clinic = {"clinic": workflow.clinic.id}
    patient = {"patient": consultation.patient.id, **clinic}
    consultation_pin = workflow.record_pin(consultation)
    vials = tuple(_check(Vial, vial) for vial in case.get("vials", ()))
    consents: tuple[Consent, ...] = ()
    for sheet in workflow.consent_sheets(plan, locale, lots=tuple(vial.lot for vial in vials)):
        run.sheets.append(
            Sheet(f"consent-text-{sheet.purpose}", "Consent text", rendering.consent_text_sheet(sheet), sheet)
        )
    if "consent" in case:
        consent = workflow.consent(_check(ConsentRequest, _part(case, "consent"), plan=plan)).consent
        consents = (consent,)
        run.sheets.append(Sheet("consent", "Consent", rendering.consent_sheet(consent, sample=plan.sample), consent))
    day_form = None
    if "day_form" in case:
        day_form = _check(Consultation, _part(case, "day_form"), form=workflow.form(plan.day_form).pin, **clinic)
        run.sheets.append(
            Sheet(
                "day-form",
                "Day of treatment",
                rendering.answers_sheet(workflow.form(plan.day_form).model, day_form, locale),
                day_form,
            )
        )
    return CaseFile(
        consultation=consultation,
        assessment=assessment,
        plan=plan,
        day_form=day_form,
        consents=consents,
        overrides=tuple(
            _check(Override, override, consultation=consultation_pin, **patient)
            for override in case.get("overrides", ())
        ),
        authorisations=tuple(_check(Authorisation, item, **patient) for item in case.get("authorisations", ())),
        approvals=approvals,
        vials=vials,
    )


def _approvals(workflow: PoreWorkflow, case: Mapping[str, Any], clinic: Mapping[str, str]) -> tuple[Approval, ...]:
    """Approve the very versions the catalogue has now, one approval for each document the case names."""
    approvals = []
    for item in case.get("approvals", ()):
        item = dict(item)
        item["document"] = workflow.pin(str(item.get("document", ""))).to_document()
        approvals.append(_check(Approval, item, **clinic))
    return tuple(approvals)


def _part(case: Mapping[str, Any], key: str) -> dict[str, Any]:
    part = case.get(key)
    if not isinstance(part, dict):
        raise ProblemsError(
            [
                Problem(
                    code="demo.missing_part",
                    sentence=f"The case file has no object named {key}.",
                    pointer=f"/{key}",
                    next_step="Compare with the case files that `pore-plugin demo --out DIR` copies to DIR/input.",
                )
            ]
        )
    return dict(part)


def _check(contract: type[M], document: Mapping[str, Any], **parts: object) -> M:
    whole = dict(document)
    for key, part in parts.items():
        whole[key] = part.to_document() if isinstance(part, Model | Pin | RecordPin) else part
    return check(contract, whole).model
