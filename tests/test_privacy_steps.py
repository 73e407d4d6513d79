"""What the real steps keep of a patient is all found: by an export, a correction, and an erasure."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from charts import CANARY, LATER, THEN, desk_at, walked
from factories import case_input, changed, consultation, with_canaries
from pore_plugin.contracts import (
    FollowUpPlan,
    FollowUpResponse,
    ProblemsError,
    ReviewRequest,
    TreatmentRecord,
    TreatmentRequest,
)
from pore_plugin.demo import run_case
from pore_plugin.practice import Records, case_of, corrections, exports, patients, privacy
from pore_plugin.practice.due import advance
from pore_plugin.storage import Database
from pore_plugin.storage.traces import Traces
from practice_cases import rolled_back
from test_privacy import files_with, keep_uncompressed


@pytest.mark.parametrize("case", ["1-treated", "2-blocked", "3-review", "4-peel"])
def test_nothing_that_the_steps_keep_of_a_patient_is_left(database: Database, case: str) -> None:
    walked(database, case)
    later = desk_at(database, LATER)
    (entry,) = patients.list_patients(later).patients
    export = exports.export_patient(later, entry.patient)
    with later.use("look") as unit:
        assert {kind for kind, _ in unit.records.counts().items()} - {one.kind for one in export.records} <= {
            "approval",
            "vial",
        }
    assert privacy.erase(later, entry.patient, "Asked for in writing.", apply=True).applied
    with later.use("look") as unit:
        assert set(unit.records.counts()) <= {"approval", "vial"}
        assert unit.outbox.of_patient([entry.patient]) == []


def test_a_canary_that_the_steps_kept_is_in_no_live_file(database: Database, request: pytest.FixtureRequest) -> None:
    keep_uncompressed(database, request)
    case = with_canaries()
    records = Records(desk_at(database, THEN + timedelta(days=10)))
    consented = case.case.consents[0]
    records.submit(case.consultation)
    records.treat(TreatmentRequest(case=case.case, report=case.report))
    assert consented.signature.name == CANARY
    assert files_with(CANARY, database, request)
    assert privacy.erase(desk_at(database, LATER), "patient-1", "Asked for in writing.", apply=True).scrubbed
    assert files_with(CANARY, database, request) == []


def test_what_a_host_sends_again_after_the_erasure_is_refused_and_the_person_may_come_back(database: Database) -> None:
    walked(database)
    at = desk_at(database, LATER)
    privacy.erase(at, "patient-1", "Asked for in writing.", apply=True)
    for response in (consultation(), consultation(id="another")):
        with pytest.raises(ProblemsError) as refused:
            Records(at).submit(response)
        assert [one.code for one in refused.value.problems] == ["erasure.buried"]
    back = {"occurred_at": "2035-02-01T09:00:00+00:00", "recorded_at": "2035-02-01T09:05:00+00:00"}
    assert Records(desk_at(database, LATER + timedelta(days=30))).submit(consultation(**back)).accepted
    with pytest.raises(ProblemsError) as refused:
        Records(at).submit(consultation(id="another"))
    assert [one.code for one in refused.value.problems] == ["erasure.buried"]


def test_a_whole_session_that_the_steps_kept_moves(database: Database) -> None:
    walked(database)
    at = desk_at(database, LATER)
    assert advance(at)
    with at.use("look") as unit:
        before = {(row.kind, row.id) for row in patients.everything(unit, ["patient-1"])}
        (treatment,) = unit.records.of_patient(["patient-1"], "treatment-record")
    said = corrections.correct(at, treatment.id, "patient-9", "Two people with one name.", host="sample-host")
    assert {(one.kind, one.id) for one in said.records} == before
    with at.use("look") as unit:
        assert {row.kind for row in unit.records.of_patient(["patient-1"])} == {"record-correction"}
        assert {row.patient for row in patients.everything(unit, ["patient-9"])} <= {"patient-9", None}
        assert unit.follow_ups.of_patient(["patient-1"]) == []
        assert {row.topic for row in unit.outbox.of_patient(["patient-1"])} == {"record.corrected"}


def test_the_answers_of_the_day_go_along_whatever_offset_they_came_with(database: Database) -> None:
    records = Records(desk_at(database, LATER))
    given = case_input()
    given["day_form"] |= {"occurred_at": "2026-09-11T02:00:00+14:00", "recorded_at": "2026-09-11T02:05:00+14:00"}
    run_case(records, given, "en")
    said = corrections.correct(records.desk, "treatment-1", "patient-9", "Two people.", host="sample-host")
    assert given["day_form"]["id"] in {one.id for one in said.records}


def test_a_corrected_session_stays_the_right_patients_after_the_wrong_one_was_erased(database: Database) -> None:
    walked(database)
    at = desk_at(database, LATER)
    with at.use("look") as unit:
        (plan,) = unit.records.of_patient(["patient-1"], "procedure-plan")
    corrections.correct(at, "treatment-1", "patient-9", "Two people with one name.", host="sample-host")
    before = case_of(at, plan.id).history
    assert [one.treatment for one in before] == ["treatment-1"]
    assert privacy.erase(at, "patient-1", "Asked for.", apply=True, despite_retention="Asked for.").applied
    assert case_of(at, plan.id).history == before


def test_a_consent_in_the_wrong_name_spares_nobody_the_cooling_off(database: Database) -> None:
    from pore_plugin.practice.cases import _consents

    walked(database)
    at = desk_at(database, LATER)
    with at.use("look") as unit:
        (treatment,) = unit.records.of_patient(["patient-1"], "treatment-record")
        assert _consents(unit, ["patient-1"])
    corrections.correct(at, treatment.id, "patient-9", "Two people with one name.", host="sample-host")
    with at.use("look") as unit:
        assert _consents(unit, ["patient-1"]) == _consents(unit, ["patient-9"]) == []


def test_a_sign_of_danger_is_heard_in_a_session_that_was_corrected(database: Database) -> None:
    walked(database)
    at = desk_at(database, LATER)
    with at.use("look") as unit:
        (treatment,) = unit.records.of_patient(["patient-1"], "treatment-record")
        (plan,) = unit.records.of_patient(["patient-1"], "follow-up-plan")
        said = json.loads(unit.records.of_patient(["patient-1"], "follow-up-response")[0].document)
    corrections.correct(at, treatment.id, "patient-9", "Two people with one name.", host="sample-host")
    said |= {"id": "response-new", "patient": {**said["patient"], "id": "patient-9"}}
    result = Records(at).review(
        ReviewRequest(
            treatment=TreatmentRecord.from_json(treatment.document),
            follow_up_plan=FollowUpPlan.from_json(plan.document),
            response=FollowUpResponse.from_json(json.dumps(said)),
            at="2026-10-09T10:00:00+01:00",
        ),
        key="once",
    )
    assert result.review.flags
    assert result.review.accepted
    assert (result.review.patient, result.review.problems) == ("patient-9", ())
    with at.use("look") as unit:
        kept = {row.id for row in unit.records.of_patient(["patient-9"], "follow-up-response", "follow-up-review")}
        assert {"response-new", result.review.id} <= kept
        assert unit.records.latest("follow-up-response", "response-new").state == "completed"  # type: ignore[union-attr]
        filed = {(row.topic, row.state) for row in unit.outbox.of_patient(["patient-9"]) if row.state == "pending"}
        assert {("task", "pending"), ("follow_up.reviewed", "pending"), ("red_flag.raised", "pending")} <= filed
        assert {row.topic for row in unit.outbox.of_patient(["patient-1"])} == {"record.corrected"}
        assert [key for key, _, _ in Traces(unit).results_of(["patient-9"])] == ["once"]
        assert Traces(unit).results_of(["patient-1"]) == []
        assert {row.kind for row in unit.records.of_patient(["patient-1"])} == {"record-correction"}


def test_an_amendment_of_a_corrected_treatment_is_kept_and_erased_with_the_right_patient(
    database: Database, request: pytest.FixtureRequest
) -> None:
    keep_uncompressed(database, request)
    walked(database)
    at = desk_at(database, LATER)
    with at.use("look") as unit:
        (treatment,) = unit.records.of_patient(["patient-1"], "treatment-record")
        (plan,) = unit.records.of_patient(["patient-1"], "procedure-plan")
    corrections.correct(at, treatment.id, "patient-9", "Two people with one name.", host="sample-host")
    when = "2026-09-11T10:00:00+01:00"
    reasons = ("consent.missing", "authorisation.missing")
    report = changed(
        TreatmentRecord.from_json(treatment.document).report,
        id="amended-1",
        amends=treatment.id,
        amendment={"reason": CANARY, "person": "dr-sample", "at": when},
        deviations=[{"code": code, "reason": CANARY, "person": "dr-sample", "at": when} for code in reasons],
    )
    Records(at).treat(TreatmentRequest(case=case_of(at, plan.id), report=report), key="once")
    with at.use("look") as unit:
        assert {row.id for row in unit.records.of_patient(["patient-9"], "treatment-record")} == {
            treatment.id,
            "amended-1",
        }
        assert {row.kind for row in unit.records.of_patient(["patient-1"])} == {"record-correction"}
        assert {use.patient for use in unit.lots.uses_of("SAMPLEL0T7")} <= {"patient-9"}
    assert files_with(CANARY, database, request)
    assert privacy.erase(at, "patient-9", "Asked for.", apply=True, despite_retention="Asked for.").scrubbed
    assert files_with(CANARY, database, request) == []


def test_a_response_to_the_plan_of_another_patient_stays_a_draft(database: Database) -> None:
    walked(database)
    at = desk_at(database, LATER)
    with at.use("look") as unit:
        (treatment,) = unit.records.of_patient(["patient-1"], "treatment-record")
        (plan,) = unit.records.of_patient(["patient-1"], "follow-up-plan")
        said = json.loads(unit.records.of_patient(["patient-1"], "follow-up-response")[0].document)
        unit.patients.note("patient-9", "sample-host", 0)
    said |= {"id": "response-new", "patient": {**said["patient"], "id": "patient-9"}}
    request = ReviewRequest(
        treatment=TreatmentRecord.from_json(treatment.document),
        follow_up_plan=FollowUpPlan.from_json(plan.document),
        response=FollowUpResponse.from_json(json.dumps(said)),
        at="2026-10-09T10:00:00+01:00",
    )
    with rolled_back(at):
        review = Records(at).review(request).review
        assert not review.accepted
        assert [one.code for one in review.problems] == ["review.other_plan"]
    patients.merge(at, "patient-1", "patient-9", "One person with two ids.")
    assert Records(at).review(request).review.accepted
