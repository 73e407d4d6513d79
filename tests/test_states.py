"""Follow-up states: every move, every refusal, and where a step stands on the clocks of every zone."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from follow_up_examples import ANCHOR, inputs, open_always, schedule_of, step
from pore_plugin.clinical.durations import end_of_day, instant_of, load_zone, local_date, start_of_day, to_utc
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.clinical.follow_up.standing import FINAL, days_overdue, standing, window_of
from pore_plugin.clinical.follow_up.states import (
    MOVES,
    StepState,
    advance,
    allowed,
    draw_move,
    follow,
    moved,
    superseding,
)
from pore_plugin.contracts import FollowUpMove, FollowUpPlan, FollowUpStep, Mover, Problem, ProblemsError, StepProgress
from pore_plugin.validation import check

LONDON = "Europe/London"
NURSE = Mover(kind="person", id="nurse-example")
HOST = Mover(kind="host", id="sample-host")
RULE = Mover(kind="plug-in", id="pore")
MOVERS = {"person": NURSE, "host": HOST, "plug-in": RULE}
STATES: tuple[StepProgress, ...] = get_args(StepProgress)
KINDS = ("visit", "remote-questionnaire", "staff-task")
NEVER = {("booked", "staff-task"), ("sent", "visit"), ("sent", "staff-task")}
LATER = "2026-03-31T09:00:00+01:00"
ZONES = sorted(name for name in available_timezones() if name not in ("localtime", "posixrules"))
SECOND = timedelta(seconds=1)
RANK = {"upcoming": 0, "due": 1, "overdue": 2, "missed": 3}
PLAN = schedule(inputs())


def state_of(name: str, plan: FollowUpPlan = PLAN, *moves: FollowUpMove) -> StepState:
    return next(one for one in follow(plan, moves) if one.dated.step == name)


def after(state: StepState, to: StepProgress, by: Mover = NURSE, **more: Any) -> StepState:
    """The step after a move that must be allowed."""
    found = moved(state, draw(state, to, by, **more))
    assert isinstance(found, StepState), found.code
    return found


def draw(state: StepState, to: StepProgress, by: Mover = NURSE, **more: Any) -> FollowUpMove:
    return draw_move(state, to, **{"at": LATER, "by": by, "reason": "As reported.", **more})


def refusal(state: StepState, move: FollowUpMove) -> Problem:
    found = moved(state, move)
    assert isinstance(found, Problem)
    return found


def in_state(state: StepProgress, kind: str) -> StepState:
    """A step of this kind in this state, brought there by the fewest moves a person may make."""
    plan = schedule(inputs(schedule_of(step("S", kind, "P28D", "P25D", "P31D"))))
    start = state_of("S", plan)
    paths: list[StepState] = [start]
    for found in paths:
        if found.state == state:
            return found
        if len(found.moves) < 3:
            paths += [after(found, to, due=LATER if to in ("planned", "booked") else None) for to in allowed(found)]
    raise LookupError("no step of this kind comes into this state")


def at(day: str, zone: str = LONDON, *, last: bool = False) -> str:
    clocks = load_zone(zone)
    date = datetime.fromisoformat(day).date()
    return instant_of(end_of_day(date, clocks) if last else start_of_day(date, clocks), clocks)


# -- which moves there are --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", MOVERS)
@pytest.mark.parametrize(
    ("state", "kind"),
    [pair for pair in itertools.product(STATES, KINDS) if pair not in NEVER],
)
def test_each_move_is_made_or_refused_with_what_is_allowed(state: StepProgress, kind: str, by: str) -> None:
    found = in_state(state, kind)
    can = allowed(found, by)
    assert set(can) <= set(MOVES[state])
    for to in STATES:
        needs_time = to in ("planned", "booked") or (to, state) == ("sent", "missed")
        move = draw(found, to, MOVERS[by], due=LATER if needs_time else None)
        result = moved(found, move)
        if to in can:
            assert isinstance(result, StepState)
            assert (result.state, result.step.state, result.moves[-1]) == (to, to, move)
        else:
            assert isinstance(result, Problem)
            assert result.code == ("move.mover" if to in allowed(found) else "move.not_allowed")
            if result.code == "move.not_allowed" and state not in FINAL:
                assert all(one in result.next_step for one in allowed(found))


def test_the_states_of_the_table_are_those_of_a_step() -> None:
    assert set(MOVES) == set(STATES) == set(get_args(FollowUpStep.model_fields["state"].annotation))


def test_final_states_have_no_way_out_and_every_other_state_has() -> None:
    assert {state for state in STATES if not MOVES[state]} == FINAL


@pytest.mark.parametrize(
    ("kind", "bookable", "sendable"),
    [("visit", True, False), ("remote-questionnaire", True, True), ("staff-task", False, False)],
)
def test_only_what_can_be_booked_or_sent_is(kind: str, bookable: bool, sendable: bool) -> None:
    can = allowed(in_state("due", kind))
    assert ("booked" in can, "sent" in can) == (bookable, sendable)


@pytest.mark.parametrize("by", ["host", "plug-in"])
def test_that_a_step_is_not_needed_is_said_by_a_person(by: str) -> None:
    due = after(state_of("W4"), "due", RULE)
    assert refusal(due, draw(due, "cancelled", MOVERS[by])).code == "move.mover"
    assert after(due, "cancelled").state == "cancelled"


def test_a_rule_takes_nothing_away_from_an_appointment() -> None:
    booked = after(state_of("W4"), "booked", HOST, due=LATER)
    assert refusal(booked, draw(booked, "missed", RULE)).code == "move.mover"
    assert after(booked, "missed", HOST).state == "missed"


# -- times ------------------------------------------------------------------------------------------------------


def test_a_booking_gives_a_time_and_says_whether_it_lies_in_the_window() -> None:
    w4 = state_of("W4")
    inside, outside = (draw(w4, "booked", due=due) for due in (LATER, "2026-04-20T10:00:00+01:00"))
    assert (inside.within_window, outside.within_window) == (True, False)
    assert after(w4, "booked", due=LATER).step.due == LATER
    assert refusal(w4, outside.model_copy(update={"within_window": True})).code == "move.window"


@pytest.mark.parametrize(("to", "code"), [("booked", "move.due_needed"), ("planned", "move.due_needed")])
def test_a_new_time_is_asked_for(to: StepProgress, code: str) -> None:
    assert refusal(state_of("W4"), draw(state_of("W4"), to)).code == code


def test_done_keeps_its_time_and_nothing_is_planned_before_the_treatment() -> None:
    w4 = state_of("W4")
    assert refusal(w4, draw(w4, "done", due=LATER)).code == "move.due_unwanted"
    assert refusal(w4, draw(w4, "booked", due="2026-03-01T10:00:00+00:00")).code == "move.before_treatment"


def test_a_booking_that_falls_through_leaves_the_step_at_the_time_it_had() -> None:
    w4 = state_of("W4")
    moved_on = after(w4, "planned", due="2026-04-01T10:00:00+01:00")
    booked = after(moved_on, "booked", due="2026-04-02T15:00:00+01:00")
    booked = after(booked, "booked", HOST, due="2026-04-02T16:00:00+01:00")
    fallen = after(booked, "due", HOST)
    assert (fallen.state, fallen.due) == ("due", "2026-04-01T10:00:00+01:00")


def test_a_missed_step_is_taken_up_again_with_a_new_time() -> None:
    missed = after(after(state_of("D2"), "due"), "missed", RULE)
    assert refusal(missed, draw(missed, "sent", HOST)).code == "move.due_needed"
    assert after(missed, "sent", HOST, due=LATER).due == LATER
    assert after(missed, "done", HOST).state == "done"


# -- corrections ------------------------------------------------------------------------------------------------


def test_a_correction_takes_the_latest_move_back_and_is_kept_beside_it() -> None:
    booked = after(state_of("W4"), "booked", due=LATER)
    done = after(booked, "done", HOST)
    wrong = done.moves[-1]
    back = after(done, "booked", corrects=wrong.id, reason="Another patient came.")
    assert (back.state, back.due) == ("booked", LATER)
    assert [move.to_state for move in back.moves] == ["booked", "done", "booked"]
    further = after(back, "planned", corrects=booked.moves[-1].id)
    assert (further.state, further.due) == ("planned", state_of("W4").due)
    assert follow(PLAN, further.moves) == follow(PLAN, reversed(further.moves))
    assert state_of("W4", PLAN, *further.moves) == further


def test_what_cannot_be_taken_back() -> None:
    booked = after(state_of("W4"), "booked", due=LATER)
    done = after(booked, "done")
    first, last = done.moves
    assert refusal(done, draw(done, "planned", corrects=first.id)).code == "move.not_correctable"
    assert refusal(done, draw(done, "booked", corrects=first.id)).code == "move.not_correctable"
    assert refusal(done, draw(done, "due", corrects=last.id)).code == "move.not_correctable"
    by_rule = after(state_of("D2"), "due", RULE)
    found = refusal(by_rule, draw(by_rule, "planned", corrects=by_rule.moves[-1].id))
    assert (found.code, found.sentence) == ("move.not_correctable", "A rule made this move and would make it again.")
    assert refusal(state_of("D2"), draw(state_of("D2"), "planned", corrects="none")).code == "move.not_correctable"


@pytest.mark.parametrize("by", [HOST, RULE])
def test_only_a_person_takes_a_move_back(by: Mover) -> None:
    done = after(state_of("W4"), "done")
    with pytest.raises(ProblemsError) as caught:
        check(FollowUpMove, {**draw(done, "planned").to_document(), "by": by.to_document(), "corrects": "x"})
    assert caught.value.problems[0].code == "move.correction"


# -- reports that come twice, late, or for something else ---------------------------------------------------------


def test_a_report_that_comes_twice_changes_nothing() -> None:
    w1 = state_of("W1")
    move = draw(w1, "sent", HOST)
    sent = moved(w1, move)
    assert isinstance(sent, StepState)
    assert moved(sent, check(FollowUpMove, move.to_document()).model) is sent
    other = move.model_copy(update={"reason": "Something else."})
    assert refusal(sent, other).code == "move.id_used"


def test_a_move_from_a_state_that_is_past_is_stale() -> None:
    w1 = state_of("W1")
    done = after(w1, "done")
    found = refusal(done, draw(w1, "sent", HOST))
    assert (found.code, found.pointer) == ("move.stale", "/from_state")
    assert "it is done after 1 moves" in found.sentence


def test_of_two_bookings_made_at_once_the_second_is_stale() -> None:
    booked = after(state_of("W4"), "booked", due=LATER)
    one, other = (draw(booked, "booked", due=LATER, move_id=name) for name in ("one", "other"))
    rebooked = moved(booked, one)
    assert isinstance(rebooked, StepState)
    assert refusal(rebooked, other).code == "move.stale"


def test_a_move_of_another_step_is_refused() -> None:
    assert refusal(state_of("W1"), draw(state_of("W4"), "done")).code == "move.other_step"


def test_moves_that_do_not_follow_from_each_other_are_all_named() -> None:
    sent, done = draw(state_of("W1"), "sent", HOST), draw(state_of("W4"), "done")
    with pytest.raises(ProblemsError) as caught:
        follow(PLAN, [sent, sent.model_copy(update={"id": "again"}), done, draw(state_of("W4"), "cancelled")])
    assert [(one.code, one.pointer) for one in caught.value.problems] == [
        ("move.stale", "/1/from_state"),
        ("move.stale", "/3/from_state"),
    ]


def test_a_plan_made_anew_keeps_its_moves_and_supersedes_what_it_lacks() -> None:
    sent, done = draw(state_of("D2"), "sent", HOST), draw(state_of("D0"), "done")
    anew = PLAN.model_copy(update={"steps": tuple(one for one in PLAN.steps if one.step not in ("D0", "W12"))})
    said = superseding(follow(PLAN, [sent, done]), anew, at=LATER, by=RULE, reason="The record was amended.")
    assert [(move.to_state, move.key) for move in said] == [("superseded", state_of("W12").dated.key)]
    assert state_of("D2", anew, sent, done, *said).state == "sent"
    assert state_of("W12", PLAN, sent, done, *said).state == "superseded"


def test_moves_are_keyed_by_clinic_step_and_number() -> None:
    first, again = (draw(state_of("W1"), "due", RULE, at=when) for when in (LATER, ANCHOR))
    assert first.id == again.id
    sent = after(state_of("W1"), "sent", HOST)
    ids = {first.id, draw(state_of("W4"), "due").id, draw(state_of("W1"), "done").id, draw(sent, "sent", HOST).id}
    assert len(ids) == 4


# -- standing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "now", "stands", "late"),
    [
        ("D2", "2026-03-04T10:29:59+00:00", "upcoming", 0),
        ("D2", "2026-03-04T10:30:00+00:00", "due", 0),
        ("D2", "2026-03-04T23:59:59+00:00", "due", 0),
        ("D2", "2026-03-05T00:00:00+00:00", "overdue", 1),
        # 72 hours end at 10:30; the patient has the whole of that day.
        ("D2", "2026-03-05T23:59:59+00:00", "overdue", 1),
        ("D2", "2026-03-06T00:00:00+00:00", "missed", 2),
        ("W4", "2026-03-26T23:59:59+00:00", "upcoming", 0),
        ("W4", "2026-03-27T00:00:00+00:00", "due", 0),
        ("W4", "2026-03-30T23:59:59+01:00", "due", 0),
        ("W4", "2026-03-31T00:00:00+01:00", "overdue", 1),
        ("W4", "2026-04-02T23:59:59+01:00", "overdue", 3),
        ("W4", "2026-04-03T00:00:00+01:00", "missed", 4),
        # An open window: nobody but a person says that it was missed.
        ("W16", "2026-06-22T09:59:59+01:00", "upcoming", 0),
        ("W16", "2026-06-22T10:00:00+01:00", "due", 0),
        ("W16", "2028-06-22T10:00:00+01:00", "overdue", 731),
    ],
)
def test_where_a_step_stands(name: str, now: str, stands: str, late: int) -> None:
    found = state_of(name).step
    assert standing(found, now, LONDON) == stands
    assert days_overdue(found, now, LONDON) == late


def test_a_booked_visit_is_due_on_its_day_and_never_missed_by_itself() -> None:
    booked = after(state_of("W4"), "booked", due="2026-04-01T16:00:00+01:00").step
    days = ["2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02", "2026-08-01"]
    assert [standing(booked, at(day), LONDON) for day in days] == ["upcoming", "upcoming", "due", "overdue", "overdue"]


def test_a_step_moved_past_its_window_is_missed_after_its_own_day() -> None:
    late = after(state_of("W4"), "planned", due="2026-04-20T10:00:00+01:00").step
    assert standing(late, at("2026-04-20", last=True), LONDON) == "due"
    assert standing(late, at("2026-04-21"), LONDON) == "missed"


def test_what_was_sent_early_waits_for_its_answer() -> None:
    assert standing(after(state_of("W1"), "sent", HOST).step, ANCHOR, LONDON) == "due"


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_final_is_closed(state: StepProgress) -> None:
    assert standing(after(state_of("W4"), state).step, "2027-01-01T00:00:00+00:00", LONDON) == "closed"


def test_required_optional_and_requested_steps_stand_alike() -> None:
    shapes = [{"required": True}, {}, {"offered": "on-request"}]
    steps = [step(f"S{n}", "visit", "P14D", "P10D", "P21D", **shape) for n, shape in enumerate(shapes)]
    plan = schedule(inputs(schedule_of(*steps), requested=frozenset({"S2"})))
    for day in range(1, 32):
        now = at(f"2026-03-{day:02}")
        assert len({standing(one, now, LONDON) for one in plan.steps}) == 1


def test_a_local_day_is_over_to_the_second_in_every_zone() -> None:
    steps = [step(f"S{n}", "remote-questionnaire", f"P{n}D", None, f"P{n + 2}D") for n in (7, 28, 111, 223)]
    for zone in ZONES:
        clocks = load_zone(zone)
        for one in schedule(inputs(schedule_of(*steps), calendar=open_always(zone))).steps:
            over = end_of_day(local_date(one.due, clocks), clocks)
            assert one.latest is not None
            last = to_utc(one.latest)
            moments = [over, over + SECOND, last, last + SECOND]
            stands = [standing(one, instant_of(moment, clocks), zone) for moment in moments]
            assert stands == ["due", "overdue", "overdue", "missed"], zone


MOMENTS = st.integers(631152000, 2208988800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""From 1990 to 2040."""


@st.composite
def cases(draw_one: st.DrawFn) -> tuple[StepState, str]:
    zone = draw_one(st.sampled_from(ZONES))
    anchor = instant_of(draw_one(MOMENTS), ZoneInfo(zone))
    days = draw_one(st.integers(0, 400))
    window = draw_one(st.sampled_from([(None, None), (3, 3), (0, 0), (None, 9), (5, None)]))
    made = step(
        "S",
        draw_one(st.sampled_from(KINDS)),
        f"P{days}D",
        None if window[0] is None else f"P{max(0, days - window[0])}D",
        None if window[1] is None else f"P{days + window[1]}D",
    )
    plan = schedule(inputs(schedule_of(made), anchor=anchor, calendar=open_always(zone)))
    return state_of("S", plan), zone


@given(cases(), st.lists(st.integers(-5 * 86400, 40 * 86400), min_size=2, max_size=6), st.data())
def test_time_only_brings_a_step_on_in_every_zone(
    case: tuple[StepState, str], offsets: list[int], data: st.DataObject
) -> None:
    start, zone = case
    clocks = load_zone(zone)
    path = [start]
    for to in ("due", "booked", "sent"):
        if to in allowed(path[-1]) and data.draw(st.booleans()):
            path.append(after(path[-1], to, due=path[-1].due if to == "booked" else None))
    now = [instant_of(to_utc(start.due) + timedelta(seconds=offset), clocks) for offset in sorted(offsets)]
    ranks = [RANK[standing(path[-1].step, moment, zone)] for moment in now]
    assert ranks == sorted(ranks)
    for moment in now:
        late = days_overdue(path[-1].step, moment, zone)
        assert (late > 0) == (to_utc(moment) > end_of_day(local_date(path[-1].due, clocks), clocks))


@given(cases(), st.integers(-5 * 86400, 40 * 86400), st.booleans())
def test_advancing_agrees_with_standing_and_is_done_once(case: tuple[StepState, str], offset: int, sent: bool) -> None:
    state, zone = case
    if sent and "sent" in allowed(state):
        state = after(state, "sent", HOST)
    now = instant_of(to_utc(state.due) + timedelta(seconds=offset), load_zone(zone))
    made = advance([state], now, zone)
    assert made == advance([state], now, zone)
    for move in made:
        check(FollowUpMove, move.to_document())
        assert move.reason
        result = moved(state, move)
        assert isinstance(result, StepState)
        state = result
    assert advance([state], now, zone) == ()
    expected = {"upcoming": ("planned",), "due": ("due", "sent"), "overdue": ("due", "sent"), "missed": ("missed",)}
    assert state.state in expected[standing(state.step, now, zone)]


def test_time_makes_due_and_missed_with_its_reason() -> None:
    sent = after(state_of("D2"), "sent", HOST)
    steps = [state_of("W4"), sent, state_of("W16"), after(state_of("W12"), "booked", due=LATER)]
    made = advance(steps, "2026-04-03T00:00:00+01:00", LONDON)
    assert [(move.to_state, move.by, move.reason) for move in made] == [
        ("due", RULE, "Its window is open and nothing is booked."),
        ("missed", RULE, "Its window ended on 2026-04-02 and nothing was recorded."),
        ("missed", RULE, "Its window ended on 2026-03-05 and no answer was recorded."),
    ]


def test_a_skipped_day_is_over_before_it_began() -> None:
    """Samoa had no 30 December 2011: what was due then is due on the 31st."""
    zone = "Pacific/Apia"
    anchor = "2011-12-23T09:00:00-10:00"
    plan = schedule(inputs(schedule_of(step("S", "visit", "P7D")), anchor=anchor, calendar=open_always(zone)))
    (found,) = plan.steps
    assert found.due[:10] == "2011-12-31"
    opens, closes = window_of(found, load_zone(zone))
    assert (instant_of(opens, load_zone(zone)), closes) == ("2011-12-31T00:00:00+14:00", None)
    assert standing(found, "2011-12-29T23:59:59-10:00", zone) == "upcoming"
    assert standing(found, "2011-12-31T23:59:59+14:00", zone) == "due"
    assert days_overdue(found, "2012-01-01T00:00:00+14:00", zone) == 1


def test_a_day_that_is_over_stays_over_when_the_clocks_go_back_into_it() -> None:
    """At 00:01 on 7 November 2010 the clocks of St John's went back to 23:01 of the 6th."""
    zone = "America/St_Johns"
    anchor = "2010-10-30T09:00:00-02:30"
    plan = schedule(inputs(schedule_of(step("S", "visit", "P7D")), anchor=anchor, calendar=open_always(zone)))
    (found,) = plan.steps
    assert standing(found, "2010-11-06T23:59:59-02:30", zone) == "due"
    for now in ("2010-11-07T00:00:00-02:30", "2010-11-06T23:30:00-03:30", "2010-11-07T00:30:00-03:30"):
        assert (standing(found, now, zone), days_overdue(found, now, zone)) == ("overdue", 1)


def test_no_repr_shows_a_patient() -> None:
    assert PLAN.patient not in repr(state_of("W4"))
