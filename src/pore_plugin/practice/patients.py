"""Patients as the clinic knows them: who is whom, what is kept of them, and legal holds.

Nothing here changes a record's bytes: a merge and a hold are records of their own, appended.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from ..clinical.keys import record_key
from ..contracts import (
    Event,
    LegalHold,
    Model,
    PatientEntry,
    PatientList,
    PatientMerge,
    Problem,
    ProblemsError,
    refusal,
)
from ..contracts.canonical import record_digest
from ..storage import Unit
from ..storage.rows import PatientRow, RecordRow
from ..validation.jsontext import read_json
from .desk import Desk

__all__ = [
    "ADMINISTRATIVE",
    "entry_of",
    "everything",
    "hold",
    "hold_too",
    "instant",
    "kept_for",
    "list_patients",
    "merge",
    "person",
    "put",
    "reason",
    "refuse_erased",
    "release",
    "same",
    "tell",
    "unmerge",
]

ADMINISTRATIVE = frozenset({"legal-hold", "patient-merge", "record-correction", "record-redaction"})
"""Kinds of record about the keeping of records; they do not lengthen the time that anything is kept."""

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


def refuse_erased(unit: Unit, patient: str, at: int) -> None:
    """Raise `ProblemsError` (`erasure.buried`) for what happened up to the erasure of a patient id."""
    stone = unit.patients.tombstone(patient)
    if stone is not None and at <= stone.at:
        raise refusal(
            "erasure.buried",
            "This patient was erased, and this happened before.",
            "What was erased is not kept again; somebody who comes back gets new records.",
            "/patient",
        )


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


def kept_for(unit: Unit, named: str, *records: str) -> str:
    """Return whom these records are kept for, where a document names `named`: after a correction, the right patient.

    `records` are ids, such as a record's own and that of what it belongs to: a session goes on where it was moved to,
    and its documents still name whom they always named.
    """
    moved = [
        read_json(row.document) for row in unit.records.of_patient(unit.patients.family(named), "record-correction")
    ]
    for one in reversed(moved):
        here = (
            unit.records.latest("record-correction", f"{one['correction']}.here")
            if one["direction"] == "away"
            else None
        )
        if here is None or here.patient is None:
            continue
        listed = {record["id"] for record in read_json(here.document)["records"]}
        right = unit.patients.family(here.patient)
        later = (row for record in records if record not in listed for row in unit.records.with_id(record))
        if listed.intersection(records) or any(row.patient in right for row in later):
            return right[0]
    return named


def reason(why: str, pointer: str = "/why", longest: int = 500) -> str:
    """Return a reason that can be kept. Raises `ProblemsError` (`reason.length`)."""
    said = why.strip()
    if not 1 <= len(said) <= longest:
        raise refusal(
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
            raise same()
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
        put(unit, "patient-merge", said, said.patient)
        tell(desk, unit, "patient.merged", said.id, said.at, said.into)
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
            raise refusal(
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
        put(unit, "patient-merge", said, patient)
        unit.note(into, unmerged=said.id)
        tell(desk, unit, "patient.unmerged", said.id, said.at, patient)
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
            raise refusal("patient.not_held", "There is no legal hold on this patient's records.", "Check the id.")
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
    put(unit, "legal-hold", said, patient)
    return said


def hold_too(desk: Desk, unit: Unit, patient: str) -> None:
    """Put a hold on whoever gets records that are under one, without saying whose it was."""
    said = _held(desk, unit, patient, "It came with records that were corrected.", "hold")
    unit.patients.hold(patient, said.why, desk.actor)


def put(unit: Unit, kind: str, said: Model, patient: str) -> None:
    """Append a record about the keeping of a patient's records."""
    record_id: str = said.id  # type: ignore[attr-defined]
    unit.records.put(kind, record_id, said.to_json(), record_digest(said), at=unit.now, patient=patient)


def tell(desk: Desk, unit: Unit, kind: str, subject: str, at: str, patient: str) -> None:
    """Put an event into the outbox, under the patient whose erasure takes it away. It names the record alone."""
    key = record_key(desk.clinic.id, subject, f"event.{kind}.{at}")
    event = Event(id=key, type=kind, clinic=desk.clinic.id, subject=subject, at=at)
    desk.tell(unit, [event], patient=patient)


def _birth_dates(unit: Unit, patients: Iterable[str]) -> set[str]:
    documents = (read_json(row.document) for row in unit.records.of_patient(patients, "consultation"))
    return {one["patient"]["birth_date"] for one in documents}


def same() -> ProblemsError:
    """Return the error for two ids of one person where two people are needed."""
    return refusal("patient.same", "Both ids are of the same patient.", "Check the ids.")
