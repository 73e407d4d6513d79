"""Rows copied into a SQLite file of their own, with a manifest of what is in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from . import revisions
from .faults import refuse
from .migrating import migrate

__all__ = [
    "Head",
    "Manifest",
    "Sum",
    "copied_tables",
    "file_engine",
    "inserter",
    "read_manifest",
    "rows_of",
    "sum_of",
    "write_copy",
]

_BATCH = 2_000
_META = MetaData()
_MANIFEST = Table(
    revisions.BACKUP, _META, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)
_SUMS = Table(
    "pore_manifest_table",
    _META,
    Column("name", Text, primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
)
_HEADS = Table(
    "pore_manifest_audit",
    _META,
    Column("clinic", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and the SHA-256 over them in the order of their key."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Head:
    """Number and hash of the last entry of a clinic's audit."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a backup. `clinic` is empty where it holds every clinic of a database."""

    clinic: str
    taken_at: int
    revision: str
    version: str
    tables: dict[str, Sum]
    heads: dict[str, Head]


def write_copy(source: Connection, path: Path, clinic: str, taken_at: int) -> Manifest:
    """Copy the rows of a clinic, or of all where it is empty, into an empty file, and return its manifest.

    The source is in a transaction that sees one state of the database.
    """
    revision = revisions.found(source) or ""
    engine = file_engine(path)
    try:
        with engine.begin() as target:
            # The same migrations make the tables: a backup can be migrated like any database.
            migrate(target, revision)
            sums: dict[str, Sum] = {}
            for table in copied_tables(target):
                sums[table.name] = sum_of(table, rows_of(source, table, clinic), inserter(target, table))
            manifest = Manifest(clinic, taken_at, revision, version("pore-plugin"), sums, _audit_heads(target))
            _write_manifest(target, manifest)
    finally:
        engine.dispose()
    return manifest


def file_engine(path: Path, *, writable: bool = True) -> Engine:
    """Return an engine for a SQLite file that nobody else uses."""
    uri = f"{path.absolute().as_uri()}?mode={'rw' if writable else 'ro'}"

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        # Whoever writes here makes the file durable once, when it is complete.
        made.execute("PRAGMA trusted_schema = OFF")
        if writable:
            made.execute("PRAGMA journal_mode = MEMORY")
            made.execute("PRAGMA synchronous = OFF")
        return made

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def copied_tables(connection: Connection) -> list[Table]:
    """Return the tables with rows of clinics as a backup file has them, those first that others refer to."""
    found = MetaData()
    found.reflect(connection)
    own = {revisions.TABLE, *_META.tables}
    return [table for table in found.sorted_tables if table.name not in own]


def rows_of(connection: Connection, table: Table, clinic: str) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Yield the rows of a clinic, or of all where it is empty, in batches and in the order of their key.

    The columns are in the order of their names. The key has the same order on both databases: of bytes.
    """
    statement = select(*sorted(table.columns, key=lambda column: column.name)).order_by(*table.primary_key.columns)
    if clinic:
        statement = statement.where(table.c.clinic == clinic)
    result = connection.execute(statement.execution_options(yield_per=_BATCH))
    for part in result.partitions():
        yield [tuple(row) for row in part]


def sum_of(
    table: Table,
    batches: Iterable[Sequence[tuple[Any, ...]]],
    also: Callable[[Sequence[tuple[Any, ...]]], object] | None = None,
) -> Sum:
    """Return number and hash of rows, and hand each batch on."""
    digest = sha256(",".join(sorted(table.columns.keys())).encode())
    count = 0
    for batch in batches:
        count += len(batch)
        for row in batch:
            digest.update(b"".join([_spelt(value) for value in row]))
        if also is not None:
            also(batch)
    return Sum(count, digest.hexdigest())


def _spelt(value: object) -> bytes:
    """A value as bytes that no other value and no neighbour can be mistaken for."""
    if value is None:
        return b"n"
    if isinstance(value, str):
        raw = value.encode()
        return b"s%d:%b" % (len(raw), raw)
    if isinstance(value, int):
        return b"i%d;" % value
    if isinstance(value, bytes):
        return b"b%d:%b" % (len(value), value)
    raise TypeError(f"No column of ours holds a {type(value).__name__}.")


def inserter(connection: Connection, table: Table) -> Callable[[Sequence[tuple[Any, ...]]], None]:
    """Return what inserts batches of rows whose columns are in the order of their names."""
    columns = sorted(table.columns, key=lambda column: column.name)
    if connection.dialect.name == "postgresql":
        statement = _in_columns(connection, table, columns)
        names = [f"p{number}" for number in range(len(columns))]

        def send(batch: Sequence[tuple[Any, ...]]) -> None:
            values = map(list, zip(*batch, strict=True))
            connection.exec_driver_sql(statement, dict(zip(names, values, strict=True)))

        return send
    rows = insert(table)

    def keep(batch: Sequence[tuple[Any, ...]]) -> None:
        connection.execute(rows, [dict(zip(table_names, row, strict=True)) for row in batch])

    table_names = [column.name for column in columns]
    return keep


def _in_columns(connection: Connection, table: Table, columns: list[Column[Any]]) -> str:
    """One statement for a whole batch, with an array for each column: row by row a server takes several times as long.

    COPY would be faster still, and does not work under row-level security.
    """
    dialect = connection.dialect
    quote_name = dialect.identifier_preparer.quote
    types = [column.type.compile(dialect).partition(" ")[0] for column in columns]
    names = ", ".join(quote_name(column.name) for column in columns)
    arrays = ", ".join(f"%(p{number})b::{kind}[]" for number, kind in enumerate(types))
    return f"INSERT INTO {quote_name(table.name)} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608  names of ours


def read_manifest(connection: Connection) -> Manifest:
    """Return what a backup says of itself. Raises `ProblemsError` (`backup.unknown`) where it is none of ours."""
    try:
        said = {str(name): str(value) for name, value in connection.execute(select(_MANIFEST))}
        if said.pop("format") != _FORMAT:
            _not_ours()
        sums = {name: Sum(rows, hashed) for name, rows, hashed in connection.execute(select(_SUMS))}
        heads = {clinic: Head(seq, hashed) for clinic, seq, hashed in connection.execute(select(_HEADS))}
        seal = said.pop("seal")
        found = Manifest(
            said["clinic"], int(said["taken_at"]), said["revision"], said["version"], tables=sums, heads=heads
        )
    except (KeyError, ValueError, DatabaseError):
        _not_ours()
    if _seal(found) != seal:
        refuse("backup.changed", "The manifest of the backup was changed after it was written.", _ANOTHER)
    return found


_ANOTHER = "Do not restore from it; take another backup."


def _not_ours() -> NoReturn:
    refuse("backup.unknown", "The file is no backup that this version can read.", "Check the path.")


def _write_manifest(connection: Connection, manifest: Manifest) -> None:
    _META.create_all(connection)
    said = {
        "format": _FORMAT,
        "clinic": manifest.clinic,
        "taken_at": str(manifest.taken_at),
        "revision": manifest.revision,
        "version": manifest.version,
        "seal": _seal(manifest),
    }
    connection.execute(insert(_MANIFEST), [{"name": name, "value": value} for name, value in said.items()])
    sums = [{"name": name, "rows": one.rows, "sha256": one.sha256} for name, one in manifest.tables.items()]
    heads = [{"clinic": clinic, "seq": one.seq, "hash": one.hash} for clinic, one in manifest.heads.items()]
    for table, rows in ((_SUMS, sums), (_HEADS, heads)):
        if rows:
            connection.execute(insert(table), rows)


def _seal(manifest: Manifest) -> str:
    """The SHA-256 over everything that a manifest says: it shows damage, and no more than that."""
    return sha256(json.dumps(asdict(manifest), sort_keys=True).encode()).hexdigest()


def _audit_heads(connection: Connection) -> dict[str, Head]:
    rows = connection.execute(text("SELECT clinic, audit_seq, audit_head FROM clinic ORDER BY clinic"))
    return {clinic: Head(seq, bytes(head).hex()) for clinic, seq, head in rows}
