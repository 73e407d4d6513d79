"""When a clinic is open, and its public holidays."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import holidays
import pytest

from follow_up_examples import WEEKDAYS, clinic, open_always
from pore_plugin.clinical.durations import to_utc
from pore_plugin.clinical.follow_up.calendar import (
    HolidayBook,
    calendar_for,
    next_open,
    open_hours,
)
from pore_plugin.contracts import Calendar, Closure, Hours, OpeningHours, ProblemsError

LONDON = calendar_for(clinic(), [2026])


def test_holidays_are_those_of_the_country_and_its_part() -> None:
    scotland = calendar_for(clinic(subdivision="SCT"), [2026])
    assert "2026-04-06" in LONDON.holidays, "Easter Monday is a holiday in England"
    assert "2026-04-06" not in scotland.holidays
    assert "2026-01-02" in scotland.holidays


def test_the_calendar_has_the_years_that_were_asked_for_once_each_in_order() -> None:
    calendar = calendar_for(clinic(), [2027, 2026, 2027])
    assert {day[:4] for day in calendar.holidays} == {"2026", "2027"}
    assert list(calendar.holidays) == sorted(set(calendar.holidays))


@pytest.mark.parametrize(
    ("more", "pointer"), [({"country": "XX"}, "/country"), ({"country": "GB", "subdivision": "ZZ"}, "/subdivision")]
)
def test_a_country_or_part_without_known_holidays_is_a_problem(more: dict[str, str], pointer: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        calendar_for(clinic(**more), [2026])
    assert [(one.code, one.pointer) for one in caught.value.problems] == [("clinic.no_holidays", pointer)]


def test_an_unknown_zone_is_a_problem() -> None:
    with pytest.raises(ProblemsError) as caught:
        calendar_for(clinic(zone="Mars/Olympus"), [2026])
    assert [one.code for one in caught.value.problems] == ["zone.unknown"]


def test_a_book_looks_every_year_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = holidays.country_holidays

    def counted(country: str, subdiv: str | None = None, years: int | None = None) -> holidays.HolidayBase:
        asked.append((country, subdiv, years))
        return real(country, subdiv=subdiv, years=years)

    monkeypatch.setattr(holidays, "country_holidays", counted)
    book = HolidayBook()
    for years in ([2026], [2026, 2027], [2027]):
        calendar_for(clinic(), years, book)
    assert asked == [("GB", "ENG", 2026), ("GB", "ENG", 2027)]


def test_the_holiday_library_is_imported_only_when_it_is_asked() -> None:
    code = """
import sys, pore_plugin.clinical.follow_up.calendar, pore_plugin.clinical.follow_up.ical
print({"holidays", "icalendar"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "set()\n"


def is_open(calendar: Calendar, instant: str) -> bool:
    opening = next_open(calendar, instant)
    return opening is not None and to_utc(opening) == to_utc(instant)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2026-03-02T09:00:00+00:00", True),
        ("2026-03-02T08:59:59+00:00", False),
        ("2026-03-02T16:59:59+00:00", True),
        ("2026-03-02T17:00:00+00:00", False),
        # The same wall hours in summer, an hour earlier in UTC, and seen from another zone.
        ("2026-06-01T08:00:00+00:00", True),
        ("2026-06-01T16:00:00+00:00", False),
        ("2026-06-01T18:30:00+10:00", True),
        ("2026-03-07T12:00:00+00:00", False),
        ("2026-04-03T12:00:00+01:00", False),
    ],
)
def test_open_is_by_the_clock_on_the_wall(instant: str, expected: bool) -> None:
    assert is_open(LONDON, instant) is expected


def test_closures_hold_from_their_first_to_their_last_day() -> None:
    calendar = calendar_for(clinic(closures=(Closure(first="2026-03-03", last="2026-03-04"),)), [2026])
    days = [date(2026, 3, day) for day in range(2, 7)]
    assert [bool(open_hours(calendar, day)) for day in days] == [True, False, False, True, True]
    assert open_hours(calendar, days[1]) == ()


@pytest.mark.parametrize(
    ("instant", "opening"),
    [
        ("2026-03-02T12:00:00+00:00", "2026-03-02T12:00:00+00:00"),
        ("2026-03-02T07:00:00+00:00", "2026-03-02T09:00:00+00:00"),
        ("2026-03-02T13:00:00+00:00", "2026-03-02T14:00:00+00:00"),
        # Good Friday to Easter Monday, and the clocks have gone forward.
        ("2026-04-02T18:00:00+01:00", "2026-04-07T09:00:00+01:00"),
        ("2026-03-27T18:00:00+00:00", "2026-03-30T09:00:00+01:00"),
    ],
)
def test_the_next_opening(instant: str, opening: str) -> None:
    # Written in the wrong order on purpose: the order of the stretches does not matter.
    day = (Hours(opens="14:00", closes="17:00"), Hours(opens="09:00", closes="13:00"))
    calendar = calendar_for(clinic(hours=OpeningHours(**dict.fromkeys(WEEKDAYS, day))), [2026])
    assert next_open(calendar, instant) == opening


def test_a_clinic_that_is_closed_for_years_has_no_next_opening() -> None:
    calendar = calendar_for(clinic(closures=(Closure(first="2026-01-01", last="2030-01-01"),)), [2026])
    assert next_open(calendar, "2026-03-02T12:00:00+00:00") is None


def test_hours_that_a_clock_change_skips_open_after_the_gap() -> None:
    night = (Hours(opens="01:30", closes="02:30"),)
    calendar = open_always("Europe/London").model_copy(
        update={"hours": OpeningHours(sunday=night), "holidays": ()},
    )
    assert is_open(calendar, "2026-03-22T01:45:00+00:00")
    # 01:30 does not exist on 29 March: it is 02:30 then, when the clinic closes.
    assert not is_open(calendar, "2026-03-29T02:30:00+01:00")


def test_a_day_that_the_zone_skipped_is_not_open() -> None:
    apia = open_always("Pacific/Apia")
    assert next_open(apia, "2011-12-29T23:59:30-10:00") == "2011-12-31T00:00:00+14:00"
