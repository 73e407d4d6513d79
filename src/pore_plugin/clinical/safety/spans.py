"""Ages and intervals by the calendar: counted forward from the earlier date, in local dates."""

from datetime import date
from fractions import Fraction
from math import ceil
from typing import Final, Literal

from ...contracts import ProblemsError
from ..durations import Span, add_to_date

__all__ = ["birthday", "forward", "span"]

_DAYS = {"d": 1, "wk": 7}
_MONTHS: Final[dict[str, Literal["M", "Y"]]] = {"mo": "M", "a": "Y"}


def forward(start: date, number: Fraction | int, unit: str) -> date:
    """Return the day that lies `number` of `unit` (`d`, `wk`, `mo`, `a`) after `start`, as `add_to_date` counts.

    Part of a day counts as a whole one. What lies beyond the years of a record never comes: then it is the last day
    of the calendar. Raises `ValueError` for another unit and for a part of a month.
    """
    if unit in _DAYS:
        step = Span(ceil(Fraction(number) * _DAYS[unit]), "D")
    elif unit in _MONTHS and number == int(number):
        step = Span(int(number), _MONTHS[unit])
    else:
        raise ValueError("a limit is a number of d or wk, or a whole number of mo or a")
    try:
        return add_to_date(start, step)
    except ProblemsError:
        return date.max


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
