"""What is due in a clinic at a moment: steps, tasks and open red-flag watches, the most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ...contracts import DueItem, DueList, DueTask, OpenWatch, StaffTask, Standing
from ..durations import instant_of, load_zone, local_date, to_utc
from .standing import days_overdue, standing, window_of
from .states import OPEN, StepState

__all__ = ["OpenTask", "due_list", "watch_until"]

_URGENCY: dict[tuple[Standing, bool], int] = {
    ("missed", True): 0,
    ("overdue", True): 1,
    ("overdue", False): 2,
    ("due", True): 3,
    ("due", False): 3,
    ("missed", False): 4,
    ("upcoming", True): 5,
    ("upcoming", False): 5,
}
"""The order of the list by standing and whether the step is required: our design choice.

A required step that was missed comes first: nobody has asked about the signs that it was there for.
"""


@dataclass(frozen=True, kw_only=True, repr=False)
class OpenTask:
    """A task that nobody has done yet, with the patient it is about."""

    patient: str
    task: StaffTask
    follow_up_plan: str | None = None


def due_list(
    steps: Iterable[StepState],
    *,
    clinic: str,
    now: str,
    zone: str,
    tasks: Iterable[OpenTask] = (),
    ahead: int = 0,
    missed_for: int | None = None,
) -> DueList:
    """Return what of the steps and tasks is due, overdue or missed at `now`, every time on the clocks of `zone`.

    Of a plan whose red-flag watch may be open hand in all steps: the watch waits for the visit that closes it. Steps
    still to come are listed when they are due within `ahead` local days (0 = later today, -1 = none), missed ones
    until `missed_for` local days after their window (`None` = for good). A task is overdue once its moment is past.

    Order: tasks that ignore opening hours, then the other tasks; steps that are missed and required, overdue and
    required, overdue, due, missed, upcoming; in each the earliest first. Raises `ProblemsError` with `zone.unknown`.
    """
    steps = tuple(steps)
    clocks = load_zone(zone)
    standings = [(step, standing(step.step, now, zone)) for step in steps]
    items = [
        _item(step, stands, now, zone)
        for step, stands in standings
        if _listed(step, stands, now, zone, ahead=ahead, missed_for=missed_for)
    ]
    return DueList(
        clinic=clinic,
        at=instant_of(to_utc(now), clocks),
        zone=zone,
        tasks=tuple(
            sorted(
                (_task(one, now, zone) for one in tasks),
                key=lambda task: (not task.ignores_hours, to_utc(task.due), task.key),
            )
        ),
        items=tuple(
            sorted(
                items,
                key=lambda item: (_URGENCY[item.standing, item.required], to_utc(item.due), item.step, item.key),
            )
        ),
        watches=tuple(sorted(_watches(steps, now, zone), key=lambda one: (to_utc(one.until), one.follow_up_plan))),
    )


def watch_until(steps: Sequence[StepState], zone: str) -> str | None:
    """Return when the red-flag watch of a plan ends by the states of its steps; `None` for a plan without a watch.

    It is the end that the plan gives, or later: the time of the visit that closes the watch while that visit is
    booked, and the end of its window while it is neither booked nor done.
    """
    plan = steps[0].plan if steps else None
    if plan is None or plan.watch_until is None:
        return None
    clocks = load_zone(zone)
    ends = [to_utc(plan.watch_until)]
    for step in steps:
        if step.dated.closes_watch and step.state in OPEN:
            _, closes = window_of(step.step, clocks)
            ends.append(to_utc(step.due) if step.state == "booked" or closes is None else closes)
    return instant_of(max(ends), clocks)


def _listed(step: StepState, stands: Standing, now: str, zone: str, *, ahead: int, missed_for: int | None) -> bool:
    if stands in ("due", "overdue"):
        return True
    clocks = load_zone(zone)
    today = local_date(now, clocks)
    if stands == "upcoming":
        return local_date(step.due, clocks) <= today + timedelta(days=ahead)
    if stands != "missed" or missed_for is None:
        return stands == "missed"
    _, closes = window_of(step.step, clocks)
    # A person may say early that a step was missed: it stays until its window is over as well.
    ended = to_utc(step.due) if closes is None else closes
    return today <= ended.astimezone(clocks).date() + timedelta(days=missed_for)


def _item(step: StepState, stands: Standing, now: str, zone: str) -> DueItem:
    clocks = load_zone(zone)
    dated, late = step.dated, days_overdue(step.step, now, zone)
    return DueItem(
        key=dated.key,
        patient=step.plan.patient,
        treatment=step.plan.treatment.id,
        follow_up_plan=step.plan.id,
        step=dated.step,
        kind=dated.kind,
        title=dated.title,
        purpose=dated.purpose,
        state=step.state,
        standing=stands,
        due=instant_of(to_utc(step.due), clocks),
        earliest=dated.earliest and instant_of(to_utc(dated.earliest), clocks),
        latest=dated.latest and instant_of(to_utc(dated.latest), clocks),
        days_overdue=late or None,
        required=dated.required,
        no_show=dated.no_show,
        last_move=step.moves[-1] if step.moves else None,
    )


def _task(one: OpenTask, now: str, zone: str) -> DueTask:
    task = one.task
    return DueTask(
        key=task.key,
        code=task.code,
        title=task.title,
        patient=one.patient,
        follow_up_plan=one.follow_up_plan,
        standing="overdue" if to_utc(now) > to_utc(task.due) else "due",
        due=instant_of(to_utc(task.due), load_zone(zone)),
        ignores_hours=task.ignores_hours,
    )


def _watches(steps: Sequence[StepState], now: str, zone: str) -> Iterator[OpenWatch]:
    plans: dict[str, list[StepState]] = {}
    for step in steps:
        plans.setdefault(step.plan.id, []).append(step)
    for of_plan in plans.values():
        plan, until = of_plan[0].plan, watch_until(of_plan, zone)
        if until is not None and to_utc(plan.anchor) <= to_utc(now) <= to_utc(until):
            yield OpenWatch(
                patient=plan.patient,
                treatment=plan.treatment.id,
                follow_up_plan=plan.id,
                until=until,
                form=plan.watch_form,
            )
