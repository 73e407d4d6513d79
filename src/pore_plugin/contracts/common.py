"""Small nouns that many contracts share: pins, codes, sourced figures, regions, references to people."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    DecimalString,
    Digest,
    Id,
    LocalDate,
    Model,
    NonNegativeDecimal,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    UnitId,
    Version,
    refuse,
)

__all__ = [
    "Code",
    "ContentDocument",
    "ContentStatus",
    "Figure",
    "Mark",
    "MarketId",
    "PatientRef",
    "Pin",
    "Profession",
    "RecordPin",
    "RegionDose",
    "RegionSide",
    "Review",
    "Severity",
    "Side",
    "SourcedNumber",
    "SourcedStatement",
]

Mark = Literal["V", "D", "T", "M"]
"""V read in the named source · D our design choice · T secondary source, the clinic must accept · M from memory."""

MarketId = Literal["EU", "UK", "US"]
Severity = Literal["inform", "review", "block"]
Side = Literal["left", "right"]
ContentStatus = Literal["draft", "active", "retired"]
Profession = Literal["doctor", "dentist", "nurse", "pharmacist", "physician-assistant", "other"]


class Pin(Model):
    """A content document pinned for ever: which one, which version, which bytes."""

    id: Id
    version: Version
    digest: Digest = Field(description="sha256 of the canonical document without digest and status.")


class RecordPin(Model):
    """A record pinned by its id and the digest of its document."""

    id: RecordId
    digest: Digest = Field(description="sha256 of the canonical record.")


class Code(Model):
    """A code of an outside code system in an optional slot, with how far its meaning was verified."""

    system: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=1, max_length=64)]
    display: Opt[Annotated[str, Field(min_length=1, max_length=200)]] = None
    status: Literal["verified", "seen", "unverified"] = Field(
        description="How far the meaning of the code was verified."
    )


class SourcedNumber(Model):
    """A clinical number that says where it comes from.

    Marks V and D give a default, T a suggestion that the clinic must accept; with M or without a mark the value
    is empty and stays empty until a clinic's protocol supplies its own.
    """

    value: Opt[DecimalString] = Field(default=None, description="Empty where no checked source gives one.")
    unit: UnitId
    source: Sentence
    mark: Opt[Mark] = Field(default=None, description="How well the figure was verified; absent counts as from memory.")
    checked_on: LocalDate = Field(description="The day somebody read the source.")

    @model_validator(mode="after")
    def _mark_decides(self) -> "SourcedNumber":
        if self.value is not None and self.mark not in ("V", "D", "T"):
            refuse("content.unsourced_number", "A number marked M, or not marked at all, must be left empty.")
        if self.value is None and self.mark in ("V", "D", "T"):
            refuse("content.empty_number", "A number marked V, D or T must have a value.")
        return self


class SourcedStatement(Model):
    """A clinical sentence that says where it comes from; T and M are shown as unverified."""

    text: Text
    source: Sentence
    mark: Mark = Field(description="How well the sentence was verified.")
    checked_on: LocalDate = Field(description="The day somebody read the source.")


class Figure(Model):
    """A computed figure. `nominal` figures are rounded for display and are never summed or compared."""

    value: DecimalString = Field(description="In `unit`.")
    unit: UnitId
    nominal: bool = Field(default=False, description="True when it was rounded for display.")


class RegionSide(Model):
    """A region of the face chart, with its side where the region has two."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")


class RegionDose(Model):
    """A dose in one region and side, in the unit of the product it belongs to."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")
    units: NonNegativeDecimal = Field(description="Units of the product, which are never converted into another's.")


class PatientRef(Model):
    """The host's patient: where the record lives, its id there, and the birth date that age rules need."""

    host: Token = Field(description="Which system the patient's record lives in.")
    id: RecordId
    birth_date: LocalDate


class Review(Model):
    """Who reviewed a piece of content, and until when that review holds."""

    reviewer: Sentence
    register_number: Opt[Sentence] = None
    reviewed_on: LocalDate
    review_due: LocalDate = Field(description="The last day on which this review holds.")


class ContentDocument(Model):
    """What every content document has: a stable id apart from its version, a status, and all its locales inside."""

    schema_: Opt[str] = Field(default=None, alias="$schema", description="The schema, for completion in an editor.")
    id: Id
    version: Version
    status: ContentStatus = Field(
        default="draft", description="What its author says of it; approval for a clinic is a record of its own."
    )
    digest: Opt[Digest] = Field(default=None, description="sha256 of the canonical document without digest and status.")
    title: Text
    review: Opt[Review] = Field(default=None, description="Empty until a named prescriber has reviewed it.")
