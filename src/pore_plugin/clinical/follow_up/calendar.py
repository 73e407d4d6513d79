"""When a clinic is open: weekly hours, closures and public holidays, on the clocks of its zone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ...contracts import Calendar, Clinic, Hours, Problem, ProblemsError
from ..durations import instant_of, load_zone, to_utc, wall

if TYPE_CHECKING:
    from holidays import HolidayBase

__all__ = ["HolidayBook", "calendar_for", "next_open", "open_hours", "open_stretches"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEARCH_DAYS = 366
"""How far `next_open` looks: a clinic that stays closed for longer has no next opening."""


class HolidayBook:
    """The public holidays asked for so far, by country, subdivision and year. Whoever holds the book holds the memory.

    The dates come from the `holidays` library, which is imported at the first question.
    """

    def __init__(self) -> None:
        self._years: dict[tuple[str, str | None, int], tuple[date, ...]] = {}

    def holidays(self, country: str, subdivision: str | None, year: int) -> tuple[date, ...]:
        """Return the public holidays of a year, sorted; none for years that the library does not cover.

        Raises `ProblemsError` with `clinic.no_holidays` for a country or subdivision that it does not know.
        """
        key = (country, subdivision, year)
        known = self._years.get(key)
        if known is None:
            known = self._years[key] = tuple(
                sorted(day for day in _ask(country, subdivision, year) if day.year == year)
            )
        return known


def calendar_for(clinic: Clinic, years: Iterable[int], book: HolidayBook | None = None) -> Calendar:
    """Return the clinic's calendar with the public holidays of `years`.

    Hand in one `HolidayBook` to look every year up once. Raises `ProblemsError` with `clinic.no_holidays` as the
    book does, and with `zone.unknown` for a zone that tzdata does not have.
    """
    load_zone(clinic.zone)
    book = book or HolidayBook()
    return Calendar(
        zone=clinic.zone,
        country=clinic.country,
        subdivision=clinic.subdivision,
        hours=clinic.hours,
        closures=clinic.closures,
        holidays=tuple(
            day.isoformat()
            for year in sorted(set(years))
            for day in book.holidays(clinic.country, clinic.subdivision, year)
        ),
    )


def open_hours(calendar: Calendar, day: date) -> tuple[Hours, ...]:
    """Return the opening hours of a local date; none on closed weekdays, in closures and on public holidays."""
    hours: tuple[Hours, ...] = getattr(calendar.hours, _WEEKDAYS[day.weekday()])
    if not hours:
        return ()
    written = day.isoformat()
    if written in calendar.holidays or any(closure.first <= written <= closure.last for closure in calendar.closures):
        return ()
    return hours


def open_stretches(calendar: Calendar, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield, in UTC, when the clinic opens and closes on a local date, earliest first.

    A date that the zone skipped has no stretches, and one that a clock change leaves without length is left out.
    """
    found = open_hours(calendar, day)
    for hours in found if len(found) < 2 else sorted(found, key=lambda one: one.opens):
        opens = wall(day, time.fromisoformat(hours.opens), zone)
        closes = wall(day, time.fromisoformat(hours.closes), zone)
        if opens < closes and opens.astimezone(zone).date() == day:
            yield opens, closes


def next_open(calendar: Calendar, instant: str) -> str | None:
    """Return the instant itself when the clinic is open then, otherwise its next opening; `None` beyond a year."""
    zone = load_zone(calendar.zone)
    moment = to_utc(instant)
    day = moment.astimezone(zone).date()
    for ahead in range(_SEARCH_DAYS + 1):
        for opens, closes in open_stretches(calendar, day + timedelta(days=ahead), zone):
            if moment < closes:
                return instant_of(max(opens, moment), zone)
    return None


def _ask(country: str, subdivision: str | None, year: int) -> HolidayBase:
    # A fifth of a second, so only where a calendar is really made.
    from holidays import country_holidays

    try:
        return country_holidays(country, subdiv=subdivision, years=year)
    except NotImplementedError:
        pass
    try:
        country_holidays(country, years=year)
    except NotImplementedError:
        raise _unsupported("/country", "country", "Use the ISO 3166-1 code of a country with known holidays.") from None
    raise _unsupported(
        "/subdivision", "subdivision", "Use the ISO 3166-2 code of the country's own part, or leave it out."
    )


def _unsupported(pointer: str, what: str, next_step: str) -> ProblemsError:
    return ProblemsError(
        [
            Problem(
                code="clinic.no_holidays",
                sentence=f"The public holidays of this {what} are not known.",
                pointer=pointer,
                next_step=next_step,
            )
        ]
    )
