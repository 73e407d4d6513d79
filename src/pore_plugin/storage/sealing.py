"""Whether what is kept is as it was kept: a seal beside each record, and in the audit what the seal was.

Whoever changes a record changes its seal too, and then the chain of the audit says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from ..contracts import digest
from . import tables

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Altered", "Key", "Seals", "seal_of"]

Key = tuple[str, str, int]
"""Kind, id and revision of a record."""

_A, _C, _R = tables.audit.c, tables.content.c, tables.record.c
_SEALED = (_R.kind, _R.id, _R.revision, _R.at, _R.recorded_at, _R.recorded_by, _R.digest, _R.document)
_AT_ONCE = 500


class Altered(NamedTuple):
    """A row that is not as it was kept; `version` is a record's revision, or that of content."""

    code: str
    kind: str
    id: str
    version: str


def seal_of(
    kind: str, record_id: str, revision: int, at: int, recorded_at: int, recorded_by: str, named: str, document: object
) -> str:
    """Return the sha256 of a record's bytes and of all in its row that never moves; `named` is its digest.

    A row that was changed by hand may hold anything; its seal then fits none that was kept.
    """
    said = json.dumps([kind, record_id, revision, at, recorded_at, recorded_by, named], default=str).encode()
    return sha256(said + b"\n" + document).hexdigest() if isinstance(document, bytes) else ""


class Seals:
    """The seals of one clinic in one transaction. What is read here is not in the audit: nobody gets to see it."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def stated(self) -> dict[Key, str]:
        """Return the seal that the audit states last of each record; entries whose details are gone state none."""
        found: dict[Key, str] = {}
        statement = select(_A.details).where(_A.clinic == self._unit.clinic, _A.details.is_not(None)).order_by(_A.seq)
        for (details,) in self._unit.execute(statement.execution_options(yield_per=2_000)):
            found.update(_stated(details))
        return found

    def restate(self, before: Mapping[Key, str]) -> None:
        """Have the audit state again what it stated of records before details of it were erased."""
        unit = self._unit
        lost = before.keys() - self.stated().keys() - unit.sealed()
        if not lost:
            return
        there = unit.execute(select(_R.kind, _R.id, _R.revision).where(_R.clinic == unit.clinic))
        again = sorted(lost.intersection(tuple(row) for row in there))
        if again:
            unit.note(None, sealed=[[*key, before[key]] for key in again])

    def altered(self) -> Iterator[Altered]:
        """Yield the records and the content that are not as they were kept.

        Codes: `record.altered`, `record.not_written` (no use case wrote it), `record.missing`, `content.altered`.
        """
        stated = self.stated()
        rows = select(*_SEALED, _R.sealed).where(_R.clinic == self._unit.clinic).order_by(_R.kind, _R.id, _R.revision)
        for *row, sealed in self._unit.execute(rows.execution_options(yield_per=_AT_ONCE)):
            kind, record_id, revision, *_ = row
            said = stated.pop((kind, record_id, revision), None)
            if seal_of(*row) != sealed or said not in (None, sealed):
                yield Altered("record.altered", kind, record_id, str(revision))
            elif said is None:
                yield Altered("record.not_written", kind, record_id, str(revision))
        for kind, record_id, revision in sorted(stated):
            yield Altered("record.missing", kind, record_id, str(revision))
        yield from self._content()

    def _content(self) -> Iterator[Altered]:
        columns = select(_C.type, _C.id, _C.version, _C.digest, _C.source_digest, _C.source, _C.canonical)
        rows = columns.where(_C.clinic == self._unit.clinic).order_by(_C.id, _C.version)
        for kind, name, version, *kept in self._unit.execute(rows.execution_options(yield_per=_AT_ONCE)):
            if not _is_content(*kept):
                yield Altered("content.altered", kind, name, version)


def _is_content(named: str, of_source: str, source: bytes, canonical: bytes) -> bool:
    try:
        return (
            sha256(source).hexdigest() == of_source.removeprefix("sha256:") and digest(json.loads(canonical)) == named
        )
    except (AttributeError, TypeError, ValueError):
        return False


def _stated(details: Any) -> Iterator[tuple[Key, str]]:
    """Yield what the details of an entry state; details that were changed by hand may hold anything."""
    try:
        said = json.loads(details)
    except (TypeError, ValueError):
        return
    if isinstance(said, dict):
        said = [["write", *one] for one in said.get("sealed", ()) if isinstance(one, list)]
    for one in said if isinstance(said, list) else ():
        if isinstance(one, list) and len(one) == 5 and isinstance(one[3], int):
            _, kind, record_id, revision, sealed = map(_plain, one)
            yield (kind, record_id, revision), sealed


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else ""
