"""Lots: which treatment used which, and which lots read almost alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from . import tables
from .rows import LotUse

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["Lots"]

_T = tables.lot_use.c
_COLUMNS = tuple(_T[name] for name in LotUse.__slots__)


class Lots:
    """The lots of one clinic in one transaction. Keys and their variants are worked out by the caller."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def note(self, lot: str, key: str, variants: Iterable[str]) -> None:
        """Keep a lot as it is written, so that it is found by its key and by keys that are almost it."""
        mine, t = self._unit.clinic, tables.lot.c
        known = [str(name) for (name,) in self._unit.execute(select(t.lot).where(t.clinic == mine, t.lot_key == key))]
        if not known:
            rows = [{"clinic": mine, "variant": variant, "lot_key": key} for variant in sorted(set(variants))]
            if rows:
                self._unit.execute(insert(tables.lot_variant), rows)
        if lot not in known:
            values = {"clinic": mine, "lot_key": key, "lot": lot, "first_at": self._unit.now}
            self._unit.execute(insert(tables.lot).values(**values))

    def used(self, treatment: str, uses: Mapping[str, Iterable[LotUse]]) -> None:
        """Keep what a treatment used, by lot key; what was kept of it before, and is not among it, is replaced."""
        mine = self._unit.clinic
        of_it = (_T.clinic == mine, _T.treatment == treatment)
        uses = {key: list(found) for key, found in uses.items()}
        for key, found in uses.items():
            again = (_T.lot_key == key, _T.vial.in_([use.vial for use in found]))
            self._unit.execute(delete(tables.lot_use).where(*of_it, *again))
        self._unit.execute(
            update(tables.lot_use).where(*of_it, _T.replaced_at.is_(None)).values(replaced_at=self._unit.now)
        )
        rows = [
            {"clinic": mine, "lot_key": key, **{name: getattr(use, name) for name in LotUse.__slots__}}
            for key, found in uses.items()
            for use in found
        ]
        if rows:
            self._unit.execute(insert(tables.lot_use), rows)

    def uses_of(self, key: str) -> list[LotUse]:
        """Return every use of a lot, replaced ones too, the newest first."""
        statement = (
            select(*_COLUMNS)
            .where(_T.clinic == self._unit.clinic, _T.lot_key == key)
            .order_by(_T.at.desc(), _T.treatment, _T.vial)
        )
        uses = [LotUse(*row) for row in self._unit.execute(statement)]
        for use in uses:
            self._unit.touched("read", use.patient, "treatment-record", use.treatment)
        return uses

    def uses_of_vial(self, key: str, vial: str) -> list[LotUse]:
        """Return every use of one vial of a lot, the newest first."""
        statement = (
            select(*_COLUMNS)
            .where(_T.clinic == self._unit.clinic, _T.lot_key == key, _T.vial == vial, _T.replaced_at.is_(None))
            .order_by(_T.at.desc(), _T.treatment)
        )
        uses = [LotUse(*row) for row in self._unit.execute(statement)]
        for use in uses:
            self._unit.touched("read", use.patient, "treatment-record", use.treatment)
        return uses

    def near(self, variants: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the lots that share a variant with these: every way each was written, by its key."""
        t, near = tables.lot.c, tables.lot_variant.c
        mine = self._unit.clinic
        alike = select(near.lot_key).where(near.clinic == mine, near.variant.in_(list(variants)))
        # Asked in one statement, PostgreSQL would go through every lot for it.
        keys = sorted({str(key) for (key,) in self._unit.execute(alike)})
        if not keys:
            return {}
        statement = select(t.lot_key, t.lot).where(t.clinic == mine, t.lot_key.in_(keys)).order_by(t.lot_key, t.lot)
        found: dict[str, tuple[str, ...]] = {}
        for key, lot in self._unit.execute(statement):
            found[key] = (*found.get(key, ()), lot)
        return found

    def count(self, keys: Iterable[str]) -> dict[str, int]:
        """Return in how many treatments each lot was used, by key."""
        wanted = list(dict.fromkeys(keys))
        if not wanted:
            return {}
        statement = (
            select(_T.lot_key, func.count(_T.treatment.distinct()))
            .where(_T.clinic == self._unit.clinic, _T.lot_key.in_(wanted), _T.replaced_at.is_(None))
            .group_by(_T.lot_key)
        )
        return {key: int(number) for key, number in self._unit.execute(statement)}

    def reassign(self, treatment: str, patient: str) -> None:
        """Have the uses of a treatment found under another patient."""
        where = (_T.clinic == self._unit.clinic, _T.treatment == treatment)
        self._unit.execute(update(tables.lot_use).where(*where).values(patient=patient))
