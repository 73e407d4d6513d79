"""The outcomes after a treatment as a picture, SVG or PNG: one panel for each instrument, region and rater.

Drawn with matplotlib, which is imported at the first picture and comes with the extra `pictures`. The same report
gives the same bytes with the same versions of matplotlib and its fonts. Marks differ in shape as well as in colour.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from io import BytesIO
from itertools import pairwise
from math import hypot
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape

from ..clinical.durations import load_zone, local_date, to_utc
from ..clinical.wording.localising import localise
from ..contracts import OutcomeReport, Problem, ProblemsError, TreatmentOutcomes
from .names import Names
from .trends import CHANGE, Panel, PanelPoint, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PictureFormat", "outcome_picture", "outcomes_shown"]

PictureFormat = Literal["svg", "png"]

_INK, _SOFT, _LINE = "#1a1a1a", "#595959", "#0072b2"
_MARKS = {
    "baseline": ("o", "white", _INK),
    "better": ("o", _LINE, _LINE),
    "worse": ("X", "#d55e00", _INK),
    "same": ("s", "#999999", _INK),
    "unknown": ("D", "#e6e6e6", _INK),
}
"""Shape, filling and edge of the mark of each change, from the palette of Okabe and Ito; they differ in grey too."""
_WIDE, _HIGH = 7.2, 3.0
"""Inches of one panel."""
_TITLE_CHARACTERS, _TEXT_CHARACTERS = 56, 88
"""Characters on a line over one panel, in the size of titles and of other text."""
_AXES_WIDE, _AXES_HIGH, _TEXT_HIGH = _WIDE - 0.6, _HIGH - 0.95, 0.13
"""Inches, about, of the axes of a panel and of a value's digits: for finding room, not for drawing."""
_WAYS: tuple[tuple[int, int, str, str], ...] = (
    (0, 7, "center", "bottom"),
    (0, -7, "center", "top"),
    (7, 4, "left", "bottom"),
    (7, -4, "left", "top"),
    (-7, 4, "right", "bottom"),
    (-7, -4, "right", "top"),
    (8, 0, "left", "center"),
    (-8, 0, "right", "center"),
)
"""Where a value may stand: points from its mark and its alignment, the best liked first."""
_TICK_INCHES = 0.95
"""Room that the date under a point needs."""
_DAY_SECONDS = 86400
_SHORTEST = 28.0
"""Days that an axis has at least."""
_DOTS_PER_INCH = 144
_SETTINGS: dict[str, Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "pore-plugin",
    "text.parse_math": False,
}

# matplotlib takes the salt of its ids from settings of the whole process alone; they are put back after the drawing.
_DRAWING = Lock()


def outcomes_shown(report: OutcomeReport, treatment: str | None = None) -> TreatmentOutcomes:
    """Return the outcomes after the treatment with this id, without one those of the last with a trend.

    Raises `ProblemsError` with `picture.nothing` where there is no trend to draw.
    """
    found = [one for one in report.treatments if one.trends and treatment in (None, one.treatment)]
    if not found:
        raise ProblemsError(
            [
                Problem(
                    code="picture.nothing",
                    sentence="There is no trend to draw: nothing was measured before the treatment.",
                    next_step="Record a baseline with the same instrument, or choose another treatment.",
                )
            ]
        )
    return found[-1]


def outcome_picture(
    report: OutcomeReport,
    locale: str,
    names: Names,
    *,
    picture: PictureFormat = "svg",
    treatment: str | None = None,
    caption: str = "",
) -> bytes:
    """Return a picture of the trends after one treatment; see `outcomes_shown` for which.

    Every value is written at its mark, dates are those of the report's zone, and title and description say the whole
    in words (SVG `title` and `desc`, PNG `Title` and `Description`). `caption` stands at the top, for what tells whose
    picture it is; nothing else does. Raises `ProblemsError` with `picture.library` where matplotlib is not installed,
    and with `picture.nothing`.
    """
    outcomes = outcomes_shown(report, treatment)
    shown = panels(report, outcomes, locale, names)
    treated = local_date(outcomes.treated_at, load_zone(report.zone)).strftime("%d %b %Y")
    title = " – ".join(part for part in (f"Outcomes after the treatment of {treated}", _printable(caption)) if part)
    note = _printable(localise(outcomes.non_response, locale)) if outcomes.non_response else ""
    said = "\n".join([*(_printable(panel.said()) for panel in shown), *([note] if note else [])])
    try:
        import matplotlib
    except ImportError:
        raise ProblemsError([_LACKING]) from None
    with _DRAWING, matplotlib.rc_context():
        # Whatever the process or a file of the user's has set: the picture is the same everywhere.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)  # type: ignore[arg-type]
        figure = _figure(shown, to_utc(outcomes.treated_at), title, note)
        return _svg(figure, title, said) if picture == "svg" else _png(figure, title, said)


_LACKING = Problem(
    code="picture.library",
    sentence="Pictures are drawn with matplotlib, which is not installed here.",
    next_step='Install it with: pip install "pore-plugin[pictures]". The outcomes as text need nothing more.',
)


def _printable(text: str) -> str:
    """Return the text without characters that no picture can hold, such as those that XML forbids."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _svg(figure: Figure, title: str, said: str) -> bytes:
    written = BytesIO()
    figure.savefig(written, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    # Without the document type, which points outside; with the words that a reader aloud looks for.
    _, tag, rest = written.getvalue().decode().partition("<svg ")
    attributes, _, body = rest.partition(">")
    words = f'<title id="title">{escape(title)}</title>\n <desc id="desc">{escape(said)}</desc>'
    named = 'role="img" aria-labelledby="title desc"'
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f"{head}\n{tag}{named} {attributes}>\n {words}{body}".encode()


def _png(figure: Figure, title: str, said: str) -> bytes:
    written = BytesIO()
    about = {"Software": None, "Title": title, "Description": said}
    figure.savefig(written, format="png", dpi=_DOTS_PER_INCH, metadata=about)
    return written.getvalue()


def _figure(shown: Sequence[Panel], treated: datetime, title: str, note: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = 1 if len(shown) == 1 else 2
    rows = -(-len(shown) // columns)
    heads = [_head(panel) for panel in shown]
    extra = 0.17 * max(text.count("\n") for text, _ in heads)
    top = textwrap.wrap(note, _TEXT_CHARACTERS * columns)
    figure = Figure(
        figsize=(_WIDE * columns, (_HIGH + extra) * rows + 0.85 + 0.2 * len(top)),
        layout=ConstrainedLayoutEngine(w_pad=0.14, h_pad=0.12, hspace=0.06, wspace=0.03),
        facecolor="white",
    )
    heading = "\n".join([*textwrap.wrap(title, 70 * columns), *top])
    figure.suptitle(heading, x=0.012, ha="left", fontsize=10, color=_INK)
    grid = figure.subplots(rows, columns, squeeze=False)
    places = [axes for row in grid for axes in row]
    for number, (panel, axes) in enumerate(zip(shown, places, strict=False)):
        _panel(axes, panel, treated, number, heads[number])
    for axes in places[len(shown) :]:
        axes.set_axis_off()
    _legend(figure, shown)
    return figure


def _head(panel: Panel) -> tuple[str, str]:
    """Return the title and what stands under it, each broken into lines."""
    title = _printable(panel.title + (f": {panel.where}" if panel.where else ""))
    about = ", ".join((panel.direction, panel.range, panel.rater))
    return "\n".join(textwrap.wrap(title, _TITLE_CHARACTERS)), "\n".join(textwrap.wrap(about, _TEXT_CHARACTERS))


def _panel(axes: Axes, panel: Panel, treated: datetime, number: int, head: tuple[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator

    # The only floats: where on the paper a mark stands. What is written beside it is the figure itself.
    across = [(point.at - treated).total_seconds() / _DAY_SECONDS for point in panel.points]
    up = [float(point.height) for point in panel.points]
    low, high = float(panel.low), float(panel.high)
    title, about = head
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=_INK, pad=6 + 12 * (about.count("\n") + 1))
    axes.text(0, 1.02, about, transform=axes.transAxes, va="bottom", fontsize=8.5, color=_SOFT)
    if panel.flag:
        axes.text(1, 1.02, panel.flag, transform=axes.transAxes, va="bottom", ha="right", fontweight="bold", color=_INK)
    axes.set_ylim(low, high)
    first, last = min(0.0, *across), max(_SHORTEST, *across)
    axes.set_xlim(first - (last - first) * 0.07, last + (last - first) * 0.07)
    axes.axvline(0, color=_SOFT, linewidth=0.8, linestyle=":")
    axes.axhline(up[0], color=_INK, linewidth=1, linestyle=(0, (5, 3)), zorder=1)
    axes.plot(across, up, color=_LINE, linewidth=1.4, zorder=2, clip_on=False)
    for position, point in enumerate(panel.points):
        shape, face, edge = _MARKS[point.change]
        (mark,) = axes.plot(
            across[position],
            up[position],
            marker=shape,
            markersize=7,
            markerfacecolor=face,
            markeredgecolor=edge,
            linestyle="none",
            zorder=3,
            clip_on=False,
        )
        mark.set_gid(f"panel-{number}-point-{position}")
    _values(axes, panel, across, up)
    _dates(axes, panel.points, across)
    axes.set_ylabel(panel.unit, color=_INK)
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=panel.high - panel.low >= 2, min_n_ticks=3))
    axes.tick_params(colors=_INK, labelsize=8.5)
    axes.grid(axis="y", color="#e0e0e0", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _values(axes: Axes, panel: Panel, across: Sequence[float], up: Sequence[float]) -> None:
    """Write each value beside its mark, where it covers least of the marks, the lines and the values before it."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    marks = [
        ((x - left) / (right - left) * _AXES_WIDE, (y - low) / (high - low) * _AXES_HIGH)
        for x, y in zip(across, up, strict=True)
    ]
    # What a value had better not cover: the marks, points along the lines between them, baseline and treatment.
    taken = [(x, y, 4.0) for x, y in marks]
    for (x, y), (x_next, y_next) in pairwise(marks):
        steps = max(1, round(hypot(x_next - x, y_next - y) / 0.08))
        taken += [(x + (x_next - x) * n / steps, y + (y_next - y) * n / steps, 1.0) for n in range(1, steps)]
    taken += [(n * 0.08, marks[0][1], 0.5) for n in range(int(_AXES_WIDE / 0.08))]
    taken += [(-left / (right - left) * _AXES_WIDE, n * 0.08, 0.5) for n in range(int(_AXES_HIGH / 0.08))]
    boxes: list[tuple[float, float, float, float]] = []
    for point, (x, y), at in zip(panel.points, marks, zip(across, up, strict=True), strict=True):
        wide = 0.085 * len(point.value) + 0.02
        cost, _, place = min(
            (_cost(box, taken, boxes), number, (box, way))
            for number, way in enumerate(_WAYS)
            for box in [_box(x, y, wide, way)]
        )
        box, (dx, dy, ha, va) = place
        boxes.append(box)
        axes.annotate(
            point.value,
            at,
            xytext=(dx, dy),
            textcoords="offset points",
            ha=ha,
            va=va,
            fontsize=8.5,
            color=_INK,
            zorder=2.5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6} if cost else None,
        )


def _box(x: float, y: float, wide: float, way: tuple[int, int, str, str]) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a value that is written that way from its mark, in inches."""
    dx, dy, across, along = way
    left = x + dx / 72 - wide * {"left": 0, "center": 0.5, "right": 1}[across]
    bottom = y + dy / 72 - _TEXT_HIGH * {"bottom": 0, "center": 0.5, "top": 1}[along]
    return left, bottom, left + wide, bottom + _TEXT_HIGH


def _cost(
    box: tuple[float, float, float, float],
    taken: Iterable[tuple[float, float, float]],
    boxes: Iterable[tuple[float, float, float, float]],
) -> float:
    left, bottom, right, top = box
    near = 0.03
    cost = sum(w for x, y, w in taken if left - near < x < right + near and bottom - near < y < top + near)
    cost += sum(6 for one in boxes if left < one[2] and one[0] < right and bottom < one[3] and one[1] < top)
    return cost + (8 if bottom < 0 or top > _AXES_HIGH + 0.05 or left < 0 else 0)


def _dates(axes: Axes, points: Sequence[PanelPoint], across: Sequence[float]) -> None:
    """Name the dates under the points, as many as there is room for; the others have a tick alone."""
    low, high = axes.get_xlim()
    apart = _TICK_INCHES / (_WIDE - 0.9) * (high - low)
    named = [0]
    for position in range(1, len(points) - 1):
        if across[position] - across[named[-1]] >= apart and across[-1] - across[position] >= apart:
            named.append(position)
    if len(points) > 1:
        if across[-1] - across[0] < apart:
            named = []
        named.append(len(points) - 1)
    axes.set_xticks(
        [across[position] for position in named],
        [f"{points[position].date}\nday {points[position].day}" for position in named],
    )
    axes.set_xticks([at for position, at in enumerate(across) if position not in named], minor=True)


def _legend(figure: Figure, shown: Sequence[Panel]) -> None:
    from matplotlib.lines import Line2D

    used = {point.change for panel in shown for point in panel.points}

    def handles() -> Iterator[Line2D]:
        for change, (shape, face, edge) in _MARKS.items():
            if change in used:
                label = "before the treatment" if change == "baseline" else CHANGE[change]
                yield Line2D(
                    [], [], marker=shape, markerfacecolor=face, markeredgecolor=edge, linestyle="none", label=label
                )
        yield Line2D([], [], color=_INK, linewidth=1, linestyle=(0, (5, 3)), label="baseline")
        yield Line2D([], [], color=_SOFT, linewidth=0.8, linestyle=":", label="treatment")

    figure.legend(
        handles=list(handles()), loc="outside lower left", ncols=7, columnspacing=1.3, frameon=False, fontsize=8.5
    )
