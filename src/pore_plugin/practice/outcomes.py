"""The outcomes of a patient, treatment by treatment, from everything that is kept of the person."""

from __future__ import annotations

from ..clinical.follow_up.reporting import FollowedTreatment, outcome_report
from ..contracts import (
    FollowUpPlan,
    FollowUpResponse,
    Instrument,
    Outcome,
    OutcomeReport,
    RecordPin,
)
from ..storage import Unit
from ..workflow.messages import messages
from .cases import treatments_of
from .desk import Desk
from .keeping import read, series_of
from .patients import person
from .tracing import ERROR

__all__ = ["outcomes"]


def outcomes(desk: Desk, patient: str) -> OutcomeReport:
    """Return the trend on each instrument against the baseline before each treatment, under any id of the person.

    An instrument is called as it was when it was measured. Raises `ProblemsError`: `patient.unknown`, also of somebody
    who was erased, and `outcome.not_comparable`.
    """
    with desk.use("outcomes.read") as unit:
        person(unit, patient)
        family = unit.patients.family(patient)
        newest = {row.id: row for row in unit.records.of_patient(family, "outcome")}
        measured = [read(Outcome, row) for row in newest.values() if row.state != ERROR]
        return outcome_report(
            measured,
            _treatments(unit, patient),
            _instruments(desk, unit, measured),
            clinic=desk.clinic.id,
            patient=family[0],
            at=desk.instant(),
            zone=desk.clinic.zone,
            messages=messages(desk.lookups.catalogue),
        )


def _treatments(unit: Unit, patient: str) -> list[FollowedTreatment]:
    treatments = {series_of(one): one for one in treatments_of(unit, patient)}
    rows = [row for row in unit.records.of_subject(treatments, "follow-up-plan") if row.state != ERROR]
    plans = {row.subject: read(FollowUpPlan, row) for row in rows}
    visited = _visits(unit, list(plans.values()))
    return [
        FollowedTreatment(
            id=first,
            started_at=one.report.started_at,
            plan=plans.get(first),
            visited=visited.get(plans[first].id) if first in plans else None,
        )
        for first, one in treatments.items()
    ]


def _visits(unit: Unit, plans: list[FollowUpPlan]) -> dict[str, str]:
    """Return when the primary outcome visit of each plan took place, where its answers were accepted."""
    primary = {plan.id: {step.step for step in plan.steps if step.primary_outcome} for plan in plans}
    found: dict[str, str] = {}
    for row in unit.records.of_subject(primary, "follow-up-response"):
        response = read(FollowUpResponse, row)
        about: RecordPin = response.follow_up_plan
        if row.state == "completed" and response.step in primary.get(about.id, ()):
            found[about.id] = response.occurred_at
    return found


def _instruments(desk: Desk, unit: Unit, measured: list[Outcome]) -> list[Instrument]:
    """Return the instruments that were measured with, in the versions that were kept with the values."""
    known = {
        (entry.model.id, entry.model.version): entry.model
        for entry in desk.lookups.catalogue.entries
        if isinstance(entry.model, Instrument)
    }
    for name in {(one.instrument, one.instrument_version) for one in measured} - set(known):
        kept = unit.content.get(*name)
        if kept is not None and kept.type == "instrument":
            known[name] = Instrument.from_json(kept.canonical)
    return list(known.values())
