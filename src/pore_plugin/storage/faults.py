"""What can go wrong between us and a database, said without SQL, parameters or passwords."""

from __future__ import annotations

import errno
import sqlite3
from typing import NoReturn

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..contracts import ProblemsError, refusal

__all__ = ["fault", "refuse", "said", "unconfirmed"]

_AS_BEFORE = "What was stored before is as it was."
_FAULTS: dict[str, tuple[str, str]] = {
    "storage.locked": (
        f"Another process is writing to the database and did not finish in time. {_AS_BEFORE}",
        "Try again; if it stays like this, see which other pore-plugin process is still running.",
    ),
    "storage.read_only": (
        f"The database cannot be written to: it, its folder or its disk is read-only. {_AS_BEFORE}",
        "Make the database file and its folder writable for this user, or name another place with --database.",
    ),
    "storage.full": (
        f"The disk that the database is on is full. {_AS_BEFORE}",
        "Free space on that disk, then try again.",
    ),
    "storage.not_a_database": (
        "The file is no database of ours, or its first bytes are damaged.",
        "Check the path; if it is the right one, move the file away and restore a backup.",
    ),
    "storage.corrupt": (
        "The database file is damaged or was only half written.",
        "Keep the file as it is and restore the last backup into a new one: pore-plugin restore.",
    ),
    "storage.permission": (
        f"This user may not do that with the database. {_AS_BEFORE}",
        "Run it as the user who owns the database, or have the rights of that user or role mended.",
    ),
    "storage.io": (
        f"The disk that the database is on could not be read or written. {_AS_BEFORE}",
        "Look at the disk and at the log of the system before anything else is written.",
    ),
    "storage.cannot_connect": (
        "The database server cannot be reached, or refuses the connection.",
        "Check host, port, database, role and password, and that the server runs.",
    ),
    "storage.login": (
        "The database server refuses the role or its password.",
        "Check role and password, and what the server's pg_hba.conf allows this machine.",
    ),
    "storage.no_such_database": (
        "The database server has no database of this name.",
        "Check the name, or make it: CREATE DATABASE pore OWNER pore;",
    ),
    "storage.tls_failed": (
        "The database server could not show that it is the one that was asked for.",
        "Check the host's name in its certificate, and name the authority's file by sslrootcert=FILE in the URL.",
    ),
    "storage.cannot_open": (
        "There can be no file at this place: a part of its path is no folder, or does not exist.",
        "Check the path.",
    ),
    "storage.connection_lost": (
        f"The connection to the database was lost. {_AS_BEFORE}",
        "Try again once the server can be reached.",
    ),
    "storage.timeout": (
        f"The database did not answer in time, and the work was called off. {_AS_BEFORE}",
        "Try again; if it stays like this, look at the load of the server.",
    ),
    "storage.unconfirmed": (
        "The database did not say whether it has stored the work: all of it is there, or nothing of it.",
        "Look whether it is there, or send the same again: what is there already is not stored twice.",
    ),
    "storage.conflict": (
        f"The database refused the work, because it does not fit what is stored. {_AS_BEFORE}",
        "Read again what is stored and try again.",
    ),
}

# Primary result codes, https://sqlite.org/rescode.html: the low byte of an extended one.
_SQLITE = {
    sqlite3.SQLITE_BUSY: "storage.locked",
    sqlite3.SQLITE_LOCKED: "storage.locked",
    sqlite3.SQLITE_PROTOCOL: "storage.locked",
    sqlite3.SQLITE_READONLY: "storage.read_only",
    sqlite3.SQLITE_FULL: "storage.full",
    sqlite3.SQLITE_NOTADB: "storage.not_a_database",
    sqlite3.SQLITE_CORRUPT: "storage.corrupt",
    sqlite3.SQLITE_CANTOPEN: "storage.permission",
    sqlite3.SQLITE_PERM: "storage.permission",
    sqlite3.SQLITE_AUTH: "storage.permission",
    sqlite3.SQLITE_IOERR: "storage.io",
    sqlite3.SQLITE_CONSTRAINT: "storage.conflict",
}
# The shared memory beside a WAL database cannot grow: that disk is full.
_SQLITE_FULL = frozenset({sqlite3.SQLITE_IOERR_SHMSIZE})

# SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html: the whole code, else its class.
_SQLSTATE = {
    "08": "storage.connection_lost",
    "22": "storage.conflict",
    "23": "storage.conflict",
    "25006": "storage.read_only",
    "25P03": "storage.timeout",
    "28": "storage.cannot_connect",
    "3D": "storage.cannot_connect",
    "40": "storage.locked",
    "42501": "storage.permission",
    "53": "storage.cannot_connect",
    "53100": "storage.full",
    "55P03": "storage.locked",
    "57014": "storage.timeout",
    "57P": "storage.connection_lost",
    "57P03": "storage.cannot_connect",
    "58": "storage.io",
    "58030": "storage.io",
    "XX001": "storage.corrupt",
    "XX002": "storage.corrupt",
}
# A failed connection carries no code, so its words decide; none of them are shown. The first that fits.
_CONNECTING = (
    ("certificate", "storage.tls_failed"),
    ("SSL error", "storage.tls_failed"),
    ("does not support SSL", "storage.tls_failed"),
    ("authentication failed", "storage.login"),
    ("no password supplied", "storage.login"),
    ("pg_hba.conf", "storage.login"),
    ('role "', "storage.login"),
    ('database "', "storage.no_such_database"),
)
_ERRNO = {
    errno.EACCES: "storage.permission",
    errno.EDQUOT: "storage.full",
    errno.EIO: "storage.io",
    errno.EISDIR: "storage.cannot_open",
    errno.ENOENT: "storage.cannot_open",
    errno.ENOTDIR: "storage.cannot_open",
    errno.ENOSPC: "storage.full",
    errno.EFBIG: "storage.full",
    errno.EPERM: "storage.permission",
    errno.EROFS: "storage.read_only",
}


def refuse(code: str, sentence: str, next_step: str) -> NoReturn:
    """Raise one problem, without the error that led to it: that one may quote values."""
    raise refusal(code, sentence, next_step) from None


def said(code: str) -> ProblemsError:
    """Return the error of one of the problems that this module knows by its code."""
    return refusal(code, *_FAULTS[code])


def fault(error: Exception, *, connecting: bool = False) -> ProblemsError:
    """Return what an error of the database or of its files means; to be raised `from None`.

    The driver's own sentence stays behind, because it quotes values, hosts and statements.
    """
    code = _code(error, connecting)
    if code is not None:
        return said(code)
    return refusal(
        "storage.failed",
        f"The database refused a statement ({_name(error)}). {_AS_BEFORE}",
        "Report this as a fault of pore-plugin, with the name in brackets.",
    )


def unconfirmed(error: Exception) -> bool:
    """Whether work may be stored although its commit failed with this error.

    A server that answers with an error has not stored it. One that does not answer may have; so may a disk that fails
    while it makes the commit durable.
    """
    code = _code(error, connecting=False)
    return code in {"storage.connection_lost", "storage.io"} or (code is None and _origin(error)[1] is None)


def _origin(error: Exception) -> tuple[BaseException, int | str | None]:
    """The driver's error, and the code that the database gave it."""
    inner = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if isinstance(inner, sqlite3.Error):
        return inner, getattr(inner, "sqlite_errorcode", None)
    return inner, getattr(inner, "sqlstate", None)


def _code(error: Exception, connecting: bool) -> str | None:
    inner, given = _origin(error)
    if isinstance(inner, sqlite3.Error):
        if given in _SQLITE_FULL:
            return "storage.full"
        return _SQLITE.get(given & 0xFF) if isinstance(given, int) else None
    if isinstance(inner, OSError):
        return _ERRNO.get(inner.errno or 0, "storage.io")
    if connecting:
        words = str(inner)
        return next((code for part, code in _CONNECTING if part in words), "storage.cannot_connect")
    if isinstance(given, str):
        return next((_SQLSTATE[given[:size]] for size in (5, 3, 2) if given[:size] in _SQLSTATE), None)
    # psycopg gives no SQLSTATE where the server said nothing: the connection is gone.
    if isinstance(error, DBAPIError) and (error.connection_invalidated or type(inner).__name__ == "OperationalError"):
        return "storage.connection_lost"
    return None


def _name(error: Exception) -> str:
    inner, given = _origin(error)
    kind = type(inner).__name__ if isinstance(error, SQLAlchemyError) else type(error).__name__
    said = getattr(inner, "sqlite_errorname", None) or given
    return f"{kind}, {said}" if said else kind
