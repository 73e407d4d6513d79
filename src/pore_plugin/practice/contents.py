"""The content that records are made with: its bytes are kept with the first record that needs them."""

from __future__ import annotations

from hashlib import sha256

from ..catalogue import Catalogue
from ..contracts import Pin, Problem, ProblemsError
from ..storage import Unit
from ..storage.rows import ContentRow

__all__ = ["keep_content"]


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
