"""The audit: every change made behind its back is found, and looking at it is in it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from charts import ADMIN, FIRST, LATER, SECOND, desk_at, put_chart
from pore_plugin.contracts import AuditHead, ProblemsError, canonical, digest
from pore_plugin.practice import Desk, auditing, corrections, exports, patients, privacy
from pore_plugin.rendering.custody import audit_check_sheet
from pore_plugin.storage import Database
from pore_plugin.storage.rows import ContentRow


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk with a chart, and four entries in the audit."""
    made = desk_at(database, LATER)
    with made.use("setup") as unit:
        put_chart(unit)
    for _ in range(3):
        exports.export_patient(made, FIRST)
    return made


def tamper(desk: Desk, statement: str, **values: object) -> None:
    """Change rows as somebody would who can write to the database."""
    with desk.database.transaction(desk.clinic.id) as connection:
        connection.execute(text(statement), values)


def found(desk: Desk) -> set[tuple[int, str]]:
    check = auditing.verify(desk)
    assert check.intact is not bool(check.faults)
    return {(one.number, one.fault) for one in check.faults}


def test_an_audit_that_nobody_touched_is_intact(desk: Desk) -> None:
    check = auditing.verify(desk)
    assert (check.intact, check.faults, check.entries, check.erased) == (True, (), 4, 0)
    assert check.head.number == 4


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("at = at + 1", "chain"),
        ("actor = 'somebody-else'", "chain"),
        ("action = 'nothing'", "chain"),
        ("patient = 'patient-2'", "details"),
        ("patient = NULL", "details"),
        ("salt = :bytes", "details"),
        ("salt = NULL", "details"),
        ("details = :bytes", "details"),
        ("details = NULL", "details"),
        ("sealed = :bytes", "chain"),
        ("hash = :bytes", "chain"),
        ("seq = 40", "gap"),
        ("clinic = 'other-clinic'", "gap"),
    ],
)
def test_a_change_of_any_column_is_found_at_its_entry(desk: Desk, change: str, fault: str) -> None:
    if "clinic" in change:
        tamper(desk, "DELETE FROM audit WHERE seq = 3")
    else:
        values = {"bytes": b"x" * 32} if ":bytes" in change else {}
        tamper(desk, f"UPDATE audit SET {change} WHERE seq = 3", **values)  # noqa: S608  from the list above
    faults = found(desk)
    assert fault in {one for _, one in faults}
    assert min(number for number, _ in faults if number) in (3, 4)


def test_every_column_of_the_audit_is_tampered_with_above() -> None:
    from pore_plugin.storage import tables

    marks = test_a_change_of_any_column_is_found_at_its_entry.pytestmark  # type: ignore[attr-defined]
    changed = {case[0].partition(" ")[0] for case in marks[0].args[1]}
    assert changed == set(tables.audit.columns.keys())


def test_an_end_that_was_cut_off_is_found(desk: Desk) -> None:
    tamper(desk, "DELETE FROM audit WHERE seq > 2")
    assert (0, "head") in found(desk)


def test_an_end_that_was_cut_off_with_its_own_record_is_found_by_what_was_noted_elsewhere(desk: Desk) -> None:
    noted = auditing.verify(desk).head
    tamper(desk, "DELETE FROM audit WHERE seq > 2")
    tamper(desk, "UPDATE clinic SET audit_seq = 2, audit_head = (SELECT hash FROM audit WHERE seq = 2)")
    assert found(desk) == set()
    check = auditing.verify(desk, noted=noted)
    assert [(one.number, one.fault) for one in check.faults] == [(noted.number, "head")]


def test_what_was_noted_still_stands_while_the_chain_goes_on(desk: Desk) -> None:
    noted = auditing.verify(desk).head
    exports.export_patient(desk, FIRST)
    assert auditing.verify(desk, noted=noted).intact
    assert not auditing.verify(desk, noted=AuditHead(number=1, hash="0" * 64)).intact


def test_who_names_the_person_the_moment_and_what_was_read(desk: Desk) -> None:
    first, *later = auditing.who(desk, FIRST).entries
    assert (first.actor, first.action, first.patient) == (ADMIN, "setup", FIRST)
    assert {(one.mode, one.kind) for one in first.records} >= {("write", "consultation"), ("write", "treatment-record")}
    assert {one.action for one in later} == {"patient.export"}
    assert {one.mode for one in later[0].records} == {"read"}


def test_reading_the_audit_is_in_the_audit(desk: Desk) -> None:
    auditing.who(desk, FIRST)
    last = auditing.who(desk, FIRST).entries[-1]
    assert (last.actor, last.action) == (ADMIN, "audit.who")


def test_who_reads_under_every_id_of_a_merged_patient(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    patients.merge(desk, SECOND, FIRST, "Registered twice.")
    listed = auditing.who(desk, SECOND)
    assert listed.ids == (FIRST, SECOND)
    assert {one.patient for one in listed.entries} == {FIRST, SECOND}


def test_an_erased_patient_is_unknown_and_the_chain_holds(desk: Desk) -> None:
    before = auditing.verify(desk).head
    privacy.erase(desk, FIRST, "Asked for in writing.", apply=True)
    with pytest.raises(ProblemsError) as caught:
        auditing.who(desk, FIRST)
    assert [problem.code for problem in caught.value.problems] == ["patient.unknown"]
    check = auditing.verify(desk, noted=before)
    assert check.intact
    assert check.erased == 4


def test_an_entry_about_another_that_held_an_erased_ones_record_keeps_who_and_when(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    privacy.erase(desk, SECOND, "Asked for in writing.", apply=True)
    entries = auditing.who(desk, FIRST).entries
    erased = [one for one in entries if one.erased]
    assert erased
    assert all(one.actor == ADMIN and one.records == () for one in erased)
    assert "treatment-1" not in auditing.who(desk, FIRST).to_json().decode()
    assert auditing.verify(desk).intact


@pytest.mark.parametrize("column", ["salt", "details", "sealed", "hash"])
def test_what_is_no_bytes_is_a_fault_of_its_entry(tmp_path: Path, column: str) -> None:
    # SQLite keeps a text in a column of bytes.
    with Database.open(str(tmp_path / "records.sqlite"), environ={}) as opened:
        desk = desk_at(opened, LATER)
        for _ in range(3):
            patients.list_patients(desk)
        tamper(desk, f"UPDATE audit SET {column} = 'a text' WHERE seq = 2")  # noqa: S608  columns named here
        assert 2 in {number for number, _ in found(desk)}


def altered(desk: Desk) -> set[tuple[str, str, str]]:
    check = auditing.verify(desk)
    assert check.intact is not bool(check.faults or check.altered)
    return {(one.code, one.kind, one.id) for one in check.altered}


def one_record(desk: Desk) -> tuple[str, str]:
    with desk.use("look") as unit:
        row = unit.records.of_patient([FIRST])[0]
    return row.kind, row.id


@pytest.mark.parametrize("column", ["document = :value", "digest = :text", "at = at + 1", "sealed = :text"])
def test_a_record_that_was_changed_is_named_and_not_read(desk: Desk, column: str) -> None:
    kind, name = one_record(desk)
    values = {"value": b"{}", "text": "sha256:" + "0" * 64}
    used = {key: value for key, value in values.items() if f":{key}" in column}
    statement = f"UPDATE record SET {column} WHERE kind = :kind AND id = :id"  # noqa: S608  columns named here
    tamper(desk, statement, kind=kind, id=name, **used)
    assert altered(desk) == {("record.altered", kind, name)}
    with pytest.raises(ProblemsError) as caught:
        exports.export_patient(desk, FIRST)
    assert {one.code for one in caught.value.problems} == {"record.altered"}


def test_a_record_that_was_changed_with_its_seal_does_not_fit_the_audit(desk: Desk) -> None:
    kind, name = one_record(desk)
    with desk.use("look") as unit:
        row = unit.records.latest(kind, name)
    assert row is not None
    sealed = replace(row, document=b"{}").seal
    tamper(
        desk,
        "UPDATE record SET document = :document, sealed = :sealed WHERE kind = :kind AND id = :id",
        document=b"{}",
        sealed=sealed,
        kind=kind,
        id=name,
    )
    assert altered(desk) == {("record.altered", kind, name)}


def test_a_record_that_is_gone_or_was_put_there_is_named(desk: Desk) -> None:
    kind, name = one_record(desk)
    tamper(desk, "DELETE FROM pin WHERE kind = :kind AND id = :id", kind=kind, id=name)
    tamper(desk, "UPDATE record SET id = 'another' WHERE kind = :kind AND id = :id", kind=kind, id=name)
    with desk.use("look") as unit:
        row = next(iter(unit.execute(text("SELECT revision FROM record WHERE id = 'another'"))))
    assert row.revision == 1
    assert {("record.missing", kind, name), ("record.altered", kind, "another")} == altered(desk)


def test_content_that_was_changed_is_named(desk: Desk) -> None:
    document = canonical({"id": "pore.text.x", "version": "1.0.0"})
    rows = [
        ContentRow(
            "pore.text.x",
            version,
            digest({"id": "pore.text.x", "version": "1.0.0"}),
            "text",
            "application/json",
            "clinic",
            sha256(document).hexdigest(),
            document,
            document,
        )
        for version in ("1.0.0", "1.0.1", "1.0.2")
    ]
    with desk.use("import") as unit:
        unit.content.add(rows)
    assert altered(desk) == set()
    tamper(desk, "UPDATE content SET source = :value WHERE version = '1.0.1'", value=b"{}")
    tamper(desk, "UPDATE content SET canonical = :value WHERE version = '1.0.2'", value=b"[]")
    check = auditing.verify(desk)
    assert [(one.code, one.version) for one in check.altered] == [
        ("content.altered", "1.0.1"),
        ("content.altered", "1.0.2"),
    ]


def test_after_an_erasure_the_records_of_others_are_covered_still(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, SECOND, suffix=".second")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    privacy.erase(desk, SECOND, "Asked for in writing.", apply=True)
    assert altered(desk) == set()
    kind, name = one_record(desk)
    with desk.use("look") as unit:
        row = unit.records.latest(kind, name)
    assert row is not None
    sealed = replace(row, document=b"{}").seal
    tamper(
        desk,
        "UPDATE record SET document = :document, sealed = :sealed WHERE kind = :kind AND id = :id",
        document=b"{}",
        sealed=sealed,
        kind=kind,
        id=name,
    )
    assert altered(desk) == {("record.altered", kind, name)}


def test_a_cut_end_is_said_in_words_and_so_is_a_noted_end_that_is_there(desk: Desk) -> None:
    noted = auditing.verify(desk).head
    assert "The end that was noted, entry 4, is in it." in audit_check_sheet(auditing.verify(desk, noted=noted))
    tamper(desk, "DELETE FROM audit WHERE seq > 4")
    assert "entries are missing at the end of the chain" in audit_check_sheet(auditing.verify(desk))
