"""The built-in answer to where a dated step takes place: inside its window, at an hour at which somebody is there.

All figures here are our design choice: a visit starts on the quarter-hour and at least half an hour before closing;
messages go out between 9 and 19 o'clock; where a window is open, the search ends after 60 days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ...contracts import Calendar, FollowUpPlan, FollowUpStep, StepChange
from ..durations import instant_of, load_zone, to_utc, wall
from .calendar import open_stretches
from .windows import Anchor

__all__ = ["BUILT_IN", "OPEN_SEARCH", "VISIT_LENGTH", "inside_hours", "nearest_slot", "place_step"]

BUILT_IN = "pore"
"""The name under which the built-in signs the changes it makes to a step."""
VISIT_LENGTH = timedelta(minutes=30)
OPEN_SEARCH = timedelta(days=60)
"""How far past its offset a step with an open window may go."""

_FIRST_MESSAGE, _LAST_MESSAGE = time(9, 0), time(19, 0)
_DAY = timedelta(days=1)
_SLOT = timedelta(minutes=15)

Stretches = Callable[[date], Iterable[tuple[datetime, datetime]]]
"""The first and last moment, in UTC, at which a step may start on a local date."""


def place_step(step: FollowUpStep, follow_up_plan: FollowUpPlan, calendar: Calendar) -> FollowUpStep:
    """Return the step at the opening nearest to its offset inside its window; `due` and `changes` may differ.

    Visits go to open days; staff tasks too where the window allows, otherwise to a sensible hour, as questionnaires
    always do. What happens on the day of the treatment stays at its offset: the patient is there. When nothing
    fits the window the step keeps its offset, with a change that says so.
    """
    return nearest_slot(step, Anchor.at(follow_up_plan.anchor, calendar.zone), calendar)


def nearest_slot(step: FollowUpStep, anchor: Anchor, calendar: Calendar) -> FollowUpStep:
    """Do what `place_step` does, with the anchor read once for all steps."""
    zone, due = anchor.zone, to_utc(step.due)
    if step.state == "cancelled" or due.astimezone(zone).date() == anchor.day:
        return step
    earliest = max(anchor.moment, to_utc(step.earliest)) if step.earliest else anchor.moment
    latest = to_utc(step.latest) if step.latest else max(due, earliest) + OPEN_SEARCH
    for stretches in _tiers(step, calendar, zone):
        found = _nearest(stretches, due, earliest, latest, zone, on_slots=step.kind == "visit")
        if found is not None:
            return _moved(step, due, found, zone)
    return _with_change(step, "kept", "Nothing is open inside the window, so the step keeps its offset.")


def inside_hours(step: FollowUpStep, calendar: Calendar) -> bool:
    """Return whether the step is due while the clinic is open."""
    zone = load_zone(calendar.zone)
    due = to_utc(step.due)
    day = due.astimezone(zone).date()
    return any(opens <= due < closes for opens, closes in open_stretches(calendar, day, zone))


def _tiers(step: FollowUpStep, calendar: Calendar, zone: ZoneInfo) -> Iterator[Stretches]:
    if step.kind != "remote-questionnaire":
        # At closing time it is closed, so a task begins a second before it at the latest.
        length = VISIT_LENGTH if step.kind == "visit" else timedelta(seconds=1)
        yield lambda day: (
            (opens, max(opens, closes - length)) for opens, closes in open_stretches(calendar, day, zone)
        )
    if step.kind != "visit":
        yield lambda day: [(wall(day, _FIRST_MESSAGE, zone), wall(day, _LAST_MESSAGE, zone))]


def _nearest(
    stretches: Stretches, due: datetime, earliest: datetime, latest: datetime, zone: ZoneInfo, *, on_slots: bool
) -> datetime | None:
    local = due.astimezone(zone)
    target, clock = local.date(), local.time()
    if on_slots:
        clock = clock.replace(minute=clock.minute - clock.minute % 15, second=0)
    first, last = earliest.astimezone(zone).date(), latest.astimezone(zone).date()
    for day in _outwards(target, first, last):
        wanted = wall(day, clock, zone) if on_slots or day != target else due
        fitting = [
            _clamped(wanted, low, high, on_slots)
            for opens, closes in stretches(day)
            if (low := max(opens, earliest)) <= (high := min(closes, latest))
        ]
        if fitting:
            return min(fitting, key=lambda moment: (abs(moment - wanted), moment))
    return None


def _outwards(target: date, first: date, last: date) -> Iterator[date]:
    """Yield the days from `first` to `last`, the nearest to `target` first, of two equally near the later one.

    Later, because an effect judged too early looks like none.
    """
    for distance in range(max((last - target).days, (target - first).days) + 1):
        if first <= target + distance * _DAY <= last:
            yield target + distance * _DAY
        if distance and first <= target - distance * _DAY <= last:
            yield target - distance * _DAY


def _clamped(wanted: datetime, low: datetime, high: datetime, on_slots: bool) -> datetime:
    if wanted >= low:
        return min(wanted, high)
    past_slot = timedelta(minutes=low.minute % 15, seconds=low.second)
    if on_slots and past_slot and low - past_slot + _SLOT <= high:
        return low - past_slot + _SLOT
    return low


def _moved(step: FollowUpStep, due: datetime, found: datetime, zone: ZoneInfo) -> FollowUpStep:
    if found == due:
        return step
    written = instant_of(found, zone)
    if found.astimezone(zone).date() != due.astimezone(zone).date():
        return _with_change(step, "moved", "The nearest day inside the window on which this can take place.", written)
    if abs(found - due) >= _SLOT:
        return _with_change(step, "placed", "At an hour of that day at which this can take place.", written)
    return step.model_copy(update={"due": written})


def _with_change(
    step: FollowUpStep, change: Literal["kept", "moved", "placed"], reason: str, due: str | None = None
) -> FollowUpStep:
    made = StepChange(plugin=BUILT_IN, change=change, reason=reason)
    changes = step.changes if made in step.changes else (*step.changes, made)
    return step.model_copy(update={"due": due or step.due, "changes": changes})
