"""The visits of a follow-up plan as an iCalendar file (RFC 5545) that says nothing about the treatment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...contracts import FollowUpPlan, FollowUpStep
from ..durations import load_zone, start_of_day, to_utc
from .slots import VISIT_LENGTH

if TYPE_CHECKING:
    from icalendar import Timezone

__all__ = ["to_ical"]

PRODUCT_ID = "-//pore-plugin//follow-up//EN"
SUMMARY = "Clinic appointment"
"""All that a calendar shows: it is read over shoulders, on lock screens and in shared calendars."""

_SHOWN = ("planned", "due", "booked")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def to_ical(plan: FollowUpPlan, *, clinic_name: str, stamp: str, product_id: str = PRODUCT_ID) -> bytes:
    """Return one event per visit still to come, with the time zone it is in; the same input gives the same bytes.

    UID is the key of the step, so a file imported again moves an appointment instead of doubling it; DTSTAMP is
    `stamp`, a contract instant. Steps on the day of the treatment are left out, and so are messages and staff tasks.
    """
    # 40 ms, for those who want a calendar file.
    from icalendar import Calendar, Event

    zone = load_zone(plan.zone)
    treated = to_utc(plan.anchor).astimezone(zone).date()
    visits = [(to_utc(step.due), step) for step in plan.steps if _is_shown(step)]
    visits = [(starts, step) for starts, step in visits if starts.astimezone(zone).date() != treated]
    calendar = Calendar()
    calendar.add("prodid", product_id)
    calendar.add("version", "2.0")
    if visits and plan.zone != "UTC":
        first, last = min(starts for starts, _ in visits), max(starts for starts, _ in visits)
        calendar.add_component(_timezone(zone, plan.zone, date(first.year - 1, 1, 1), date(last.year + 1, 1, 1)))
    for starts, step in visits:
        event = Event()
        event.add("uid", step.key)
        event.add("dtstamp", to_utc(stamp))
        event.add("dtstart", _clock(starts, zone))
        event.add("dtend", _clock(starts + VISIT_LENGTH, zone))
        event.add("summary", SUMMARY)
        event.add("location", clinic_name)
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _is_shown(step: FollowUpStep) -> bool:
    return step.kind == "visit" and step.state in _SHOWN


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment on the clocks of `zone`, or in UTC for the second pass of an hour, which TZID cannot name."""
    local = moment.astimezone(zone)
    return moment.astimezone(UTC) if local.fold else local


def _timezone(zone: ZoneInfo, name: str, first: date, last: date) -> Timezone:
    """Return the VTIMEZONE for these days.

    Not `Calendar.add_missing_timezones`: where clocks go forward, icalendar 7.3 writes the hour they show afterwards,
    but RFC 5545 section 3.6.5 counts the onset in TZOFFSETFROM, so its summer began an hour late.
    """
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

    component = Timezone()
    component.add("tzid", name)
    for change in _changes(zone, start_of_day(first, zone), start_of_day(last, zone)):
        after = change.astimezone(zone)
        before = (change - _SECOND).astimezone(zone)
        part = TimezoneDaylight() if after.dst() else TimezoneStandard()
        offset_to = after.utcoffset() or timedelta()
        offset_from = before.utcoffset() or timedelta()
        part.add("dtstart", (change + offset_from).replace(tzinfo=None))
        part.add("tzoffsetfrom", offset_from)
        part.add("tzoffsetto", offset_to)
        part.add("tzname", after.tzname() or name)
        component.add_component(part)
    return component


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield `first` and, in UTC, every moment at which the clocks or their name change before `last`."""

    def rule(moment: datetime) -> tuple[timedelta | None, timedelta | None, str | None]:
        local = moment.astimezone(zone)
        return local.utcoffset(), local.dst(), local.tzname()

    yield first
    day = first
    while day < last:
        following = min(day + _DAY, last)
        if rule(following) != rule(day):
            low, high = day, following
            while high - low > _SECOND:
                middle = low + (high - low) // _SECOND // 2 * _SECOND
                low, high = (middle, high) if rule(middle) == rule(day) else (low, middle)
            yield high
        day = following
