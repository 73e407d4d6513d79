"""Content: versions side by side with the bytes they came in, what was done with each, and which one is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, delete, insert, select

from . import tables
from .chunks import parts
from .rows import ContentEventRow, ContentRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Contents"]

_T = tables.content.c
_COLUMNS = tuple(_T[name] for name in ContentRow.__slots__)
_E = tables.content_event.c
_EVENT = tuple(_E[name] for name in ContentEventRow.__slots__)
_H = tables.content_head.c


class Contents:
    """The content of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    @property
    def number(self) -> int:
        """The number of the last thing that was done with content: with another one the library is another."""
        return self._unit.last_number("content_seq")

    def add(self, rows: Iterable[ContentRow]) -> None:
        """Keep versions that are not there yet; `at` and `by` are those of the transaction."""
        values = [
            {
                **{name: getattr(row, name) for name in ContentRow.__slots__},
                "clinic": self._unit.clinic,
                "at": self._unit.now,
                "by": self._unit.actor,
            }
            for row in rows
        ]
        if values:
            self._unit.execute(insert(tables.content), values)

    def get(self, content_id: str, version: str) -> ContentRow | None:
        """Return one version, or nothing."""
        return next(iter(self._rows((_T.id == content_id) & (_T.version == version))), None)

    def digest_of(self, content_id: str, version: str) -> str | None:
        """Return the digest of one version, without its bytes, or nothing."""
        statement = select(_T.digest).where(_T.clinic == self._unit.clinic, _T.id == content_id, _T.version == version)
        return self._unit.execute(statement).scalar()

    def versions(self, content_id: str) -> list[ContentRow]:
        """Return every version of a document in the order in which they came."""
        return self._rows(_T.id == content_id)

    def all(self) -> list[ContentRow]:
        """Return every version of every document."""
        return self._rows(_T.id == _T.id)

    def known(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield id, version, digest, type and digest of the source of every version, without its bytes."""
        statement = select(_T.id, _T.version, _T.digest, _T.type, _T.source_digest)
        for row in self._unit.execute(statement.where(_T.clinic == self._unit.clinic)):
            yield row[0], row[1], row[2], row[3], row[4]

    def documents(
        self, ids: Iterable[str] | None = None, types: Iterable[str] | None = None
    ) -> Iterator[tuple[str, str, str, str, str, bytes]]:
        """Yield id, version, digest, type, origin and canonical bytes of every version, as they came.

        With `ids` or `types`: of what has one of these ids or is of one of these types.
        """
        columns = select(_T.id, _T.version, _T.digest, _T.type, _T.origin, _T.canonical)
        wanted: list[ColumnElement[bool]] = [_T.id.in_(part) for part in parts(ids or ())]
        wanted += [_T.type.in_(part) for part in parts(types or ())]
        for where in [_T.id == _T.id] if ids is None and types is None else wanted:
            statement = columns.where(_T.clinic == self._unit.clinic, where).order_by(_T.id, _T.at, _T.version)
            for row in self._unit.execute(statement):
                yield row[0], row[1], row[2], row[3], row[4], row[5]

    def actions(self, ids: Iterable[str] | None = None) -> Iterator[tuple[str, str, str]]:
        """Yield id, version and action of everything that was done with these documents, or with all, in order."""
        columns = select(_E.id, _E.version, _E.action).where(_E.clinic == self._unit.clinic).order_by(_E.seq)
        for where in [_E.id == _E.id] if ids is None else [_E.id.in_(part) for part in parts(ids)]:
            for row in self._unit.execute(columns.where(where)):
                yield row[0], row[1], row[2]

    def record(
        self,
        action: str,
        content: Iterable[tuple[str, str, str]],
        *,
        why: str | None = None,
        until: str | None = None,
        documents: Iterable[bytes] = (),
    ) -> None:
        """Append to the history of content, each given by id, version and digest.

        `documents`: what says so, such as an approval, one for each where there are any.
        """
        said = iter(documents)
        rows = [
            {
                "clinic": self._unit.clinic,
                "seq": self._unit.next_number("content_seq"),
                "id": content_id,
                "version": version,
                "digest": digest,
                "action": action,
                "at": self._unit.now,
                "by": self._unit.actor,
                "why": why,
                "until": until,
                "document": next(said, None),
            }
            for content_id, version, digest in content
        ]
        if rows:
            self._unit.execute(insert(tables.content_event), rows)

    def history(self, ids: Iterable[str] | None = None) -> list[ContentEventRow]:
        """Return what was done with these documents, or with all of them, that of each in order."""
        columns = select(*_EVENT).where(_E.clinic == self._unit.clinic).order_by(_E.seq)
        wanted = [_E.id == _E.id] if ids is None else [_E.id.in_(part) for part in parts(ids)]
        return [ContentEventRow(*row) for where in wanted for row in self._unit.execute(columns.where(where))]

    def heads(self, ids: Iterable[str] | None = None) -> dict[str, tuple[str, str]]:
        """Return version and digest that new work uses of these documents, or of all, by id."""
        columns = select(_H.id, _H.version, _H.digest).where(_H.clinic == self._unit.clinic)
        wanted = [_H.id == _H.id] if ids is None else [_H.id.in_(part) for part in parts(ids)]
        return {row[0]: (row[1], row[2]) for where in wanted for row in self._unit.execute(columns.where(where))}

    def set_head(self, content_id: str, version: str | None, digest: str | None) -> None:
        """Say which version new work uses; without a version, none."""
        self._forget_heads([content_id])
        if version is not None and digest is not None:
            self.set_heads([(content_id, version, digest)])

    def set_heads(self, content: Iterable[tuple[str, str, str]]) -> None:
        """Say of many documents which version new work uses, each given by id, version and digest."""
        rows = [
            {"clinic": self._unit.clinic, "id": content_id, "version": version, "digest": digest}
            for content_id, version, digest in content
        ]
        self._forget_heads(row["id"] for row in rows)
        if rows:
            self._unit.execute(insert(tables.content_head), rows)

    def _forget_heads(self, ids: Iterable[str]) -> None:
        for part in parts(ids):
            where = (_H.clinic == self._unit.clinic, _H.id.in_(part))
            self._unit.execute(delete(tables.content_head).where(*where))

    def _rows(self, where: ColumnElement[bool]) -> list[ContentRow]:
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, where).order_by(_T.id, _T.at, _T.version)
        return [ContentRow(*row) for row in self._unit.execute(statement)]
