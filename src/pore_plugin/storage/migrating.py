"""Bringing the tables up to date: a backup first, then every migration in one transaction.

Both databases can undo changes of tables, so a migration that fails leaves everything as it was. Two processes that
open an older database at once migrate it once: the second one waits for the lock of the first.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from ..contracts import ProblemsError, refusal
from . import revisions
from .faults import fault

if TYPE_CHECKING:
    from .engine import Database

__all__ = ["every_clinic", "migrate", "upgrade"]

# Alembic keeps what it works on in its modules, so in one process it works on one database at a time.
_ONE_AT_A_TIME = threading.Lock()


def upgrade(database: Database) -> None:
    """Bring an empty or older database to the newest revision, after a backup where it holds anything.

    Raises `ProblemsError`: whatever it was, the database is then as it was before.
    """
    with database.transaction(mode="alone") as connection:
        # Another process may have been faster while this one waited for the lock.
        state = revisions.state(connection)
        if state == revisions.CURRENT:
            return
        if state == revisions.OLDER:
            _back_up(database, connection)
        migrate(connection)


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations up to a revision inside the transaction that the connection is in.

    Raises `ProblemsError` (`storage.migration_failed`) with the name of what went wrong.
    """
    config = Config()
    config.attributes["connection"] = connection
    folders = "\n".join(str(folder) for folder in revisions.FOLDERS)
    for name, value in (
        ("script_location", str(Path(__file__).parent / "migrations")),
        ("path_separator", "newline"),
        ("version_locations", folders),
    ):
        # Options may refer to each other by a percent sign, which a path may hold too.
        config.set_main_option(name, value.replace("%", "%%"))
    try:
        with _ONE_AT_A_TIME, every_clinic(connection):
            command.upgrade(config, to)
        _check_keys(connection)
    except ProblemsError:
        raise
    except SQLAlchemyError as error:
        # What stands in the way of any write says more than that a migration failed.
        cause = fault(error)
        if cause.problems[0].code not in {"storage.failed", "storage.conflict"}:
            raise cause from None
        raise _failed(error) from None
    except Exception as error:
        raise _failed(error) from None


@contextmanager
def every_clinic(connection: Connection) -> Iterator[None]:
    """Let the owner of PostgreSQL tables see all rows, for what has to be done to all; others wait meanwhile.

    Only inside a transaction that is alone; row-level security is forced again at the end, and by a roll-back.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    forced = text(
        "SELECT quote_ident(relname) FROM pg_catalog.pg_class WHERE relkind = 'r' AND relforcerowsecurity"
        " AND relnamespace = current_schema()::regnamespace ORDER BY relname"
    )
    before = connection.execute(forced).scalars().all()
    for table in before:
        connection.exec_driver_sql(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    there = text("SELECT to_regclass(:name) IS NOT NULL")
    for table in before:
        if connection.execute(there, {"name": table}).scalar_one():
            connection.exec_driver_sql(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _check_keys(connection: Connection) -> None:
    """SQLite checks no foreign key while tables are made anew, so all of them are checked afterwards."""
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise refusal(
            "storage.migration_failed",
            "After the migration rows would refer to rows that do not exist, so it was undone.",
            "Report this as a fault of pore-plugin. The database is as it was.",
        )


def _failed(error: Exception) -> ProblemsError:
    return refusal(
        "storage.migration_failed",
        f"The tables could not be brought up to date ({type(error).__name__}), and everything was undone.",
        "Go on with the version of pore-plugin that you had, and report this as a fault.",
    )


def _back_up(database: Database, connection: Connection) -> None:
    """Keep the whole database as it is, in a folder `backups` beside it or in this user's own."""
    from .backup import keep

    folder, stem = database.backup_place
    stem = f"{stem}-before-{revisions.ORDER[-1]}"
    names = (folder / f"{stem}{f'-{n}' if n else ''}.sqlite" for n in itertools.count())
    path = next(name for name in names if not name.exists())
    with every_clinic(connection):
        keep(connection, path, clinic="", taken_at=int(time.time()))
