"""The desk: one transaction for each use case and each thread, and nothing told before it is committed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from factories import consultation
from hook_plugins import plugin
from pore_plugin.practice import Records
from pore_plugin.practice.library import Library
from pore_plugin.storage import Database
from practice_cases import desk, rolled_back, rows
from practice_library import PEEL, template, write


def hearing(database: Database) -> tuple[Records, list[str]]:
    """Return records, and what their extensions heard of."""
    told: list[str] = []
    ears = plugin(pore_on_event=lambda event: told.append(event.type))
    return Records(desk(database, plugins={"acme": ears})), told


def test_what_a_step_inside_a_use_case_tells_is_published_after_the_commit(database: Database) -> None:
    records, told = hearing(database)
    with records.desk.use("test"):
        records.submit(consultation())
        assert told == []
    assert told == ["consultation.submitted"]


def test_what_is_rolled_back_with_a_use_case_is_never_published(database: Database) -> None:
    records, told = hearing(database)
    with rolled_back(records.desk):
        records.submit(consultation())
    records.submit(consultation(id="another"))
    assert told == ["consultation.submitted"]


def test_a_step_that_raises_inside_a_use_case_leaves_nothing_and_the_rest_stays(database: Database) -> None:
    records, told = hearing(database)
    before = rows(database)
    with records.desk.use("test") as unit:
        with rolled_back(records.desk):
            records.submit(consultation())
            unit.note(None, said="inner")
        unit.note(None, said="outer")
    assert rows(database) == before
    assert told == []
    with records.desk.use("test") as unit:
        said = [row.details for row in unit.audit.of_action("test")]
    assert b'{"said":"outer"}' in said
    assert b'{"said":"inner"}' not in said


def test_threads_at_one_desk_have_transactions_of_their_own(database: Database) -> None:
    records, _ = hearing(database)
    _ = records.desk.workflow
    inside = threading.Event()

    def fail() -> None:
        with rolled_back(records.desk):
            inside.set()
            threading.Event().wait(0.3)

    with ThreadPoolExecutor(2) as pool:
        failed = pool.submit(fail)
        inside.wait(5)
        kept = pool.submit(records.submit, consultation())
        failed.result(10)
        kept.result(10)
    with records.desk.use("test") as unit:
        assert unit.records.latest("consultation", consultation().id) is not None


def test_the_same_key_in_two_threads_is_done_once(database: Database) -> None:
    first = Records(desk(database))
    second = Records(desk(database))
    start = threading.Barrier(2)

    def ask(records: Records) -> bytes:
        _ = records.desk.workflow
        start.wait(10)
        return records.submit(consultation(), key="once").to_json()

    with ThreadPoolExecutor(2) as pool:
        answers = {answer.result(30) for answer in [pool.submit(ask, records) for records in (first, second)]}
    assert len(answers) == 1
    with first.desk.use("test") as unit:
        assert [row.topic for row in unit.outbox.in_state()] == ["consultation.submitted"]
        assert len(unit.records.revisions("consultation", consultation().id)) == 1


def test_content_that_another_process_imported_is_there_at_the_next_step(database: Database, tmp_path: Path) -> None:
    records, _ = hearing(database)
    assert PEEL not in {entry.pin.id for entry in records.templates()}
    Library(desk(database)).import_([write(tmp_path / "peel.json", template())])
    records.submit(consultation())
    assert PEEL in {entry.pin.id for entry in records.templates()}


def test_content_of_an_import_that_is_rolled_back_is_used_by_nobody(database: Database, tmp_path: Path) -> None:
    records, _ = hearing(database)
    path = write(tmp_path / "peel.json", template())
    with rolled_back(records.desk):
        Library(records.desk).import_([path])
        assert PEEL in {entry.pin.id for entry in records.templates()}
    assert PEEL not in {entry.pin.id for entry in records.templates()}
