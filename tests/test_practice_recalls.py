"""Recalls from the records: who got a lot, the quarantine, one task for each patient, adverse events by lot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from factories import case_input
from followed_cases import LOT, Clock, amended, case_of_another, desk_at, followed
from pore_plugin import check
from pore_plugin.contracts import ProblemsError, ReadinessRequest, Task, TreatmentReport, TreatmentRequest
from pore_plugin.demo import run_case
from pore_plugin.practice import Desk, Records, case_of, keep, patients
from pore_plugin.practice.corrections import correct
from pore_plugin.practice.recalls import adverse_events, apply, lift, recall
from pore_plugin.practice.tasks import finish
from pore_plugin.storage import Database
from practice_cases import adverse_event, rows

WHY = "Recalled by its maker (invented)"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return desk_at(database, clock)


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


def tasks_of(desk: Desk) -> list[Task]:
    with desk.use("test") as unit:
        return [Task.from_json(row.document) for row in unit.outbox.of_topic("task")]


def amend(desk: Desk, case: dict[str, Any], lot: str) -> None:
    run = followed(desk, case)
    request = next(one.request for one in run.sheets if one.name == "treatment")
    assert isinstance(request, TreatmentRequest)
    report = check(TreatmentReport, amended(case, lot)).model
    Records(desk).treat(TreatmentRequest(case=request.case, report=report))


@pytest.mark.parametrize("typed", ["SAMPLE-LOT-7", "sample lot 7", " Sample l0t7", "SAMPLE/LOT.7"])
def test_a_lot_is_found_however_it_is_typed(desk: Desk, typed: str) -> None:
    followed(desk)
    followed(desk, case_of_another("b", lot="sample lot7"))
    followed(desk, case_of_another("c", lot="SAMPLE-LOT-1"))
    found = recall(desk, typed)
    assert [(use.patient, use.vials[0].lot) for use in found.uses] == [
        ("patient-1", "SAMPLE-LOT-7"),
        ("patient-1-b", "sample lot7"),
    ]
    assert found.patients == 2
    assert [(near.lots, near.uses) for near in found.near] == [(("SAMPLE-LOT-1",), 1)]


def test_a_use_says_where_how_much_by_whom_and_how_it_stands_with_the_patient(desk: Desk, clock: Clock) -> None:
    followed(desk)
    keep(desk, adverse_event())
    clock.at = "2026-10-20T12:00:00+00:00"
    (use,) = recall(desk, LOT).uses
    assert {one.region: one.units for one in use.regions}["pore.region.nose"] == "6"
    assert (use.operator, use.prescriber, use.date) == ("nurse-example", "dr-sample", "2026-09-10")
    assert use.follow_up.missed == ("W1", "W2")
    assert use.follow_up.last_contact is not None
    assert use.follow_up.last_contact.at == "2026-10-08T14:45:00+01:00"
    assert [event.code for event in use.adverse_events] == ["brow-ptosis"]


def test_a_lot_of_another_product_is_left_out_where_the_product_is_named(desk: Desk) -> None:
    followed(desk)
    assert recall(desk, LOT, "pore.product.bocouture-uk").patients == 1
    assert recall(desk, LOT, "pore.product.azzalure-uk").uses == ()
    with pytest.raises(ProblemsError):
        recall(desk, LOT, "pore.product.nothing")


def test_a_treatment_that_was_amended_to_another_lot_stands_apart(desk: Desk) -> None:
    case = {**case_input(), "follow_up": {}}
    amend(desk, case, "OTHER-3")
    here, there = recall(desk, LOT), recall(desk, "other 3")
    assert (here.uses, [use.record for use in here.corrected]) == ((), ["treatment-1-a"])
    assert [(use.treatment, use.record, use.amended) for use in there.uses] == [("treatment-1", "treatment-1-a", True)]
    apply(desk, LOT, "dr-sample", WHY)
    assert tasks_of(desk)[-1:] == [] or tasks_of(desk)[-1].code != "lot-recall"


def test_records_entered_in_error_are_left_out_and_counted(desk: Desk) -> None:
    followed(desk)
    with desk.use("test") as unit:
        unit.records.set_state("treatment-record", "treatment-1", "entered-in-error")
    found = recall(desk, LOT)
    assert (found.uses, found.patients, found.entered_in_error) == ((), 0, 1)


def test_open_vials_of_the_lot_are_looked_for(desk: Desk, clock: Clock) -> None:
    clock.at = "2026-09-10T16:00:00+01:00"
    followed(desk)
    (vial,) = recall(desk, "sample lot 7").vials
    assert (vial.id, vial.used, vial.discard_by) == ("vial-1", True, "2026-09-11T13:40:00+01:00")
    clock.at = "2026-09-11T13:41:00+01:00"
    assert recall(desk, LOT).vials == ()


def test_an_erased_patient_leaves_nothing_behind_in_a_recall(desk: Desk) -> None:
    followed(desk)
    with desk.use("test") as unit:
        unit.patients.bury("patient-1", "Asked for in writing.", b"{}")
        unit.patients.forget(["patient-1"])
        unit.forget_touched(("patient-1",))
    found = recall(desk, LOT)
    assert (found.uses, found.patients, found.entered_in_error) == ((), 0, 0)
    assert "patient-1" not in found.to_json().decode()


# -- what is done about it ---------------------------------------------------------------------------------------------


def test_a_recall_that_is_applied_stops_every_open_plan_at_once(desk: Desk, clock: Clock) -> None:
    records = Records(desk)
    case = {key: part for key, part in case_input().items() if key not in ("treatment", "follow_up")}
    plan = run_case(records, case, "en").plan
    assert plan is not None
    ready = ReadinessRequest(
        case=case_of(desk, plan.id).model_copy(
            update={"vials": tuple(check("vial", vial).model for vial in case["vials"])}
        ),
        operator="nurse-example",
        at="2026-09-10T14:01:00+01:00",
    )
    clock.at = "2026-09-10T14:00:00+01:00"
    assert "vial.lot_quarantined" not in {reason.code for reason in records.ready(ready).reasons}
    report = apply(desk, "sample lot 7", "dr-sample", WHY)
    assert report.quarantined
    assert "vial.lot_quarantined" in {reason.code for reason in records.ready(ready).reasons}
    clock.at = "2026-09-10T14:00:30+01:00"
    lift(desk, report.quarantines[0].id, "dr-sample", "It was another lot.")
    assert "vial.lot_quarantined" not in {reason.code for reason in records.ready(ready).reasons}


def test_applying_makes_one_task_for_each_patient_and_again_writes_nothing(database: Database, desk: Desk) -> None:
    followed(desk)
    followed(desk, case_of_another("b"))
    before = recall(desk, LOT)
    assert {use.task for use in before.uses} == {None}
    first = apply(desk, LOT, "dr-sample", WHY)
    made = [one for one in tasks_of(desk) if one.code == "lot-recall"]
    assert {one.patient for one in made} == {"patient-1", "patient-1-b"}
    assert {use.task.key for use in first.uses if use.task} == {one.key for one in made}
    assert all(LOT in one.title["en"] and WHY in one.title["en"] for one in made)
    kept = rows(database)
    assert apply(desk, "sample lot 7", "dr-sample", "Again.") == first.model_copy(update={"lot": "sample lot 7"})
    assert rows(database) == kept


def test_a_dry_run_changes_nothing(database: Database, desk: Desk) -> None:
    followed(desk)
    kept = rows(database)
    assert not recall(desk, LOT).quarantined
    assert rows(database) == kept


def test_a_patient_with_two_ids_and_two_treatments_gets_one_task(desk: Desk) -> None:
    followed(desk)
    followed(desk, case_of_another("b"))
    patients.merge(desk, "patient-1-b", "patient-1", "Registered twice.")
    report = apply(desk, LOT, "dr-sample", WHY)
    assert [use.patient for use in report.uses] == ["patient-1", "patient-1"]
    assert [one.patient for one in tasks_of(desk) if one.code == "lot-recall"] == ["patient-1"]


def test_a_merge_after_a_recall_makes_no_second_task(desk: Desk) -> None:
    followed(desk)
    apply(desk, LOT, "dr-sample", WHY)
    with desk.use("test") as unit:
        unit.patients.note("patient-0", "sample-host", 0)
        unit.patients.merge("patient-1", "patient-0")
    report = apply(desk, LOT, "dr-sample", WHY)
    assert [use.patient for use in report.uses] == ["patient-0"]
    assert report.uses[0].task is not None
    assert len([one for one in tasks_of(desk) if one.code == "lot-recall"]) == 1


def test_a_task_that_was_done_is_shown_as_done(desk: Desk) -> None:
    followed(desk)
    report = apply(desk, LOT, "dr-sample", WHY)
    task = report.uses[0].task
    assert task is not None
    assert not task.done
    finish(desk, task.key)
    again = apply(desk, LOT, "dr-sample", WHY).uses[0].task
    assert again is not None
    assert again.done


def test_a_second_quarantine_of_a_lot_asks_the_patients_again(desk: Desk, clock: Clock) -> None:
    followed(desk)
    first = apply(desk, LOT, "dr-sample", WHY)
    clock.at = "2026-09-21T12:00:00+00:00"
    lift(desk, first.quarantines[0].id, "dr-sample", "A mistake of the maker.")
    clock.at = "2026-09-22T12:00:00+00:00"
    second = apply(desk, LOT, "dr-sample", "Recalled after all.")
    assert [bool(one.lifted_at) for one in second.quarantines] == [True, False]
    assert second.uses[0].task != first.uses[0].task
    with pytest.raises(ProblemsError) as raised:
        lift(desk, first.quarantines[0].id, "dr-sample", "Once more.")
    assert codes(raised) == ["quarantine.lifted"]


@pytest.mark.parametrize(
    ("words", "code"),
    [(("§§", "dr-sample"), "lot.unreadable"), ((LOT, "nobody"), "record.person")],
)
def test_what_is_no_lot_and_who_is_nobody_is_refused_and_nothing_is_kept(
    database: Database, desk: Desk, words: tuple[str, str], code: str
) -> None:
    desk.workflow  # noqa: B018  made before: it opens a transaction of its own
    kept = rows(database)
    with pytest.raises(ProblemsError) as raised:
        apply(desk, words[0], words[1], WHY)
    assert codes(raised) == [code]
    assert rows(database) == kept


@pytest.mark.parametrize("why", ["", "x" * 501])
def test_a_reason_that_cannot_be_kept_is_refused(desk: Desk, why: str) -> None:
    with pytest.raises(ProblemsError) as raised:
        apply(desk, LOT, "dr-sample", why)
    assert {problem.pointer for problem in raised.value.problems} == {"/reason"}
    assert not recall(desk, LOT).quarantined


def test_the_quarantine_is_told_once(desk: Desk) -> None:
    followed(desk)
    apply(desk, LOT, "dr-sample", WHY)
    apply(desk, LOT, "dr-sample", WHY)
    with desk.use("test") as unit:
        assert len(unit.outbox.of_topic("lot.quarantined")) == 1


def test_who_was_looked_at_is_in_the_audit_of_each_patient(desk: Desk) -> None:
    followed(desk)
    followed(desk, case_of_another("b"))
    recall(desk, LOT)
    with desk.use("test") as unit:
        for patient in ("patient-1", "patient-1-b"):
            assert [one.action for one in unit.audit.of_patient([patient])][-1] == "lot.recall"


# -- the reverse -------------------------------------------------------------------------------------------------------


def test_adverse_events_stand_with_the_lots_of_their_treatments(desk: Desk) -> None:
    followed(desk)
    followed(desk, case_of_another("b", lot="OTHER-3"))
    keep(desk, adverse_event())
    keep(desk, adverse_event(id="event-2", patient="patient-1-b", treatment="treatment-1-b"))
    every = adverse_events(desk)
    assert [(one.key, one.uses, len(one.events)) for one in every.lots] == [("0THER3", 1, 1), ("SAMPLEL0T7", 1, 1)]
    (one,) = adverse_events(desk, "other3").lots
    assert (one.lots, [event.id for event in one.events]) == (("OTHER-3",), ["event-2"])
    assert adverse_events(desk, "never used").lots == ()


def test_a_treatment_moved_to_the_right_patient_is_recalled_as_theirs(desk: Desk) -> None:
    followed(desk)
    keep(desk, adverse_event())
    correct(desk, "treatment-1", "patient-2", "Two people with one name.", host="sample-host")
    report = apply(desk, LOT, "dr-sample", WHY)
    assert [use.patient for use in report.uses] == ["patient-2"]
    assert [event.patient for event in report.uses[0].adverse_events] == ["patient-2"]
    assert [one.patient for one in tasks_of(desk) if one.code == "lot-recall"] == ["patient-2"]


def test_the_moment_of_a_report_is_the_clinics_own(desk: Desk, clock: Clock) -> None:
    clock.at = datetime(2026, 12, 1, 23, 30, tzinfo=UTC).isoformat()
    assert recall(desk, LOT).generated_at == "2026-12-01T23:30:00+00:00"
