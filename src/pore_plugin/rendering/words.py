"""Words, tables and marks that all sheets share."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ..clinical.wording.localising import localise
from ..contracts import PlannedParameter, RegionDose, RegionSide, SourcedStatement

__all__ = ["SIGNS", "amount", "banner", "moment", "place", "plain", "planned_amount", "statement", "table", "unit_of"]

SIGNS = {"block": "■ BLOCK", "review": "▲ REVIEW", "inform": "● INFORM", "clear": "✓ CLEAR"}


def banner(*, sample: bool = False, draft: bool = False) -> list[str]:
    """Return the lines that mark a sheet as SAMPLE or DRAFT."""
    lines = []
    if sample:
        lines += ["> **SAMPLE** — figures from a sample protocol. Not for treating anyone.", ""]
    if draft:
        lines += ["> **DRAFT** — not approved by a prescriber of this clinic.", ""]
    return lines


def moment(instant: str) -> str:
    """Return an instant as a person reads it: weekday, date, time and offset."""
    return datetime.fromisoformat(instant).strftime("%a %d %b %Y, %H:%M (UTC%z)")


def place(region: RegionSide | RegionDose, titles: Mapping[str, str]) -> str:
    """Return a region and its side in words."""
    title = titles.get(region.region, region.region)
    return f"{title}, {region.side}" if region.side else title


def unit_of(unit: str) -> str:
    """Return a unit as a person reads it: UCUM writes `{piece}` and `[arb'U]`."""
    return "U" if unit == "[arb'U]" else unit.strip("{}")


def amount(value: str, unit: str) -> str:
    """Return a figure with its unit as a person reads it."""
    return f"{value} {unit_of(unit)}"


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
