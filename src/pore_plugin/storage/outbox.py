"""The outbox, and the first results of commands: what makes every write idempotent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from . import tables
from .chunks import parts
from .rows import OutboxRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Idempotency", "Outbox"]

_T = tables.outbox.c
_COLUMNS = tuple(_T[name] for name in OutboxRow.__slots__)
_I = tables.idempotency.c


class Outbox:
    """What is to be told to others, of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def add(self, key: str, topic: str, subject: str, document: bytes, *, at: int, patient: str | None = None) -> bool:
        """Store something to be told; false when its key is there already, and then nothing is stored."""
        known = select(_T.seq).where(_T.clinic == self._unit.clinic, _T.key == key)
        if self._unit.execute(known).first() is not None:
            return False
        values = {
            "seq": self._unit.next_number("outbox_seq"),
            "key": key,
            "topic": topic,
            "subject": subject,
            "patient": patient,
            "at": at,
            "state": "pending",
            "attempts": 0,
            "next_at": at,
            "document": document,
        }
        self._unit.execute(insert(tables.outbox).values(clinic=self._unit.clinic, **values))
        return True

    def with_keys(self, keys: Iterable[str]) -> dict[str, OutboxRow]:
        """Return what is stored under these keys."""
        found: dict[str, OutboxRow] = {}
        for part in parts(keys):
            statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, _T.key.in_(part))
            found |= {row.key: row for row in (OutboxRow(*row) for row in self._unit.execute(statement))}
        return found

    def in_state(self, state: str = "pending") -> list[OutboxRow]:
        """Return what is in a state, in the order in which it came."""
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, _T.state == state).order_by(_T.seq)
        return [OutboxRow(*row) for row in self._unit.execute(statement)]

    def keys_from(self, start: str, topic: str, limit: int = 2) -> list[str]:
        """Return keys under a topic that begin so."""
        where = (_T.clinic == self._unit.clinic, _T.key >= start, _T.key < start + "\x7f", _T.topic == topic)
        return [str(key) for (key,) in self._unit.execute(select(_T.key).where(*where).order_by(_T.key).limit(limit))]

    def of_topic(self, topic: str, state: str = "pending") -> list[OutboxRow]:
        """Return what is in a state under a topic, in the order in which it came."""
        where = (_T.clinic == self._unit.clinic, _T.topic == topic, _T.state == state)
        # Sorted here: asked for the order, SQLite would go through everything in it.
        rows = [OutboxRow(*row) for row in self._unit.execute(select(*_COLUMNS).where(*where))]
        return sorted(rows, key=lambda row: row.seq)

    def set_state(self, seq: int, state: str) -> None:
        """Say what became of one."""
        where = (_T.clinic == self._unit.clinic, _T.seq == seq)
        self._unit.execute(update(tables.outbox).where(*where).values(state=state))

    def of_patient(self, patients: Iterable[str]) -> list[OutboxRow]:
        """Return everything of these patient ids, in the order in which it came."""
        where = (_T.clinic == self._unit.clinic, _T.patient.in_(list(patients)))
        return [OutboxRow(*row) for row in self._unit.execute(select(*_COLUMNS).where(*where).order_by(_T.seq))]


class Idempotency:
    """The first result of each command under its key, of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def get(self, key: str) -> tuple[str, bytes] | None:
        """Return the digest of the request and its result, or nothing."""
        statement = select(_I.request, _I.document).where(_I.clinic == self._unit.clinic, _I.key == key)
        row = self._unit.execute(statement).first()
        return (row[0], row[1]) if row else None

    def put(self, key: str, request: str, document: bytes, *, patient: str | None = None) -> None:
        """Keep the first result of a command."""
        values = {"key": key, "request": request, "patient": patient, "at": self._unit.now, "document": document}
        self._unit.execute(insert(tables.idempotency).values(clinic=self._unit.clinic, **values))
