"""Dated steps: windows, openings, the watch, re-treatment, plug-ins' edits and places, every zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import permutations
from typing import Any
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from follow_up_examples import (
    ANCHOR,
    D0,
    D2,
    STEPS,
    W4,
    W12,
    WEEKDAYS,
    clinic,
    inputs,
    open_always,
    product,
    schedule_of,
    sourced,
    step,
)
from pore_plugin.clinical.durations import load_zone, to_utc
from pore_plugin.clinical.follow_up.calendar import HolidayBook, calendar_for, next_open
from pore_plugin.clinical.follow_up.scheduling import FollowUpInputs, apply_edits, draft, schedule, years_of
from pore_plugin.clinical.follow_up.slots import place_step
from pore_plugin.clinical.keys import record_key
from pore_plugin.contracts import (
    AddStep,
    Calendar,
    Closure,
    FollowUpEdit,
    FollowUpPlan,
    FollowUpStep,
    Hours,
    OpeningHours,
    Pin,
    ProblemsError,
    RecordPin,
    RemoveStep,
    ReplaceStep,
    SetOffset,
)

ALL = frozenset(one.id for one in STEPS)
ZONES = sorted(available_timezones() - {"localtime"})
TEN_YEARS = (datetime(2021, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
BOOK = HolidayBook()


def by_name(plan: FollowUpPlan) -> dict[str, FollowUpStep]:
    return {one.step: one for one in plan.steps}


def closed(*closures: tuple[str, str], years: tuple[int, ...] = (2026,)) -> Calendar:
    return calendar_for(clinic(closures=tuple(Closure(first=a, last=b) for a, b in closures)), years)


def test_the_shipped_steps_come_in_order_with_their_windows() -> None:
    plan = schedule(inputs(requested=ALL))
    assert [(one.step, one.due, one.earliest, one.latest) for one in plan.steps] == [
        ("D0", "2026-03-02T10:50:00+00:00", "2026-03-02T10:45:00+00:00", "2026-03-02T11:00:00+00:00"),
        ("D2", "2026-03-04T10:30:00+00:00", "2026-03-04T10:30:00+00:00", "2026-03-05T10:30:00+00:00"),
        ("W1", "2026-03-09T10:00:00+00:00", "2026-03-06T00:00:00+00:00", "2026-03-12T23:59:59+00:00"),
        ("W2", "2026-03-16T10:30:00+00:00", "2026-03-12T00:00:00+00:00", "2026-03-23T23:59:59+00:00"),
        ("W4", "2026-03-30T10:30:00+01:00", "2026-03-27T00:00:00+00:00", "2026-04-02T23:59:59+01:00"),
        # Monday 25 May is a bank holiday.
        ("W12", "2026-05-26T10:30:00+01:00", "2026-05-18T00:00:00+01:00", "2026-06-01T23:59:59+01:00"),
        ("W16", "2026-06-22T10:00:00+01:00", None, None),
        ("W24", "2026-08-17T10:00:00+01:00", None, None),
    ]
    assert plan.flags == ()
    assert plan.zone == "Europe/London"
    assert plan.anchor == ANCHOR
    assert FollowUpPlan.from_json(plan.to_json()) == plan


def test_a_step_keeps_what_its_schedule_says_about_it() -> None:
    detailed = step(
        "X",
        "visit",
        "P10D",
        form="pore.form.follow-up-review",
        instruments=("pore.instrument.gais",),
        photographs=True,
        no_show={"en": "Call."},
        stop_when=({"en": "All well."},),
        required=True,
        primary_outcome=True,
    )
    (made,) = schedule(inputs(schedule_of(detailed))).steps
    for name in ("kind", "title", "purpose", "instruments", "photographs", "no_show", "stop_when", "required"):
        assert getattr(made, name) == getattr(detailed, name)
    assert made.primary_outcome
    assert made.form is not None
    assert made.form.id == detailed.form


def test_on_request_steps_come_only_when_somebody_asked() -> None:
    assert "W2" not in by_name(schedule(inputs()))
    asked = by_name(schedule(inputs(requested=frozenset({"W2"}))))["W2"]
    assert asked.on_request


def test_a_step_requested_that_does_not_exist_is_flagged() -> None:
    assert any("W9" in flag for flag in schedule(inputs(requested=frozenset({"W9"}))).flags)


def test_a_form_that_does_not_exist_is_flagged() -> None:
    forms: dict[str, Pin] = {}
    flags = schedule(inputs(forms=forms)).flags
    assert len([flag for flag in flags if "form" in flag]) == 3


# Where a step takes place


def test_a_visit_on_a_closed_day_moves_to_the_nearest_open_one_and_says_so() -> None:
    moved = by_name(schedule(inputs(calendar=closed(("2026-03-30", "2026-03-30")))))["W4"]
    assert moved.due == "2026-03-31T10:30:00+01:00", "of two equally near days the later"
    assert [(one.plugin, one.change) for one in moved.changes] == [("pore", "moved")]


def test_a_visit_moves_back_when_nothing_later_in_its_window_is_open() -> None:
    moved = by_name(schedule(inputs(calendar=closed(("2026-03-30", "2026-04-10")))))["W4"]
    assert moved.due == "2026-03-27T10:30:00+00:00"


def test_a_visit_without_an_open_day_in_its_window_keeps_its_offset_and_is_flagged() -> None:
    plan = schedule(inputs(calendar=closed(("2026-03-20", "2026-04-10"))))
    kept = by_name(plan)["W4"]
    assert kept.due == "2026-03-30T10:30:00+01:00"
    assert [one.change for one in kept.changes] == ["kept"]
    assert [flag for flag in plan.flags if "W4" in flag]


def test_a_visit_with_an_open_window_goes_on_looking() -> None:
    free = step("X", "visit", "P28D")
    made = by_name(schedule(inputs(schedule_of(free), calendar=closed(("2026-03-03", "2026-04-20")))))["X"]
    assert made.due == "2026-04-21T10:30:00+01:00"


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        ("2026-03-02T10:47:12+00:00", "2026-03-30T10:45:00+01:00"),
        ("2026-03-02T07:10:00+00:00", "2026-03-30T09:00:00+01:00"),
        ("2026-03-02T19:40:00+00:00", "2026-03-30T16:30:00+01:00"),
    ],
)
def test_a_visit_starts_on_the_quarter_hour_and_half_an_hour_before_closing(ended: str, due: str) -> None:
    assert by_name(schedule(inputs(anchor=ended)))["W4"].due == due


def test_a_visit_in_the_lunch_break_goes_to_the_nearer_half_of_the_day() -> None:
    hours = (Hours(opens="09:00", closes="12:00"), Hours(opens="14:00", closes="17:00"))
    calendar = calendar_for(clinic(hours=OpeningHours(**dict.fromkeys(WEEKDAYS, hours))), [2026])
    due = {
        ended: by_name(schedule(inputs(anchor=f"2026-03-02T{ended}:00+00:00", calendar=calendar)))["W4"].due[11:16]
        for ended in ("12:15", "13:30")
    }
    assert due == {"12:15": "11:30", "13:30": "14:00"}


def test_a_visit_bounded_by_hours_starts_on_the_first_quarter_inside() -> None:
    early = step("X", "visit", "P2D", "PT48H", "PT72H")
    made = by_name(schedule(inputs(schedule_of(early), anchor="2026-03-02T10:37:20+00:00")))["X"]
    assert made.due == "2026-03-04T10:45:00+00:00"


def test_hour_offsets_are_time_that_passes() -> None:
    remote = step("X", "remote-questionnaire", "PT48H", "PT48H", "PT72H")
    made = by_name(schedule(inputs(schedule_of(remote), anchor="2026-03-28T10:37:20+00:00")))["X"]
    assert made.due == "2026-03-30T11:37:20+01:00"


def test_messages_go_out_at_ten_on_any_day_and_never_at_night() -> None:
    remote = (step("X", "remote-questionnaire", "P5D"), step("N", "remote-questionnaire", "PT60H", "PT48H", "PT72H"))
    made = by_name(schedule(inputs(schedule_of(*remote), anchor="2026-03-02T16:00:00+00:00")))
    assert made["X"].due == "2026-03-07T10:00:00+00:00", "a Saturday"
    # 60 hours after 16:00 is four in the morning.
    assert made["N"].due == "2026-03-05T09:00:00+00:00"


def test_staff_tasks_wait_for_staff_where_the_window_allows() -> None:
    free, tight = step("F", "staff-task", "P5D", "P4D", "P9D"), step("T", "staff-task", "P5D", "P5D", "P6D")
    made = by_name(schedule(inputs(schedule_of(free, tight))))
    assert made["F"].due == "2026-03-06T10:00:00+00:00", "the Friday before the weekend"
    assert made["T"].due == "2026-03-07T10:00:00+00:00"


def test_what_happens_on_the_day_of_the_treatment_stays_there() -> None:
    late = by_name(schedule(inputs(anchor="2026-03-02T18:20:00+00:00")))["D0"]
    assert late.due == "2026-03-02T18:40:00+00:00"
    assert late.changes == ()


def test_placing_a_placed_step_again_changes_nothing() -> None:
    for calendar in (closed(), closed(("2026-03-30", "2026-03-30")), closed(("2026-03-20", "2026-04-10"))):
        plan = schedule(inputs(calendar=calendar, requested=ALL))
        for one in plan.steps:
            assert place_step(one, plan, calendar) == one


def test_a_visit_beyond_the_known_holidays_is_flagged() -> None:
    late = step("X", "visit", "P400D")
    assert any("2027" in flag for flag in schedule(inputs(schedule_of(late), calendar=closed())).flags)
    assert years_of(schedule_of(late), ANCHOR) == (2026, 2027)
    assert schedule(inputs(schedule_of(late))).flags == ()


def test_the_years_of_a_schedule_reach_over_new_year_on_both_sides() -> None:
    assert years_of(schedule_of(W4), "2027-01-01T00:30:00+02:00") == (2026, 2027)
    assert years_of(schedule_of(W4), "2026-11-20T10:00:00+00:00") == (2026, 2027)
    assert years_of(schedule_of(step("X", "visit", "PT48H")), "2026-06-20T10:00:00+00:00") == (2026,)


# Watch and re-treatment


@pytest.mark.parametrize(
    ("closures", "until"),
    [
        ((), "2026-03-30T23:59:59+01:00"),
        # W4 moves to the Wednesday, and the watch with it.
        ((("2026-03-30", "2026-03-31"), ("2026-03-27", "2026-03-27")), "2026-04-01T10:30:00+01:00"),
        # W4 moves to the Friday before; day 28 is later.
        ((("2026-03-30", "2026-04-10"),), "2026-03-30T23:59:59+01:00"),
    ],
)
def test_the_watch_closes_at_the_later_of_w4_and_day_28(closures: tuple[tuple[str, str], ...], until: str) -> None:
    plan = schedule(inputs(calendar=closed(*closures)))
    assert plan.watch_until == until
    assert plan.watch_form is not None
    assert plan.watch_form.id == "pore.form.red-flags"


def test_an_unverified_watch_ends_with_the_visit_and_is_flagged_until_the_clinic_accepts_it() -> None:
    suggested = schedule_of(watch=sourced("35", "d", "T"))
    plan = schedule(inputs(suggested))
    assert plan.watch_until == "2026-03-30T10:30:00+01:00"
    assert any("watch" in flag for flag in plan.flags)
    accepted = schedule(inputs(suggested, accepted=("pore.schedule.microtoxin/watch",)))
    assert accepted.watch_until == "2026-04-06T23:59:59+01:00"
    assert accepted.flags == ()


def test_a_schedule_without_a_watch_has_none() -> None:
    bare = schedule_of().model_copy(update={"watch": None, "watch_form": None, "red_flag_card": None})
    plan = schedule(inputs(bare))
    assert (plan.watch_until, plan.watch_form, plan.red_flag_card) == (None, None, None)


@pytest.mark.parametrize(
    ("limits", "day", "unverified"),
    [
        ((("12", "wk", "V"),), "2026-05-25", False),
        ((("90", "d", "V"), ("12", "wk", "V")), "2026-05-31", False),
        ((("3", "mo", "V"),), "2026-06-02", False),
        ((), "2026-06-02", True),
        (((None, "mo", None),), "2026-06-02", True),
        ((("12", "wk", "T"),), "2026-06-02", True),
        # A limit longer than the cautious reading stands, verified.
        ((("6", "mo", "V"), ("12", "wk", "T")), "2026-09-02", False),
    ],
)
def test_retreatment_waits_for_the_latest_limit_of_the_products_own_row(
    limits: tuple[tuple[str | None, str, str | None], ...], day: str, unverified: bool
) -> None:
    plan = schedule(inputs(product=product(*(sourced(*limit) for limit in limits))))
    assert (plan.retreat_not_before, plan.retreat_unverified) == (day, unverified)
    assert plan.retreat_reason
    w12 = by_name(plan)["W12"]
    assert (w12.earliest, w12.latest) == ("2026-05-18T00:00:00+01:00", "2026-06-01T23:59:59+01:00")


def test_nothing_waits_after_a_treatment_without_a_product() -> None:
    plan = schedule(inputs())
    assert (plan.retreat_not_before, plan.retreat_reason, plan.retreat_unverified) == (None, None, False)


def test_the_red_flag_card_names_product_and_lot() -> None:
    card = {"product": "EXAMPLE", "lot": "L1, L2", "emergency": "999", "clinic": "020"}
    plan = schedule(inputs(card=card))
    assert plan.red_flag_card == {"en": "EXAMPLE, lot L1, L2. Emergency: 999. Clinic: 020."}


# Keys


def test_keys_are_those_of_rule_8_and_stay_when_a_step_moves() -> None:
    first, moved = schedule(inputs()), schedule(inputs(calendar=closed(("2026-03-30", "2026-03-30"))))
    assert by_name(first)["W4"].key == record_key("clinic-1", "treatment-1", "W4") == by_name(moved)["W4"].key
    assert by_name(first)["W4"].due != by_name(moved)["W4"].due
    assert first.id == moved.id


def test_a_second_treatment_has_its_own_steps() -> None:
    second = RecordPin(id="treatment-2", digest="sha256:" + "2" * 64)
    plans = [schedule(inputs()), schedule(inputs(treatment=second)), schedule(inputs(clinic="clinic-2"))]
    keys = [key for plan in plans for key in (plan.id, *(one.key for one in plan.steps))]
    assert len(set(keys)) == len(keys)


def test_an_amended_treatment_keeps_the_steps_of_its_first_record() -> None:
    amended = RecordPin(id="treatment-1b", digest="sha256:" + "2" * 64)
    plan = schedule(inputs(treatment=amended, series="treatment-1"))
    assert [one.key for one in plan.steps] == [one.key for one in schedule(inputs()).steps]
    assert plan.treatment.id == "treatment-1b"


# Edits


def set_offset(name: str, offset: str, reason: str = "Earlier is better here.") -> SetOffset:
    return SetOffset(action="set-offset", step=name, offset=offset, reason=reason)


def remove(name: str, reason: str = "Not needed here.") -> RemoveStep:
    return RemoveStep(action="remove", step=name, reason=reason)


def replace(name: str, **changes: Any) -> ReplaceStep:
    old = next(one for one in STEPS if one.id == name)
    return ReplaceStep(action="replace", step=name, with_step=old.model_copy(update=changes), reason="Ours is better.")


def add(name: str = "acme.W6", offset: str = "P42D", **more: Any) -> AddStep:
    return AddStep(action="add", step=step(name, "visit", offset, **more))


def edited(*edits: tuple[str, FollowUpEdit], **more: Any) -> FollowUpPlan:
    return apply_edits(inputs(**more), edits)


def test_a_plugin_adds_moves_replaces_and_removes_with_its_reason() -> None:
    plan = edited(
        ("acme", add()),
        ("acme", set_offset("W12", "P80D")),
        ("other", replace("W1", kind="visit", offset="P8D")),
        ("other", remove("W16")),
    )
    made = by_name(plan)
    assert plan.flags == ()
    assert made["acme.W6"].due == "2026-04-13T10:30:00+01:00"
    assert made["W12"].due == "2026-05-21T10:30:00+01:00"
    assert (made["W1"].kind, made["W1"].due) == ("visit", "2026-03-10T10:30:00+00:00")
    assert made["W16"].state == "cancelled"
    assert {
        name: [(one.plugin, one.change, one.reason) for one in made[name].changes]
        for name in made
        if made[name].changes
    } == {
        "D2": [("pore", "placed", "At an hour of that day at which this can take place.")],
        "acme.W6": [("acme", "added", "our design choice")],
        "W12": [("acme", "moved", "Earlier is better here.")],
        "W1": [("other", "replaced", "Ours is better.")],
        "W16": [("other", "removed", "Not needed here.")],
    }


@pytest.mark.parametrize(
    "edit",
    [
        remove("W4"),
        set_offset("W4", "P24D"),
        set_offset("W4", "P32D"),
        set_offset("W4", "PT10H"),
        set_offset("W4", "P9999Y"),
        replace("W4", required=False),
        replace("W4", latest="P60D"),
        replace("W4", latest="P60D", offset="P59D"),
        replace("W4", earliest=None),
        replace("W4", offset="P40D"),
        replace("W4", offered="on-request"),
        replace("W4", closes_watch=False),
        replace("W4", primary_outcome=False),
        replace("W4", id="acme.W4"),
        remove("D0"),
    ],
    ids=lambda edit: edit.action,
)
def test_a_required_step_cannot_be_dropped_or_leave_its_window(edit: FollowUpEdit) -> None:
    untouched, plan = schedule(inputs()), edited(("acme", edit))
    assert plan.steps == untouched.steps
    assert plan.watch_until == untouched.watch_until
    assert [flag for flag in plan.flags if "acme" in flag and edit.step in flag]  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", [{"earliest": "P80D"}, {"latest": "P90D"}, {}], ids=str)
def test_a_required_step_does_not_move_to_the_open_side_of_its_window(kept: dict[str, str]) -> None:
    needed = step("X", "visit", "P84D", required=True, **kept)
    for offset, fits in (("P82D", "earliest" in kept), ("P86D", "latest" in kept), ("P84D", True), ("P900D", False)):
        replaced = needed.model_copy(update={"offset": offset})
        for edit in (
            set_offset("X", offset),
            ReplaceStep(action="replace", step="X", with_step=replaced, reason="Ours is better."),
        ):
            plan = apply_edits(inputs(schedule_of(needed)), [("acme", edit)])
            assert (plan.flags == ()) is fits, (offset, edit.action)


def test_a_step_that_is_not_required_moves_freely_in_an_open_window() -> None:
    assert by_name(edited(("acme", set_offset("W16", "P26W"))))["W16"].due == "2026-08-31T10:00:00+01:00"


def test_a_required_step_may_move_inside_its_window() -> None:
    plan = edited(("acme", set_offset("W4", "P30D")))
    assert by_name(plan)["W4"].due == "2026-04-01T10:30:00+01:00"
    assert plan.watch_until == "2026-04-01T10:30:00+01:00", "the watch moves with it"


@pytest.mark.parametrize(
    "edit",
    [
        set_offset("W12", "P76D"),
        set_offset("W99", "P10D"),
        remove("W99"),
        add("W12"),
        add(offset="P10D", earliest="P11D"),
        add(earliest="P50D", latest="P40D"),
        add(form="acme.form.nobody-knows"),
        add(primary_outcome=True),
        replace("W12", primary_outcome=True),
        add(offset="P999Y"),
    ],
    ids=lambda edit: edit.action,
)
def test_an_edit_that_cannot_be_made_is_dropped_and_its_author_named(edit: FollowUpEdit) -> None:
    plan = edited(("acme", edit))
    assert plan.steps == schedule(inputs()).steps
    assert len([flag for flag in plan.flags if "acme" in flag]) == 1


def test_conflicting_edits_are_all_dropped_and_all_authors_named() -> None:
    plan = edited(("acme", set_offset("W12", "P80D")), ("other", remove("W12")), ("acme", set_offset("W4", "P29D")))
    made = by_name(plan)
    assert made["W12"] == by_name(schedule(inputs()))["W12"]
    assert made["W4"].due == "2026-03-31T10:30:00+01:00", "the edit that nobody contradicts holds"
    (flag,) = plan.flags
    assert "acme" in flag
    assert "other" in flag
    assert "W12" in flag


def test_a_plugin_that_contradicts_itself_changes_nothing() -> None:
    plan = edited(("acme", set_offset("W12", "P80D")), ("acme", remove("W12")))
    assert by_name(plan)["W12"].state == "planned"
    assert len(plan.flags) == 1


def test_two_plugins_that_add_the_same_step_conflict() -> None:
    plan = edited(("acme", add("x.1")), ("other", add("x.1", "P43D")))
    assert "x.1" not in by_name(plan)
    assert len(plan.flags) == 1


EDITS: tuple[tuple[str, FollowUpEdit], ...] = (
    ("acme", add()),
    ("acme", set_offset("W12", "P80D")),
    ("other", remove("W12")),
    ("other", remove("W16")),
    ("acme", set_offset("W4", "P30D")),
)


@given(st.lists(st.sampled_from(EDITS), max_size=8))
def test_applying_twice_is_applying_once(edits: list[tuple[str, FollowUpEdit]]) -> None:
    assert edited(*edits, *edits) == edited(*edits)


def test_the_order_of_edits_does_not_matter() -> None:
    assert len({edited(*order).to_json() for order in permutations(EDITS)}) == 1


def test_an_edit_of_a_step_nobody_requested_waits_until_somebody_does() -> None:
    edit = ("acme", set_offset("W2", "P12D"))
    assert edited(edit).flags == ()
    assert by_name(edited(edit, requested=frozenset({"W2"})))["W2"].due == "2026-03-13T10:30:00+00:00", (
        "12 days: a Saturday"
    )


def test_a_removed_step_no_longer_closes_the_watch() -> None:
    closing = schedule_of(D0, step("X", "visit", "P40D", closes_watch=True))
    assert apply_edits(inputs(closing), [("acme", remove("X"))]).watch_until == "2026-03-30T23:59:59+01:00"
    assert schedule(inputs(closing)).watch_until == "2026-04-10T10:30:00+01:00", "a Friday"


# Places that plug-ins give


def at(due: str, **more: Any) -> Any:
    def placer(one: FollowUpStep, plan: FollowUpPlan, calendar: Calendar) -> tuple[str, FollowUpStep] | None:
        assert one in plan.steps
        return ("acme", one.model_copy(update={"due": due, **more})) if one.step == "W4" else None

    return placer


def test_a_plugin_places_a_step_inside_its_window() -> None:
    plan = schedule(inputs(), at("2026-04-02T13:00:00+00:00"))
    placed = by_name(plan)["W4"]
    assert placed.due == "2026-04-02T14:00:00+01:00"
    assert [(one.plugin, one.change) for one in placed.changes] == [("acme", "placed")]
    assert plan.watch_until == placed.due
    assert by_name(plan)["W12"] == by_name(schedule(inputs()))["W12"], "the built-in answers where no plug-in does"


@pytest.mark.parametrize(
    ("due", "more"),
    [
        ("2026-04-03T00:00:00+01:00", {}),
        ("2026-03-26T23:59:59+00:00", {}),
        ("2026-03-31T10:30:00+01:00", {"required": False}),
        ("2026-03-31T10:30:00+01:00", {"latest": "2026-06-01T00:00:00+01:00"}),
    ],
)
def test_a_place_outside_the_window_or_with_other_changes_is_dropped(due: str, more: dict[str, Any]) -> None:
    plan = schedule(inputs(), at(due, **more))
    assert by_name(plan)["W4"] == by_name(schedule(inputs()))["W4"]
    assert [flag for flag in plan.flags if "acme" in flag and "W4" in flag]


def test_a_place_outside_opening_hours_is_flagged() -> None:
    plan = schedule(inputs(), at("2026-03-29T10:30:00+01:00"))
    assert by_name(plan)["W4"].due == "2026-03-29T10:30:00+01:00"
    assert [flag for flag in plan.flags if "not open" in flag]


def test_plugins_see_the_plan_before_anything_is_placed() -> None:
    late = inputs(anchor="2026-03-02T19:40:00+00:00")
    assert by_name(draft(late))["W4"].due == "2026-03-30T19:40:00+01:00"
    assert by_name(schedule(late))["W4"].due == "2026-03-30T16:30:00+01:00"
    assert [one.key for one in draft(late).steps] == [one.key for one in schedule(late).steps]


def test_a_plan_past_2199_is_a_problem() -> None:
    far = inputs(schedule_of(step("X", "visit", "P200Y")), calendar=closed())
    with pytest.raises(ProblemsError) as caught:
        draft(far)
    assert [one.code for one in caught.value.problems] == ["time.out_of_range"]


# Every zone, ten years


def anchors(zone: str) -> Iterator[datetime]:
    """Yield treatments through ten years, at hours that clock changes meet as well as at noon."""
    clocks = load_zone(zone)
    for number, hour in enumerate((12, 0, 1, 2, 3, 23, 9)):
        yield datetime(2021 + number * 10 // 7, 1 + number * 5 % 12, 3 + number * 4, hour, 30, tzinfo=clocks)


def in_zone(zone: str, calendar: Calendar, moment: datetime) -> FollowUpInputs:
    anchor = moment.astimezone(UTC).isoformat()
    return inputs(anchor=anchor, date=moment.date().isoformat(), calendar=calendar, requested=ALL)


def holds_its_windows(plan: FollowUpPlan, zone: str) -> None:
    anchor = to_utc(plan.anchor)
    for one in plan.steps:
        due = to_utc(one.due)
        assert anchor < due, (zone, plan.anchor, one.step)
        assert one.earliest is None or to_utc(one.earliest) <= due, (zone, plan.anchor, one.step)
        assert one.latest is None or due <= to_utc(one.latest), (zone, plan.anchor, one.step)
        assert due.astimezone(load_zone(zone)).isoformat() == one.due, (zone, plan.anchor, one.step)


def holds_opening_hours(plan: FollowUpPlan, calendar: Calendar) -> None:
    flagged = " ".join(plan.flags)
    for one in plan.steps:
        if one.kind == "visit":
            open_then = next_open(calendar, one.due) == one.due
            assert open_then or f"visit {one.step} " in flagged, (plan.zone, plan.anchor, one.step)
    assert plan.watch_until is not None
    day_28 = date.fromisoformat(plan.anchor[:10]) + timedelta(28)
    assert plan.watch_until[:10] >= day_28.isoformat()


def test_every_step_is_due_in_its_window_in_every_zone() -> None:
    keys = [one.key for one in schedule(inputs(requested=ALL)).steps]
    for zone in ZONES:
        calendar = open_always(zone)
        for moment in anchors(zone):
            plan = schedule(in_zone(zone, calendar, moment))
            assert sorted(one.key for one in plan.steps) == sorted(keys)
            holds_its_windows(plan, zone)


@cache
def clock_changes(zone: str) -> list[datetime]:
    """The days of ten years, noon to noon in UTC, on which the clocks of a zone change."""
    clocks = load_zone(zone)
    noons = [TEN_YEARS[0] + timedelta(days=day, hours=12) for day in range((TEN_YEARS[1] - TEN_YEARS[0]).days)]
    offsets = [noon.astimezone(clocks).utcoffset() for noon in noons]
    return [noon for noon, before, after in zip(noons, offsets, offsets[1:], strict=False) if before != after]


@st.composite
def treatments(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and the end of a treatment there: any second of ten years, or one whose steps meet a clock change."""
    zone = draw(st.sampled_from(ZONES))
    changes = clock_changes(zone)
    if changes and draw(st.booleans()):
        days = draw(st.sampled_from((0, 2, 7, 14, 28, 84)))
        moment = draw(st.sampled_from(changes)) - timedelta(days=days, seconds=-draw(st.integers(0, 86_400)))
    else:
        moment = TEN_YEARS[0] + timedelta(
            seconds=draw(st.integers(0, int((TEN_YEARS[1] - TEN_YEARS[0]).total_seconds())))
        )
    return zone, moment.astimezone(load_zone(zone))


@cache
def calendar_in(zone: str) -> Calendar:
    return calendar_for(clinic(zone), range(2020, 2033), BOOK)


@settings(max_examples=400)
@given(treatments())
def test_any_treatment_in_any_zone_has_its_steps_in_their_windows(case: tuple[str, datetime]) -> None:
    zone, moment = case
    plan = schedule(in_zone(zone, open_always(zone), moment))
    assert {one.step for one in plan.steps} == {one.id for one in STEPS}
    holds_its_windows(plan, zone)


@settings(max_examples=200)
@given(treatments())
def test_any_visit_in_any_zone_is_in_opening_hours_or_flagged(case: tuple[str, datetime]) -> None:
    zone, moment = case
    holds_opening_hours(schedule(in_zone(zone, calendar_in(zone), moment)), calendar_in(zone))


def test_visits_keep_their_local_time_in_every_zone() -> None:
    shifted = 0
    for zone in ZONES:
        calendar = open_always(zone)
        for moment in anchors(zone):
            made = by_name(draft(in_zone(zone, calendar, moment)))
            start = moment.astimezone(UTC).astimezone(load_zone(zone))
            for name, days in (("W2", 14), ("W4", 28), ("W12", 84)):
                expected = start.replace(tzinfo=None, fold=0) + timedelta(days)
                if made[name].due[:19] != expected.isoformat():
                    # Only a clock change explains it: that local time does not exist.
                    back = expected.replace(tzinfo=load_zone(zone)).astimezone(UTC).astimezone(load_zone(zone))
                    assert back.replace(tzinfo=None, fold=0) != expected, (zone, moment, name)
                    shifted += 1
    assert shifted < len(ZONES)


def test_visits_fall_into_opening_hours_wherever_the_clinic_is() -> None:
    book = HolidayBook()
    for zone in ZONES[::7]:
        calendar = calendar_for(clinic(zone), range(2021, 2033), book)
        for moment in anchors(zone):
            holds_opening_hours(schedule(in_zone(zone, calendar, moment)), calendar)


def test_equal_inputs_give_equal_bytes() -> None:
    one, other = inputs(schedule_of(D0, D2, W4, W12)), inputs(schedule_of(D0, D2, W4, W12))
    assert schedule(one).to_json() == schedule(other).to_json()
