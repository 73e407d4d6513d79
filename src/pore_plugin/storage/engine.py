"""The database: opened, checked, brought up to date, and written to in whole transactions."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy.exc import SQLAlchemyError

from ..contracts import ProblemsError, refusal
from . import revisions, tables
from .faults import fault, refuse, said, unconfirmed
from .files import (
    SIDE_FILES,
    check_plain,
    check_private,
    check_whole,
    check_writable,
    is_absent,
    make_folder,
    make_private,
)
from .unit import Unit
from .urls import Place, default_path, read_place

__all__ = ["Database"]

_BUSY_MS = 10_000
_STATEMENT_MS = 60_000
_ALONE_MS = 120_000
# The letters "pore.one": a number that nobody else's advisory locks have.
_ALONE_LOCK = int.from_bytes(b"pore.one")
_CONNECT_SECONDS = 10
# A dead network is noticed within about half a minute, also while a commit waits for its answer.
_SERVER = {
    "fallback_application_name": "pore-plugin",
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


Mode = Literal["write", "long", "read", "alone"]


class Database:
    """One database with the records of one clinic or several. Safe to share between threads; close it after use."""

    def __init__(self, place: Place, engine: Engine) -> None:
        """For `open` and the tests of this room."""
        self._place = place
        self.engine = engine

    def __repr__(self) -> str:
        return f"Database({self._place.shown!r})"

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        password_in_url: bool = False,
        migrate: bool = True,
        create: bool = True,
    ) -> Database:
        """Open the database at a URL or path, or this user's own file, and bring its tables up to date.

        `migrate=False` refuses an older database (`storage.older`) instead of changing it, `create=False` one that does
        not exist yet (`storage.missing`). `password_in_url`: the URL does not come from a command line, so that it may
        hold a password. Whatever speaks against it is raised as `ProblemsError` with a `storage.` code.
        """
        place = read_place(url, os.environ if environ is None else environ, password_in_url=password_in_url)
        if place.path is not None:
            _ready_file(place.path, create)
        database = cls(place, _engine(place))
        try:
            database._bring_up_to_date(migrate, create)
        except BaseException:
            database.close()
            raise
        return database

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._place.kind

    @property
    def path(self) -> Path | None:
        """The database file; nothing where a server keeps it."""
        return self._place.path

    @property
    def shown(self) -> str:
        """The place in words for people: without user and password."""
        return self._place.shown

    def holds(self, clinic: str) -> bool:
        """Return whether anything of a clinic is kept here; asking leaves no trace."""
        own = tables.clinic.c.clinic
        with self.transaction(clinic, mode="read") as connection:
            return connection.execute(select(own).where(own == clinic)).first() is not None

    def migration_backups(self) -> list[Path]:
        """Return the backups that were made before the tables were changed, with every clinic in them."""
        folder, stem = self.backup_place
        return sorted(folder.glob(f"{stem}-before-*.sqlite"))

    @property
    def backup_place(self) -> tuple[Path, str]:
        """Folder and first word of the backups that are made before the tables are changed."""
        beside = self.path or default_path()
        return beside.parent / "backups", beside.stem

    def close(self) -> None:
        """Close every connection. With the last one SQLite empties and removes its write-ahead log."""
        self.engine.dispose()

    @contextmanager
    def writing(self, clinic: str, actor: str, *, action: str, now: int) -> Iterator[Unit]:
        """One transaction of one clinic: committed when the block ends, rolled back when it raises.

        Clinics of one server do not wait for each other; two transactions of one clinic do. `now` is in seconds since
        1970. Raises `ProblemsError`: `storage.unconfirmed` where the answer to the commit was lost.
        """
        with self.transaction(clinic) as connection:
            unit = Unit(connection, clinic, actor=actor, action=action, now=now)
            yield unit
            unit.finish()

    @contextmanager
    def transaction(self, clinic: str | None = None, *, mode: Mode = "write") -> Iterator[Connection]:
        """One transaction as a bare connection, for the modules of this room and their tests.

        On PostgreSQL only the rows of `clinic` can be seen or written in it, and none without one. `read`: sees one
        state of the database and writes nothing. `long`: no statement of it is called off for the time it takes.
        `alone`: waits for every other one of its kind, and SQLite enforces no foreign key in it.
        """
        connection = self._connect(mode)
        try:
            try:
                connection.begin()
                if self.kind == "postgresql":
                    _limit(connection, clinic, mode)
                yield connection
            except SQLAlchemyError as error:
                _roll_back(connection)
                raise fault(error) from None
            except BaseException:
                _roll_back(connection)
                raise
            _commit(connection)
        finally:
            _hand_back(connection, keep=mode != "alone")

    def _connect(self, mode: Mode) -> Connection:
        try:
            connection = self.engine.connect()
            if self.kind == "sqlite":
                return connection.execution_options(pore_mode=mode)
            if mode == "read":
                return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return connection
        except (SQLAlchemyError, OSError) as error:
            raise fault(error, connecting=self.kind == "postgresql") from None

    def scrub(self) -> None:
        """Leave nothing in the live files of what was deleted before: for after an erasure.

        SQLite overwrites deleted rows when it deletes them; this empties its write-ahead log too. PostgreSQL drops the
        samples of values that its planner keeps and writes every table anew, the catalogue's own only for the role
        that owns the database; its own write-ahead log is the server's, and is recycled by it.
        """
        with self._autocommit() as connection:
            if self.kind == "sqlite":
                busy, _, _ = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()
                if busy:
                    raise _busy()
                return
            connection.execute(text("SET lock_timeout = '30s'"))
            for table in tables.metadata.sorted_tables:
                connection.exec_driver_sql(_without_samples(table, connection))
            connection.execute(text("ANALYZE"))
            connection.execute(text("VACUUM (FULL)"))

    def check(self) -> None:
        """Read the whole SQLite file and raise `storage.corrupt` where it is damaged; a server checks itself."""
        if self.kind != "sqlite":
            return
        with self.transaction(mode="read") as connection:
            if connection.execute(text("PRAGMA integrity_check(1)")).scalar_one() != "ok":
                raise said("storage.corrupt")

    @contextmanager
    def _autocommit(self) -> Iterator[Connection]:
        try:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        except SQLAlchemyError as error:
            raise fault(error) from None

    def _bring_up_to_date(self, migrate: bool, create: bool) -> None:
        """Read which revision the tables have; load what can change them only where that has to be done."""
        with self.transaction(mode="read") as connection:
            if self.kind == "postgresql":
                _refuse_unwatched_role(connection)
            elif revisions.is_backup(connection):
                refuse(
                    "storage.is_backup",
                    "The file is a backup, and nobody works on that.",
                    "Name the database itself, or restore the backup into one: pore-plugin restore.",
                )
            state = revisions.state(connection)
        if state == revisions.CURRENT:
            return
        if state == revisions.EMPTY and not create:
            raise _missing(self.shown)
        if state == revisions.OLDER and not migrate:
            refuse(
                "storage.older",
                "The database was written by an older pore-plugin, and its tables have to be changed first.",
                "Let pore-plugin migrate it: it makes a backup before.",
            )
        from .migrating import upgrade

        upgrade(self)


def _ready_file(path: Path, create: bool) -> None:
    """Make the file of a new database, or refuse one that is not private or not whole."""
    if not create and is_absent(path):
        raise _missing(str(path))
    make_folder(path.parent)
    files = [path, *(path.with_name(path.name + end) for end in SIDE_FILES)]
    check_plain(files)
    if not make_private(path):
        # Whose mode is to be changed has to be ours first.
        check_whole(path)
        check_private(files)
        check_writable(path)


def _missing(shown: str) -> ProblemsError:
    return refusal(
        "storage.missing",
        f"There is no database at {shown}.",
        "Check the place. One is made by what first keeps something: `import --apply`, `submit` or `restore`.",
    )


def _busy() -> ProblemsError:
    return refusal(
        "storage.locked",
        "Another process is using the database, so its write-ahead log could not be emptied.",
        "Close the other pore-plugin processes and try again.",
    )


def _engine(place: Place) -> Engine:
    if place.kind == "sqlite":
        # Whoever opens sees the settings of `_prepare`; a connection costs less than a transaction.
        engine = create_engine(place.url, hide_parameters=True, connect_args={"timeout": _BUSY_MS / 1000})
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine
    if importlib.util.find_spec("psycopg") is None:
        refuse(
            "storage.driver",
            "PostgreSQL needs a driver that is not installed.",
            'Install it: python -m pip install "pore-plugin[postgres]"',
        )
    try:
        return create_engine(place.url, hide_parameters=True, connect_args=_SERVER, pool_pre_ping=True, pool_size=2)
    except ImportError:
        refuse(
            "storage.driver",
            "The PostgreSQL driver is installed and cannot be loaded.",
            'Install it anew: python -m pip install --force-reinstall "psycopg[binary]"',
        )


def _prepare(dbapi: Any, _: object) -> None:
    """Set up a SQLite connection. What begins a transaction is `_begin` alone: sqlite3 itself begins none."""
    dbapi.isolation_level = None
    cursor = dbapi.cursor()
    try:
        for setting in (
            f"busy_timeout = {_BUSY_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",
            "trusted_schema = OFF",
            "cell_size_check = ON",
        ):
            cursor.execute(f"PRAGMA {setting}")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") == "AUTOCOMMIT":
        return
    mode = options.get("pore_mode", "write")
    if mode == "alone":
        # Neither can be set inside a transaction; the connection is not used again.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_ALONE_MS}")
    # Taking the write lock at once: a transaction that reads first could not be promoted beside another writer.
    connection.exec_driver_sql("BEGIN" if mode == "read" else "BEGIN IMMEDIATE")


def _limit(connection: Connection, clinic: str | None, mode: Mode) -> None:
    """Bind a PostgreSQL transaction to a clinic and to an end in time."""
    alone = mode == "alone"
    connection.execute(
        text(
            "SELECT set_config('pore.clinic', :clinic, true), set_config('lock_timeout', :lock, true),"
            " set_config('statement_timeout', :statement, true),"
            " set_config('idle_in_transaction_session_timeout', :statement, true)"
        ),
        {
            "clinic": clinic or "",
            "lock": str(_ALONE_MS if alone else _BUSY_MS),
            "statement": "0" if mode in {"alone", "long"} else str(_STATEMENT_MS),
        },
    )
    if alone:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ALONE_LOCK})


def _without_samples(table: Table, connection: Connection) -> str:
    """Give every column the type that it has: the only way to drop its samples that an ordinary role has.

    Analysing does it for tables with rows, and leaves those of a table that has become empty. Rows stay untouched.
    """
    quoted = connection.dialect.identifier_preparer.quote
    changes = (
        f"ALTER COLUMN {quoted(column.name)} TYPE {column.type.compile(connection.dialect)}"
        for column in table.columns
        # Row-level security hangs on it, and so its type cannot be set; it names no patient.
        if column.name != "clinic"
    )
    return f"ALTER TABLE {quoted(table.name)} {', '.join(changes)}"


def _refuse_unwatched_role(connection: Connection) -> None:
    """Refuse a role that row-level security does not hold for: one clinic could read another's records."""
    statement = text("SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user")
    if connection.execute(statement).scalar_one():
        refuse(
            "storage.role",
            "The role is a superuser or bypasses row-level security, so clinics would not be kept apart.",
            "Make an ordinary role that owns its database: CREATE ROLE pore LOGIN; CREATE DATABASE pore OWNER pore;",
        )


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except SQLAlchemyError as error:
        lost = unconfirmed(error)
        _roll_back(connection)
        raise (said("storage.unconfirmed") if lost else fault(error)) from None


def _roll_back(connection: Connection) -> None:
    try:
        connection.rollback()
    except SQLAlchemyError:
        # The connection is gone or in no state to be used: without it nothing can be committed any more.
        connection.invalidate()


def _hand_back(connection: Connection, *, keep: bool) -> None:
    if not keep and not connection.closed:
        connection.invalidate()
    connection.close()
