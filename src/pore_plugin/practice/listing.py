"""What the library holds and what each version may be used for today."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from ..clinical.treatment.approvals import why_not_approved
from ..contracts import Approval, ConsultationForm, ContentEntry, ContentState, Pin
from .approving import said_approvals
from .desk import Desk
from .shelf import Shelf
from .standing import Standing, number

__all__ = ["due_by", "entries_of", "entry_of", "listed"]


def listed(desk: Desk, shelf: Shelf) -> tuple[ContentEntry, ...]:
    """Return every version of every document of the library, the package and the extensions, by id and version."""
    return tuple(sorted(_entries(desk, shelf, None), key=lambda entry: (entry.id, number(entry.version))))


def entries_of(desk: Desk, shelf: Shelf, pins: Iterable[Pin]) -> tuple[ContentEntry, ...]:
    """Return these versions as the list shows them."""
    wanted = list(pins)
    found = {(entry.id, entry.version): entry for entry in _entries(desk, shelf, {pin.id for pin in wanted})}
    return tuple(found[pin.id, pin.version] for pin in wanted)


def entry_of(desk: Desk, shelf: Shelf, pin: Pin) -> ContentEntry:
    """Return one version as the list shows it."""
    return entries_of(desk, shelf, [pin])[0]


def due_by(entry: ContentEntry, today: str, days: int) -> bool:
    """Return whether an approval or a review of something in use ends within so many days, or has ended."""
    last = (date.fromisoformat(today) + timedelta(days=days)).isoformat()
    ends = [day for day in (entry.valid_until, entry.review_due) if day is not None]
    return entry.state in ("active", "expired") and (entry.state == "expired" or any(day <= last for day in ends))


def _entries(desk: Desk, shelf: Shelf, only: set[str] | None) -> Iterator[ContentEntry]:
    approvals = said_approvals(shelf.unit, only)
    if only is not None:
        shelf.expect(only)
    standings = shelf.standings if only is None else {one: shelf.stands(one) or Standing() for one in only}
    current = _current(shelf, standings)
    bases: dict[tuple[str, str], Pin] = {}
    kept: list[tuple[Pin, str, str, dict[str, Any]]] = []
    seen: set[str] = set()
    for content_id, version, digest, kind, origin, canonical in _documents(shelf, only):
        document = json.loads(canonical)
        if kind == "overlay":
            base = Pin.model_validate(document["base"])
            bases[document["target"], version] = bases[content_id, version] = base
        if only is None or content_id in only:
            seen.add(digest)
            kept.append((Pin(id=content_id, version=version, digest=digest), kind, origin, document))
    for entry in shelf.workflow.catalogue.entries:
        # A composed form is listed for its base: it is what is answered and approved here.
        listed_here = not entry.is_kept and current.get(entry.pin.id) == entry.pin.version
        if listed_here and entry.pin.digest not in seen and (only is None or entry.pin.id in only):
            kept.append((entry.pin, entry.model.type, entry.origin, entry.document))
    for pin, kind, origin, document in kept:
        standing = standings.get(pin.id, Standing())
        of_it = [approval for approval in approvals.get(pin.id, ()) if approval.document == pin]
        state = _state(desk, pin, standing, current.get(pin.id), of_it)
        shown = _shown(desk, pin, of_it)
        yield ContentEntry(
            id=pin.id,
            type=kind,
            title=document["title"],
            version=pin.version,
            digest=pin.digest,
            origin=origin,
            state=state,
            approved_by=shown.approved_by if shown else None,
            valid_until=shown.valid_until if shown else None,
            review_due=document.get("review", {}).get("review_due"),
            base=bases.get((pin.id, pin.version)),
        )


def _documents(shelf: Shelf, only: set[str] | None) -> Iterator[tuple[str, str, str, str, str, bytes]]:
    """Yield what is kept, or of these ids with every overlay, which alone knows the base of what it makes."""
    if only is None:
        yield from shelf.unit.content.documents()
        return
    yield from shelf.unit.content.documents(types=["overlay"])
    yield from (one for one in shelf.unit.content.documents(only) if one[3] != "overlay")


def _current(shelf: Shelf, standings: Mapping[str, Standing]) -> dict[str, str]:
    """Return the version that new work uses, by id."""
    found = {
        content_id: version[0]
        for content_id, standing in standings.items()
        if (version := standing.current()) is not None
    }
    for entry in shelf.workflow.catalogue.entries:
        if not entry.is_kept and entry.is_current:
            before = found.get(entry.pin.id)
            if before is None or number(before) < entry.number:
                found[entry.pin.id] = entry.pin.version
    for form in shelf.workflow.catalogue.of_type(ConsultationForm):
        found[form.pin.id] = shelf.workflow.form(form.pin.id).pin.version
    return found


def _state(desk: Desk, pin: Pin, standing: Standing, current: str | None, approvals: list[Approval]) -> ContentState:
    if standing.retired:
        return "retired"
    if pin.version in standing.left:
        return "rolled-back"
    holds = why_not_approved(pin, approvals, desk.clinic, desk.now()) is None
    if pin.version == current:
        given = [approval for approval in approvals if approval.withdrawn_at is None]
        return "active" if holds else "expired" if given else "draft"
    newer = current is None or number(pin.version) > number(current)
    return "draft" if newer and pin.version in standing.imported and not holds else "superseded"


def _shown(desk: Desk, pin: Pin, approvals: list[Approval]) -> Approval | None:
    """Return the approval to show: one that holds, else the last one that nobody withdrew."""
    given = sorted(
        (a for a in approvals if a.withdrawn_at is None), key=lambda a: (a.approved_at, a.valid_until or "~")
    )
    holding = [a for a in given if why_not_approved(pin, [a], desk.clinic, desk.now()) is None]
    return next(reversed(holding or given), None)
