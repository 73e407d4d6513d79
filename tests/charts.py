"""Whole charts in a database: the sample case of one patient or several, put there as records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from factories import CANARY, Made, case_input, changed, clinic, doc, make, with_canaries
from pore_plugin.contracts import FollowUpRequest, Model, TreatmentRequest
from pore_plugin.contracts.canonical import record_digest
from pore_plugin.demo import run_case
from pore_plugin.practice import Desk, Records
from pore_plugin.storage import Database, Unit
from pore_plugin.storage.rows import LotUse, StepRow

ADMIN = "admin-placeholder"
FIRST, SECOND = "patient-1", "patient-2"
THEN = datetime(2026, 9, 10, 15, 0, tzinfo=UTC)
"""The day of the sample treatment."""
LATER = datetime(2035, 1, 10, 9, 0, tzinfo=UTC)
"""After the sample clinic's retention period."""


def desk_at(database: Database, moment: datetime = THEN, **clinic_members: Any) -> Desk:
    """Return the administrator's desk in the sample clinic at a moment."""
    settings = clinic(**clinic_members) if clinic_members else clinic()
    return Desk(database, settings, actor=ADMIN, clock=lambda: moment, installed=False, environ={})


def walked(database: Database, name: str = "1-treated") -> Records:
    """Walk a sample case on the records of a database, as a host does it, and return them."""
    records = Records(desk_at(database, THEN + timedelta(days=10)))
    run_case(records, case_input(name), "en")
    return records


def seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


@cache
def sample_case(canaries: bool = False) -> tuple[Made, tuple[tuple[str, Model, str | None, str], ...]]:
    """Return a case and its records: kind, record, what it belongs to, when it happened."""
    case = with_canaries() if canaries else make()
    treatment = case.flow.treat(TreatmentRequest(case=case.case, report=case.report)).treatment
    follow_up = case.flow.follow_up(FollowUpRequest(treatment=treatment)).follow_up_plan
    paper, consultation, plan = case.case, case.consultation, case.plan
    assert paper.day_form is not None
    records = [
        ("consultation", consultation, None, consultation.occurred_at),
        ("assessment", case.planned.assessment, consultation.id, plan.created_at),
        ("procedure-plan", plan, consultation.id, plan.created_at),
        *(("consent", consent, plan.id, consent.given_at) for consent in paper.consents),
        *(("authorisation", one, None, one.issued_at) for one in paper.authorisations),
        ("consultation", paper.day_form, None, paper.day_form.occurred_at),
        ("treatment-record", treatment, plan.id, treatment.report.started_at),
        ("follow-up-plan", follow_up, treatment.id, follow_up.anchor),
    ]
    return case, tuple(records)


def put_chart(
    unit: Unit, patient: str = FIRST, *, suffix: str = "", canaries: bool = False, used_for: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Keep the sample case as this patient's and return the ids by kind; `suffix` makes other ids of them."""
    _, records = sample_case(canaries)
    ids: dict[str, list[str]] = {}
    named = {record.id: f"{record.id}{suffix}" for _, record, _, _ in records}  # type: ignore[attr-defined]
    unit.patients.note(patient, "sample-host", seconds(records[0][3]))
    for kind, record, subject, at in records:
        document = _renamed(doc(record), named, patient)
        if kind == "treatment-record" and used_for:
            document["report"]["vials"][0]["vial"]["used_for"] = list(used_for)
        mine = changed(record, **document)
        ids.setdefault(kind, []).append(mine.id)  # type: ignore[attr-defined]
        unit.records.put(
            kind,
            mine.id,  # type: ignore[attr-defined]
            mine.to_json(),
            record_digest(mine),
            at=seconds(at),
            patient=patient,
            subject=None if subject is None else named[subject],
        )
        unit.patients.note(patient, "sample-host", seconds(at))
        if kind == "treatment-record":
            _use_lot(unit, mine, patient)
        if kind == "follow-up-plan":
            _plan_steps(unit, mine, patient, suffix)
    unit.outbox.add(f"event{suffix}", "treatment.recorded", ids["treatment-record"][0], b"{}", at=1, patient=patient)
    unit.idempotency.put(f"key{suffix}", "sha256:0", b'{"patient":"%b"}' % patient.encode(), patient=patient)
    return ids


def _use_lot(unit: Unit, treatment: Any, patient: str) -> None:
    lot = treatment.report.vials[0].vial
    unit.lots.note(lot.lot, "SAMPLEL0T7", ["SAMPLEL0T"])
    use = LotUse(lot.lot, treatment.id, lot.id, patient, lot.product, lot.expiry, seconds(treatment.report.started_at))
    unit.lots.used(treatment.id, {"SAMPLEL0T7": [use]})


def _plan_steps(unit: Unit, plan: Any, patient: str, suffix: str) -> None:
    unit.follow_ups.plan(
        StepRow(
            f"{one.key}{suffix}"[-64:],
            plan.id,
            plan.treatment.id,
            patient,
            one.step,
            one.state,
            seconds(one.due),
            None,
            None,
            unit.now,
        )
        for one in plan.steps
    )
    for one in plan.steps[:1]:
        unit.follow_ups.move(f"{one.key}{suffix}"[-64:], "done", "move-1")


def _renamed(value: Any, named: dict[str, str], patient: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, named, patient) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, named, patient) for item in value]
    if value == "patient-1":
        return patient
    return named.get(value, value) if isinstance(value, str) else value


__all__ = [
    "ADMIN",
    "CANARY",
    "FIRST",
    "LATER",
    "SECOND",
    "THEN",
    "desk_at",
    "put_chart",
    "sample_case",
    "seconds",
    "walked",
]
