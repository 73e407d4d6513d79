"""Recall and due list read by index: no plan of a database walks through a whole table for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, select, text

from followed_cases import LOT, Clock, case_of_another, desk_at, followed
from pore_plugin.practice import Desk
from pore_plugin.practice.corrections import correct
from pore_plugin.practice.due import advance, due
from pore_plugin.practice.outcomes import outcomes
from pore_plugin.practice.patients import kept_for
from pore_plugin.practice.recalls import adverse_events, recall
from pore_plugin.storage import Database, tables

# Tables that grow with the patients. That of a clinic has one row, and whoever works there reads it anyway.
GROWS = ("record", "lot_use", "lot", "lot_variant", "step", "step_move", "outbox", "patient", "audit")


def corrected(desk: Desk) -> None:
    """Move a session to the right patient, and ask of another record whose it is."""
    correct(desk, "treatment-1", "patient-9", "Two people with one name.", host="sample-host")
    with desk.use("test") as unit:
        assert kept_for(unit, "patient-1", "another-record") == "patient-1"


ANSWERS: dict[str, Callable[[Desk], object]] = {
    "recall": lambda desk: recall(desk, LOT),
    "adverse events of a lot": lambda desk: adverse_events(desk, LOT),
    "due list": lambda desk: due(desk, "2026-09-22T12:00:00+01:00"),
    "what time moves": advance,
    "a correction and what follows": corrected,
    "outcomes": lambda desk: outcomes(desk, "patient-1"),
}


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, object]]]:
    """Note every statement with its parameters."""
    seen: list[tuple[str, object]] = []

    def note(_: object, __: object, statement: str, parameters: object, *___: object) -> None:
        seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def plans(database: Database, seen: list[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    """Yield each look-up with what the database makes of it."""
    for statement, parameters in dict.fromkeys((one, repr(two)) for one, two in seen):
        if not statement.startswith("SELECT"):
            continue
        given = next(two for one, two in seen if (one, repr(two)) == (statement, parameters))
        with database.transaction("sample-clinic") as connection:
            if database.kind == "postgresql":
                # With few rows a walk is cheapest; what is asked is whether an index could be used instead.
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                found = connection.exec_driver_sql(f"EXPLAIN {statement}", given)  # type: ignore[arg-type]
            else:
                found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]
            yield statement, "\n".join(str(row[-1]) for row in found)


def walks(kind: str, plan: str) -> list[str]:
    """Return what in a plan reads a growing table from end to end, or by nothing but the clinic."""
    found, table = [], ""
    for line in plan.splitlines():
        if kind == "sqlite":
            scan, table = line.startswith("SCAN"), [*line.split(), "", ""][1]
            whole = line.startswith("SEARCH") and line.endswith("(clinic=?)")
        else:
            scan = "Seq Scan" in line
            table = named.group(1) if (named := re.search(r" on (\w+)", line)) else table
            # Row-level security says the clinic once more.
            whole = "Index Cond" in line and set(re.findall(r"(\w+) (?:=|<|>|<=|>=) ", line)) == {"clinic"}
        if (scan or whole) and table.removeprefix("ix_").startswith(GROWS):
            found.append(line)
    return found


def fill(database: Database, rows: int = 3000) -> None:
    """Copy a row of each growing table many times, as other people's of long ago: then an index is worth its while."""
    with database.transaction("sample-clinic") as connection:
        for name in GROWS:
            table = tables.metadata.tables[name]
            if name == "audit" or (first := connection.execute(select(table)).mappings().first()) is None:
                continue
            old = {"state": "done", "topic": "other", "due": 1, "earliest": 1, "latest": 1, "watch_until": 1, "at": 1}
            old = {column: value for column, value in old.items() if column in first}
            own = [column for column in first if column in OWN]
            connection.execute(
                insert(table),
                [{**first, **old, **{column: number(column, count) for column in own}} for count in range(rows)],
            )
        if database.kind == "postgresql":
            connection.execute(text("ANALYZE"))


OWN = ("id", "patient", "subject", "key", "plan", "treatment", "lot_key", "lot", "variant", "vial", "seq", "record")


def number(column: str, count: int) -> str | int:
    return 1000 + count if column == "seq" else f"{column}-{count:05}"


@pytest.mark.parametrize("answer", ANSWERS)
def test_nothing_is_answered_by_walking_through_a_table(database: Database, answer: str) -> None:
    desk = desk_at(database, Clock("2026-09-22T12:00:00+01:00"))
    followed(desk)
    followed(desk, case_of_another("b", lot="SAMPLE-LOT-1"))
    fill(database)
    with statements(database) as seen:
        ANSWERS[answer](desk)
    found = list(plans(database, seen))
    assert found
    assert [(statement, line) for statement, plan in found for line in walks(database.kind, plan)] == []


def test_a_walk_is_noticed(database: Database) -> None:
    followed(desk_at(database, Clock("2026-09-22T12:00:00+01:00")))
    fill(database)
    for where in ("digest = 'x'", "recorded_at = 1", "clinic = 'sample-clinic' AND digest = 'x'"):
        found = list(plans(database, [(f"SELECT * FROM record WHERE {where}", ())]))  # noqa: S608  a few words of ours
        assert [plan for _, plan in found if walks(database.kind, plan)], found
