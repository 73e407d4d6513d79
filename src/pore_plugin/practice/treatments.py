"""Keeping a treatment: the record, the lots that it used, what it amends, and the plan that it ends."""

from __future__ import annotations

from ..clinical.treatment.lots import lot_key, near_keys
from ..contracts import TreatmentRecord, TreatmentRequest, TreatmentResult, refusal
from ..storage.rows import LotUse
from .keeping import Keeping, differs, moment, read, series_of
from .patients import kept_for

__all__ = ["keep_treatment", "kept_before"]


def kept_before(keeping: Keeping, request: TreatmentRequest) -> TreatmentResult | None:
    """Return the result of the same report where it is kept, or nothing.

    Raises `ProblemsError` for another report under its id, and for an amendment of what is not this patient's.
    """
    report = request.report
    row = keeping.unit.records.latest("treatment-record", report.id)
    if row is not None:
        kept = read(TreatmentRecord, row)
        if kept.report.to_document() != report.to_document() or kept.plan != keeping.desk.workflow.record_pin(
            request.case.plan
        ):
            raise differs("treatment-record", "/report")
        at, plan = report.ended_at, kept.plan.id
        kinds = ["treatment.recorded", *(["deviation.recorded"] if report.deviations else [])]
        return TreatmentResult(treatment=kept, events=tuple(keeping.event(kind, kept.id, at, plan) for kind in kinds))
    if report.amends is not None:
        first = keeping.unit.records.latest("treatment-record", report.amends)
        family = keeping.unit.patients.family(kept_for(keeping.unit, request.case.plan.patient, request.case.plan.id))
        if first is None or first.patient not in family:
            raise refusal(
                "treatment.unknown",
                "The treatment that this amends is not kept here, or is another patient's.",
                "Name the first record of the treatment; one that was made without a database is recorded first.",
                "/report/amends",
            )
        if read(TreatmentRecord, first).report.amends is not None:
            raise refusal(
                "treatment.amends_amendment",
                "The record that this amends is an amendment itself.",
                "Name the first record of the treatment: every amendment amends that one.",
                "/report/amends",
            )
    return None


def keep_treatment(keeping: Keeping, treatment: TreatmentRecord) -> None:
    """Keep a treatment record, and its lots in place of those of the records that it amends."""
    unit = keeping.unit
    first = series_of(treatment)
    whose = kept_for(unit, treatment.patient, treatment.id, treatment.plan.id)
    if not keeping.keep(treatment):
        return
    if treatment.report.amends is not None:
        amendments = (
            row.id
            for row in unit.records.of_patient(unit.patients.family(whose), "treatment-record")
            if row.id != treatment.id and read(TreatmentRecord, row).report.amends == first
        )
        for earlier in (first, *amendments):
            unit.records.set_state("treatment-record", earlier, "amended")
    uses: dict[str, dict[str, LotUse]] = {}
    for use in treatment.report.vials:
        vial, key = use.vial, lot_key(use.vial.lot)
        unit.lots.note(vial.lot, key, near_keys(key))
        uses.setdefault(key, {})[vial.id] = LotUse(
            lot=vial.lot,
            treatment=first,
            vial=vial.id,
            patient=whose,
            product=vial.product,
            expiry=vial.expiry,
            at=moment(treatment.report.started_at),
        )
    unit.lots.used(first, {key: found.values() for key, found in uses.items()})
    if unit.records.latest("procedure-plan", treatment.plan.id) is not None:
        unit.records.set_state("procedure-plan", treatment.plan.id, "completed")
