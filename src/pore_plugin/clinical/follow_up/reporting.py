"""The outcomes of one patient as a report: for each treatment its trends, up to the next one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...contracts import FollowUpPlan, Instrument, Outcome, OutcomeReport, ReportedInstrument, Text, TreatmentOutcomes
from ..durations import instant_of, load_zone, to_utc
from .outcomes import baseline_of, comparable, primary_of, trend

__all__ = ["FollowedTreatment", "outcome_report"]


@dataclass(frozen=True, kw_only=True, repr=False)
class FollowedTreatment:
    """A treatment whose outcomes are reported: its id, when it began, its plan and when its primary visit took place.

    Without a plan nothing is said about non-response.
    """

    id: str
    started_at: str
    plan: FollowUpPlan | None = None
    visited: str | None = None


def outcome_report(
    outcomes: Iterable[Outcome],
    treatments: Iterable[FollowedTreatment],
    instruments: Iterable[Instrument],
    *,
    clinic: str,
    patient: str,
    at: str,
    zone: str,
    messages: Mapping[str, Text],
) -> OutcomeReport:
    """Return the trend on each instrument, region, side and rater against baseline, for each treatment.

    The baseline is the last value before the treatment, also one measured after an earlier treatment; the values are
    those after it, up to the start of the next. An instrument without baseline has no trend, and a value of another
    version, unit or range than its baseline is in none: nothing is converted. `messages` has the
    `outcome-non-response` text. `instruments` gives the titles; the ranges are those that the outcomes carry, and an
    instrument of which no document was handed in has its id for a title and an unverified range.
    Raises as `trend`, but for that.
    """
    outcomes = tuple(outcomes)
    clocks = load_zone(zone)
    ordered = sorted(treatments, key=lambda one: (to_utc(one.started_at), one.id))
    following = [*ordered, None][1:]
    reported = []
    for treatment, later in zip(ordered, following, strict=True):
        until = None if later is None else to_utc(later.started_at)
        own = [one for one in outcomes if until is None or to_utc(one.at) <= until]
        base, values = baseline_of(own, treatment.started_at)
        values = comparable(values, base)
        primary = primary_of(treatment.plan, treatment.visited) if treatment.plan else None
        trends = trend(values, base, primary)
        silent = any(one.non_response for one in trends)
        reported.append(
            TreatmentOutcomes(
                treatment=treatment.id,
                treated_at=instant_of(to_utc(treatment.started_at), clocks),
                trends=trends,
                non_response=messages["outcome-non-response"] if silent else None,
            )
        )
    return OutcomeReport(
        clinic=clinic,
        patient=patient,
        at=instant_of(to_utc(at), clocks),
        zone=zone,
        instruments=_instruments(reported, outcomes, {(one.id, one.version): one for one in instruments}),
        treatments=tuple(reported),
    )


def _instruments(
    treatments: Sequence[TreatmentOutcomes], outcomes: Iterable[Outcome], known: Mapping[tuple[str, str], Instrument]
) -> tuple[ReportedInstrument, ...]:
    shown = {(one.instrument, one.instrument_version) for each in treatments for one in each.trends}
    scales = {(one.instrument, one.instrument_version): one for one in outcomes}
    found = []
    for name in sorted(shown):
        scale, instrument = scales[name], known.get(name)
        found.append(
            ReportedInstrument(
                id=scale.instrument,
                version=scale.instrument_version,
                title=instrument.title if instrument else {"en": scale.instrument},
                minimum=scale.minimum,
                maximum=scale.maximum,
                direction=scale.direction,
                unit=scale.unit,
                range_verified=instrument is not None and instrument.range_verified,
            )
        )
    return tuple(found)
