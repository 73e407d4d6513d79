"""Patients with records here: who is whom after a merge, legal holds, and what was erased."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, update

from . import tables
from .chunks import parts
from .rows import PatientRow, Tombstone

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Patients"]

_T = tables.patient.c
_COLUMNS = (_T.patient, _T.host, _T.first_at, _T.last_at, _T.merged_into, _T.hold_why, _T.hold_by, _T.hold_at)


class Patients:
    """The patients of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def note(self, patient: str, host: str, at: int) -> None:
        """Say that something of this patient is kept, which happened at this moment."""
        known = self.get(patient)
        if known is None:
            values = {"patient": patient, "host": host, "first_at": at, "last_at": at}
            self._unit.execute(insert(tables.patient).values(clinic=self._unit.clinic, **values))
        elif not known.first_at <= at <= known.last_at:
            self._set(patient, first_at=min(at, known.first_at), last_at=max(at, known.last_at))

    def get(self, patient: str) -> PatientRow | None:
        """Return a patient's row, or nothing."""
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, _T.patient == patient)
        row = self._unit.execute(statement).first()
        return PatientRow(*row) if row else None

    def family(self, patient: str) -> tuple[str, ...]:
        """Return every id that stands for this person: the one that remained first, then those merged into it."""
        head = self.head(patient)
        return self.families([head])[head]

    def heads(self, patients: Iterable[str]) -> dict[str, str]:
        """Return for each of these ids the one that the person is known by now."""
        found: dict[str, str] = {}
        for part in parts(patients):
            found |= {patient: patient for patient in part}
            where = (_T.clinic == self._unit.clinic, _T.patient.in_(part))
            rows = self._unit.execute(select(_T.patient, _T.merged_into).where(*where))
            found |= {str(patient): str(head) for patient, head in rows if head is not None}
        return found

    def families(self, heads: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return every id of each of these persons, given by the ids that they are known by now."""
        found: dict[str, tuple[str, ...]] = {}
        for part in parts(heads):
            found |= {head: (head,) for head in part}
            where = (_T.clinic == self._unit.clinic, _T.merged_into.in_(part))
            # Sorted here: asked for the order, SQLite would go through every patient in it.
            for head, patient in sorted(self._unit.execute(select(_T.merged_into, _T.patient).where(*where)).all()):
                found[str(head)] = (*found[str(head)], str(patient))
        return found

    def head(self, patient: str) -> str:
        """Return the id that a patient is known by now."""
        row = self.get(patient)
        return patient if row is None or row.merged_into is None else row.merged_into

    def merge(self, patient: str, into: str) -> None:
        """Have one patient, and whoever was merged into it, stand for another. Their records keep their bytes."""
        where = or_(_T.patient == patient, _T.merged_into == patient)
        self._unit.execute(update(tables.patient).where(_T.clinic == self._unit.clinic, where).values(merged_into=into))

    def unmerge(self, patient: str) -> None:
        """Take a merge back."""
        self._set(patient, merged_into=None)

    def hold(self, patient: str, why: str | None, by: str | None) -> None:
        """Put a legal hold on a patient's records, or lift it where no reason is given."""
        self._set(patient, hold_why=why, hold_by=by, hold_at=None if why is None else self._unit.now)

    def last_before(self, moment: int) -> list[PatientRow]:
        """Return the patients of whom nothing has happened since this moment, the longest ago first."""
        statement = (
            select(*_COLUMNS)
            .where(_T.clinic == self._unit.clinic, _T.last_at < moment)
            .order_by(_T.last_at, _T.patient)
        )
        return [PatientRow(*row) for row in self._unit.execute(statement)]

    def all(self) -> list[PatientRow]:
        """Return every patient."""
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic).order_by(_T.patient)
        return [PatientRow(*row) for row in self._unit.execute(statement)]

    def forget(self, patients: Iterable[str]) -> dict[str, int]:
        """Delete everything that is kept of these ids but the tombstone and the chain of the audit.

        Returns how many rows went, by table.
        """
        wanted = list(patients)
        gone: dict[str, int] = {}
        mine = self._unit.clinic
        records = select(tables.record.c.kind, tables.record.c.id).where(
            tables.record.c.clinic == mine, tables.record.c.patient.in_(wanted)
        )
        for kind, record_id in self._unit.execute(records.distinct()).all():
            pins = tables.pin.c
            held = (pins.clinic == mine, pins.kind == kind, pins.id == record_id)
            gone["pin"] = gone.get("pin", 0) + self._unit.execute(delete(tables.pin).where(*held)).rowcount
        steps = select(tables.step.c.key).where(tables.step.c.clinic == mine, tables.step.c.patient.in_(wanted))
        moves = tables.step_move.c
        gone["step_move"] = self._unit.execute(
            delete(tables.step_move).where(moves.clinic == mine, moves.key.in_(steps))
        ).rowcount
        for table in (
            tables.step,
            tables.lot_use,
            tables.record,
            tables.outbox,
            tables.idempotency,
            tables.patient,
        ):
            where = (table.c.clinic == mine, table.c.patient.in_(wanted))
            gone[table.name] = self._unit.execute(delete(table).where(*where)).rowcount
        audit = tables.audit.c
        gone["audit"] = self._unit.execute(
            update(tables.audit)
            .where(audit.clinic == mine, audit.patient.in_(wanted))
            .values(patient=None, details=None, salt=None)
        ).rowcount
        return {name: number for name, number in gone.items() if number}

    def bury(self, patient: str, reason: str, document: bytes) -> Tombstone:
        """Leave a tombstone for a patient id; the last erasure of an id is the one that it tells of."""
        stone = Tombstone(self.hash_of(patient), self._unit.now, self._unit.actor, reason, document)
        self.set_tombstones([stone])
        return stone

    def set_tombstones(self, stones: Iterable[Tombstone]) -> int:
        """Keep tombstones, such as those of another copy of this clinic; return how many say something new."""
        t, count = tables.tombstone, 0
        for stone in stones:
            before = self._tombstone(stone.patient_hash)
            if before is not None and before.at > stone.at:
                continue
            values = {name: getattr(stone, name) for name in Tombstone.__slots__}
            if before is None:
                self._unit.execute(insert(t).values(clinic=self._unit.clinic, **values))
            else:
                where = (t.c.clinic == self._unit.clinic, t.c.patient_hash == stone.patient_hash)
                self._unit.execute(update(t).where(*where).values(**values))
            count += before is None or before.at < stone.at
        return count

    def tombstones(self) -> list[Tombstone]:
        """Return every tombstone, the oldest first."""
        t = tables.tombstone.c
        statement = (
            select(t.patient_hash, t.at, t.by, t.reason, t.document)
            .where(t.clinic == self._unit.clinic)
            .order_by(t.at, t.patient_hash)
        )
        return [Tombstone(*row) for row in self._unit.execute(statement)]

    def tombstone(self, patient: str) -> Tombstone | None:
        """Return the tombstone of a patient id, or nothing."""
        return self._tombstone(self.hash_of(patient))

    def buried(self) -> list[str]:
        """Return the ids that are kept although they have a tombstone: those that a restore brought back.

        Somebody of whom everything was recorded after the erasure has come back as a patient, and is not among them.
        """
        erased = {stone.patient_hash: stone.at for stone in self.tombstones()}
        if not erased:
            return []
        r = tables.record.c
        oldest = select(r.patient, func.min(r.recorded_at)).where(r.clinic == self._unit.clinic).group_by(r.patient)
        first = dict(self._unit.execute(oldest).all())
        found = []
        for row in self.all():
            at = erased.get(self.hash_of(row.patient))
            if at is not None and first.get(row.patient, row.first_at) <= at:
                found.append(row.patient)
        return found

    def settle(self, patient: str, besides: Iterable[str] = ()) -> None:
        """Work out anew when the first and the last record of a patient happened, leaving these kinds out."""
        r = tables.record.c
        where = (r.clinic == self._unit.clinic, r.patient == patient, r.kind.not_in(list(besides)))
        first, last = self._unit.execute(select(func.min(r.at), func.max(r.at)).where(*where)).one()
        if first is not None:
            self._set(patient, first_at=first, last_at=last)

    def hash_of(self, patient: str) -> bytes:
        """Return the keyed hash of a patient's id; the key never leaves the database and its backups."""
        return hmac.digest(self._unit.salt, patient.encode(), "sha256")

    def _tombstone(self, patient_hash: bytes) -> Tombstone | None:
        t = tables.tombstone.c
        where = (t.clinic == self._unit.clinic, t.patient_hash == patient_hash)
        row = self._unit.execute(select(t.patient_hash, t.at, t.by, t.reason, t.document).where(*where)).first()
        return Tombstone(*row) if row else None

    def _set(self, patient: str, **values: object) -> None:
        where = (_T.clinic == self._unit.clinic, _T.patient == patient)
        self._unit.execute(update(tables.patient).where(*where).values(**values))
