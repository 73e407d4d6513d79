"""Check what an operator reports against the plan. Pure.

A block stops the needle, never the truth: whatever happened is recorded, but everything that spoke against it or
differs from the plan needs a deviation with a reason and a person.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from ...contracts import (
    Clinic,
    NotReady,
    Problem,
    ProcedurePlan,
    RegionMap,
    RegionSide,
    TreatmentReport,
)
from ..durations import to_utc

__all__ = ["differences", "faults", "undocumented"]


def faults(report: TreatmentReport, plan: ProcedurePlan, clinic: Clinic, regions: RegionMap) -> tuple[Problem, ...]:
    """Return what makes the report unreadable as a record of this plan; these must be corrected, not explained."""
    return (
        *_times(report),
        *_dose_faults(report, regions),
        *_point_faults(report, regions),
        *_person_faults(report, clinic),
        *_step_faults(report, plan),
        *_vial_faults(report),
        *_injection_faults(report, plan),
    )


def differences(report: TreatmentReport, plan: ProcedurePlan) -> tuple[NotReady, ...]:
    """Return how the treatment differs from its plan; each needs a deviation of the same code."""
    return tuple(_differences(report, plan))


def undocumented(reasons: Iterable[NotReady], report: TreatmentReport) -> tuple[NotReady, ...]:
    """Return the reasons for which the report has no deviation of the same code."""
    explained = {deviation.code for deviation in report.deviations}
    return tuple(reason for reason in reasons if reason.code not in explained)


def _problem(code: str, pointer: str, sentence: str, next_step: str) -> Problem:
    return Problem(code=code, pointer=f"/report{pointer}", sentence=sentence, next_step=next_step)


def _times(report: TreatmentReport) -> Iterator[Problem]:
    if to_utc(report.ended_at) < to_utc(report.started_at):
        yield _problem(
            "treatment.time_order", "/ended_at", "The treatment ends before it starts.", "Correct the times."
        )


def _dose_faults(report: TreatmentReport, regions: RegionMap) -> Iterator[Problem]:
    known = {region.id: region for region in regions.regions}
    for position, dose in enumerate(report.doses):
        region = known.get(dose.region)
        if region is None:
            yield _problem(
                "treatment.region",
                f"/doses/{position}/region",
                "This region is not on the chart.",
                "Use a region of the chart.",
            )
        elif region.paired != (dose.side is not None):
            yield _problem(
                "treatment.side",
                f"/doses/{position}",
                "A paired region needs its side; others have none.",
                "Name the side, or leave it out.",
            )


def _point_faults(report: TreatmentReport, regions: RegionMap) -> Iterator[Problem]:
    known = {region.id: region for region in regions.regions}
    charts = {chart.id for chart in regions.charts}
    for position, point in enumerate(report.points):
        region = known.get(point.region)
        if region is None or point.chart not in charts:
            yield _problem(
                "treatment.point",
                f"/points/{position}",
                "A point names a region or chart that does not exist.",
                "Use the region map's ids.",
            )
        elif region.paired != (point.side is not None):
            yield _problem(
                "treatment.side",
                f"/points/{position}",
                "A paired region needs its side; others have none.",
                "Name the side, or leave it out.",
            )


def _person_faults(report: TreatmentReport, clinic: Clinic) -> Iterator[Problem]:
    for position, deviation in enumerate(report.deviations):
        if clinic.person(deviation.person) is None:
            yield _problem(
                "treatment.person",
                f"/deviations/{position}/person",
                "A deviation is signed by nobody of this clinic.",
                "Name a person of the clinic settings.",
            )
    if report.amendment is not None and clinic.person(report.amendment.person) is None:
        yield _problem(
            "treatment.person",
            "/amendment/person",
            "A correction is signed by nobody of this clinic.",
            "Name a person of the clinic settings.",
        )
    prescriber = clinic.person(report.prescriber) if report.prescriber is not None else None
    if report.prescriber is not None and (prescriber is None or "prescriber" not in prescriber.roles):
        yield _problem(
            "treatment.prescriber",
            "/prescriber",
            "The prescriber is not a prescriber of this clinic.",
            "Name a prescriber of the clinic settings.",
        )


def _step_faults(report: TreatmentReport, plan: ProcedurePlan) -> Iterator[Problem]:
    steps = {step.id for step in plan.steps}
    for position, step in enumerate(report.steps):
        if step.step not in steps:
            yield _problem(
                "treatment.step",
                f"/steps/{position}/step",
                "The plan does not have this step.",
                f"Use one of: {', '.join(sorted(steps))}.",
            )


def _vial_faults(report: TreatmentReport) -> Iterator[Problem]:
    first = {use.vial.id: use.vial for use in reversed(report.vials)}
    for position, use in enumerate(report.vials):
        if use.vial != first[use.vial.id]:
            yield _problem(
                "treatment.vial_twice",
                f"/vials/{position}/vial",
                "One vial stands here twice, with different lot, expiry or other members.",
                "Give two vials an id each; describe one vial the same way each time.",
            )
        if Fraction(use.used) + Fraction(use.wasted) != Fraction(use.drawn):
            yield _problem(
                "treatment.vial_sum",
                f"/vials/{position}",
                "Used and wasted do not add up to drawn.",
                "Correct the figures in units.",
            )
        drawn = sum(Fraction(other.drawn) for other in report.vials if other.vial.id == use.vial.id)
        if drawn > Fraction(use.vial.units):
            yield _problem(
                "treatment.overdrawn",
                f"/vials/{position}/drawn",
                "More was drawn than the vial holds.",
                "Correct the figure, or add the second vial.",
            )


def _injection_faults(report: TreatmentReport, plan: ProcedurePlan) -> Iterator[Problem]:
    if plan.injection is None and (report.doses or report.vials):
        yield _problem(
            "treatment.no_injection",
            "/doses",
            "The plan has no injection, but doses or vials are reported.",
            "Record them under a plan of their own.",
        )
    if plan.injection is not None and report.doses and not report.vials:
        yield _problem(
            "treatment.vial_missing",
            "/vials",
            "Doses are reported without the vial they came from.",
            "Add the vial with lot and expiry.",
        )


def _differences(report: TreatmentReport, plan: ProcedurePlan) -> Iterator[NotReady]:
    yield from _dose_differences(report, plan)
    yield from _record_gaps(report, plan)
    if report.prescriber is None:
        yield NotReady(
            code="prescriber.missing",
            sentence="No prescriber is named.",
            next_step="Name the prescriber, or record a deviation `prescriber.missing` with the reason.",
        )
    done = {record.step: record for record in report.steps}
    for step in plan.steps:
        record = done.get(step.id)
        if step.required and (record is None or not record.done) and report.stopped_early is None:
            yield NotReady(
                code="step.missing",
                sentence=f"The required step {step.id} was not done or not recorded.",
                next_step="Record the step, or a deviation `step.missing` with the reason.",
            )
        elif record is not None and record.done and not set(step.records) <= set(record.records):
            missing = ", ".join(sorted(set(step.records) - set(record.records)))
            yield NotReady(
                code="record.missing",
                sentence=f"The step {step.id} lacks the records: {missing}.",
                next_step="Add them, or a deviation `record.missing` with the reason.",
            )
    planned = sorted((figure.key, figure.value, figure.unit) for figure in plan.parameters)
    given = sorted((figure.key, figure.value, figure.unit) for figure in report.parameters)
    if planned != given and report.stopped_early is None:
        yield NotReady(
            code="parameter.differs",
            sentence="The figures of the procedure differ from the plan, or are missing.",
            next_step="Correct them, or record a deviation `parameter.differs` with the reason.",
        )
    chosen = plan.anaesthetic.id if plan.anaesthetic else None
    if (report.anaesthetic.anaesthetic if report.anaesthetic else None) != chosen:
        yield NotReady(
            code="anaesthetic.differs",
            sentence="Another anaesthetic was used than planned.",
            next_step="Correct it, or record a deviation `anaesthetic.differs` with the reason.",
        )


def _record_gaps(report: TreatmentReport, plan: ProcedurePlan) -> Iterator[NotReady]:
    """Yield what the record of a vial or an anaesthetic lacks of the least that every treatment records."""
    wanted = ["supplier", "storage_log"]
    if plan.injection is not None and plan.injection.dilutions:
        # The discard time is there, or follows from the in-use time: the vial gates see to that.
        wanted += ["reconstituted_at", "diluent", "diluent_volume"]
    missing = sorted({name for use in report.vials for name in wanted if getattr(use.vial, name) is None})
    if missing:
        yield NotReady(
            code="vial.record",
            sentence=f"The record of a vial lacks: {', '.join(missing)}.",
            next_step="Add them, or a deviation `vial.record` with the reason.",
        )
    if report.anaesthetic is not None and report.anaesthetic.lot is None:
        yield NotReady(
            code="anaesthetic.record",
            sentence="The record of the anaesthetic lacks its lot.",
            next_step="Add it, or a deviation `anaesthetic.record` with the reason.",
        )


def _point_differences(report: TreatmentReport) -> Iterator[NotReady]:
    given = {(dose.region, dose.side) for dose in report.doses if dose.points}
    # Each once, in the order of the map.
    elsewhere = dict.fromkeys(
        (point.region, point.side) for point in report.points if (point.region, point.side) not in given
    )
    if elsewhere:
        yield NotReady(
            code="point.differs",
            sentence="The map has an injected point in a region for which no injection is reported.",
            next_step="Correct the map or the doses, or record a deviation `point.differs` with the reason.",
            regions=tuple(RegionSide(region=region, side=side) for region, side in elsewhere),
        )


def _dose_differences(report: TreatmentReport, plan: ProcedurePlan) -> Iterator[NotReady]:
    if plan.injection is None:
        return
    yield from _point_differences(report)
    exact = not plan.injection.concentration.nominal
    # A concentration that does not terminate gives nominal units: then the exact volume is what is compared.
    planned = {(r.region, r.side): Fraction(r.units.value if exact else r.volume.value) for r in plan.injection.regions}
    given = {(dose.region, dose.side): Fraction(dose.units if exact else dose.volume) for dose in report.doses}
    over = [key for key, amount in given.items() if amount > planned.get(key, Fraction(0))]
    under = [key for key, amount in planned.items() if given.get(key, Fraction(0)) < amount]
    if over or (under and report.stopped_early is None):
        yield NotReady(
            code="dose.differs",
            sentence="What was given differs from the plan in at least one region.",
            next_step="Correct the figures, or record a deviation `dose.differs` with the reason.",
            regions=tuple(RegionSide(region=region, side=side) for region, side in sorted(over + under, key=str)),
        )
    if not exact:
        return
    concentration = Fraction(plan.injection.concentration.value)
    if any(Fraction(dose.units) != Fraction(dose.volume) * concentration for dose in report.doses):
        yield NotReady(
            code="dose.volume",
            sentence="Units and volume of a region do not fit the concentration of the plan.",
            next_step="Correct the figures, or record a deviation `dose.volume` with the reason.",
        )
    used = sum((Fraction(use.used) for use in report.vials), Fraction(0))
    if used != sum(given.values(), Fraction(0)):
        yield NotReady(
            code="dose.sum",
            sentence="The region totals do not add up to what was used from the vials.",
            next_step="Correct the figures, or record a deviation `dose.sum` with the reason.",
        )
