"""What a clinic holds on a lot: who got it, how it stands with them, and what went wrong. Pure.

The records are found by the caller, by the key of the lot; here they are asked again and put together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ...contracts import (
    AdverseEvent,
    Clinic,
    FollowUpResponse,
    LotAdverseEvent,
    LotAdverseEvents,
    LotEvents,
    LotQuarantine,
    NearLot,
    RecallContact,
    RecallFollowUp,
    RecallReport,
    RecallTask,
    RecallUse,
    RecallVial,
    TreatmentRecord,
    Vial,
)
from ..durations import to_utc
from ..follow_up.due import watch_until
from ..follow_up.standing import standing
from ..follow_up.states import StepState
from .lots import lot_key, nearness, printed_lot
from .quarantining import in_force

__all__ = ["Traced", "adverse_events_by_lot", "recall_report"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Traced:
    """One treatment with all that hangs on it.

    `records` are its first record and the amendments, in the order in which they were recorded: the last one holds.
    `steps` are those of its follow-up plan after their moves, none where there is no plan. `contacts` are what else is
    known of calls and visits; responses and moves count by themselves.
    """

    records: tuple[TreatmentRecord, ...]
    steps: tuple[StepState, ...] = ()
    responses: tuple[FollowUpResponse, ...] = ()
    contacts: tuple[RecallContact, ...] = ()
    adverse_events: tuple[AdverseEvent, ...] = ()
    task: RecallTask | None = None

    @property
    def record(self) -> TreatmentRecord:
        """The record that holds."""
        return self.records[-1]


def recall_report(
    lot: str,
    traced: Iterable[Traced],
    *,
    clinic: Clinic,
    now: str,
    quarantines: Iterable[LotQuarantine] = (),
    near: Mapping[str, tuple[str, ...]] | None = None,
    counts: Mapping[str, int] | None = None,
    product: str | None = None,
) -> RecallReport:
    """Return all that the clinic holds on a lot, in every spelling of it; the newest treatment comes first.

    `traced` may hold treatments with other lots, which are left out. `near` maps the keys of lots that may be near,
    however they were found, to the ways they were written; `counts` how many treatments used each key. Raises
    `ProblemsError` (`lot.unreadable`) for what is no lot.
    """
    asked = printed_lot(lot)
    key, moment, quarantines = lot_key(asked), to_utc(now), tuple(quarantines)
    uses: list[RecallUse] = []
    corrected: list[RecallUse] = []
    sample = False
    for one in traced:
        naming = [record for record in one.records if any(_is(use.vial, key, product) for use in record.report.vials)]
        if naming:
            still = naming[-1] is one.record
            (uses if still else corrected).append(_use(one, naming[-1], key, product, clinic.zone, now))
            sample = sample or one.record.sample
    of_it = [
        one for one in quarantines if lot_key(one.lot) == key and (product is None or one.product in (None, product))
    ]
    return RecallReport(
        clinic=clinic.id,
        lot=asked,
        key=key,
        product=product,
        generated_at=now,
        quarantined=any(in_force(one, moment) for one in of_it),
        quarantines=tuple(sorted(of_it, key=lambda one: (to_utc(one.at), one.id))),
        patients=len({use.patient for use in uses}),
        uses=_newest_first(uses),
        corrected=_newest_first(corrected),
        near=tuple(_near(key, near or {}, counts or {}, quarantines, moment)),
        sample=sample,
    )


def adverse_events_by_lot(
    traced: Iterable[Traced],
    *,
    clinic: Clinic,
    now: str,
    quarantines: Iterable[LotQuarantine] = (),
    counts: Mapping[str, int] | None = None,
) -> LotAdverseEvents:
    """Return the adverse events of these treatments by lot, the lot with most events first.

    An event counts for the lots it names, or for those of its treatment where it names none. `counts` says how many
    treatments used each key, where not all of them are handed in.
    """
    moment, quarantines = to_utc(now), tuple(quarantines)
    spelt: dict[str, set[str]] = {}
    products: dict[str, set[str]] = {}
    uses: dict[str, int] = {}
    events: dict[str, list[LotAdverseEvent]] = {}
    without: list[LotAdverseEvent] = []
    for one in traced:
        vials = {lot_key(use.vial.lot): use.vial for use in one.record.report.vials}
        for key in vials:
            uses[key] = uses.get(key, 0) + 1
        for use in one.record.report.vials:
            spelt.setdefault(lot_key(use.vial.lot), set()).add(use.vial.lot)
            products.setdefault(lot_key(use.vial.lot), set()).add(use.vial.product)
        for event in _events(one):
            for key in dict.fromkeys(lot_key(lot) for lot in event.lots):
                events.setdefault(key, []).append(event)
                spelt.setdefault(key, set()).update(lot for lot in event.lots if lot_key(lot) == key)
            if not event.lots:
                without.append(event)
    return LotAdverseEvents(
        clinic=clinic.id,
        generated_at=now,
        lots=tuple(
            LotEvents(
                key=key,
                lots=tuple(sorted(spelt[key])),
                products=tuple(sorted(products.get(key, ()))),
                uses=(counts or uses).get(key, 0),
                quarantined=_quarantined(key, quarantines, moment),
                events=_by_onset(events[key]),
            )
            for key in sorted(events, key=lambda key: (-len(events[key]), key))
        ),
        without_lot=_by_onset(without),
    )


def _is(vial: Vial, key: str, product: str | None) -> bool:
    return lot_key(vial.lot) == key and product in (None, vial.product)


def _newest_first(uses: Iterable[RecallUse]) -> tuple[RecallUse, ...]:
    return tuple(sorted(sorted(uses, key=lambda use: use.treatment), key=lambda use: use.date, reverse=True))


def _by_onset(events: Iterable[LotAdverseEvent]) -> tuple[LotAdverseEvent, ...]:
    return tuple(sorted(events, key=lambda event: (to_utc(event.onset), event.id)))


def _use(one: Traced, record: TreatmentRecord, key: str, product: str | None, zone: str, now: str) -> RecallUse:
    """Return a treatment as the record with the lot has it; operator and prescriber too."""
    report = record.report
    return RecallUse(
        patient=one.record.patient,
        treatment=one.records[0].id,
        record=one.record.id,
        amended=len(one.records) > 1,
        date=record.date,
        product=record.product.id if record.product else None,
        vials=tuple(
            RecallVial(
                lot=use.vial.lot,
                asked=_is(use.vial, key, product),
                product=use.vial.product,
                expiry=use.vial.expiry,
                used=use.used,
                wasted=use.wasted,
            )
            for use in report.vials
        ),
        regions=report.doses,
        operator=report.operator,
        prescriber=report.prescriber,
        follow_up=_follow_up(one, zone, now),
        adverse_events=_by_onset(_events(one)),
        task=one.task,
    )


def _events(one: Traced) -> Iterator[LotAdverseEvent]:
    used = tuple(dict.fromkeys(use.vial.lot for use in one.record.report.vials))
    for event in one.adverse_events:
        yield LotAdverseEvent(
            id=event.id,
            patient=event.patient,
            treatment=event.treatment,
            code=event.code,
            severity=event.severity,
            onset=event.onset,
            reportable=event.reportable,
            lots=event.lots or used,
        )


def _follow_up(one: Traced, zone: str, now: str) -> RecallFollowUp:
    standings = [(step, standing(step.step, now, zone)) for step in one.steps]
    found = {stands for _, stands in standings}
    waiting = [step for step, stands in standings if stands in ("upcoming", "due", "overdue")]
    soonest = min(waiting, key=lambda step: to_utc(step.due), default=None)
    until = watch_until(one.steps, zone)
    order = {"overdue": "overdue", "due": "due", "upcoming": "planned", "missed": "missed"}
    return RecallFollowUp.model_validate(
        {
            "state": next(
                (state for stands, state in order.items() if stands in found), "done" if one.steps else "none"
            ),
            "next_step": soonest and soonest.dated.step,
            "next_due": soonest and soonest.due,
            "missed": tuple(step.dated.step for step, stands in standings if stands == "missed"),
            "last_contact": max(_contacts(one, now), key=lambda contact: to_utc(contact.at), default=None),
            "watch_until": until if until is not None and to_utc(until) >= to_utc(now) else None,
        }
    )


def _contacts(one: Traced, now: str) -> Iterator[RecallContact]:
    """Yield every contact up to now: responses, visits that were done, what was sent, and what was handed in."""
    found = [*one.contacts, *(RecallContact(at=response.occurred_at, how="response") for response in one.responses)]
    for step in one.steps:
        state: StepState | None = step
        while state is not None and state.last is not None:
            move = state.last
            if move.to_state == "done" and step.dated.kind != "staff-task":
                found.append(RecallContact(at=move.at, how="visit" if step.dated.kind == "visit" else "response"))
            elif move.to_state == "sent":
                found.append(RecallContact(at=move.at, how="sent"))
            state = state.before
    return (contact for contact in found if to_utc(contact.at) <= to_utc(now))


def _near(
    key: str,
    found: Mapping[str, tuple[str, ...]],
    counts: Mapping[str, int],
    quarantines: tuple[LotQuarantine, ...],
    now: datetime,
) -> Iterator[NearLot]:
    written = {other: set(lots) for other, lots in found.items()}
    # A lot that was quarantined and never used here is worth a second look too.
    for one in quarantines:
        written.setdefault(lot_key(one.lot), set()).add(one.lot)
    for other in sorted(written):
        if nearness(key, other) == "one-character":
            yield NearLot(
                key=other,
                lots=tuple(sorted(written[other])),
                uses=counts.get(other, 0),
                quarantined=_quarantined(other, quarantines, now),
            )


def _quarantined(key: str, quarantines: Iterable[LotQuarantine], now: datetime) -> bool:
    return any(lot_key(one.lot) == key and in_force(one, now) for one in quarantines)
