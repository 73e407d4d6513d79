"""Patients as the clinic knows them: who is whom, what is kept of them, holds, and records of the wrong patient.

Nothing here changes a record's bytes: a merge, a hold and a correction are records of their own, appended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ..clinical.keys import record_key
from ..contracts import (
    CorrectedRecord,
    Event,
    LegalHold,
    Model,
    PatientEntry,
    PatientList,
    PatientMerge,
    Problem,
    ProblemsError,
    RecordCorrection,
)
from ..contracts.canonical import record_digest
from ..storage import Unit
from ..storage.rows import PatientRow, RecordRow
from ..storage.traces import Traces
from ..validation.jsontext import read_json
from .desk import Desk

__all__ = [
    "ADMINISTRATIVE",
    "correct",
    "entry_of",
    "everything",
    "hold",
    "instant",
    "list_patients",
    "merge",
    "person",
    "reason",
    "release",
    "unmerge",
]

ADMINISTRATIVE = frozenset({"legal-hold", "patient-merge", "record-correction", "record-redaction"})
"""Kinds of record about the keeping of records; they do not lengthen the time that anything is kept."""

_NEVER_GIVEN = frozenset({"authorisation", "consent", "override"})
"""What was said for the person that it names: moved to somebody else's records it was never said for them."""

_BIRTH_DATES = Problem(
    code="patient.birth_dates_differ",
    sentence="The two patients have different birth dates in their records.",
    next_step="If they are one person all the same, say so with --despite patient.birth_dates_differ.",
)
_HOSTS = Problem(
    code="patient.hosts_differ",
    sentence="The two patients live in different host systems.",
    next_step="If they are one person all the same, say so with --despite patient.hosts_differ.",
)


def instant(desk: Desk, moment: int) -> str:
    """Return a moment of the database as contracts write it, on the clinic's clocks."""
    return datetime.fromtimestamp(moment, ZoneInfo(desk.clinic.zone)).isoformat()


def person(unit: Unit, patient: str, pointer: str = "") -> list[PatientRow]:
    """Return the rows of a person, the id in use first. Raises `ProblemsError` (`patient.unknown`)."""
    rows = [row for name in unit.patients.family(patient) if (row := unit.patients.get(name)) is not None]
    if not rows:
        raise ProblemsError(
            [
                Problem(
                    code="patient.unknown",
                    sentence="Nothing is kept of a patient with this id.",
                    pointer=pointer,
                    next_step="See the ids with: pore-plugin patient list",
                )
            ]
        )
    return rows


def entry_of(desk: Desk, rows: list[PatientRow]) -> PatientEntry:
    """Return what a list of patients says of a person, given by the rows of every id."""
    held = next((row.hold_why for row in rows if row.hold_why is not None), None)
    return PatientEntry(
        patient=rows[0].patient,
        merged=tuple(row.patient for row in rows[1:]),
        host=rows[0].host,
        first_at=instant(desk, min(row.first_at for row in rows)),
        last_at=instant(desk, max(row.last_at for row in rows)),
        hold=held,
    )


def list_patients(desk: Desk) -> PatientList:
    """Return every patient with records here, by the id in use."""
    with desk.use("patient.list") as unit:
        families: dict[str, list[PatientRow]] = {}
        for row in unit.patients.all():
            families.setdefault(row.merged_into or row.patient, []).append(row)
        for head, rows in families.items():
            rows.sort(key=lambda row: (row.patient != head, row.patient))
        unit.note(None, listed=len(families))
        entries = tuple(entry_of(desk, rows) for _, rows in sorted(families.items()))
    return PatientList(clinic=desk.clinic.id, generated_at=desk.instant(), patients=entries)


def everything(unit: Unit, family: Iterable[str]) -> list[RecordRow]:
    """Return every revision of every record of these ids, and of those that belong to them without naming anybody."""
    rows = unit.records.of_patient(family)
    seen = {(row.kind, row.id) for row in rows}
    parents = {row.id for row in rows}
    while parents:
        nameless = [
            row for row in unit.records.of_subject(parents) if row.patient is None and (row.kind, row.id) not in seen
        ]
        seen |= {(row.kind, row.id) for row in nameless}
        parents = {row.id for row in nameless}
        for row in nameless:
            rows += unit.records.revisions(row.kind, row.id)
    return rows


def reason(why: str, pointer: str = "/why", longest: int = 500) -> str:
    """Return a reason that can be kept. Raises `ProblemsError` (`reason.length`)."""
    said = why.strip()
    if not 1 <= len(said) <= longest:
        raise _problem(
            "reason.length", f"A reason has 1 to {longest} characters.", "Say in a sentence why it is done.", pointer
        )
    return said


def merge(desk: Desk, patient: str, into: str, why: str, *, despite: Iterable[str] = ()) -> PatientMerge:
    """Have one patient stand for another: whatever is looked up under either id is found from now on.

    Raises `ProblemsError`: `patient.unknown`, `patient.same`, and what speaks against it unless it stands in
    `despite`: `patient.birth_dates_differ`, `patient.hosts_differ`.
    """
    why = reason(why)
    with desk.use("patient.merge") as unit:
        left, right = person(unit, patient, "/patient"), person(unit, into, "/into")
        if left[0].patient == right[0].patient:
            raise _same()
        against = [_HOSTS] if left[0].host != right[0].host else []
        if len(_birth_dates(unit, [row.patient for row in (*left, *right)])) > 1:
            against.append(_BIRTH_DATES)
        overruled = set(despite)
        if any(one.code not in overruled for one in against):
            raise ProblemsError(one for one in against if one.code not in overruled)
        said = PatientMerge(
            id=record_key(desk.clinic.id, left[0].patient, f"merge.{right[0].patient}.{unit.now}"),
            clinic=desk.clinic.id,
            action="merge",
            patient=left[0].patient,
            into=right[0].patient,
            brought=tuple(row.patient for row in left[1:]),
            despite=tuple(one.code for one in against),
            why=why,
            by=desk.actor,
            at=desk.instant(),
        )
        unit.patients.merge(said.patient, said.into)
        _put(unit, "patient-merge", said, said.patient)
        _tell(desk, unit, "patient.merged", said.id, said.at, said.into)
    return said


def unmerge(desk: Desk, patient: str, why: str) -> PatientMerge:
    """Take a merge back: who was brought along then stands for itself as before it.

    Raises `ProblemsError`: `patient.unknown`, `patient.not_merged`.
    """
    why = reason(why)
    with desk.use("patient.unmerge") as unit:
        person(unit, patient)
        row = unit.patients.get(patient)
        if row is None or row.merged_into is None:
            raise _problem(
                "patient.not_merged", "This patient is not merged into another.", "Name the id that was merged away."
            )
        into, family = row.merged_into, unit.patients.family(patient)
        merges = [read_json(one.document) for one in unit.records.of_patient(family, "patient-merge")]
        last = next((one for one in reversed(merges) if one["action"] == "merge" and one["patient"] == patient), None)
        brought = tuple(name for name in (last or {}).get("brought", ()) if name in family)
        said = PatientMerge(
            id=record_key(desk.clinic.id, patient, f"unmerge.{into}.{unit.now}"),
            clinic=desk.clinic.id,
            action="unmerge",
            patient=patient,
            into=into,
            brought=brought,
            why=why,
            by=desk.actor,
            at=desk.instant(),
        )
        held = next((one.hold_why for one in person(unit, patient) if one.hold_why is not None), None)
        unit.patients.unmerge(patient)
        for name in brought:
            unit.patients.merge(name, patient)
        if held is not None:
            # It was put on both of them, as long as they were one.
            unit.patients.hold(patient, held, desk.actor)
        _put(unit, "patient-merge", said, patient)
        unit.note(into, unmerged=said.id)
        _tell(desk, unit, "patient.unmerged", said.id, said.at, patient)
    return said


def hold(desk: Desk, patient: str, why: str) -> LegalHold:
    """Put a legal hold on a person's records: nothing of them is erased while it stands."""
    return _hold(desk, patient, why, "hold")


def release(desk: Desk, patient: str, why: str) -> LegalHold:
    """Lift the legal hold on a person's records. Raises `ProblemsError` (`patient.not_held`) where there is none."""
    return _hold(desk, patient, why, "release")


def _hold(desk: Desk, patient: str, why: str, action: Literal["hold", "release"]) -> LegalHold:
    why = reason(why)
    with desk.use(f"patient.{action}") as unit:
        rows = person(unit, patient)
        if action == "release" and all(row.hold_why is None for row in rows):
            raise _problem("patient.not_held", "There is no legal hold on this patient's records.", "Check the id.")
        said = _held(desk, unit, rows[0].patient, why, action)
        if action == "hold":
            unit.patients.hold(said.patient, why, desk.actor)
        else:
            for row in rows:
                unit.patients.hold(row.patient, None, None)
    return said


def _held(desk: Desk, unit: Unit, patient: str, why: str, action: Literal["hold", "release"]) -> LegalHold:
    said = LegalHold(
        id=record_key(desk.clinic.id, patient, f"{action}.{unit.now}"),
        clinic=desk.clinic.id,
        action=action,
        patient=patient,
        why=why,
        by=desk.actor,
        at=desk.instant(),
    )
    _put(unit, "legal-hold", said, patient)
    return said


def _hold_too(desk: Desk, unit: Unit, patient: str) -> None:
    """Put a hold on whoever gets records that are under one, without saying whose it was."""
    said = _held(desk, unit, patient, "It came with records that were corrected.", "hold")
    unit.patients.hold(patient, said.why, desk.actor)


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
    `patient.same`.
    """
    why = reason(why)
    with desk.use("patient.correct") as unit:
        moved, wrong = _session(unit, record_id, only=only)
        right = _known(unit, to_patient, host, moved[0].at)
        if right in unit.patients.family(wrong):
            raise _same()
        treated = {row.subject for row in moved if row.kind == "treatment-record"}
        records = []
        for row in moved:
            stopped = row.kind == "procedure-plan" and row.id not in treated
            state = "entered-in-error" if row.kind in _NEVER_GIVEN or stopped else row.state
            if state != row.state:
                unit.records.set_state(row.kind, row.id, state)
            unit.records.reassign(row.kind, row.id, right)
            if row.kind == "treatment-record":
                unit.follow_ups.reassign(row.id, right)
                unit.lots.reassign(row.id, right)
            records.append(CorrectedRecord(kind=row.kind, id=row.id, digest=row.digest, state=state))
        _move_messages(unit, {row.id for row in moved}, wrong, right)
        there = person(unit, right)
        unit.patients.note(right, there[0].host, min(row.at for row in moved))
        if any(row.hold_why for row in person(unit, wrong)) and not any(row.hold_why for row in there):
            _hold_too(desk, unit, right)
        for patient in (wrong, right):
            unit.patients.settle(patient, ADMINISTRATIVE)
        here = _corrections(desk, unit, tuple(records), wrong, right, why)
    return here


def _session(unit: Unit, record_id: str, *, only: bool) -> tuple[list[RecordRow], str]:
    """Return the newest revisions of the records that hang together with one, oldest first, and their patient."""
    start = next(iter(unit.records.with_id(record_id)), None)
    if start is None or start.patient is None or start.kind in ADMINISTRATIVE:
        raise _problem(
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
        also = [*_authorised(unit, start.patient, moved), *_day_forms(unit, start.patient, moved)]
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


def _day_forms(unit: Unit, patient: str, found: list[RecordRow]) -> list[RecordRow]:
    """Return the answers of the day to these treatments: they belong to no record, and are told by form and day."""
    forms = {row.id: read_json(row.document).get("day_form") for row in found if row.kind == "procedure-plan"}
    treatments = [read_json(row.document) for row in found if row.kind == "treatment-record"]
    days = {(forms.get(one["plan"]["id"]), one["date"]) for one in treatments}
    inside = {(row.kind, row.id) for row in found}
    answers = {row.id: row for row in unit.records.of_patient([patient], "consultation")}
    said = [(row, read_json(row.document)) for row in answers.values() if (row.kind, row.id) not in inside]
    return [row for row, one in said if (one["form"]["id"], one["occurred_at"][:10]) in days]


def _known(unit: Unit, patient: str, host: str | None, at: int) -> str:
    """Return the id that a patient is known by, made known where a host is named."""
    if unit.patients.get(patient) is None:
        if host is None:
            raise _problem(
                "patient.unknown",
                "Nothing is kept of a patient with this id.",
                "Check the id; for somebody who is new here, name the host system with --host.",
                "/to",
            )
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
        _put(unit, "record-correction", one, one.patient)
        _tell(desk, unit, "record.corrected", one.id, one.at, one.patient)
    return here


def _put(unit: Unit, kind: str, said: Model, patient: str) -> None:
    record_id: str = said.id  # type: ignore[attr-defined]
    unit.records.put(kind, record_id, said.to_json(), record_digest(said), at=unit.now, patient=patient)


def _tell(desk: Desk, unit: Unit, kind: str, subject: str, at: str, patient: str) -> None:
    """Put an event into the outbox, under the patient whose erasure takes it away. It names the record alone."""
    key = record_key(desk.clinic.id, subject, f"event.{kind}.{at}")
    event = Event(id=key, type=kind, clinic=desk.clinic.id, subject=subject, at=at)
    desk.tell(unit, [event], patient=patient)


def _birth_dates(unit: Unit, patients: Iterable[str]) -> set[str]:
    documents = (read_json(row.document) for row in unit.records.of_patient(patients, "consultation"))
    return {one["patient"]["birth_date"] for one in documents}


def _same() -> ProblemsError:
    return _problem("patient.same", "Both ids are of the same patient.", "Check the ids.")


def _problem(code: str, sentence: str, next_step: str, pointer: str = "") -> ProblemsError:
    return ProblemsError([Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)])
