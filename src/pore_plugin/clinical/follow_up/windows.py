"""What the offsets of a schedule mean for one treatment: moments and windows on the clinic's clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from ...contracts import ProblemsError, ScheduleStep
from ..durations import (
    Span,
    add_to_date,
    end_of_day,
    instant_of,
    load_zone,
    parse_duration,
    start_of_day,
    to_utc,
    wall,
)

__all__ = ["MESSAGE_TIME", "Anchor"]

MESSAGE_TIME = time(10, 0)
"""When questionnaires and staff tasks are due on their local date: our design choice."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of a treatment in a zone, from which days are counted on the calendar and hours as they pass.

    Methods return moments in UTC and raise `ProblemsError` with `time.out_of_range` beyond the year 2199.
    """

    moment: datetime
    zone: ZoneInfo
    day: date = field(init=False)
    clock: time = field(init=False)

    def __post_init__(self) -> None:
        local = self.moment.astimezone(self.zone)
        object.__setattr__(self, "day", local.date())
        object.__setattr__(self, "clock", local.time())

    @classmethod
    def at(cls, instant: str, zone: str) -> Anchor:
        """Return the anchor at a contract instant. Raises `ProblemsError` with `zone.unknown`."""
        return cls(to_utc(instant), load_zone(zone))

    def due(self, step: ScheduleStep) -> datetime:
        """Return the step's plain offset: visits at the hour of the treatment, messages and tasks at their own."""
        span = parse_duration(step.offset)
        if span.clock:
            return self.moment + span.elapsed
        if not span.amount:
            return self.moment
        return wall(add_to_date(self.day, span), self.clock if step.kind == "visit" else MESSAGE_TIME, self.zone)

    def window(self, step: ScheduleStep) -> tuple[datetime | None, datetime | None]:
        """Return the first and last moment of the step's window, whole local days; `None` where it is open."""
        return (
            self._first(parse_duration(step.earliest)) if step.earliest else None,
            self._last(parse_duration(step.latest)) if step.latest else None,
        )

    def fits(self, step: ScheduleStep) -> bool:
        """Return whether the step's offset exists and touches its own window."""
        try:
            first, last = self.window(step)
            offset = parse_duration(step.offset)
            begins, ends = self._first(offset), self._last(offset)
            instant_of(ends, self.zone)
        except ProblemsError:
            return False
        if first is not None and last is not None and first > last:
            return False
        return (first is None or ends >= first) and (last is None or begins <= last)

    def end_of_day(self, days: int) -> datetime:
        """Return the last second of the local day that many days later."""
        return self._last(Span(days, "D"))

    def _first(self, span: Span) -> datetime:
        if span.clock:
            return self.moment + span.elapsed
        return max(start_of_day(add_to_date(self.day, span), self.zone), self.moment)

    def _last(self, span: Span) -> datetime:
        return self.moment + span.elapsed if span.clock else end_of_day(add_to_date(self.day, span), self.zone)
