"""The state of a follow-up step: which moves it may make, who may say so, and what time alone does.

A step is `planned`, becomes `due`, is `booked` (visits, calls) or `sent` (questionnaires; the host reports it, nothing
is sent from here), and ends `done`, `missed`, `cancelled` or `superseded`. A missed step can be taken up again; the
other three are final, and only a correction by a person takes their last move back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from ...contracts import (
    FollowUpMove,
    FollowUpPlan,
    FollowUpStep,
    Mover,
    Problem,
    ProblemsError,
    StepProgress,
)
from ..durations import instant_of, load_zone, to_utc
from ..keys import record_key
from .slots import BUILT_IN
from .standing import FINAL, standing, window_of

__all__ = [
    "MOVES",
    "OPEN",
    "StepState",
    "advance",
    "allowed",
    "draw_move",
    "follow",
    "moved",
    "standing",
    "superseding",
]

MOVES = MappingProxyType[StepProgress, tuple[StepProgress, ...]](
    {
        "planned": ("planned", "due", "booked", "sent", "done", "cancelled", "superseded"),
        "due": ("planned", "booked", "sent", "done", "missed", "cancelled", "superseded"),
        "booked": ("planned", "due", "booked", "done", "missed", "cancelled", "superseded"),
        "sent": ("planned", "booked", "sent", "done", "missed", "cancelled", "superseded"),
        "missed": ("planned", "booked", "sent", "done", "cancelled", "superseded"),
        "done": (),
        "cancelled": (),
        "superseded": (),
    }
)
"""From each state the states that a step may move to, before its kind and the mover are looked at."""
OPEN: frozenset[StepProgress] = frozenset({"planned", "due", "booked", "sent"})
"""States in which something is still expected."""

_KINDS: dict[StepProgress, frozenset[str]] = {
    "booked": frozenset({"visit", "remote-questionnaire"}),
    "sent": frozenset({"remote-questionnaire"}),
}
"""Which kinds of step can be booked (a call is an appointment too) and sent."""
_MOVERS: dict[str, frozenset[StepProgress]] = {
    "person": frozenset(MOVES),
    "host": frozenset({"planned", "due", "booked", "sent", "done", "missed"}),
    "plug-in": frozenset({"due", "missed", "superseded"}),
}
"""What each kind of mover may say. That a step is not needed is a person's decision."""
_TIMED: frozenset[StepProgress] = frozenset({"planned", "booked", "sent"})
"""States that a move may enter with a new time."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StepState:
    """A dated step of a plan after its moves; `due` is its time now, `wanted` its time apart from any booking.

    `before` is the state that a correction of `last`, the latest move that counts, goes back to.
    """

    plan: FollowUpPlan
    dated: FollowUpStep
    state: StepProgress
    due: str
    wanted: str
    moves: tuple[FollowUpMove, ...] = ()
    last: FollowUpMove | None = None
    before: StepState | None = None

    @property
    def step(self) -> FollowUpStep:
        """The step as it is now: in its state, at its time."""
        if (self.state, self.due) == (self.dated.state, self.dated.due):
            return self.dated
        return self.dated.model_copy(update={"state": self.state, "due": self.due})


def follow(plan: FollowUpPlan, moves: Iterable[FollowUpMove] = ()) -> tuple[StepState, ...]:
    """Return the steps of a plan after the moves made so far, in the order of the plan.

    Moves of steps that the plan, made anew, no longer has are left out. Raises `ProblemsError` when the moves of a
    step do not follow from each other, with pointers `/<position>` into `moves`.
    """
    states = {step.key: _dated(plan, step) for step in plan.steps}
    problems: list[Problem] = []
    for position, move in sorted(enumerate(moves), key=lambda one: (one[1].number, one[0])):
        state = states.get(move.key)
        if state is None:
            continue
        # Not `moved`: the window may have changed with a plan made anew, and what was said of the old one stands.
        after = _applied(state, move)
        if isinstance(after, Problem):
            problems.append(after.model_copy(update={"pointer": f"/{position}{after.pointer}"}))
        else:
            states[move.key] = after
    if problems:
        raise ProblemsError(problems)
    return tuple(states.values())


def allowed(step: StepState, mover: str = "person") -> tuple[StepProgress, ...]:
    """Return the states that a step may move to when `person`, `host` or `plug-in` says so; corrections apart."""
    return tuple(
        to
        for to in MOVES[step.state]
        if to in _MOVERS[mover]
        and step.dated.kind in _KINDS.get(to, (step.dated.kind,))
        # Time alone takes nothing away from an appointment: whether the patient came is for people to say.
        and not (mover == "plug-in" and to in ("due", "missed") and step.state == "booked")
    )


def draw_move(
    step: StepState,
    to: StepProgress,
    *,
    at: str,
    by: Mover,
    reason: str,
    due: str | None = None,
    corrects: str | None = None,
    move_id: str | None = None,
) -> FollowUpMove:
    """Return the next move of a step, numbered, with its window looked up; `moved` says whether it may be made.

    Without `move_id` the id is the same whenever the same move of the same step is drawn.
    """
    number = len(step.moves) + 1
    plan, dated = step.plan, step.dated
    return FollowUpMove(
        id=move_id or record_key(plan.clinic, dated.key, f"move.{number}.{to}"),
        clinic=plan.clinic,
        follow_up_plan=plan.id,
        key=dated.key,
        number=number,
        from_state=step.state,
        to_state=to,
        at=at,
        by=by,
        reason=reason,
        due=due,
        within_window=None if due is None else _within(dated, due),
        corrects=corrects,
    )


def moved(step: StepState, move: FollowUpMove) -> StepState | Problem:
    """Return the step after a move, or why it cannot be made and which moves can.

    A move made already changes nothing, so a report may be repeated. Codes: `move.other_step`, `move.id_used`,
    `move.stale` (the step moved on meanwhile), `move.not_allowed`, `move.mover`, `move.due_needed`,
    `move.due_unwanted`, `move.before_treatment`, `move.window`, `move.not_correctable`.
    """
    made = next((one for one in step.moves if one.id == move.id), None)
    if made is not None:
        if made == move:
            return step
        return _problem("move.id_used", "Another move of this step has this id.", "Give every move its own id.", "/id")
    after = _applied(step, move)
    if isinstance(after, StepState) and move.due and move.within_window != _within(step.dated, move.due):
        return _problem(
            "move.window",
            "What the move says of the step's window is not so.",
            "Say whether the new time lies between the earliest and latest moment of the step.",
            "/within_window",
        )
    return after


def advance(steps: Iterable[StepState], now: str, zone: str) -> tuple[FollowUpMove, ...]:
    """Return the moves that time alone makes: planned to due, and due or sent to missed after the window.

    Doing it again for the same states gives moves with the same ids; after they are made there are none. Raises
    `ProblemsError` with `zone.unknown`.
    """
    clocks = load_zone(zone)
    return tuple(move for step in steps for move in _of_time(step, to_utc(now), clocks))


def superseding(
    steps: Iterable[StepState], anew: FollowUpPlan, *, at: str, by: Mover, reason: str
) -> tuple[FollowUpMove, ...]:
    """Return the moves to superseded of the open and missed steps that a plan made anew no longer has."""
    kept = {step.key for step in anew.steps}
    return tuple(
        draw_move(step, "superseded", at=at, by=by, reason=reason)
        for step in steps
        if step.dated.key not in kept and step.state not in FINAL
    )


def _dated(plan: FollowUpPlan, step: FollowUpStep) -> StepState:
    return StepState(plan=plan, dated=step, state=step.state, due=step.due, wanted=step.due)


def _within(step: FollowUpStep, due: str) -> bool:
    moment = to_utc(due)
    return (step.earliest is None or to_utc(step.earliest) <= moment) and (
        step.latest is None or moment <= to_utc(step.latest)
    )


def _applied(step: StepState, move: FollowUpMove) -> StepState | Problem:
    fault = _other_step(step, move) or _stale(step, move)
    if fault is not None:
        return fault
    if move.corrects is not None:
        return _taken_back(step, move)
    fault = _not_allowed(step, move) or _wrong_time(step, move)
    if fault is not None:
        return fault
    due = move.due or (step.due if move.to_state != "due" else step.wanted)
    return replace(
        step,
        state=move.to_state,
        due=due,
        wanted=step.wanted if move.to_state == "booked" or move.due is None else move.due,
        moves=(*step.moves, move),
        last=move,
        before=step,
    )


def _other_step(step: StepState, move: FollowUpMove) -> Problem | None:
    if (move.clinic, move.follow_up_plan, move.key) == (step.plan.clinic, step.plan.id, step.dated.key):
        return None
    return _problem(
        "move.other_step", "The move belongs to another step.", "Use the plan and key of this step.", "/key"
    )


def _stale(step: StepState, move: FollowUpMove) -> Problem | None:
    if move.number == len(step.moves) + 1 and move.from_state == step.state:
        return None
    return _problem(
        "move.stale",
        f"The step has moved on: it is {step.state} after {len(step.moves)} moves.",
        f"Look at it again. {_allowed_from(step)}",
        "/from_state",
    )


def _taken_back(step: StepState, move: FollowUpMove) -> StepState | Problem:
    last, before = step.last, step.before
    sentence = None
    if last is None or before is None or last.id != move.corrects:
        sentence = "Only the latest move that counts can be taken back."
    elif last.by.kind == "plug-in":
        sentence = "A rule made this move and would make it again."
    elif move.to_state != before.state or move.due is not None:
        sentence = f"Taking this move back leads to {before.state}, with the time that the step had then."
    if sentence or before is None:
        return _problem(
            "move.not_correctable", sentence or "Nothing has moved this step.", _allowed_from(step), "/corrects"
        )
    return replace(before, moves=(*step.moves, move))


def _not_allowed(step: StepState, move: FollowUpMove) -> Problem | None:
    to = move.to_state
    if to not in allowed(step):
        kind = f" ({step.dated.kind})" if to in MOVES[step.state] else ""
        return _problem(
            "move.not_allowed",
            f"A step that is {step.state}{kind} does not become {to}.",
            _allowed_from(step),
            "/to_state",
        )
    if to not in allowed(step, move.by.kind):
        can = ", ".join(allowed(step, move.by.kind)) or "nothing"
        return _problem(
            "move.mover",
            f"A {move.by.kind} cannot say that a step that is {step.state} is {to}.",
            f"Let a person do it. What a {move.by.kind} can say here: {can}.",
            "/by/kind",
        )
    return None


def _wrong_time(step: StepState, move: FollowUpMove) -> Problem | None:
    to = move.to_state
    if move.due is None:
        if to in ("planned", "booked") or (to == "sent" and step.state == "missed"):
            return _problem("move.due_needed", f"A step becomes {to} for a new time.", "Give the new time.", "/due")
        return None
    if to not in _TIMED:
        return _problem("move.due_unwanted", f"A step that becomes {to} keeps its time.", "Leave the time out.", "/due")
    if to_utc(move.due) < to_utc(step.plan.anchor):
        return _problem(
            "move.before_treatment", "The new time lies before the end of the treatment.", "Give a later time.", "/due"
        )
    return None


def _allowed_from(step: StepState) -> str:
    can = allowed(step)
    if not can:
        return f"A step that is {step.state} is final; a person may take its latest move back, with a reason."
    return f"Allowed from {step.state}: {', '.join(can)}."


def _of_time(step: StepState, now: datetime, zone: ZoneInfo) -> Iterator[FollowUpMove]:
    by, at = Mover(kind="plug-in", id=BUILT_IN), instant_of(now, zone)
    opens, closes = window_of(step.step, zone)
    if step.state == "planned" and now >= opens:
        said = "Its window is open and nothing is booked." if step.dated.kind == "visit" else "Its time has come."
        move = draw_move(step, "due", at=at, by=by, reason=said)
        yield move
        after = moved(step, move)
        if isinstance(after, StepState):
            step = after
    if step.state in ("due", "sent") and closes is not None and now > closes:
        what = "no answer was recorded" if step.state == "sent" else "nothing was recorded"
        ended = closes.astimezone(zone).date().isoformat()
        yield draw_move(step, "missed", at=at, by=by, reason=f"Its window ended on {ended} and {what}.")


def _problem(code: str, sentence: str, next_step: str, pointer: str) -> Problem:
    return Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)
