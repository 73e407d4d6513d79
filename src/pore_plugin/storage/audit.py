"""The audit: who read and wrote what, in a chain of hashes that shows every change made behind its back.

The chain runs over the salted hash of an entry's details, not over the details: after an erasure they are gone, and
the chain still holds.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select

from . import tables
from .rows import AuditRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["GENESIS", "Audit", "link", "seal"]

_T = tables.audit.c
_COLUMNS = (_T.seq, _T.at, _T.actor, _T.action, _T.patient, _T.details)
GENESIS = bytes(32)
"""What the first entry of a chain follows."""


def seal(salt: bytes, patient: str | None, details: bytes) -> bytes:
    """Return the salted hash that stands for an entry's details in the chain."""
    return sha256(salt + json.dumps(patient).encode() + b"\n" + details).digest()


def link(previous: bytes, clinic: str, seq: int, at: int, actor: str, action: str, sealed: bytes) -> bytes:
    """Return the hash of an entry: of the hash before it and of everything that it says."""
    said = json.dumps([clinic, seq, at, actor, action, sealed.hex()], separators=(",", ":")).encode()
    return sha256(previous + said).digest()


def _fits(salt: object, patient: str | None, details: object, sealed: object) -> bool:
    """Whether details are those that were sealed; what is no bytes was put there by hand."""
    if salt is None or details is None:
        return salt is None and details is None
    try:
        return isinstance(salt, bytes) and isinstance(details, bytes) and seal(salt, patient, details) == sealed
    except TypeError:
        return False


def _follows(
    head: bytes, hashed: object, sealed: object, clinic: str, seq: int, at: int, actor: str, action: str
) -> bool:
    try:
        return isinstance(sealed, bytes) and link(head, clinic, seq, at, actor, action, sealed) == hashed
    except TypeError:
        return False


class Audit:
    """The audit of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def append(self, action: str, entries: Iterable[tuple[str | None, object]]) -> None:
        """Append an entry for each patient (or for none) with its details, a plain JSON value of ids and words."""
        unit = self._unit
        seq, head = unit.audit_head
        rows = []
        for patient, said in entries:
            seq += 1
            salt, details = secrets.token_bytes(16), json.dumps(said, separators=(",", ":")).encode()
            sealed = seal(salt, patient, details)
            head = link(head, unit.clinic, seq, unit.now, unit.actor, action, sealed)
            rows.append(
                {
                    "clinic": unit.clinic,
                    "seq": seq,
                    "at": unit.now,
                    "actor": unit.actor,
                    "action": action,
                    "patient": patient,
                    "salt": salt,
                    "details": details,
                    "sealed": sealed,
                    "hash": head,
                }
            )
        if rows:
            unit.execute(insert(tables.audit), rows)
            unit.set_audit_head(seq, head)

    def of_patient(self, patients: Iterable[str]) -> list[AuditRow]:
        """Return the entries about these patient ids, in order."""
        where = (_T.clinic == self._unit.clinic, _T.patient.in_(list(patients)))
        rows = self._unit.execute(select(*_COLUMNS).where(*where).order_by(_T.seq))
        return [
            AuditRow(seq, at, actor, action, patient, details, details is None)
            for seq, at, actor, action, patient, details in rows
        ]

    def entries(self, first: int = 1, limit: int | None = None) -> list[AuditRow]:
        """Return the entries from a number on, in order."""
        statement = (
            select(*_COLUMNS, _T.salt)
            .where(_T.clinic == self._unit.clinic, _T.seq >= first)
            .order_by(_T.seq)
            .limit(limit)
        )
        return [
            AuditRow(seq, at, actor, action, patient, details, salt is None)
            for seq, at, actor, action, patient, details, salt in self._unit.execute(statement)
        ]

    def of_action(self, action: str) -> list[AuditRow]:
        """Return the entries that a use case left, in order."""
        where = (_T.clinic == self._unit.clinic, _T.action == action)
        rows = self._unit.execute(select(*_COLUMNS).where(*where).order_by(_T.seq))
        return [AuditRow(*row) for row in rows]

    def has(self, seq: int, hashed: bytes) -> bool:
        """Whether there is an entry of this number and hash; number 0 is the beginning of every chain."""
        if seq == 0:
            return hashed == GENESIS
        where = (_T.clinic == self._unit.clinic, _T.seq == seq)
        return self._unit.execute(select(_T.hash).where(*where)).scalar() == hashed

    def counts(self) -> tuple[int, int]:
        """Return how many entries there are, and of how many the details were erased."""
        statement = select(func.count(), func.count(_T.salt)).where(_T.clinic == self._unit.clinic)
        entries, kept = self._unit.execute(statement).one()
        return int(entries), int(entries - kept)

    def faults(self) -> Iterator[tuple[int, str]]:
        """Yield what does not hold: the entry's number with `gap`, `details` or `chain`; 0 and `head` for its end."""
        unit = self._unit
        expected, head = 0, GENESIS
        statement = (
            select(_T.seq, _T.at, _T.actor, _T.action, _T.patient, _T.salt, _T.details, _T.sealed, _T.hash)
            .where(_T.clinic == unit.clinic)
            .order_by(_T.seq)
            .execution_options(yield_per=2_000)
        )
        for seq, at, actor, action, patient, salt, details, sealed, hashed in unit.execute(statement):
            expected += 1
            if seq != expected:
                yield seq, "gap"
                expected = seq
            if not _fits(salt, patient, details, sealed):
                yield seq, "details"
            if not _follows(head, hashed, sealed, unit.clinic, seq, at, actor, action):
                yield seq, "chain"
            head = hashed if isinstance(hashed, bytes) else GENESIS
        if (expected, head) != unit.audit_head:
            yield 0, "head"
