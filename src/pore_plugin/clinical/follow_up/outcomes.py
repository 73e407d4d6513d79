"""Measured outcomes: what may be compared, by how much it changed, and whether the treatment did nothing.

A value is compared only with values of the same instrument: id, version, unit and range all equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal, TypeAlias

from ...contracts import (
    FollowUpPlan,
    FollowUpStep,
    Instrument,
    Outcome,
    OutcomePoint,
    OutcomeTrend,
    Problem,
    ProblemsError,
)
from ..durations import end_of_day, load_zone, local_date, start_of_day, to_utc
from ..numbers import exact, spell

__all__ = ["Primary", "baseline_of", "check_outcomes", "comparable", "primary_of", "trend"]

Change: TypeAlias = Literal["better", "worse", "same", "unknown"]
_Series: TypeAlias = tuple[str, str, str, str]
"""What a trend is about: instrument, region, side, rater."""


@dataclass(frozen=True, slots=True)
class Primary:
    """The primary outcome visit: when its values are measured, in UTC, and with which instruments; none = all."""

    first: datetime
    last: datetime
    instruments: frozenset[str] = frozenset()


def check_outcomes(outcomes: Sequence[Outcome], instruments: Iterable[Instrument]) -> tuple[Problem, ...]:
    """Return a problem for each outcome that is not what its instrument measures, with pointers `/<position>/…`.

    Codes: `outcome.unknown_instrument`, `outcome.not_comparable` (version, unit, range or direction differ),
    `outcome.rater`, `outcome.out_of_range`.
    """
    known = {(instrument.id, instrument.version): instrument for instrument in instruments}
    ids = {name for name, _ in known}
    return tuple(
        problem for position, outcome in enumerate(outcomes) for problem in _check(position, outcome, known, ids)
    )


def baseline_of(outcomes: Iterable[Outcome], treated_at: str) -> tuple[tuple[Outcome, ...], tuple[Outcome, ...]]:
    """Return the baseline and the later outcomes.

    The baseline is, for each instrument, region, side and rater, the last value measured by `treated_at`, the start
    of the treatment; earlier ones belong to neither.
    """
    start = to_utc(treated_at)
    baseline: dict[_Series, Outcome] = {}
    later = []
    for outcome in sorted(outcomes, key=lambda one: (to_utc(one.at), one.id)):
        if to_utc(outcome.at) > start:
            later.append(outcome)
        else:
            baseline[_series(outcome)] = outcome
    return tuple(baseline.values()), tuple(later)


def comparable(outcomes: Iterable[Outcome], baseline: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Return the outcomes without those that have a baseline and cannot be compared with it."""
    bases = {_series(base): _scale(base) for base in baseline}
    return tuple(one for one in outcomes if bases.get(_series(one), _scale(one)) == _scale(one))


def primary_of(plan: FollowUpPlan, visited: str | None = None) -> Primary | None:
    """Return the primary outcome visit of a plan, `None` when it has none.

    Its values are those measured inside the step's window, whole days where the window is open, and up to the end
    of the day on which the visit took place (`visited`) where that was earlier or later.
    """
    step = next((one for one in plan.steps if one.primary_outcome and one.state != "cancelled"), None)
    if step is None:
        return None
    moments = [*_window(step, plan.zone), *(_day(visited, plan.zone) if visited else ())]
    return Primary(min(moments), max(moments), frozenset(step.instruments))


def trend(
    outcomes: Iterable[Outcome], baseline: Iterable[Outcome], primary: Primary | None = None
) -> tuple[OutcomeTrend, ...]:
    """Return the trend of every instrument, region, side and rater that has a baseline, in that order.

    Deltas are exact: value minus baseline. An outcome without a baseline of its instrument has no trend and is left
    out. `non_response` says that the last value of the primary outcome visit is no better than the baseline; it is
    never said of a baseline that could not get better, nor of an instrument without direction. Raises
    `ProblemsError` with `outcome.not_comparable` when a value and its baseline differ in version, unit, range or
    direction, and with `outcome.two_baselines`.
    """
    bases: dict[_Series, Outcome] = {}
    for outcome in baseline:
        if bases.setdefault(_series(outcome), outcome) is not outcome:
            raise ProblemsError([_two_baselines()])
    values: dict[_Series, list[Outcome]] = {series: [] for series in bases}
    for outcome in outcomes:
        base = bases.get(_series(outcome))
        if base is None:
            continue
        if _scale(outcome) != _scale(base):
            raise ProblemsError([_not_comparable("")])
        values[_series(outcome)].append(outcome)
    return tuple(_trend(bases[series], values[series], primary) for series in sorted(bases))


def _trend(base: Outcome, values: Iterable[Outcome], primary: Primary | None) -> OutcomeTrend:
    ordered = sorted(values, key=lambda one: (to_utc(one.at), one.id))
    points = [(to_utc(one.at), _point(one, base)) for one in ordered]
    counted: list[OutcomePoint] = []
    if primary and (not primary.instruments or base.instrument in primary.instruments):
        counted = [point for at, point in points if primary.first <= at <= primary.last]
    return OutcomeTrend(
        instrument=base.instrument,
        instrument_version=base.instrument_version,
        unit=base.unit,
        direction=base.direction,
        rater=base.rater,
        region=base.region,
        side=base.side,
        baseline=_point(base, base),
        points=tuple(point for _, point in points),
        non_response=bool(counted) and counted[-1].change in ("same", "worse") and not _at_best(base),
    )


def _point(outcome: Outcome, base: Outcome) -> OutcomePoint:
    delta = exact(outcome.value) - exact(base.value)
    try:
        written = spell(delta)
    except ValueError:
        raise ProblemsError([_not_comparable("The difference has more digits than a figure may have.")]) from None
    return OutcomePoint(at=outcome.at, value=outcome.value, delta=written, change=_change(delta, base.direction))


def _change(delta: Fraction, direction: str) -> Change:
    if direction == "none":
        return "unknown"
    if delta == 0:
        return "same"
    return "better" if (delta > 0) == (direction == "higher-is-better") else "worse"


def _at_best(base: Outcome) -> bool:
    best = base.maximum if base.direction == "higher-is-better" else base.minimum
    return best is not None and exact(base.value) == exact(best)


def _series(outcome: Outcome) -> _Series:
    return outcome.instrument, outcome.region or "", outcome.side or "", outcome.rater


def _scale(outcome: Outcome) -> tuple[str | None, ...]:
    return outcome.instrument_version, outcome.unit, outcome.minimum, outcome.maximum, outcome.direction


def _window(step: FollowUpStep, zone: str) -> tuple[datetime, datetime]:
    first, last = _day(step.due, zone)
    return (to_utc(step.earliest) if step.earliest else first, to_utc(step.latest) if step.latest else last)


def _day(instant: str, zone: str) -> tuple[datetime, datetime]:
    clocks = load_zone(zone)
    day = local_date(instant, clocks)
    return start_of_day(day, clocks), end_of_day(day, clocks)


def _check(
    position: int, outcome: Outcome, known: dict[tuple[str, str], Instrument], ids: set[str]
) -> Iterator[Problem]:
    place = f"/{position}"
    instrument = known.get((outcome.instrument, outcome.instrument_version))
    if instrument is None:
        yield (
            _not_comparable("", place + "/instrument_version")
            if outcome.instrument in ids
            else Problem(
                code="outcome.unknown_instrument",
                sentence="No instrument with this id is known.",
                pointer=place + "/instrument",
                next_step="Use an instrument of the catalogue, or register it with a plug-in.",
            )
        )
        return
    for name in ("unit", "minimum", "maximum", "direction"):
        if getattr(outcome, name) != getattr(instrument, name):
            yield _not_comparable("", f"{place}/{name}")
    if instrument.rater not in ("any", outcome.rater):
        yield Problem(
            code="outcome.rater",
            sentence=f"This instrument is rated by: {instrument.rater}.",
            pointer=place + "/rater",
            next_step="Record the value under an instrument for this rater.",
        )
    value = exact(outcome.value)
    low, high = instrument.minimum, instrument.maximum
    if (low is not None and value < exact(low)) or (high is not None and value > exact(high)):
        yield Problem(
            code="outcome.out_of_range",
            sentence=f"The value must lie between {low or 'any'} and {high or 'any'}.",
            pointer=place + "/value",
            next_step="Check the value and the instrument it was measured with.",
        )


def _not_comparable(why: str, pointer: str = "") -> Problem:
    return Problem(
        code="outcome.not_comparable",
        sentence=why or "The version, unit, range or direction is not that of the instrument it is compared with.",
        pointer=pointer,
        next_step="Compare values of one instrument and version only; nothing is converted.",
    )


def _two_baselines() -> Problem:
    return Problem(
        code="outcome.two_baselines",
        sentence="One instrument has two baselines for the same region, side and rater.",
        next_step="Hand in one baseline, the last one before the treatment.",
    )
