"""The due list: what is on it, in which order, and how long a red-flag watch stays open."""

from __future__ import annotations

from itertools import permutations

import pytest

from follow_up_examples import CLINIC, inputs, schedule_of, step
from pore_plugin.clinical.follow_up.due import OpenTask, due_list, watch_until
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.clinical.follow_up.states import StepState, advance, draw_move, follow, moved
from pore_plugin.contracts import DueList, FollowUpPlan, Mover, RecordPin, StaffTask, StepProgress
from pore_plugin.rendering.due import due_sheet
from pore_plugin.validation import check

LONDON = "Europe/London"
NURSE = Mover(kind="person", id="nurse-example")
PLAN = schedule(inputs())


def at(plan: FollowUpPlan, now: str, *made: tuple[str, StepProgress, str | None]) -> tuple[StepState, ...]:
    """The steps of a plan after these moves and what time did to them by `now`."""
    states = {one.dated.step: one for one in follow(plan)}
    for name, to, due in made:
        found = moved(states[name], draw_move(states[name], to, at=now, by=NURSE, reason="As agreed.", due=due))
        assert isinstance(found, StepState)
        states[name] = found
    moves = [move for one in states.values() for move in one.moves]
    return follow(plan, [*moves, *advance(states.values(), now, LONDON)])


def listed(steps: tuple[StepState, ...], now: str, **more: int) -> DueList:
    made = due_list(steps, clinic=CLINIC, now=now, zone=LONDON, **more)
    check(DueList, made.to_document())
    return made


def names(found: DueList) -> list[tuple[str, str]]:
    return [(item.step, item.standing) for item in found.items]


def of_patient(number: int, *steps: object, **more: object) -> FollowUpPlan:
    treatment = RecordPin(id=f"treatment-{number}", digest="sha256:" + "1" * 64)
    return schedule(inputs(schedule_of(*steps), treatment=treatment, patient=f"patient-{number}", **more))  # type: ignore[arg-type]


def test_what_is_due_overdue_and_missed_is_listed_with_its_last_move() -> None:
    now = "2026-03-31T09:00:00+01:00"
    found = listed(at(PLAN, now, ("D0", "done", None), ("D2", "sent", None)), now)
    assert names(found) == [("W4", "overdue"), ("D2", "missed"), ("W1", "missed")]
    w4, d2, _ = found.items
    assert (w4.state, w4.days_overdue, w4.required) == ("due", 1, True)
    assert (w4.last_move and w4.last_move.reason) == "Its window is open and nothing is booked."
    assert (d2.last_move and d2.last_move.reason) == "Its window ended on 2026-03-05 and no answer was recorded."
    assert {(item.patient, item.treatment, item.follow_up_plan) for item in found.items} == {
        ("patient-1", "treatment-1", PLAN.id)
    }


def test_the_most_urgent_comes_first_whatever_the_order_of_the_steps() -> None:
    shapes = [
        of_patient(1, step("missed-required", "visit", "P5D", None, "P6D", required=True)),
        of_patient(2, step("overdue-required", "visit", "P8D", None, "P30D", required=True)),
        of_patient(3, step("overdue", "visit", "P7D")),
        of_patient(4, step("due-at-nine", "remote-questionnaire", "P10D")),
        of_patient(5, step("due-later", "visit", "P10D", "P8D", required=True)),
        of_patient(6, step("missed", "visit", "P5D", None, "P6D")),
        of_patient(7, step("later-today", "remote-questionnaire", "PT243H", None, "P11D")),
    ]
    now = "2026-03-12T12:00:00+00:00"
    groups = [at(plan, now) for plan in shapes]
    expected = [
        "missed-required",
        "overdue-required",
        "overdue",
        "due-at-nine",
        "due-later",
        "missed",
        "later-today",
    ]
    for order in list(permutations(groups))[::211]:
        found = listed(tuple(one for group in order for one in group), now)
        assert [item.step for item in found.items] == expected


def test_what_is_done_cancelled_or_far_away_is_not_listed() -> None:
    now = "2026-03-04T12:00:00+00:00"
    steps = at(PLAN, now, ("D0", "done", None), ("D2", "cancelled", None))
    assert names(listed(steps, now)) == []
    assert names(listed(steps, now, ahead=5)) == [("W1", "upcoming")]
    assert names(listed(steps, now, ahead=4)) == []


def test_a_booked_visit_is_listed_on_its_day() -> None:
    made = ("W4", "booked", "2026-04-01T16:00:00+01:00")
    morning, evening = "2026-04-01T00:00:00+01:00", "2026-03-31T23:59:59+01:00"
    assert ("W4", "due") in names(listed(at(PLAN, morning, made), morning))
    assert "W4" not in dict(names(listed(at(PLAN, evening, made), evening)))


def test_a_missed_step_leaves_the_list_when_it_is_told_to() -> None:
    for now, count in (("2026-03-12T23:59:59+00:00", 1), ("2026-03-13T00:00:00+00:00", 0)):
        steps = tuple(one for one in at(PLAN, now) if one.dated.step == "D2")
        assert len(listed(steps, now, missed_for=7).items) == count
        assert len(listed(steps, now).items) == 1


def test_tasks_that_ignore_hours_come_first_and_are_overdue_once_their_moment_is_past() -> None:
    def task(key: str, due: str, ignores_hours: bool) -> OpenTask:
        made = StaffTask(key=key, code="same-day", title={"en": key}, due=due, ignores_hours=ignores_hours)
        return OpenTask(patient="patient-1", task=made, follow_up_plan=PLAN.id)

    early, urgent = "2026-03-04T09:00:00+00:00", "2026-03-04T13:00:00+01:00"
    tasks = [task("later", urgent, False), task("read", early, False), task("call", urgent, True)]
    found = due_list((), clinic=CLINIC, now="2026-03-04T12:00:00+00:00", zone=LONDON, tasks=tasks)
    assert [(one.key, one.standing) for one in found.tasks] == [("call", "due"), ("read", "overdue"), ("later", "due")]
    assert found.tasks[0].due == "2026-03-04T12:00:00+00:00"


# -- the watch --------------------------------------------------------------------------------------------------


def watch(now: str, *made: tuple[str, StepProgress, str | None]) -> str | None:
    return watch_until(at(PLAN, now, *made), LONDON)


@pytest.mark.parametrize(
    ("now", "made", "until"),
    [
        # Neither booked nor done: to the end of the window of the visit.
        ("2026-03-03T09:00:00+00:00", (), "2026-04-02T23:59:59+01:00"),
        ("2026-03-03T09:00:00+00:00", ("booked", "2026-04-09T11:00:00+01:00"), "2026-04-09T11:00:00+01:00"),
        # Booked early: day 28 is later.
        ("2026-03-03T09:00:00+00:00", ("booked", "2026-03-27T11:00:00+00:00"), "2026-03-30T23:59:59+01:00"),
        ("2026-03-28T09:00:00+00:00", ("done", None), "2026-03-30T23:59:59+01:00"),
        ("2026-05-01T09:00:00+01:00", (), "2026-03-30T23:59:59+01:00"),
    ],
)
def test_the_watch_closes_at_the_later_of_day_28_and_the_visit(
    now: str, made: tuple[StepProgress, str | None] | tuple[()], until: str
) -> None:
    assert watch(now, *((("W4", *made),) if made else ())) == until


def test_an_open_watch_is_listed_until_its_last_second() -> None:
    done = ("W4", "done", None)
    for now, count in (("2026-03-30T23:59:59+01:00", 1), ("2026-03-31T00:00:00+01:00", 0)):
        found = listed(at(PLAN, now, done), now)
        assert len(found.watches) == count
    assert listed(follow(PLAN), "2026-03-02T10:29:59+00:00").watches == ()
    (open_watch,) = listed(at(PLAN, "2026-03-28T09:00:00+00:00", done), "2026-03-28T09:00:00+00:00").watches
    assert (open_watch.patient, open_watch.until, open_watch.form) == (
        "patient-1",
        "2026-03-30T23:59:59+01:00",
        PLAN.watch_form,
    )


def test_a_plan_without_watch_has_none() -> None:
    plan = PLAN.model_copy(update={"watch_until": None, "watch_form": None})
    assert watch_until(follow(plan), LONDON) is None
    assert watch_until((), LONDON) is None


# -- the sheet --------------------------------------------------------------------------------------------------


def test_the_sheet_says_what_to_do_and_why_in_the_clinics_zone() -> None:
    now = "2026-03-31T08:00:00+00:00"
    no_show = {"en": "Call the patient."}
    plan = schedule(
        inputs(
            schedule_of(
                step("D2", "remote-questionnaire", "P2D", "PT48H", "PT72H", required=True, no_show=no_show),
                step("W4", "visit", "P28D", "P25D", "P31D", closes_watch=True, no_show=no_show),
                step("Q", "visit", "P29D"),
            )
        )
    )
    task = StaffTask(key="t", code="ptosis", title={"en": "See | call"}, due=now, ignores_hours=True)
    found = due_list(
        at(plan, now, ("W4", "booked", "2026-03-31T15:00:00+01:00")),
        clinic=CLINIC,
        now=now,
        zone=LONDON,
        tasks=[OpenTask(patient="patient-1", task=task)],
    )
    sheet = due_sheet(found, "en")
    assert "Tue 31 Mar 2026, 09:00" in sheet
    assert "Europe/London" in sheet
    assert "Its window ended on 2026-03-05 and nothing was recorded." in sheet
    assert "Last: missed, Tue 31 Mar 2026, 09:00, by pore:" in sheet
    assert sheet.count("Call the patient.") == 1
    assert "Tue 31 Mar 2026, 15:00" in sheet
    assert "booked" in sheet
    order = ["See \\| call", "## Missed, required", "## Due", "Red-flag watch open"]
    assert [sheet.index(part) for part in order] == sorted(sheet.index(part) for part in order)


def test_the_sheet_calls_a_late_task_overdue_at_any_hour_and_a_missed_visit_not_booked() -> None:
    plan = schedule(inputs(schedule_of(step("W4", "visit", "P28D", "P25D", "P31D", closes_watch=True))))
    task = StaffTask(key="t", code="ptosis", title={"en": "See"}, due="2026-04-01T08:00:00+00:00", ignores_hours=True)
    now = "2026-04-20T08:00:00+00:00"
    late = due_list(follow(plan), clinic=CLINIC, now=now, zone=LONDON, tasks=[OpenTask(patient="patient-1", task=task)])
    sheet = due_sheet(late, "en")
    assert "**overdue**, at any hour" in sheet
    assert "| not booked |" in sheet
    assert "not yet due" not in sheet
    ahead = due_list(follow(plan), clinic=CLINIC, now="2026-03-10T08:00:00+00:00", zone=LONDON, ahead=60)
    assert "| not yet due |" in due_sheet(ahead, "en")


def test_an_empty_list_says_so() -> None:
    sheet = due_sheet(due_list((), clinic=CLINIC, now="2026-03-31T08:00:00+00:00", zone=LONDON), "en")
    assert "Nothing is due." in sheet
