"""What a clinic's settings say about the world: a zone that exists, a market that is known, holidays to look up."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from ..contracts import Clinic, Markets, Problem, ProblemsError
from .durations import load_zone
from .follow_up.calendar import HolidayBook

__all__ = ["place_problems", "settings_problems"]

_ANY_YEAR = 2026
"""Only whether the holidays of a place are known is asked, not when they are."""


def settings_problems(clinic: Clinic, markets: Markets) -> tuple[Problem, ...]:
    """Return everything that is wrong with the clinic's place, all at once: see `place_problems`."""
    return place_problems(
        markets, zone=clinic.zone, market=clinic.market, country=clinic.country, subdivision=clinic.subdivision
    )


def place_problems(
    markets: Markets, *, zone: str | None, market: str | None, country: str | None, subdivision: str | None
) -> tuple[Problem, ...]:
    """Return what is wrong with where a clinic is; what is `None` is left out of the question.

    `zone.unknown`: tzdata does not have the zone. `clinic.market`: the content does not know the market.
    `clinic.country`: the country does not belong to the market. `clinic.no_holidays`: nobody knows the holidays of
    the country or its subdivision.
    """
    return (*_zone(zone), *_market(market, country, markets), *_holidays(country, subdivision))


def _zone(zone: str | None) -> Iterator[Problem]:
    if zone is None:
        return
    try:
        load_zone(zone)
    except ProblemsError as error:
        # Imported here: the list of all zones is read only for somebody who misspelt one.
        from zoneinfo import available_timezones

        close = get_close_matches(zone, sorted(available_timezones()), n=1)
        step = f"Did you mean {close[0]}?" if close else "Use a name such as Europe/London or America/New_York."
        yield from (problem.model_copy(update={"next_step": step}) for problem in error.problems)


def _market(market: str | None, country: str | None, markets: Markets) -> Iterator[Problem]:
    if market is None:
        return
    known = {one.id: one for one in markets.markets}
    if market not in known:
        yield Problem(
            code="clinic.market",
            sentence="The content does not know this clinic's market.",
            pointer="/market",
            next_step=f"Use one of: {', '.join(sorted(known))}. Nothing is assumed for others.",
        )
    elif country is not None and country not in known[market].countries:
        yield Problem(
            code="clinic.country",
            sentence=f"The country {country} does not belong to the market {market}.",
            pointer="/country",
            next_step=f"Use one of: {', '.join(known[market].countries)}; or correct the market.",
        )


def _holidays(country: str | None, subdivision: str | None) -> Iterator[Problem]:
    if country is None:
        return
    try:
        HolidayBook().holidays(country, subdivision, _ANY_YEAR)
    except ProblemsError as error:
        yield from error.problems
