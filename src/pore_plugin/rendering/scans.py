"""What was scanned, and the vial that it makes."""

import json
import re
from collections.abc import Iterator

from ..contracts import Scan
from .words import table

__all__ = ["scan_sheet"]

_NEEDED = ("id", "product", "lot", "expiry", "units")


def scan_sheet(scan: Scan) -> str:
    """Return what is on a code, what could not be read, and a vial with what the code does not know left to add."""
    rows = (("Product number", scan.gtin), ("Lot", scan.lot), ("Expiry", scan.expiry), ("Serial number", scan.serial))
    lines = ["# Scan", "", *table(("On the code", "Reads"), ((name, value or "not read") for name, value in rows))]
    lines += [f"- **{problem.sentence}** {problem.next_step} (`{problem.code}`)" for problem in scan.problems]
    vial = dict(_vial(scan))
    if vial:
        missing = ", ".join(f"`{name}`" for name in _NEEDED if name not in vial)
        lines += ["", "## Vial", "", "```json", json.dumps(vial, indent=2), "```", "", f"Add {missing}."]
    return "\n".join(lines).rstrip() + "\n"


def _vial(scan: Scan) -> Iterator[tuple[str, str]]:
    # The number of this one pack makes the same vial of it at every scan, and so shows a second patient.
    if scan.gtin and scan.serial and re.fullmatch("[A-Za-z0-9.-]+", scan.serial):
        yield "id", f"{scan.gtin}.{scan.serial}"
    if scan.lot:
        yield "lot", scan.lot
    if scan.expiry:
        yield "expiry", scan.expiry
