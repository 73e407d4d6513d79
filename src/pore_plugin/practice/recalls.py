"""Recalls: who got a lot, what to do about it at once, and what went wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ..clinical.durations import to_utc
from ..clinical.keys import record_key
from ..clinical.treatment.lots import lot_key, near_keys, nearness, printed_lot
from ..clinical.treatment.quarantining import in_force
from ..clinical.treatment.recalling import adverse_events_by_lot, recall_report
from ..clinical.wording.localising import fill_text
from ..contracts import (
    Event,
    LotAdverseEvents,
    LotQuarantine,
    Product,
    RecallReport,
    RecallTask,
    ShelfVial,
    Task,
    TreatmentRecord,
    Vial,
    refusal,
)
from ..storage import Unit
from ..storage.rows import LotUse
from ..validation import check
from ..workflow.messages import messages
from .desk import Desk
from .keeping import Keeping, moment, read
from .patients import instant
from .tasks import CANCELLED, DONE, TOPIC, put_tasks
from .tracing import ERROR, trace

__all__ = ["adverse_events", "apply", "lift", "recall"]

_SHELF = 60 * 86400
"""Seconds: how long after it was made ready a vial is looked for. No label allows nearly as many; our design choice."""
_TELL = timedelta(days=1)
"""Within what time a patient is to be told: our design choice."""


def recall(desk: Desk, lot: str, product: str | None = None) -> RecallReport:
    """Return everything that is kept on a lot, in every spelling of it, and lots that read almost alike apart.

    Of patients who were erased nothing is kept that could be counted. Raises `ProblemsError` (`lot.unreadable`,
    `content.unknown` for a product).
    """
    with desk.use("lot.recall") as unit:
        return _Recalling(desk, unit, lot, product).report()


def apply(desk: Desk, lot: str, by: str, reason: str, product: str | None = None) -> RecallReport:
    """Quarantine a lot at once, put one task for each patient who got it into the outbox, and return the report.

    From then on no open plan is ready with a vial of it. Doing it again writes nothing, but tasks for patients whose
    treatment was recorded since. Raises as `recall`, and `record.person`.
    """
    told: tuple[Event, ...] = ()
    with desk.use("lot.recall.apply") as unit:
        recalling = _Recalling(desk, unit, lot, product)
        _somebody(desk, by)
        quarantine, told = recalling.quarantine(by, reason)
        recalling.tasks(quarantine)
        report = recalling.report()
    desk.publish(told)
    return report


def lift(desk: Desk, quarantine: str, by: str, reason: str) -> LotQuarantine:
    """Lift a quarantine from now on; what was done because of it stays.

    Raises `ProblemsError`: `quarantine.unknown`, `quarantine.lifted`, `record.person`.
    """
    with desk.use("lot.quarantine.lift") as unit:
        keeping = Keeping(desk, unit)
        row = unit.records.latest("lot-quarantine", quarantine)
        if row is None:
            raise refusal(
                "quarantine.unknown",
                "There is no quarantine with this id.",
                "See the ids with: pore-plugin recall --lot LOT --format json",
            )
        _somebody(desk, by)
        kept = read(LotQuarantine, row)
        if kept.lifted_at is not None:
            raise refusal("quarantine.lifted", "This quarantine was lifted already.", "Look at the lot again.")
        said = {"lifted_at": desk.instant(), "lifted_by": by, "lift_reason": reason}
        lifted = check(LotQuarantine, {**kept.to_document(), **said}).model
        keeping.keep(lifted)
        told = desk.tell(unit, [keeping.event("lot.released", lifted.id, said["lifted_at"])])
    desk.publish(told)
    return lifted


def adverse_events(desk: Desk, lot: str | None = None) -> LotAdverseEvents:
    """Return the adverse events by lot, the lot with most events first; of one lot, in every spelling, where named.

    Of a named lot these are the events after treatments with it. Raises `ProblemsError` (`lot.unreadable`).
    """
    with desk.use("lot.adverse_events") as unit:
        key = None if lot is None else lot_key(printed_lot(lot))
        if key is not None:
            uses = [use for use in unit.lots.uses_of(key) if use.replaced_at is None]
            wanted, patients = {use.treatment for use in uses}, {use.patient for use in uses}
        else:
            rows = unit.records.of_kind("adverse-event")
            records = unit.records.find("treatment-record", (row.subject or "" for row in rows))
            firsts = (read(TreatmentRecord, row) for row in records.values())
            wanted = {one.report.amends or one.id for one in firsts}
            patients = {row.patient for row in records.values() if row.patient is not None}
        traced, _ = trace(unit, wanted, patients)
        report = adverse_events_by_lot(traced, clinic=desk.clinic, now=desk.instant(), quarantines=_quarantines(unit))
        counts = unit.lots.count(one.key for one in report.lots)
        kept = (one for one in report.lots if key in (None, one.key))
        lots = tuple(one.model_copy(update={"uses": counts.get(one.key, 0)}) for one in kept)
        without = report.without_lot if key is None else ()
        return report.model_copy(update={"lots": lots, "without_lot": without})


class _Recalling:
    """One lot in one transaction."""

    def __init__(self, desk: Desk, unit: Unit, lot: str, product: str | None) -> None:
        self.desk = desk
        self.unit = unit
        self.lot = printed_lot(lot)
        self.key = lot_key(self.lot)
        self.product = product
        if product is not None:
            desk.lookups.catalogue.get(Product, product)
        self.uses = [use for use in unit.lots.uses_of(self.key) if product in (None, use.product)]
        self.heads = unit.patients.heads(use.patient for use in self.uses)

    def report(self) -> RecallReport:
        quarantines = _quarantines(self.unit)
        alike = self.unit.lots.near(near_keys(self.key))
        near = {key: lots for key, lots in alike.items() if nearness(self.key, key) == "one-character"}
        traced, wrong = trace(
            self.unit,
            {use.treatment for use in self.uses},
            self.heads,
            tasks=self._tasks([one for one in quarantines if self._of_it(one)]),
        )
        quarantined = {lot_key(one.lot) for one in quarantines}
        report = recall_report(
            self.lot,
            traced,
            clinic=self.desk.clinic,
            now=self.desk.instant(),
            quarantines=quarantines,
            near=near,
            counts=self.unit.lots.count({*near, *quarantined}),
            product=self.product,
        )
        return report.model_copy(
            update={
                "vials": self._vials(),
                "entered_in_error": sum(
                    any(lot_key(use.vial.lot) == self.key for use in record.report.vials) for record in wrong
                ),
            }
        )

    def quarantine(self, by: str, reason: str) -> tuple[LotQuarantine, tuple[Event, ...]]:
        """Return the quarantine that holds for all that was asked for, made now where there is none."""
        known = [one for one in _quarantines(self.unit) if self._of_it(one)]
        for one in known:
            if in_force(one, to_utc(self.desk.instant())) and one.product in (None, self.product):
                return one, ()
        before = sum(one.product == self.product for one in known)
        keeping = Keeping(self.desk, self.unit)
        document = {
            "id": record_key(self.desk.clinic.id, self.key, f"quarantine.{self.product or ''}.{before + 1}"),
            "clinic": self.desk.clinic.id,
            "lot": self.lot,
            "product": self.product,
            "reason": reason,
            "by": by,
            "at": self.desk.instant(),
        }
        made = check(LotQuarantine, {name: part for name, part in document.items() if part is not None}).model
        keeping.keep(made)
        return made, self.desk.tell(self.unit, [keeping.event("lot.quarantined", made.id, made.at)])

    def tasks(self, quarantine: LotQuarantine) -> None:
        """Put a task for each patient who has none because of this quarantine."""
        families = self.unit.patients.families(self.heads.values())
        asked = {(head, name): self._task_key(quarantine, name) for head, names in families.items() for name in names}
        known = self.unit.outbox.with_keys(asked.values())
        told = {head for (head, _), key in asked.items() if key in known and known[key].state != CANCELLED}
        newest: dict[str, LotUse] = {}
        for use in self.uses:
            if use.replaced_at is None and self.heads[use.patient] not in told:
                newest.setdefault(self.heads[use.patient], use)
        text = messages(self.desk.lookups.catalogue)["task-lot-recall"]
        title = fill_text(text, {"lot": self.lot, "reason": quarantine.reason})
        now = self.desk.now()
        put_tasks(
            Keeping(self.desk, self.unit),
            (
                Task(
                    key=self._task_key(quarantine, patient),
                    clinic=self.desk.clinic.id,
                    patient=patient,
                    code="lot-recall",
                    title=title,
                    about=use.treatment,
                    created_at=now.isoformat(),
                    due=(now + _TELL).isoformat(),
                    ignores_hours=False,
                )
                for patient, use in newest.items()
            ),
        )

    def _tasks(self, quarantines: Iterable[LotQuarantine]) -> dict[str, RecallTask]:
        """Return the newest task of each patient, by the id in use."""
        families = self.unit.patients.families(self.heads.values())
        asked = {
            self._task_key(one, name): head for one in quarantines for head, names in families.items() for name in names
        }
        found: dict[str, RecallTask] = {}
        for row in sorted(self.unit.outbox.with_keys(asked).values(), key=lambda row: row.seq):
            if row.topic == TOPIC and row.state != CANCELLED:
                made = instant(self.desk, row.at)
                found[asked[row.key]] = RecallTask(key=row.key, created_at=made, done=row.state == DONE)
        return found

    def _task_key(self, quarantine: LotQuarantine, patient: str) -> str:
        return record_key(self.desk.clinic.id, quarantine.id, f"recall.{patient}")

    def _of_it(self, quarantine: LotQuarantine) -> bool:
        return lot_key(quarantine.lot) == self.key and (
            self.product is None or quarantine.product in (None, self.product)
        )

    def _vials(self) -> tuple[ShelfVial, ...]:
        now, today, used = self.unit.now, self.desk.today(), {use.vial for use in self.uses if use.replaced_at is None}
        found = []
        for row in self.unit.records.since("vial", "active", now - _SHELF):
            vial = read(Vial, row)
            over = vial.expiry < today or (vial.discard_by is not None and moment(vial.discard_by) < now)
            if lot_key(vial.lot) == self.key and self.product in (None, vial.product) and not over:
                found.append(
                    ShelfVial(
                        id=vial.id,
                        lot=vial.lot,
                        product=vial.product,
                        expiry=vial.expiry,
                        reconstituted_at=vial.reconstituted_at,
                        discard_by=vial.discard_by,
                        used=vial.id in used,
                    )
                )
        return tuple(found)


def _quarantines(unit: Unit) -> list[LotQuarantine]:
    return [read(LotQuarantine, row) for row in unit.records.of_kind("lot-quarantine") if row.state != ERROR]


def _somebody(desk: Desk, person: str) -> None:
    if desk.clinic.person(person) is None:
        people = ", ".join(one.id for one in desk.clinic.people)
        raise refusal("record.person", "This is nobody of the clinic settings.", f"Use one of: {people}.", "/by")
