"""The report of a patient's outcomes, and its drawing in text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import MESSAGES
from pore_plugin.clinical.durations import load_zone, to_utc
from pore_plugin.clinical.follow_up.reporting import FollowedTreatment
from pore_plugin.clinical.numbers import spell
from pore_plugin.clinical.wording.texts import check_text
from pore_plugin.contracts import OutcomeReport, OutcomeTrend
from pore_plugin.rendering.trends import WIDTH, Panel, panels, trends_sheet
from pore_plugin.validation import check
from trend_examples import (
    BEFORE,
    GAIS,
    INSTRUMENTS,
    LONDON,
    NAMES,
    PLAN,
    SEBUM,
    TREATED,
    TWELVE,
    VAS,
    VISIA,
    W1,
    W4,
    W12,
    measured,
    report,
)


def drawn(sheet: str) -> list[str]:
    """The lines of all drawings of a sheet."""
    return [line for block in re.findall(r"```text\n(.*?)```", sheet, re.DOTALL) for line in block.splitlines()]


def panels_of(made: OutcomeReport, treatment: int = 0) -> tuple[Panel, ...]:
    return panels(made, made.treatments[treatment], "en", NAMES)


# -- the report -------------------------------------------------------------------------------------------------


def test_a_report_says_what_its_values_mean() -> None:
    made = report(measured(VAS, (BEFORE, "4"), (W4, "4")))
    check(OutcomeReport, made.to_document())
    (instrument,) = made.instruments
    own = INSTRUMENTS[VAS]
    assert (instrument.title, instrument.minimum, instrument.maximum) == (own.title, "0", "10")
    assert (instrument.direction, instrument.range_verified) == ("higher-is-better", False)
    (outcomes,) = made.treatments
    assert outcomes.trends[0].non_response
    assert outcomes.non_response == MESSAGES["outcome-non-response"]


def test_without_the_flag_and_without_a_plan_nothing_is_said_of_non_response() -> None:
    assert report(measured(VAS, (BEFORE, "4"), (W4, "5"))).treatments[0].non_response is None
    alone = FollowedTreatment(id="treatment-1", started_at=TREATED)
    assert report(measured(VAS, (BEFORE, "4"), (W4, "4")), alone).treatments[0].non_response is None


def test_each_treatment_has_its_own_baseline_and_ends_where_the_next_begins() -> None:
    second = "2026-05-26T11:00:00+01:00"
    later = "2026-06-25T10:00:00+01:00"
    made = report(
        measured(VAS, (BEFORE, "4"), (W4, "6"), (W12, "5"), (later, "7")),
        FollowedTreatment(id="treatment-2", started_at=second),
        FollowedTreatment(id="treatment-1", started_at=TREATED, plan=PLAN),
    )
    found = [
        (one.treatment, [(trend.baseline.value, [point.value for point in trend.points]) for trend in one.trends])
        for one in made.treatments
    ]
    assert found == [("treatment-1", [("4", ["6", "5"])]), ("treatment-2", [("5", ["7"])])]


def test_a_value_of_the_moment_of_the_next_treatment_ends_one_course_and_begins_the_other() -> None:
    made = report(
        measured(VAS, (BEFORE, "4"), (W4, "6")),
        FollowedTreatment(id="treatment-1", started_at=TREATED),
        FollowedTreatment(id="treatment-2", started_at=W4),
    )
    first, second = (one.trends[0] for one in made.treatments)
    assert ([point.value for point in first.points], second.baseline.value) == (["6"], "6")


def test_an_instrument_that_is_not_known_any_more_keeps_its_id_and_claims_no_range() -> None:
    made = report(measured(GAIS, (BEFORE, "3"), (W4, "2")), instruments=())
    (instrument,) = made.instruments
    assert (instrument.title["en"], instrument.maximum, instrument.range_verified) == (GAIS, "5", False)
    assert trends_sheet(made, "de", NAMES).count(GAIS) == 1


def test_times_are_written_on_the_clinics_clocks() -> None:
    made = report(measured(VAS, ("2026-03-01T20:00:00-08:00", "4")), zone="Asia/Tokyo")
    assert made.treatments[0].treated_at == "2026-03-02T19:00:00+09:00"
    assert panels_of(made)[0].baseline.date == "02 Mar 2026"


# -- panels -----------------------------------------------------------------------------------------------------


def test_instruments_regions_and_raters_never_share_a_panel() -> None:
    values = ((BEFORE, "3"), (W4, "2"))
    made = report(
        [
            *measured(GAIS, *values),
            *measured(GAIS, *values, rater="patient"),
            *measured(GAIS, *values, region="pore.region.cheek", side="left"),
            *measured(GAIS, *values, region="pore.region.cheek", side="right"),
            *measured(GAIS, *values, region="pore.region.forehead"),
            *measured(VAS, *values),
        ]
    )
    found = [(panel.title, panel.where, panel.rater) for panel in panels_of(made)]
    assert len(found) == len(set(found)) == 6
    assert {where for _, where, _ in found} == {"", "Cheek, left", "Cheek, right", "Forehead"}


@pytest.mark.parametrize(
    ("instrument", "values", "ends", "said"),
    [
        (VAS, ("4", "5"), ("0", "10"), "range 0 to 10 (unverified)"),
        (GAIS, ("4", "5"), ("1", "5"), "range 1 to 5"),
        (SEBUM, ("181", "150.5"), ("0", "200"), "range not known"),
        (SEBUM, ("200", "150.5"), ("0", "250"), "range not known"),
        (SEBUM, ("0", "0"), ("0", "1"), "range not known"),
        (SEBUM, ("-0.04", "0.3"), ("-0.05", "0.4"), "range not known"),
        # Handed in outside its range, it is shown outside.
        (GAIS, ("4", "7"), ("1", "7"), "range 1 to 5"),
    ],
)
def test_the_axis_is_the_instruments_range_or_begins_at_zero(
    instrument: str, values: tuple[str, str], ends: tuple[str, str], said: str
) -> None:
    (panel,) = panels_of(report(measured(instrument, *zip((BEFORE, W4), values, strict=True))))
    assert (spell(panel.low), spell(panel.high), panel.range) == (*ends, said)


def test_a_panel_is_said_in_words() -> None:
    (panel,) = panels_of(report(measured(SEBUM, (BEFORE, "181"), (W4, "150.5"), region="pore.region.forehead")))
    assert panel.said() == (
        "Sebumeter SM815, Forehead, by device; ↓ lower is better; range not known: "
        "181 µg/cm² on 02 Mar 2026, baseline; 150.5 µg/cm² on 30 Mar 2026, -30.5, better."
    )


# -- in text ----------------------------------------------------------------------------------------------------


def test_a_drawing_puts_each_value_on_the_range_beside_the_baseline() -> None:
    sheet = trends_sheet(report(measured(GAIS, (BEFORE, "3"), (W1, "3"), (W4, "1"), (W12, "5"))), "en", NAMES)
    assert drawn(sheet) == [
        "                     1            ← better            5",
        "02 Mar 2026   day 0  ├                ○               ┤  3      baseline",
        "09 Mar 2026   day 7  ├                ●               ┤  3   0  no change",
        "30 Mar 2026  day 28  ├●···············┊               ┤  1  -2  better",
        "26 May 2026  day 85  ├                ┊··············●┤  5  +2  worse",
    ]
    assert "Rated by the practitioner, ↓ lower is better, range 1 to 5." in sheet


def test_what_has_no_better_direction_is_not_judged() -> None:
    sheet = trends_sheet(report(measured(VISIA, (BEFORE, "300"), (W4, "250"))), "en", NAMES)
    assert "neither direction is better" in sheet
    assert "better" not in "".join(drawn(sheet))
    assert drawn(sheet)[-1].endswith("250  -50  not judged")


def test_a_baseline_alone_and_no_baseline_are_said() -> None:
    assert "No value since." in trends_sheet(report(measured(VAS, (BEFORE, "4"))), "en", NAMES)
    assert "nothing to compare with" in trends_sheet(report(measured(VAS, (W4, "4"))), "en", NAMES)


def test_the_flag_stands_at_its_trend_and_its_text_once() -> None:
    values = [*measured(VAS, (BEFORE, "4"), (W4, "4")), *measured(SEBUM, (BEFORE, "181"), (W4, "150"))]
    sheet = trends_sheet(report(values), "en", NAMES)
    assert sheet.count("Non-response flag") == 1
    assert sheet.index("visual analogue") < sheet.index("Non-response flag") < sheet.index("Sebumeter")
    assert sheet.count(MESSAGES["outcome-non-response"]["en"]) == 1


def test_no_drawing_promises_anything() -> None:
    values = [*measured(VAS, *zip((BEFORE, *TWELVE), "4456777766543", strict=True)), *measured(GAIS, (BEFORE, "3"))]
    sheet = trends_sheet(report(values), "en", NAMES)
    assert check_text(sheet, "practitioner") == ()


figures = st.builds(
    lambda digits, places: spell(Fraction(digits, 10**places)),
    st.integers(-(10**9), 10**9) | st.integers(0, 10),
    st.integers(3, 6),
)


@given(st.lists(figures, min_size=1, max_size=13), st.sampled_from([VAS, SEBUM, VISIA]))
def test_every_value_is_in_the_drawing_and_no_line_is_too_long(values: list[str], instrument: str) -> None:
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    instants = [(start + timedelta(days=7 * n)).isoformat() for n in range(len(values))]
    outcomes = measured(instrument, *zip(instants, values, strict=True))
    made = report(outcomes)
    lines = drawn(trends_sheet(made, "en", NAMES))
    assert len(lines) == len(values) + 1
    assert max(map(len, lines)) <= WIDTH
    trend: OutcomeTrend = made.treatments[0].trends[0]
    for line, value, at in zip(lines[1:], values, instants, strict=True):
        day, bar, rest = line[:11], line[line.index("├") : line.index("┤") + 1], line[line.index("┤") + 1 :].split()
        assert day == to_utc(at).astimezone(load_zone(LONDON)).strftime("%d %b %Y")
        assert rest[0] == value
        assert bar.count("●") + bar.count("○") == 1
        assert len(bar) == len(lines[1][lines[1].index("├") : lines[1].index("┤") + 1])
    assert len(trend.points) == len(values) - 1
