"""What is due in a clinic, what time alone moves, and the moves that people and the host report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ..clinical.durations import end_of_day, instant_of, load_zone, local_date, start_of_day, to_utc
from ..clinical.follow_up.due import due_list
from ..clinical.follow_up.states import StepState, draw_move, moved
from ..clinical.follow_up.states import advance as moves_of_time
from ..clinical.keys import record_key
from ..contracts import (
    DueList,
    Event,
    FollowUpMove,
    FollowUpPlan,
    Mover,
    Problem,
    ProblemsError,
    StepHistory,
    StepProgress,
    refusal,
)
from ..storage import Unit
from ..storage.rows import StepRow
from .desk import Desk
from .follow_ups import keep_move
from .keeping import AHEAD, Keeping, moment
from .tasks import open_tasks
from .tracing import followed

__all__ = ["MISSED_FOR", "advance", "due", "history", "move", "take_back"]

MISSED_FOR = 90
"""How many days a missed step stays in the list: our design choice. Its history stays for good."""

_SIGNS = 4
"""How much of a key names a step: fewer signs are hit by a slip of the hand."""


def due(desk: Desk, at: str | None = None, *, ahead: int = 0, missed_for: int = MISSED_FOR) -> DueList:
    """Return what is due, overdue or missed at a moment, now without one, with open tasks and red-flag watches.

    Every time is on the clinic's clocks. `ahead` local days of what is still to come are listed (0 = later today), and
    missed steps until `missed_for` local days after their window. Steps stand as their moves up to now put them.
    """
    with desk.use("follow_up.due") as unit:
        now = instant_of(to_utc(at), load_zone(desk.clinic.zone)) if at is not None else desk.instant()
        rows = _candidates(unit, now, ZoneInfo(desk.clinic.zone), ahead, missed_for)
        steps = _steps(unit, rows)
        return due_list(
            [one for of_plan in steps.values() for one in of_plan],
            clinic=desk.clinic.id,
            now=now,
            zone=desk.clinic.zone,
            tasks=open_tasks(unit, by=moment(now)),
            ahead=ahead,
            missed_for=missed_for,
        )


def advance(desk: Desk) -> tuple[FollowUpMove, ...]:
    """Make the moves that time alone makes, each told once, and return them; doing it again makes none."""
    told: list[Event] = []
    made: list[FollowUpMove] = []
    with desk.use("follow_up.advance") as unit:
        keeping = Keeping(desk, unit)
        now, clocks = unit.now, ZoneInfo(desk.clinic.zone)
        tonight = _second(end_of_day(local_date(desk.instant(), clocks), clocks))
        rows = [
            *unit.follow_ups.in_states(["planned"], tonight),
            *unit.follow_ups.opened(["planned"], now, since=0),
            *unit.follow_ups.ended(["due", "sent"], now),
        ]
        for of_plan in _steps(unit, rows).values():
            states = {one.dated.key: one for one in of_plan}
            for one in moves_of_time(of_plan, desk.instant(), desk.clinic.zone):
                after = moved(states[one.key], one)
                if isinstance(after, Problem):
                    raise ProblemsError([after])
                states[one.key] = after
                keep_move(keeping, one, due=after.due)
                made.append(one)
                told += _tell(desk, unit, one, after.plan)
    desk.publish(told)
    return tuple(made)


def move(
    desk: Desk, key: str, to: StepProgress, by: Mover, reason: str, *, at: str | None = None, due: str | None = None
) -> FollowUpMove:
    """Keep a move of a step, such as `sent` that the host reports back, and return it.

    `key` may be the beginning of one key alone, of four signs at least. The very same report again
    returns the move that is kept. Raises `ProblemsError`: `step.unknown`, `step.key_short`, `move.future`, and as
    `clinical.follow_up.states.moved` for a move that the step cannot make.
    """
    said = at if at is not None else desk.instant()

    def drawn(step: StepState) -> FollowUpMove:
        if moment(said) > moment(desk.instant()) + AHEAD:
            raise refusal("move.future", "The move lies in the future.", "Give the moment when it was made.", "/at")
        if moment(said) < moment(step.plan.anchor):
            raise refusal(
                "move.before_treatment", "The move lies before the end of the treatment.", "Correct the moment.", "/at"
            )
        last = step.moves[-1] if step.moves else None
        if last is not None and (last.to_state, last.at, last.by, last.reason, last.due) == (to, said, by, reason, due):
            return last
        return draw_move(step, to, at=said, by=by, reason=reason, due=due)

    return _moved(desk, key, drawn)


def take_back(desk: Desk, key: str, by: Mover, reason: str) -> FollowUpMove:
    """Keep that the latest move of a step was wrong, and return the correction; the step stands as before it.

    Raises `ProblemsError`: `step.unknown`, `move.not_correctable`.
    """

    def drawn(step: StepState) -> FollowUpMove:
        to = step.before.state if step.before is not None else step.state
        corrects = step.last.id if step.last is not None else step.dated.key
        return draw_move(step, to, at=desk.instant(), by=by, reason=reason, corrects=corrects)

    return _moved(desk, key, drawn)


def history(desk: Desk, key: str) -> StepHistory:
    """Return a step with every move that it made and its reason. Raises `ProblemsError` (`step.unknown`)."""
    with desk.use("follow_up.history") as unit:
        step = _step(unit, key)
        plan, dated = step.plan, step.dated
        return StepHistory(
            clinic=plan.clinic,
            patient=plan.patient,
            treatment=plan.treatment.id,
            follow_up_plan=plan.id,
            key=dated.key,
            step=dated.step,
            kind=dated.kind,
            title=dated.title,
            state=step.state,
            due=step.due,
            moves=step.moves,
        )


def _moved(desk: Desk, key: str, drawn: Callable[[StepState], FollowUpMove]) -> FollowUpMove:
    told: tuple[Event, ...] = ()
    with desk.use("follow_up.move") as unit:
        step = _step(unit, key)
        try:
            one = drawn(step)
        except ValidationError:
            raise refusal(
                "move.form",
                "The reason or a time of the move is not one that can be kept.",
                "Give a reason of one line, and moments such as 2026-10-08T09:00:00+01:00.",
            ) from None
        after = moved(step, one)
        if isinstance(after, Problem):
            raise ProblemsError([after])
        if after is not step:
            keep_move(Keeping(desk, unit), one, due=after.due)
            told = _tell(desk, unit, one, step.plan)
    desk.publish(told)
    return one


def _candidates(unit: Unit, now: str, clocks: ZoneInfo, ahead: int, missed_for: int) -> list[StepRow]:
    """Return every step that the list may have to show, each found by an index; what is shown is asked again."""
    today, steps = local_date(now, clocks), unit.follow_ups
    until = _second(end_of_day(today + timedelta(days=max(0, ahead)), clocks))
    since = _second(start_of_day(today - timedelta(days=max(0, missed_for)), clocks))
    at = moment(now)
    return [
        *steps.waiting(["planned", "due", "sent"], until, since=since),
        *steps.opened(["planned"], at, since=since),
        *steps.after(["due", "sent"], until),
        *steps.in_states(["booked"], until),
        *steps.recent(["missed"], since),
        *steps.watched(at),
    ]


def _steps(unit: Unit, rows: Iterable[StepRow]) -> dict[str, tuple[StepState, ...]]:
    """Return all steps of the plans of these, by plan."""
    plans = unit.records.find("follow-up-plan", (row.plan for row in rows))
    heads = unit.patients.heads(row.patient for row in plans.values() if row.patient is not None)
    return followed(unit, plans.values(), heads)


def _step(unit: Unit, key: str) -> StepState:
    """Return the step with a key, or with the only key that begins so."""
    if len(key) < _SIGNS:
        raise refusal(
            "step.key_short",
            f"A key is shortened to {_SIGNS} signs at least.",
            "See the keys with: pore-plugin follow-up due --format json",
        )
    keys = unit.follow_ups.keys_from(key)
    row = unit.follow_ups.get(keys[0] if len(keys) == 1 else key)
    if row is None:
        what = (
            "Several follow-up steps have keys that begin so." if keys else "There is no follow-up step with this key."
        )
        raise refusal("step.unknown", what, "See the keys with: pore-plugin follow-up due --format json")
    # The newest plan that has the step: one that was made anew may have it no more.
    for plan in reversed(unit.records.revisions("follow-up-plan", row.plan)):
        for step in followed(unit, [plan], unit.patients.heads([row.patient]))[row.plan]:
            if step.dated.key == row.key:
                return step
    raise refusal("step.unknown", "The plan of this follow-up step is not kept here.", "Restore a backup that has it.")


def _tell(desk: Desk, unit: Unit, one: FollowUpMove, plan: FollowUpPlan) -> tuple[Event, ...]:
    """Tell of a move once: its id, and with it the event's, is the same whenever the same move is made."""
    kind = f"follow_up.{one.to_state}" if one.to_state in ("due", "missed") else "follow_up.moved"
    event = Event(
        id=record_key(desk.clinic.id, one.id, f"event.{kind}"),
        type=kind,
        clinic=desk.clinic.id,
        subject=one.key,
        at=one.at,
        related=(one.id, plan.id),
    )
    return desk.tell(unit, [event], patient=plan.patient)


def _second(value: datetime) -> int:
    return int(value.timestamp())
