"""A lot that must not be used, who got it, and what went wrong with it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import Id, Instant, Integer, LocalDate, Model, NonNegativeDecimal, Opt, RecordId, Token, refuse
from .products import Lot
from .treatment import GivenRegion

__all__ = [
    "LotAdverseEvent",
    "LotAdverseEvents",
    "LotEvents",
    "LotKey",
    "LotQuarantine",
    "NearLot",
    "RecallContact",
    "RecallFollowUp",
    "RecallReport",
    "RecallTask",
    "RecallUse",
    "RecallVial",
    "ShelfVial",
]

LotKey = Annotated[str, Field(pattern=r"^[0-9A-Z]{1,40}$")]
"""A lot as lots are compared: upper-case letters and digits alone, with O as 0."""

_Reason = Annotated[str, Field(min_length=1, max_length=500)]
_Count = Annotated[Integer, Field(ge=0)]


class LotQuarantine(Model):
    """A lot that this clinic does not use, from one moment until it is lifted. Nothing overrides it."""

    id: RecordId
    clinic: RecordId
    lot: Lot = Field(description="As it is printed or announced; it holds for every spelling of it.")
    product: Opt[Id] = Field(default=None, description="The product that it holds for; absent = the lot of any.")
    reason: _Reason = Field(description="Why, such as the maker's recall and its reference.")
    by: RecordId = Field(description="Who set it.")
    at: Instant = Field(description="From when it holds.")
    lifted_at: Opt[Instant] = Field(default=None, description="From when it no longer holds.")
    lifted_by: Opt[RecordId] = None
    lift_reason: Opt[_Reason] = None

    @model_validator(mode="after")
    def _lifted_for_a_reason(self) -> "LotQuarantine":
        lift = (self.lifted_at, self.lifted_by, self.lift_reason)
        if any(lift) and not all(lift):
            refuse("quarantine.lift", "A lifted quarantine says when, by whom and why, all three.")
        if self.lifted_at is not None and datetime.fromisoformat(self.lifted_at) < datetime.fromisoformat(self.at):
            refuse("quarantine.time_order", "The quarantine is lifted before it was set.")
        return self


class RecallVial(Model):
    """A vial of a treatment, as its record has it."""

    lot: Lot = Field(description="As it was recorded.")
    asked: bool = Field(description="Whether this is the lot that was asked for.")
    product: Id
    expiry: LocalDate
    used: NonNegativeDecimal = Field(description="U given to the patient from this vial.")
    wasted: NonNegativeDecimal = Field(description="U drawn and thrown away.")


class RecallContact(Model):
    """Something that was heard from the patient, or sent there."""

    at: Instant = Field(description="When it was.")
    how: Literal["visit", "response", "call", "sent"] = Field(description="Seen, answered, spoken to, or written to.")


class RecallFollowUp(Model):
    """Where the follow-up of a treatment stands, and when the patient was last in contact."""

    state: Literal["none", "planned", "due", "overdue", "missed", "done"] = Field(
        description="Overdue before due before planned; with no step open missed before done; none = there is no plan."
    )
    next_step: Opt[Token] = Field(default=None, description="The open step that comes first.")
    next_due: Opt[Instant] = Field(default=None, description="When that step is due.")
    missed: tuple[Token, ...] = Field(default=(), description="Steps whose window is over and that nobody did.")
    last_contact: Opt[RecallContact] = None
    watch_until: Opt[Instant] = Field(default=None, description="Until when the red-flag watch is open; absent = over.")


class LotAdverseEvent(Model):
    """An adverse event beside the lots that were used."""

    id: RecordId
    patient: RecordId
    treatment: RecordId
    code: Token
    severity: Literal["mild", "moderate", "severe", "life-threatening"] = Field(description="How bad it was.")
    onset: Instant = Field(description="When it began.")
    reportable: bool = Field(description="Whether it must be reported to an authority or the maker.")
    lots: tuple[Lot, ...] = Field(default=(), description="As recorded with the event, else those of the treatment.")


class RecallTask(Model):
    """The task to tell a patient about the recall."""

    key: RecordId
    created_at: Instant = Field(description="When the lot was recalled.")
    done: bool = Field(description="Whether it was reported as done.")


class RecallUse(Model):
    """A treatment with the lot: who, when, which regions, how much, and how it stands with the patient."""

    patient: RecordId
    treatment: RecordId = Field(description="The first record of the treatment.")
    record: RecordId = Field(description="The record that holds now: the last amendment, or the first record.")
    amended: bool
    date: LocalDate = Field(description="The treatment day in the clinic's zone.")
    product: Opt[Id] = None
    vials: Annotated[tuple[RecallVial, ...], Field(min_length=1)] = Field(
        description="All of the treatment: which region got which vial is not recorded."
    )
    regions: tuple[GivenRegion, ...]
    operator: RecordId
    prescriber: Opt[RecordId] = None
    follow_up: RecallFollowUp
    adverse_events: tuple[LotAdverseEvent, ...] = ()
    task: Opt[RecallTask] = Field(default=None, description="Absent while the lot was not recalled.")


class ShelfVial(Model):
    """A vial of a lot that was made ready here and may still be lying about."""

    id: RecordId
    lot: Lot = Field(description="As it was recorded.")
    product: Id
    expiry: LocalDate
    reconstituted_at: Opt[Instant] = Field(default=None, description="When the diluent was added.")
    discard_by: Opt[Instant] = Field(default=None, description="When it may no longer be used.")
    used: bool = Field(description="Whether a treatment with it is recorded.")


class NearLot(Model):
    """Another lot that reads almost the same: one character exchanged, missing, too many, or two swapped."""

    key: LotKey
    lots: Annotated[tuple[Lot, ...], Field(min_length=1)] = Field(description="As it was recorded.")
    uses: _Count = Field(description="How many treatments it was used in.")
    quarantined: bool


class RecallReport(Model):
    """Everything the clinic holds on one lot ("batch"), and apart from it what reads almost the same."""

    clinic: RecordId
    lot: Lot = Field(description="The lot that was asked for.")
    key: LotKey
    product: Opt[Id] = Field(default=None, description="The product that was asked for; absent = the lot of any.")
    generated_at: Instant = Field(description="The moment that was looked at.")
    quarantined: bool = Field(description="Whether the lot must not be used at that moment.")
    quarantines: tuple[LotQuarantine, ...] = Field(default=(), description="All of this lot, lifted ones included.")
    patients: _Count = Field(description="How many patients got it.")
    uses: tuple[RecallUse, ...]
    corrected: tuple[RecallUse, ...] = Field(
        default=(), description="Treatments that were recorded with this lot at first, and amended to another since."
    )
    vials: tuple[ShelfVial, ...] = Field(default=(), description="Vials of the lot to look for: recorded and not over.")
    entered_in_error: _Count = Field(
        default=0, description="How many records of treatments with the lot were left out as entered in error."
    )
    near: tuple[NearLot, ...] = ()
    sample: bool = False


class LotEvents(Model):
    """One lot, how often it was used, and what went wrong."""

    key: LotKey
    lots: Annotated[tuple[Lot, ...], Field(min_length=1)] = Field(description="As it was recorded.")
    products: tuple[Id, ...]
    uses: _Count = Field(description="How many treatments it was used in.")
    quarantined: bool
    events: tuple[LotAdverseEvent, ...]


class LotAdverseEvents(Model):
    """Adverse events by lot; an event after two lots stands with both."""

    clinic: RecordId
    generated_at: Instant = Field(description="The moment that was looked at.")
    lots: tuple[LotEvents, ...] = Field(description="Lots with an event; the one with the most comes first.")
    without_lot: tuple[LotAdverseEvent, ...] = Field(default=(), description="Events of treatments without a vial.")
