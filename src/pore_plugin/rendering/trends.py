"""Outcomes over time: one instrument, region and rater at a time, against the baseline before the treatment.

The sheet draws each value on the instrument's own range, a line of text a value, so that it reads the same in a
terminal of 80 columns and on paper. `panels` is what the sheet and `pictures` both show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from ..clinical.durations import load_zone, local_date, to_utc
from ..clinical.numbers import exact, spell
from ..clinical.wording.localising import localise
from ..contracts import (
    OutcomePoint,
    OutcomeReport,
    OutcomeTrend,
    RegionSide,
    ReportedInstrument,
    TreatmentOutcomes,
)
from .names import Names
from .words import place, unit_of

__all__ = ["CHANGE", "WIDTH", "Panel", "PanelPoint", "panels", "trends_sheet"]

CHANGE = {
    "baseline": "baseline",
    "better": "better",
    "worse": "worse",
    "same": "no change",
    "unknown": "not judged",
}
WIDTH = 78
"""Columns that the drawing may fill: a terminal has 80, and shows Markdown's code with a margin.

Only figures of more than a dozen characters make it wider: no value is cut.
"""

_DIRECTION = {
    "higher-is-better": ("↑", "→", "higher is better"),
    "lower-is-better": ("↓", "←", "lower is better"),
    "none": ("", "", "neither direction is better"),
}
_RATERS = {"patient": "rated by the patient", "practitioner": "rated by the practitioner", "device": "by device"}
_FLAG = "▲ Non-response flag"
_SHORTEST, _LONGEST = 12, 32
"""Columns of an axis."""
_NICE = tuple(Fraction(tenths, 10) for tenths in (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100))
"""Where an axis ends whose instrument gives no range, times a power of ten."""


@dataclass(frozen=True, slots=True, repr=False)
class PanelPoint:
    """One value: when on the clinic's calendar, how many local days after the treatment, and what it means."""

    at: datetime
    date: str
    day: int
    value: str
    delta: str
    change: str

    @property
    def height(self) -> Fraction:
        """The value as an exact number."""
        return exact(self.value)


@dataclass(frozen=True, slots=True, repr=False)
class Panel:
    """One trend in words and numbers, ready to draw: `low` and `high` are the ends of its axis."""

    title: str
    where: str
    rater: str
    direction: str
    unit: str
    range: str
    low: Fraction
    high: Fraction
    points: tuple[PanelPoint, ...]
    flag: str | None

    @property
    def baseline(self) -> PanelPoint:
        """The value before the treatment, the first of the points."""
        return self.points[0]

    def said(self) -> str:
        """Return the whole panel as one sentence, for those who do not see it."""
        unit = f" {self.unit}" if self.unit else ""
        values = "; ".join(f"{point.value}{unit} on {point.date}, {_meaning(point)}" for point in self.points)
        named = ", ".join(part for part in (self.title, self.where, self.rater) if part)
        flag = f" {self.flag.removeprefix('▲ ')}." if self.flag else ""
        return f"{named}; {self.direction}; {self.range}: {values}.{flag}"


def panels(report: OutcomeReport, outcomes: TreatmentOutcomes, locale: str, names: Names) -> tuple[Panel, ...]:
    """Return one panel for each trend after a treatment of the report."""
    known = {(one.id, one.version): one for one in report.instruments}
    zone = load_zone(report.zone)
    return tuple(
        _panel(trend, known.get((trend.instrument, trend.instrument_version)), outcomes.treated_at, zone, locale, names)
        for trend in outcomes.trends
    )


def trends_sheet(report: OutcomeReport, locale: str, names: Names) -> str:
    """Return the outcomes of a patient as Markdown, treatment by treatment, with a drawing for each trend."""
    zone = load_zone(report.zone)
    lines = ["# Outcomes", "", f"Dates are those of {report.zone}.", ""]
    if not report.treatments:
        lines += ["No treatment is recorded.", ""]
    for outcomes in report.treatments:
        lines += [f"## Treatment of {_date(outcomes.treated_at, zone)}", ""]
        if not outcomes.trends:
            lines += ["Nothing was measured before this treatment, so there is nothing to compare with.", ""]
        for panel in panels(report, outcomes, locale, names):
            lines += _drawn(panel)
        if outcomes.non_response:
            lines += [f"**{localise(outcomes.non_response, locale)}**", ""]
    return "\n".join(lines).rstrip() + "\n"


def _panel(
    trend: OutcomeTrend,
    instrument: ReportedInstrument | None,
    treated_at: str,
    zone: ZoneInfo,
    locale: str,
    names: Names,
) -> Panel:
    points = tuple(_points(trend, treated_at, zone))
    low, high = _axis(points, instrument)
    return Panel(
        title=_title(trend, instrument, locale, names),
        where=place(RegionSide(region=trend.region, side=trend.side), names.regions) if trend.region else "",
        rater=_RATERS[trend.rater],
        direction=" ".join(part for part in (_DIRECTION[trend.direction][0], _DIRECTION[trend.direction][2]) if part),
        unit=_unit(trend.unit),
        range=_range(instrument),
        low=low,
        high=high,
        points=points,
        flag=_FLAG if trend.non_response else None,
    )


def _points(trend: OutcomeTrend, treated_at: str, zone: ZoneInfo) -> Iterator[PanelPoint]:
    start = local_date(treated_at, zone)

    def point(one: OutcomePoint, change: str) -> PanelPoint:
        days = (local_date(one.at, zone) - start).days
        return PanelPoint(to_utc(one.at), _date(one.at, zone), days, one.value, one.delta, change)

    yield point(trend.baseline, "baseline")
    yield from (point(one, one.change) for one in trend.points)


def _title(trend: OutcomeTrend, instrument: ReportedInstrument | None, locale: str, names: Names) -> str:
    own: Mapping[str, str] = instrument.title if instrument else {}
    title = names.instruments.get(trend.instrument) or own.get(locale) or own.get(locale.partition("-")[0])
    return " ".join((title or trend.instrument).split())


def _axis(points: Iterable[PanelPoint], instrument: ReportedInstrument | None) -> tuple[Fraction, Fraction]:
    """Return the instrument's range, wider where a value lies outside; where it has none, from zero to a round number.

    From zero, because an axis that starts elsewhere makes a small change look large.
    """
    values = [point.height for point in points]
    least, most = min(values), max(values)
    low = exact(instrument.minimum) if instrument and instrument.minimum else -_round_up(-least)
    high = exact(instrument.maximum) if instrument and instrument.maximum else _round_up(most)
    low, high = min(low, least), max(high, most)
    return (low, high) if low < high else (low, low + 1)


def _round_up(value: Fraction) -> Fraction:
    """Return the next round number above the value, 0 for what is not positive."""
    if value <= 0:
        return Fraction(0)
    ten = Fraction(1)
    while ten > value:
        ten /= 10
    while ten * 10 <= value:
        ten *= 10
    return next(ten * nice for nice in _NICE if ten * nice > value)


def _range(instrument: ReportedInstrument | None) -> str:
    if instrument is None or (instrument.minimum is None and instrument.maximum is None):
        return "range not known"
    if instrument.maximum is None:
        said = f"range from {instrument.minimum}"
    elif instrument.minimum is None:
        said = f"range up to {instrument.maximum}"
    else:
        said = f"range {instrument.minimum} to {instrument.maximum}"
    return said if instrument.range_verified else f"{said} (unverified)"


def _unit(unit: str) -> str:
    """Return the unit as a person reads it; a score is a bare number."""
    return "" if unit in ("{score}", "1") else unit_of(unit)


def _date(instant: str, zone: ZoneInfo) -> str:
    return local_date(instant, zone).strftime("%d %b %Y")


def _meaning(point: PanelPoint) -> str:
    return CHANGE[point.change] if point.change == "baseline" else f"{_signed(point.delta)}, {CHANGE[point.change]}"


def _signed(delta: str) -> str:
    return delta if delta.startswith("-") or delta == "0" else f"+{delta}"


# -- in text ----------------------------------------------------------------------------------------------------


def _drawn(panel: Panel) -> Iterator[str]:
    yield from (f"### {panel.title}{f': {panel.where}' if panel.where else ''}", "")
    about = [panel.rater[:1].upper() + panel.rater[1:], panel.direction, panel.range]
    if panel.unit:
        about.append(f"in {panel.unit}")
    yield from (", ".join(about) + ".", "", "```text", *_rows(panel), "```", "")
    if len(panel.points) == 1:
        yield from ("No value since.", "")
    if panel.flag:
        yield from (f"**{panel.flag}**", "")


def _rows(panel: Panel) -> Iterator[str]:
    days = [f"day {point.day}" for point in panel.points]
    deltas = ["" if point.change == "baseline" else _signed(point.delta) for point in panel.points]
    wide = {
        "day": max(map(len, days)),
        "value": max(len(point.value) for point in panel.points),
        "delta": max(map(len, deltas)),
        "change": max(map(len, CHANGE.values())),
    }
    # The date has 11 columns, each of five gaps 2, and the axis one for either end.
    axis = min(_LONGEST, max(_SHORTEST, WIDTH - 11 - 10 - 2 - sum(wide.values())))
    yield _scale(panel, 11 + 2 + wide["day"] + 2, axis)
    for point, day, delta in zip(panel.points, days, deltas, strict=True):
        yield "  ".join(
            (
                point.date,
                day.rjust(wide["day"]),
                _bar(panel, point, axis),
                point.value.rjust(wide["value"]),
                delta.rjust(wide["delta"]),
                CHANGE[point.change],
            )
        ).rstrip()


def _scale(panel: Panel, before: int, axis: int) -> str:
    """Return the line over the axis: its ends, and which way is better."""
    low, high = _end(panel.low), _end(panel.high)
    arrow = next((flat for up, flat, _ in _DIRECTION.values() if up and panel.direction.startswith(up)), "")
    better = {"←": "← better", "→": "better →"}.get(arrow, "")
    room = axis + 2 - len(low) - len(high)
    return " " * before + low + (better if len(better) + 2 <= room else "").center(max(1, room)) + high


def _end(value: Fraction) -> str:
    """Return the end of an axis as a figure; it is the instrument's, a value or a round number, so it terminates."""
    return spell(value)


def _bar(panel: Panel, point: PanelPoint, axis: int) -> str:
    def column(height: Fraction) -> int:
        return round((height - panel.low) / (panel.high - panel.low) * (axis - 1))

    cells = [" "] * axis
    base, here = column(panel.baseline.height), column(point.height)
    for between in range(min(base, here), max(base, here)):
        cells[between] = "·"
    cells[base] = "┊"
    cells[here] = "○" if point.change == "baseline" else "●"
    return f"├{''.join(cells)}┤"
