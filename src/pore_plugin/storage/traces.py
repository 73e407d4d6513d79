"""Where else a patient is named: in what is kept of others, and in the audit of what was done with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ColumnElement, Table, delete, func, or_, select, update

from . import tables
from .chunks import parts
from .rows import OutboxRow, RecordRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Traces"]

# How many strings one statement looks for.
_CHUNK = 40
# Every string of a JSON text, those with escapes too: else what follows one of these would be read out of step.
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_R, _O, _I, _A = tables.record.c, tables.outbox.c, tables.idempotency.c, tables.audit.c
_OF_PATIENT = (
    tables.record,
    tables.step,
    tables.lot_use,
    tables.outbox,
    tables.idempotency,
    tables.patient,
    tables.audit,
)


class Traces:
    """What names somebody, of one clinic in one transaction.

    A row is found when its bytes hold one of `words` as a whole string of JSON. Whether that string names a patient is
    for the caller to see. Nothing that is found here is in the audit: it is looked at only to be taken out.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def rows_of(self, patients: Iterable[str]) -> dict[str, int]:
        """Return how many rows there are of these patient ids, by table."""
        wanted = list(patients)
        found = {}
        for table in _OF_PATIENT:
            where = (table.c.clinic == self._unit.clinic, table.c.patient.in_(wanted))
            found[table.name] = self._unit.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
        return {name: int(number) for name, number in found.items() if number}

    def results_of(self, patients: Iterable[str]) -> list[tuple[str, int, bytes]]:
        """Return key, moment and document of the first results of commands about these patient ids, oldest first."""
        where = (_I.clinic == self._unit.clinic, _I.patient.in_(list(patients)))
        rows = self._unit.execute(select(_I.key, _I.at, _I.document).where(*where).order_by(_I.at, _I.key))
        return [(key, int(at), bytes(document)) for key, at, document in rows]

    def in_records(self, words: Collection[str], besides: Collection[str]) -> list[RecordRow]:
        """Return every revision of a record that holds one of these strings, and is of none of these patients."""
        columns = [_R[name] for name in RecordRow.__slots__]
        order = (_R.kind, _R.id, _R.revision)
        rows = self._holding(tables.record, columns, order, words, besides)
        return [RecordRow(*row) for row in rows]

    def in_outbox(self, words: Collection[str], besides: Collection[str]) -> list[OutboxRow]:
        """Return what is to be told and holds one of these strings, and is of none of these patients."""
        columns = [_O[name] for name in OutboxRow.__slots__]
        return [OutboxRow(*row) for row in self._holding(tables.outbox, columns, (_O.seq,), words, besides)]

    def in_results(self, words: Collection[str], besides: Collection[str]) -> list[str]:
        """Return the keys of the commands whose first result holds one of these strings."""
        return [key for (key,) in self._holding(tables.idempotency, [_I.key], (_I.key,), words, besides)]

    def in_audit(self, words: Collection[str], besides: Collection[str]) -> list[int]:
        """Return the numbers of the entries of others whose details hold one of these strings."""
        return [seq for (seq,) in self._reading(_A.details, [_A.seq], (_A.seq,), words, besides)]

    def set_record(self, row: RecordRow, document: bytes) -> None:
        """Keep other bytes of a revision; its digest stays that of the record as it was made."""
        kept = replace(row, document=document)
        where = (_R.clinic == self._unit.clinic, _R.kind == row.kind, _R.id == row.id, _R.revision == row.revision)
        self._unit.execute(update(tables.record).where(*where).values(document=document, sealed=kept.seal))
        self._unit.wrote(replace(kept, sealed=kept.seal))

    def set_message(self, row: OutboxRow, document: bytes) -> None:
        """Keep other bytes of something to be told."""
        where = (_O.clinic == self._unit.clinic, _O.seq == row.seq)
        self._unit.execute(update(tables.outbox).where(*where).values(document=document))

    def forget_results(self, keys: Iterable[str]) -> int:
        """Delete first results of commands, and return how many."""
        count = 0
        for part in parts(keys):
            where = (_I.clinic == self._unit.clinic, _I.key.in_(part))
            count += self._unit.execute(delete(tables.idempotency).where(*where)).rowcount
        return count

    def forget_details(self, numbers: Iterable[int]) -> int:
        """Erase the details of entries of the audit, and return how many; the chain holds without them."""
        count = 0
        for part in parts(numbers):
            where = (_A.clinic == self._unit.clinic, _A.seq.in_(part))
            count += self._unit.execute(update(tables.audit).where(*where).values(details=None, salt=None)).rowcount
        return count

    def move_messages(self, subjects: Iterable[str], source: str, to: str) -> list[OutboxRow]:
        """Have what is to be told of these records found under another patient, and return it as it was."""
        columns, found = [_O[name] for name in OutboxRow.__slots__], []
        for part in parts(subjects):
            where = (_O.clinic == self._unit.clinic, _O.patient == source, _O.subject.in_(part))
            found += [OutboxRow(*row) for row in self._unit.execute(select(*columns).where(*where))]
            self._unit.execute(update(tables.outbox).where(*where).values(patient=to))
        return found

    def move_results(self, words: Collection[str], source: str, to: str) -> int:
        """Have the results of commands that hold one of these strings found under another patient."""
        count = 0
        for part in parts(sorted(words), _CHUNK):
            where = (_I.clinic == self._unit.clinic, _I.patient == source, or_(*self._contains(_I.document, part)))
            count += self._unit.execute(update(tables.idempotency).where(*where).values(patient=to)).rowcount
        return count

    def _holding(
        self,
        table: Table,
        columns: list[Column[Any]],
        order: tuple[Column[Any], ...],
        words: Collection[str],
        besides: Collection[str],
    ) -> list[tuple[Any, ...]]:
        if len(words) > _CHUNK:
            return self._reading(table.c.document, columns, order, words, besides)
        statement = (
            select(*columns)
            .where(table.c.clinic == self._unit.clinic, _of_others(table, besides))
            .where(or_(*self._contains(table.c.document, sorted(words))))
            .order_by(*order)
        )
        return [tuple(row) for row in self._unit.execute(statement)]

    def _reading(
        self,
        column: Column[Any],
        columns: list[Column[Any]],
        order: tuple[Column[Any], ...],
        words: Collection[str],
        besides: Collection[str],
    ) -> list[tuple[Any, ...]]:
        """Return the rows that hold one of any number of strings, by going through all of them once."""
        wanted = {word.encode() for word in words}
        statement = select(column, *columns).where(
            column.table.c.clinic == self._unit.clinic, column.is_not(None), _of_others(column.table, besides)
        )
        result = self._unit.execute(statement.order_by(*order).execution_options(yield_per=2_000))
        return [tuple(rest) for text, *rest in result if not wanted.isdisjoint(_QUOTED.findall(text))]

    def _contains(self, column: Column[Any], words: list[str]) -> Iterator[ColumnElement[bool]]:
        place = func.instr if self._unit.connection.dialect.name == "sqlite" else func.pg_catalog.position
        for word in words:
            yield place(column, f'"{word}"'.encode()) > 0


def _of_others(table: Table, besides: Collection[str]) -> ColumnElement[bool]:
    patient = table.c.patient
    return or_(patient.is_(None), patient.not_in(list(besides)))
