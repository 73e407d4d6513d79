"""The due list from the records, what time moves, what people and the host report, and outcomes."""

from __future__ import annotations

import pytest

from factories import case_input
from followed_cases import Clock, case_of_another, desk_at, followed
from pore_plugin.contracts import DueList, Event, FollowUpRequest, Mover, ProblemsError
from pore_plugin.practice import Desk, Records
from pore_plugin.practice.corrections import correct
from pore_plugin.practice.due import advance, due, history, move, take_back
from pore_plugin.practice.outcomes import outcomes
from pore_plugin.practice.tasks import finish
from pore_plugin.storage import Database
from practice_cases import rows

DOCTOR, HOST = Mover(kind="person", id="dr-sample"), Mover(kind="host", id="sample-host")
BEGUN = {**case_input(), "follow_up": {"requested_steps": ["W2"]}}


@pytest.fixture
def clock() -> Clock:
    return Clock("2026-09-10T16:00:00+01:00")


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return desk_at(database, clock)


def shown(found: DueList) -> dict[str, str]:
    return {item.step: item.standing for item in found.items}


def key_of(desk: Desk, step: str, patient: str = "patient-1") -> str:
    with desk.use("test") as unit:
        return next(row.key for row in unit.follow_ups.of_patient([patient]) if row.step == step)


def codes(raised: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


# -- what is due -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-09-10T16:00:00+01:00", {"D0": "due"}),
        ("2026-09-12T18:00:00+01:00", {"D0": "overdue", "D2": "due"}),
        ("2026-09-17T08:00:00+01:00", {"D0": "overdue", "D2": "missed", "W1": "upcoming"}),
        ("2026-09-17T11:00:00+01:00", {"D0": "overdue", "D2": "missed", "W1": "due"}),
        ("2026-09-24T11:00:00+01:00", {"D0": "overdue", "D2": "missed", "W1": "missed", "W2": "due"}),
    ],
)
def test_the_list_shows_where_every_step_stands_on_the_clinics_clocks(
    desk: Desk, at: str, expected: dict[str, str]
) -> None:
    followed(desk, BEGUN)
    found = due(desk, at)
    assert (found.at, found.zone) == (at, "Europe/London")
    assert shown(found) == expected


def test_a_moment_in_another_zone_is_shown_on_the_clinics_clocks(desk: Desk) -> None:
    followed(desk, BEGUN)
    assert due(desk, "2026-09-12T11:00:00+00:00") == due(desk, "2026-09-12T12:00:00+01:00")


def test_steps_ahead_are_shown_as_many_days_as_are_asked_for(desk: Desk) -> None:
    followed(desk, BEGUN)
    assert "W1" not in shown(due(desk))
    assert shown(due(desk, ahead=7))["W1"] == "upcoming"


def test_missed_steps_leave_the_list_after_a_time_and_their_history_stays(desk: Desk, clock: Clock) -> None:
    followed(desk, BEGUN)
    clock.at = "2026-10-20T12:00:00+01:00"
    advance(desk)
    assert shown(due(desk))["W1"] == "missed"
    assert "W1" not in shown(due(desk, missed_for=14))
    clock.at = "2027-10-20T12:00:00+01:00"
    assert "W1" not in shown(due(desk))
    assert history(desk, key_of(desk, "W1")).state == "missed"


def test_the_watch_is_shown_until_it_is_over_and_longer_while_its_visit_is_booked(desk: Desk) -> None:
    followed(desk, BEGUN)
    (watch,) = due(desk).watches
    assert due(desk, watch.until).watches == (watch,)
    late = "2027-01-12T10:00:00+00:00"
    assert due(desk, "2027-01-05T10:00:00+00:00").watches == ()
    move(desk, key_of(desk, "W4"), "booked", DOCTOR, "The patient is abroad until then.", due=late)
    (longer,) = due(desk, "2027-01-05T10:00:00+00:00").watches
    assert longer.until == late


def test_a_red_flag_leaves_a_task_that_does_not_wait_for_opening_time(desk: Desk) -> None:
    followed(desk)
    tasks = due(desk, "2026-09-13T03:00:00+01:00").tasks
    assert [(task.patient, task.ignores_hours) for task in tasks] == [("patient-1", True), ("patient-1", False)]
    finish(desk, tasks[0].key)
    assert due(desk, "2026-09-13T03:00:00+01:00").tasks == tasks[1:]
    with desk.use("test") as unit:
        assert len(unit.outbox.of_topic("task.done")) == 1


def test_a_task_is_named_by_how_its_key_begins_and_another_is_refused(desk: Desk) -> None:
    followed(desk)
    task = due(desk, "2026-09-13T03:00:00+01:00").tasks[0]
    assert finish(desk, task.key[:8]).key == task.key
    assert finish(desk, task.key).key == task.key
    for key in ("", "nothing"):
        with pytest.raises(ProblemsError) as raised:
            finish(desk, key)
        assert codes(raised) == ["task.unknown"]


def test_whoever_was_merged_is_listed_under_the_id_in_use(desk: Desk) -> None:
    followed(desk)
    with desk.use("test") as unit:
        unit.patients.note("patient-0", "sample-host", 0)
        unit.patients.merge("patient-1", "patient-0")
    found = due(desk, "2026-09-17T11:00:00+01:00")
    assert {one.patient for one in (*found.items, *found.tasks, *found.watches)} == {"patient-0"}


# -- what time moves ---------------------------------------------------------------------------------------------------


def test_time_moves_steps_once_with_a_reason_and_tells_of_each_once(
    database: Database, desk: Desk, clock: Clock
) -> None:
    followed(desk, BEGUN)
    clock.at = "2026-09-22T12:00:00+01:00"
    made = advance(desk)
    moves = {(one.to_state, history(desk, one.key).step) for one in made}
    assert {("due", "D0"), ("due", "W1"), ("missed", "W1"), ("due", "W2")} <= moves
    assert all(one.reason and one.by.kind == "plug-in" for one in made)
    with desk.use("test") as unit:
        told = [Event.from_json(row.document) for row in unit.outbox.in_state() if row.topic.startswith("follow_up.")]
        assert all(row.patient == "patient-1" for row in unit.outbox.of_topic("follow_up.due"))
    about = {(event.type, event.subject) for event in told if event.type != "follow_up.planned"}
    assert about == {(f"follow_up.{one.to_state}", one.key) for one in made}
    kept = rows(database)
    assert advance(desk) == ()
    assert rows(database) == kept


def test_time_takes_no_appointment_away(desk: Desk, clock: Clock) -> None:
    followed(desk, BEGUN)
    key = key_of(desk, "W2")
    move(desk, key, "booked", DOCTOR, "Booked by phone.", due="2026-09-24T11:00:00+01:00")
    clock.at = "2026-11-01T12:00:00+00:00"
    assert key not in {one.key for one in advance(desk)}
    assert shown(due(desk))["W2"] == "overdue"


def test_the_step_in_the_index_stands_where_its_moves_put_it(desk: Desk, clock: Clock) -> None:
    followed(desk, BEGUN)
    followed(desk, case_of_another("b", follow_up={}))
    clock.at = "2027-12-22T12:00:00+00:00"
    advance(desk)
    with desk.use("test") as unit:
        stands = {row.key: row.state for row in unit.follow_ups.of_patient(["patient-1", "patient-1-b"])}
    assert {key: history(desk, key).state for key in stands} == stands
    assert set(stands.values()) == {"due", "missed"}


# -- what people and the host report -----------------------------------------------------------------------------------


def test_sent_is_reported_back_by_the_host_and_once(database: Database, desk: Desk, clock: Clock) -> None:
    followed(desk, BEGUN)
    key = key_of(desk, "W1")
    clock.at = at = "2026-09-17T10:00:05+01:00"
    sent = move(desk, key[:8], "sent", HOST, "Sent by the host.", at=at)
    kept = rows(database)
    assert move(desk, key, "sent", HOST, "Sent by the host.", at=at) == sent
    assert rows(database) == kept
    (found,) = (item for item in due(desk, "2026-09-17T11:00:00+01:00").items if item.step == "W1")
    assert (found.state, found.last_move) == ("sent", sent)


@pytest.mark.parametrize(
    ("step", "to", "by", "code"),
    [
        ("W2", "sent", HOST, "move.not_allowed"),
        ("W1", "cancelled", HOST, "move.mover"),
        ("W2", "booked", DOCTOR, "move.due_needed"),
        ("nothing", "done", DOCTOR, "step.unknown"),
    ],
)
def test_a_move_that_cannot_be_made_is_refused_and_not_kept(
    database: Database, desk: Desk, step: str, to: str, by: Mover, code: str
) -> None:
    followed(desk, BEGUN)
    key = key_of(desk, step) if step != "nothing" else step
    kept = rows(database)
    with pytest.raises(ProblemsError) as raised:
        move(desk, key, to, by, "Why not.")  # type: ignore[arg-type]
    assert codes(raised) == [code]
    assert rows(database) == kept


def test_a_move_without_a_reason_is_refused(desk: Desk) -> None:
    followed(desk, BEGUN)
    with pytest.raises(ProblemsError) as raised:
        move(desk, key_of(desk, "D0"), "done", DOCTOR, "")
    assert codes(raised) == ["move.form"]


def test_a_move_that_was_wrong_is_taken_back_and_both_stay_in_the_history(desk: Desk) -> None:
    followed(desk, BEGUN)
    key = key_of(desk, "W2")
    with desk.use("test") as unit:
        before = unit.follow_ups.get(key)
    move(desk, key, "booked", DOCTOR, "Booked by phone.", due="2026-09-25T11:00:00+01:00")
    take_back(desk, key, DOCTOR, "It was another patient.")
    found = history(desk, key)
    assert [(one.to_state, bool(one.corrects)) for one in found.moves] == [("booked", False), ("planned", True)]
    with desk.use("test") as unit:
        after = unit.follow_ups.get(key)
    assert before is not None
    assert after is not None
    assert (after.state, after.due) == (before.state, before.due)
    with pytest.raises(ProblemsError) as raised:
        take_back(desk, key_of(desk, "W1"), DOCTOR, "Nothing was there.")
    assert codes(raised) == ["move.not_correctable"]


def test_an_answered_step_is_done_and_a_step_that_a_new_plan_lacks_has_a_history(desk: Desk) -> None:
    run = followed(desk)
    assert run.treatment is not None
    key = key_of(desk, "W2")
    assert history(desk, key_of(desk, "W4")).state == "done"
    Records(desk).follow_up(FollowUpRequest(treatment=run.treatment))
    found = history(desk, key)
    assert (found.state, found.moves[-1].by.kind) == ("superseded", "plug-in")
    assert "W2" not in shown(due(desk, "2026-09-25T11:00:00+01:00"))


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_outcomes_show_the_trend_against_the_baseline(desk: Desk) -> None:
    followed(desk)
    report = outcomes(desk, "patient-1")
    (treatment,) = report.treatments
    (trend,) = treatment.trends
    assert (trend.baseline.value, [(one.value, one.delta, one.change) for one in trend.points]) == (
        "3",
        [("4", "1", "better")],
    )
    assert [one.id for one in report.instruments] == [trend.instrument]
    assert treatment.non_response is None


def test_no_change_at_the_primary_visit_is_flagged(desk: Desk) -> None:
    case = case_input()
    responses = case["follow_up"]["responses"]
    responses[1]["outcomes"][1]["value"] = responses[1]["outcomes"][0]["value"]
    followed(desk, case)
    (treatment,) = outcomes(desk, "patient-1").treatments
    assert treatment.non_response is not None


def test_outcomes_are_those_of_every_id_of_a_person(desk: Desk) -> None:
    followed(desk)
    whole = outcomes(desk, "patient-1").treatments
    with desk.use("test") as unit:
        unit.patients.note("patient-0", "sample-host", 0)
        unit.patients.merge("patient-1", "patient-0")
    for name in ("patient-0", "patient-1"):
        found = outcomes(desk, name)
        assert (found.patient, found.treatments) == ("patient-0", whole)


def test_somebody_erased_or_never_here_is_unknown(desk: Desk) -> None:
    followed(desk)
    with desk.use("test") as unit:
        unit.patients.bury("patient-1", "Asked for in writing.", b"{}")
        unit.patients.forget(["patient-1"])
        unit.forget_touched(("patient-1",))
    for name in ("patient-1", "patient-0"):
        with pytest.raises(ProblemsError) as caught:
            outcomes(desk, name)
        assert [problem.code for problem in caught.value.problems] == ["patient.unknown"]


def test_the_right_patient_of_a_corrected_session_has_its_steps(desk: Desk) -> None:
    followed(desk, BEGUN)
    correct(desk, "treatment-1", "patient-2", "Two people with one name.", host="sample-host")
    assert {item.patient for item in due(desk, "2026-09-17T11:00:00+01:00").items} == {"patient-2"}


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2150-01-01T00:00:00+00:00", "move.future"),
        ("2026-09-10T16:06:00+01:00", "move.future"),
        ("2026-09-09T16:00:00+01:00", "move.before_treatment"),
    ],
)
def test_a_move_is_made_after_the_treatment_and_by_now(desk: Desk, at: str, code: str) -> None:
    followed(desk, BEGUN)
    with pytest.raises(ProblemsError) as raised:
        move(desk, key_of(desk, "W1"), "sent", HOST, "Sent.", at=at)
    assert codes(raised) == [code]


def test_a_clock_that_is_a_little_ahead_is_no_future(desk: Desk) -> None:
    followed(desk, BEGUN)
    at = "2026-09-10T16:05:00+01:00"
    assert (
        move(desk, key_of(desk, "W1"), "booked", DOCTOR, "By phone.", at=at, due="2026-09-17T12:00:00+01:00").at == at
    )


def test_a_key_is_not_shortened_to_a_slip_of_the_hand(desk: Desk) -> None:
    followed(desk, BEGUN)
    with pytest.raises(ProblemsError) as raised:
        history(desk, key_of(desk, "W1")[:3])
    assert codes(raised) == ["step.key_short"]
