"""Where a follow-up step stands on the clinic's clocks: still to come, due, overdue or missed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from ...contracts import FollowUpStep, Standing, StepProgress
from ..durations import end_of_day, load_zone, local_date, start_of_day, to_utc

__all__ = ["FINAL", "days_overdue", "standing", "window_of"]

FINAL: frozenset[StepProgress] = frozenset({"done", "cancelled", "superseded"})
"""States that only a correction leaves."""


def standing(step: FollowUpStep, now: str, zone: str) -> Standing:
    """Return where a step stands at an instant, on the clinic's clocks.

    `upcoming` until its time has come: a visit from the start of its window (or of its day, when it is booked or the
    window is open), a questionnaire or task from its hour, one that is `due` or `sent` at any time. `due` up to the
    end of the local day it is due on, then `overdue`. `missed` after the end of the local day on which its window
    ends, or after its day where that is later; never while it is booked, and never where the window is open: there a
    person decides. `closed` when nothing is left to do. Required steps and those that somebody asked for stand alike.

    Raises `ProblemsError` with `zone.unknown`.
    """
    if step.state in FINAL:
        return "closed"
    if step.state == "missed":
        return "missed"
    clocks, moment = load_zone(zone), to_utc(now)
    opens, closes = window_of(step, clocks)
    if step.state != "booked" and closes is not None and moment > closes:
        return "missed"
    # Compared as instants: where a zone crossed the date line its calendar showed one day twice.
    if moment > end_of_day(local_date(step.due, clocks), clocks):
        return "overdue"
    return "due" if moment >= opens or step.state in ("due", "sent") else "upcoming"


def window_of(step: FollowUpStep, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """Return, in UTC, when a step's time comes and the last second at which it is not yet missed; `None` = never."""
    due = to_utc(step.due)
    opens = due
    day = local_date(step.due, zone)
    if step.kind == "visit":
        opens = min(start_of_day(day, zone), due)
        if step.earliest is not None and step.state != "booked":
            opens = min(opens, to_utc(step.earliest))
    if step.latest is None:
        return opens, None
    return opens, max(end_of_day(local_date(step.latest, zone), zone), end_of_day(day, zone))


def days_overdue(step: FollowUpStep, now: str, zone: str) -> int:
    """Return how many local days ago a step was due, at least one once its day is over, otherwise 0."""
    clocks = load_zone(zone)
    day = local_date(step.due, clocks)
    if to_utc(now) <= end_of_day(day, clocks):
        return 0
    return max(1, (local_date(now, clocks) - day).days)
