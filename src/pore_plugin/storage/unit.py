"""One transaction of one clinic: everything that can be kept, and the audit of what was read and written in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, insert, select, update

from . import tables
from .audit import GENESIS, Audit
from .contents import Contents
from .follow_ups import FollowUps
from .lots import Lots
from .outbox import Idempotency, Outbox
from .patients import Patients
from .records import Records
from .rows import RecordRow
from .sealing import Key

__all__ = ["Unit"]

_T = tables.clinic.c


class Unit:
    """What a use case works on between the begin and the commit of its transaction.

    Made by `Database.writing`, which calls `finish` before it commits: whatever was read or written of a patient's
    records is in the audit then, one entry for each patient.
    """

    def __init__(self, connection: Connection, clinic: str, *, actor: str, action: str, now: int) -> None:
        """Lock the clinic's row, and make it when this is the clinic's first transaction."""
        self.connection = connection
        self.clinic = clinic
        self.actor = actor
        self.action = action
        self.now = now
        self.records = Records(self)
        self.patients = Patients(self)
        self.follow_ups = FollowUps(self)
        self.lots = Lots(self)
        self.content = Contents(self)
        self.outbox = Outbox(self)
        self.idempotency = Idempotency(self)
        self.audit = Audit(self)
        self._touched: dict[str | None, dict[tuple[str, str, str], None]] = {}
        self._seals: dict[Key, tuple[str | None, str]] = {}
        self._notes: list[tuple[str | None, object]] = []
        self._numbers: dict[str, int] = {}
        self._state = self._locked() or self._begun()

    @property
    def salt(self) -> bytes:
        """The key of the hashes that stand for patients who were erased."""
        return bytes(self._state["salt"])

    @property
    def paused(self) -> str | None:
        """Why nothing may be delivered for this clinic now, or nothing."""
        why: str | None = self._state["paused_why"]
        return why

    @property
    def paused_at(self) -> int | None:
        """Since when the clinic is paused."""
        moment: int | None = self._state["paused_at"]
        return moment

    @property
    def audit_head(self) -> tuple[int, bytes]:
        """Number and hash of the last entry of the audit."""
        return self._state["audit_seq"], bytes(self._state["audit_head"])

    def execute(
        self, statement: Executable, rows: list[dict[str, Any]] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Run a statement; for the parts of this room."""
        return self.connection.execute(statement, rows)

    def touched(self, mode: str, patient: str | None, kind: str, record_id: str) -> None:
        """Note that a record was read or written; for the parts of this room and for what reads around them."""
        self._touched.setdefault(patient, {})[mode, kind, record_id] = None

    def wrote(self, row: RecordRow) -> None:
        """Note that a record was written, with its seal; for the parts of this room."""
        self.touched("write", row.patient, row.kind, row.id)
        self._seals[row.kind, row.id, row.revision] = (row.patient, row.sealed)

    def sealed(self) -> set[Key]:
        """Return the records that this transaction wrote."""
        return set(self._seals)

    def note(self, patient: str | None, **said: object) -> None:
        """Have the audit say more than which records: words and ids, never what a record holds."""
        self._notes.append((patient, said))

    def pause(self, why: str | None) -> None:
        """Pause whatever is delivered for this clinic, or go on where no reason is given."""
        self._set(paused_at=None if why is None else self.now, paused_why=why)

    def last_number(self, counter: str) -> int:
        """Return the last number that a counter of the clinic gave."""
        return int(self._state[counter])

    def next_number(self, counter: str) -> int:
        """Return the next number of a counter of the clinic."""
        number = self.last_number(counter) + 1
        self._state[counter] = self._numbers[counter] = number
        return number

    def set_audit_head(self, seq: int, head: bytes) -> None:
        """Say where the chain ends now; for the audit."""
        self._set(audit_seq=seq, audit_head=head)

    def forget_touched(self, patients: tuple[str, ...]) -> None:
        """Drop what was noted about patients who were erased in this very transaction."""
        for patient in patients:
            self._touched.pop(patient, None)
        self._notes = [note for note in self._notes if note[0] not in patients]
        self._seals = {key: seal for key, seal in self._seals.items() if seal[0] not in patients}

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the transaction: what it wrote is undone when it raises, and the rest goes on.

        What it read stays in the audit, and so does what it tried to write: both were looked at.
        """
        state, numbers, notes = dict(self._state), dict(self._numbers), list(self._notes)
        seals = dict(self._seals)
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self._state, self._numbers, self._notes, self._seals = state, numbers, notes, seals
            raise

    def finish(self) -> None:
        """Write the audit and the counters; the last thing before the commit."""
        written: dict[tuple[str | None, str, str], list[list[object]]] = {}
        for (kind, record_id, revision), (patient, sealed) in sorted(self._seals.items()):
            written.setdefault((patient, kind, record_id), []).append(["write", kind, record_id, revision, sealed])
        entries: list[tuple[str | None, object]] = []
        for patient, records in sorted(self._touched.items(), key=lambda item: item[0] or ""):
            said: list[list[object]] = []
            for mode, kind, record_id in sorted(records):
                sealed_now = written.get((patient, kind, record_id)) if mode == "write" else None
                said += sealed_now or [[mode, kind, record_id]]
            entries.append((patient, said))
        self.audit.append(self.action, [*entries, *self._notes])
        self._touched, self._notes, self._seals = {}, [], {}
        if self._numbers:
            self._set(**self._numbers)
            self._numbers = {}

    def _set(self, **values: Any) -> None:
        self._state |= values
        self.execute(update(tables.clinic).where(_T.clinic == self.clinic).values(**values))

    def _locked(self) -> dict[str, Any] | None:
        statement = select(tables.clinic).where(_T.clinic == self.clinic).with_for_update()
        row = self.execute(statement).mappings().first()
        return dict(row) if row else None

    def _begun(self) -> dict[str, Any]:
        values = {
            "clinic": self.clinic,
            "since": self.now,
            "salt": secrets.token_bytes(32),
            "audit_seq": 0,
            "audit_head": GENESIS,
            "outbox_seq": 0,
            "content_seq": 0,
        }
        if self.connection.dialect.name == "postgresql":
            # Two first transactions at once: the second waits here and then finds the row of the first.
            from sqlalchemy.dialects.postgresql import insert as insert_if_absent

            self.execute(insert_if_absent(tables.clinic).values(**values).on_conflict_do_nothing())
        else:
            self.execute(insert(tables.clinic).values(**values))
        return self._locked() or values
