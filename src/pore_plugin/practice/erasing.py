"""Taking a person out of the database.

Every payload goes: records, steps, lots, messages, results of commands, and the details of the audit. What others'
records say of the person by id is taken out of them. A tombstone stays, which tells nobody who it was. Copies that
were made before still hold everything; a restore erases again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from ..clinical.keys import record_key
from ..contracts import KindCount, RecordRedaction, canonical, digest
from ..storage import Unit
from ..storage.rows import OutboxRow, RecordRow, Tombstone
from ..storage.sealing import Seals
from ..storage.traces import Traces
from ..validation.jsontext import read_json
from .mentions import places, without
from .patients import everything, put

__all__ = ["erase_again", "kinds", "mentions", "named_under_hold", "remove"]


def remove(unit: Unit, families: Sequence[tuple[str, ...]], reason: str) -> list[Tombstone]:
    """Take everything of these people away in this transaction, and return one tombstone for each."""
    ids = [name for family in families for name in family]
    counts = [kinds(unit, family) for family in families]
    stated = Seals(unit).stated()
    words = {*ids, *(step.key for step in unit.follow_ups.of_patient(ids))}
    for row in everything(unit, ids):
        words.add(row.id)
        if row.patient is None:
            unit.records.reassign(row.kind, row.id, ids[0])
    _take_out_of_records(unit, ids)
    traces = Traces(unit)
    traces.forget_results(traces.in_results(words, ids))
    for message in traces.in_outbox(ids, ids):
        _take_out_of_message(traces, message, ids)
    traces.forget_details(traces.in_audit(words, ids))
    unit.patients.forget(ids)
    unit.forget_touched(tuple(ids))
    # Entries about the erased also told of records of others, which stay covered.
    Seals(unit).restate(stated)
    stones = []
    for family, found in zip(families, counts, strict=True):
        said = canonical({"counts": [one.to_document() for one in found]})
        first, *_ = [unit.patients.bury(name, reason, said) for name in family]
        unit.note(None, tombstone=first.patient_hash.hex(), ids=len(family))
        stones.append(first)
    return stones


def erase_again(unit: Unit) -> int:
    """Erase whoever a restore brought back although there is a tombstone, and return how many ids that were."""
    found = unit.patients.buried()
    if found:
        families = {unit.patients.family(name) for name in found}
        remove(unit, sorted(families), "erased before, and brought back by a restore")
    return len(found)


def kinds(unit: Unit, family: Iterable[str]) -> tuple[KindCount, ...]:
    """Return how many records there are of these ids, by kind."""
    ids: dict[str, set[str]] = {}
    for row in everything(unit, family):
        ids.setdefault(row.kind, set()).add(row.id)
    return tuple(KindCount(kind=kind, count=len(found)) for kind, found in sorted(ids.items()))


def mentions(unit: Unit, ids: Sequence[str]) -> list[tuple[RecordRow, object]]:
    """Return records of others that name one of these ids, with their documents."""
    rows = ((row, read_json(row.document)) for row in Traces(unit).in_records(ids, ids))
    return [(row, document) for row, document in rows if places(document, ids)]


def named_under_hold(unit: Unit, ids: Sequence[str]) -> set[str]:
    """Return which of these ids stand in a record of somebody else that is under a legal hold."""
    held: set[str] = set()
    for head in {unit.patients.head(row.patient) for row in unit.patients.all() if row.hold_why is not None}:
        family = unit.patients.family(head)
        others = set(ids).difference(family)
        for row in everything(unit, family) if others else ():
            document = read_json(row.document)
            held |= {name for name in others if places(document, [name])}
    return held


def _take_out_of_records(unit: Unit, ids: Sequence[str]) -> None:
    traces, now = Traces(unit), unit.now
    for row, document in mentions(unit, ids):
        clean = without(document, ids)
        kept = canonical(clean)
        traces.set_record(row, kept)
        if row.patient is None:
            continue
        said = RecordRedaction(
            id=record_key(unit.clinic, row.id, f"redaction.{row.revision}.{now}"),
            clinic=unit.clinic,
            patient=row.patient,
            kind=row.kind,
            record=row.id,
            revision=row.revision,
            original_digest=row.digest,
            redacted_digest=digest(clean),
            pointers=places(document, ids),
            by=unit.actor,
            at=datetime.fromtimestamp(now, ZoneInfo("UTC")).isoformat(),
        )
        put(unit, "record-redaction", said, row.patient)


def _take_out_of_message(traces: Traces, message: OutboxRow, ids: Sequence[str]) -> None:
    document = read_json(message.document)
    if places(document, ids):
        traces.set_message(message, canonical(without(document, ids)))
