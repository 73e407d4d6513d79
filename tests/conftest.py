"""What holds for every test: no silent skips, and the same examples from hypothesis on every run."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

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
