"""Records that answer: a recall and a due list over many treatments, on SQLite and on PostgreSQL.

python benchmarks/records.py [--quick]

The rows are put straight into the tables: real documents of the sample case, each with ids, patient and days of its
own. Nothing here goes through the workflow, which is measured elsewhere.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib import import_module
from itertools import islice
from math import log
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import event, insert, text
from whole import prepare_workflow, sample_case

from pore_plugin.clinical.treatment.lots import lot_key, near_keys
from pore_plugin.demo import run_case
from pore_plugin.practice import Desk
from pore_plugin.practice.due import due
from pore_plugin.practice.recalls import adverse_events, recall
from pore_plugin.storage import Database, tables
from pore_plugin.storage.backup import backup, restore
from pore_plugin.storage.sealing import seal_of

__all__ = ["SIZES", "report"]

TESTS = Path(__file__).resolve().parent.parent / "tests"
SIZES = (1_000, 10_000, 100_000)
NOW = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)
A_DAY = 7
"""Treatments a day: 1,000 of them are twenty weeks, longer than the follow-up of one."""
PER_LOT = 40
"""Treatments from vials of one lot."""
ONE_EVENT_IN = 40
ANSWERED_AFTER = 28
MISSED_FOR = 28
"""Days."""
_BATCH = 2_000
_REPEATS = 9
_MOMENT = re.compile(rb"(\d{4}-\d\d-\d\d)(?=[T\"])")
_TABLES = ("patient", "record", "lot", "lot_variant", "lot_use", "step", "step_move")


@dataclass(frozen=True)
class Answers:
    """What one database of one size took, in seconds, and how much it answered."""

    database: str
    treatments: int
    recall: float
    uses: int
    due: float
    listed: int
    events: float
    plans: dict[str, list[str]]


@cache
def _samples() -> tuple[Any, dict[str, bytes], tuple[tuple[str, int, int | None, int | None], ...], str]:
    """Return the clinic, the documents of a followed treatment, its steps, and the day that they are dated from."""
    workflow = prepare_workflow()
    case = sample_case()
    run = run_case(workflow, case, "en")
    assert run.treatment is not None
    assert run.follow_up is not None
    response = next(sheet.request for sheet in run.sheets if sheet.name == "review-2-w4").response  # type: ignore[union-attr]
    adverse = {
        "id": "event-1",
        "clinic": workflow.clinic.id,
        "patient": "patient-1",
        "treatment": "treatment-1",
        "code": "brow-ptosis",
        "severity": "moderate",
        "onset": "2026-09-14T08:00:00+01:00",
        "recorded_at": "2026-09-14T10:00:00+01:00",
        "recorded_by": "dr-sample",
        "reportable": False,
    }
    documents = {
        "treatment-record": run.treatment.to_json(),
        "follow-up-plan": run.follow_up.to_json(),
        "follow-up-response": response.to_json(),
        "adverse-event": json.dumps(adverse).encode(),
    }
    steps = tuple(
        (one.key, _seconds(one.due), _seconds_or(one.earliest), _seconds_or(one.latest)) for one in run.follow_up.steps
    )
    return workflow.clinic, documents, steps, run.treatment.date


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def _seconds_or(instant: str | None) -> int | None:
    return None if instant is None else _seconds(instant)


def lot_of(number: int) -> str:
    """Return the lot of a treatment: lots that lie side by side in time read nothing alike."""
    return sha256(f"lot {number // PER_LOT}".encode()).hexdigest()[:8].upper()


class _Rows:
    """The rows of many treatments, the newest first."""

    def __init__(self, treatments: int) -> None:
        self.treatments = treatments
        self.clinic, self.documents, self.steps, day = _samples()
        self.day = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        self.plan = json.loads(self.documents["follow-up-plan"])["id"]
        self.watch = _seconds(json.loads(self.documents["follow-up-plan"])["watch_until"])
        self.shifted = -1
        self.dated: dict[str, bytes] = {}

    def batches(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Yield rows by table, some treatments at a time."""
        numbers = iter(range(self.treatments))
        seen: set[str] = set()
        while batch := list(islice(numbers, _BATCH)):
            rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
            for number in batch:
                self.add(rows, number, seen)
            yield rows

    def add(self, rows: dict[str, list[dict[str, Any]]], number: int, seen: set[str]) -> None:
        """Add the rows of one treatment: everybody comes twice."""
        days = number // A_DAY
        shift = int((NOW - self.day).total_seconds()) // 86400 - days
        if shift != self.shifted:
            self.shifted, self.dated = shift, {kind: _moved(one, shift) for kind, one in self.documents.items()}
        patient, lot = f"patient-{number % max(1, self.treatments // 2):06}", lot_of(number)
        at = int((NOW - timedelta(days=days)).timestamp())
        mine = {"clinic": self.clinic.id}
        if patient not in seen:
            seen.add(patient)
            rows["patient"].append({**mine, "patient": patient, "host": "sample-host", "first_at": at, "last_at": at})
        if lot not in seen:
            seen.add(lot)
            key = lot_key(lot)
            rows["lot"].append({**mine, "lot_key": key, "lot": lot, "first_at": at})
            rows["lot_variant"] += [{**mine, "variant": one, "lot_key": key} for one in near_keys(key)]
        treatment, plan = f"treatment-{number:06}", f"{number:08x}{self.plan[8:]}"
        rows["lot_use"].append(
            {
                **mine,
                "lot_key": lot_key(lot),
                "treatment": treatment,
                "vial": f"vial-{number:06}",
                "patient": patient,
                "lot": lot,
                "product": "pore.product.bocouture-uk",
                "expiry": "2099-12-31",
                "at": at,
                "replaced_at": None,
            }
        )
        states = [
            self._state(number, position, due, latest, shift) for position, (_, due, _, latest) in enumerate(self.steps)
        ]
        for (key, due_at, earliest, latest), state in zip(self.steps, states, strict=True):
            rows["step"].append(
                {
                    **mine,
                    "key": f"{number:08x}{key[8:]}",
                    "plan": plan,
                    "treatment": treatment,
                    "patient": patient,
                    "step": key[:8],
                    "state": state,
                    "due": due_at + shift * 86400,
                    "earliest": None if earliest is None else earliest + shift * 86400,
                    "latest": None if latest is None else latest + shift * 86400,
                    "moved_at": at,
                    "watch_until": self.watch + shift * 86400,
                }
            )
        self._records(rows["record"], number, treatment, plan, patient, lot, at, states)

    def _state(self, number: int, position: int, due_at: int, latest: int | None, shift: int) -> str:
        """Return where a step stands: what is over was done, but for one in ten, which was missed."""
        if due_at + shift * 86400 > NOW.timestamp():
            return "planned"
        over = latest is not None and latest + shift * 86400 < NOW.timestamp()
        return "missed" if over and (number + position) % 10 == 0 else "done"

    def _records(
        self,
        rows: list[dict[str, Any]],
        number: int,
        treatment: str,
        plan: str,
        patient: str,
        lot: str,
        at: int,
        states: list[str],
    ) -> None:
        names = {
            b"patient-1": patient.encode(),
            b"treatment-1": treatment.encode(),
            b"SAMPLE-LOT-7": lot.encode(),
            b"vial-1": f"vial-{number:06}".encode(),
            b"response-w4": f"response-{number:06}".encode(),
            b"event-1": f"event-{number:06}".encode(),
            self.plan.encode(): plan.encode(),
        }
        whose = {"clinic": self.clinic.id, "revision": 1, "patient": patient, "recorded_by": "bench"}
        belongs = {
            "treatment-record": (treatment, f"plan-{number:06}"),
            "follow-up-plan": (plan, treatment),
            "follow-up-response": (f"response-{number:06}", plan),
            "adverse-event": (f"event-{number:06}", treatment),
        }
        for kind, (name, subject) in belongs.items():
            if kind == "adverse-event" and number % ONE_EVENT_IN:
                continue
            if kind == "follow-up-response" and number // A_DAY < ANSWERED_AFTER:
                continue
            document = self.dated[kind]
            for old, new in names.items():
                document = document.replace(b'"%b"' % old, b'"%b"' % new)
            if kind == "follow-up-plan":
                for (key, _, _, _), state in zip(self.steps, states, strict=True):
                    old = b'"key":"%b"' % key.encode()
                    new = b'"key":"%08x%b","state":"%b"' % (number, key[8:].encode(), state.encode())
                    document = document.replace(old, new)
            digest = f"sha256:{number:064x}"
            rows.append(
                {
                    **whose,
                    "kind": kind,
                    "id": name,
                    "subject": subject,
                    "at": at,
                    "recorded_at": at,
                    "digest": digest,
                    "sealed": seal_of(kind, name, 1, at, at, "bench", digest, document),
                    "state": "active" if kind == "follow-up-plan" else "completed",
                    "document": document,
                }
            )


def _moved(document: bytes, days: int) -> bytes:
    """Return a document whose every day is so many days later."""
    by = timedelta(days=days)
    document = document.replace(b',"state":"planned"', b"")
    return _MOMENT.sub(
        lambda found: (datetime.fromisoformat(found.group(1).decode()) + by).date().isoformat().encode(), document
    )


def fill(database: Database, treatments: int) -> None:
    """Put so many treatments into an empty database."""
    rows = _Rows(treatments)
    with database.writing(rows.clinic.id, "bench", action="fill", now=int(NOW.timestamp())):
        pass
    for batch in rows.batches():
        with database.transaction(rows.clinic.id, mode="long") as connection:
            for name, values in batch.items():
                if values:
                    connection.execute(insert(tables.metadata.tables[name]), values)
    if database.kind == "postgresql":
        # The server of the benchmark has no autovacuum, which does this in a real one.
        with database.transaction(rows.clinic.id, mode="long") as connection:
            connection.execute(text("ANALYZE"))


def ask(database: Database, treatments: int) -> Answers:
    """Ask for a recall, a due list and the adverse events of a lot, each several times, and return the medians."""
    clinic = _samples()[0]
    desk = Desk(database, clinic, actor="bench", clock=lambda: NOW, installed=False, environ={})
    lot = lot_of(treatments // 2)
    desk.workflow.catalogue  # noqa: B018  made before: it is the clinic's, and made once
    report = recall(desk, lot)
    assert len(report.uses) == min(PER_LOT, treatments), len(report.uses)
    assert all(use.follow_up.last_contact for use in report.uses)
    plans = {}
    for name, question in (("recall", lambda: recall(desk, lot)), ("due list", lambda: _due(desk))):
        with _noted(database) as seen:
            question()
        plans[name] = list(_plans(database, clinic.id, seen))
    return Answers(
        database=database.kind,
        treatments=treatments,
        recall=_timed(lambda: recall(desk, lot)),
        uses=len(report.uses),
        due=_timed(lambda: _due(desk)),
        listed=len(_due(desk).items),
        events=_timed(lambda: adverse_events(desk, lot)),
        plans=plans,
    )


def _due(desk: Desk) -> Any:
    return due(desk, missed_for=MISSED_FOR)


def _timed(question: Callable[[], object]) -> float:
    taken = []
    for _ in range(_REPEATS):
        started = perf_counter()
        question()
        taken.append(perf_counter() - started)
    return median(taken)


@contextmanager
def _noted(database: Database) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _plans(database: Database, clinic: str, seen: list[tuple[str, Any]]) -> Iterator[str]:
    """Yield how each table was looked into, each way once."""
    found: dict[str, None] = {}
    word = "EXPLAIN" if database.kind == "postgresql" else "EXPLAIN QUERY PLAN"
    with database.transaction(clinic) as connection:
        for statement, parameters in seen:
            if not statement.startswith("SELECT"):
                continue
            for row in connection.exec_driver_sql(f"{word} {statement}", parameters):
                said = re.sub(r" *\(cost=.*", "", str(row[-1]).strip().removeprefix("->").strip())
                if re.search(r"SEARCH|SCAN|Scan", said) and " on clinic" not in said and " clinic " not in said:
                    found[said] = None
    yield from found


@contextmanager
def _databases(folder: Path) -> Iterator[dict[str, Callable[[str], Database]]]:
    """Give what makes an empty database of a name, for each kind that there is here."""
    made: dict[str, Callable[[str], Database]] = {
        "SQLite": lambda name: Database.open(str(folder / f"{name}.sqlite"), environ={})
    }
    sys.path.append(str(TESTS))
    servers = import_module("databases")
    reason = servers.why_no_server()
    if reason is not None:
        sys.stdout.write(f"Without PostgreSQL: {reason}\n")
        yield made
        return
    server = servers.PostgresServer()
    try:
        made["PostgreSQL"] = lambda _: Database.open(server.url(server.database()), environ={})
        yield made
    finally:
        server.stop()


def report(*, quick: bool = False) -> str:
    """Measure, and return the tables and the query plans as Markdown."""
    sizes = (500, 1_000) if quick else SIZES
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "records"
        folder.mkdir(mode=0o700)
        found: list[Answers] = []
        kept: list[tuple[str, ...]] = []
        with _databases(folder) as kinds:
            for kind, make in kinds.items():
                for size in sizes:
                    with make(f"of-{size}") as database:
                        fill(database, size)
                        found.append(ask(database, size))
                        if size == sizes[-1]:
                            kept.append(_kept(kind, database, make, folder, size))
    lines = [*_answered(found), "", *_grown(found, sizes), "", *_table(_KEPT, kept), ""]
    for one in (one for one in found if one.treatments == sizes[-1]):
        for name, plan in one.plans.items():
            lines += [f"Query plan of the {name} over {one.treatments:,} treatments on {_NAMES[one.database]}:", ""]
            lines += ["```text", *plan, "```", ""]
    return "\n".join(lines).rstrip()


_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_ANSWERED = ("database", "treatments", "recall of a lot", "due list", "adverse events of a lot", "target")
_GROWN = ("database", "from", "recall grew", "due list grew", "logarithmic would be", "target")
_KEPT = ("database", "treatments", "backup", "its size", "restored into an empty database in")


def _answered(found: list[Answers]) -> list[str]:
    rows = []
    for one in found:
        met = "< 1 s: " + ("met" if one.recall < 1 else "**not met**")
        rows.append(
            (
                _NAMES[one.database],
                f"{one.treatments:,}",
                f"{_ms(one.recall)}, {one.uses} treatments",
                f"{_ms(one.due)}, {one.listed} steps",
                _ms(one.events),
                met,
            )
        )
    return _table(_ANSWERED, rows)


def _grown(found: list[Answers], sizes: tuple[int, ...]) -> list[str]:
    small, large = sizes[0], sizes[-1]
    bound = log(large) / log(small)
    rows = []
    for kind in dict.fromkeys(one.database for one in found):
        first, last = ({one.treatments: one for one in found if one.database == kind}[size] for size in (small, large))
        grown = last.recall / first.recall, last.due / first.due
        met = "met" if max(grown) <= bound else "**not met**"
        rows.append(
            (
                _NAMES[kind],
                f"{small:,} to {large:,}",
                f"{grown[0]:.2f} ×",
                f"{grown[1]:.2f} ×",
                f"{bound:.2f} ×",
                f"≤ {bound:.2f} ×: {met}",
            )
        )
    return _table(_GROWN, rows)


def _kept(kind: str, database: Database, make: Callable[[str], Database], folder: Path, size: int) -> tuple[str, ...]:
    clinic, moment = _samples()[0].id, int(NOW.timestamp())
    file = folder / f"{kind}.backup"
    started = perf_counter()
    backup(database, clinic, file, now=moment)
    taken = perf_counter() - started
    with make("restored") as empty:
        started = perf_counter()
        restore(empty, clinic, file, actor="bench", now=moment)
        restored = perf_counter() - started
    weighs = file.stat().st_size / 1e6
    file.unlink()
    return kind, f"{size:,}", f"{taken:.1f} s", f"{weighs:.0f} MB", f"{restored:.1f} s"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, tuple("---" for _ in head), *rows)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few treatments, to see that it runs")
    sys.stdout.write(report(quick=parser.parse_args().quick) + "\n")
