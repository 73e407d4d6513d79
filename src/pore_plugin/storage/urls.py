"""Where the database is, and how its password gets there without being seen."""

from __future__ import annotations

import ipaddress
import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from .faults import fault, refuse

__all__ = ["PASSWORD", "PASSWORD_COMMAND", "PASSWORD_FILE", "Place", "default_path", "read_place"]

PASSWORD = "PORE_PLUGIN_DATABASE_PASSWORD"  # noqa: S105  the name of a variable
PASSWORD_FILE = "PORE_PLUGIN_DATABASE_PASSWORD_FILE"  # noqa: S105
PASSWORD_COMMAND = "PORE_PLUGIN_DATABASE_PASSWORD_COMMAND"  # noqa: S105
_WAYS = f"{PASSWORD_FILE}, {PASSWORD_COMMAND} or {PASSWORD}"

_COMMAND_SECONDS = 20
_LONGEST_PASSWORD = 4096
_POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
# What may stand behind the `?`: nothing that carries a secret, names another host or changes the session.
_QUERY = frozenset({"application_name", "host", "port", "sslcert", "sslcrl", "sslkey", "sslmode", "sslrootcert"})


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A database: its kind, the URL to connect with, and how to name it without any secret."""

    kind: Literal["sqlite", "postgresql"]
    url: URL
    shown: str
    path: Path | None = None

    def __repr__(self) -> str:
        return f"Place({self.shown!r})"


def default_path() -> Path:
    """Return the database file of this user."""
    from platformdirs import user_data_dir

    return Path(user_data_dir("pore-plugin", appauthor=False)) / "records.sqlite"


def read_place(url: str | None, environ: Mapping[str, str], *, password_in_url: bool = False) -> Place:
    """Return the place that a URL or a bare path names; the user's own file where there is none.

    `password_in_url` allows a password inside the URL: only where nobody else can see it, so never for an argument of
    a command. Raises `ProblemsError` (`storage.url`, `storage.password…`, `storage.tls`).
    """
    if not url:
        return _file(default_path())
    if "://" not in url:
        return _file(Path(url))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        refuse("storage.url", "The database URL cannot be read.", _HOW)
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        if parsed.query or parsed.host or parsed.username or not parsed.database or parsed.database == ":memory:":
            refuse("storage.url", "A SQLite URL names one file, and nothing else.", _HOW)
        return _file(Path(parsed.database))
    if parsed.drivername in _POSTGRESQL:
        return _server(parsed, environ, password_in_url)
    refuse("storage.url", "The database URL is of a kind that is not known here.", _HOW)


_HOW = "Write a path, sqlite:///PATH or postgresql://USER@HOST/NAME?sslmode=verify-full."


def _file(path: Path) -> Place:
    # The folder may be reached by links, as /tmp is on some systems; the file itself may not be one.
    path = path.expanduser()
    path = path.parent.resolve() / path.name
    return Place("sqlite", URL.create("sqlite", database=str(path)), str(path), path)


def _server(url: URL, environ: Mapping[str, str], password_in_url: bool) -> Place:
    if "password" in url.query or (url.password is not None and not password_in_url):
        refuse(
            "storage.password_visible",
            "The password stands in the database URL, where every user of this machine can read it.",
            f"Take it out of the URL and hand it in by {_WAYS}; then change it, because it has been seen.",
        )
    unknown = sorted(set(url.query) - _QUERY)
    if unknown:
        refuse(
            "storage.url",
            f"The database URL has a setting that is not allowed here: {unknown[0][:40]}.",
            f"Allowed are {', '.join(sorted(_QUERY))}.",
        )
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    ports = query.get("port", "").split(",") if "port" in query else []
    if not all(port.isascii() and port.isdecimal() and 0 < int(port) < 65536 for port in ports):
        refuse("storage.url", "The port in the database URL is no number from 1 to 65535.", _HOW)
    hosts = _hosts(url, query, environ)
    mode = query.get("sslmode") or environ.get("PGSSLMODE")
    if not all(_is_local(host) for host in hosts):
        if mode != "verify-full":
            refuse(
                "storage.tls",
                "The database is on another machine, and the connection would not be checked for who answers.",
                "Add ?sslmode=verify-full to the URL, and &sslrootcert=FILE where the server's authority is your own.",
            )
        query["sslmode"] = mode
    password = _password(url, environ)
    url = url.set(drivername="postgresql+psycopg", query=query)
    if password is not None:
        url = url.set(password=password)
    shown = URL.create("postgresql", host=hosts[0] or None, port=url.port, database=url.database)
    return Place("postgresql", url, shown.render_as_string(), None)


def _hosts(url: URL, query: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    """Every host that the client library might connect to; an empty one is the local socket."""
    if environ.get("PGSERVICE") or environ.get("PGSERVICEFILE"):
        refuse(
            "storage.url",
            "A service file (PGSERVICE) would decide which server is used.",
            "Unset PGSERVICE and PGSERVICEFILE and name host and database in the URL.",
        )
    named = [url.host or "", query.get("host", "")]
    hosts = [host.strip() for name in named if name for host in name.split(",")]
    hosts = hosts or environ.get("PGHOST", "").split(",")
    return hosts + [host for host in environ.get("PGHOSTADDR", "").split(",") if host]


def _is_local(host: str) -> bool:
    if host in {"", "localhost"} or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _password(url: URL, environ: Mapping[str, str]) -> str | None:
    """The one password that was handed in, or nothing: then the client library has its own ways."""
    given = [name for name in (PASSWORD, PASSWORD_FILE, PASSWORD_COMMAND) if environ.get(name)]
    if len(given) + (url.password is not None) > 1:
        refuse(
            "storage.password_twice",
            f"The database password is handed in twice: {', '.join([*given, 'the URL'] if url.password else given)}.",
            "Keep one of them.",
        )
    if url.password is not None:
        return str(url.password)
    if not given:
        return None
    value = environ[given[0]]
    if given[0] == PASSWORD:
        return value
    return _from_file(Path(value)) if given[0] == PASSWORD_FILE else _from_command(value)


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(_LONGEST_PASSWORD + 1)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            refuse("storage.password_file", f"The password file {path} does not exist.", f"Mend {PASSWORD_FILE}.")
        raise fault(error) from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        refuse(
            "storage.password_file",
            f"Other users of this machine can open the password file {path}.",
            f"Change the password, then: chmod 600 {shlex.quote(str(path))}",
        )
    return _text(raw, "storage.password_file", f"The password file {path}")


def _from_command(command: str) -> str:
    code = "storage.password_command"
    try:
        words = shlex.split(command)
        # The words are the clinic's own setting; no shell sees them.
        done = subprocess.run(  # noqa: S603
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        refuse(code, f"The password command did not end within {_COMMAND_SECONDS} seconds.", "Run it by hand.")
    except (OSError, ValueError, IndexError):
        refuse(code, "The password command cannot be run.", f"Mend {PASSWORD_COMMAND}; it is run without a shell.")
    if done.returncode:
        refuse(code, f"The password command ended with exit code {done.returncode}.", "Run it by hand to see why.")
    return _text(done.stdout, code, "The password command")


def _text(raw: bytes, code: str, who: str) -> str:
    """The password without the line end that editors and programs add."""
    try:
        text = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        text = ""
    if not text or len(raw) > _LONGEST_PASSWORD or any(sign in text for sign in "\n\r\x00"):
        refuse(code, f"{who} gives no password: one line of UTF-8 text is expected.", "Mend it and try again.")
    return text
