"""What a large library costs those who do not need it: nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

import practice_library as given
from pore_plugin.contracts import ProcedureTemplate
from pore_plugin.practice import Desk
from pore_plugin.practice.auditing import verify
from pore_plugin.practice.backups import take
from pore_plugin.practice.due import due
from pore_plugin.practice.library import Library
from pore_plugin.practice.recalls import adverse_events, recall
from pore_plugin.storage import Database
from practice_library import PEEL, PRESCRIBER, Clock, desk_at

SHIPPED = "pore.form.consultation"


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    """A desk whose library has a template and an own product, of which nothing was read yet."""
    given.write(tmp_path / "in" / "peel.json", given.template())
    given.write(tmp_path / "in" / "peel-2.json", given.reworded(given.template(), "1.0.1"))
    product = {**given.SHIPPED["pore.product.bocouture-uk"], "id": "acme.product.own", "codes": []}
    given.write(tmp_path / "in" / "product.json", product)
    assert Library(desk_at(database, Clock())).import_([tmp_path / "in"]).problems == ()
    return desk_at(database, Clock())


@pytest.fixture
def sparing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """That desk, where it is a failure to read all of the library."""

    def read(_: Desk) -> None:
        raise AssertionError("the whole library was read")

    monkeypatch.setattr(Desk, "workflow", property(read))
    return desk


def test_what_is_looked_up_in_has_no_templates_but_what_names_things(desk: Desk) -> None:
    own = {entry.pin.id for entry in desk.lookups.catalogue.entries if entry.is_kept}
    assert own == {"acme.product.own"}
    assert desk.workflow.catalogue.find(ProcedureTemplate, PEEL) is not None
    assert desk.lookups is desk.workflow


def test_it_is_made_anew_when_the_library_has_changed(desk: Desk, tmp_path: Path) -> None:
    before = desk.lookups
    assert desk.lookups is before
    Library(desk).retire("acme.product.own", why="Out of use.")
    assert "acme.product.own" not in {one.pin.id for one in desk.lookups.catalogue.entries if one.is_current}


def test_the_library_is_looked_at_without_reading_all_of_it(sparing: Desk) -> None:
    library = Library(sparing)
    assert [library.show(word)[0].state for word in (PEEL, SHIPPED)] == ["draft", "draft"]
    assert {entry.version for entry in library.entries().entries if entry.id == PEEL} == {"1.0.0", "1.0.1"}
    assert len(library.history(PEEL).entries) == 2
    assert library.diff(f"{PEEL}@1.0.0", PEEL).needed_bump == "patch"
    assert library.export(PEEL)[1]
    assert library.export_all(name="all")


def test_recalls_due_lists_and_the_audit_need_no_template(sparing: Desk, tmp_path: Path) -> None:
    assert recall(sparing, "LOT 7", "acme.product.own").uses == ()
    assert adverse_events(sparing).lots == ()
    assert due(sparing).items == ()
    assert verify(sparing).intact
    assert take(sparing, tmp_path / "backup.pore").clinic == sparing.clinic.id


def test_many_approvals_are_written_in_as_many_statements_as_few(database: Database, tmp_path: Path) -> None:
    ids = [f"acme.template.t{number}" for number in range(30)]
    for one in ids:
        given.write(tmp_path / "in" / f"{one}.json", given.template(content_id=one))
    library = Library(desk_at(database, Clock()))
    assert library.import_([tmp_path / "in"]).applied
    few = writes(database, lambda: library.approve(ids[:2], person=PRESCRIBER, until="2026-12-31"))
    many = writes(database, lambda: library.approve(ids[2:], person=PRESCRIBER, until="2026-12-31"))
    assert 0 < many <= few
    ends = writes(database, lambda: library.withdraw(ids[:2], why="Read again first."))
    assert 0 < writes(database, lambda: library.withdraw(ids[2:], why="Read again first.")) <= ends
    assert {entry.state for entry in library.entries().entries if entry.id in ids} == {"draft"}


def writes(database: Database, work: Callable[[], object]) -> int:
    """Return how many statements write something while something is done."""
    said: list[str] = []

    def hear(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        work()
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return sum(one.startswith(("INSERT", "UPDATE", "DELETE")) for one in said)
