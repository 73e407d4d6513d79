"""The computed checks that safety rules name: each looks at one situation and says whether, and where, it holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from types import MappingProxyType

from ...contracts.answers import DateAnswer, DecimalAnswer, IntegerAnswer
from ...contracts.common import RegionDose, RegionSide
from ...contracts.products import Product
from ...contracts.safety import ComputedPredicate, ToxinExposure
from ..figures import usable
from ..forms.conditions import AnswerIndex
from .intervals import outcomes, same_brand
from .situation import Past, Situation, by_region
from .spans import birthday, forward, span

__all__ = ["CHECKS", "Check", "Hit"]


@dataclass(frozen=True, slots=True)
class Hit:
    """A check that holds: in which regions (empty = the whole session), and whether only unverified figures say so."""

    regions: tuple[RegionSide, ...] = ()
    unverified: bool = False


Answered = tuple[AnswerIndex, ...]
"""The answers to read: of the forms over which the predicate's `when` holds, or of all when it has none."""

Check = Callable[[ComputedPredicate, Situation, Answered], Hit | None]
_HIT = Hit()


def _limit(predicate: ComputedPredicate) -> tuple[Fraction, str]:
    if predicate.limit is None:
        raise ValueError("this check needs a limit")
    return Fraction(predicate.limit.value), predicate.limit.unit


def _dates(predicate: ComputedPredicate, source: AnswerIndex) -> Iterator[date]:
    for answer in source.get(predicate.question or "", ()):
        if isinstance(answer, DateAnswer):
            yield date.fromisoformat(answer.value)


def _codes(predicate: ComputedPredicate, source: AnswerIndex) -> Iterator[str]:
    for answer in source.get(predicate.question or "", ()):
        if answer.type == "choice":
            yield answer.value
        elif answer.type == "multi-choice":
            yield from answer.value


def age_min(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """Younger, on the treatment date, than the limit or the market's own, whichever is higher."""
    years, unit = _limit(predicate)
    if unit != "a":
        raise ValueError("an age is given in a")
    of_market = found.market.age_min
    if of_market.value is not None:
        years = max(years, Fraction(of_market.value))
    return _HIT if found.day < birthday(_born(found), years) else None


def age_max(_: ComputedPredicate, found: Situation, __: Answered) -> Hit | None:
    """Older than the product's label allows, as its row writes it."""
    limit = found.product.age_max if found.product else None
    if found.product is None or limit is None or limit.years.value is None:
        return None
    years = Fraction(limit.years.value) + (1 if limit.inclusive else 0)
    if found.day < birthday(_born(found), years):
        return None
    key = f"{found.product.id}/age_max"
    return Hit(unverified=usable(limit.years, key, found.policies.accepted_suggestions) is None)


def _born(found: Situation) -> date:
    return date.fromisoformat(found.context.patient.birth_date)


def excipient(predicate: ComputedPredicate, found: Situation, answered: Answered) -> Hit | None:
    """One of the named excipients was chosen in the answer, and the planned product is not known to be without it."""
    if found.product is None:
        # Nothing contains anything yet; a product without a row is stopped as unlicensed.
        return None
    without = {listed.name for listed in found.product.excipients if listed.present == "no"}
    relevant = set(predicate.parameters) - without
    for source in answered:
        if relevant.intersection(_codes(predicate, source)):
            return _HIT
    return None


def interval(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """The re-treatment interval met the outcome that the first parameter names; the others are fallback limits."""
    if not found.past and found.context.tops_up is None:
        return None
    wanted, *fallback = predicate.parameters
    if wanted not in ("same-region", "other-region", "top-up", "nothing-planned") or not fallback:
        raise ValueError("an interval names an outcome and its fallback limits")
    key = ("interval", tuple(fallback))
    met = found.memo.get(key)
    if met is None:
        met = found.memo[key] = outcomes(found, [span(token) for token in fallback])
    reach = met.get(wanted) if isinstance(met, dict) else None
    if reach is None:
        return None
    return Hit(by_region((place.region, place.side) for place in reach.regions), unverified=not reach.verified)


def cumulative(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """The running total of the planned product's unit is over its label ceiling, or cannot be known.

    Counted are the planned doses and every exposure from which the treatment date is not later than the longest
    window, boundary day included. Unknown dates count as recent.
    """
    (wanted,) = predicate.parameters
    row = found.product
    ceiling = row.cumulative_ceiling if row else None
    if row is None or ceiling is None or ceiling.units.value is None or found.toxin == "none":
        return None
    windows = [(Fraction(w.value), w.unit) for w in ceiling.windows if w.value is not None]
    recent = [past for past in found.past if _recent(past, windows, found.day) and _may_be_unit(past, row)]
    given = [_given(past.exposure) for past in recent]
    unknown = any(past.unit_id is None or units is None for past, units in zip(recent, given, strict=True))
    if wanted == "unknown-units":
        return _HIT if unknown else None
    if wanted != "over":
        raise ValueError("a cumulative check asks for over or unknown-units")
    total = _total(found.context.planned or ())
    total += sum(units or 0 for past, units in zip(recent, given, strict=True) if past.unit_id is not None)
    if total <= Fraction(ceiling.units.value):
        return None
    key = f"{row.id}/cumulative_ceiling"
    return Hit(unverified=usable(ceiling.units, key, found.policies.accepted_suggestions) is None)


def _recent(past: Past, windows: Iterable[tuple[Fraction, str]], day: date) -> bool:
    if past.day is None:
        return True
    start = past.day
    return day <= max((forward(start, number, unit) for number, unit in windows), default=date.max)


def _given(exposure: ToxinExposure) -> Fraction | None:
    """Return the units of an exposure, `None` when unknown; of a total and doses that differ the larger counts."""
    known = [Fraction(exposure.units)] if exposure.units is not None else []
    known += [_total(exposure.doses)] if exposure.doses else []
    return max(known, default=None)


def _may_be_unit(past: Past, row: Product) -> bool:
    """Whether the exposure is in the row's unit, or in an unknown one that may be."""
    if past.unit_id is not None:
        return past.unit_id == row.unit_id
    return past.inn is None or past.inn == row.inn


def _total(doses: Iterable[RegionDose]) -> Fraction:
    return sum((Fraction(dose.units) for dose in doses), Fraction(0))


def other_toxin(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """Another or an unknown toxin product within the limit, boundary day included, or in the same session."""
    if found.context.product is None:
        return None
    limit = _limit(predicate)
    for past in found.past:
        if _recent(past, (limit,), found.day) and not _same_product(past, found):
            return _HIT
    return None


def _same_product(past: Past, found: Situation) -> bool:
    if past.exposure.product is None:
        # Known by INN only: another product unless the INN is the planned one's.
        return past.inn is not None and found.product is not None and past.inn == found.product.inn
    return same_brand(past.exposure, found, past.product)


def region_dose(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """A planned dose is above the evidence threshold, or above the clinic's own figure, in a region and side.

    A top-up adds what it tops up. A dose without its side counts for either side; a topped-up dose that is not
    known for the region counts as above.
    """
    (wanted,) = predicate.parameters
    if wanted not in ("evidence", "clinic-policy"):
        raise ValueError("a region dose is compared with evidence or clinic-policy")
    planned = found.context.planned
    if not planned or found.context.product is None:
        return None
    above: set[RegionSide] = set()
    unverified = True
    for region, side, per_region, figure, mark in _figures(wanted, found):
        for place in found.view:
            fits = place.region == region and (side is None or place.side in (side, None))
            if fits and _dose(place, planned, found, per_region=per_region) > figure:
                above.add(place)
                unverified = unverified and mark == "T"
    return Hit(by_region((place.region, place.side) for place in above), unverified) if above else None


def _figures(wanted: str, found: Situation) -> Iterator[tuple[str, str | None, bool, Fraction, str]]:
    if wanted == "clinic-policy":
        for policy in found.policies.dose_figures:
            if policy.product == found.context.product:
                yield policy.region, policy.side, False, Fraction(policy.units), "D"
        return
    for threshold in found.evidence.thresholds:
        units = threshold.units
        if found.product is not None and threshold.inn == found.product.inn and units.value is not None:
            yield threshold.region, None, threshold.per == "region", Fraction(units.value), units.mark or "T"


_UNKNOWN_DOSE = Fraction(10**9)


def _dose(place: RegionSide, planned: Iterable[RegionDose], found: Situation, *, per_region: bool) -> Fraction:
    total = _total(_here(place, planned, per_region))
    tops_up = found.context.tops_up
    if tops_up is None:
        return total
    topped = [past for past in found.past if past.exposure.treatment == tops_up]
    if not topped:
        return _UNKNOWN_DOSE
    for past in topped:
        exposure = past.exposure
        if past.unit_id is not None and found.product is not None and past.unit_id != found.product.unit_id:
            # Another unit is never added; TOX12 stops this session, for it is no top-up.
            continue
        if exposure.doses:
            total += _total(_here(place, exposure.doses, per_region))
        elif past.regions is None or place.region in past.regions:
            # How it was divided is not known: all of it may have gone here.
            total += _UNKNOWN_DOSE if exposure.units is None else Fraction(exposure.units)
    return total


def _here(place: RegionSide, doses: Iterable[RegionDose], per_region: bool) -> Iterator[RegionDose]:
    for dose in doses:
        if dose.region == place.region and (per_region or place.side is None or dose.side in (place.side, None)):
            yield dose


def unlicensed(_: ComputedPredicate, found: Situation, __: Answered) -> Hit | None:
    """The planned product has no sourced row for the clinic's market."""
    if found.context.product is None:
        return None
    row = found.product
    return _HIT if row is None or row.market != found.market.id or row.licensed.mark == "M" else None


def anaesthetic(predicate: ComputedPredicate, found: Situation, _: Answered) -> Hit | None:
    """The chosen anaesthetic is one of those named; `any-local` names every local one, and an unknown one is local."""
    chosen = found.context.anaesthetic
    if chosen is None or chosen == "none":
        return None
    named = chosen in predicate.parameters
    if not named and "any-local" in predicate.parameters:
        named = found.anaesthetics.get(chosen, True)
    return _HIT if named else None


def recent_date(predicate: ComputedPredicate, found: Situation, answered: Answered) -> Hit | None:
    """The answered date lies less than the limit before or after the treatment date; the boundary day is outside."""
    number, unit = _limit(predicate)
    (direction,) = predicate.parameters
    if direction not in ("before-treatment", "after-treatment"):
        raise ValueError("a recent date lies before-treatment or after-treatment")
    for source in answered:
        for day in _dates(predicate, source):
            if direction == "before-treatment":
                near = found.day < forward(day, number, unit)
            else:
                near = found.day <= day < forward(found.day, number, unit)
            if near:
                return _HIT
    return None


def planned_blocker(predicate: ComputedPredicate, found: Situation, answered: Answered) -> Hit | None:
    """Something is planned within the limit of the treatment date, either way, boundary day included, or some day."""
    number, unit = _limit(predicate)
    if unit != "d":
        raise ValueError("a planned blocker is looked for within days")
    for source in answered:
        days = list(_dates(predicate, source))
        if not days or any(abs(day - found.day) <= timedelta(days=int(number)) for day in days):
            return _HIT
    return None


def periocular(_: ComputedPredicate, found: Situation, __: Answered) -> Hit | None:
    """A region in view is near the eye; a region that the face map does not know counts as near."""
    flags = {region.id: region.periocular for region in found.regions.regions}
    near = tuple(place for place in found.view if flags.get(place.region, True))
    return Hit(near) if near else None


def screen_result(predicate: ComputedPredicate, _: Situation, answered: Answered) -> Hit | None:
    """The result of a screen is one of those named, or reaches the limit where the rule has one."""
    for source in answered:
        if not set(predicate.parameters).isdisjoint(_codes(predicate, source)):
            return _HIT
        if predicate.limit is None:
            continue
        for answer in source.get(predicate.question or "", ()):
            if isinstance(answer, IntegerAnswer | DecimalAnswer) and Fraction(answer.value) >= _limit(predicate)[0]:
                return _HIT
    return None


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "age-min": age_min,
        "age-max": age_max,
        "anaesthetic": anaesthetic,
        "cumulative": cumulative,
        "excipient": excipient,
        "interval": interval,
        "other-toxin": other_toxin,
        "periocular": periocular,
        "planned-blocker": planned_blocker,
        "recent-date": recent_date,
        "region-dose": region_dose,
        "screen-result": screen_result,
        "unlicensed": unlicensed,
    }
)
