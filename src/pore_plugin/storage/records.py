"""Records: appended, never changed. What a record is found by may move; its bytes do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, select, update

from ..contracts import DOCUMENTS, Problem, ProblemsError
from . import tables
from .chunks import parts
from .rows import RecordRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Paper", "Records"]

_T = tables.record.c
_COLUMNS = (
    _T.kind,
    _T.id,
    _T.revision,
    _T.patient,
    _T.subject,
    _T.at,
    _T.recorded_at,
    _T.recorded_by,
    _T.digest,
    _T.state,
    _T.document,
    _T.sealed,
)


class Paper(NamedTuple):
    """A record of nobody's, to be kept with others of its kind; `at` in seconds, `pins` as `put` takes them."""

    id: str
    document: bytes
    digest: str
    at: int
    subject: str
    state: str
    pins: tuple[tuple[str, str, str], ...]


class Records:
    """The records of one clinic in one transaction. Whatever is read or written here is in the audit afterwards.

    Whatever reads a record raises `ProblemsError` (`record.altered`) for one that is not as it was kept.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def put(
        self,
        kind: str,
        record_id: str,
        document: bytes,
        digest: str,
        *,
        at: int,
        patient: str | None = None,
        subject: str | None = None,
        state: str = "completed",
        pins: Iterable[tuple[str, str, str]] = (),
        revise: bool = False,
    ) -> RecordRow:
        """Keep a record and return its row; the same document again writes nothing.

        `pins`: id, version and digest of the content it was made with. `revise` appends a revision where another
        document has the id already; without it that raises `ProblemsError` (`record.differs`).
        """
        newest = next(iter(self._rows(_is(kind, record_id), newest_first=True, limit=1, quietly=True)), None)
        if newest is not None and newest.digest == digest and newest.state == state:
            return newest
        if newest is not None and not revise:
            raise ProblemsError([_differs(kind)])
        row = RecordRow(
            kind,
            record_id,
            1 if newest is None else newest.revision + 1,
            patient,
            subject,
            at,
            self._unit.now,
            self._unit.actor,
            digest,
            state,
            document,
        )
        self._append([(row, pins)])
        return row

    def put_all(self, kind: str, papers: Iterable[Paper]) -> None:
        """Keep many records of nobody's, in a few statements for all of them.

        One that is kept already writes nothing; another document under its id is a revision.
        """
        given = {paper.id: paper for paper in papers}
        newest = {
            row.id: row
            for part in parts(given)
            for row in self._rows(and_(_T.kind == kind, _T.id.in_(part)), quietly=True)
        }
        new: list[tuple[RecordRow, Iterable[tuple[str, str, str]]]] = []
        for one in given.values():
            before = newest.get(one.id)
            if before is None or (before.digest, before.state) != (one.digest, one.state):
                number = 1 if before is None else before.revision + 1
                kept = (one.at, self._unit.now, self._unit.actor, one.digest, one.state, one.document)
                new.append((RecordRow(kind, one.id, number, None, one.subject, *kept), one.pins))
        self._append(new)

    def _append(self, new: Sequence[tuple[RecordRow, Iterable[tuple[str, str, str]]]]) -> None:
        clinic = self._unit.clinic
        new = [(replace(row, sealed=row.seal), pins) for row, pins in new]
        records = [{"clinic": clinic, **{name: getattr(row, name) for name in RecordRow.__slots__}} for row, _ in new]
        pins = [
            {
                "clinic": clinic,
                "kind": row.kind,
                "id": row.id,
                "revision": row.revision,
                "content": content,
                "version": version,
                "digest": pinned,
            }
            for row, pinned_here in new
            for content, version, pinned in dict.fromkeys(pinned_here)
        ]
        if records:
            self._unit.execute(insert(tables.record), records)
        if pins:
            self._unit.execute(insert(tables.pin), pins)
        for row, _ in new:
            self._unit.wrote(row)

    def latest(self, kind: str, record_id: str) -> RecordRow | None:
        """Return the newest revision of a record, or nothing."""
        rows = self._rows(_is(kind, record_id), newest_first=True, limit=1)
        return next(iter(rows), None)

    def revision(self, kind: str, record_id: str, revision: int) -> RecordRow | None:
        """Return one revision of a record, or nothing."""
        rows = self._rows(and_(_T.kind == kind, _T.id == record_id, _T.revision == revision))
        return next(iter(rows), None)

    def revisions(self, kind: str, record_id: str) -> list[RecordRow]:
        """Return every revision of a record, the first first."""
        return self._rows(_is(kind, record_id))

    def with_digest(self, kind: str, record_id: str, digest: str) -> RecordRow | None:
        """Return the revision of a record that has this digest, or nothing."""
        rows = self._rows(and_(_T.kind == kind, _T.id == record_id, _T.digest == digest), newest_first=True, limit=1)
        return next(iter(rows), None)

    def with_id(self, record_id: str) -> list[RecordRow]:
        """Return the newest revisions of the records of any kind that have this id."""
        # Each kind is looked up: an id alone would be looked for in every record of the clinic.
        named = and_(_T.kind.in_(sorted(DOCUMENTS)), _T.id == record_id)
        return list({row.kind: row for row in self._rows(named)}.values())

    def find(self, kind: str, ids: Iterable[str]) -> dict[str, RecordRow]:
        """Return the newest revisions of records of one kind, by id."""
        return {row.id: row for part in parts(ids) for row in self._rows(and_(_T.kind == kind, _T.id.in_(part)))}

    def of_patient(self, patients: Iterable[str], *kinds: str) -> list[RecordRow]:
        """Return all revisions of all records of these patient ids, oldest first; only of `kinds` where named."""
        found: list[RecordRow] = []
        for part in parts(patients):
            where = _T.patient.in_(part)
            found += self._rows(and_(where, _T.kind.in_(kinds)) if kinds else where)
        return sorted(found, key=lambda row: (row.at, row.recorded_at, row.kind, row.id, row.revision))

    def of_subject(self, subjects: Iterable[str], *kinds: str) -> list[RecordRow]:
        """Return the newest revisions of the records that belong to these, oldest first."""
        found: dict[tuple[str, str], RecordRow] = {}
        for part in parts(subjects):
            where = _T.subject.in_(part)
            for row in self._rows(and_(where, _T.kind.in_(kinds)) if kinds else where):
                found[row.kind, row.id] = row
        return sorted(found.values(), key=lambda row: (row.at, row.recorded_at, row.kind, row.id))

    def of_kind(self, kind: str, state: str | None = None) -> list[RecordRow]:
        """Return the newest revisions of a kind of record, oldest first, of one state where one is named."""
        found = {row.id: row for row in self._rows(_T.kind == kind)}
        return [row for row in sorted(found.values(), key=lambda row: (row.at, row.id)) if state in (None, row.state)]

    def since(self, kind: str, state: str, at: int) -> list[RecordRow]:
        """Return the newest revisions of the records of a kind in a state from a moment on, oldest first."""
        found = {row.id: row for row in self._rows(and_(_T.kind == kind, _T.state == state, _T.at >= at))}
        return sorted(found.values(), key=lambda row: (row.at, row.id))

    def set_state(self, kind: str, record_id: str, state: str) -> None:
        """Say of a record, in all its revisions, where it stands now; its bytes stay as they are."""
        self._update(kind, record_id, state=state)

    def reassign(self, kind: str, record_id: str, patient: str) -> None:
        """Have a record, in all its revisions, found under another patient; its bytes stay as they are."""
        self._update(kind, record_id, patient=patient)
        self._unit.touched("write", patient, kind, record_id)

    def made_with(self, content: str, versions: Iterable[str]) -> list[tuple[str, str, str, str]]:
        """Return kind, id, version and state of the records that pin these versions of a content document."""
        pin = tables.pin.c
        joined = tables.pin.join(
            tables.record,
            and_(pin.clinic == _T.clinic, pin.kind == _T.kind, pin.id == _T.id, pin.revision == _T.revision),
        )
        wanted = list(dict.fromkeys(versions))
        statement = (
            select(pin.kind, pin.id, pin.version, _T.state)
            .select_from(joined)
            .where(pin.clinic == self._unit.clinic, pin.content == content, pin.version.in_(wanted))
            .order_by(pin.kind, pin.id, pin.revision)
        )
        return [(kind, name, version, state) for kind, name, version, state in self._unit.execute(statement)]

    def pins_of(self, kind: str, record_id: str, revision: int) -> list[tuple[str, str]]:
        """Return id and version of the content that a revision of a record was made with."""
        pin = tables.pin.c
        statement = (
            select(pin.content, pin.version)
            .where(
                pin.clinic == self._unit.clinic,
                pin.kind == kind,
                pin.id == record_id,
                pin.revision == revision,
            )
            .order_by(pin.content, pin.version)
        )
        return [(content, version) for content, version in self._unit.execute(statement)]

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are, revisions counted once."""
        statement = (
            select(_T.kind, func.count(_T.id.distinct())).where(_T.clinic == self._unit.clinic).group_by(_T.kind)
        )
        return {kind: int(number) for kind, number in self._unit.execute(statement)}

    def _update(self, kind: str, record_id: str, **values: str) -> None:
        row = self.latest(kind, record_id)
        if row is None:
            return
        where = and_(_T.clinic == self._unit.clinic, _T.kind == kind, _T.id == record_id)
        self._unit.execute(update(tables.record).where(where).values(**values))
        self._unit.touched("write", row.patient, kind, record_id)

    def _rows(
        self,
        where: ColumnElement[bool],
        *,
        newest_first: bool = False,
        limit: int | None = None,
        quietly: bool = False,
    ) -> list[RecordRow]:
        order = _T.revision.desc() if newest_first else _T.revision
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, where).order_by(order).limit(limit)
        rows = [RecordRow(*row) for row in self._unit.execute(statement)]
        altered = {row.kind: None for row in rows if row.seal != row.sealed}
        if altered:
            raise ProblemsError([_altered(kind) for kind in altered])
        for row in () if quietly else rows:
            self._unit.touched("read", row.patient, row.kind, row.id)
        return rows


def _is(kind: str, record_id: str) -> ColumnElement[bool]:
    return and_(_T.kind == kind, _T.id == record_id)


def _altered(kind: str) -> Problem:
    return Problem(
        code="record.altered",
        sentence=f"A {kind} in the database is not as it was kept: somebody changed it there.",
        next_step="See which one with: pore-plugin audit verify. Bring it back from a backup.",
    )


def _differs(kind: str) -> Problem:
    return Problem(
        code="record.differs",
        sentence=f"Another {kind} is kept under this id, and what is kept is never replaced.",
        pointer="/id",
        next_step="Give the record an id of its own; to correct one, append an amendment.",
    )
