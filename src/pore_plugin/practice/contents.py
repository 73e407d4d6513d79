"""The content that records are made with: its bytes are kept with the first record that needs them."""

from __future__ import annotations

from hashlib import sha256

from ..catalogue import Catalogue
from ..contracts import Approval, Pin, Problem, ProblemsError
from ..storage import Unit
from ..storage.rows import ContentRow
from .standing import number, standings

__all__ = ["keep_content", "shelve_approval"]


def keep_content(unit: Unit, catalogue: Catalogue, pin: Pin) -> bool:
    """Keep the bytes of a pinned document, and return whether they are kept now.

    They are not where neither the catalogue nor the tables have ever had them. Raises `ProblemsError`
    (`content.differs`) where the version is kept with other bytes.
    """
    kept = unit.content.digest_of(pin.id, pin.version)
    if kept == pin.digest:
        return True
    try:
        entry = catalogue.pinned(pin)
    except ProblemsError:
        return False
    if kept is not None:
        raise ProblemsError(
            [
                Problem(
                    code="content.differs",
                    sentence=f"{pin.id} {pin.version} is kept here with other bytes than the ones in use now.",
                    next_step="Give the changed document a higher version: records pin the bytes of this one.",
                )
            ]
        )
    review = entry.model.review
    unit.content.add(
        [
            ContentRow(
                id=pin.id,
                version=pin.version,
                digest=pin.digest,
                type=entry.model.type,
                media="application/json",
                origin=entry.origin,
                source_digest=sha256(entry.canonical).hexdigest(),
                source=entry.canonical,
                canonical=entry.canonical,
                review_due=review.review_due if review is not None else None,
            )
        ]
    )
    return True


def shelve_approval(unit: Unit, approval: Approval) -> None:
    """Put an approval that a host or a person hands in into the history of its document, as the library puts its own.

    A version that is newer than the one in use is in use from now on. An older one is not: a copy of an old approval
    must not take new work back to what was replaced.
    """
    pin = approval.document
    ended = approval.withdrawn_at is not None
    unit.content.record(
        "approval-withdrawn" if ended else "approved",
        [(pin.id, pin.version, pin.digest)],
        why=approval.note,
        until=approval.valid_until,
        documents=[approval.to_json()],
    )
    if ended or "+" in pin.version:
        return
    heads = unit.content.heads()
    retired = any(one.retired for one in standings(unit.content.actions([pin.id]), heads).values())
    if not retired and (pin.id not in heads or number(pin.version) > number(heads[pin.id][0])):
        unit.content.set_head(pin.id, pin.version, pin.digest)
