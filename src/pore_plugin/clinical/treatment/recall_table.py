"""A recall as a table for a spreadsheet: RFC 4180, one row for each treatment, vial of the lot and region. Pure."""

import csv
import io
import unicodedata
from collections.abc import Iterator

from ...contracts import RecallReport, RecallUse, RecallVial

__all__ = ["COLUMNS", "safe_cell", "to_csv"]

COLUMNS = (
    "part",
    "lot_asked",
    "lot_recorded",
    "quarantined",
    "product",
    "expiry",
    "patient",
    "treatment",
    "record",
    "amended",
    "date",
    "region",
    "side",
    "region_points",
    "region_volume_ml",
    "region_units",
    "vial_used_units",
    "vial_wasted_units",
    "operator",
    "prescriber",
    "follow_up",
    "next_step",
    "next_due",
    "missed_steps",
    "last_contact",
    "last_contact_how",
    "watch_until",
    "adverse_events",
    "task",
    "uses",
)
"""`part` is `use`, `corrected` (recorded with the lot at first, amended since) or `near` (another lot; `uses` says how
many treatments used it). The figures of a vial stand in the row of every region, and those of a region in the row of
every vial: which region got which vial is not recorded."""

# The long minus is read as a minus by some.
_STARTS_A_FORMULA = frozenset("=+-@\u2212")


def safe_cell(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; one that would be gets an apostrophe in front.

    It is asked of the first sign after blanks, controls and quotation marks, in every width that the sign has.
    """
    if value[:1] in ("\t", "\r", "\n"):
        return f"'{value}"
    plain = unicodedata.normalize("NFKC", value)
    for sign in plain:
        if sign in _STARTS_A_FORMULA:
            return f"'{value}"
        if not (sign.isspace() or sign in "\"'" or unicodedata.category(sign) in ("Cc", "Cf")):
            break
    return value


def to_csv(report: RecallReport) -> bytes:
    """Return the table in UTF-8 with a line of names. Without a byte order mark: everything in it is ASCII."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    for row in _rows(report):
        writer.writerow({name: safe_cell(value) for name, value in row.items()})
    return out.getvalue().encode()


def _rows(report: RecallReport) -> Iterator[dict[str, str]]:
    asked = {"lot_asked": report.lot, "quarantined": _said(report.quarantined)}
    for part, uses in (("use", report.uses), ("corrected", report.corrected)):
        for use in uses:
            common = {"part": part, **asked, **_use(use)}
            for vial in use.vials:
                if vial.asked:
                    yield from ({**common, **_vial(vial), **region} for region in _regions(use))
    for near in report.near:
        for lot in near.lots:
            yield {
                "part": "near",
                "lot_asked": report.lot,
                "lot_recorded": lot,
                "quarantined": _said(near.quarantined),
                "uses": str(near.uses),
            }


def _said(value: bool) -> str:
    return "yes" if value else "no"


def _use(use: RecallUse) -> dict[str, str]:
    state = use.follow_up
    contact = state.last_contact
    return {
        "patient": use.patient,
        "treatment": use.treatment,
        "record": use.record,
        "amended": _said(use.amended),
        "date": use.date,
        "operator": use.operator,
        "prescriber": use.prescriber or "",
        "follow_up": state.state,
        "next_step": state.next_step or "",
        "next_due": state.next_due or "",
        "missed_steps": "; ".join(state.missed),
        "last_contact": contact.at if contact else "",
        "last_contact_how": contact.how if contact else "",
        "watch_until": state.watch_until or "",
        "adverse_events": "; ".join(
            f"{event.code} ({event.severity}{', reportable' if event.reportable else ''}, from {event.onset})"
            for event in use.adverse_events
        ),
        "task": "" if use.task is None else "done" if use.task.done else "open",
    }


def _vial(vial: RecallVial) -> dict[str, str]:
    return {
        "lot_recorded": vial.lot,
        "product": vial.product,
        "expiry": vial.expiry,
        "vial_used_units": vial.used,
        "vial_wasted_units": vial.wasted,
    }


def _regions(use: RecallUse) -> Iterator[dict[str, str]]:
    """Yield the cells of each region, or once none: a vial that was drawn and thrown away is recalled as well."""
    if not use.regions:
        yield {}
    for region in use.regions:
        yield {
            "region": region.region,
            "side": region.side or "",
            "region_points": str(region.points),
            "region_volume_ml": region.volume,
            "region_units": region.units,
        }
