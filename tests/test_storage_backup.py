"""Backups and what comes back from them, from and into both kinds of database."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from pore_plugin.contracts import ProblemsError
from pore_plugin.storage import Database, Unit
from pore_plugin.storage.backup import backup, restore, verify

CLINIC, OTHER = "clinic.one", "clinic.two"


def writing(database: Database, clinic: str = CLINIC, now: int = 5) -> AbstractContextManager[Unit]:
    return database.writing(clinic, "P-1", action="test", now=now)


def fill(database: Database, clinic: str = CLINIC, patients: int = 3) -> None:
    with writing(database, clinic) as unit:
        for number in range(patients):
            name = f"Zoë-{number}"
            unit.patients.note(name, "host", 1)
            pins = [("pore.form.x", "1.0.0", "sha256:p")]
            unit.records.put("plan", f"r-{number}", bytes([number, 0, 255]), "d", at=4, patient=name, pins=pins)


def ids(database: Database, clinic: str = CLINIC) -> dict[str, bytes]:
    with writing(database, clinic, 9) as unit:
        return {row.id: row.document for row in unit.records.of_kind("plan")}


def codes(caught: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in caught.value.problems]


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database beside the one under test."""
    with Database.open(str(tmp_path / "other" / "records.sqlite"), environ={}) as opened:
        yield opened


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Path:
    """A backup of three patients."""
    fill(database)
    fill(database, OTHER, 1)
    path = tmp_path / "backups" / "one.sqlite"
    backup(database, CLINIC, path, now=100)
    return path


def test_a_backup_is_private_and_names_what_it_holds(database: Database, kept: Path) -> None:
    manifest = verify(kept)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert (manifest.clinic, manifest.taken_at) == (CLINIC, 100)
    assert {name: one.rows for name, one in manifest.tables.items() if one.rows} == {
        "audit": 3,
        "clinic": 1,
        "patient": 3,
        "pin": 3,
        "record": 3,
    }
    assert manifest.heads[CLINIC].seq == 3
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_backup_holds_nothing_of_another_clinic(database: Database, tmp_path: Path) -> None:
    fill(database)
    with writing(database, OTHER) as unit:
        unit.records.put("plan", "r-9", b"canary-9137", "d", at=4, patient="p")
    backup(database, CLINIC, tmp_path / "one.sqlite", now=1)
    assert b"canary-9137" not in (tmp_path / "one.sqlite").read_bytes()


def test_the_same_rows_have_the_same_hashes_on_both_databases(
    database: Database, kept: Path, empty: Database, tmp_path: Path
) -> None:
    restore(empty, CLINIC, kept, actor="P-1", now=200)
    first, again = verify(kept).tables, backup(empty, CLINIC, tmp_path / "again.sqlite", now=300).tables
    # Those two know of the restore itself.
    assert {name for name in first if first[name] != again[name]} == {"audit", "clinic"}


def test_a_backup_replaces_no_file(database: Database, kept: Path) -> None:
    before = kept.read_bytes()
    with pytest.raises(ProblemsError) as caught:
        backup(database, CLINIC, kept, now=100)
    assert codes(caught) == ["backup.exists"]
    assert kept.read_bytes() == before


def test_a_backup_that_is_killed_leaves_no_file_and_the_next_one_tidies_up(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    fill(database, patients=250)
    path = tmp_path / "backups" / "one.sqlite"
    program = """
import sys
from pathlib import Path
from pore_plugin.storage import Database
from pore_plugin.storage.backup import backup
with Database.open(sys.argv[1], environ={}) as database:
    backup(database, "clinic.one", Path(sys.argv[2]), now=1)
"""
    with subprocess.Popen([sys.executable, "-c", program, database_url, str(path)]) as other:
        while not (path.parent.is_dir() and any(path.parent.iterdir())):
            assert other.poll() is None
            time.sleep(0.001)
        other.kill()
    assert [one.suffix for one in path.parent.iterdir()] == [".part"]
    backup(database, CLINIC, path, now=2)
    assert list(path.parent.iterdir()) == [path]
    assert verify(path).tables["record"].rows == 250


def test_a_clinic_comes_back_paused_with_its_audit(database: Database, kept: Path, empty: Database) -> None:
    done = restore(empty, CLINIC, kept, actor="P-2", now=200)
    assert done.replaced == {}
    assert ids(empty) == {"r-0": b"\0\0\xff", "r-1": b"\1\0\xff", "r-2": b"\2\0\xff"}
    with writing(empty) as unit:
        assert (unit.paused, unit.paused_at) == ("restored", 200)
        assert list(unit.audit.faults()) == []
        assert [entry.action for entry in unit.audit.entries()][:4] == ["test", "test", "test", "restore"]


def test_a_backup_of_sqlite_comes_back_into_either_kind(database: Database, empty: Database, tmp_path: Path) -> None:
    fill(empty)
    backup(empty, CLINIC, tmp_path / "one.sqlite", now=1)
    restore(database, CLINIC, tmp_path / "one.sqlite", actor="P-1", now=2)
    assert ids(database) == ids(empty)


def test_a_clinic_with_records_is_replaced_only_when_asked(database: Database, kept: Path) -> None:
    with writing(database) as unit:
        unit.records.put("plan", "r-new", b"new", "d", at=4, patient="p")
    with pytest.raises(ProblemsError) as caught:
        restore(database, CLINIC, kept, actor="P-1", now=2)
    assert codes(caught) == ["backup.not_empty"]
    assert "r-new" in ids(database)
    done = restore(database, CLINIC, kept, actor="P-1", now=2, replace=True)
    assert done.replaced["record"] == 4
    assert set(ids(database)) == {"r-0", "r-1", "r-2"}
    assert set(ids(database, OTHER)) == {"r-0"}


def test_whoever_was_erased_after_the_backup_is_known_and_erased_again(database: Database, kept: Path) -> None:
    with writing(database) as unit:
        unit.patients.bury("Zoë-1", "asked", b"{}")
        unit.patients.forget(["Zoë-1"])
    brought_back: list[str] = []

    def reapply(unit: Unit) -> None:
        brought_back.extend(unit.patients.buried())
        unit.patients.forget(brought_back)

    restore(database, CLINIC, kept, actor="P-1", now=2, replace=True, reapply=reapply)
    assert brought_back == ["Zoë-1"]
    assert set(ids(database)) == {"r-0", "r-2"}
    with writing(database) as unit:
        assert list(unit.audit.faults()) == []


def test_tombstones_of_another_beginning_are_not_thrown_away(database: Database, kept: Path, empty: Database) -> None:
    fill(empty)
    with writing(empty) as unit:
        unit.patients.bury("Zoë-1", "asked", b"{}")
    with pytest.raises(ProblemsError) as caught:
        restore(empty, CLINIC, kept, actor="P-1", now=2, replace=True)
    assert codes(caught) == ["backup.other_beginning"]


def test_a_backup_of_another_clinic_is_refused(database: Database, kept: Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        restore(database, "clinic.three", kept, actor="P-1", now=2)
    assert codes(caught) == ["backup.other_clinic"]


def test_a_restore_that_fails_at_its_end_leaves_the_clinic_as_it_was(database: Database, kept: Path) -> None:
    with writing(database) as unit:
        unit.records.put("plan", "r-new", b"new", "d", at=4, patient="p")
    before = ids(database)

    def fail(_: Unit) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        restore(database, CLINIC, kept, actor="P-1", now=2, replace=True, reapply=fail)
    assert ids(database) == before


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE record SET document = x'00' WHERE id = 'r-1'", "backup.changed"),
        ("DELETE FROM pin", "backup.changed"),
        ("UPDATE pore_manifest_table SET rows = 4 WHERE name = 'record'", "backup.changed"),
        ("UPDATE pore_manifest SET value = 'clinic.two' WHERE name = 'clinic'", "backup.changed"),
        ("CREATE TABLE more (x)", "backup.changed"),
        ("CREATE VIEW more AS SELECT 1", "backup.changed"),
        ("CREATE TRIGGER more AFTER INSERT ON audit BEGIN DELETE FROM record; END", "backup.changed"),
        ("DROP TABLE pore_manifest", "backup.unknown"),
        ("UPDATE pore_manifest SET value = '2' WHERE name = 'format'", "backup.unknown"),
        ("UPDATE pore_revision SET version_num = '9999'", "storage.newer"),
    ],
)
def test_a_changed_backup_is_refused(sqlite_template: Path, tmp_path: Path, statement: str, code: str) -> None:
    path = sqlite_backup(sqlite_template, tmp_path)
    with closing(sqlite3.connect(path)) as file:
        file.execute(statement)
        file.commit()
    with pytest.raises(ProblemsError) as caught:
        verify(path)
    assert codes(caught) == [code]


def sqlite_backup(template: Path, folder: Path) -> Path:
    shutil.copy(template, folder / "records.sqlite")
    with Database.open(str(folder / "records.sqlite"), environ={}) as database:
        fill(database)
        backup(database, CLINIC, folder / "one.sqlite", now=1)
    return folder / "one.sqlite"


def test_a_broken_audit_chain_is_named_and_keeps_no_record_away(
    sqlite_template: Path, tmp_path: Path, empty: Database
) -> None:
    shutil.copy(sqlite_template, tmp_path / "records.sqlite")
    with Database.open(str(tmp_path / "records.sqlite"), environ={}) as database:
        fill(database)
        with database.transaction(CLINIC) as connection:
            connection.exec_driver_sql("UPDATE audit SET actor = 'P-9' WHERE seq = 2")
        backup(database, CLINIC, tmp_path / "one.sqlite", now=1)
    with pytest.raises(ProblemsError) as caught:
        verify(tmp_path / "one.sqlite")
    assert codes(caught) == ["backup.audit"]
    done = restore(empty, CLINIC, tmp_path / "one.sqlite", actor="P-1", now=2)
    assert not done.audit_holds
    assert set(ids(empty)) == {"r-0", "r-1", "r-2"}


@pytest.mark.parametrize("size", [0, 10, 99, 4096, -1])
def test_a_half_written_backup_is_refused(sqlite_template: Path, tmp_path: Path, size: int) -> None:
    path = sqlite_backup(sqlite_template, tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ProblemsError) as caught:
        verify(path)
    assert codes(caught)[0] in {"storage.corrupt", "backup.unknown"}


def test_a_database_is_no_backup_and_a_backup_no_database(sqlite_template: Path, tmp_path: Path) -> None:
    path = sqlite_backup(sqlite_template, tmp_path)
    with pytest.raises(ProblemsError) as caught:
        verify(tmp_path / "records.sqlite")
    assert codes(caught) == ["backup.unknown"]
    with pytest.raises(ProblemsError) as caught:
        Database.open(str(path), environ={})
    assert codes(caught) == ["storage.is_backup"]


def test_a_backup_that_others_can_read_is_refused(sqlite_template: Path, tmp_path: Path) -> None:
    path = sqlite_backup(sqlite_template, tmp_path)
    path.chmod(0o640)
    with pytest.raises(ProblemsError) as caught:
        verify(path)
    assert codes(caught) == ["storage.permissions_too_wide"]


def test_a_record_that_was_changed_before_the_backup_is_named(database: Database, tmp_path: Path) -> None:
    fill(database)
    with database.transaction(CLINIC) as connection:
        connection.exec_driver_sql("UPDATE record SET digest = 'other' WHERE id = 'r-1'")
    path = tmp_path / "backups"
    path.mkdir(mode=0o700)
    backup(database, CLINIC, path / "one.sqlite", now=100)
    with pytest.raises(ProblemsError) as caught:
        verify(path / "one.sqlite")
    assert codes(caught) == ["backup.audit"]
