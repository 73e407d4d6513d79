"""Ages and intervals by the calendar: counted forward from the earlier date, in local dates."""

from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction

__all__ = ["birthday", "forward", "span"]


def forward(start: date, number: Fraction | int, unit: str) -> date:
    """Return the day that lies `number` of `unit` (`d`, `wk`, `mo`, `a`) after `start`.

    Months and years end on the same day of the month, or on its last day where that day does not exist. Part of a
    day counts as a whole one. Beyond the calendar's end the result is its last day. Raises `ValueError` for
    another unit and for a part of a month.
    """
    if unit in ("d", "wk"):
        days = -(-Fraction(number) * (7 if unit == "wk" else 1) // 1)
        return start + timedelta(days=int(days)) if days <= (date.max - start).days else date.max
    if unit not in ("mo", "a") or number != int(number):
        raise ValueError("a limit is a number of d or wk, or a whole number of mo or a")
    months = start.year * 12 + start.month - 1 + int(number) * (12 if unit == "a" else 1)
    year, month = months // 12, months % 12 + 1
    if year > date.max.year:
        return date.max
    return date(year, month, min(start.day, monthrange(year, month)[1]))


def birthday(birth: date, years: Fraction | int) -> date:
    """Return the day on which somebody reaches an age; born on 29 February, that is 1 March in a common year.

    Raises `ValueError` for a part of a year.
    """
    if years != int(years):
        raise ValueError("an age is a whole number of years")
    year = birth.year + int(years)
    if year > date.max.year:
        return date.max
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def span(token: str) -> tuple[int, str]:
    """Read a span written as a token, such as `84-d` or `3-mo`. Raises `ValueError` for anything else."""
    number, _, unit = token.partition("-")
    if not (number.isascii() and number.isdigit()) or unit not in ("d", "wk", "mo", "a"):
        raise ValueError("a span is written as 84-d, 12-wk, 3-mo or 1-a")
    return int(number), unit
