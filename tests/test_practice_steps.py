"""The steps on the records: what is kept, that nothing is kept twice, and what stored facts do to a handed-in case."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import case_input, changed, clinic, consultation, made, report_of, with_answers, workflow
from hook_plugins import plugin
from pore_plugin import check
from pore_plugin.contracts import (
    DOCUMENTS,
    AssessmentRequest,
    CaseFile,
    Consultation,
    ContentDocument,
    FollowUpMove,
    FollowUpRequest,
    FollowUpSchedule,
    Override,
    ProblemsError,
    Readiness,
    ReadinessRequest,
    TreatmentReport,
    TreatmentRequest,
)
from pore_plugin.demo import run_case
from pore_plugin.practice import Records, case_of, keep
from pore_plugin.practice.keeping import WAYS, kind_of
from pore_plugin.storage import Database
from practice_cases import desk, kept_case, quarantine, rows, sheet, withdrawal

CASES = ("1-treated", "2-blocked", "3-review", "4-peel")


@pytest.fixture
def records(database: Database) -> Records:
    return Records(desk(database))


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return sorted(problem.code for problem in raised.value.problems)


def reasons(readiness: Readiness) -> set[str]:
    return {reason.code for reason in readiness.reasons}


# -- which records there are -------------------------------------------------------------------------------------------


def test_no_record_contract_is_forgotten() -> None:
    """Whatever has an id and is no content is a record, an event of the outbox, or kept by another use case."""
    named = {
        name
        for name, contract in DOCUMENTS.items()
        if "id" in contract.model_fields and not issubclass(contract, ContentDocument)
    }
    elsewhere = {
        "clinic",
        "content-history",
        "event",
        "treatment-report",
        # Who is whom, holds and corrections of the index: practice/patients.py and practice/privacy.py.
        "legal-hold",
        "patient-merge",
        "record-correction",
        "record-redaction",
    }
    assert named - elsewhere == set(WAYS)
    assert all(DOCUMENTS[kind] is way.contract and kind_of(way.contract) == kind for kind, way in WAYS.items())


def test_every_kind_says_when_it_was_and_whose_it_is() -> None:
    told = {kind for kind, way in WAYS.items() if way.patient is not WAYS["vial"].patient or way.through is not None}
    assert set(WAYS) - told == {"approval", "lot-quarantine", "outcome", "vial"}


# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_case_gives_on_the_records_what_it_gives_without_them(records: Records, name: str) -> None:
    kept, plain = kept_case(records, name), run_case(workflow(), case_input(name), "en")
    assert kept.ended == plain.ended
    assert [one.document.to_document() for one in kept.sheets] == [one.document.to_document() for one in plain.sheets]


def test_the_same_requests_again_write_nothing(database: Database, records: Records) -> None:
    for name in CASES:
        kept_case(records, name)
    first = rows(database)
    assert all(first[name] for name in ("record", "pin", "content", "lot_use", "step", "step_move", "outbox"))
    for name in CASES:
        kept_case(records, name)
    assert rows(database) == first


def test_requests_repeated_in_any_order_write_nothing(database: Database, records: Records) -> None:
    run = kept_case(records)
    step = {
        "assessment": records.assess,
        "plan": records.plan,
        "consent": records.consent,
        "readiness": records.ready,
        "treatment": records.treat,
        "schedule": records.follow_up,
        "review-1-d2": records.review,
        "review-2-w4": records.review,
    }
    first = rows(database)

    @given(st.lists(st.sampled_from(sorted(step)), min_size=1, max_size=4))
    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    def repeated(names: list[str]) -> None:
        for name in names:
            step[name](sheet(run, name))  # type: ignore[operator]
        assert rows(database) == first

    repeated()


def test_everything_of_a_treatment_is_kept_together(database: Database, records: Records) -> None:
    run = kept_case(records)
    assert run.treatment is not None
    with records.desk.use("test") as unit:
        row = unit.records.latest("treatment-record", "treatment-1")
        assert row is not None
        assert run.plan is not None
        assert (row.patient, row.subject, row.state) == ("patient-1", run.plan.id, "completed")
        assert row.document == run.treatment.to_json()
        assert row.digest == records.record_pin(run.treatment).digest
        plan = unit.records.latest("procedure-plan", run.plan.id)
        assert plan is not None
        assert plan.state == "completed"
        uses = unit.lots.uses_of("SAMPLEL0T7")
        assert [(use.lot, use.treatment, use.vial, use.patient) for use in uses] == [
            ("SAMPLE-LOT-7", "treatment-1", "vial-1", "patient-1")
        ]
        assert unit.lots.near(["SAMPLEL0T"]) == {"SAMPLEL0T7": ("SAMPLE-LOT-7",)}
        assert {step.state for step in unit.follow_ups.of_treatment("treatment-1")} == {"planned", "done"}
        assert list(unit.audit.faults()) == []
        told = {row.topic for row in unit.outbox.of_patient(["patient-1"])}
    assert told >= {"consultation.submitted", "plan.made", "consent.given", "treatment.recorded", "follow_up.planned"}


def test_the_content_that_a_record_pins_is_kept_with_it(records: Records) -> None:
    kept_case(records)
    with records.desk.use("test") as unit:
        every = [row for kind in WAYS for row in unit.records.of_kind(kind)]
        pinned = {pin for row in every for pin in unit.records.pins_of(row.kind, row.id, row.revision)}
        kept = {(row.id, row.version): row for row in unit.content.all()}
    assert pinned == set(kept)
    assert "pore.template.microtoxin-pores" in {content for content, _ in kept}
    for row in kept.values():
        assert row.origin in ("pore", "clinic")


def test_another_clinic_on_the_same_database_sees_nothing(database: Database, records: Records) -> None:
    run = kept_case(records)
    other = Records(desk(database, clinic("clinic-us.toml")))
    assert run.plan is not None
    with pytest.raises(ProblemsError) as raised:
        case_of(other.desk, run.plan.id)
    assert codes(raised) == ["record.unknown"]
    with pytest.raises(ProblemsError) as refused:
        other.submit(sheet_consultation(run))
    assert "response.clinic" in codes(refused)
    mine = rows(database, other.clinic.id)
    assert not any(mine[name] for name in ("record", "patient", "lot_use", "step", "outbox", "content"))


def sheet_consultation(run: Any) -> Any:
    return next(one.document for one in run.sheets if one.name == "consultation")


# -- idempotency -------------------------------------------------------------------------------------------------------


def test_a_key_gives_the_first_result_again_and_refuses_another_request(database: Database, records: Records) -> None:
    answers = consultation()
    first = records.submit(answers, key="key-1")
    before = rows(database)
    assert records.submit(answers, key="key-1") == first
    assert rows(database) == before
    with pytest.raises(ProblemsError) as raised:
        records.submit(consultation(answers={"goals": "Other words"}), key="key-1")
    assert codes(raised) == ["idempotency.differs"]
    with pytest.raises(ProblemsError):
        records.assess(assessment_of(answers), key="key-1")
    assert rows(database) == before


def assessment_of(answers: Consultation) -> AssessmentRequest:
    context = {"stage": "consultation", "date": "2026-09-10", "patient": answers.patient}
    return AssessmentRequest.model_validate({"context": context, "consultation": answers, "at": answers.recorded_at})


def test_a_step_that_raises_leaves_nothing(database: Database, records: Records) -> None:
    case = made()
    report = changed(case.report, ended_at="2026-09-10T13:00:00+01:00")
    before = rows(database, audit=True)
    with pytest.raises(ProblemsError):
        records.treat(request_of(case.case, report), key="key-2")
    assert rows(database, audit=True)["record"] == before["record"] == []


def request_of(case: CaseFile, report: TreatmentReport) -> TreatmentRequest:
    return TreatmentRequest(case=case, report=report)


def readiness_of(case: CaseFile, at: str = "2026-09-10T14:01:00+01:00") -> ReadinessRequest:
    return ReadinessRequest(case=case, operator="nurse-example", at=at)


def test_answers_with_problems_are_kept_as_a_draft_and_mended_later(records: Records) -> None:
    wrong = consultation(answers={"pregnancy": None})
    assert not records.submit(wrong).accepted
    assert records.submit(consultation()).accepted
    with records.desk.use("test") as unit:
        assert [row.state for row in unit.records.revisions("consultation", wrong.id)] == ["draft", "completed"]


# -- stored facts and handed-in cases ----------------------------------------------------------------------------------


def planned(records: Records) -> CaseFile:
    """Keep the sample case up to its readiness, and return the case file that a host hands in."""
    run = kept_case(records, treatment=case_input()["treatment"])
    return sheet(run, "readiness").case


def untreated(records: Records) -> CaseFile:
    """Keep the sample case up to the consent, and hand in what comes on the day."""
    run = kept_case(records, treatment=None, follow_up=None)
    assert run.plan is not None
    return of_the_day(case_of(records.desk, run.plan.id))


def of_the_day(case: CaseFile) -> CaseFile:
    given = made().case
    return case.model_copy(
        update={"vials": given.vials, "day_form": given.day_form, "authorisations": given.authorisations}
    )


def test_the_case_is_put_together_from_the_records(records: Records) -> None:
    handed = planned(records)
    found = case_of(records.desk, handed.plan.id)
    assert found.consultation == handed.consultation
    assert found.assessment == handed.assessment
    assert found.plan == handed.plan
    assert found.day_form == handed.day_form
    assert found.consents == handed.consents
    assert found.authorisations == handed.authorisations
    assert found.approvals == handed.approvals
    assert found.vials == handed.vials
    assert [past.treatment for past in found.history] == ["treatment-1"]
    assert {str(past.units) for past in found.history} == {"66"}


def bare(case: CaseFile) -> CaseFile:
    """Leave out what a host may forget."""
    return case.model_copy(
        update={"consents": (), "withdrawals": (), "overrides": (), "authorisations": (), "approvals": ()}
    )


def test_what_a_host_leaves_out_is_known_here(records: Records) -> None:
    handed = untreated(records)
    assert records.ready(readiness_of(handed)).ready
    assert records.ready(readiness_of(bare(handed))).ready


def test_a_withdrawal_that_the_host_forgets_stops_the_needle(records: Records) -> None:
    handed = untreated(records)
    consent = handed.consents[0].id
    assert keep(records.desk, withdrawal(consent))
    assert not keep(records.desk, withdrawal(consent))
    assert reasons(records.ready(readiness_of(handed))) == {"consent.withdrawn"}
    with pytest.raises(ProblemsError) as raised:
        records.treat(request_of(handed, made_report(handed)))
    assert codes(raised) == ["deviation.missing"]
    with records.desk.use("test") as unit:
        assert [row.topic for row in unit.outbox.in_state() if row.topic == "consent.withdrawn"] == [
            "consent.withdrawn"
        ]
        assert unit.records.counts().get("treatment-record") is None


def made_report(case: CaseFile, **members: Any) -> TreatmentReport:
    return report_of(case.plan, case.vials, **members)


def test_a_withdrawal_handed_in_once_is_not_forgotten(records: Records) -> None:
    handed = untreated(records)
    told = handed.model_copy(update={"withdrawals": (withdrawal(handed.consents[0].id),)})
    assert reasons(records.ready(readiness_of(told))) == {"consent.withdrawn"}
    assert reasons(records.ready(readiness_of(handed))) == {"consent.withdrawn"}


def test_a_lot_that_is_quarantined_now_is_not_ready_whatever_the_hosts_clock_says(records: Records) -> None:
    handed = untreated(records)
    keep(records.desk, quarantine(at="2026-09-19T09:00:00+01:00"))
    asked = readiness_of(handed)
    assert asked.at < "2026-09-19"
    found = records.ready(asked)
    assert reasons(found) == {"vial.lot_quarantined"}
    assert "2026-09-19" in str(found.to_document()["notes"])


def test_a_quarantine_that_the_host_forgets_stops_the_needle(records: Records) -> None:
    handed = untreated(records)
    keep(records.desk, quarantine())
    assert "vial.lot_quarantined" in reasons(records.ready(readiness_of(handed)))
    lifted = {"lifted_at": "2026-09-10T08:00:00+01:00", "lifted_by": "dr-sample", "lift_reason": "Another lot"}
    keep(records.desk, quarantine(**lifted))
    assert records.ready(readiness_of(handed)).ready
    assert not keep(records.desk, quarantine()), "a copy from before it was lifted changes nothing"
    assert records.ready(readiness_of(handed)).ready


def test_a_withdrawn_approval_counts_although_the_host_hands_in_the_old_one(records: Records) -> None:
    handed = untreated(records)
    approval = next(one for one in handed.approvals if one.document.id == "pore.template.microtoxin-pores")
    keep(records.desk, changed(approval, withdrawn_at="2026-09-08T09:00:00+01:00"))
    assert reasons(records.ready(readiness_of(handed))) == {"approval.missing"}


def test_a_revoked_authorisation_counts_although_the_host_hands_in_the_old_one(records: Records) -> None:
    handed = untreated(records)
    keep(records.desk, changed(handed.authorisations[0], revoked_at="2026-09-09T09:00:00+01:00"))
    assert reasons(records.ready(readiness_of(handed))) == {"authorisation.revoked"}


def test_changed_answers_count_although_the_host_hands_in_the_old_ones(records: Records) -> None:
    handed = untreated(records)
    records.submit(changed_answers(handed.consultation))
    assert "consultation.changed" in reasons(records.ready(readiness_of(handed)))
    records.submit(handed.consultation)
    assert records.ready(readiness_of(handed)).ready


def changed_answers(answers: Consultation) -> Consultation:
    given = case_input()["consultation"]
    return changed(answers, answers=with_answers(given["answers"], goals="Something else"))


def test_a_vial_used_for_somebody_else_stops_the_needle_and_names_nobody(records: Records) -> None:
    handed = untreated(records)
    records.treat(request_of(handed, made_report(handed)))
    second = kept_case(records, treatment=None, follow_up=None, **another_patient())
    assert second.plan is not None
    case = of_the_day(case_of(records.desk, second.plan.id))
    assert case.vials[0].used_for == ()
    case = case.model_copy(update={"day_form": case_of(records.desk, second.plan.id).day_form})
    later = readiness_of(case, at="2026-09-10T15:20:00+01:00")
    assert "vial.second_patient" in reasons(records.ready(later))
    with records.desk.use("test") as unit:
        assert all(b"patient-1" not in row.document for row in unit.records.of_patient(["patient-9"]))
        assert all(b"patient-1" not in row.document for row in unit.records.of_kind("vial"))


def another_patient() -> dict[str, Any]:
    """Return the parts of the sample case for somebody else, with ids of their own."""
    given = case_input()
    patient = {**given["consultation"]["patient"], "id": "patient-9"}
    authorisation = {**given["authorisations"][0], "id": "authorisation-9"}
    return {
        "consultation": {**given["consultation"], "id": "consultation-9", "patient": patient},
        "day_form": {**given["day_form"], "id": "day-9", "patient": patient},
        "authorisations": [authorisation],
    }


def test_who_else_was_treated_from_a_vial_is_not_in_the_record(records: Records) -> None:
    handed = untreated(records)
    vial = changed(handed.vials[0], used_for=["patient-77"])
    case = handed.model_copy(update={"vials": (vial,)})
    assert "vial.second_patient" in reasons(records.ready(readiness_of(case)))
    assert "vial.second_patient" in reasons(records.ready(readiness_of(handed))), "it is known from before"
    with records.desk.use("test") as unit:
        row = unit.records.latest("vial", vial.id)
        assert row is not None
        assert b"patient-77" not in row.document


def test_earlier_toxin_from_here_counts_in_the_next_plan(records: Records) -> None:
    kept_case(records)
    again = {**case_input()["plan"], "treatment_date": "2026-09-24", "at": "2026-09-20T10:00:00+01:00"}
    run = kept_case(records, plan=again, treatment=None, follow_up=None, authorisations=None, consent=None)
    assert run.assessment is not None
    assert [past.treatment for past in run.assessment.context.history] == ["treatment-1"]
    assert run.assessment.verdict == "block"


def test_toxin_under_an_id_that_was_merged_counts_too(records: Records) -> None:
    kept_case(records)
    with records.desk.use("test") as unit:
        unit.patients.note("patient-9", "sample-host", 0)
        unit.patients.merge("patient-1", "patient-9")
    parts = another_patient()
    again = {**case_input()["plan"], "treatment_date": "2026-09-24", "at": "2026-09-20T10:00:00+01:00"}
    run = kept_case(records, plan=again, treatment=None, follow_up=None, consent=None, **parts)
    assert run.assessment is not None
    assert [past.treatment for past in run.assessment.context.history] == ["treatment-1"]


@pytest.mark.parametrize("part", ["consultation", "plan", "assessment", "consents", "overrides"])
def test_a_record_that_differs_from_the_kept_one_is_refused(records: Records, part: str) -> None:
    handed = untreated(records)
    if part == "overrides":
        keep(records.desk, override(handed))
        forged: Any = (changed(override(handed), reason="finding-resolved"),)
    elif part == "consents":
        forged = (changed(handed.consents[0], locale="de"),)
    else:
        members: dict[str, dict[str, Any]] = {
            "consultation": {"locale": "de"},
            "plan": {"warnings": []},
            "assessment": {"switched_off": ["PREG"]},
        }
        forged = changed(getattr(handed, part), **members[part])
    with pytest.raises(ProblemsError) as raised:
        records.ready(readiness_of(handed.model_copy(update={part: forged})))
    assert codes(raised) == ["record.differs"]
    assert raised.value.problems[0].pointer.startswith(f"/case/{part}")


def override(case: CaseFile) -> Override:
    return check(
        Override,
        {
            "id": "override-1",
            "clinic": case.plan.clinic,
            "patient": case.plan.patient,
            "consultation": case.plan.consultation.to_document(),
            "finding": "CVD",
            "prescriber": "dr-sample",
            "reason": "specialist-consulted",
            "at": "2026-09-08T10:00:00+01:00",
        },
    ).model


def test_an_id_of_another_patient_is_refused(records: Records) -> None:
    records.submit(consultation())
    with pytest.raises(ProblemsError) as raised:
        records.submit(consultation(patient={"host": "sample-host", "id": "patient-9", "birth_date": "1990-05-17"}))
    assert codes(raised) == ["record.differs"]
    foreign = {"host": "other-host", "id": "patient-1", "birth_date": "1990-05-17"}
    with pytest.raises(ProblemsError) as other:
        records.submit(consultation(id="c-2", patient=foreign))
    assert codes(other) == ["patient.host"]


# -- corrections -------------------------------------------------------------------------------------------------------


def amendment(handed: CaseFile, **members: Any) -> TreatmentReport:
    vial = changed(handed.vials[0], lot="SAMPLE-LOT-8")
    said = {"reason": "The lot was misread", "person": "dr-sample", "at": "2026-09-11T09:00:00+01:00"}
    return report_of(handed.plan, (vial,), id="treatment-1-a", amends="treatment-1", amendment=said, **members)


def test_an_amendment_takes_the_place_of_the_lots_that_it_corrects(records: Records) -> None:
    handed = untreated(records)
    first = records.treat(request_of(handed, made_report(handed))).treatment
    amended = records.treat(request_of(handed, amendment(handed))).treatment
    with records.desk.use("test") as unit:
        assert [use.replaced_at for use in unit.lots.uses_of("SAMPLEL0T7")] == [unit.now]
        assert [use.treatment for use in unit.lots.uses_of("SAMPLEL0T8")] == ["treatment-1"]
        states = {row.id: row.state for row in unit.records.of_kind("treatment-record")}
    assert states == {"treatment-1": "amended", "treatment-1-a": "completed"}
    assert [past.treatment for past in case_of(records.desk, handed.plan.id).history] == ["treatment-1"]
    with pytest.raises(ProblemsError) as raised:
        records.follow_up(FollowUpRequest(treatment=first))
    assert codes(raised) == ["treatment.amended"]
    records.follow_up(FollowUpRequest(treatment=amended))
    again = records.treat(request_of(handed, amendment(handed))).treatment
    assert again == amended


def test_an_amendment_of_nothing_or_of_an_amendment_is_refused(records: Records) -> None:
    handed = untreated(records)
    with pytest.raises(ProblemsError) as nothing:
        records.treat(request_of(handed, amendment(handed)))
    assert codes(nothing) == ["treatment.unknown"]
    records.treat(request_of(handed, made_report(handed)))
    records.treat(request_of(handed, amendment(handed)))
    chain = changed(amendment(handed), id="treatment-1-b", amends="treatment-1-a")
    with pytest.raises(ProblemsError) as raised:
        records.treat(request_of(handed, chain))
    assert codes(raised) == ["treatment.amends_amendment"]


def test_another_report_under_the_id_of_a_treatment_is_refused(records: Records) -> None:
    handed = untreated(records)
    records.treat(request_of(handed, made_report(handed)))
    with pytest.raises(ProblemsError) as raised:
        records.treat(request_of(handed, made_report(handed, ended_at="2026-09-10T15:09:00+01:00")))
    assert codes(raised) == ["record.differs"]


def test_steps_that_a_new_plan_lacks_are_superseded_with_a_reason(records: Records) -> None:
    run = kept_case(records, follow_up={})
    assert run.treatment is not None
    schedule = records.desk.workflow.catalogue
    steps = schedule.get(FollowUpSchedule, run.plan.schedule).model.steps  # type: ignore[union-attr]
    wanted = next(step.id for step in steps if step.offered == "on-request")
    records.follow_up(FollowUpRequest(treatment=run.treatment, requested_steps=(wanted,)))
    records.follow_up(FollowUpRequest(treatment=run.treatment))
    with records.desk.use("test") as unit:
        states = {row.step: row.state for row in unit.follow_ups.of_treatment("treatment-1")}
        moves = [FollowUpMove.from_json(row.document) for row in unit.records.of_kind("follow-up-move")]
    assert states[wanted] == "superseded"
    assert set(states.values()) == {"planned", "superseded"}
    assert [(move.to_state, move.by.kind, bool(move.reason)) for move in moves] == [("superseded", "plug-in", True)]


def test_a_follow_up_plan_that_is_made_anew_is_told_anew(records: Records) -> None:
    run = kept_case(records, follow_up={})
    assert run.treatment is not None
    schedule = records.desk.workflow.catalogue
    steps = schedule.get(FollowUpSchedule, run.plan.schedule).model.steps  # type: ignore[union-attr]
    wanted = next(step.id for step in steps if step.offered == "on-request")
    request = FollowUpRequest(treatment=run.treatment, requested_steps=(wanted,))
    for _ in range(2):
        records.follow_up(request)
        with records.desk.use("test") as unit:
            assert sum(row.topic == "follow_up.planned" for row in unit.outbox.in_state()) == 2


def test_an_accepted_response_ends_its_step(records: Records) -> None:
    run = kept_case(records)
    assert run.follow_up is not None
    with records.desk.use("test") as unit:
        done = {row.step for row in unit.follow_ups.of_plan(run.follow_up.id) if row.state == "done"}
    answered = {entry["step"] for entry in case_input()["follow_up"]["responses"]}
    assert done == answered


def test_outcomes_that_were_kept_before_give_the_trend(records: Records) -> None:
    run = kept_case(records)
    request = sheet(run, "review-2-w4")
    alone = request.model_copy(update={"outcomes": (), "at": "2026-10-09T12:00:00+01:00"})
    assert records.review(alone).review.trends == records.review(request).review.trends != ()


# -- what comes after the commit ---------------------------------------------------------------------------------------


def test_extensions_hear_of_a_step_once_and_only_when_it_is_kept(database: Database) -> None:
    told: list[str] = []
    ears = plugin(pore_on_event=lambda event: told.append(event.type))
    records = Records(desk(database, plugins={"acme": ears}))
    records.submit(consultation())
    records.submit(consultation())
    assert told == ["consultation.submitted"]
    with pytest.raises(ProblemsError):
        records.submit(consultation(clinic="another-clinic"))
    assert told == ["consultation.submitted"]
