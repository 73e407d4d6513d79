"""What was answered: typed answers, pinned to the very bytes of the form (FHIR QuestionnaireResponse)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    DecimalString,
    Digest,
    Id,
    Instant,
    Integer,
    LocalDate,
    Locale,
    Model,
    Opt,
    RecordId,
    Token,
    UnitId,
    refuse,
)
from .common import PatientRef, Pin, RecordPin, Side

__all__ = [
    "Answer",
    "Attachment",
    "AttachmentAnswer",
    "BooleanAnswer",
    "ChoiceAnswer",
    "Consultation",
    "DateAnswer",
    "DecimalAnswer",
    "FollowUpResponse",
    "IntegerAnswer",
    "MultiChoiceAnswer",
    "QuantityAnswer",
    "QuantityValue",
    "RegionMapAnswer",
    "RegionMark",
    "TextAnswer",
]

Coordinate = Annotated[str, Field(pattern=r"^(0|1|0\.[0-9]*[1-9])$", max_length=12)]


class _Answer(Model):
    question: Id
    instance: Opt[Annotated[Integer, Field(ge=1, le=20)]] = Field(
        default=None, description="Which instance of a repeating section, from 1; absent elsewhere."
    )


class BooleanAnswer(_Answer):
    """Yes or no."""

    type: Literal["boolean"]
    value: bool


class ChoiceAnswer(_Answer):
    """The code of the chosen option."""

    type: Literal["choice"]
    value: Token


class MultiChoiceAnswer(_Answer):
    """The codes of the chosen options."""

    type: Literal["multi-choice"]
    value: Annotated[tuple[Token, ...], Field(min_length=1)]


class IntegerAnswer(_Answer):
    """A whole number."""

    type: Literal["integer"]
    value: Integer


class DecimalAnswer(_Answer):
    """An exact decimal."""

    type: Literal["decimal"]
    value: DecimalString


class QuantityValue(Model):
    """An exact decimal with its unit."""

    value: DecimalString = Field(description="In `unit`.")
    unit: UnitId


class QuantityAnswer(_Answer):
    """A quantity with unit."""

    type: Literal["quantity"]
    value: QuantityValue


class DateAnswer(_Answer):
    """A calendar date."""

    type: Literal["date"]
    value: LocalDate


class TextAnswer(_Answer):
    """Free text."""

    type: Literal["text"]
    value: Annotated[str, Field(min_length=1, max_length=4000)]


class Attachment(Model):
    """A reference to a file that the host keeps, with the digest of its bytes where known."""

    id: RecordId
    content_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$", max_length=100)] = Field(
        description="Media type, such as image/jpeg."
    )
    view: Opt[Token] = None
    taken_at: Opt[Instant] = Field(default=None, description="When the picture was taken.")
    digest: Opt[Digest] = Field(default=None, description="sha256 of the file's bytes.")


class AttachmentAnswer(_Answer):
    """References to files."""

    type: Literal["attachment"]
    value: Annotated[tuple[Attachment, ...], Field(min_length=1)]


class RegionMark(Model):
    """A region that was marked, or a point in it: 0-1 coordinates on a named chart, x from the left, y from the top."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")
    chart: Opt[Id] = None
    x: Opt[Coordinate] = Field(default=None, description="From 0 at the image's left to 1.")
    y: Opt[Coordinate] = Field(default=None, description="From 0 at the image's top to 1.")

    @model_validator(mode="after")
    def _a_point_is_whole(self) -> "RegionMark":
        given = [self.chart is not None, self.x is not None, self.y is not None]
        if any(given) and not all(given):
            refuse("region_map.point", "A point needs its chart and both coordinates.")
        return self


class RegionMapAnswer(_Answer):
    """Marks on the face chart."""

    type: Literal["region-map"]
    value: Annotated[tuple[RegionMark, ...], Field(min_length=1)]


Answer = Annotated[
    BooleanAnswer
    | ChoiceAnswer
    | MultiChoiceAnswer
    | IntegerAnswer
    | DecimalAnswer
    | QuantityAnswer
    | DateAnswer
    | TextAnswer
    | AttachmentAnswer
    | RegionMapAnswer,
    Field(discriminator="type"),
]


class _Response(Model):
    id: RecordId
    clinic: RecordId
    patient: PatientRef
    form: Pin = Field(description="The very form that was answered.")
    locale: Locale
    status: Literal["draft", "completed"] = Field(
        default="completed", description="A draft may lack answers that a completed one must have."
    )
    occurred_at: Instant = Field(description="When the person answered.")
    recorded_at: Instant = Field(description="When it was entered; later than occurred_at for paper.")
    recorded_by: Opt[RecordId] = None
    transcribed_by: Opt[RecordId] = Field(default=None, description="Who typed it over from paper.")
    scan: Opt[Digest] = Field(default=None, description="sha256 of the scanned paper.")
    answers: tuple[Answer, ...]

    @model_validator(mode="after")
    def _one_answer_each(self) -> "_Response":
        seen = {(answer.question, answer.instance) for answer in self.answers}
        if len(seen) != len(self.answers):
            refuse("answers.duplicate", "A question is answered twice in the same instance.")
        return self


class Consultation(_Response):
    """The answers to a consultation or day-of-treatment form, pinned to that form's bytes.

    A draft may keep answers that a completed consultation must not have, such as answers to hidden questions.
    """


class FollowUpResponse(_Response):
    """The answers to a follow-up form for one step of a follow-up plan."""

    follow_up_plan: RecordPin = Field(description="The plan whose step is answered.")
    step: Token = Field(description="The step, by its name in the plan.")
