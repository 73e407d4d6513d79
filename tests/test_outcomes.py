"""Outcomes: one instrument only with itself, exact deltas, non-response at the primary visit."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from follow_up_examples import inputs, schedule_of, step
from pore_plugin.clinical.durations import to_utc
from pore_plugin.clinical.follow_up.outcomes import baseline_of, check_outcomes, primary_of, trend
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.contracts import Instrument, Outcome, OutcomeTrend, ProblemsError

PORES = Instrument(
    type="instrument",
    id="pore.instrument.pore-score-kim",
    version="1.0.0",
    title={"en": "Pore score"},
    minimum="0",
    maximum="5",
    direction="lower-is-better",
    unit="{score}",
    rater="practitioner",
    range_verified=False,
    source="a source",
    mark="V",
)
BEFORE, W1, W4, W12 = (
    "2026-03-02T09:00:00+00:00",
    "2026-03-09T10:00:00+00:00",
    "2026-03-30T10:40:00+01:00",
    "2026-05-26T10:40:00+01:00",
)
PRIMARY = primary_of(schedule(inputs()))


def outcome(value: str, at: str = BEFORE, **more: Any) -> Outcome:
    given: dict[str, Any] = {
        "id": f"o-{at[:10]}-{value}",
        "instrument": PORES.id,
        "instrument_version": PORES.version,
        "minimum": PORES.minimum,
        "maximum": PORES.maximum,
        "direction": PORES.direction,
        "value": value,
        "unit": PORES.unit,
        "rater": "practitioner",
        "at": at,
    }
    return Outcome.model_validate({**given, **more})


def only(trends: tuple[OutcomeTrend, ...]) -> OutcomeTrend:
    (found,) = trends
    return found


@pytest.mark.parametrize(
    ("direction", "value", "delta", "change"),
    [
        ("lower-is-better", "3", "-1.1", "better"),
        ("lower-is-better", "4.3", "0.2", "worse"),
        ("lower-is-better", "4.1", "0", "same"),
        ("higher-is-better", "3", "-1.1", "worse"),
        ("higher-is-better", "4.3", "0.2", "better"),
        ("none", "4.3", "0.2", "unknown"),
        ("none", "4.1", "0", "unknown"),
    ],
)
def test_a_delta_is_exact_and_read_by_the_instruments_direction(
    direction: str, value: str, delta: str, change: str
) -> None:
    found = only(trend([outcome(value, W4, direction=direction)], [outcome("4.1", direction=direction)]))
    (point,) = found.points
    assert (point.value, point.delta, point.change, point.at) == (value, delta, change, W4)
    assert (found.baseline.value, found.baseline.delta) == ("4.1", "0")


decimals = st.decimals(min_value=-1000, max_value=1000, places=6, allow_nan=False).map(
    lambda number: format(number.normalize(), "f") if number else "0"
)


@given(decimals, decimals)
def test_deltas_never_lose_a_digit(before: str, after: str) -> None:
    open_range = {"minimum": None, "maximum": None}
    found = only(trend([outcome(after, W4, **open_range)], [outcome(before, **open_range)]))
    with localcontext(prec=60):
        assert Decimal(found.points[0].delta) == Decimal(after) - Decimal(before)
    assert OutcomeTrend.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "other",
    [
        {"instrument_version": "1.1.0"},
        {"unit": "{count}"},
        {"minimum": "1"},
        {"maximum": None},
        {"direction": "higher-is-better"},
    ],
    ids=str,
)
def test_one_instrument_is_compared_only_with_itself(other: dict[str, Any]) -> None:
    with pytest.raises(ProblemsError) as caught:
        trend([outcome("3", W4, **other)], [outcome("4")])
    assert [one.code for one in caught.value.problems] == ["outcome.not_comparable"]


def test_another_instrument_region_side_or_rater_is_another_series() -> None:
    others = [
        {"instrument": "pore.instrument.vas"},
        {"region": "pore.region.cheek", "side": "left"},
        {"region": "pore.region.cheek", "side": "right"},
        {"region": "pore.region.nose"},
        {"rater": "patient"},
    ]
    base = [outcome("4"), *(outcome("2", **other) for other in others)]
    later = [outcome("3", W4), *(outcome("2", W4, **other) for other in others)]
    found = trend(later, base)
    assert len(found) == 6
    assert sorted(point.delta for one in found for point in one.points) == ["-1", "0", "0", "0", "0", "0"]


def test_an_outcome_without_a_baseline_has_no_trend() -> None:
    assert trend([outcome("3", W4)], []) == ()


def test_two_baselines_of_one_series_are_a_problem() -> None:
    with pytest.raises(ProblemsError) as caught:
        trend([], [outcome("3"), outcome("4")])
    assert [one.code for one in caught.value.problems] == ["outcome.two_baselines"]


def test_a_difference_too_long_to_write_is_a_problem() -> None:
    tiny, huge = "0." + "0" * 28 + "1", "9" * 30
    wide = {"minimum": None, "maximum": None}
    with pytest.raises(ProblemsError) as caught:
        trend([outcome(tiny, W4, **wide)], [outcome(huge, **wide)])
    assert [one.code for one in caught.value.problems] == ["outcome.not_comparable"]


def test_points_are_in_order_of_time_not_of_their_writing() -> None:
    # 10:30 in London's summer is earlier than 10:00 in UTC.
    early, late = outcome("3", "2026-03-30T10:30:00+01:00"), outcome("2", "2026-03-30T10:00:00+00:00")
    assert [one.value for one in only(trend([late, early], [outcome("4")])).points] == ["3", "2"]


# Non-response


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([("4", W4)], True),
        ([("5", W4)], True),
        ([("3", W4)], False),
        ([("3", W1), ("4", W4)], True),
        ([("4", W1), ("3", W4)], False),
        # The week 12 visit says how long it lasted, not whether it worked.
        ([("3", W4), ("4", W12)], False),
        ([("4", W1)], False),
        ([("4", W12)], False),
        ([], False),
        # Measured twice at the visit: the last value counts.
        ([("4", "2026-03-30T09:00:00+01:00"), ("3", W4)], False),
    ],
)
def test_non_response_is_no_improvement_at_the_primary_visit(values: list[tuple[str, str]], expected: bool) -> None:
    found = only(trend([outcome(value, at) for value, at in values], [outcome("4")], PRIMARY))
    assert found.non_response is expected


def test_an_instrument_without_direction_never_says_non_response() -> None:
    bare = {"direction": "none"}
    assert not only(trend([outcome("4", W4, **bare)], [outcome("4", **bare)], PRIMARY)).non_response


def test_a_baseline_that_could_not_get_better_never_says_non_response() -> None:
    assert not only(trend([outcome("0", W4)], [outcome("0")], PRIMARY)).non_response
    upward = {"direction": "higher-is-better"}
    assert not only(trend([outcome("5", W4, **upward)], [outcome("5", **upward)], PRIMARY)).non_response
    assert only(trend([outcome("0", W4, **upward)], [outcome("0", **upward)], PRIMARY)).non_response


def test_only_the_instruments_of_the_primary_visit_say_non_response() -> None:
    named = step("W4", "visit", "P28D", "P25D", "P31D", primary_outcome=True, instruments=("pore.instrument.vas",))
    primary = primary_of(schedule(inputs(schedule_of(named))))
    vas = {"instrument": "pore.instrument.vas"}
    found = trend([outcome("4", W4), outcome("4", W4, **vas)], [outcome("4"), outcome("4", **vas)], primary)
    assert {one.instrument: one.non_response for one in found} == {PORES.id: False, "pore.instrument.vas": True}


def test_without_a_primary_visit_nothing_is_non_response() -> None:
    plan = schedule(inputs(schedule_of(step("X", "visit", "P28D"))))
    assert primary_of(plan) is None
    assert not only(trend([outcome("4", W4)], [outcome("4")], None)).non_response


def test_the_primary_visit_lasts_for_its_window_or_its_day_and_reaches_a_late_visit() -> None:
    plan = schedule(inputs())
    assert PRIMARY is not None
    assert (PRIMARY.first, PRIMARY.last) == (
        to_utc("2026-03-27T00:00:00+00:00"),
        to_utc("2026-04-02T23:59:59+01:00"),
    )
    late = primary_of(plan, "2026-04-08T10:00:00+01:00")
    assert late is not None
    assert late.last == to_utc("2026-04-08T23:59:59+01:00")
    free = primary_of(schedule(inputs(schedule_of(step("X", "visit", "P28D", primary_outcome=True)))))
    assert free is not None
    assert (free.first, free.last) == (to_utc("2026-03-30T00:00:00+01:00"), to_utc("2026-03-30T23:59:59+01:00"))


# Reading outcomes


def test_the_baseline_is_the_last_value_before_the_treatment() -> None:
    older, left = outcome("5", "2026-01-05T10:00:00+00:00"), outcome("2", side="left", region="pore.region.cheek")
    base, later = baseline_of([outcome("3", W4), outcome("4"), left, older], "2026-03-02T10:00:00+00:00")
    assert {one.value for one in base} == {"4", "2"}
    assert [one.value for one in later] == ["3"]


def test_a_value_at_the_very_start_of_the_treatment_is_baseline() -> None:
    base, later = baseline_of([outcome("4", BEFORE)], "2026-03-02T10:00:00+01:00")
    assert (len(base), later) == (1, ())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"value": "5"}, []),
        ({"value": "0"}, []),
        ({"value": "5.1"}, [("outcome.out_of_range", "/1/value")]),
        ({"value": "-1"}, [("outcome.out_of_range", "/1/value")]),
        ({"unit": "{count}"}, [("outcome.not_comparable", "/1/unit")]),
        ({"minimum": None}, [("outcome.not_comparable", "/1/minimum")]),
        ({"maximum": "10"}, [("outcome.not_comparable", "/1/maximum")]),
        ({"direction": "none"}, [("outcome.not_comparable", "/1/direction")]),
        ({"instrument_version": "2.0.0"}, [("outcome.not_comparable", "/1/instrument_version")]),
        ({"instrument": "pore.instrument.nobody"}, [("outcome.unknown_instrument", "/1/instrument")]),
        ({"rater": "patient"}, [("outcome.rater", "/1/rater")]),
        (
            {"rater": "patient", "value": "9", "unit": "{count}"},
            [
                ("outcome.not_comparable", "/1/unit"),
                ("outcome.rater", "/1/rater"),
                ("outcome.out_of_range", "/1/value"),
            ],
        ),
    ],
    ids=str,
)
def test_an_outcome_fits_its_instrument(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = check_outcomes([outcome("4"), outcome(**{"value": "3", "at": W4, **changes})], [PORES])
    assert [(one.code, one.pointer) for one in found] == expected


def test_problems_do_not_repeat_the_value() -> None:
    found = check_outcomes([outcome("123.456")], [PORES])
    assert "123.456" not in "".join(one.sentence + one.next_step for one in found)


def test_any_rater_may_use_an_instrument_for_any() -> None:
    anybody = PORES.model_copy(update={"rater": "any"})
    assert check_outcomes([outcome("3", rater="patient"), outcome("3", rater="device")], [anybody]) == ()
