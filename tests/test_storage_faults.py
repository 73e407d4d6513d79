"""What goes wrong between us and a database, made to go wrong for real: a sentence, and the previous state intact."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from databases import PostgresServer
from pore_plugin.contracts import Problem, ProblemsError
from pore_plugin.storage import Database, Unit, engine, tables

CLINIC = "clinic.one"
CANARY = "canary-5512"
NOBODY = 65534


def writing(database: Database, clinic: str = CLINIC) -> AbstractContextManager[Unit]:
    return database.writing(clinic, "P-1", action="test", now=5)


def put(unit: Unit, name: str, document: bytes = b"{}") -> None:
    unit.records.put("plan", name, document, name, at=4, patient="patient-1")


def ids(database: Database) -> set[str]:
    with writing(database) as unit:
        return {row.id for row in unit.records.of_kind("plan")}


@contextlib.contextmanager
def refused(code: str) -> Iterator[list[Problem]]:
    """The block raises exactly this problem, and shows neither a value nor a statement."""
    problems: list[Problem] = []
    with pytest.raises(ProblemsError) as caught:
        yield problems
    problems += caught.value.problems
    assert [problem.code for problem in problems] == [code]
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for word in (CANARY, "INSERT", "SELECT", "UPDATE", "sqlalche"):
        assert word not in problems[0].sentence + problems[0].next_step


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that a person would not notice."""
    monkeypatch.setattr(engine, "_BUSY_MS", 300)
    monkeypatch.setattr(engine, "_STATEMENT_MS", 600)


@pytest.fixture
def path(sqlite_template: Path) -> Iterator[Path]:
    """A database file in a folder that other users can reach: of this test alone."""
    with tempfile.TemporaryDirectory(prefix="pore-faults-") as folder:
        shutil.copy(sqlite_template, Path(folder) / "records.sqlite")
        yield Path(folder) / "records.sqlite"


# Files that are not private


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_file_that_others_can_open_is_refused_with_the_command_that_mends_it(path: Path, mode: int) -> None:
    path.chmod(mode)
    with refused("storage.permissions_too_wide") as problems:
        Database.open(str(path))
    assert problems[0].next_step.endswith(f"chmod 600 {path}")
    assert path.stat().st_mode & 0o777 == mode
    subprocess.run(problems[0].next_step.partition("then: ")[2], shell=True, check=True)  # noqa: S602
    Database.open(str(path)).close()


def test_a_log_beside_it_that_others_can_open_is_refused(path: Path) -> None:
    path.with_name("records.sqlite-wal").touch(0o644)
    with refused("storage.permissions_too_wide") as problems:
        Database.open(str(path))
    assert "records.sqlite-wal" in problems[0].next_step


def test_a_link_is_refused(path: Path) -> None:
    link = path.with_name("link.sqlite")
    link.symlink_to(path)
    with refused("storage.link"):
        Database.open(str(link))
    link.unlink()
    link.symlink_to(path.with_name("not-there.sqlite"))
    with refused("storage.link"):
        Database.open(str(link))
    assert not path.with_name("not-there.sqlite").exists()


def test_nobody_is_told_to_change_the_mode_of_a_file_that_is_not_ours(path: Path) -> None:
    path.write_text("root:x:0:0")
    path.chmod(0o644)
    with refused("storage.not_a_database"):
        Database.open(str(path))


def test_a_path_through_a_file_leads_nowhere(path: Path) -> None:
    with refused("storage.cannot_open"):
        Database.open(str(path / "records.sqlite"))


def test_a_folder_is_no_database(path: Path) -> None:
    with refused("storage.not_a_file"):
        Database.open(str(path.parent))


def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "new" / "deep"
        with Database.open(str(folder / "records.sqlite")) as database, writing(database) as unit:
            put(unit, "r-1")
            modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"records.sqlite": 0o600, "records.sqlite-wal": 0o600, "records.sqlite-shm": 0o600}
    assert [one.stat().st_mode & 0o777 for one in (folder, folder.parent)] == [0o700, 0o700]


def test_a_database_that_is_not_there_is_not_made_where_that_is_not_wanted(tmp_path: Path) -> None:
    with refused("storage.missing"):
        Database.open(str(tmp_path / "none" / "records.sqlite"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_the_settings_hold_on_every_connection(path: Path) -> None:
    with Database.open(str(path)) as database, database.transaction() as one, database.transaction(mode="read") as two:
        for connection in (one, two):
            found = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
            }
            assert found == {
                "journal_mode": "wal",
                "synchronous": 2,
                "foreign_keys": 1,
                "secure_delete": 1,
                "busy_timeout": 10_000,
            }


# Locked, read-only, full


def test_another_process_that_keeps_the_lock_is_named(database: Database, database_url: str, impatient: None) -> None:
    with writing(database) as unit:
        put(unit, "r-1")
    program = """
import sys
from pore_plugin.storage import Database
with Database.open(sys.argv[1], environ={}) as d, d.writing("clinic.one", "P", action="test", now=1) as unit:
    print("locked", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with Database.open(database_url, environ={}) as mine, refused("storage.locked"), writing(mine) as unit:
            put(unit, "r-2")
        other.communicate("")
    assert ids(database) == {"r-1"}


def test_a_reader_is_not_kept_waiting_by_a_writer(database: Database, impatient: None) -> None:
    with writing(database) as unit:
        put(unit, "r-1")
        with database.transaction(CLINIC, mode="read") as connection:
            assert connection.execute(text("SELECT count(*) FROM record")).scalar_one() == 0


@contextlib.contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Act as a user without rights of its own, who owns the folder and what is in it."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("file_mode", "folder_mode"),
    [(0o400, 0o700), (0o600, 0o500)],
)
def test_a_file_or_folder_that_is_read_only(path: Path, file_mode: int, folder_mode: int) -> None:
    with Database.open(str(path)) as database, writing(database) as unit:
        put(unit, "r-1")
    path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    with as_nobody(path.parent):
        with refused("storage.read_only"):
            Database.open(str(path))
        assert list(path.parent.iterdir()) == [path]
        path.parent.chmod(0o700)
        path.chmod(0o600)
        with Database.open(str(path)) as database:
            assert ids(database) == {"r-1"}


def test_a_file_that_may_not_be_read(path: Path) -> None:
    path.chmod(0o000)
    with as_nobody(path.parent), refused("storage.permission"):
        Database.open(str(path))


def test_a_full_disk_stores_nothing_and_breaks_nothing(path: Path) -> None:
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_storage_faults import fill_up
fill_up(sys.argv[1])
"""
    folder = path.parent / "small"
    folder.mkdir(mode=0o700)
    words = ["unshare", "-Urm"] if os.geteuid() else ["unshare", "-m"]
    script = 'mount -t tmpfs -o size=1m,mode=700 tmpfs "$1" && cp -p "$2" "$1/records.sqlite" && exec "$3" -c "$4" "$1"'
    small = [*words, "sh", "-c", script, "sh", str(folder), str(path), sys.executable, program]
    plain = [sys.executable, "-c", program, str(path.parent)]
    able = subprocess.run([*words, "mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, check=False)
    # Where no file system can be made, SQLite is told that the disk ends here.
    environment = {**os.environ, "PORE_TEST_PAGES": "" if able.returncode == 0 else "100"}
    done = subprocess.run(
        small if able.returncode == 0 else plain,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment,
    )
    assert done.stdout.split() == ["storage.full", "good", "storage.full"], done.stderr


def fill_up(folder: str) -> None:
    """Write until the disk is full, see that everything of before is there and that it goes on; then migrate on it."""
    path = Path(folder) / "records.sqlite"
    with Database.open(str(path)) as database:
        kept = set[str]()
        try:
            for number in range(1000):
                with writing(database) as unit:
                    if os.environ.get("PORE_TEST_PAGES"):
                        unit.connection.exec_driver_sql(f"PRAGMA max_page_count = {os.environ['PORE_TEST_PAGES']}")
                    put(unit, f"r-{number}", os.urandom(20_000))
                kept.add(f"r-{number}")
        except ProblemsError as error:
            print(error.problems[0].code)
        with database.transaction(CLINIC, mode="read") as connection:
            assert set(connection.execute(text("SELECT id FROM record")).scalars()) == kept
        database.check()
    with Database.open(str(path)) as database, database.transaction(CLINIC, mode="read") as connection:
        assert set(connection.execute(text("SELECT id FROM record")).scalars()) == kept
    print("good")
    if os.environ.get("PORE_TEST_PAGES"):
        print("storage.full")
        return
    try:
        Database.open(str(path.parent / "new.sqlite"))
    except ProblemsError as error:
        print(error.problems[0].code)


# Not a database, damaged, half written


@pytest.mark.parametrize("content", [b"x", b"PK\x03\x04" + bytes(5000), b"SQLite format 2\0" + bytes(5000)])
def test_another_file_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with refused("storage.not_a_database"):
        Database.open(str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize("cut", [50, 100, 4096, 40_000, -1])
def test_a_file_that_was_half_written_is_refused(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:cut])
    with refused("storage.corrupt"):
        Database.open(str(path))


def test_damage_inside_the_file_is_found(path: Path) -> None:
    with Database.open(str(path)) as database, writing(database) as unit:
        put(unit, "r-1")
    raw = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as file:
        (page,) = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'record'").fetchone()
    raw[(page - 1) * 4096 : page * 4096] = b"\xee" * 4096
    path.write_bytes(raw)
    with Database.open(str(path)) as database:
        with refused("storage.corrupt"):
            database.check()
        with refused("storage.corrupt"):
            ids(database)


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.write_bytes(b"")
    with Database.open(str(path)) as database:
        assert ids(database) == set()


def test_what_was_committed_before_a_kill_is_there_and_nothing_else(database: Database, database_url: str) -> None:
    program = """
import sys
from pore_plugin.storage import Database
with Database.open(sys.argv[1], environ={}) as d:
    for number in range(1000000):
        with d.writing("clinic.one", "P", action="test", now=1) as unit:
            unit.records.put("plan", f"r-{number}", bytes(3000), "d", at=1)
            unit.records.put("consent", f"r-{number}", bytes(3000), "d", at=1)
        print(number, flush=True)
"""
    for lines in (1, 7, 20):
        with subprocess.Popen(
            [sys.executable, "-c", program, database_url], stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None
            said = [int(other.stdout.readline()) for _ in range(lines)]
            os.kill(other.pid, signal.SIGKILL)
        with Database.open(database_url, environ={}) as again, writing(again) as unit:
            plans = {row.id for row in unit.records.of_kind("plan")}
            assert plans == {row.id for row in unit.records.of_kind("consent")}
            assert {f"r-{number}" for number in said} <= plans
            assert list(unit.audit.faults()) == []
            again.check()


# What the databases refuse


def test_what_breaks_a_rule_of_the_tables_is_said_without_values(database: Database) -> None:
    with writing(database) as unit:
        put(unit, "r-1")
    with refused("storage.conflict"), database.transaction(CLINIC) as connection:
        connection.execute(
            text("INSERT INTO patient (clinic, patient, host, first_at, last_at) VALUES (:c, :p, 'h', 1, 1)"),
            [{"c": CLINIC, "p": CANARY}, {"c": CLINIC, "p": CANARY}],
        )
    assert ids(database) == {"r-1"}


def test_a_statement_that_is_wrong_is_a_fault_of_ours_by_name(database: Database) -> None:
    with refused("storage.failed") as problems, database.transaction(CLINIC) as connection:
        connection.execute(text("SELECT nothing FROM nowhere WHERE x = :x"), {"x": CANARY})
    assert "nowhere" not in problems[0].sentence


def test_an_error_of_the_block_itself_is_not_touched(database: Database) -> None:
    def fail(unit: Unit) -> None:
        put(unit, "r-1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), writing(database) as unit:
        fail(unit)
    assert ids(database) == set()


def test_threads_share_a_database(database: Database) -> None:
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(5):
                with writing(database) as unit:
                    put(unit, f"{name}-{number}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"t-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(ids(database)) == 30
    with writing(database) as unit:
        assert list(unit.audit.faults()) == []


def test_nothing_of_what_was_deleted_stays_in_a_live_file(path: Path) -> None:
    with Database.open(str(path)) as database:
        with writing(database) as unit:
            put(unit, "r-1", CANARY.encode() * 1000)
        with database.transaction(CLINIC) as connection:
            connection.execute(text("DELETE FROM record"))
        files = list(path.parent.iterdir())
        assert any(CANARY.encode() in file.read_bytes() for file in files)
        database.scrub()
        assert not any(CANARY.encode() in file.read_bytes() for file in files)


def test_a_log_that_another_one_reads_cannot_be_emptied(path: Path, impatient: None) -> None:
    with Database.open(str(path)) as database:
        with writing(database) as unit:
            put(unit, "r-1")
        with database.transaction(CLINIC, mode="read") as connection:
            connection.execute(text("SELECT 1 FROM record")).all()
            with writing(database) as unit:
                put(unit, "r-2")
            with refused("storage.locked"):
                database.scrub()


# A server of one's own


@pytest.fixture
def server_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database on the server."""
    name = postgres_server.database(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


def name_of(url: str) -> str:
    return url.split("@/")[1].split("?")[0]


def test_a_role_that_sees_everything_is_refused(postgres_server: PostgresServer, server_url: str) -> None:
    with refused("storage.role"):
        Database.open(server_url.replace("pore_test@", "postgres@"), environ={})
    postgres_server.execute("CREATE ROLE pore_bypass LOGIN BYPASSRLS")
    with refused("storage.role"):
        Database.open(server_url.replace("pore_test@", "pore_bypass@"), environ={})
    postgres_server.execute("DROP ROLE pore_bypass")


def test_a_transaction_sees_and_writes_its_own_clinic_only(server_url: str) -> None:
    with Database.open(server_url, environ={}) as database:
        with writing(database) as unit:
            unit.patients.note("p", "host", 1)
            put(unit, "r-1")
        for clinic in ("clinic.two", None):
            with database.transaction(clinic) as connection:
                for table in tables.metadata.sorted_tables:
                    assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
                assert connection.execute(text("UPDATE record SET state = 'x'")).rowcount == 0
                assert connection.execute(text("DELETE FROM pin")).rowcount == 0
        statement = text("INSERT INTO lot (clinic, lot_key, lot, first_at) VALUES ('clinic.one', 'A', 'A', 1)")
        with refused("storage.permission"), database.transaction("clinic.two") as connection:
            connection.execute(statement)
        with refused("storage.permission"), database.transaction(CLINIC) as connection:
            connection.execute(text("UPDATE record SET clinic = 'clinic.two'"))
        with database.transaction(CLINIC) as connection:
            connection.execute(statement)
            assert connection.execute(text("SELECT count(*) FROM record")).scalar_one() == 1


def test_the_clinic_of_one_transaction_is_not_that_of_the_next(server_url: str) -> None:
    with Database.open(server_url, environ={}) as database:
        with database.transaction(CLINIC):
            pass
        with database.transaction() as connection:
            assert connection.execute(text("SELECT current_setting('pore.clinic', true)")).scalar_one() == ""


def test_nothing_of_what_was_deleted_stays_in_a_table_of_the_server(
    postgres_server: PostgresServer, server_url: str
) -> None:
    def held() -> bool:
        # What the server keeps in memory goes to its files, and files of tables that were written anew go away.
        postgres_server.execute("CHECKPOINT")
        tables_of_all = postgres_server.folder.glob("data/base/**/*")
        return any(CANARY.encode() in file.read_bytes() for file in tables_of_all if file.is_file())

    with Database.open(server_url, environ={}) as database:
        with writing(database) as unit:
            put(unit, "r-1", CANARY.encode())
        assert held()
        with database.transaction(CLINIC) as connection:
            connection.execute(text("DELETE FROM record"))
        assert held()
        database.scrub()
        assert not held()


def test_a_statement_without_end_is_called_off(server_url: str, impatient: None) -> None:
    with Database.open(server_url, environ={}) as database:
        with refused("storage.timeout"), database.transaction(CLINIC) as connection:
            connection.execute(text("SELECT pg_sleep(30)"))
        with database.transaction(CLINIC, mode="long") as connection:
            connection.execute(text("SELECT pg_sleep(1)"))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "storage.full"),
        ("25006", "storage.read_only"),
        ("40P01", "storage.locked"),
        ("40001", "storage.locked"),
        ("58030", "storage.io"),
        ("XX001", "storage.corrupt"),
        ("42501", "storage.permission"),
        ("P0001", "storage.failed"),
    ],
)
def test_what_a_server_says_has_a_name(server_url: str, state: str, code: str) -> None:
    statement = f"DO $$ BEGIN RAISE EXCEPTION '{CANARY}' USING ERRCODE = '{state}'; END $$"
    with Database.open(server_url, environ={}) as database:
        with refused(code), writing(database) as unit:
            put(unit, "r-1")
            unit.connection.execute(text(statement))
        assert ids(database) == set()


def test_a_connection_that_is_lost_before_the_commit_stores_nothing(
    postgres_server: PostgresServer, server_url: str
) -> None:
    with Database.open(server_url, environ={}) as database:
        with refused("storage.connection_lost"), writing(database) as unit:
            put(unit, "r-1")
            (pid,) = unit.connection.execute(text("SELECT pg_backend_pid()")).scalars()
            postgres_server.execute(f"SELECT pg_terminate_backend({pid})")
            put(unit, "r-2")
        assert ids(database) == set()


class Relay:
    """Stands between client and server, and cuts the line at the commit: before it is passed on, or after."""

    def __init__(self, server: PostgresServer, folder: Path, *, passed_on: bool) -> None:
        self.folder = folder
        self.armed = False
        self._target = str(server.folder / ".s.PGSQL.5432")
        self._passed_on = passed_on
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(folder / ".s.PGSQL.5432"))
        self._socket.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for act in (lambda c=client, s=server: self._up(c, s), lambda c=client, s=server: self._down(c, s)):
                    threading.Thread(target=act, daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, server:
            while data := client.recv(65536):
                if self.armed and b"COMMIT" in data:
                    client.shutdown(socket.SHUT_RDWR)
                    if self._passed_on:
                        server.sendall(data)
                    server.shutdown(socket.SHUT_WR)
                    return
                server.sendall(data)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)


@pytest.mark.parametrize("passed_on", [True, False])
def test_a_commit_whose_answer_is_lost_is_not_taken_for_a_failure(
    postgres_server: PostgresServer, server_url: str, passed_on: bool
) -> None:
    with tempfile.TemporaryDirectory(prefix="pore-relay-") as folder:
        relay = Relay(postgres_server, Path(folder), passed_on=passed_on)
        url = server_url.replace(str(postgres_server.folder), folder)
        with Database.open(url, environ={}) as database:
            with refused("storage.unconfirmed"), writing(database) as unit:
                put(unit, "r-1")
                relay.armed = True
            relay.armed = False
            relay.close()
    with Database.open(server_url, environ={}) as database:
        assert ids(database) == ({"r-1"} if passed_on else set())


def test_what_the_server_refuses_at_the_commit_is_not_stored(postgres_server: PostgresServer, server_url: str) -> None:
    postgres_server.execute(
        "ALTER TABLE pin DROP CONSTRAINT fk_pin_record, ADD CONSTRAINT fk_pin_record FOREIGN KEY (clinic, kind, id,"
        " revision) REFERENCES record DEFERRABLE INITIALLY DEFERRED",
        name_of(server_url),
    )
    with Database.open(server_url, environ={}) as database:
        with refused("storage.conflict"), writing(database) as unit:
            put(unit, "r-1")
            statement = "INSERT INTO pin VALUES ('clinic.one', 'plan', 'nothing', 1, 'c', '1', 'd')"
            unit.connection.execute(text(statement))
        assert ids(database) == set()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("@/pore_", "@/none_", "storage.no_such_database"),
        ("pore_test@", "nobody_here@", "storage.login"),
        ("host=", "host=/nowhere", "storage.cannot_connect"),
    ],
)
def test_why_a_server_does_not_let_us_in(server_url: str, before: str, after: str, code: str) -> None:
    with refused(code):
        Database.open(server_url.replace(before, after), environ={})


@pytest.mark.parametrize("answer", [b"S", b"N"])
def test_a_server_that_cannot_show_who_it_is_is_refused(answer: bytes) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listening.accept()
                    with line:
                        line.recv(8)
                        # Whether it speaks TLS; no certificate follows.
                        line.sendall(answer)
                        line.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        port = listening.getsockname()[1]
        with refused("storage.tls_failed"):
            url = f"postgresql://pore@127.0.0.1:{port}/records?sslmode=verify-full&sslrootcert=/nowhere"
            Database.open(url, environ={})
        listening.shutdown(socket.SHUT_RDWR)


def test_a_password_that_is_wrong_is_said(postgres_server: PostgresServer, server_url: str) -> None:
    rules = postgres_server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all pore_asked scram-sha-256\n{before}")
    postgres_server.execute("SELECT pg_reload_conf()")
    postgres_server.execute(f"CREATE ROLE pore_asked LOGIN PASSWORD '{CANARY}'")
    try:
        asked = server_url.replace("pore_test@", "pore_asked@")
        for given in ({}, {"PORE_PLUGIN_DATABASE_PASSWORD": "wrong"}):
            with refused("storage.login"):
                Database.open(asked, environ=given)
        # The right one lets it in, where it then may not make tables.
        with refused("storage.permission"):
            Database.open(asked, environ={"PORE_PLUGIN_DATABASE_PASSWORD": CANARY})
    finally:
        rules.write_text(before)
        postgres_server.execute("SELECT pg_reload_conf()")
        postgres_server.execute("DROP ROLE pore_asked")
