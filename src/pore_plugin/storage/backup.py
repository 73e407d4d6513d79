"""Backups: the rows of a clinic in one private file, checked, and brought back into either kind of database.

A backup is a SQLite database with the tables of its time and a manifest, whichever database it was taken from. It is
written under another name first, read back, made durable and only then given its own name.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from ..contracts import ProblemsError
from . import revisions, tables
from .copying import Head, Manifest, copied_tables, file_engine, inserter, read_manifest, rows_of, sum_of, write_copy
from .engine import Database
from .faults import fault, refuse
from .files import check_plain, check_private, check_whole, make_folder, make_private, sync_folder
from .migrating import migrate
from .sealing import Seals
from .unit import Unit

__all__ = ["Restored", "backup", "keep", "restore", "verify"]

# What a clinic has as soon as anybody looks at it; everything else is a reason to ask first.
_ALWAYS = frozenset({"clinic", "audit"})
_PART = ".part"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: from which backup, how many rows, and how many it took away by table.

    `audit_holds`: whether the chain of the audit that came back is whole.
    """

    manifest: Manifest
    rows: int
    replaced: dict[str, int]
    audit_holds: bool


def backup(database: Database, clinic: str, path: Path, *, now: int) -> Manifest:
    """Write a backup of one clinic to a new file of mode 0600 and return its manifest.

    It holds one state of the database, also while others write. Raises `ProblemsError`: `backup.exists` where there is
    a file already, `storage.full` and the like; then there is no file.
    """
    with database.transaction(clinic, mode="read") as connection:
        return keep(connection, path, clinic=clinic, taken_at=now)


def keep(connection: Connection, path: Path, *, clinic: str, taken_at: int) -> Manifest:
    """Write a backup of what a transaction sees: of one clinic, or of all where none is named."""
    if path.exists() or path.is_symlink():
        _exists(path)
    make_folder(path.parent)
    # What a process that was killed has left behind holds records too.
    for left in path.parent.glob(f".{glob.escape(path.name)}.*{_PART}"):
        left.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_PART}")
    try:
        make_private(part)
        manifest = write_copy(connection, part, clinic, taken_at)
        with _opened(part) as written:
            if _checked(written) != manifest:
                refuse("backup.differs", "What was written is not what was read.", "Look at the disk, then try again.")
        _make_durable(part, path)
    except SQLAlchemyError as error:
        raise fault(error) from None
    except OSError as error:
        raise fault(error) from None
    finally:
        part.unlink(missing_ok=True)
    return manifest


def verify(path: Path) -> Manifest:
    """Read a whole backup and return its manifest.

    Raises `ProblemsError` where it is not whole, not private or not what its manifest says, where it comes from a newer
    version (`storage.newer`), or where the chain of its audit does not hold (`backup.audit`).
    """
    with _opened(path) as connection:
        manifest = _checked(connection)
    with _current(path, manifest) as connection:
        if not all(_audit_holds(connection, clinic, manifest) for clinic in manifest.heads):
            refuse(
                "backup.audit",
                "The backup is whole, but the audit, a record or content in it was changed before it was taken.",
                "See which ones with: pore-plugin audit verify. The records can still be restored.",
            )
    return manifest


def restore(
    database: Database,
    clinic: str,
    path: Path,
    *,
    actor: str,
    now: int,
    replace: bool = False,
    reapply: Callable[[Unit], object] | None = None,
) -> Restored:
    """Bring a clinic back from a backup, all of it or nothing, and leave the clinic paused.

    The clinic has to be empty; `replace` takes away what it holds, but for its tombstones. `reapply` is called at the
    end of the same transaction, to erase again whom the backup still knows. A broken chain of the audit does not keep
    the records away; the audit says so. Raises `ProblemsError`: `backup.other_clinic`, `backup.not_empty`,
    `backup.other_beginning`, and whatever else `verify` raises.
    """
    with _opened(path) as connection:
        manifest = _checked(connection)
    if clinic not in manifest.heads:
        refuse(
            "backup.other_clinic", "The backup holds nothing of this clinic.", "Name the clinic that it was taken of."
        )
    with _current(path, manifest) as source, database.transaction(clinic, mode="long") as target:
        holds = _audit_holds(source, clinic, manifest)
        _lock(target, clinic)
        replaced = _clear(target, source, clinic, replace)
        rows = _bring_back(target, source, clinic)
        unit = Unit(target, clinic, actor=actor, action="restore", now=now)
        unit.pause("restored")
        unit.note(None, backup_of=manifest.taken_at, rows=rows, replaced=replaced, audit_holds=holds)
        if reapply is not None:
            reapply(unit)
        unit.finish()
    return Restored(manifest, rows, replaced, holds)


def _exists(path: Path) -> None:
    refuse("backup.exists", f"There is a file {path} already, and a backup replaces none.", "Name another file.")


def _make_durable(part: Path, path: Path) -> None:
    handle = os.open(part, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        # Unlike a rename, a link never replaces a file that has come into being meanwhile.
        os.link(part, path)
    except FileExistsError:
        _exists(path)
    except OSError:
        # A file system without links.
        if path.exists():
            _exists(path)
        part.rename(path)
    sync_folder(path.parent)


@contextmanager
def _opened(path: Path, *, writable: bool = False) -> Iterator[Connection]:
    """A backup file as a connection, after what can be seen from outside was checked."""
    if not path.is_file():
        refuse("backup.missing", f"There is no file {path}.", "Check the path.")
    check_plain([path])
    try:
        check_whole(path)
    except ProblemsError as error:
        _say_of_backup(error)
        raise
    check_private([path])
    engine = file_engine(path, writable=writable)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise fault(error) from None
    finally:
        engine.dispose()


@contextmanager
def _migrated(path: Path) -> Iterator[Connection]:
    """A copy of an older backup with the tables of today; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="pore-restore-") as folder:
        copy = Path(folder) / "copy.sqlite"
        try:
            make_private(copy)
            shutil.copyfile(path, copy)
        except OSError as error:
            raise fault(error) from None
        with _opened(copy, writable=True) as connection:
            migrate(connection)
        with _opened(copy) as connection:
            yield connection


@contextmanager
def _current(path: Path, manifest: Manifest) -> Iterator[Connection]:
    opening = _opened if manifest.revision == revisions.ORDER[-1] else _migrated
    with opening(path) as connection:
        yield connection


def _checked(connection: Connection) -> Manifest:
    """The manifest of a backup, after every row was read and compared with it."""
    if connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one() != "ok":
        refuse("storage.corrupt", "The backup file is damaged.", _OLDER)
    if not revisions.is_backup(connection):
        _unknown()
    manifest = read_manifest(connection)
    revisions.state(connection)
    foreign = text("SELECT count(*) FROM sqlite_master WHERE type NOT IN ('table', 'index')")
    there = {table.name: table for table in copied_tables(connection)}
    if connection.execute(foreign).scalar_one() or set(there) != set(manifest.tables):
        refuse("backup.changed", "The backup has other tables than its manifest says.", _ANOTHER)
    for name, table in there.items():
        if sum_of(table, rows_of(connection, table, "")) != manifest.tables[name]:
            refuse("backup.changed", f"The rows of `{name}` are not those that the manifest tells of.", _ANOTHER)
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        refuse("backup.changed", "Rows of the backup refer to rows that it does not hold.", _ANOTHER)
    return manifest


_OLDER = "Keep the file as it is, and use an older backup."
_ANOTHER = f"Do not restore from it. {_OLDER}"


def _say_of_backup(error: ProblemsError) -> None:
    """Say of a file from outside what is said of a database, in words for whoever wants to restore it."""
    codes = {problem.code for problem in error.problems}
    if "storage.corrupt" in codes:
        refuse("storage.corrupt", "The backup file is damaged: it is shorter than its own header says.", _OLDER)
    if "storage.not_a_database" in codes:
        _unknown()


def _unknown() -> NoReturn:
    refuse("backup.unknown", "The file is no backup.", "Check the path; if it is the right one, use an older backup.")


def _audit_holds(connection: Connection, clinic: str, manifest: Manifest) -> bool:
    unit = Unit(connection, clinic, actor="", action="", now=0)
    seq, hashed = unit.audit_head
    return (
        manifest.heads[clinic] == Head(seq, hashed.hex())
        and next(unit.audit.faults(), None) is None
        and next(Seals(unit).altered(), None) is None
    )


def _lock(connection: Connection, clinic: str) -> None:
    """Have every other transaction of the clinic wait; SQLite has one writer anyway."""
    row = tables.clinic.c
    connection.execute(select(row.clinic).where(row.clinic == clinic).with_for_update()).first()


def _clear(target: Connection, source: Connection, clinic: str, replace: bool) -> dict[str, int]:
    """Take away what the clinic holds but its tombstones, and return how many rows went, by table."""
    held = {
        table.name: count
        for table in tables.metadata.sorted_tables
        if (
            count := target.execute(
                select(func.count()).select_from(table).where(table.c.clinic == clinic)
            ).scalar_one()
        )
    }
    if set(held) - _ALWAYS and not replace:
        refuse(
            "backup.not_empty",
            "The clinic holds records already, and a restore would take them away.",
            "Restore into an empty database, or say that what is there is to be replaced, after a backup of it.",
        )
    stones = tables.tombstone
    if stones.name in held:
        salts = [
            c.execute(select(tables.clinic.c.salt).where(tables.clinic.c.clinic == clinic)).scalar()
            for c in (target, source)
        ]
        if salts[0] != salts[1]:
            refuse(
                "backup.other_beginning",
                "Patients were erased here since the clinic was begun anew, and the backup is of the time before that:"
                " whom it would bring back could not be told.",
                "Restore into a new database.",
            )
    for table in reversed(tables.metadata.sorted_tables):
        if table not in (stones, tables.clinic) and table.name in held:
            target.execute(delete(table).where(table.c.clinic == clinic))
    return {name: count for name, count in held.items() if name not in (stones.name, tables.clinic.name)}


def _bring_back(target: Connection, source: Connection, clinic: str) -> int:
    """Copy the clinic's rows and return how many; tombstones that are there stay."""
    count = 0
    for table in tables.metadata.sorted_tables:
        batches = rows_of(source, table, clinic)
        if table is tables.clinic:
            _set_clinic(target, source, clinic)
            count += 1
        elif table is tables.tombstone:
            count += _add_tombstones(target, source, clinic)
        else:
            put = inserter(target, table)
            for batch in batches:
                put(batch)
                count += len(batch)
    return count


def _set_clinic(target: Connection, source: Connection, clinic: str) -> None:
    row = dict(source.execute(select(tables.clinic).where(tables.clinic.c.clinic == clinic)).mappings().one())
    if target.execute(update(tables.clinic).where(tables.clinic.c.clinic == clinic).values(**row)).rowcount == 0:
        target.execute(insert(tables.clinic).values(**row))


def _add_tombstones(target: Connection, source: Connection, clinic: str) -> int:
    stones = tables.tombstone
    own = stones.c.clinic == clinic
    there = set(target.execute(select(stones.c.patient_hash).where(own)).scalars())
    new = [
        dict(row) for row in source.execute(select(stones).where(own)).mappings() if row["patient_hash"] not in there
    ]
    if new:
        target.execute(insert(stones), new)
    return len(new)
