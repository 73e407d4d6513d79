"""What holds for every test: no silent skips, and the same examples from hypothesis on every run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from databases import PostgresServer
    from pore_plugin.storage import Database

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

# Derandomised, so that a red run is red for everyone; no deadline and no "too slow", so that a busy machine changes
# nothing.
settings.register_profile(
    "dev", derandomize=True, deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


class SkipCensus:
    """Counts the skips, prints the count always, and fails a run under `CI=true` that has any."""

    def __init__(self) -> None:
        self.skips: list[str] = []

    def _count(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        self.skips.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._count(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._count(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if IN_CI and self.skips and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"skips: {len(self.skips)}")
        if IN_CI and self.skips:
            terminalreporter.write_line("Under CI every test has to run; these did not:", red=True)
            for line in self.skips:
                terminalreporter.write_line(f"  {line}", red=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SkipCensus(), "pore-skip-census")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The one PostgreSQL server of this run, started for the first test that asks for it."""
    from databases import PostgresServer, why_no_server

    reason = why_no_server()
    if reason is not None:
        pytest.skip(reason)
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A database whose tables are up to date, to be copied."""
    from pore_plugin.storage import Database

    name = postgres_server.database()
    Database.open(postgres_server.url(name), environ={}).close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file whose tables are up to date, to be copied."""
    from pore_plugin.storage import Database

    path = tmp_path_factory.mktemp("template") / "records.sqlite"
    Database.open(str(path), environ={}).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with tables and without rows, once on each kind."""
    if request.param == "sqlite":
        folder = tmp_path / "database"
        folder.mkdir(mode=0o700)
        # With its mode, which is 0600.
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "records.sqlite")
        yield f"sqlite:///{folder / 'records.sqlite'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.database(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, opened."""
    from pore_plugin.storage import Database

    with Database.open(database_url, environ={}) as opened:
        yield opened
