"""The calendar file: read back by a parser that did not write it, silent about the treatment, always the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import icalendar
import pytest
import vobject

from follow_up_examples import STEPS, inputs, open_always, schedule_of, step
from pore_plugin.clinical.durations import instant_of, load_zone, to_utc
from pore_plugin.clinical.follow_up.ical import to_ical
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.contracts import FollowUpPlan

ALL = frozenset(one.id for one in STEPS)
NAME = "Sample Clinic, first floor; left – and a name that is long enough to be folded over two lines"
STAMP = "2026-03-02T11:00:00+00:00"


def plan_in(zone: str = "Europe/London", anchor: str = "2026-03-02T10:30:00+00:00") -> FollowUpPlan:
    return schedule(inputs(anchor=anchor, calendar=open_always(zone), requested=ALL))


def written(plan: FollowUpPlan) -> bytes:
    return to_ical(plan, clinic_name=NAME, stamp=STAMP)


def visits(plan: FollowUpPlan) -> list[tuple[str, datetime]]:
    return [(one.key, to_utc(one.due)) for one in plan.steps if one.kind == "visit"]


def test_vobject_reads_it_back_equal() -> None:
    plan = plan_in()
    events = vobject.readOne(written(plan).decode()).vevent_list
    assert [(one.uid.value, one.dtstart.value.astimezone(UTC)) for one in events] == visits(plan)
    assert len(events) == 3
    for one in events:
        assert one.summary.value == "Clinic appointment"
        assert one.location.value == NAME
        assert one.dtend.value - one.dtstart.value == timedelta(minutes=30)
        assert one.dtstamp.value == to_utc(STAMP)


def test_icalendar_reads_it_back_equal() -> None:
    plan = plan_in("America/New_York")
    calendar = icalendar.Calendar.from_ical(written(plan))
    assert [(str(one["uid"]), one.start.astimezone(UTC)) for one in calendar.events] == visits(plan)
    assert [str(one["summary"]) for one in calendar.events] == ["Clinic appointment"] * 3
    assert not calendar.get_missing_tzids()
    assert (str(calendar["version"]), str(calendar["prodid"])) == ("2.0", "-//pore-plugin//follow-up//EN")


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2026-03-29T01:00:00+00:00"),
        ("Europe/Berlin", "2026-10-25T01:00:00+00:00"),
        ("America/New_York", "2026-03-08T07:00:00+00:00"),
        ("America/New_York", "2026-11-01T06:00:00+00:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-03T15:30:00+00:00"),
        ("Asia/Beirut", "2026-03-28T22:00:00+00:00"),
        ("Asia/Kolkata", "2026-03-29T01:00:00+00:00"),
    ],
)
def test_the_time_zone_it_carries_is_enough_on_its_own(zone: str, change: str) -> None:
    # Under a name that no database knows, a reader has only the VTIMEZONE to go by; a wrong onset shows in the
    # hours around a clock change.
    clocks, unknown = load_zone(zone), f"Unknown/{zone.replace('/', '-')}"
    plan = plan_in(zone)
    one = next(found for found in plan.steps if found.kind == "visit")
    for quarters in (-400, *range(-12, 13), 400):
        moment = to_utc(change) + quarters * timedelta(minutes=15)
        moved = one.model_copy(update={"due": instant_of(moment, clocks)})
        alone = written(plan.model_copy(update={"steps": (moved,)})).decode().replace(zone, unknown)
        (event,) = vobject.readOne(alone).vevent_list
        assert event.dtstart.value.astimezone(UTC) == moment, quarters


def test_every_zone_gives_a_file_that_reads_back_equal() -> None:
    for zone in sorted(available_timezones() - {"localtime"})[::9]:
        plan = plan_in(zone)
        calendar = icalendar.Calendar.from_ical(written(plan))
        assert [(str(one["uid"]), one.start.astimezone(UTC)) for one in calendar.events] == visits(plan), zone


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert written(plan_in()) == written(plan_in())


def test_lines_are_folded_and_end_as_the_standard_says() -> None:
    lines = written(plan_in()).split(b"\r\n")
    assert lines[-1] == b""
    assert max(len(line) for line in lines) <= 75
    assert not any(b"\n" in line for line in lines)


def test_it_says_nothing_about_treatment_product_or_patient() -> None:
    telling = step("X", "visit", "P28D", title={"en": "Toxin review"}, purpose={"en": "Pores after toxin."})
    data = to_ical(schedule(inputs(schedule_of(telling))), clinic_name="Clinic", stamp=STAMP).decode().lower()
    for word in ("toxin", "pores", "patient-1", "treatment-1", "review", "microtoxin"):
        assert word not in data
    assert "begin:vevent" in data


def test_only_visits_to_come_are_in_it() -> None:
    plan = plan_in()
    cancelled = tuple(one.model_copy(update={"state": "cancelled"}) if one.step == "W2" else one for one in plan.steps)
    names = {one.key: one.step for one in plan.steps}
    data = icalendar.Calendar.from_ical(written(plan.model_copy(update={"steps": cancelled})))
    assert [names[str(one["uid"])] for one in data.events] == ["W4", "W12"]


def test_a_visit_on_the_day_of_the_treatment_is_left_out() -> None:
    plan = schedule(inputs(schedule_of(step("X", "visit", "PT20M"))))
    assert icalendar.Calendar.from_ical(written(plan)).events == []


def test_the_second_pass_of_an_hour_is_written_in_utc() -> None:
    plan = plan_in("America/New_York")
    one = next(found for found in plan.steps if found.kind == "visit")
    for due, line in (
        ("2026-11-01T01:30:00-04:00", "DTSTART;TZID=America/New_York:20261101T013000"),
        ("2026-11-01T01:30:00-05:00", "DTSTART:20261101T063000Z"),
    ):
        moved = plan.model_copy(update={"steps": (one.model_copy(update={"due": due}),)})
        assert line in written(moved).decode().splitlines()
