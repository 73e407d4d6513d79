"""When toxin may be given again, and what stands in the way on a given day (rule TOX12).

Every label read asks for at least 3 months, 12 weeks or 90 days, each on its own product's row. How far that is
carried where a row is silent is our design choice, and is shown as unverified.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Literal

from ...contracts.common import RegionSide
from ...contracts.products import Product
from ...contracts.safety import ToxinExposure
from ..figures import usable
from .situation import Past, Situation
from .spans import forward

__all__ = ["Outcome", "Retreatment", "outcomes", "retreatment", "same_brand"]

Outcome = Literal["same-region", "other-region", "top-up", "nothing-planned"]


@dataclass(frozen=True, slots=True)
class Retreatment:
    """The first day on which re-treatment is allowed, and what that day is by verified limits alone, if any."""

    day: date
    verified: date | None


def retreatment(
    given: date,
    rows: Iterable[Product | None],
    *,
    fallback: Sequence[tuple[int, str]],
    accepted: Collection[str] = (),
) -> Retreatment:
    """Return the latest of the limits on the rows of the previous and the planned product, counted from `given`.

    A row that is unknown or names no limit, and each limit that is empty or a suggestion whose key
    (`<product id>/retreatment.<unit>`) is not among `accepted`, counts as the latest of `fallback`: the spans that
    the safety rules name (`suitability.CompiledRules.fallback`). Raises `ValueError` where that has none.
    """
    verified: list[date] = []
    silent = False
    for row in rows:
        silent = silent or row is None or not row.retreatment
        for limit in row.retreatment if row else ():
            key = f"{row.id if row else ''}/retreatment.{limit.unit}"
            if limit.value is None or usable(limit, key, accepted) is None:
                silent = True
            else:
                verified.append(forward(given, Fraction(limit.value), limit.unit))
    if silent and not fallback:
        raise ValueError("a limit that nobody read needs a fallback")
    unverified = [forward(given, number, unit) for number, unit in fallback] if silent else []
    return Retreatment(max([*verified, *unverified], default=given), max(verified, default=None))


def same_brand(exposure: ToxinExposure, found: Situation, row: Product | None) -> bool:
    """Return whether the exposure is known to be of the planned brand, in whichever market it was bought."""
    planned = found.product
    if exposure.product is None or found.context.product is None:
        return False
    if exposure.product == found.context.product:
        return True
    return row is not None and planned is not None and (row.inn, row.brand) == (planned.inn, planned.brand)


@dataclass(slots=True)
class Reach:
    """Which of the regions in view an outcome reaches, and whether a verified limit says so."""

    regions: set[RegionSide] = field(default_factory=set)
    verified: bool = False


def outcomes(found: Situation, fallback: Sequence[tuple[int, str]]) -> dict[Outcome, Reach]:
    """Return what re-treatment on the day meets, by outcome, with the regions in view that it reaches.

    Same region = region without side; an unknown region is the same, an unknown date is recent. Another region
    treated here on the very day is the same session, no earlier treatment. Only a top-up of a treatment in the
    history, with the same product and inside the clinic's window, is one; a treatment not found counts as recent.
    """
    met: dict[Outcome, Reach] = {}
    toxin = found.toxin
    if toxin == "none":
        return met

    def add(outcome: Outcome, regions: Iterable[RegionSide], verified: bool) -> None:
        reach = met.setdefault(outcome, Reach())
        reach.regions.update(regions)
        reach.verified = reach.verified or verified

    for past in found.past:
        verified = True
        if past.day is not None:
            allowed = retreatment(
                past.day,
                (past.product, found.product),
                accepted=found.policies.accepted_suggestions,
                fallback=fallback,
            )
            if found.day >= allowed.day:
                continue
            verified = allowed.verified is not None and found.day < allowed.verified
        if toxin == "open":
            add("nothing-planned", found.view, verified)
            continue
        for place in found.view:
            outcome = _outcome(found, past, place)
            if outcome is not None:
                add(outcome, (place,), verified)
    tops_up = found.context.tops_up
    if tops_up is not None and all(past.exposure.treatment != tops_up for past in found.past):
        add("nothing-planned" if toxin == "open" else "same-region", found.view, True)
    return met


def _outcome(found: Situation, past: Past, place: RegionSide) -> Outcome | None:
    if past.regions is None or place.region in past.regions:
        return "top-up" if _is_top_up(found, past) else "same-region"
    if past.exposure.given == "here" and past.day == found.day:
        return None
    return "other-region"


def _is_top_up(found: Situation, past: Past) -> bool:
    window, tops_up = found.policies.top_up_window, found.context.tops_up
    if tops_up is None or window is None or past.day is None:
        return False
    exposure = past.exposure
    if exposure.given != "here" or exposure.treatment != tops_up or not same_brand(exposure, found, past.product):
        return False
    return timedelta(window.first_day) <= found.day - past.day <= timedelta(window.last_day)
