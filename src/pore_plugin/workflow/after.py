"""After the treatment: the dated follow-up plan, and what a response to it means."""

from collections.abc import Iterator

from ..catalogue import Entry
from ..clinical.durations import to_utc
from ..clinical.follow_up import outcomes, red_flags, scheduling
from ..clinical.follow_up.calendar import calendar_for, next_open
from ..clinical.follow_up.scheduling import FollowUpInputs
from ..contracts import (
    Calendar,
    ConsultationForm,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpReview,
    FollowUpSchedule,
    FollowUpStep,
    Instrument,
    OutcomeTrend,
    Problem,
    ProblemsError,
    ProcedureTemplate,
    Product,
    ReviewRequest,
    StaffTask,
    TreatmentRecord,
)
from ..hooks import BUILTIN
from .before import check_answers
from .setting import Setting, model_of, problem

__all__ = ["follow_up", "review"]

_OTHER_STEP = Problem(
    code="review.other_step",
    sentence="The form was answered for another step than the response says.",
    pointer="/response/step",
    next_step="Correct the step, or the answer that names it.",
)

_OTHER_PLAN = Problem(
    code="review.other_plan",
    sentence="The response belongs to another follow-up plan or patient.",
    pointer="/response/follow_up_plan",
    next_step="Hand in the plan that the response pins. The flags are the response's, whoever's plan this is.",
)


def follow_up(setting: Setting, request: FollowUpRequest) -> FollowUpPlan:
    """Return the dated plan after every extension's edits; each step is placed by whoever answers first."""
    treatment = request.treatment
    template = setting.template_pinned(treatment.template)
    inputs = _inputs(setting, treatment, template, frozenset(request.requested_steps))
    drafted = scheduling.draft(inputs)
    edits = setting.hooks.amend_follow_up(drafted, treatment, template)

    def ask(step: FollowUpStep, plan: FollowUpPlan, calendar: Calendar) -> tuple[str, FollowUpStep] | None:
        placed = setting.hooks.place_follow_up_step(step, plan, calendar)
        # Where somebody failed, the step may have come back as it was.
        return None if placed.plugin == BUILTIN and placed.problems else (placed.plugin, placed.step)

    plan = scheduling.apply_edits(inputs, [(edit.plugin, edit.value) for edit in edits.items], ask, drafted)
    return plan.model_copy(update={"flags": (*plan.flags, *edits.flags)}) if edits.flags else plan


def _inputs(
    setting: Setting, treatment: TreatmentRecord, template: ProcedureTemplate, requested: frozenset[str]
) -> FollowUpInputs:
    entry = setting.catalogue.get(FollowUpSchedule, template.schedule)
    schedule = entry.model
    unknown = requested - {step.id for step in schedule.steps}
    if unknown:
        raise problem(
            "follow_up.unknown_step",
            "A step was requested that the schedule does not have.",
            f"Use one of: {', '.join(step.id for step in schedule.steps if step.offered == 'on-request')}.",
            "/requested_steps",
        )
    product = model_of(setting.catalogue.pinned(treatment.product), Product) if treatment.product else None
    lots = dict.fromkeys(use.vial.lot for use in treatment.report.vials)
    numbers = setting.clinic.emergency

    anchor = treatment.report.ended_at
    return FollowUpInputs(
        schedule=schedule,
        pin=entry.pin,
        treatment=setting.record_pin(treatment),
        clinic=setting.clinic.id,
        patient=treatment.patient,
        anchor=anchor,
        date=treatment.date,
        calendar=calendar_for(setting.clinic, scheduling.years_of(schedule, anchor), setting.holidays),
        forms={form_id: form.pin for form_id, form in setting.forms.items()},
        messages=setting.messages,
        fallback=setting.rules.fallback,
        requested=requested,
        product=product,
        accepted=setting.clinic.policies.accepted_suggestions,
        card={
            "product": product.brand if product else "",
            "lot": ", ".join(lots),
            "emergency": numbers.emergency,
            "advice": numbers.advice,
            "clinic": numbers.clinic,
        },
        series=treatment.report.amends,
    )


def review(setting: Setting, request: ReviewRequest) -> FollowUpReview:
    """Return flags first, then tasks, then the trend against baseline.

    A response raises its flags even when some of its answers are wrong: a sign of danger never waits for a form.
    """
    plan, response = request.follow_up_plan, request.response
    step, misplaced = _step(setting, request)
    form = setting.form_index(response.form)
    flags = red_flags.raised(form.flags, response.answers, setting.market, setting.clinic.emergency)
    year = to_utc(request.at).year
    calendar = calendar_for(setting.clinic, (year - 1, year, year + 1), setting.holidays)
    tasks = red_flags.tasks(
        flags, request.at, calendar, lambda code: setting.key(response.id, f"task.{code}"), setting.messages
    )
    trends, wrong = _trends(setting, request, step)
    now = to_utc(request.at)
    accepted, problems = check_answers(setting, response)
    said = [a.value for a in response.answers if a.question == "pore.q.review-step" and a.type == "choice"]
    if step is not None and said and said != [step.step]:
        misplaced = (*misplaced, _OTHER_STEP)
    if misplaced:
        accepted, problems = False, (*problems, *misplaced)
    tasks = (*tasks, *_unread(setting, request, calendar, accepted=accepted))
    return FollowUpReview(
        id=setting.key(response.id, "review"),
        clinic=setting.clinic.id,
        patient=response.patient.id,
        follow_up_plan=setting.record_pin(plan),
        response=setting.record_pin(response),
        step=response.step,
        reviewed_at=request.at,
        accepted=accepted,
        problems=(*problems, *wrong),
        flags=flags,
        tasks=tasks,
        trends=trends,
        non_response=setting.messages["outcome-non-response"] if any(trend.non_response for trend in trends) else None,
        next_steps=tuple(
            later_step.key
            for later_step in plan.steps
            if later_step.state in ("planned", "due", "booked", "sent") and to_utc(later_step.due) > now
        ),
    )


def _unread(setting: Setting, request: ReviewRequest, calendar: Calendar, *, accepted: bool) -> Iterator[StaffTask]:
    """Yield what a person has to look at because no rule can: answers that do not hold, and free text."""
    response = request.response
    written = any(answer.type == "text" for answer in response.answers)
    for code, needed in (("answers-incomplete", not accepted), ("read-text", written)):
        if needed:
            yield StaffTask(
                key=setting.key(response.id, f"task.{code}"),
                code=code,
                title=setting.messages[f"task-{code}"],
                due=next_open(calendar, request.at) or request.at,
                ignores_hours=False,
            )


def _trends(
    setting: Setting, request: ReviewRequest, step: FollowUpStep | None
) -> tuple[tuple[OutcomeTrend, ...], tuple[Problem, ...]]:
    """Return the trends, or what is wrong with the outcomes: a bad figure must not hold back a flag."""
    instruments = [entry.model for entry in setting.catalogue.entries if entry.contract is Instrument]
    visited = request.response.occurred_at if step is not None and step.primary_outcome else None
    wrong = outcomes.check_outcomes(request.outcomes, instruments)
    try:
        if not wrong:
            baseline, later = outcomes.baseline_of(request.outcomes, request.treatment.report.started_at)
            return outcomes.trend(later, baseline, outcomes.primary_of(request.follow_up_plan, visited)), ()
    except ProblemsError as error:
        wrong = error.problems
    return (), tuple(p.model_copy(update={"pointer": f"/outcomes{p.pointer}"}) for p in wrong)


def _step(setting: Setting, request: ReviewRequest) -> tuple[FollowUpStep | None, tuple[Problem, ...]]:
    """Return the step that was answered, and what is wrong with it; a wrong step must not hold back a flag.

    There is none for the watch form, which is open at any time of the watch.
    """
    plan, response = request.follow_up_plan, request.response
    if response.follow_up_plan != setting.record_pin(plan) or response.patient.id != plan.patient:
        return None, (_OTHER_PLAN,)
    step = next((step for step in plan.steps if step.step == response.step), None)
    if plan.watch_form is not None and response.form == plan.watch_form:
        return step, ()
    if step is None or step.form != response.form:
        unknown = Problem(
            code="review.unknown_step",
            sentence="The follow-up plan has no such step with this form.",
            pointer="/response/step",
            next_step=f"Use one of: {', '.join(one.step for one in plan.steps if one.form is not None)}.",
        )
        return None, (unknown,)
    return step, ()


def form_of(setting: Setting, plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
    """Return the pinned form of a step, or the watch form for a step that has none of its own."""
    for one in plan.steps:
        if one.step == step and one.form is not None:
            return setting.catalogue.pinned(one.form)
    if plan.watch_form is None:
        raise problem("review.no_form", "This step has no form to answer.", "Choose another step.", "/step")
    return setting.catalogue.pinned(plan.watch_form)
