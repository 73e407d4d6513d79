"""The audit: whether it is as it was written, and who looked at whom."""

from __future__ import annotations

import json
from typing import Any

from ..contracts import AlteredDocument, AuditCheck, AuditEntry, AuditFault, AuditHead, AuditList, AuditTouch
from ..storage import Unit
from ..storage.rows import AuditRow
from ..storage.sealing import Seals
from .desk import Desk
from .patients import instant, person

__all__ = ["audit_entries", "check_audit", "verify", "who"]


def verify(desk: Desk, *, noted: AuditHead | None = None) -> AuditCheck:
    """Read the whole chain, every record and all content, and say what is not as it was written.

    `noted`: an end of the chain that was written down elsewhere, such as in a backup's manifest. Whoever can write to
    the database could cut the end off and change the place that names it; against that only such a note helps.
    """
    with desk.use("audit.verify") as unit:
        check = check_audit(desk, unit, noted)
        unit.note(None, intact=check.intact)
    return check


def check_audit(desk: Desk, unit: Unit, noted: AuditHead | None = None) -> AuditCheck:
    """Return the same inside a transaction."""
    faults = [AuditFault(number=number, fault=fault) for number, fault in _faults(unit)]  # type: ignore[arg-type]
    if noted is not None and not unit.audit.has(noted.number, bytes.fromhex(noted.hash)):
        faults.append(AuditFault(number=noted.number, fault="head"))
    altered = tuple(
        AlteredDocument(code=one.code, kind=_label(one.kind), id=_label(one.id), version=_label(one.version))  # type: ignore[arg-type]
        for one in Seals(unit).altered()
    )
    entries, erased = unit.audit.counts()
    number, head = unit.audit_head
    check = AuditCheck(
        clinic=desk.clinic.id,
        at=desk.instant(),
        intact=not faults and not altered,
        entries=entries,
        erased=erased,
        head=AuditHead(number=number, hash=head.hex()),
        faults=tuple(faults),
        altered=altered,
    )
    return check if noted is None else check.model_copy(update={"noted": noted})


def who(desk: Desk, patient: str) -> AuditList:
    """Return who read and wrote a person's records, under every id of the person; asking is in the audit itself.

    Raises `ProblemsError` (`patient.unknown`), also of somebody who was erased.
    """
    with desk.use("audit.who") as unit:
        # An id that nothing is kept under may be that of somebody who was erased: it is not written down again.
        person(unit, patient)
        family = unit.patients.family(patient)
        rows = unit.audit.of_patient(family)
        unit.note(family[0], read="audit")
    return AuditList(
        clinic=desk.clinic.id,
        patient=family[0],
        ids=family,
        at=desk.instant(),
        by=desk.actor,
        entries=audit_entries(desk, rows),
    )


def audit_entries(desk: Desk, rows: list[AuditRow]) -> tuple[AuditEntry, ...]:
    """Return entries as contracts write them."""
    return tuple(_entry(desk, row) for row in rows)


def _label(said: object) -> str:
    """Return what a row says, however it was changed, as far as a contract can show it."""
    return str(said)[:400] or "?"


def _faults(unit: Unit) -> list[tuple[int, str]]:
    return list(unit.audit.faults())


def _entry(desk: Desk, row: AuditRow) -> AuditEntry:
    said: Any = None if row.details is None else json.loads(row.details)
    # A write also states revision and seal of what was written, which `verify` compares.
    touches = dict.fromkeys((one[0], one[1], one[2]) for one in (said if isinstance(said, list) else []))
    return AuditEntry(
        number=row.seq,
        at=instant(desk, row.at),
        actor=row.actor,
        action=row.action,
        patient=row.patient,
        records=tuple(AuditTouch(mode=mode, kind=kind, id=record_id) for mode, kind, record_id in touches),
        said=plain(said) if isinstance(said, dict) else None,
        erased=row.erased,
    )


def plain(value: Any) -> Any:
    """Return a JSON value without nulls, as contracts have none."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return tuple(plain(item) for item in value if item is not None)
    return value
