"""Keeping what follows a treatment: the plan with its steps where they stand, responses, outcomes and reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..clinical.follow_up.due import watch_until
from ..clinical.follow_up.slots import BUILT_IN
from ..clinical.follow_up.states import StepState, draw_move, follow, moved, superseding
from ..contracts import (
    FollowUpMove,
    FollowUpPlan,
    FollowUpReview,
    Mover,
    Outcome,
    Problem,
    ReviewRequest,
    ReviewResult,
    TreatmentRecord,
    refusal,
)
from ..storage import Unit
from ..storage.rows import StepRow
from .cases import Gathering, outcomes_of
from .keeping import Keeping, moment, read, series_of
from .patients import kept_for
from .tasks import of_review, put_tasks
from .treatments import keep_treatment

__all__ = [
    "as_planned",
    "keep_follow_up",
    "keep_move",
    "keep_review",
    "moves_of",
    "reviewed",
    "reviewed_before",
    "steps_of",
    "treatment_of",
]

_ANEW = "The follow-up plan was made anew, without this step."
_ANSWERED = "The response to this step was accepted."


def treatment_of(keeping: Keeping, treatment: TreatmentRecord) -> TreatmentRecord:
    """Return the treatment that follow-up is planned for, kept where it is not yet.

    Raises `ProblemsError` for one that differs from what is kept, or that was amended since.
    """
    row = keeping.unit.records.latest("treatment-record", treatment.id)
    if row is None:
        keep_treatment(keeping, treatment)
    elif row.state == "amended":
        raise refusal(
            "treatment.amended",
            "This treatment record was amended since.",
            "Plan the follow-up of its last amendment.",
            "/treatment",
        )
    return keeping.join(treatment, "/treatment")


def keep_follow_up(keeping: Keeping, plan: FollowUpPlan, treatment: TreatmentRecord) -> None:
    """Keep a follow-up plan and its steps; open steps of the plan before that it has no more are superseded.

    A step that was there keeps its state, and its time where it was given one.
    """
    unit, first = keeping.unit, series_of(treatment)
    row = unit.records.latest("follow-up-plan", plan.id)
    before = read(FollowUpPlan, row) if row is not None else None
    moves = moves_of(unit, plan.id)
    if not keeping.keep(plan, subject=first):
        return
    if before is not None:
        by = Mover(kind="plug-in", id=BUILT_IN)
        at = keeping.desk.instant()
        for move in superseding(follow(before, moves), plan, at=at, by=by, reason=_ANEW):
            keep_move(keeping, move)
    unit.follow_ups.plan(_rows(unit, first, follow(plan, moves), keeping.desk.clinic.zone))


def moves_of(unit: Unit, plan: str) -> list[FollowUpMove]:
    """Return the moves of the steps of a follow-up plan."""
    return [read(FollowUpMove, row) for row in unit.records.of_subject([plan], "follow-up-move")]


def steps_of(unit: Unit, plan: FollowUpPlan) -> tuple[StepState, ...]:
    """Return the steps of a follow-up plan after their moves."""
    return follow(plan, moves_of(unit, plan.id))


def keep_move(keeping: Keeping, move: FollowUpMove, *, due: str | None = None) -> None:
    """Keep a move, and have its step stand where the move put it; a move that is kept changes nothing.

    `due` is when the step is due after it, where that is another time than before.
    """
    if keeping.keep(move):
        time = due or move.due
        keeping.unit.follow_ups.move(move.key, move.to_state, move.id, due=moment(time) if time is not None else None)


def reviewed(keeping: Keeping, request: ReviewRequest) -> ReviewRequest:
    """Return the request with every outcome that is kept, after keeping what was handed in and is not kept yet."""
    found = Gathering()
    if keeping.unit.records.latest("treatment-record", request.treatment.id) is None:
        keep_treatment(keeping, request.treatment)
    treatment = found.of(lambda: keeping.join(request.treatment, "/treatment"), request.treatment)
    if keeping.unit.records.latest("follow-up-plan", request.follow_up_plan.id) is None:
        keep_follow_up(keeping, request.follow_up_plan, treatment)
    found.of(lambda: keeping.join(request.follow_up_plan, "/follow_up_plan"), request.follow_up_plan)
    patient, about = kept_for(keeping.unit, treatment.patient, treatment.id), series_of(treatment)
    for position, outcome in enumerate(request.outcomes):
        found.of(
            lambda outcome=outcome, at=f"/outcomes/{position}": keeping.join(  # type: ignore[misc]
                outcome, at, patient=patient, subject=about
            ),
            outcome,
        )
    found.done()
    kept = outcomes_of(keeping.unit, patient, request.at)
    joined = (*request.outcomes, *_besides(request.outcomes, kept, treatment.report.started_at))
    return request if joined == request.outcomes else request.model_copy(update={"outcomes": joined})


def as_planned(keeping: Keeping, request: ReviewRequest) -> ReviewRequest:
    """Return the request with the response under the id that the plan has, where the same person has two.

    After a correction a plan still names whom it was made for, and after a merge the id that is not in use any more.
    """
    plan, said = request.follow_up_plan, request.response.patient
    owner = kept_for(keeping.unit, plan.patient, plan.id, request.treatment.id)
    if said.id == plan.patient or said.id not in keeping.family(owner):
        return request
    patient = said.model_copy(update={"id": plan.patient})
    return request.model_copy(update={"response": request.response.model_copy(update={"patient": patient})})


def reviewed_before(keeping: Keeping, request: ReviewRequest) -> ReviewResult | None:
    """Return the result of the same question where it is kept, or nothing.

    It is another one once something of it is not kept as it is handed in, such as a further outcome.
    """
    records, pin = keeping.unit.records, keeping.desk.workflow.record_pin
    for row in records.of_subject([request.response.id], "follow-up-review"):
        review = read(FollowUpReview, row)
        asked = (request.at, pin(request.response), pin(request.follow_up_plan))
        if asked != (review.reviewed_at, review.response, review.follow_up_plan):
            continue
        if all(records.with_digest("outcome", one.id, pin(one).digest) is not None for one in request.outcomes):
            kinds = ["follow_up.reviewed", *(["red_flag.raised"] if review.flags else [])]
            return ReviewResult(
                review=review,
                events=tuple(keeping.event(kind, review.id, request.at, request.response.id) for kind in kinds),
            )
    return None


def keep_review(keeping: Keeping, request: ReviewRequest, review: FollowUpReview) -> None:
    """Keep the response, as a draft where it was not accepted, and its review; the step it answers is done."""
    response = request.response
    if not review.accepted and response.status != "draft":
        response = response.model_copy(update={"status": "draft"})
    keeping.keep(response)
    keeping.keep(review)
    put_tasks(keeping, of_review(review, keeping.whose("follow-up-review", review.id) or review.patient))
    if not review.accepted:
        return
    row = keeping.unit.records.latest("follow-up-plan", request.follow_up_plan.id)
    plan = read(FollowUpPlan, row) if row is not None else request.follow_up_plan
    for step in steps_of(keeping.unit, plan):
        dated = step.dated
        if dated.step == response.step and dated.form == response.form:
            by = Mover(kind="host", id=response.patient.host)
            move = draw_move(step, "done", at=request.at, by=by, reason=_ANSWERED)
            if not isinstance(moved(step, move), Problem):
                keep_move(keeping, move)


def _besides(handed: Iterable[Outcome], kept: Iterable[Outcome], treated_at: str) -> Iterator[Outcome]:
    """Yield the outcomes that are kept and were not handed in.

    A baseline that was handed in stays the baseline, and a value of another version of an instrument that was handed
    in is left out: what cannot be compared would take the trend away.
    """
    handed = tuple(handed)
    ids = {one.id for one in handed}
    versions = {one.instrument: one.instrument_version for one in handed}
    based = {_series(one) for one in handed if moment(one.at) <= moment(treated_at)}
    for one in kept:
        early = moment(one.at) <= moment(treated_at)
        if (
            one.id not in ids
            and not (early and _series(one) in based)
            and versions.get(one.instrument, one.instrument_version) == one.instrument_version
        ):
            yield one


def _series(one: Outcome) -> tuple[str | None, ...]:
    return one.instrument, one.region, one.side, one.rater


def _rows(unit: Unit, treatment: str, steps: Sequence[StepState], zone: str) -> Iterator[StepRow]:
    watched = watch_until(steps, zone)
    for step in steps:
        dated = step.dated
        yield StepRow(
            key=dated.key,
            plan=step.plan.id,
            treatment=treatment,
            patient=kept_for(unit, step.plan.patient, step.plan.id, treatment),
            step=dated.step,
            state=step.state,
            due=moment(step.due),
            earliest=moment(dated.earliest) if dated.earliest is not None else None,
            latest=moment(dated.latest) if dated.latest is not None else None,
            moved_at=unit.now,
            watch_until=moment(watched) if watched is not None else None,
        )
