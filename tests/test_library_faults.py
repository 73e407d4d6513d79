"""What goes wrong in the middle of an import leaves the library as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

import practice_library as given
from pore_plugin.contracts import ImportReport, ProblemsError
from pore_plugin.practice.library import Library
from pore_plugin.storage import Database
from pore_plugin.storage import tables as known
from pore_plugin.storage.contents import Contents
from pore_plugin.storage.outbox import Outbox
from practice_library import PEEL, PRESCRIBER, Clock, desk_at


@pytest.fixture
def library(database: Database) -> Library:
    library = Library(desk_at(database, Clock()))
    library.entries()
    return library


def tables(database: Database) -> dict[str, list[str]]:
    with database.transaction(given.clinic().id, mode="read") as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in known.metadata.sorted_tables
        }


def many(folder: Path, count: int) -> Path:
    for number in range(count):
        given.write(folder / f"t{number}.json", given.template(content_id=f"acme.template.t{number}"))
    return folder


class CutError(RuntimeError):
    """What a test makes go wrong."""


@pytest.mark.parametrize(("owner", "name"), [(Contents, "add"), (Contents, "record"), (Outbox, "add")])
def test_an_import_that_fails_in_the_middle_leaves_the_previous_state(
    database: Database,
    library: Library,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
) -> None:
    folder = many(tmp_path / "in", 3)
    before = tables(database)
    whole = getattr(owner, name)

    def cut(*arguments: Any, **more: Any) -> None:
        whole(*arguments, **more)
        raise CutError

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, cut)
        with pytest.raises(CutError):
            library.import_([folder])
    assert tables(database) == before
    assert library.import_([folder]).counts.created == 3


@pytest.mark.parametrize("call", ["approve", "retire", "rollback"])
def test_whatever_fails_in_the_middle_leaves_the_previous_state(
    database: Database, library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = given.write(tmp_path / "peel.json", given.template())
    library.import_([path])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    library.import_([given.write(path, given.reworded(given.template(), "1.0.1"))])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-30")
    before = tables(database)

    def cut(*_: Any, **__: Any) -> None:
        raise CutError

    monkeypatch.setattr(Outbox, "add", cut)
    calls = {
        "approve": lambda: library.approve([PEEL], person=PRESCRIBER, until="2026-12-29"),
        "retire": lambda: library.retire(PEEL, why="Out of use."),
        "rollback": lambda: library.rollback(PEEL, to="1.0.0", why="Wrong."),
    }
    with pytest.raises(CutError):
        calls[call]()
    assert tables(database) == before


@pytest.fixture
def small_disk(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """A SQLite database that can hardly grow."""
    with Database.open(str(tmp_path / "db" / "records.sqlite"), environ={}) as opened:
        event.listen(opened.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 200"))
        opened.engine.dispose()
        yield opened


def test_a_full_disk_leaves_the_previous_state_and_says_so(small_disk: Database, tmp_path: Path) -> None:
    library = Library(desk_at(small_disk, Clock()))
    library.import_([many(tmp_path / "few", 1)])
    before = tables(small_disk)
    with pytest.raises(ProblemsError) as full:
        library.import_([many(tmp_path / "in", 60)])
    assert [problem.code for problem in full.value.problems] == ["storage.full"]
    assert tables(small_disk) == before


def test_two_imports_at_once_make_one(database_url: str, tmp_path: Path) -> None:
    folder = many(tmp_path / "in", 20)
    ready = threading.Barrier(2)
    reports: list[ImportReport] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with Database.open(database_url, environ={}) as database:
                library = Library(desk_at(database, Clock()))
                ready.wait(30)
                reports.append(library.import_([folder]))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(report.counts.created for report in reports) == [0, 20]
    with Database.open(database_url, environ={}) as database:
        entries = Library(desk_at(database, Clock())).entries(state="draft").entries
    assert sum(entry.id.startswith("acme.") for entry in entries) == 20


def test_a_thousand_templates_are_imported_in_a_few_statements(
    database: Database, library: Library, tmp_path: Path
) -> None:
    folder = many(tmp_path / "in", 1000)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert library.import_([folder]).counts.created == 1000
    # However many rows an INSERT has: nothing is asked or written for each document alone.
    assert len(statements) < 60
    statements.clear()
    assert library.import_([folder]).counts.unchanged == 1000
    assert len(statements) < 15
    assert len([entry for entry in library.entries().entries if entry.id.startswith("acme.")]) == 1000
