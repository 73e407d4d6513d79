"""What the library hands to the workflow: what new work may use, and every version that records pin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contracts import Clinic
from ..storage import Unit
from ..validation.jsontext import read_json

__all__ = ["holdings"]


def holdings(unit: Unit, clinic: Clinic, today: str, *, drafts: bool) -> list[Mapping[str, Any]]:
    """Return the clinic's content documents with the status that they have here on this day."""
    return [read_json(row.canonical) for row in unit.content.all() if row.origin == "clinic"]
