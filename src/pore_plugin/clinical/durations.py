"""Adding our ISO 8601 durations to dates and instants, in the clinic's zone.

Days, weeks, months and years move the local date and keep the time on the wall; hours and minutes are time that
passes. A local time that a clock change skips moves forward by the gap; one that occurs twice is its first occurrence.
Instants carry whole minutes of offset: where a zone's own offset had seconds (Amsterdam before 1937, Monrovia before
1972), the offset is rounded to the nearest minute, half a minute up, and the instant stays exact.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal, NamedTuple, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..contracts import Problem, ProblemsError

__all__ = [
    "Span",
    "add_local",
    "add_to_date",
    "end_of_day",
    "instant_of",
    "load_zone",
    "local_date",
    "parse_duration",
    "start_of_day",
    "to_utc",
    "wall",
]

_MONTHS = {"M": 1, "Y": 12}
_DAYS = {"D": 1, "W": 7}
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HALF_MINUTE = timedelta(seconds=30)
_MIDNIGHT = time(0, 0)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
"""The years that a contract date may have (`contracts.base.LocalDate`)."""

# Not IANA names: what the machine is set to, and copies of the database that count leap seconds.
_NOT_ZONES = ("localtime", "posixrules")
_NOT_ROOMS = ("right/", "posix/")


class Span(NamedTuple):
    """A duration of one component; `clock` says that it is hours or minutes that pass, not days on a calendar."""

    amount: int
    unit: Literal["D", "W", "M", "Y", "h", "min"]

    @property
    def clock(self) -> bool:
        """Whether this is elapsed time rather than a step on the calendar."""
        return self.unit in ("h", "min")

    @property
    def elapsed(self) -> timedelta:
        """The time that passes. Raises `ValueError` for days, weeks, months and years, which have no fixed length."""
        if self.unit == "h":
            return timedelta(hours=self.amount)
        if self.unit == "min":
            return timedelta(minutes=self.amount)
        raise ValueError("a calendar duration has no fixed length")


def parse_duration(text: str) -> Span:
    """Read a contract duration: `P14D`, `P3M`, `PT48H`, `PT30M`, `P0D`. Raises `ValueError` for anything else."""
    clock = text[1:2] == "T"
    digits, unit = text[2 if clock else 1 : -1], text[-1:]
    if text[:1] != "P" or not (digits.isascii() and digits.isdigit()):
        raise ValueError("not a duration of one component")
    match unit:
        case "D" | "W" | "M" | "Y" if not clock:
            return Span(int(digits), unit)
        case "H" if clock:
            return Span(int(digits), "h")
        case "M":
            return Span(int(digits), "min")
    raise ValueError("not a duration of one component")


def load_zone(name: str) -> ZoneInfo:
    """Return the IANA zone. Raises `ProblemsError` with `zone.unknown` when tzdata does not have it."""
    if name not in _NOT_ZONES and not name.startswith(_NOT_ROOMS):
        # A folder of the database, such as `America`, is refused by the operating system rather than by zoneinfo.
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise ProblemsError(
        [
            Problem(
                code="zone.unknown",
                sentence="The time zone is not in the IANA time zone database.",
                pointer="/zone",
                next_step="Use a name such as Europe/London or America/New_York.",
            )
        ]
    )


def to_utc(instant: str) -> datetime:
    """Return a contract instant as an aware datetime in UTC, the only kind that Python compares by time."""
    return datetime.fromisoformat(instant).astimezone(UTC)


def instant_of(moment: datetime, zone: ZoneInfo) -> str:
    """Write an aware datetime as a contract instant on the clocks of `zone`.

    Raises `ProblemsError` with `time.out_of_range` outside the years 1900 to 2199.
    """
    try:
        local = moment.astimezone(zone)
        offset = local.utcoffset()
        if offset is not None and offset.seconds % 60:
            local = moment.astimezone(timezone((offset + _HALF_MINUTE) // _MINUTE * _MINUTE))
    except (OverflowError, ValueError):
        _out_of_range()
    if not _FIRST_YEAR <= local.year <= _LAST_YEAR:
        _out_of_range()
    return local.isoformat(timespec="seconds")


def local_date(instant: str, zone: ZoneInfo) -> date:
    """Return the date on the wall of `zone` at an instant."""
    return to_utc(instant).astimezone(zone).date()


def wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return, in UTC, when the clocks of `zone` show `clock` on `day`.

    In a gap the time moves forward by the gap (Samoa skipped 30 December 2011 whole: it becomes the 31st); in a fold
    it is the first of the two. PEP 495 gives both with `fold=0`.
    """
    return datetime.combine(day, clock.replace(fold=0) if clock.fold else clock, zone).astimezone(UTC)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return, in UTC, the first moment of a local day."""
    return wall(day, _MIDNIGHT, zone)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return, in UTC, the last whole second of a local day. Raises `ProblemsError` as `add_to_date` does."""
    return start_of_day(_shifted(day, 1), zone) - _SECOND


def add_to_date(day: date, duration: str | Span) -> date:
    """Count days, weeks, months or years forward; where that day does not exist, the last day of the month.

    Raises `ValueError` for hours and minutes, `ProblemsError` with `time.out_of_range` beyond the year 2199.
    """
    span = parse_duration(duration) if isinstance(duration, str) else duration
    if span.clock:
        raise ValueError("hours and minutes are added to an instant, not to a date")
    if span.unit in _DAYS:
        return _shifted(day, span.amount * _DAYS[span.unit])
    months = day.year * 12 + day.month - 1 + span.amount * _MONTHS[span.unit]
    year, month = months // 12, months % 12 + 1
    if year > _LAST_YEAR:
        _out_of_range()
    return date(year, month, min(day.day, _month_length(year, month)))


def add_local(instant: str, duration: str | Span, zone: ZoneInfo) -> str:
    """Add any of our durations to an instant on the clocks of `zone`.

    Calendar durations keep the time on the wall, through every clock change; hours and minutes pass. Raises
    `ProblemsError` with `time.out_of_range` beyond the year 2199.
    """
    span = parse_duration(duration) if isinstance(duration, str) else duration
    if span.clock:
        return instant_of(to_utc(instant) + span.elapsed, zone)
    local = to_utc(instant).astimezone(zone)
    if span.amount == 0:
        return instant_of(local, zone)
    return instant_of(wall(add_to_date(local.date(), span), local.time(), zone), zone)


def _shifted(day: date, days: int) -> date:
    try:
        moved = day + timedelta(days)
    except OverflowError:
        _out_of_range()
    if not _FIRST_YEAR <= moved.year <= _LAST_YEAR:
        _out_of_range()
    return moved


def _month_length(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - _DAY).day


def _out_of_range() -> NoReturn:
    raise ProblemsError(
        [
            Problem(
                code="time.out_of_range",
                sentence="The date lies outside the years 1900 to 2199.",
                next_step="Use a shorter offset, or correct the date it counts from.",
            )
        ]
    )
