"""The sample case on the records of a database: the same steps as `factories` takes, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from factories import clinic
from pore_plugin import check
from pore_plugin.builtin import sample
from pore_plugin.contracts import AdverseEvent, Clinic, ConsentWithdrawal, LotQuarantine
from pore_plugin.demo import CaseRun, run_case
from pore_plugin.practice import Desk, Records
from pore_plugin.storage import Database, Unit, tables

NOW = datetime(2026, 9, 20, 12, 0, tzinfo=UTC)


def desk(database: Database, settings: Clinic | None = None, *, now: datetime = NOW, **more: Any) -> Desk:
    """Return a desk of the sample clinic at a moment that stands still, without installed extensions."""
    return Desk(
        database, settings or clinic(), actor="dr-sample", clock=lambda: now, installed=False, environ={}, **more
    )


class _UndoneError(Exception):
    pass


@contextmanager
def rolled_back(at: Desk) -> Iterator[Unit]:
    """A use case that raises when its block is over."""
    with suppress(_UndoneError), at.use("test") as unit:
        yield unit
        raise _UndoneError


def kept_case(records: Records, name: str = "1-treated", **members: Any) -> CaseRun:
    """Walk a sample case on the records; `None` leaves a part of it out."""
    given = {**json.loads(sample(f"cases/{name}.json")), **members}
    return run_case(records, {key: value for key, value in given.items() if value is not None}, "en")


def sheet(run: CaseRun, name: str) -> Any:
    """Return the request behind a sheet of a case."""
    return next(one.request for one in run.sheets if one.name == name)


def rows(database: Database, clinic_id: str = "sample-clinic", *, audit: bool = False) -> dict[str, list[Any]]:
    """Return every row of a clinic by table; without the audit, which says of every look at a record."""
    found: dict[str, list[Any]] = {}
    with database.transaction(clinic_id) as connection:
        for table in tables.metadata.sorted_tables:
            if audit or table.name not in ("audit", "clinic"):
                statement = select(table).where(table.c.clinic == clinic_id)
                found[table.name] = sorted((tuple(row) for row in connection.execute(statement)), key=repr)
    return found


def withdrawal(consent: str, **members: Any) -> ConsentWithdrawal:
    """Return the withdrawal of a consent on the day of treatment."""
    return check(
        ConsentWithdrawal,
        {
            "id": "withdrawal-1",
            "clinic": "sample-clinic",
            "consent": consent,
            "withdrawn_at": "2026-09-10T13:59:00+01:00",
            "recorded_by": "nurse-example",
            **members,
        },
    ).model


def quarantine(lot: str = "sample lot 7", **members: Any) -> LotQuarantine:
    """Return the quarantine of a lot, spelt otherwise than on the vial."""
    return check(
        LotQuarantine,
        {
            "id": "quarantine-1",
            "clinic": "sample-clinic",
            "lot": lot,
            "reason": "Recalled by its maker (invented)",
            "by": "dr-sample",
            "at": "2026-09-09T09:00:00+01:00",
            **members,
        },
    ).model


def adverse_event(**members: Any) -> AdverseEvent:
    """Return an adverse event after the sample treatment."""
    return check(
        AdverseEvent,
        {
            "id": "event-1",
            "clinic": "sample-clinic",
            "patient": "patient-1",
            "treatment": "treatment-1",
            "code": "brow-ptosis",
            "severity": "moderate",
            "onset": "2026-09-14T08:00:00+01:00",
            "recorded_at": "2026-09-14T10:00:00+01:00",
            "recorded_by": "dr-sample",
            "reportable": False,
            **members,
        },
    ).model
