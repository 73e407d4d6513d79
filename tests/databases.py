"""A PostgreSQL server of this test run's own, from the machine's binaries, and fresh databases on it.

The server listens on a Unix socket in a folder of its own and belongs to an ordinary user: as root it runs as
`postgres`, because the server refuses to run as root. What is made here is gone when the run ends.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["PostgresServer", "why_no_server"]

ROLE = "pore_test"
TEMPLATE = "pore_template"
_SYSTEM_USER = "postgres"
# Nothing here has to outlive a power cut. What a test wants to survive is the end of a process, not of the machine.
_SETTINGS = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
    "unix_socket_permissions": "0777",
}


def binaries() -> Path | None:
    """Return the folder with the newest server's programs: Debian's, else what is on the path."""
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb") if p.with_name("postgres").exists()]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0)
    where = shutil.which("initdb")
    return Path(where).resolve().parent if where and shutil.which("postgres") else None


def why_no_server() -> str | None:
    """Return why no server can run here, or nothing when one can."""
    if os.name != "posix":
        return "The test server needs a Unix socket."
    if importlib.util.find_spec("psycopg") is None:
        return "The driver psycopg is not installed."
    if binaries() is None:
        return "PostgreSQL is not installed (on Debian: apt-get install postgresql)."
    if os.geteuid() == 0:
        try:
            pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            return f"PostgreSQL does not run as root, and there is no user {_SYSTEM_USER}."
    return None


class PostgresServer:
    """A running server; `database` makes a fresh database that belongs to an ordinary role."""

    def __init__(self) -> None:
        """Make the cluster and start it."""
        folder = binaries()
        assert folder is not None, why_no_server()
        self._programs = folder
        # Short, because the path of a socket may not be long.
        self.folder = Path(tempfile.mkdtemp(prefix="pore-pg-"))
        self.folder.chmod(0o755)
        self._data = self.folder / "data"
        self._data.mkdir(mode=0o700)
        self._user: pwd.struct_passwd | None = None
        if os.geteuid() == 0:
            self._user = pwd.getpwnam(_SYSTEM_USER)
            for path in (self.folder, self._data):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        self._numbers = itertools.count(1)
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", _SYSTEM_USER, "-E", "UTF8", "--no-locale", "-N")
        self._start()
        self.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS")

    def url(self, database: str, role: str = ROLE) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def database(self, template: str | None = None) -> str:
        """Make a database, empty or as a copy of another, and return its name."""
        name = f"pore_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER {ROLE}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, database: str) -> None:
        """Remove a database, with whatever is still connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as superuser, outside a transaction."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user=_SYSTEM_USER, dbname=database, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def stop(self) -> None:
        """Stop the server at once and remove everything of it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        settings = [f"--{name.replace('_', '-')}={value}" for name, value in _SETTINGS.items()]
        log = (self.folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self.folder), *settings],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                **self._as_user(),
            )
        import psycopg

        for _ in range(600):
            with contextlib.suppress(psycopg.OperationalError):
                self.execute("SELECT 1")
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        said = (self.folder / "log").read_text(errors="replace")
        self.stop()
        raise RuntimeError(f"The test server did not start:\n{said}")

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=120,
            **self._as_user(),
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _as_user(self) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        if self._user is None:
            return {"env": environment}
        environment |= {"HOME": self._user.pw_dir, "USER": _SYSTEM_USER}
        return {"env": environment, "user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def running() -> Iterator[PostgresServer]:
    """A server for as long as the block runs."""
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    with running() as mine:
        print(mine.url(mine.database()))
        sys.stdin.read()
