"""Two documents beside each other, and the history of one with what each step changed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ..contracts import ContentDiff, ContentHistory, HistoryEntry, Pin, ProblemsError, RatedChange, refusal
from ..library.checking import check_package
from ..library.classes import needed_bump, rated
from ..library.diffing import diff
from ..library.sources import read_sources
from .desk import Desk
from .shelf import Found, Shelf
from .standing import newest

__all__ = ["Compared", "compared", "diff_of", "history_of", "names_document"]

_NAMED = re.compile(r"[a-z][a-z0-9]*(\.[a-z0-9]+(-[a-z0-9]+)*)+(@[0-9.]+(\+[0-9a-f]{12})?)?")


@dataclass(frozen=True, slots=True)
class Compared:
    """One side of a comparison."""

    pin: Pin
    type: str
    document: dict[str, Any]


def names_document(word: str) -> bool:
    """Return whether a word is `ID` or `ID@VERSION` rather than the name of a file."""
    return _NAMED.fullmatch(word) is not None and not Path(word).is_file()


def compared(shelf: Shelf, word: str | Path) -> Compared:
    """Return what `ID`, `ID@VERSION` or a file stands for. Raises `ProblemsError` with what is wrong with the file."""
    if isinstance(word, str) and names_document(word):
        found = shelf.found(word)
        return Compared(found.pin, found.type, found.document)
    package = check_package(read_sources([Path(word)]), references=False)
    if not package.content:
        raise ProblemsError(package.problems) if package.problems else _no_content()
    if len(package.content) > 1:
        raise refusal("diff.several", "There is more than one document in it.", "Name one file.")
    (file,) = package.content
    model = file.checked.model
    pin = Pin(id=model.id, version=model.version, digest=file.checked.digest)
    return Compared(pin, file.contract, file.checked.document)


def diff_of(old: Compared, new: Compared) -> ContentDiff:
    """Return the differences of two documents of one type. Raises `ProblemsError` (`diff.other_type`)."""
    if old.type != new.type:
        sentence = f"A {old.type} and a {new.type} have nothing to compare."
        raise refusal("diff.other_type", sentence, "Name two documents of one type.")
    changes = rated(old.type, diff(old.document, new.document))
    return ContentDiff(type=old.type, old=old.pin, new=new.pin, changes=changes, needed_bump=needed_bump(changes))


def history_of(desk: Desk, shelf: Shelf, content_id: str) -> ContentHistory:
    """Return everything that was done with a document, each step with what it changed for whoever works by it."""
    found: Found = shelf.found(content_id, "newest")
    rows = {row.version: row for row in shelf.unit.content.versions(content_id)}
    documents = {version: json.loads(row.canonical) for version, row in rows.items()}
    zone = ZoneInfo(desk.clinic.zone)
    imported: list[str] = []
    in_use: str | None = None
    entries: list[HistoryEntry] = []
    for event in shelf.unit.content.history([content_id]):
        before = newest(imported) if event.action == "imported" else in_use
        stepped = event.action in ("imported", "approved", "rolled-back") and before is not None
        changes: tuple[RatedChange, ...] = ()
        if stepped and before in documents and event.version in documents:
            changes = rated(found.type, diff(documents[before], documents[event.version]))
        if event.action == "imported":
            imported.append(event.version)
        elif event.action in ("approved", "rolled-back"):
            in_use = event.version
        entries.append(
            HistoryEntry.model_validate(
                {
                    "seq": len(entries) + 1,
                    "at": datetime.fromtimestamp(event.at, UTC).astimezone(zone).isoformat(),
                    "by": event.by,
                    "action": event.action,
                    "version": event.version,
                    "digest": event.digest,
                    "changes": changes,
                    **({"why": event.why} if event.why else {}),
                }
            )
        )
    return ContentHistory(id=content_id, type=found.type, entries=tuple(entries))


def _no_content() -> ProblemsError:
    return refusal("diff.no_content", "There is no content document in it.", "Name a template, a schedule, a text…")
