"""Opening a database and writing to it, on both kinds."""

from __future__ import annotations

from contextlib import AbstractContextManager

from pore_plugin.storage import Database, Unit


def writing(database: Database, clinic: str = "clinic.one") -> AbstractContextManager[Unit]:
    return database.writing(clinic, "P-1", action="test", now=5)


def test_what_a_transaction_wrote_is_there_after_opening_again(database_url: str) -> None:
    with Database.open(database_url, environ={}) as database, writing(database) as unit:
        unit.records.put("plan", "r-1", b"{}", "sha256:1", at=4, patient="patient-1")
    with Database.open(database_url, environ={}) as database, writing(database) as unit:
        kept = unit.records.latest("plan", "r-1")
    assert kept is not None
    assert (kept.document, kept.recorded_at) == (b"{}", 5)
