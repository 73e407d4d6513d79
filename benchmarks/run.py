"""Measure, print the table, and write it into docs/performance.md.

python benchmarks/run.py [--quick] [--no-write]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cold
import deciding
import hooks
import library
import records
import whole
from timing import by_turns

from pore_plugin.contracts import AssessmentContext, Consultation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
IN_A_ROW = 20
PACKAGES = (
    "pydantic",
    "jsonschema",
    "jsonschema-rs",
    "check-jsonschema",
    "fastjsonschema",
    "pluggy",
    "sqlalchemy",
    "psycopg",
)


@dataclass(frozen=True)
class Row:
    """One comparison: how many times faster we are than the other (`faster`), or how many times its time we take."""

    what: str
    ours: float
    other: str
    theirs: float
    faster: bool = False
    target: int | None = None

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours if self.faster else self.ours / self.theirs

    @property
    def cells(self) -> tuple[str, ...]:
        shown = f"{self.ratio:.2g}" if self.ratio < 10 else f"{self.ratio:.0f}"
        ratio = f"{shown} × faster" if self.faster else f"{shown} × its time"
        if self.target is None:
            return self.what, _time(self.ours), f"{self.other}, {_time(self.theirs)}", ratio, "–"
        met = self.ratio >= self.target if self.faster else self.ratio <= self.target
        bound = f"{'≥' if self.faster else '≤'} {self.target} ×"
        return self.what, _time(self.ours), f"{self.other}, {_time(self.theirs)}", ratio, f"{bound}: {_said(met)}"


def _said(met: bool) -> str:
    return "met" if met else "**not met**"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def measure(turns: int, processes: int, count: int) -> list[Row]:
    """Return every row of the table."""
    workflow = whole.prepare_workflow()
    case = whole.prepare_case(workflow)
    walked = whole.walk(workflow, case)
    parsed = Consultation.model_validate_json(case.consultation)
    decided, checked = deciding.decisions_and_checks(case.consultation, turns=turns)
    context = AssessmentContext(stage="booking", date="2026-09-10", patient=parsed.patient)
    called = hooks.round_trips(workflow, parsed, context, turns=turns)
    steps = by_turns(
        {
            "workflow": lambda: whole.walk(workflow, case),
            "parse": lambda: Consultation.model_validate_json(case.consultation),
            "parses": lambda: [Consultation.model_validate_json(case.consultation) for _ in range(IN_A_ROW)],
            "sheets": lambda: whole.sheets(workflow, walked),
            "ical": lambda: whole.ical(workflow, walked),
        },
        turns=turns,
        together=False,
    )
    imported = cold.imports(turns=processes)
    validated = cold.validations(case.consultation, turns=processes)
    read = library.validations(count=count, turns=1)
    taken_in = library.imports(count=count, turns=1)
    parse = "one pydantic parse of its consultation"
    return [
        Row("schema decision", decided["ours"], "`jsonschema`", decided["jsonschema"], faster=True, target=100),
        Row("schema decision", decided["ours"], "`fastjsonschema`", decided["fastjsonschema"], faster=True),
        Row(
            "`check(bytes)`", checked["ours"], "`jsonschema` with `json`", checked["jsonschema"], faster=True, target=10
        ),
        Row("`check(bytes)`", checked["ours"], "`fastjsonschema` with `json`", checked["fastjsonschema"], faster=True),
        Row("`check(bytes)`", checked["ours"], "pydantic, strict", checked["pydantic"]),
        Row("hook: an event told", called["event"], "bare pluggy", called["event, bare"]),
        Row("hook: a finding asked for and checked", called["finding"], "bare pluggy", called["finding, bare"]),
        Row("the whole workflow", steps["workflow"], f"{parse}, in turn", steps["parse"], target=60),
        Row("the whole workflow", steps["workflow"], f"{parse}, {IN_A_ROW} in a row", steps["parses"] / IN_A_ROW),
        Row("beside it: all sheets rendered", steps["sheets"], f"{parse}, in turn", steps["parse"]),
        Row("beside it: the `.ics`", steps["ical"], f"{parse}, in turn", steps["parse"]),
        Row(
            "`from pore_plugin import PoreWorkflow`",
            imported["ours"],
            "importing pydantic",
            imported["pydantic"],
            target=2,
        ),
        Row("`import pore_plugin.contracts`", imported["contracts"], "importing pydantic", imported["pydantic"]),
        Row("import, and a first workflow", imported["first workflow"], "importing pydantic", imported["pydantic"]),
        Row("`pore-plugin validate FILE`", validated["ours"], "a script with `jsonschema`", validated["jsonschema"]),
        Row(
            f"`pore-plugin validate` of {count:,} templates, each",
            read["ours"],
            "`check-jsonschema`, the schema alone",
            read["check-jsonschema"],
            faster=True,
            target=5,
        ),
        Row("the same", read["ours"], "`json` and `jsonschema-rs` alone, the limit", read["jsonschema-rs"]),
        Row("the same in YAML", read["yaml"], "in JSON", read["ours"]),
        Row(
            f"first `pore-plugin import --apply` of {count:,} templates, each",
            taken_in["first"],
            "`pore-plugin validate`",
            taken_in["validate"],
            target=3,
        ),
        Row("the same again, all unchanged", taken_in["again"], "reading and hashing", taken_in["hash"], target=3),
        Row("`pore-plugin validate` of 100 templates", read["package"], "a second", 1.0, target=1),
    ]


def table(rows: list[Row]) -> str:
    """Return the table as Markdown."""
    head = ("what", "ours", "beside", "ratio", "target")
    lines = [head, tuple("---" for _ in head), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def circumstances() -> str:
    """Say on what and when this was measured; which machine it was stays out."""
    packages = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    return f"Measured on {datetime.now(UTC).date().isoformat()} with {python} on {machine}; {packages}."


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few repeats, to see that it runs; writes nothing")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    rows = measure(*((20, 3, 100) if options.quick else (300, 21, 10_000)))
    found = f"{circumstances()}\n\n{table(rows)}\n\n{records.report(quick=options.quick)}"
    sys.stdout.write(f"{found}\n")
    if not (options.quick or options.no_write):
        page = PAGE.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{found}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
