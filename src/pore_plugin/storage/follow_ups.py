"""Follow-up steps where they stand, and the moves that brought them there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from . import tables
from .chunks import parts
from .rows import StepRow

if TYPE_CHECKING:
    from .unit import Unit

__all__ = ["FollowUps"]

_T = tables.step.c
_COLUMNS = tuple(_T[name] for name in StepRow.__slots__)


class FollowUps:
    """The follow-up steps of one clinic in one transaction."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def plan(self, rows: Iterable[StepRow]) -> None:
        """Keep steps. One that is there already keeps its state and gets its new times."""
        for row in rows:
            values = {name: getattr(row, name) for name in StepRow.__slots__}
            if self.get(row.key) is None:
                self._unit.execute(insert(tables.step).values(clinic=self._unit.clinic, **values))
            else:
                kept = {name: value for name, value in values.items() if name not in ("key", "state", "moved_at")}
                self._set(row.key, **kept)

    def move(self, key: str, state: str, record: str, *, due: int | None = None) -> None:
        """Put a step into a state, by the move record of this id, and to another time where one is given.

        The red-flag watch of its plan is kept open at least until that time, which is for the caller to look at.
        """
        moves = tables.step_move.c
        last = self._unit.execute(
            select(func.max(moves.seq)).where(moves.clinic == self._unit.clinic, moves.key == key)
        ).scalar()
        values = {"key": key, "seq": (last or 0) + 1, "record": record}
        self._unit.execute(insert(tables.step_move).values(clinic=self._unit.clinic, **values))
        self._set(key, state=state, moved_at=self._unit.now, **({} if due is None else {"due": due}))
        if due is not None:
            plan = select(_T.plan).where(_T.clinic == self._unit.clinic, _T.key == key).scalar_subquery()
            late = (_T.clinic == self._unit.clinic, _T.plan == plan, _T.watch_until < due)
            self._unit.execute(update(tables.step).where(*late).values(watch_until=due))

    def reassign(self, treatment: str, patient: str) -> None:
        """Have the steps of a treatment found under another patient."""
        where = (_T.clinic == self._unit.clinic, _T.treatment == treatment)
        self._unit.execute(update(tables.step).where(*where).values(patient=patient))

    def get(self, key: str) -> StepRow | None:
        """Return one step, or nothing."""
        return next(iter(self._rows(_T.key == key)), None)

    def keys_from(self, start: str, limit: int = 2) -> list[str]:
        """Return keys of steps that begin so."""
        where = (_T.clinic == self._unit.clinic, _T.key >= start, _T.key < start + "\x7f")
        return [str(key) for (key,) in self._unit.execute(select(_T.key).where(*where).order_by(_T.key).limit(limit))]

    def of_plan(self, plan: str) -> list[StepRow]:
        """Return the steps of a follow-up plan by their time."""
        return self._rows(_T.plan == plan)

    def of_treatment(self, treatment: str) -> list[StepRow]:
        """Return the steps after a treatment by their time."""
        return self._rows(_T.treatment == treatment)

    def of_patient(self, patients: Iterable[str]) -> list[StepRow]:
        """Return the steps of these patient ids by their time."""
        return self._rows(_T.patient.in_(list(patients)))

    def in_states(self, states: Iterable[str], until: int) -> list[StepRow]:
        """Return the steps in these states that were due by a moment, the earliest first."""
        return self._rows(_T.state.in_(list(states)) & (_T.due <= until))

    def waiting(self, states: Iterable[str], until: int, *, since: int) -> list[StepRow]:
        """Return the steps in these states that were due by a moment, the earliest first.

        Left out is what was due and whose window ended before `since`.
        """
        return self._rows(_T.state.in_(list(states)) & (_T.due <= until) & _not_over(since))

    def opened(self, states: Iterable[str], at: int, *, since: int) -> list[StepRow]:
        """Return the steps in these states whose window had opened by a moment; left out is what `waiting` leaves."""
        return self._rows(_T.state.in_(list(states)) & (_T.earliest <= at) & _not_over(since))

    def ended(self, states: Iterable[str], until: int) -> list[StepRow]:
        """Return the steps in these states whose window ended by a moment, the earliest first."""
        return self._rows(_T.state.in_(list(states)) & (_T.latest <= until))

    def after(self, states: Iterable[str], since: int) -> list[StepRow]:
        """Return the steps in these states that are due after a moment, the earliest first."""
        return self._rows(_T.state.in_(list(states)) & (_T.due > since))

    def recent(self, states: Iterable[str], since: int) -> list[StepRow]:
        """Return the steps in these states that were due, or whose window ended, at a moment or after it."""
        wanted = _T.state.in_(list(states))
        # One look-up for each index: neither database finds both from one condition every time.
        found = [*self._rows(wanted & (_T.due >= since)), *self._rows(wanted & (_T.latest >= since))]
        return sorted({row.key: row for row in found}.values(), key=lambda row: (row.due, row.key))

    def watched(self, at: int) -> list[StepRow]:
        """Return the steps of the plans whose red-flag watch may be open at a moment, the earliest first."""
        return self._rows(_T.watch_until >= at)

    def unfinished(self, plans: Iterable[str], final: Iterable[str]) -> set[str]:
        """Return those of these follow-up plans that have a step in another state than these. Reads no record."""
        closed = list(final)
        found: set[str] = set()
        for part in parts(plans):
            where = (_T.clinic == self._unit.clinic, _T.plan.in_(part))
            statement = select(_T.plan).where(*where, _T.state.not_in(closed)).distinct()
            found |= {str(plan) for (plan,) in self._unit.execute(statement)}
        return found

    def moves(self, key: str) -> list[str]:
        """Return the ids of a step's move records in their order."""
        moves = tables.step_move.c
        statement = select(moves.record).where(moves.clinic == self._unit.clinic, moves.key == key).order_by(moves.seq)
        return [str(record) for (record,) in self._unit.execute(statement)]

    def _rows(self, where: ColumnElement[bool]) -> list[StepRow]:
        statement = select(*_COLUMNS).where(_T.clinic == self._unit.clinic, where).order_by(_T.due, _T.key)
        rows = [StepRow(*row) for row in self._unit.execute(statement)]
        for row in rows:
            self._unit.touched("read", row.patient, "follow-up-step", row.key)
        return rows

    def _set(self, key: str, **values: object) -> None:
        where = (_T.clinic == self._unit.clinic, _T.key == key)
        self._unit.execute(update(tables.step).where(*where).values(**values))


def _not_over(since: int) -> ColumnElement[bool]:
    return or_(_T.due >= since, _T.latest.is_(None), _T.latest >= since)
