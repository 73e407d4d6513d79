"""Durations on the clinic's clocks: month ends, gaps, folds, odd offsets."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.clinical.durations import (
    add_local,
    add_to_date,
    end_of_day,
    instant_of,
    load_zone,
    local_date,
    parse_duration,
    start_of_day,
    to_utc,
)
from pore_plugin.contracts import ProblemsError, StaffTask

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = sorted(available_timezones() - {"localtime"})


def as_contract(instant: str) -> str:
    """Have the contract itself read the instant."""
    return StaffTask(key="k", code="c", title={"en": "t"}, due=instant, ignores_hours=True).due


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("P0D", 0, "D"),
        ("P14D", 14, "D"),
        ("P12W", 12, "W"),
        ("P3M", 3, "M"),
        ("P1Y", 1, "Y"),
        ("PT48H", 48, "h"),
        ("PT30M", 30, "min"),
    ],
)
def test_reads_every_unit(text: str, amount: int, unit: str) -> None:
    assert parse_duration(text) == (amount, unit)
    assert parse_duration(text).clock is (unit in ("h", "min"))


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "14D", "P-1D", "P1DT2H", "PT2D", "PT3W", "P2H", "PT1S", "P1.5D", "P\u0661D", "P1D\n", "P 1D"],
)
def test_refuses_what_is_not_one_component(text: str) -> None:
    with pytest.raises(ValueError, match="one component"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-31", "P1M", "2026-02-28"),
        ("2027-11-30", "P3M", "2028-02-29"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2026-12-31", "P2M", "2027-02-28"),
        ("2026-03-02", "P84D", "2026-05-25"),
        ("2026-03-02", "P12W", "2026-05-25"),
        ("2026-03-02", "P0D", "2026-03-02"),
    ],
)
def test_months_end_on_their_last_day(start: str, duration: str, end: str) -> None:
    assert add_to_date(date.fromisoformat(start), duration).isoformat() == end


def test_hours_are_not_added_to_a_date() -> None:
    with pytest.raises(ValueError, match="instant"):
        add_to_date(date(2026, 1, 1), "PT48H")


def test_days_are_not_time_that_passes() -> None:
    with pytest.raises(ValueError, match="fixed length"):
        _ = parse_duration("P2D").elapsed


def test_days_keep_the_time_on_the_wall_through_a_clock_change() -> None:
    assert add_local("2026-03-02T10:30:00+00:00", "P28D", LONDON) == "2026-03-30T10:30:00+01:00"


def test_hours_pass_through_a_clock_change() -> None:
    assert add_local("2026-03-28T10:30:00+00:00", "PT48H", LONDON) == "2026-03-30T11:30:00+01:00"


def test_a_gap_moves_forward_by_the_gap() -> None:
    assert add_local("2026-03-07T02:30:00-05:00", "P1D", NEW_YORK) == "2026-03-08T03:30:00-04:00"


def test_a_fold_is_its_first_occurrence() -> None:
    assert add_local("2026-10-31T01:30:00-04:00", "P1D", NEW_YORK) == "2026-11-01T01:30:00-04:00"


def test_counting_from_the_second_pass_of_a_fold_keeps_its_wall_time() -> None:
    assert add_local("2026-11-01T01:30:00-05:00", "P1D", NEW_YORK) == "2026-11-02T01:30:00-05:00"
    assert add_local("2026-11-01T01:30:00-05:00", "P0D", NEW_YORK) == "2026-11-01T01:30:00-05:00"


def test_a_day_that_a_zone_skipped_becomes_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert add_local("2011-12-29T10:00:00-10:00", "P1D", apia) == "2011-12-31T10:00:00+14:00"


def test_an_instant_of_another_zone_is_read_on_the_clocks_of_this_one() -> None:
    assert add_local("2026-06-01T23:30:00+00:00", "P1D", LONDON) == "2026-06-03T00:30:00+01:00"
    assert local_date("2026-06-01T23:30:00+00:00", LONDON) == date(2026, 6, 2)


@pytest.mark.parametrize(
    ("zone", "instant", "written"),
    [
        # Offsets +00:19:32 and -00:44:30: rounded to the minute, half a minute up, and the instant stays exact.
        ("Europe/Amsterdam", "1930-01-01T12:00:00+00:00", "1930-01-01T12:20:00+00:20"),
        ("Africa/Monrovia", "1960-01-01T12:00:00+00:00", "1960-01-01T11:16:00-00:44"),
    ],
)
def test_offsets_with_seconds_are_rounded_to_the_minute(zone: str, instant: str, written: str) -> None:
    assert instant_of(to_utc(instant), ZoneInfo(zone)) == written
    assert to_utc(written) == to_utc(instant)


def test_every_zone_writes_every_decade_as_a_contract_instant() -> None:
    for name in ZONES:
        zone = load_zone(name)
        for year in (1900, 1912, 1925, 1940, 1955, 1970, 1990, 2026, 2199):
            moment = datetime(year, 6, 30, 12, tzinfo=UTC)
            written = as_contract(instant_of(moment, zone))
            assert to_utc(written) == moment, name


@pytest.mark.parametrize("duration", ["P200Y", "P9999Y", "P9999M", "P9999W"])
def test_dates_beyond_2199_are_a_problem(duration: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        add_local("2026-01-01T00:00:00+00:00", duration, LONDON)
    assert [problem.code for problem in caught.value.problems] == ["time.out_of_range"]


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "America", "localtime", "right/Europe/London", "../etc/passwd", "europe/nowhere"]
)
def test_a_zone_that_tzdata_does_not_have_is_a_problem(name: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        load_zone(name)
    assert [problem.code for problem in caught.value.problems] == ["zone.unknown"]


def test_a_day_has_its_first_and_last_second_whatever_its_length() -> None:
    day = date(2026, 3, 29)
    assert end_of_day(day, LONDON) - start_of_day(day, LONDON) == timedelta(hours=23, seconds=-1)
    # Lebanon starts its summer at midnight, so that day begins at one o'clock.
    assert instant_of(start_of_day(day, ZoneInfo("Asia/Beirut")), ZoneInfo("Asia/Beirut"))[11:16] == "01:00"


def test_local_time_never_drifts_in_any_zone_over_ten_years() -> None:
    start = date(2021, 1, 1)
    for name in ZONES:
        zone = load_zone(name)
        noon = instant_of(datetime(start.year, 1, 1, 12, tzinfo=zone), zone)
        # Prime steps: every weekday and month is met, and the sweep stays a few seconds long.
        for days in range(0, 3653, 13):
            written = add_local(noon, f"P{days}D", zone)
            assert written[:19] == f"{start + timedelta(days)}T12:00:00", name
            assert to_utc(written).astimezone(zone).isoformat() == written, name


def test_gaps_and_folds_are_handled_in_every_zone_that_has_them() -> None:
    gaps = folds = 0
    for name in ZONES:
        zone = load_zone(name)
        for before, change, after in changes(zone, 2021, 2030):
            jump = after - before
            # The middle of the hour that is skipped or that occurs twice, as the clocks before the change count it.
            shown = (change + before + abs(jump) / 2 - (timedelta() if jump > timedelta() else abs(jump))).replace(
                tzinfo=None
            )
            day_before = instant_of(
                datetime.combine(shown - timedelta(days=1), shown.time(), zone).astimezone(UTC), zone
            )
            if day_before[:19] != (shown - timedelta(days=1)).isoformat():
                continue
            result = to_utc(add_local(day_before, "P1D", zone))
            assert result == (shown - before).replace(tzinfo=UTC), name
            gaps += jump > timedelta()
            folds += jump < timedelta()
            if jump > timedelta():
                assert result.astimezone(zone).replace(tzinfo=None) == shown + jump, name
    assert gaps > 1000
    assert folds > 1000


def changes(zone: ZoneInfo, first: int, last: int) -> list[tuple[timedelta, datetime, timedelta]]:
    """Find every clock change of these years by looking: offset before, moment in UTC, offset after."""
    found = []
    moment, step = datetime(first, 1, 1, tzinfo=UTC), timedelta(days=7)
    while moment.year <= last:
        low, high = moment, moment + step
        before, after = (one.astimezone(zone).utcoffset() or timedelta() for one in (low, high))
        if before != after:
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                middle = middle.replace(second=0, microsecond=0)
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
            found.append((before, high, after))
        moment += step
    return found


@given(
    st.datetimes(datetime(1900, 1, 3), datetime(2150, 1, 1)),  # noqa: DTZ001
    st.sampled_from(ZONES),
    st.sampled_from(["P1D", "P3W", "P5M", "P2Y", "PT1H", "PT90M", "P0D"]),
)
def test_adding_never_goes_back_and_gives_a_contract_instant(moment: datetime, name: str, duration: str) -> None:
    zone = load_zone(name)
    instant = instant_of(moment.replace(microsecond=0, tzinfo=UTC), zone)
    added = as_contract(add_local(instant, duration, zone))
    assert re.fullmatch(r".{19}[+-]\d\d:\d\d", added)
    assert to_utc(added) >= to_utc(instant)
