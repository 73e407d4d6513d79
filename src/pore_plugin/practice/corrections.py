"""Records that were kept under the wrong patient: found under the right one, with every byte as it was."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from ..clinical.durations import local_date
from ..clinical.keys import record_key
from ..contracts import CorrectedRecord, RecordCorrection, refusal
from ..storage import Unit
from ..storage.rows import RecordRow
from ..storage.traces import Traces
from ..validation.jsontext import read_json
from .cases import IN_ERROR
from .desk import Desk
from .patients import ADMINISTRATIVE, hold_too, person, put, reason, refuse_erased, same, tell

__all__ = ["correct"]

_NEVER_GIVEN = frozenset({"authorisation", "consent", "override"})
"""What was said for the person that it names: moved to somebody else's records it was never said for them."""


def correct(
    desk: Desk, record_id: str, to_patient: str, why: str, *, only: bool = False, host: str | None = None
) -> RecordCorrection:
    """Have a record that was kept under the wrong patient, with its whole session, found under the right one.

    The session is what hangs together: the consultation, what was planned and consented from it, the treatment and its
    follow-up. `only`: this record and what belongs to it, such as a treatment that was given to somebody else than the
    plan was made for. No bytes change. Consents, authorisations and overrides count as entered in error: they were
    given for the person that they name, and neither that person nor the right one agreed to this; a plan that nothing
    was done under is stopped likewise. `host` is needed for a patient of whom nothing is kept yet.
    A legal hold on the wrong patient goes along. Raises `ProblemsError`: `record.unknown`, `patient.unknown`,
    `patient.same`, `erasure.buried`.
    """
    why = reason(why)
    with desk.use("patient.correct") as unit:
        moved, wrong = _session(unit, record_id, ZoneInfo(desk.clinic.zone), only=only)
        right = _known(unit, to_patient, host, moved[0].at)
        if right in unit.patients.family(wrong):
            raise same()
        treated = {row.subject for row in moved if row.kind == "treatment-record"}
        records = []
        for row in moved:
            stopped = row.kind == "procedure-plan" and row.id not in treated
            state = IN_ERROR if row.kind in _NEVER_GIVEN or stopped else row.state
            if state != row.state:
                unit.records.set_state(row.kind, row.id, state)
            unit.records.reassign(row.kind, row.id, right)
            if row.kind == "treatment-record":
                unit.follow_ups.reassign(row.id, right)
                unit.lots.reassign(row.id, right)
            records.append(CorrectedRecord(kind=row.kind, id=row.id, digest=row.digest, state=state))
        steps = {step.key for row in moved for step in unit.follow_ups.of_treatment(row.id)}
        _move_messages(unit, steps | {row.id for row in moved}, wrong, right)
        there = person(unit, right)
        unit.patients.note(right, there[0].host, min(row.at for row in moved))
        if any(row.hold_why for row in person(unit, wrong)) and not any(row.hold_why for row in there):
            hold_too(desk, unit, right)
        for patient in (wrong, right):
            unit.patients.settle(patient, ADMINISTRATIVE)
        here = _corrections(desk, unit, tuple(records), wrong, right, why)
    return here


def _session(unit: Unit, record_id: str, clocks: ZoneInfo, *, only: bool) -> tuple[list[RecordRow], str]:
    """Return the newest revisions of the records that hang together with one, oldest first, and their patient."""
    start = next(iter(unit.records.with_id(record_id)), None)
    if start is None or start.patient is None or start.kind in ADMINISTRATIVE:
        raise refusal(
            "record.unknown", "No record of a patient is kept under this id.", "See the ids in the patient's export."
        )
    rows = {row.id: row for row in unit.records.of_patient([start.patient]) if row.kind not in ADMINISTRATIVE}
    root = start
    while not only and root.subject in rows:
        root = rows[root.subject]
    found: dict[tuple[str, str], RecordRow] = {(root.kind, root.id): root}
    parents = [root.id]
    while parents:
        below = [
            row
            for row in unit.records.of_subject(parents)
            if row.patient in (start.patient, None) and row.kind not in ADMINISTRATIVE
        ]
        parents = [row.id for row in below if (row.kind, row.id) not in found]
        found |= {(row.kind, row.id): row for row in below}
    if not only:
        moved = list(found.values())
        also = [*_authorised(unit, start.patient, moved), *_day_forms(unit, start.patient, moved, clocks)]
        found |= {(row.kind, row.id): row for row in also}
    return sorted(found.values(), key=lambda row: (row.at, row.recorded_at, row.kind, row.id)), start.patient


def _authorised(unit: Unit, patient: str, found: list[RecordRow]) -> list[RecordRow]:
    """Return the authorisations that only these treatments were given under."""
    inside = {row.id for row in found}
    used: dict[str, bool] = {}
    for row in unit.records.of_patient([patient], "treatment-record"):
        name = read_json(row.document).get("authorisation")
        if name is not None:
            used[name] = used.get(name, True) and row.id in inside
    wanted = [name for name, alone in used.items() if alone]
    return list(unit.records.find("authorisation", wanted).values())


def _day_forms(unit: Unit, patient: str, found: list[RecordRow], clocks: ZoneInfo) -> list[RecordRow]:
    """Return the answers of the day to these treatments: they belong to no record, and are told by form and day.

    The day is the clinic's: the answers may have come with another offset.
    """
    forms = {row.id: read_json(row.document).get("day_form") for row in found if row.kind == "procedure-plan"}
    treatments = [read_json(row.document) for row in found if row.kind == "treatment-record"]
    days = {(forms.get(one["plan"]["id"]), one["date"]) for one in treatments}
    inside = {(row.kind, row.id) for row in found}
    answers = {row.id: row for row in unit.records.of_patient([patient], "consultation")}
    said = [(row, read_json(row.document)) for row in answers.values() if (row.kind, row.id) not in inside]
    return [row for row, one in said if (one["form"]["id"], local_date(one["occurred_at"], clocks).isoformat()) in days]


def _known(unit: Unit, patient: str, host: str | None, at: int) -> str:
    """Return the id that a patient is known by, made known where a host is named."""
    if unit.patients.get(patient) is None:
        if host is None:
            raise refusal(
                "patient.unknown",
                "Nothing is kept of a patient with this id.",
                "Check the id; for somebody who is new here, name the host system with --host.",
                "/to",
            )
        refuse_erased(unit, patient, at)
        unit.patients.note(patient, host, at)
    return unit.patients.head(patient)


def _move_messages(unit: Unit, ids: set[str], wrong: str, right: str) -> None:
    """Take along what is to be told: what still waits would go to the wrong person, and is called off."""
    traces = Traces(unit)
    for message in traces.move_messages(ids, wrong, right):
        if message.state == "pending":
            unit.outbox.set_state(message.seq, "cancelled")
    traces.move_results(ids, wrong, right)


def _corrections(
    desk: Desk, unit: Unit, records: tuple[CorrectedRecord, ...], wrong: str, right: str, why: str
) -> RecordCorrection:
    """Append the correction to both patients' records; only the right one's says whose they were."""
    correction = record_key(desk.clinic.id, records[0].id, f"correction.{right}.{unit.now}")
    clinic, by, at = desk.clinic.id, desk.actor, desk.instant()
    here = RecordCorrection(
        id=f"{correction}.here",
        clinic=clinic,
        patient=right,
        correction=correction,
        direction="here",
        recorded_as=wrong,
        records=records,
        why=why,
        by=by,
        at=at,
    )
    away = RecordCorrection(
        id=f"{correction}.away",
        clinic=clinic,
        patient=wrong,
        correction=correction,
        direction="away",
        count=len(records),
        why=why,
        by=by,
        at=at,
    )
    for one in (here, away):
        put(unit, "record-correction", one, one.patient)
        tell(desk, unit, "record.corrected", one.id, one.at, one.patient)
    return here
