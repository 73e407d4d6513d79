"""What the library hands to the workflow: what new work may use, and every version that records pin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ..builtin import content
from ..catalogue import CLINIC, Entry
from ..contracts import DOCUMENTS, ContentDocument, Overlay, Pin
from ..storage import Unit
from .standing import standings

__all__ = ["LOOKED_UP", "holdings"]

LOOKED_UP = ("consultation-form", "instrument", "product")
"""Types that name things in records, or that extensions add to; there are few of them, unlike templates.

They lean on no other type that a clinic has of its own."""


def holdings(
    unit: Unit,
    *,
    drafts: bool,
    types: Iterable[str] | None = None,
    known: Mapping[Pin, Entry[Any]] = MappingProxyType({}),
) -> list[Entry[Any]]:
    """Return the clinic's content documents with the status that they have in its library.

    Of each document one version is for new work: the one that was approved or gone back to last, else the newest
    draft; with `drafts` also a draft that is newer. Everything else is handed in as retired, so that records find it
    by its pin: other versions, and what the package or an extension had when it was approved or used. An approval
    that ran out changes nothing here: it stops a treatment, not a plan. With `types` only documents of these. `known`:
    what was read before and need not be read again.
    """
    documents = list(unit.content.documents(types=types))
    if not documents:
        return []
    ids = None if types is None else [content_id for content_id, *_ in documents]
    ours = {checked.digest for checked in content()}
    used = {
        (content_id, current[0]): current[1]
        for content_id, standing in standings(unit.content.actions(ids), unit.content.heads(ids)).items()
        if (current := standing.current(drafts=drafts)) is not None
    }
    held: list[Entry[Any]] = []
    for content_id, version, digest, kind, _, canonical in documents:
        contract = DOCUMENTS.get(kind)
        # An overlay is kept beside the document that it makes, which is the one that anybody works with.
        if digest in ours or contract is None or not issubclass(contract, ContentDocument) or contract is Overlay:
            continue
        status = used.get((content_id, version), "retired")
        pin = Pin(id=content_id, version=version, digest=digest)
        before = known.get(pin)
        again = before is not None and before.contract is contract
        entry = before if again and before is not None else Entry.kept(contract, pin, canonical, status, CLINIC)
        held.append(entry if entry.status == status else entry.with_status(status))
    return held
