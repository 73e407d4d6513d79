"""Words, tables and marks that all sheets share."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..clinical.wording.localising import localise
from ..contracts import PlannedParameter, RegionDose, RegionSide, SourcedStatement

__all__ = [
    "HOW",
    "SIGNS",
    "amount",
    "banner",
    "diluent_name",
    "mark_sample",
    "moment",
    "place",
    "plain",
    "planned_amount",
    "statement",
    "table",
    "unit_of",
    "words",
]

SIGNS = {"block": "■ BLOCK", "review": "▲ REVIEW", "inform": "● INFORM", "clear": "✓ CLEAR"}

HOW = {"visit": "visit", "remote-questionnaire": "questions sent home", "staff-task": "task for the clinic"}
"""What a step of the follow-up asks of whom."""

_SAMPLE = "> **SAMPLE** — from sample input. Not for treating anyone."
_UNITS = {
    "a": ("year", "years"),
    "d": ("day", "days"),
    "mo": ("month", "months"),
    "night": ("night", "nights"),
    "wk": ("week", "weeks"),
    "{grade}": ("grade", "grades"),
    "{layer}": ("layer", "layers"),
    "{pair}": ("pair", "pairs"),
    "{piece}": ("piece", "pieces"),
    "{points}": ("point", "points"),
    "{pores}": ("pore", "pores"),
}
"""UCUM's letters and annotations for one and for several; what stands in neither table is shown as it is."""
_SYMBOLS = {
    "[arb'U]": "U",
    "deg": "°",
    "mm2": "mm²",
    "ug/cm2": "µg/cm²",
    "{gauge}": "G",
    "{pores}/cm2": "pores/cm²",
}
_DILUENTS = {"bacteriostatic-saline-0.9": "bacteriostatic saline 0.9 %", "saline-0.9": "saline 0.9 %"}


def banner(*, sample: bool = False, draft: bool = False) -> list[str]:
    """Return the lines that mark a sheet as SAMPLE or DRAFT."""
    lines = []
    if sample:
        lines += [_SAMPLE, ""]
    if draft:
        lines += ["> **DRAFT** — not approved by a prescriber of this clinic.", ""]
    return lines


def mark_sample(sheet: str) -> str:
    """Return the sheet with SAMPLE under its heading, where it does not say it yet."""
    if _SAMPLE in sheet:
        return sheet
    heading, _, rest = sheet.partition("\n")
    return f"{heading}\n\n{_SAMPLE}\n{rest}"


def moment(instant: str, *, offset: bool = True) -> str:
    """Return an instant as a person reads it: weekday, date, time and, unless the sheet names the zone, offset."""
    said = datetime.fromisoformat(instant).strftime("%a %d %b %Y, %H:%M")
    return f"{said} (UTC{instant[-6:]})" if offset else said


def place(region: RegionSide | RegionDose, titles: Mapping[str, str]) -> str:
    """Return a region and its side in words."""
    title = titles.get(region.region, region.region)
    return f"{title}, {region.side}" if region.side else title


def words(token: str) -> str:
    """Return a token as words: `needle_gauge` is needle gauge."""
    return token.replace("-", " ").replace("_", " ")


def diluent_name(token: str) -> str:
    """Return a diluent as it stands on the bottle."""
    return _DILUENTS.get(token, words(token))


def unit_of(unit: str) -> str:
    """Return a unit as a person reads it; that of a product, such as `pore.unit.bocouture`, is U."""
    if unit in _UNITS:
        return _UNITS[unit][1]
    return "U" if ".unit." in unit else _SYMBOLS.get(unit, unit.strip("{}"))


def amount(value: str, unit: str) -> str:
    """Return a figure with its unit as a person reads it."""
    said = _UNITS[unit][0] if unit in _UNITS and value == "1" else unit_of(unit)
    return f"{value}{said}" if said == "°" else f"{value} {said}"


def plain(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [
        "| " + " | ".join(head) + " |",
        "|" + " --- |" * len(head),
        *("| " + " | ".join(r) + " |" for r in body),
        "",
    ]


def statement(item: SourcedStatement, locale: str) -> str:
    """Return a clinical sentence; one from a secondary source or from memory says so."""
    return localise(item.text, locale) + (" *(unverified)*" if item.mark in ("T", "M") else "")


def planned_amount(figure: PlannedParameter | None) -> str:
    return amount(figure.value, figure.unit) if figure is not None else "not given"
