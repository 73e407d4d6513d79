"""Killed at any point, a use case has happened or has not: never a part of it, and never less than what was told."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crash_worker import STEPS, walk
from factories import workflow
from pore_plugin.contracts import FollowUpPlan, TreatmentRecord
from pore_plugin.practice.keeping import WAYS
from pore_plugin.storage import Database, Unit
from pore_plugin.storage.rows import LotUse
from practice_cases import NOW

KILLS = 100
AGAIN = 10
"""How many of the killed cases are done again at the end."""
TOLD = {
    "assessment": "assessment.made",
    "consent": "consent.given",
    "consultation": "consultation.submitted",
    "follow-up-plan": "follow_up.planned",
    "follow-up-review": "follow_up.reviewed",
    "procedure-plan": "plan.made",
    "treatment-record": "treatment.recorded",
}
"""What is told of a record in the transaction that keeps it; the form of the day is handed in and told by nobody."""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a process is forked and killed")


class Server:
    """The process that starts others and kills them."""

    def __init__(self, url: str) -> None:
        here = Path(__file__).parent
        self.process = subprocess.Popen(
            [sys.executable, str(here / "crash_worker.py"), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent / "src")])},
        )

    def run(self, *numbers: int, microseconds: int | None = None) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = ",".join(map(str, numbers)) + ("" if microseconds is None else f" {microseconds}")
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert not answer["failed"]
        return answer


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    server = Server(database_url)
    yield server
    server.process.stdin.close()  # type: ignore[union-attr]
    server.process.wait(30)
    server.process.stdout.close()  # type: ignore[union-attr]


def looking(database: Database) -> Any:
    """One transaction that waits until whatever is still going on has ended."""
    return database.writing("sample-clinic", "test", action="test", now=int(NOW.timestamp()))


def shape(unit: Unit, number: int) -> dict[str, Any]:
    """Return what is kept of a patient, without ids: the same for every patient after the same steps."""
    patient = f"patient-{number}"
    steps = unit.follow_ups.of_patient([patient])
    rows = unit.records.of_patient([patient])
    return {
        "records": Counter((row.kind, row.revision, row.state) for row in rows),
        "pins": sum(len(unit.records.pins_of(row.kind, row.id, row.revision)) for row in rows),
        "vial": unit.records.latest("vial", f"vial-{number}") is not None,
        "lots": len(uses_of(unit, f"vial-{number}")),
        "steps": sorted((step.step, step.state, len(unit.follow_ups.moves(step.key))) for step in steps),
        "told": Counter(row.topic for row in unit.outbox.of_patient([patient])),
        "noted": unit.patients.get(patient) is not None,
        "audit": Counter(
            (entry.action, mode, kind)
            for entry in unit.audit.of_patient([patient])
            if entry.action != "test"
            for mode, kind, *_ in json.loads(entry.details or b"[]")
            if mode == "write"
        ),
    }


def uses_of(unit: Unit, vial: str) -> list[LotUse]:
    return unit.lots.uses_of_vial("SAMPLEL0T7", vial)


def assert_whole(unit: Unit, number: int) -> None:
    """Whatever belongs together is there together, in both directions."""
    patient = f"patient-{number}"
    rows = unit.records.of_patient([patient])
    told = {(row.topic, row.subject) for row in unit.outbox.of_patient([patient])}
    kept = {(row.kind, row.id) for row in rows}
    written = {
        (kind, name)
        for entry in unit.audit.of_patient([patient])
        for mode, kind, name, *_ in json.loads(entry.details or b"[]")
        if mode == "write"
    }
    content_kept = {(content, version) for content, version, *_ in unit.content.known()}
    assert kept <= written
    for row in rows:
        if row.id != f"day-{number}" and row.kind in TOLD:
            assert (TOLD[row.kind], row.id) in told
        for content, version in unit.records.pins_of(row.kind, row.id, row.revision):
            assert (content, version) in content_kept
        if row.kind == "treatment-record":
            record = TreatmentRecord.from_json(row.document)
            assert [use.treatment for use in uses_of(unit, f"vial-{number}")] == [row.id]
            plan = unit.records.latest("procedure-plan", record.plan.id)
            assert plan is not None
            assert plan.state == "completed"
        if row.kind == "follow-up-plan":
            dated = FollowUpPlan.from_json(row.document).steps
            assert {step.key for step in unit.follow_ups.of_plan(row.id)} == {step.key for step in dated}
        if row.kind == "follow-up-move":
            assert any(row.id in unit.follow_ups.moves(step.key) for step in unit.follow_ups.of_patient([patient]))
    subjects = {name for _, name in kept}
    assert {subject for _, subject in told} <= subjects
    assert {step.plan for step in unit.follow_ups.of_patient([patient])} <= subjects


def test_a_hundred_kills_leave_the_old_state_or_the_new_one(database_url: str, server: Server) -> None:
    after: list[dict[str, Any]] = []
    with Database.open(database_url, environ={}) as database:

        def look() -> None:
            with looking(database) as unit:
                after.append(shape(unit, 0))

        look()
        walk(database, workflow(), [0], look)
    assert len(after) == STEPS + 1
    longest = max(server.run(number)["seconds"] for number in (1, 2, 3))

    chance, killed, seen, number = random.Random(20260920), [], Counter[int](), 10
    while len(killed) < KILLS:
        number += 1
        assert number < 3 * KILLS, "hardly any process was killed before it was done"
        answer = server.run(number, microseconds=chance.randrange(int(longest * 1e6)))
        with Database.open(database_url, environ={}) as database, looking(database) as unit:
            assert list(unit.audit.faults()) == []
            # What was told is there; of the step that nobody heard the end of, everything or nothing.
            assert shape(unit, number) in after[answer["steps"] : answer["steps"] + 2]
            assert_whole(unit, number)
        if answer["killed"]:
            killed.append(number)
            seen[answer["steps"]] += 1
    assert len(seen) > STEPS // 2, "the kills hit hardly any of the steps"

    # Done again, a case is what it would have been without the kill.
    again = chance.sample(killed, AGAIN)
    server.run(*again)
    with Database.open(database_url, environ={}) as database, looking(database) as unit:
        assert list(unit.audit.faults()) == []
        for number in again:
            done, wanted = shape(unit, number), after[-1]
            assert {**done, "audit": 0} == {**wanted, "audit": 0}
        assert set(unit.records.counts()) <= set(WAYS)
