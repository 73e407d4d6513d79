"""Which revision the tables have, read without loading what could change them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from .faults import refuse

__all__ = ["BACKUP", "CURRENT", "EMPTY", "FOLDERS", "OLDER", "ORDER", "TABLE", "found", "is_backup", "state"]

TABLE = "pore_revision"
"""The table that holds the revision: named so that no other program's database is taken for ours."""

BACKUP = "pore_manifest"
"""The table in which a backup says what it is."""

ORDER = ("0001",)
"""Every revision there has been, oldest first; the last is what the tables of this version are."""

FOLDERS = (Path(__file__).parent / "migrations" / "versions",)
"""Where the migrations are."""

CURRENT, OLDER, EMPTY = "current", "older", "empty"


def found(connection: Connection) -> str | None:
    """Return the revision that a database has, or nothing where it is still empty.

    Raises `ProblemsError` (`storage.foreign`) where it holds tables of another program.
    """
    seen = inspect(connection)
    if seen.has_table(TABLE):
        revision = connection.execute(text(f"SELECT version_num FROM {TABLE}")).scalar()  # noqa: S608  a constant
        if revision is not None:
            return str(revision)
    elif not seen.get_table_names():
        return None
    refuse(
        "storage.foreign",
        "The database holds tables of another program.",
        "Name another place: pore-plugin keeps its records in a database of their own.",
    )


def is_backup(connection: Connection) -> bool:
    """Whether a database is a backup, which is restored from and not worked on."""
    return inspect(connection).has_table(BACKUP)


def state(connection: Connection) -> str:
    """Return `CURRENT`, `OLDER` or `EMPTY`; a revision that is not known here comes from a newer version.

    Raises `ProblemsError` (`storage.newer`, `storage.foreign`).
    """
    revision = found(connection)
    if revision is None:
        return EMPTY
    if revision not in ORDER:
        refuse(
            "storage.newer",
            f"The database was written by a newer pore-plugin (its tables have revision {revision[:32]}, and this"
            f" version knows up to {ORDER[-1]}).",
            "Install that version or a newer one. Nothing was changed.",
        )
    return CURRENT if revision == ORDER[-1] else OLDER
