"""Who is whom, holds, records of the wrong patient, and what an export holds."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from charts import ADMIN, CANARY, FIRST, SECOND, desk_at, put_chart
from pore_plugin import check
from pore_plugin.contracts import PatientExport, ProblemsError
from pore_plugin.practice import Desk, auditing, corrections, exports, patients
from pore_plugin.storage import Database

TWICE = "Registered twice."


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


@pytest.fixture
def desk(database: Database) -> Desk:
    """A desk with the charts of two patients."""
    made = desk_at(database)
    with made.use("setup") as unit:
        put_chart(unit)
        put_chart(unit, SECOND, suffix=".second")
    return made


def bytes_of(desk: Desk) -> dict[tuple[str, str, int], bytes]:
    with desk.use("look") as unit:
        rows = [row for one in (FIRST, SECOND) for row in unit.records.of_patient([one])]
        return {(row.kind, row.id, row.revision): row.document for row in rows}


def test_a_merged_patient_is_found_under_both_ids_and_no_byte_changes(desk: Desk) -> None:
    before = bytes_of(desk)
    said = patients.merge(desk, SECOND, FIRST, TWICE)
    assert (said.patient, said.into, said.by) == (SECOND, FIRST, ADMIN)
    exported = [exports.export_patient(desk, one) for one in (FIRST, SECOND)]
    assert [(one.patient, one.ids) for one in exported] == [(FIRST, (FIRST, SECOND))] * 2
    assert before.items() <= bytes_of(desk).items()
    assert "patient-merge" in {one.kind for one in exported[0].records}
    assert [one.patient for one in patients.list_patients(desk).patients] == [FIRST]


def test_a_merge_taken_back_leaves_everyone_as_before_it(desk: Desk) -> None:
    with desk.use("setup") as unit:
        put_chart(unit, "patient-3", suffix=".third")
    patients.merge(desk, "patient-3", SECOND, TWICE)
    patients.merge(desk, SECOND, FIRST, TWICE)
    assert exports.export_patient(desk, FIRST).ids == (FIRST, SECOND, "patient-3")
    said = patients.unmerge(desk, SECOND, "They are two people.")
    assert said.brought == ("patient-3",)
    assert exports.export_patient(desk, FIRST).ids == (FIRST,)
    assert exports.export_patient(desk, "patient-3").ids == (SECOND, "patient-3")
    with pytest.raises(ProblemsError) as error:
        patients.unmerge(desk, FIRST, "They are two people.")
    assert codes(error) == ["patient.not_merged"]


def test_two_birth_dates_are_not_merged_unless_somebody_looked(desk: Desk) -> None:
    with desk.use("setup") as unit:
        other = b'{"patient":{"birth_date":"1971-01-01","host":"h","id":"patient-2"}}'
        unit.records.put("consultation", "c-x", other, "sha256:" + "1" * 64, at=1, patient=SECOND)
    with pytest.raises(ProblemsError) as error:
        patients.merge(desk, SECOND, FIRST, TWICE)
    assert codes(error) == ["patient.birth_dates_differ"]
    said = patients.merge(desk, SECOND, FIRST, TWICE, despite=["patient.birth_dates_differ"])
    assert said.despite == ("patient.birth_dates_differ",)


def test_two_hosts_are_not_merged_unless_somebody_looked(desk: Desk) -> None:
    with desk.use("setup") as unit:
        unit.patients.note("patient-9", "other-host", 1)
    with pytest.raises(ProblemsError) as error:
        patients.merge(desk, "patient-9", FIRST, TWICE)
    assert codes(error) == ["patient.hosts_differ"]


@pytest.mark.parametrize(
    ("patient", "into", "code"),
    [(FIRST, FIRST, "patient.same"), ("nobody", FIRST, "patient.unknown"), (FIRST, "nobody", "patient.unknown")],
)
def test_a_merge_needs_two_known_patients(desk: Desk, patient: str, into: str, code: str) -> None:
    with pytest.raises(ProblemsError) as error:
        patients.merge(desk, patient, into, TWICE)
    assert codes(error) == [code]


def test_a_merge_twice_is_refused_the_second_time(desk: Desk) -> None:
    patients.merge(desk, SECOND, FIRST, TWICE)
    with pytest.raises(ProblemsError) as error:
        patients.merge(desk, SECOND, FIRST, TWICE)
    assert codes(error) == ["patient.same"]


def test_a_hold_stands_for_the_whole_person_until_it_is_lifted(desk: Desk) -> None:
    patients.hold(desk, SECOND, "A claim was announced.")
    patients.merge(desk, SECOND, FIRST, TWICE)
    (entry,) = patients.list_patients(desk).patients
    assert entry.hold == "A claim was announced."
    patients.release(desk, FIRST, "It was withdrawn.")
    assert patients.list_patients(desk).patients[0].hold is None
    with pytest.raises(ProblemsError) as error:
        patients.release(desk, FIRST, "It was withdrawn.")
    assert codes(error) == ["patient.not_held"]


def test_a_hold_goes_along_when_one_person_becomes_two_again(desk: Desk) -> None:
    patients.merge(desk, SECOND, FIRST, TWICE)
    patients.hold(desk, FIRST, "A claim was announced.")
    patients.unmerge(desk, SECOND, "They are two people.")
    assert {one.patient: one.hold for one in patients.list_patients(desk).patients} == {
        FIRST: "A claim was announced.",
        SECOND: "A claim was announced.",
    }


def test_a_hold_goes_along_with_corrected_records(desk: Desk) -> None:
    patients.hold(desk, FIRST, "A claim was announced.")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    held = {one.patient: one.hold for one in patients.list_patients(desk).patients}
    assert held[SECOND] == "It came with records that were corrected."


def test_an_export_holds_every_revision_with_the_document_and_is_a_published_document(desk: Desk) -> None:
    with desk.use("setup") as unit:
        first = unit.records.of_patient([FIRST], "consultation")[0]
        unit.records.put(
            "consultation",
            first.id,
            first.document.replace(b"completed", b"draft"),
            "sha256:" + "0" * 64,
            at=first.at,
            patient=FIRST,
            revise=True,
        )
        unit.records.put(
            "follow-up-move", "move-1", b'{"id":"move-1"}', "sha256:" + "1" * 64, at=1, subject="no-such-plan"
        )
    export = exports.export_patient(desk, FIRST)
    assert check(PatientExport, export.to_json()).model == export
    revisions = [one.revision for one in export.records if one.id == first.id]
    assert revisions == [1, 2]
    kinds = {one.kind for one in export.records}
    assert {"consultation", "consent", "authorisation", "procedure-plan", "treatment-record"} <= kinds
    original = next(one for one in export.records if (one.id, one.revision) == (first.id, 1))
    assert original.to_document()["document"] == json.loads(first.document)
    assert not original.redacted
    assert export.steps[0].moves == ("move-1",)
    assert [one.topic for one in export.outbox] == ["treatment.recorded"]
    assert [one.key for one in export.results] == ["key"]
    assert {one.action for one in export.audit} == {"setup"}
    assert exports.export_patient(desk, FIRST).audit[-1].action == "patient.export"


def test_a_record_that_belongs_to_a_patients_record_is_exported_though_it_names_nobody(desk: Desk) -> None:
    with desk.use("setup") as unit:
        consent = unit.records.of_patient([FIRST], "consent")[0]
        said = b'{"id":"withdrawal-1"}'
        unit.records.put("consent-withdrawal", "withdrawal-1", said, "sha256:" + "1" * 64, at=1, subject=consent.id)
    assert "consent-withdrawal" in {one.kind for one in exports.export_patient(desk, FIRST).records}


def test_an_archive_has_the_very_bytes_and_a_sheet_for_every_record(database: Database) -> None:
    desk = desk_at(database)
    with desk.use("setup") as unit:
        put_chart(unit, canaries=True)
        kept = {row.document for row in unit.records.of_patient([FIRST])}
    export, data = exports.archive(desk, FIRST)
    with zipfile.ZipFile(io.BytesIO(data)) as made:
        names = made.namelist()
        assert {made.read(one.file or "") for one in export.records} == kept
        assert all(info.external_attr >> 16 == 0o600 for info in made.infolist())
        index = made.read("index.md").decode()
        written = PatientExport.from_json(made.read("export.json"))
        treatment = next(made.read(name).decode() for name in names if "treatment-record" in name and "sheets" in name)
        answers = next(made.read(name).decode() for name in names if "consultation" in name and "sheets" in name)
    assert written == export
    assert len([name for name in names if name.startswith("sheets/")]) == len(export.records)
    assert all(f"(sheets/{name})" in index for name in (n.removeprefix("sheets/") for n in names if "sheets" in n))
    assert "# Treatment record" in treatment
    assert CANARY in treatment
    # From the form that the answers pin: its questions, not their ids.
    assert "| Question | Answer |" in answers


def test_a_session_of_the_wrong_patient_is_found_under_the_right_one_with_its_bytes(desk: Desk) -> None:
    with desk.use("setup") as unit:
        unit.outbox.add("later", "recall.task", "treatment-1", b"{}", at=1, patient=FIRST)
        unit.idempotency.put("k", "x", b'{"treatment":"treatment-1"}', patient=FIRST)
    before = bytes_of(desk)
    said = corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    assert before.items() <= bytes_of(desk).items()
    assert (said.patient, said.recorded_as, said.direction) == (SECOND, FIRST, "here")
    assert {one.kind: one.state for one in said.records} == {
        "assessment": "completed",
        "authorisation": "entered-in-error",
        "consent": "entered-in-error",
        "consultation": "completed",
        "follow-up-plan": "completed",
        "procedure-plan": "completed",
        "treatment-record": "completed",
    }
    with desk.use("look") as unit:
        assert {row.kind for row in unit.records.of_patient([FIRST])} == {"record-correction"}
        assert len(unit.records.of_patient([SECOND], "treatment-record")) == 2
        assert unit.follow_ups.of_patient([FIRST]) == []
        assert {use.patient for use in unit.lots.uses_of("SAMPLEL0T7")} == {SECOND}
        assert {row.state for row in unit.records.of_patient([SECOND], "consent")} == {"completed", "entered-in-error"}
        moved = {row.key: row for row in unit.outbox.of_patient([SECOND])}
        assert moved["later"].state == "cancelled"
        assert [row.topic for row in unit.outbox.of_patient([FIRST])] == ["record.corrected"]


def test_the_wrong_patients_records_do_not_say_whose_the_others_are(desk: Desk) -> None:
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    wrong, right = exports.export_patient(desk, FIRST), exports.export_patient(desk, SECOND)
    (away,) = [one for one in wrong.records if one.kind == "record-correction"]
    (here,) = [one for one in right.records if one.kind == "record-correction"]
    assert away.to_document()["document"]["count"] == 8
    assert here.to_document()["document"]["correction"] == away.to_document()["document"]["correction"]
    assert SECOND not in wrong.to_json().decode()


def test_what_follows_in_a_moved_session_is_kept_for_the_right_patient(desk: Desk) -> None:
    with desk.use("setup") as unit:
        unit.records.put("outcome", "another", b"{}", "sha256:" + "1" * 64, at=1, patient=FIRST)
        before = patients.kept_for(unit, FIRST, "treatment-1")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    with desk.use("look") as unit:
        unit.records.put(
            "treatment-record", "amended", b"{}", "sha256:" + "2" * 64, at=1, patient=SECOND, subject="treatment-1"
        )
        assert before == FIRST
        assert patients.kept_for(unit, FIRST, "treatment-1") == SECOND
        # What came after the correction, and what belongs to that.
        assert patients.kept_for(unit, FIRST, "new", "amended") == SECOND
        assert patients.kept_for(unit, FIRST, "another") == FIRST
        assert patients.kept_for(unit, SECOND, "treatment-1") == SECOND


def test_only_a_treatment_can_be_moved_and_the_plan_and_consent_stay(desk: Desk) -> None:
    said = corrections.correct(desk, "treatment-1", SECOND, "Treated under another's plan.", only=True)
    assert {one.kind for one in said.records} == {"treatment-record", "follow-up-plan"}
    with desk.use("look") as unit:
        (consent,) = unit.records.of_patient([FIRST], "consent")
        assert consent.state == "completed"


def test_a_plan_that_nothing_was_done_under_is_stopped_by_a_correction(desk: Desk) -> None:
    with desk.use("setup") as unit:
        plan = unit.records.of_patient([FIRST], "procedure-plan")[0]
        unit.records.put(
            "procedure-plan", "plan-open", b"{}", "sha256:" + "1" * 64, at=plan.at, patient=FIRST, subject=plan.subject
        )
    said = corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    states = {one.id: one.state for one in said.records if one.kind == "procedure-plan"}
    assert states == {plan.id: "completed", "plan-open": "entered-in-error"}


def test_an_authorisation_that_another_session_used_stays(desk: Desk) -> None:
    with desk.use("setup") as unit:
        other = b'{"id":"treatment-other","authorisation":"authorisation-1","report":{"vials":[]}}'
        unit.records.put("treatment-record", "treatment-other", other, "sha256:" + "1" * 64, at=1, patient=FIRST)
    said = corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    assert "authorisation" not in {one.kind for one in said.records}


def test_a_correction_to_somebody_new_needs_the_host(desk: Desk) -> None:
    with pytest.raises(ProblemsError) as error:
        corrections.correct(desk, "treatment-1", "patient-new", "Two people.")
    assert codes(error) == ["patient.unknown"]
    said = corrections.correct(desk, "treatment-1", "patient-new", "Two people.", host="sample-host")
    assert said.patient == "patient-new"


@pytest.mark.parametrize(("record", "to", "code"), [("no", SECOND, "record.unknown"), ("plan", FIRST, "patient.same")])
def test_a_correction_needs_a_record_and_another_patient(desk: Desk, record: str, to: str, code: str) -> None:
    with desk.use("look") as unit:
        plan = unit.records.of_patient([FIRST], "procedure-plan")[0].id
    with pytest.raises(ProblemsError) as error:
        corrections.correct(desk, plan if record == "plan" else record, to, "Why.")
    assert codes(error) == [code]


def test_the_retention_of_both_counts_from_what_is_theirs_after_a_correction(desk: Desk) -> None:
    with desk.use("setup") as unit:
        unit.records.put("outcome", "early", b"{}", "sha256:" + "1" * 64, at=1_000, patient=FIRST)
        unit.patients.note(FIRST, "sample-host", 1_000)
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    with desk.use("look") as unit:
        row = unit.patients.get(FIRST)
        assert row is not None
        assert (row.first_at, row.last_at) == (1_000, 1_000)


def test_whatever_is_done_with_a_patient_is_in_the_audit(desk: Desk) -> None:
    patients.hold(desk, FIRST, "A claim.")
    patients.release(desk, FIRST, "None.")
    corrections.correct(desk, "treatment-1", SECOND, "Two people with one name.")
    patients.merge(desk, SECOND, FIRST, TWICE)
    actions = {one.action for one in auditing.who(desk, FIRST).entries if one.actor == ADMIN}
    assert {"patient.hold", "patient.release", "patient.correct", "patient.merge"} <= actions
