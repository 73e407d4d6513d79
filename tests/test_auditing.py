"""The audit: every change made behind its back is found, and looking at it is in it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from charts import ADMIN, FIRST, LATER, SECOND, desk_at, put_chart
from pore_plugin.contracts import AuditHead
from pore_plugin.practice import Desk, auditing, corrections, exports, patients, privacy
from pore_plugin.storage import Database


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk with a chart, and four entries in the audit."""
    made = desk_at(database, LATER)
    with made.use("setup") as unit:
        put_chart(unit)
    for _ in range(3):
        exports.export_patient(made, FIRST)
    return made


def tamper(desk: Desk, statement: str, **values: object) -> None:
    """Change rows as somebody would who can write to the database."""
    with desk.database.transaction(desk.clinic.id) as connection:
        connection.execute(text(statement), values)


def found(desk: Desk) -> set[tuple[int, str]]:
    check = auditing.verify(desk)
    assert check.intact is not bool(check.faults)
    return {(one.number, one.fault) for one in check.faults}


def test_an_audit_that_nobody_touched_is_intact(desk: Desk) -> None:
    check = auditing.verify(desk)
    assert (check.intact, check.faults, check.entries, check.erased) == (True, (), 4, 0)
    assert check.head.number == 4


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("at = at + 1", "chain"),
        ("actor = 'somebody-else'", "chain"),
        ("action = 'nothing'", "chain"),
        ("patient = 'patient-2'", "details"),
        ("patient = NULL", "details"),
        ("salt = :bytes", "details"),
        ("salt = NULL", "details"),
        ("details = :bytes", "details"),
        ("details = NULL", "details"),
        ("sealed = :bytes", "chain"),
        ("hash = :bytes", "chain"),
        ("seq = 40", "gap"),
        ("clinic = 'other-clinic'", "gap"),
    ],
)
def test_a_change_of_any_column_is_found_at_its_entry(desk: Desk, change: str, fault: str) -> None:
    if "clinic" in change:
        tamper(desk, "DELETE FROM audit WHERE seq = 3")
    else:
        values = {"bytes": b"x" * 32} if ":bytes" in change else {}
        tamper(desk, f"UPDATE audit SET {change} WHERE seq = 3", **values)  # noqa: S608  from the list above
    faults = found(desk)
    assert fault in {one for _, one in faults}
    assert min(number for number, _ in faults if number) in (3, 4)


def test_every_column_of_the_audit_is_tampered_with_above() -> None:
    from pore_plugin.storage import tables

    marks = test_a_change_of_any_column_is_found_at_its_entry.pytestmark  # type: ignore[attr-defined]
    changed = {case[0].partition(" ")[0] for case in marks[0].args[1]}
    assert changed == set(tables.audit.columns.keys())


def test_an_end_that_was_cut_off_is_found(desk: Desk) -> None:
    tamper(desk, "DELETE FROM audit WHERE seq > 2")
    assert (0, "head") in found(desk)


def test_an_end_that_was_cut_off_with_its_own_record_is_found_by_what_was_noted_elsewhere(desk: Desk) -> None:
    noted = auditing.verify(desk).head
    tamper(desk, "DELETE FROM audit WHERE seq > 2")
    tamper(desk, "UPDATE clinic SET audit_seq = 2, audit_head = (SELECT hash FROM audit WHERE seq = 2)")
    assert found(desk) == set()
    check = auditing.verify(desk, noted=noted)
    assert [(one.number, one.fault) for one in check.faults] == [(noted.number, "head")]


def test_what_was_noted_still_stands_while_the_chain_goes_on(desk: Desk) -> None:
    noted = auditing.verify(desk).head
    exports.export_patient(desk, FIRST)
    assert auditing.verify(desk, noted=noted).intact
    assert not auditing.verify(desk, noted=AuditHead(number=1, hash="0" * 64)).intact


def test_who_names_the_person_the_moment_and_what_was_read(desk: Desk) -> None:
    first, *later = auditing.who(desk, FIRST).entries
    assert (first.actor, first.action, first.patient) == (ADMIN, "setup", FIRST)
    assert {(one.mode, one.kind) for one in first.records} >= {("write", "consultation"), ("write", "treatment-record")}
    assert {one.action for one in later} == {"patient.export"}
    assert {one.mode for one in later[0].records} == {"read"}


def test_reading_the_audit_is_in_the_audit(desk: Desk) -> None:
    auditing.who(desk, FIRST)
    last = auditing.who(desk, FIRST).entries[-1]
    assert (last.actor, last.action) == (ADMIN, "audit.who")


def test_who_reads_under_every_id_of_a_merged_patient(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    patients.merge(desk, SECOND, FIRST, "Registered twice.")
    listed = auditing.who(desk, SECOND)
    assert listed.ids == (FIRST, SECOND)
    assert {one.patient for one in listed.entries} == {FIRST, SECOND}


def test_an_erased_patient_has_no_entries_and_the_chain_holds(desk: Desk) -> None:
    before = auditing.verify(desk).head
    privacy.erase(desk, FIRST, "Asked for in writing.", apply=True)
    assert auditing.who(desk, FIRST).entries == ()
    check = auditing.verify(desk, noted=before)
    assert check.intact
    assert check.erased == 4


def test_an_entry_about_another_that_held_an_erased_ones_record_keeps_who_and_when(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    privacy.erase(desk, SECOND, "Asked for in writing.", apply=True)
    entries = auditing.who(desk, FIRST).entries
    erased = [one for one in entries if one.erased]
    assert erased
    assert all(one.actor == ADMIN and one.records == () for one in erased)
    assert "treatment-1" not in auditing.who(desk, FIRST).to_json().decode()
    assert auditing.verify(desk).intact
