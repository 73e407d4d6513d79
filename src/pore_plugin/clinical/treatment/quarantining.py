"""Lots that a clinic does not use: the block before the needle, and the lot that reads almost like one of them.

A quarantine is the clinic's own and holds from its moment until it is lifted. No override and no policy goes round it;
a vial that was used all the same is recorded, with a deviation.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ...contracts import LotQuarantine, NotReady, Text, Vial
from ..durations import to_utc
from ..wording.localising import fill_text
from .lots import nearness

__all__ = ["in_force", "quarantine_notes", "quarantine_reasons"]


def in_force(quarantine: LotQuarantine, now: datetime) -> bool:
    """Say whether a quarantine holds at a moment: it is set by then and not lifted."""
    lifted = quarantine.lifted_at
    return to_utc(quarantine.at) <= now and (lifted is None or to_utc(lifted) > now)


def quarantine_reasons(
    vials: Iterable[Vial], quarantines: Iterable[LotQuarantine], *moments: datetime
) -> Iterator[NotReady]:
    """Yield a reason for each vial of a lot that is quarantined at one of these moments, whatever its product."""
    quarantines = tuple(quarantines)
    for vial in dict.fromkeys(vials):
        if any(_close(vial, one) == "same" for one in quarantines if _in_force(one, moments)):
            yield NotReady(
                code="vial.lot_quarantined",
                sentence="A vial is of a lot that is quarantined in this clinic.",
                next_step="Set the vial aside and take one of another lot. No policy and no override lifts this block.",
            )


def quarantine_notes(
    vials: Iterable[Vial], quarantines: Iterable[LotQuarantine], messages: Mapping[str, Text], *moments: datetime
) -> Iterator[Text]:
    """Yield why a lot is quarantined, and which lot reads almost like a quarantined one: a misread digit hides it."""
    quarantines = tuple(quarantines)
    said = {
        (_close(vial, one), vial.lot, one.lot, one.at, one.reason): None
        for vial in vials
        for one in quarantines
        if _in_force(one, moments)
    }
    for close, lot, quarantined, at, reason in said:
        if close == "same":
            yield fill_text(messages["note-lot-quarantined"], {"lot": lot, "day": at[:10], "reason": reason})
        elif close == "one-character":
            yield fill_text(messages["note-lot-near"], {"lot": lot, "quarantined": quarantined})


def _in_force(quarantine: LotQuarantine, moments: Iterable[datetime]) -> bool:
    return any(in_force(quarantine, moment) for moment in moments)


def _close(vial: Vial, quarantine: LotQuarantine) -> str | None:
    return nearness(vial.lot, quarantine.lot) if quarantine.product in (None, vial.product) else None
