"""What became of a follow-up step, move by move, and what is due in a clinic at a moment."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from .base import Instant, Integer, Model, Opt, RecordId, Sentence, Text, Token, Zone, refuse
from .common import Pin
from .follow_up import StepKind

__all__ = [
    "DueItem",
    "DueList",
    "DueTask",
    "FollowUpMove",
    "Mover",
    "OpenWatch",
    "Standing",
    "StepHistory",
    "StepProgress",
    "Task",
]

StepProgress = Literal["planned", "due", "booked", "sent", "done", "missed", "cancelled", "superseded"]
Standing = Literal["upcoming", "due", "overdue", "missed", "closed"]
"""Where a step is on the clinic's clocks; `closed` = nothing is left to do."""


class Mover(Model):
    """Who moved a step: a person, the host that reports, or a plug-in whose rule says so (`pore` = the built-in)."""

    kind: Literal["person", "host", "plug-in"] = Field(description="What kind of mover this is.")
    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        description="The person's id, or the name of the host or plug-in."
    )


class FollowUpMove(Model):
    """One move of one step, with its reason; appended, never changed."""

    id: RecordId
    clinic: RecordId
    follow_up_plan: RecordId
    key: RecordId = Field(description="The key of the step.")
    number: Annotated[Integer, Field(ge=1)] = Field(description="Counts the moves of this step, corrections too.")
    from_state: StepProgress = Field(description="What the step was; a move from another state is refused.")
    to_state: StepProgress = Field(description="What it became; `sent` is what the host reports back.")
    at: Instant = Field(description="When it happened.")
    by: Mover
    reason: Sentence
    due: Opt[Instant] = Field(default=None, description="The new time, where the move gives one.")
    within_window: Opt[bool] = Field(default=None, description="Whether the new time lies inside the step's window.")
    corrects: Opt[RecordId] = Field(default=None, description="The id of the move that this one takes back.")

    @model_validator(mode="after")
    def _hangs_together(self) -> "FollowUpMove":
        if (self.due is None) != (self.within_window is None):
            refuse("move.window", "A new time says whether it lies inside the window, and nothing else does.")
        if self.corrects is not None and self.by.kind != "person":
            refuse("move.correction", "Only a person takes a move back.", "/by/kind")
        return self


class DueItem(Model):
    """A follow-up step that somebody should look at."""

    key: RecordId
    patient: RecordId
    treatment: RecordId
    follow_up_plan: RecordId
    step: Token
    kind: StepKind = Field(description="Whether the patient comes, answers from afar, or staff act alone.")
    title: Text
    purpose: Text
    state: StepProgress = Field(description="How far it has come, by its moves.")
    standing: Standing = Field(description="Where it is on the clinic's clocks.")
    due: Instant = Field(description="When it takes place or goes out.")
    earliest: Opt[Instant] = Field(default=None, description="Start of its window.")
    latest: Opt[Instant] = Field(default=None, description="End of its window.")
    days_overdue: Opt[Annotated[Integer, Field(ge=1)]] = Field(
        default=None, description="Local days since the day it was due."
    )
    required: bool = False
    no_show: Opt[Text] = Field(default=None, description="What to do when nobody came or answered.")
    last_move: Opt[FollowUpMove] = Field(default=None, description="Absent while nothing has moved it.")


class DueTask(Model):
    """A task for a person here, such as the answer to a red flag."""

    key: RecordId
    code: Token
    title: Text
    patient: RecordId
    follow_up_plan: Opt[RecordId] = Field(default=None, description="Absent for a task of another origin.")
    standing: Standing = Field(description="Where it is on the clinic's clocks.")
    due: Instant = Field(description="When it has to be done at the latest.")
    ignores_hours: bool = Field(description="True when it does not wait for opening time.")


class OpenWatch(Model):
    """A red-flag watch that is open: the patient may report a sign at any time."""

    patient: RecordId
    treatment: RecordId
    follow_up_plan: RecordId
    until: Instant = Field(description="The later of its last day and the visit that closes it.")
    form: Opt[Pin] = Field(default=None, description="The red-flag form that stays open.")


class DueList(Model):
    """What is due, overdue and missed in one clinic at one moment, the most urgent first."""

    clinic: RecordId
    at: Instant = Field(description="The moment that was looked at.")
    zone: Zone
    tasks: tuple[DueTask, ...] = ()
    items: tuple[DueItem, ...]
    watches: tuple[OpenWatch, ...] = ()


class Task(Model):
    """A task about a patient for a person here, as it waits in the outbox (FHIR Task)."""

    key: RecordId
    clinic: RecordId
    patient: RecordId
    code: Token
    title: Text
    about: RecordId = Field(description="The record that it comes from, such as a review or a treatment.")
    follow_up_plan: Opt[RecordId] = Field(default=None, description="Absent for a task of another origin.")
    created_at: Instant = Field(description="When it arose.")
    due: Instant = Field(description="When it has to be done at the latest.")
    ignores_hours: bool = Field(description="True when it does not wait for opening time.")


class StepHistory(Model):
    """One follow-up step with every move that it made, the first first."""

    clinic: RecordId
    patient: RecordId
    treatment: RecordId
    follow_up_plan: RecordId
    key: RecordId
    step: Token
    kind: StepKind = Field(description="Whether the patient comes, answers from afar, or staff act alone.")
    title: Text
    state: StepProgress = Field(description="How far it has come, by its moves.")
    due: Instant = Field(description="When it takes place or goes out, by its moves.")
    moves: tuple[FollowUpMove, ...]
