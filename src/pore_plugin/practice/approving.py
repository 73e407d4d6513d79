"""Approvals: a prescriber of the clinic lets the very bytes of a document be worked with, until a day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..catalogue import Catalogue, Entry
from ..clinical.keys import record_key
from ..clinical.treatment.approvals import is_approved
from ..contracts import Approval, ContentDocument, ContentStatus, Pin, ProblemsError, refusal
from ..contracts.canonical import record_digest
from ..storage import Unit
from ..storage.records import Paper
from ..workflow import PoreWorkflow
from .contents import keep_content
from .desk import Desk
from .holdings import holdings
from .keeping import moment
from .shelf import Found

__all__ = ["approvals", "approve", "as_approved", "held_together", "refuse_unfit", "said_approvals", "withdraw"]

T = TypeVar("T", bound=ContentDocument)


def approvals(unit: Unit, documents: Iterable[str] | None = None) -> tuple[Approval, ...]:
    """Return the clinic's approvals as they stand, all or those of these content ids; which hold is for the gate."""
    kept = unit.records.of_kind("approval") if documents is None else unit.records.of_subject(documents, "approval")
    return tuple(Approval.from_json(row.document) for row in kept)


def as_approved(desk: Desk, entry: Entry[T]) -> Entry[T]:
    """Return a document with the status that it has for this clinic today: active while an approval of it holds."""
    with desk.use("content.read") as unit:
        given = approvals(unit, [entry.pin.id])
    status: ContentStatus = "active" if is_approved(entry.pin, given, desk.clinic, desk.now()) else "draft"
    if entry.status in (status, "retired"):
        return entry
    return Entry.kept(entry.contract, entry.pin, entry.canonical, status, entry.origin)


def said_approvals(unit: Unit, ids: Iterable[str] | None = None) -> dict[str, list[Approval]]:
    """Return the approvals that the library gave, all or of these content ids, by content id; reads no records."""
    known: dict[str, Approval] = {}
    for event in unit.content.history(ids):
        if event.document is not None:
            approval = Approval.from_json(event.document)
            known[approval.id] = approval
    found: dict[str, list[Approval]] = {}
    for approval in known.values():
        found.setdefault(approval.document.id, []).append(approval)
    return found


def refuse_unfit(desk: Desk, person: str, until: str) -> None:
    """Raise `ProblemsError` for somebody who may not approve (`approval.prescriber`), or a day that is over."""
    signer = desk.clinic.person(person)
    if signer is None or "prescriber" not in signer.roles:
        fit = [one.id for one in desk.clinic.people if "prescriber" in one.roles]
        raise refusal(
            "approval.prescriber",
            "Only a prescriber of the clinic settings approves content, and this is none.",
            f"Name one of: {', '.join(fit)}." if fit else "Enter a prescriber in the clinic settings first.",
        )
    if until < desk.today():
        raise refusal("approval.past", f"An approval until {until} would not hold today.", "Name a day to come.")


def approve(
    desk: Desk,
    unit: Unit,
    catalogue: Catalogue,
    documents: Iterable[Found],
    *,
    person: str,
    until: str,
    why: str | None,
    action: str = "approved",
) -> None:
    """Keep approvals of these very bytes by this person, with the bytes, and put them into the history."""
    at = desk.instant()
    given: list[Approval] = []
    for found in documents:
        pin = found.pin
        if not found.kept:
            keep_content(unit, catalogue, pin)
        approval = Approval(
            id=record_key(desk.clinic.id, pin.id, f"approval.{pin.digest}.{person}.{until}.{at}"),
            clinic=desk.clinic.id,
            document=pin,
            approved_by=person,
            approved_at=at,
            valid_until=until,
            note=why,
        )
        given.append(approval)
    unit.records.put_all("approval", (_paper(one, moment(at), "active") for one in given))
    said = (one.to_json() for one in given)
    unit.content.record(action, [_triple(one.document) for one in given], why=why, until=until, documents=said)


def withdraw(desk: Desk, unit: Unit, approvals: Iterable[Approval], why: str | None) -> tuple[Pin, ...]:
    """Take approvals back from now on, and return what they were of; one that was taken back stays as it is."""
    at = desk.instant()
    ended = [one.model_copy(update={"withdrawn_at": at}) for one in approvals if one.withdrawn_at is None]
    unit.records.put_all("approval", (_paper(one, unit.now, "withdrawn") for one in ended))
    said = (one.to_json() for one in ended)
    unit.content.record("approval-withdrawn", [_triple(one.document) for one in ended], why=why, documents=said)
    return tuple(dict.fromkeys(one.document for one in ended))


def _paper(approval: Approval, at: int, state: str) -> Paper:
    pin = approval.document
    return Paper(approval.id, approval.to_json(), record_digest(approval), at, pin.id, state, (_triple(pin),))


def held_together(desk: Desk, unit: Unit, workflow: PoreWorkflow) -> None:
    """Raise `ProblemsError` where a change of the library takes from something in use what it leans on."""
    others = [entry for entry in workflow.catalogue.entries if not entry.is_kept and not entry.is_composed]
    known = {entry.pin: entry for entry in workflow.catalogue.entries if entry.is_kept}
    made = Catalogue.build((), [*others, *holdings(unit, drafts=desk.drafts, known=known)])
    before = {(problem.code, problem.sentence) for problem in workflow.plugins.problems}
    new = [problem for problem in made.problems if (problem.code, problem.sentence) not in before]
    if new:
        step = "Change what leans on it first, and then this document."
        raise ProblemsError(problem.model_copy(update={"next_step": step}) for problem in new)


def _triple(pin: Pin) -> tuple[str, str, str]:
    return pin.id, pin.version, pin.digest
