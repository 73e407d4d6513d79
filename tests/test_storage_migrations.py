"""Bringing a database up to date, on both kinds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from databases import PostgresServer
from pore_plugin.contracts import ProblemsError
from pore_plugin.storage import Database, engine, migrating, revisions, tables
from pore_plugin.storage.backup import restore, verify

CLINIC, OTHER = "clinic.one", "clinic.two"
# Moves a column's data, makes a table anew on SQLite, and adds one: what later migrations will do.
NEXT = """
import sqlalchemy as sa
from alembic import op
from pore_plugin.storage.migrations.protecting import protect
revision, down_revision = "0002", "0001"
def upgrade():
    with op.batch_alter_table("patient") as patient:
        patient.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
        patient.alter_column("host", new_column_name="seat")
    op.execute("UPDATE patient SET note = seat || '!'")
    op.create_table(
        "extra", sa.Column("clinic", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("clinic", name="pk_extra")
    )
    protect("extra")
    BREAK
"""


def codes(caught: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in caught.value.problems]


def fill(url: str) -> None:
    with Database.open(url, environ={}) as database:
        for clinic in (CLINIC, OTHER):
            with database.writing(clinic, "P-1", action="test", now=5) as unit:
                unit.patients.note("patient-1", clinic, 1)
                unit.records.put("plan", "r-1", b"{}", "d", at=4, patient="patient-1")


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A version of pore-plugin with one migration more, whose file can be written over."""
    folder = tmp_path / "100 % of versions"
    folder.mkdir()
    (folder / "0002_next.py").write_text(NEXT.replace("BREAK", "pass"))
    monkeypatch.setattr(revisions, "ORDER", (*revisions.ORDER, "0002"))
    monkeypatch.setattr(revisions, "FOLDERS", (*revisions.FOLDERS, folder))
    # A server's database has its backups in the user's own folder.
    monkeypatch.setattr(engine, "default_path", lambda: tmp_path / "database" / "records.sqlite")
    return folder / "0002_next.py"


def patients(database: Database, clinic: str = CLINIC) -> list[tuple[object, ...]]:
    with database.transaction(clinic) as connection:
        found = connection.execute(text("SELECT seat, note FROM patient WHERE clinic = :c"), {"c": clinic})
        return [tuple(row) for row in found]


def backups(folder: Path) -> list[Path]:
    return sorted((folder / "database" / "backups").glob("*"))


def test_the_known_revisions_are_those_of_the_folder() -> None:
    folder = Path(migrating.__file__).parent / "migrations"
    script = ScriptDirectory(str(folder), version_locations=[str(f) for f in revisions.FOLDERS])
    assert tuple(reversed([one.revision for one in script.walk_revisions()])) == revisions.ORDER


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    with database.transaction(mode="read") as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": revisions.TABLE, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, tables.metadata) == []


def test_a_comparison_would_notice_a_difference(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(text("DROP INDEX ix_step_clinic_plan"))
        context = MigrationContext.configure(connection, opts={"version_table": revisions.TABLE})
        assert [change[0] for change in compare_metadata(context, tables.metadata)] == ["add_index"]


def test_opening_loads_what_migrates_only_where_it_has_to(sqlite_template: Path, tmp_path: Path) -> None:
    program = "import sys; from pore_plugin.storage import Database; Database.open(sys.argv[1]); print(*sys.modules)"
    for path, wanted in ((sqlite_template, False), (tmp_path / "new.sqlite", True)):
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
        )
        assert ("alembic" in done.stdout.split()) is wanted


def test_an_older_database_is_migrated_after_a_backup(database_url: str, next_version: Path, tmp_path: Path) -> None:
    assert next_version.exists()
    older(fill, database_url)
    with Database.open(database_url, environ={}) as database:
        assert patients(database) == [(CLINIC, f"{CLINIC}!")]
        assert patients(database, OTHER) == [(OTHER, f"{OTHER}!")]
    (kept,) = backups(tmp_path)
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert kept.name == "records-before-0002.sqlite"
    assert older(verify, kept).tables["patient"].rows == 2
    with Database.open(database_url, environ={}) as database:
        assert patients(database) == [(CLINIC, f"{CLINIC}!")]
        assert database.migration_backups() == [kept]


def older(act, *args):  # type: ignore[no-untyped-def]
    """Do something as the version before would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(revisions, "ORDER", revisions.ORDER[:1])
        patch.setattr(revisions, "FOLDERS", revisions.FOLDERS[:1])
        return act(*args)


def test_the_backup_of_before_can_be_restored_by_the_version_of_before(
    database_url: str, next_version: Path, tmp_path: Path
) -> None:
    assert next_version.exists()
    older(fill, database_url)
    Database.open(database_url, environ={}).close()
    (kept,) = backups(tmp_path)

    def go_back() -> int:
        with Database.open(str(tmp_path / "again.sqlite"), environ={}) as database:
            restore(database, OTHER, kept, actor="P-1", now=9)
            with database.writing(OTHER, "P-1", action="test", now=10) as unit:
                return len(unit.records.of_kind("plan"))

    assert older(go_back) == 1


@pytest.mark.parametrize("how", ["raise ValueError('patient-1')", "op.execute('SELECT nothing FROM nowhere')"])
def test_a_migration_that_fails_leaves_the_old_state(
    database_url: str, next_version: Path, tmp_path: Path, how: str
) -> None:
    older(fill, database_url)
    next_version.write_text(NEXT.replace("BREAK", how))
    with pytest.raises(ProblemsError) as caught:
        Database.open(database_url, environ={})
    assert codes(caught) == ["storage.migration_failed"]
    assert "patient-1" not in caught.value.problems[0].sentence
    assert "nowhere" not in caught.value.problems[0].sentence

    def still_works() -> None:
        with Database.open(database_url, environ={}) as database:
            with database.writing(CLINIC, "P-1", action="test", now=6) as unit:
                assert [row.host for row in unit.patients.all()] == [CLINIC]
            with database.transaction(mode="read") as connection:
                context = MigrationContext.configure(connection, opts={"version_table": revisions.TABLE})
                assert compare_metadata(context, tables.metadata) == []

    older(still_works)
    assert len(backups(tmp_path)) == 1


def test_row_level_security_holds_after_a_migration(
    database_url: str, next_version: Path, postgres_server: PostgresServer
) -> None:
    assert next_version.exists()
    if database_url.startswith("sqlite"):
        return
    older(fill, database_url)
    Database.open(database_url, environ={}).close()
    name = database_url.rpartition("/")[0] and database_url.split("@/")[1].split("?")[0]
    open_tables = postgres_server.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND NOT (relrowsecurity AND relforcerowsecurity)",
        name,
    )
    assert open_tables == [(revisions.TABLE,)]


def test_two_that_open_at_once_migrate_once(database_url: str, next_version: Path, tmp_path: Path) -> None:
    older(fill, database_url)
    next_version.write_text(NEXT.replace("BREAK", "import time; time.sleep(1)"))
    program = f"""
import sys
from pathlib import Path
from pore_plugin.storage import Database, engine, revisions
revisions.ORDER += ("0002",)
revisions.FOLDERS += (Path({str(next_version.parent)!r}),)
beside = Path({str(tmp_path / "database" / "records.sqlite")!r})
engine.default_path = lambda: beside
Database.open(sys.argv[1], environ={{}}).close()
"""
    running = [
        subprocess.Popen([sys.executable, "-c", program, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [one.communicate(timeout=120)[1] for one in running]
    assert [one.returncode for one in running] == [0, 0, 0], said
    with Database.open(database_url, environ={}) as database:
        assert patients(database) == [(CLINIC, f"{CLINIC}!")]
    assert len(backups(tmp_path)) == 1


def test_a_newer_database_is_refused_and_left_alone(database_url: str, next_version: Path) -> None:
    assert next_version.exists()
    Database.open(database_url, environ={}).close()
    with pytest.raises(ProblemsError) as caught:
        older(Database.open, database_url)
    assert codes(caught) == ["storage.newer"]
    assert "0002" in caught.value.problems[0].sentence
    Database.open(database_url, environ={}).close()


def test_an_older_database_is_not_changed_where_that_is_not_wanted(database_url: str, next_version: Path) -> None:
    assert next_version.exists()
    with pytest.raises(ProblemsError) as caught:
        Database.open(database_url, environ={}, migrate=False)
    assert codes(caught) == ["storage.older"]


def test_the_database_of_another_program_is_refused(database_url: str) -> None:
    with Database.open(database_url, environ={}) as database, database.transaction() as connection:
        connection.execute(text(f"DROP TABLE {revisions.TABLE}"))
    with pytest.raises(ProblemsError) as caught:
        Database.open(database_url, environ={})
    assert codes(caught) == ["storage.foreign"]


def test_keys_that_a_migration_breaks_undo_it(sqlite_template: Path, next_version: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    path.touch(0o600)
    path.write_bytes(sqlite_template.read_bytes())
    older(fill, str(path))
    next_version.write_text(NEXT.replace("BREAK", 'op.execute("DELETE FROM clinic")'))
    with pytest.raises(ProblemsError) as caught:
        Database.open(str(path), environ={})
    assert codes(caught) == ["storage.migration_failed"]
    assert older(verify, backups_beside(path)[0]).tables["clinic"].rows == 2


def backups_beside(path: Path) -> list[Path]:
    return sorted((path.parent / "backups").glob("*"))
