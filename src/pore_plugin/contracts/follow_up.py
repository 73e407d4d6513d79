"""The follow-up schedule, the dated plan, its edits, outcomes and the review of a response."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    DecimalString,
    Duration,
    Id,
    Instant,
    LocalDate,
    Model,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    UnitId,
    Version,
    refuse,
)
from .common import ContentDocument, Mark, Pin, RecordPin, Side, SourcedNumber
from .problems import Problem

__all__ = [
    "AddStep",
    "FollowUpEdit",
    "FollowUpPlan",
    "FollowUpReview",
    "FollowUpSchedule",
    "FollowUpStep",
    "Instrument",
    "Outcome",
    "OutcomePoint",
    "OutcomeTrend",
    "RaisedFlag",
    "RemoveStep",
    "ReplaceStep",
    "ScheduleStep",
    "SetOffset",
    "StaffTask",
    "StepChange",
    "StepKind",
]

StepKind = Literal["visit", "remote-questionnaire", "staff-task"]


class ScheduleStep(Model):
    """A step counted from the end of the treatment; `earliest` and `latest` may be open.

    Day, week and month offsets are local dates in the clinic's zone; hour offsets are elapsed time.
    """

    id: Token
    title: Text
    kind: StepKind = Field(description="Whether the patient comes, answers from afar, or staff act alone.")
    offered: Literal["always", "on-request"] = Field(
        default="always", description="Whether it comes by itself or when somebody asks."
    )
    required: bool = False
    offset: Duration = Field(description="From the end of the treatment to the day or moment it is due.")
    earliest: Opt[Duration] = Field(default=None, description="Start of its window, from the end of the treatment.")
    latest: Opt[Duration] = Field(default=None, description="End of its window, from the end of the treatment.")
    purpose: Text
    form: Opt[Id] = None
    instruments: tuple[Id, ...] = ()
    photographs: bool = False
    primary_outcome: bool = False
    closes_watch: bool = Field(default=False, description="True for the visit that the red-flag watch waits for.")
    no_show: Opt[Text] = None
    stop_when: tuple[Text, ...] = ()
    basis: Sentence
    mark: Mark = Field(description="How well its timing was verified.")


class FollowUpSchedule(ContentDocument):
    """Which steps follow a treatment, and how long the red-flag watch stays open."""

    type: Literal["follow-up-schedule"]
    watch: Opt[SourcedNumber] = Field(default=None, description="Days; absent where no watch is needed.")
    watch_form: Opt[Id] = Field(default=None, description="The red-flag form that stays open during the watch.")
    red_flag_card: Opt[Text] = Field(default=None, description="Placeholders: {product}, {lot}, {emergency}, {clinic}.")
    steps: Annotated[tuple[ScheduleStep, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> "FollowUpSchedule":
        if len({step.id for step in self.steps}) != len(self.steps):
            refuse("schedule.duplicate_step", "Two steps of this schedule have the same id.")
        if (self.watch is None) != (self.watch_form is None):
            refuse("schedule.watch", "A watch needs its form, and the form its watch.")
        return self


class StepChange(Model):
    """Why a step was placed, moved, added or removed, by whom."""

    plugin: Token
    change: Literal["placed", "moved", "added", "replaced", "removed", "kept"] = Field(
        description="What was done to the step."
    )
    reason: Sentence


class FollowUpStep(Model):
    """A dated step. Its key is the same whenever the same step is planned again, so it can never exist twice."""

    key: RecordId
    step: Token
    kind: StepKind = Field(description="Whether the patient comes, answers from afar, or staff act alone.")
    title: Text
    purpose: Text
    due: Instant = Field(description="When it takes place or goes out.")
    earliest: Opt[Instant] = Field(default=None, description="Start of its window.")
    latest: Opt[Instant] = Field(default=None, description="End of its window.")
    state: Literal["planned", "due", "booked", "sent", "done", "missed", "cancelled", "superseded"] = Field(
        default="planned", description="How far it has come; superseded by a plan that was made anew."
    )
    required: bool = False
    on_request: bool = False
    form: Opt[Pin] = Field(default=None, description="The form that is filled in, as it was then.")
    instruments: tuple[Id, ...] = ()
    photographs: bool = False
    primary_outcome: bool = False
    closes_watch: bool = Field(default=False, description="True for the visit that the red-flag watch waits for.")
    no_show: Opt[Text] = None
    stop_when: tuple[Text, ...] = ()
    changes: tuple[StepChange, ...] = ()


class FollowUpPlan(Model):
    """The dated steps after one treatment."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    treatment: RecordPin = Field(description="The treatment that is followed.")
    schedule: Pin = Field(description="The schedule it was dated from.")
    zone: Sentence
    anchor: Instant = Field(description="The end of the treatment.")
    steps: tuple[FollowUpStep, ...]
    watch_until: Opt[Instant] = Field(default=None, description="The end of the red-flag watch.")
    watch_form: Opt[Pin] = Field(default=None, description="The red-flag form that stays open until then.")
    retreat_not_before: Opt[LocalDate] = Field(default=None, description="The first day on which it may be repeated.")
    retreat_reason: Opt[Text] = None
    retreat_unverified: bool = Field(
        default=False, description="True when no checked label figure stands behind that day."
    )
    red_flag_card: Opt[Text] = None
    flags: tuple[Sentence, ...] = Field(default=(), description="What a person should look at, such as dropped edits.")


class AddStep(Model):
    """Add a step of one's own."""

    action: Literal["add"]
    step: ScheduleStep


class SetOffset(Model):
    """Move a step to another offset from the anchor, inside its window."""

    action: Literal["set-offset"]
    step: Token
    offset: Duration = Field(description="From the end of the treatment.")
    reason: Sentence


class ReplaceStep(Model):
    """Replace a step; a required step stays required and keeps its window."""

    action: Literal["replace"]
    step: Token
    with_step: ScheduleStep
    reason: Sentence


class RemoveStep(Model):
    """Remove a step that is not required."""

    action: Literal["remove"]
    step: Token
    reason: Sentence


FollowUpEdit = Annotated[AddStep | SetOffset | ReplaceStep | RemoveStep, Field(discriminator="action")]


class Instrument(ContentDocument):
    """A measure: its range, direction and unit. Values of one instrument are compared only with each other."""

    type: Literal["instrument"]
    minimum: Opt[DecimalString] = Field(default=None, description="The least value, in `unit`.")
    maximum: Opt[DecimalString] = Field(default=None, description="The greatest value, in `unit`.")
    direction: Literal["higher-is-better", "lower-is-better", "none"] = Field(description="Which way is better.")
    unit: UnitId
    rater: Literal["patient", "practitioner", "device", "any"] = Field(description="Who gives the value.")
    licensed: bool = Field(default=False, description="Item texts are licensed: store score and result only.")
    range_verified: bool
    source: Sentence
    mark: Mark = Field(description="How well range and direction were verified.")

    @model_validator(mode="after")
    def _in_order(self) -> "Instrument":
        if None not in (self.minimum, self.maximum) and Decimal(self.minimum or 0) >= Decimal(self.maximum or 0):
            refuse("instrument.range", "The minimum of this instrument is not below its maximum.")
        return self


class Outcome(Model):
    """A measured value with everything that makes it comparable; never a bare number (FHIR Observation)."""

    id: RecordId
    instrument: Id
    instrument_version: Version
    minimum: Opt[DecimalString] = Field(default=None, description="The instrument's least value, in `unit`.")
    maximum: Opt[DecimalString] = Field(default=None, description="The instrument's greatest value, in `unit`.")
    direction: Literal["higher-is-better", "lower-is-better", "none"] = Field(description="Which way is better.")
    value: DecimalString = Field(description="In `unit`.")
    unit: UnitId
    rater: Literal["patient", "practitioner", "device"] = Field(description="Who gave the value.")
    at: Instant = Field(description="When it was measured.")
    region: Opt[Id] = None
    side: Opt[Side] = None
    conditions: Opt[Sentence] = Field(default=None, description="Light, device, skin preparation.")


class OutcomePoint(Model):
    """One value beside the baseline."""

    at: Instant = Field(description="When it was measured.")
    value: DecimalString
    delta: DecimalString = Field(description="The value less the baseline.")
    change: Literal["better", "worse", "same", "unknown"] = Field(
        description="What that means in the instrument's direction."
    )


class OutcomeTrend(Model):
    """One instrument over time against its own baseline."""

    instrument: Id
    instrument_version: Version
    unit: UnitId
    direction: Literal["higher-is-better", "lower-is-better", "none"] = Field(description="Which way is better.")
    rater: Literal["patient", "practitioner", "device"] = Field(
        description="Who gave the values; other raters make another trend."
    )
    region: Opt[Id] = None
    side: Opt[Side] = None
    baseline: OutcomePoint = Field(description="The value before the treatment.")
    points: tuple[OutcomePoint, ...]
    non_response: bool = Field(default=False, description="No improvement at the primary outcome visit.")


class RaisedFlag(Model):
    """A red flag in a response, with the instruction to show at once."""

    code: Token
    urgency: Literal["emergency", "advice", "same-day"] = Field(description="Whom to call, and how soon.")
    sign: Text
    instruction: Text


class StaffTask(Model):
    """Something a person here must do; `ignores_hours` tasks do not wait for opening time."""

    key: RecordId
    code: Token
    title: Text
    due: Instant = Field(description="When it has to be done at the latest.")
    ignores_hours: bool


class FollowUpReview(Model):
    """What a follow-up response means: flags first, then tasks, then the trend against baseline."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    follow_up_plan: RecordPin = Field(description="The plan that the response belongs to.")
    response: RecordPin = Field(description="The response that was read.")
    step: Token
    reviewed_at: Instant = Field(description="When it was read.")
    accepted: bool = Field(description="False = keep the response as a draft; its flags hold all the same.")
    problems: tuple[Problem, ...] = Field(default=(), description="What is wrong with the answers.")
    flags: tuple[RaisedFlag, ...]
    tasks: tuple[StaffTask, ...]
    trends: tuple[OutcomeTrend, ...] = ()
    non_response: Opt[Text] = None
    next_steps: tuple[RecordId, ...] = Field(default=(), description="Keys of the steps still to come.")
    notes: tuple[Text, ...] = ()
