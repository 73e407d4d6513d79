"""Pictures of outcomes: every point where it belongs, one instrument a panel, readable without colour and aloud."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import pytest

from pore_plugin.clinical.follow_up.reporting import FollowedTreatment
from pore_plugin.clinical.numbers import exact
from pore_plugin.clinical.wording.texts import check_text
from pore_plugin.contracts import OutcomeReport, ProblemsError
from pore_plugin.rendering import Names
from pore_plugin.rendering.pictures import outcome_picture, outcomes_shown
from pore_plugin.rendering.trends import Panel, panels
from trend_examples import (
    BEFORE,
    GAIS,
    INSTRUMENTS,
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

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
SEBUM_VALUES = ["181", "150.5", "132", "121", "118", "117", "125", "131", "140", "152", "166", "179", "184"]


@cache
def cases() -> dict[str, OutcomeReport]:
    """Reports of one, two and thirteen points, and of several regions."""
    regions = [("cheek", "left"), ("cheek", "right"), ("forehead", None)]
    several = [
        outcome
        for region, side in regions
        for outcome in measured(
            VISIA,
            *zip((BEFORE, W1, W4, W12), ("300", "250.5", "310", "300"), strict=True),
            region=f"pore.region.{region}",
            **({"side": side} if side else {}),
        )
    ]
    return {
        "one": report(measured(VAS, (BEFORE, "4"))),
        "two": report(measured(GAIS, (BEFORE, "3"), (W4, "4"))),
        "thirteen": report(measured(SEBUM, *zip((BEFORE, *TWELVE), SEBUM_VALUES, strict=True))),
        "several": report([*several, *measured(GAIS, (BEFORE, "3"), (W1, "3"), (W4, "1"), (W12, "5"))]),
    }


def panels_of(made: OutcomeReport) -> tuple[Panel, ...]:
    return panels(made, made.treatments[0], "en", NAMES)


def svg(made: OutcomeReport, **more: str) -> ElementTree.Element:
    return ElementTree.fromstring(outcome_picture(made, "en", NAMES, **more))  # type: ignore[arg-type]  # noqa: S314


def marks(root: ElementTree.Element) -> dict[str, tuple[float, float, str]]:
    """Where each point's mark stands in the picture, and its outline."""
    found = {}
    # An outline is written once, where it is used first.
    outlines = {f"#{path.get('id')}": path.get("d", "") for path in root.iter(f"{SVG}path")}
    for group in root.iter(f"{SVG}g"):
        name = group.get("id", "")
        if name.startswith("panel-"):
            (use,) = group.iter(f"{SVG}use")
            found[name] = (float(use.get("x", "")), float(use.get("y", "")), outlines.get(use.get(LINK, ""), ""))
    return found


def written(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ["one", "two", "thirteen", "several"])
def test_every_value_stands_at_its_time_and_height(name: str) -> None:
    made = cases()[name]
    root = svg(made)
    found = marks(root)
    shown = panels_of(made)
    assert len(found) == sum(len(panel.points) for panel in shown)
    for number, panel in enumerate(shown):
        at = [found[f"panel-{number}-point-{position}"] for position in range(len(panel.points))]
        # One scale for the whole panel: equal steps of value and of time are equal steps on the paper.
        for (first, x, y), (second, x_next, y_next) in pairwise(
            (point, x, y) for point, (x, y, _) in zip(panel.points, at, strict=True)
        ):
            assert x_next > x
            assert (y_next < y) == (second.height > first.height)
        start, end = panel.points[0], panel.points[-1]
        low, high = (min(panel.points, key=lambda p: p.height), max(panel.points, key=lambda p: p.height))
        if end.at > start.at and high.height > low.height:
            across = (at[-1][0] - at[0][0]) / (end.at - start.at).total_seconds()
            up = (at[panel.points.index(high)][1] - at[panel.points.index(low)][1]) / float(high.height - low.height)
            for point, (x, y, _) in zip(panel.points, at, strict=True):
                assert x == pytest.approx(at[0][0] + across * (point.at - start.at).total_seconds(), abs=0.01)
                assert y == pytest.approx(at[0][1] + up * float(point.height - start.height), abs=0.01)
    assert {point.value for panel in shown for point in panel.points} <= set(written(root))


def test_the_axis_is_the_instruments_whole_range() -> None:
    """The mark of a value a quarter up the range stands a quarter up the axes."""
    root = svg(report(measured(GAIS, (BEFORE, "2"), (W4, "5"), (W12, "1"))))
    base, top, bottom = (y for _, y, _ in marks(root).values())
    assert (bottom - base) / (bottom - top) == pytest.approx(0.25, abs=0.001)
    axes = next(group for group in root.iter(f"{SVG}g") if group.get("id") == "axes_1")
    frame = next(axes.iter(f"{SVG}path")).get("d", "").split()
    heights = {float(frame[index + 2]) for index, word in enumerate(frame) if word in ("M", "L")}
    assert (min(heights), max(heights)) == (pytest.approx(top), pytest.approx(bottom))


def test_each_instrument_region_and_side_has_axes_of_its_own() -> None:
    root = svg(cases()["several"])
    axes = [group for group in root.iter(f"{SVG}g") if group.get("id", "").startswith("axes_")]
    assert len(axes) == 4
    inside = [{name.rpartition("-point-")[0] for name in marks(one)} for one in axes]
    assert sorted(map(sorted, inside)) == [[f"panel-{number}"] for number in range(4)]
    titles = " ".join(written(root))
    for where in ("Cheek, left", "Cheek, right", "Forehead"):
        assert where in titles


def test_title_range_direction_unit_and_dates_are_written() -> None:
    texts = written(svg(cases()["thirteen"]))
    assert "Sebumeter SM815" in texts
    assert "↓ lower is better, range not known, by device" in texts
    assert "µg/cm²" in texts
    assert {"02 Mar 2026", "day 0", "17 Aug 2026", "day 168", "before the treatment", "baseline"} <= set(texts)
    assert "Outcomes after the treatment of 02 Mar 2026" in texts


def test_dates_that_would_overlap_are_not_both_written() -> None:
    texts = written(svg(report(measured(VAS, (BEFORE, "4"), ("2026-03-05T10:00:00+00:00", "5")))))
    assert "05 Mar 2026" in texts
    assert "02 Mar 2026" not in texts


def test_dates_are_those_of_the_clinic() -> None:
    late = ("2026-03-30T20:00:00+00:00", "5")
    texts = written(svg(report(measured(VAS, (BEFORE, "4"), late), zone="Asia/Tokyo")))
    assert {"31 Mar 2026", "day 29"} <= set(texts)


def test_the_changes_differ_in_shape_and_in_grey() -> None:
    found = [report(measured(VAS, (BEFORE, "4"), (W4, value))) for value in ("5", "3", "4")]
    found.append(report(measured(VISIA, (BEFORE, "300"), (W4, "250"))))
    shapes = [marks(svg(made))["panel-0-point-1"][2] for made in found]
    assert len(set(shapes)) == 4
    assert "baseline" in written(svg(found[0]))


def test_the_flag_and_its_text_are_shown() -> None:
    texts = written(svg(cases()["two"]))
    assert "▲ Non-response flag" in texts
    assert any(text.startswith("No improvement at the primary outcome visit.") for text in texts)
    assert "▲ Non-response flag" not in written(svg(cases()["thirteen"]))


def test_a_picture_is_said_in_words() -> None:
    made = cases()["several"]
    root = svg(made, caption="patient-1")
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", f"{title.get('id')} {desc.get('id')}")
    assert title.text == "Outcomes after the treatment of 02 Mar 2026 – patient-1"
    assert desc.text == "\n".join(panel.said() for panel in panels_of(made)) + (
        "" if made.treatments[0].non_response is None else f"\n{made.treatments[0].non_response['en']}"
    )
    assert check_text(f"{title.text}. {desc.text}", "practitioner") == ()


def test_long_names_are_broken_into_lines_and_odd_signs_harm_nothing() -> None:
    name = 'Sebum <b>&amp; "oil"</b> on the skin, mean of three readings at $x_1$ \x00\x07 in the early afternoon ' * 2
    instrument = INSTRUMENTS[SEBUM].model_copy(update={"title": {"en": name}})
    made = report(measured(SEBUM, (BEFORE, "1"), (W4, "2")), instruments=[instrument])
    texts = written(svg(made, caption="p\x0b<1>"))
    lines = [text for text in texts if any(part in text for part in ("<b>", "$x_1$", "afternoon"))]
    assert len(lines) > 2
    assert max(map(len, lines)) <= 56
    assert " ".join(" ".join(lines).split()) == " ".join(name.replace("\x00", " ").replace("\x07", " ").split())


def test_nobody_is_named_but_in_the_caption() -> None:
    assert b"patient-1" not in outcome_picture(cases()["two"], "en", NAMES)
    assert b"patient-1" in outcome_picture(cases()["two"], "en", NAMES, caption="patient-1")


# -- bytes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", ["svg", "png"])
def test_the_same_report_gives_the_same_bytes_whatever_the_process_has_set(picture: str) -> None:
    made = cases()["two"]
    first = outcome_picture(made, "en", NAMES, picture=picture)  # type: ignore[arg-type]
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "x", "lines.linewidth": 9, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        second = outcome_picture(made, "en", NAMES, picture=picture)  # type: ignore[arg-type]
        assert dict(matplotlib.rcParams) == before
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(lambda _: outcome_picture(made, "en", NAMES, picture=picture), range(4)))  # type: ignore[arg-type]
    assert {first, second, *others} == {first}


def test_an_svg_carries_no_date_no_maker_and_no_link() -> None:
    data = outcome_picture(cases()["two"], "en", NAMES)
    assert data.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<svg role="img"')
    for word in (b"DOCTYPE", b"matplotlib.org", b"dc:date", b"<image", b"<script"):
        assert word not in data


def test_a_png_has_its_header_size_and_words() -> None:
    data = outcome_picture(cases()["two"], "en", NAMES, picture="png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", data[16:24])[0] == int(7.2 * 144)
    chunks = {}
    at = 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length : at + 12 + length])[0]
        chunks.setdefault(kind, []).append(body)
        at += length + 12
    said = b"".join(chunks.get(b"tEXt", []) + chunks.get(b"iTXt", []))
    assert b"Title\x00Outcomes after the treatment" in said.replace(b"\x00\x00\x00\x00\x00", b"\x00")
    assert b"Description" in said
    assert b"Software" not in said
    assert b"tIME" not in chunks


# -- which one, and without the library -----------------------------------------------------------------------------


def test_the_last_treatment_with_a_trend_is_drawn_unless_another_is_asked_for() -> None:
    made = report(
        measured(VAS, (BEFORE, "4"), (W4, "6")),
        FollowedTreatment(id="treatment-1", started_at=TREATED, plan=PLAN),
        FollowedTreatment(id="treatment-2", started_at="2026-06-01T10:00:00+01:00"),
    )
    assert outcomes_shown(made).treatment == "treatment-2"
    assert outcomes_shown(made, "treatment-1").treatment == "treatment-1"
    assert "01 Jun 2026" in " ".join(written(svg(made)))
    assert [exact(p.value) for panel in panels_of(made) for p in panel.points] == [4, 6]


@pytest.mark.parametrize("values", [(), ((W4, "4"),)])
def test_nothing_to_draw_is_said(values: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(ProblemsError) as caught:
        outcome_picture(report(measured(VAS, *values)), "en", Names())
    (problem,) = caught.value.problems
    assert problem.code == "picture.nothing"


WITHOUT = """
import sys
sys.path.insert(0, "tests")
sys.modules["matplotlib"] = None
from trend_examples import BEFORE, NAMES, VAS, measured, report
from pore_plugin.contracts import ProblemsError
from pore_plugin.rendering.pictures import outcome_picture
from pore_plugin.rendering.trends import trends_sheet
made = report(measured(VAS, (BEFORE, "4")))
assert "day 0" in trends_sheet(made, "en", NAMES)
try:
    outcome_picture(made, "en", NAMES)
except ProblemsError as error:
    print(error.problems[0].code, error.problems[0].next_step)
"""
LOADED = """
import sys
import pore_plugin.rendering.pictures, pore_plugin.rendering.trends
print("matplotlib" in sys.modules)
"""
DRAWN = """
import sys
sys.path.insert(0, "tests")
from trend_examples import BEFORE, NAMES, VAS, measured, report
from pore_plugin.rendering.pictures import outcome_picture
outcome_picture(report(measured(VAS, (BEFORE, "4"))), "en", NAMES)
print("matplotlib" in sys.modules, "matplotlib.pyplot" in sys.modules)
"""


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True, timeout=120)
    return done.stdout.strip()


def test_without_the_library_the_next_step_is_named_and_text_still_works() -> None:
    said = said_by(WITHOUT)
    assert said.startswith("picture.library ")
    assert 'pip install "pore-plugin[pictures]"' in said


def test_the_library_is_loaded_for_a_picture_alone_and_pyplot_never() -> None:
    assert said_by(LOADED) == "False"
    assert said_by(DRAWN) == "True False"
