"""Backups of one clinic: whole, private, put back all or nothing, and nobody erased comes back with them."""

from __future__ import annotations

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from charts import FIRST, LATER, SECOND, desk_at, put_chart
from pore_plugin.contracts import ProblemsError
from pore_plugin.practice import auditing, backups, patients, privacy
from pore_plugin.storage import Database

WHY = "Asked for in writing."


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir(mode=0o700)
    return folder / "one.backup"


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    """Another, empty database."""
    return Database.open(str(tmp_path / "other" / "records.sqlite"), environ={})


def test_a_backup_is_private_is_read_again_and_says_where_the_audit_ends(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    taken = backups.take(desk, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {one.table: one.rows for one in taken.tables}["record"] == 8
    assert auditing.verify(desk, noted=taken.audit).intact
    assert backups.verify(desk, file) == taken


def test_a_backup_of_one_clinic_holds_nothing_of_another(database: Database, file: Path) -> None:
    with desk_at(database, LATER, id="neighbour").use("setup") as unit:
        put_chart(unit, "neighbours-patient")
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    data = file.read_bytes()
    assert FIRST.encode() in data
    assert b"neighbour" not in data
    with pytest.raises(ProblemsError) as error:
        backups.verify(desk_at(database, LATER, id="neighbour"), file)
    assert codes(error) == ["backup.other_clinic"]


def test_an_audit_that_was_changed_is_found_in_a_backup(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    with database.transaction(desk.clinic.id) as connection:
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE seq = 1"))
    backups.take(desk, file)
    with pytest.raises(ProblemsError) as error:
        backups.verify(desk, file)
    assert codes(error) == ["backup.audit"]


def test_a_restore_brings_everything_back_and_the_clinic_is_paused_until_somebody_looked(
    database: Database, file: Path, empty: Database
) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        kept = {(row.kind, row.id): row.document for row in unit.records.of_patient([FIRST])}
    backups.take(desk, file)
    with empty:
        there = desk_at(empty, LATER + timedelta(days=1))
        report = backups.restore(there, file)
        assert (report.applied, report.erased_again, report.problems) == (True, 0, ())
        with there.use("look") as unit:
            assert unit.paused == report.paused
            assert {(row.kind, row.id): row.document for row in unit.records.of_patient([FIRST])} == kept
        assert auditing.verify(there).intact
        resumed = backups.resume(there, "Compared with the host.")
        assert resumed.was == report.paused
        with there.use("look") as unit:
            assert unit.paused is None
        assert backups.resume(there, "Again.").paused_at is None


def test_a_clinic_with_records_is_only_replaced_when_told_to(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    report = backups.restore(desk, file)
    assert (report.applied, [one.code for one in report.problems]) == (False, ["backup.not_empty"])
    assert {one.kind: one.count for one in report.replaced}["treatment-record"] == 2
    with desk.use("look") as unit:
        assert unit.patients.get(SECOND) is not None
        assert unit.paused is None
    done = backups.restore(desk, file, replace=True)
    assert done.applied
    assert done.lost_entries > 0
    with desk.use("look") as unit:
        assert unit.patients.get(SECOND) is None


def test_whoever_was_erased_since_is_erased_again_by_a_restore(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second", used_for=(FIRST,))
    backups.take(desk, file)
    privacy.erase(desk_at(database, LATER + timedelta(days=1)), FIRST, WHY, apply=True)
    later = desk_at(database, LATER + timedelta(days=2))
    report = backups.restore(later, file, replace=True)
    assert (report.erased_again, report.tombstones) == (1, 1)
    with later.use("look") as unit:
        assert [row.patient for row in unit.patients.all()] == [SECOND]
        assert all(FIRST.encode() not in row.document for row in unit.records.of_patient([SECOND]))
    with pytest.raises(ProblemsError) as caught:
        auditing.who(later, FIRST)
    assert [problem.code for problem in caught.value.problems] == ["patient.unknown"]
    assert auditing.verify(later).intact


def test_a_hold_that_was_set_since_the_backup_stands_on_after_a_restore(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    patients.hold(desk, FIRST, "A claim was announced.")
    assert backups.restore(desk, file, replace=True).applied
    (entry,) = patients.list_patients(desk).patients
    assert entry.hold == "A claim was announced."


def test_tombstones_that_were_kept_apart_erase_again_in_a_new_database(
    database: Database, file: Path, empty: Database
) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    privacy.erase(desk_at(database, LATER + timedelta(days=1)), FIRST, WHY, apply=True)
    kept_apart = privacy.tombstones(desk)
    with empty:
        there = desk_at(empty, LATER + timedelta(days=2))
        report = backups.restore(there, file, erased=kept_apart)
        assert (report.erased_again, report.tombstones) == (1, 1)
        with there.use("look") as unit:
            assert unit.patients.all() == []
        if empty.path is not None:
            left = [one for one in empty.path.parent.rglob("*") if FIRST.encode() in one.read_bytes()]
            assert left == []


def test_tombstones_of_another_database_are_refused_and_nothing_is_restored(
    database: Database, file: Path, empty: Database
) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    with empty:
        there = desk_at(empty, LATER)
        foreign = privacy.tombstones(there)
        with pytest.raises(ProblemsError) as error:
            backups.restore(there, file, erased=foreign)
        assert codes(error) == ["tombstones.other_database"]
        with there.use("look") as unit:
            assert unit.patients.all() == []
            assert unit.paused is None


def test_an_erasure_names_the_backups_that_were_taken_before(database: Database, file: Path) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    backups.take(desk, file)
    assert str(file) in privacy.erase(desk, FIRST, WHY).backups
