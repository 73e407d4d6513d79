"""The steps of the façade: each makes its result and its events; what it works out of a record serves it alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from ..catalogue import Entry
from ..contracts import (
    AssessmentRequest,
    AssessmentResult,
    ConsentRequest,
    ConsentResult,
    ConsentSheet,
    Consultation,
    ConsultationForm,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResult,
    PlanRequest,
    PlanResult,
    ProcedurePlan,
    Readiness,
    ReadinessRequest,
    ReviewRequest,
    ReviewResult,
    SubmissionResult,
    TreatmentRequest,
    TreatmentResult,
)
from . import after, before, on_the_day, planned
from .setting import Setting

__all__ = [
    "assess",
    "consent",
    "consent_sheets",
    "follow_up",
    "follow_up_form",
    "plan",
    "ready",
    "review",
    "submit",
    "treat",
]

P = ParamSpec("P")
R = TypeVar("R")


def _step(function: Callable[Concatenate[Setting, P], R]) -> Callable[Concatenate[Setting, P], R]:
    @wraps(function)
    def step(setting: Setting, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with setting.step():
            return function(setting, *args, **kwargs)

    return step


@_step
def submit(setting: Setting, response: Consultation) -> SubmissionResult:
    """Accept the answers, or keep them as a draft."""
    accepted, problems = before.check_answers(setting, response)
    kept = response if accepted else response.model_copy(update={"status": "draft"})
    kind = "consultation.submitted" if accepted else "consultation.kept_as_draft"
    digest = setting.record_pin(kept).digest
    return SubmissionResult(
        accepted=accepted,
        consultation=kept,
        consultation_digest=digest,
        problems=problems,
        events=(setting.event(kind, kept.id, kept.recorded_at, of=digest),),
    )


@_step
def assess(setting: Setting, request: AssessmentRequest) -> AssessmentResult:
    """Assess suitability at a stage."""
    assessment = before.assess(setting, request)
    event = setting.event("assessment.made", assessment.id, request.at)
    return AssessmentResult(assessment=assessment, events=(event,))


@_step
def plan(setting: Setting, request: PlanRequest) -> PlanResult:
    """Plan one session with exact doses, assessed with those doses."""
    before.refuse_unfit(setting, request.consultation, "/consultation")
    return planned.plan(setting, request)


@_step
def consent_sheets(
    setting: Setting,
    plan: ProcedurePlan,
    locale: str,
    lots: Sequence[str],
    prescriber: str | None,
    operator: str | None,
) -> tuple[ConsentSheet, ...]:
    """Return every consent text of the plan for this market, filled in."""
    return before.consent_sheets(setting, plan, locale, lots, prescriber, operator)


@_step
def consent(setting: Setting, request: ConsentRequest) -> ConsentResult:
    """Record a consent to a plan."""
    given = before.consent(setting, request)
    event = setting.event("consent.given", given.id, request.given_at, request.plan.id)
    return ConsentResult(consent=given, events=(event,))


@_step
def ready(setting: Setting, request: ReadinessRequest, asked_at: str | None) -> Readiness:
    """Return every reason not to treat now."""
    gate = on_the_day.gate_of(setting, request.case, request.operator, request.prescriber, request.at)
    return on_the_day.readiness_of(setting, replace(gate, asked_at=asked_at))


@_step
def treat(setting: Setting, request: TreatmentRequest) -> TreatmentResult:
    """Record what was done."""
    treatment = on_the_day.treat(setting, request)
    kinds = ["treatment.recorded", *(["deviation.recorded"] if treatment.report.deviations else [])]
    at, plan_id = treatment.report.ended_at, treatment.plan.id
    return TreatmentResult(
        treatment=treatment, events=tuple(setting.event(kind, treatment.id, at, plan_id) for kind in kinds)
    )


@_step
def follow_up(setting: Setting, request: FollowUpRequest) -> FollowUpResult:
    """Make the dated follow-up plan of a treatment."""
    made = after.follow_up(setting, request)
    digest = setting.record_pin(made).digest
    event = setting.event("follow_up.planned", made.id, made.anchor, request.treatment.id, of=digest)
    return FollowUpResult(follow_up_plan=made, follow_up_plan_digest=digest, events=(event,))


def follow_up_form(setting: Setting, follow_up_plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
    """Return the form of a step, in the version that the plan pins."""
    return after.form_of(setting, follow_up_plan, step)


@_step
def review(setting: Setting, request: ReviewRequest) -> ReviewResult:
    """Review a follow-up response."""
    made = after.review(setting, request)
    kinds = ["follow_up.reviewed", *(["red_flag.raised"] if made.flags else [])]
    return ReviewResult(
        review=made,
        events=tuple(setting.event(kind, made.id, request.at, request.response.id) for kind in kinds),
    )
