"""Erasing a patient: what goes, what stands against it, and what is in no live file afterwards."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import LargeBinary

from charts import ADMIN, CANARY, FIRST, LATER, SECOND, THEN, desk_at, put_chart
from pore_plugin import check
from pore_plugin.contracts import ProblemsError
from pore_plugin.practice import auditing, corrections, exports, patients, privacy
from pore_plugin.storage import Database, tables

if TYPE_CHECKING:
    from databases import PostgresServer

WHY = "Asked for in writing."


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def live_bytes(database: Database, request: pytest.FixtureRequest) -> dict[str, bytes]:
    """Every byte that the database keeps: the files beside a SQLite file, or the table files of a server."""
    if database.path is not None:
        return {path.name: path.read_bytes() for path in database.path.parent.rglob("*") if path.is_file()}
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = database.engine.url.database
    server.execute("CHECKPOINT")
    ((oid,),) = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()", str(name))
    folder = server.folder / "data" / "base" / str(oid)
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def keep_uncompressed(database: Database, request: pytest.FixtureRequest) -> None:
    """Have a server write long values as they are: a compressed canary would not be seen."""
    if database.kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        for table in tables.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    statement = f"ALTER TABLE {table.name} ALTER COLUMN {column.name} SET STORAGE EXTERNAL"
                    server.execute(statement, str(database.engine.url.database))


def files_with(canary: str, database: Database, request: pytest.FixtureRequest) -> list[str]:
    return [name for name, data in live_bytes(database, request).items() if canary.encode() in data]


def test_a_dry_run_says_what_would_go_and_erases_nothing(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    report = privacy.erase(desk, FIRST, WHY)
    assert (report.applied, report.refused, report.patient) == (False, (), FIRST)
    assert {one.kind: one.count for one in report.records} == {
        "assessment": 1,
        "authorisation": 1,
        "consent": 1,
        "consultation": 2,
        "follow-up-plan": 1,
        "procedure-plan": 1,
        "treatment-record": 1,
    }
    rows = {one.kind: one.count for one in report.rows}
    assert rows["record"] == 8
    assert rows["outbox"] == rows["idempotency"] == rows["lot-use"] == rows["patient"] == 1
    assert report.tombstone is None
    with desk.use("look") as unit:
        assert unit.patients.get(FIRST) is not None
        assert len(unit.records.of_patient([FIRST])) == 8


def test_an_erasure_is_refused_while_the_retention_period_runs(database: Database) -> None:
    desk = desk_at(database, THEN)
    with desk.use("setup") as unit:
        put_chart(unit)
    report = privacy.erase(desk, FIRST, WHY, apply=True)
    assert [one.code for one in report.refused] == ["erasure.retention"]
    assert report.retention_ends == "2034-09-10"
    assert not report.applied
    done = privacy.erase(desk, FIRST, WHY, apply=True, despite_retention="A court ordered it.")
    assert done.applied
    assert done.tombstone is not None
    assert "A court ordered it." in done.tombstone.reason


@pytest.mark.parametrize(("day", "refused"), [(0, True), (1, False)])
def test_the_last_day_of_the_period_still_counts(database: Database, day: int, refused: bool) -> None:
    desk = desk_at(database, THEN.replace(year=2034) + timedelta(days=day))
    with desk.use("setup") as unit:
        put_chart(unit)
    assert bool(privacy.erase(desk, FIRST, WHY).refused) is refused


def test_without_a_period_the_clinic_has_not_decided_and_nothing_is_erased_for_its_age(database: Database) -> None:
    desk = desk_at(database, LATER)
    desk.clinic = desk.clinic.model_copy(
        update={"policies": desk.clinic.policies.model_copy(update={"retention": None})}
    )
    with desk.use("setup") as unit:
        put_chart(unit)
    assert [one.code for one in privacy.erase(desk, FIRST, WHY).refused] == ["erasure.retention_undecided"]
    with pytest.raises(ProblemsError) as error:
        privacy.retention(desk)
    assert codes(error) == ["retention.undecided"]


def test_nothing_overrules_a_legal_hold(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    patients.hold(desk, FIRST, "A claim was announced.")
    report = privacy.erase(desk, FIRST, WHY, apply=True, despite_retention="All the same.")
    assert [one.code for one in report.refused] == ["erasure.legal_hold"]
    with desk.use("look") as unit:
        assert unit.records.of_patient([FIRST], "treatment-record")
    patients.release(desk, FIRST, "The claim was withdrawn.")
    assert privacy.erase(desk, FIRST, WHY, apply=True).applied


def test_a_record_under_hold_that_names_the_patient_is_not_changed(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second", used_for=(FIRST,))
    patients.hold(desk, SECOND, "A claim was announced.")
    report = privacy.erase(desk, FIRST, WHY, apply=True, despite_retention="All the same.")
    assert [one.code for one in report.refused] == ["erasure.named_under_hold"]
    found = {one.patient: [why.code for why in one.kept_because] for one in privacy.retention(desk).patients}
    assert found == {FIRST: ["erasure.named_under_hold"], SECOND: ["erasure.legal_hold"]}
    patients.release(desk, SECOND, "It was withdrawn.")
    assert privacy.erase(desk, FIRST, WHY, apply=True).applied


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_reason_is_a_sentence(database: Database, reason: str) -> None:
    desk = desk_at(database, LATER)
    with pytest.raises(ProblemsError) as error:
        privacy.erase(desk, FIRST, reason)
    assert codes(error) == ["reason.length"]


def test_a_corrected_record_loses_the_wrong_patients_id_and_birth_date_with_the_erasure(
    database: Database, request: pytest.FixtureRequest
) -> None:
    keep_uncompressed(database, request)
    wrong = f"wrong-{CANARY}"
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit, wrong)
        put_chart(unit, SECOND, suffix=".second")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    assert privacy.erase(desk, wrong, WHY, apply=True).applied
    assert files_with(CANARY, database, request) == []
    export = exports.export_patient(desk, SECOND)
    said = [one.to_document()["document"] for one in export.records if one.kind == "consultation" and one.redacted]
    assert {(one["patient"]["id"], one["patient"]["birth_date"]) for one in said} == {("erased", "1900-01-01")}
    assert all(check("consultation", one) for one in said)
    assert auditing.verify(desk).intact


def test_a_reason_may_not_say_who_it_was(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    with pytest.raises(ProblemsError) as error:
        privacy.erase(desk, FIRST, f"{FIRST} asked.", apply=True)
    assert codes(error) == ["erasure.reason_names"]


def test_an_unknown_patient_is_a_problem_and_not_an_empty_success(database: Database) -> None:
    with pytest.raises(ProblemsError) as error:
        privacy.erase(desk_at(database), "nobody", WHY, apply=True)
    assert codes(error) == ["patient.unknown"]


def test_after_an_erasure_a_canary_is_in_no_live_file(database: Database, request: pytest.FixtureRequest) -> None:
    keep_uncompressed(database, request)
    canary_id = f"id-{CANARY}"
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit, canary_id, suffix=f".{CANARY[:7]}", canaries=True)
        put_chart(unit, SECOND, suffix=".second", used_for=(canary_id, "patient-0099"))
        unit.outbox.add(
            "recall", "recall.task", "lot", f'{{"patient":"{SECOND}","related":["{canary_id}"]}}'.encode(), at=1
        )
        unit.idempotency.put("other", "x", f'{{"patient":"{canary_id}"}}'.encode())
    patients.hold(desk, canary_id, f"A claim of {CANARY}.")
    patients.release(desk, canary_id, CANARY)
    auditing.who(desk, canary_id)
    if database.kind == "postgresql":
        # What the planner keeps of the columns are values too.
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.execute("ANALYZE", str(database.engine.url.database))
    assert files_with(CANARY, database, request)
    before = privacy.erase(desk, canary_id, WHY)
    assert [(one.kind, one.pointers) for one in before.mentions] == [
        ("treatment-record", ("/report/vials/0/vial/used_for/0",))
    ]
    report = privacy.erase(desk, canary_id, WHY, apply=True)
    assert report.applied
    assert report.scrubbed
    assert report.patient is None
    assert CANARY not in report.to_json().decode()
    assert files_with(CANARY, database, request) == []
    assert auditing.verify(desk).intact


def test_nothing_is_left_where_the_erased_one_was_the_only_patient(
    database: Database, request: pytest.FixtureRequest
) -> None:
    keep_uncompressed(database, request)
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit, f"only-{CANARY}", canaries=True)
    if database.kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        server.execute("ANALYZE", str(database.engine.url.database))
    assert privacy.erase(desk, f"only-{CANARY}", WHY, apply=True).scrubbed
    assert files_with(CANARY, database, request) == []


def test_another_patients_record_keeps_its_digest_and_says_what_was_taken_out(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second", used_for=(FIRST, "patient-0099"))
        (before,) = unit.records.of_patient([SECOND], "treatment-record")
    privacy.erase(desk, FIRST, WHY, apply=True)
    export = exports.export_patient(desk, SECOND)
    (treatment,) = [one for one in export.records if one.kind == "treatment-record"]
    (said,) = [one for one in export.records if one.kind == "record-redaction"]
    assert treatment.digest == before.digest
    assert treatment.redacted
    document = treatment.to_document()["document"]
    assert document["report"]["vials"][0]["vial"]["used_for"] == ["erased", "patient-0099"]
    assert said.to_document()["document"]["pointers"] == ["/report/vials/0/vial/used_for/0"]
    assert FIRST not in export.to_json().decode()


def test_no_entry_of_the_audit_names_the_erased_one_whatever_stands_before_the_name(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second")
        unit.note(SECOND, why="An é, a \n and a \\", beside=FIRST)
        unit.note(SECOND, why='Said "so"', beside=FIRST)
        unit.note(SECOND, why="An é", beside=SECOND)
    privacy.erase(desk, FIRST, WHY, apply=True)
    with desk.use("look") as unit:
        said = [row.details for row in unit.audit.of_patient([SECOND]) if row.action == "setup"]
        assert not any(FIRST.encode() in one for one in said if one is not None)
        assert sorted(one is None for one in said) == [False, False, True, True]


def test_retention_takes_many_people_out_with_whatever_names_them(database: Database) -> None:
    desk = desk_at(database, LATER)
    people = [f"old-{number}" for number in range(60)]
    with desk.use("setup") as unit:
        for name in people:
            put_chart(unit, name, suffix=f".{name}")
        put_chart(unit, SECOND, suffix=".second", used_for=(people[7], "patient-0099"))
        unit.patients.note(SECOND, "sample-host", int(LATER.timestamp()))
        unit.idempotency.put("key", "request", b'{"why":"\\n","patient":"old-9"}')
    assert privacy.retention(desk, apply=True).erased == 60
    with desk.use("look") as unit:
        assert [row.patient for row in unit.patients.all()] == [SECOND]
        (treatment,) = unit.records.of_patient([SECOND], "treatment-record")
        assert b"old-7" not in treatment.document
        assert unit.idempotency.get("key") is None


def test_the_tombstone_tells_nobody_who_it_was(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
    privacy.erase(desk, FIRST, WHY, apply=True)
    listed = privacy.tombstones(desk)
    (stone,) = listed.tombstones
    assert (stone.reason, stone.by) == (WHY, ADMIN)
    assert FIRST not in listed.to_json().decode()
    assert sum(one.count for one in stone.counts) == 8


def test_every_id_of_a_merged_patient_is_erased_together(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second")
    patients.merge(desk, SECOND, FIRST, "Registered twice.")
    report = privacy.erase(desk, SECOND, WHY, apply=True)
    assert report.applied
    with desk.use("look") as unit:
        assert unit.patients.all() == []
        assert unit.records.counts() == {}
        assert len(unit.patients.tombstones()) == 2


def test_a_patient_who_comes_back_is_not_taken_for_one_that_a_restore_brought_back(database: Database) -> None:
    with desk_at(database, LATER).use("setup") as unit:
        put_chart(unit)
    privacy.erase(desk_at(database, LATER), FIRST, WHY, apply=True)
    with desk_at(database, LATER + timedelta(days=30)).use("setup") as unit:
        put_chart(unit)
        assert unit.patients.buried() == []
    again = desk_at(database, LATER + timedelta(days=60))
    privacy.erase(again, FIRST, WHY, apply=True, despite_retention="Asked again.")
    with again.use("look") as unit:
        (stone,) = unit.patients.tombstones()
        assert stone.at == int((LATER + timedelta(days=60)).timestamp())


def test_retention_shows_whose_period_is_over_and_erases_them_when_told_to(database: Database) -> None:
    desk = desk_at(database, LATER)
    with desk.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second")
        unit.patients.note(SECOND, "sample-host", int(LATER.timestamp()) - 86_400)
    report = privacy.retention(desk)
    assert [(one.patient, one.ended, one.kept_because) for one in report.patients] == [(FIRST, "2034-09-10", ())]
    assert (report.applied, report.erased) == (False, 0)
    done = privacy.retention(desk, apply=True)
    assert (done.applied, done.erased, done.scrubbed) == (True, 1, True)
    assert done.patients[0].patient is None
    assert privacy.retention(desk).patients == ()
    (stone,) = privacy.tombstones(desk).tombstones
    assert stone.reason == "retention"
    with desk.use("look") as unit:
        assert [row.patient for row in unit.patients.all()] == [SECOND]


def test_retention_leaves_holds_open_events_and_quarantined_lots_and_says_so(database: Database) -> None:
    desk = desk_at(database, LATER)
    quarantine = b'{"id":"q","lot":"sample lot-7"}'
    with desk.use("setup") as unit:
        put_chart(unit)
    patients.hold(desk, FIRST, "A claim was announced.")
    with desk.use("setup") as unit:
        unit.records.put("adverse-event", "event-1", b"{}", "sha256:1", at=1, patient=FIRST, state="active")
        unit.records.put("lot-quarantine", "q", quarantine, "sha256:2", at=1)
    (one,) = privacy.retention(desk, apply=True).patients
    assert one.patient == FIRST
    assert [why.code for why in one.kept_because] == [
        "erasure.legal_hold",
        "erasure.adverse_event",
        "erasure.quarantined_lot",
    ]


def test_what_is_erased_stays_erased_when_the_files_cannot_be_cleared_at_once(tmp_path: Path) -> None:
    with Database.open(str(tmp_path / "records.sqlite"), environ={}) as database:
        desk = desk_at(database, LATER)
        with desk.use("setup") as unit:
            put_chart(unit)
        with (
            Database.open(str(tmp_path / "records.sqlite"), environ={}) as other,
            other.transaction(mode="read") as read,
        ):
            read.exec_driver_sql("SELECT count(*) FROM record").one()
            report = privacy.erase(desk, FIRST, WHY, apply=True)
            assert (report.applied, report.scrubbed) == (True, False)
        assert privacy.clear(desk) == (True, ())
