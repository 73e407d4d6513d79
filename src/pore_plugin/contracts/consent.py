"""Consent bound to the plan, authorisation by the prescriber, approval of content for a clinic."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    Digest,
    Id,
    Instant,
    LocalDate,
    Locale,
    Model,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    refuse,
)
from .common import ContentDocument, MarketId, Pin, RecordPin, RegionDose

__all__ = [
    "Approval",
    "Authorisation",
    "Consent",
    "ConsentParagraph",
    "ConsentPurpose",
    "ConsentSheet",
    "ConsentText",
    "ConsentWithdrawal",
    "Signature",
]

ConsentPurpose = Literal["treatment", "record-photo", "teaching", "marketing"]


class ConsentParagraph(Model):
    """A paragraph of a consent text; `covers` names the consent item it answers."""

    id: Token
    covers: Token
    text: Text = Field(
        description="May hold {product}, {regions}, {units}, {lot}, {prescriber}, {operator}, {clinic}, {emergency}."
    )


class ConsentText(ContentDocument):
    """A consent text for one purpose, for the markets it was written for (empty = all)."""

    type: Literal["consent-text"]
    purpose: ConsentPurpose = Field(description="What it asks consent for; each purpose has a text of its own.")
    markets: tuple[MarketId, ...] = ()
    injections_only: bool = Field(
        default=False, description="True for texts that a procedure without injection does not need."
    )
    paragraphs: Annotated[tuple[ConsentParagraph, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> "ConsentText":
        if len({paragraph.id for paragraph in self.paragraphs}) != len(self.paragraphs):
            refuse("consent.duplicate_paragraph", "Two paragraphs of this text have the same id.")
        return self


class ConsentSheet(Model):
    """A consent text filled in from a plan, ready to be read and signed."""

    text: Pin = Field(description="The consent text that was filled in.")
    purpose: ConsentPurpose
    locale: Locale
    plan: RecordPin = Field(description="The plan that it was filled in from.")
    draft: bool = Field(description="True while what it was made from is not approved.")
    sample: bool = Field(description="True when a sample protocol supplied figures.")
    title: Sentence
    paragraphs: Annotated[tuple[Sentence, ...], Field(min_length=1)]


class Signature(Model):
    """How the consent was signed; a typed signature counts as much as a drawn one."""

    method: Literal["typed", "drawn", "paper"] = Field(description="How it was signed.")
    signed_by: Literal["patient"] = "patient"
    name: Opt[Sentence] = Field(default=None, description="The typed name.")
    digest: Opt[Digest] = Field(default=None, description="sha256 of the drawing or the scan.")

    @model_validator(mode="after")
    def _has_substance(self) -> "Signature":
        if (self.name if self.method == "typed" else self.digest) is None:
            refuse(
                "consent.signature", "A typed signature needs the name, a drawn or paper one the digest of its image."
            )
        return self


class Consent(Model):
    """What the patient agreed to: this purpose, this text in this language, this plan."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    purpose: ConsentPurpose = Field(description="What was agreed to, and nothing else.")
    text: Pin = Field(description="The very text that was read.")
    locale: Locale
    plan: RecordPin = Field(description="The plan that was agreed to.")
    substance: Digest = Field(description="The plan's `substance`: an unchanged repeat needs no new cooling-off.")
    informed_at: Instant = Field(description="When the patient got the text; cooling-off runs from here.")
    given_at: Instant = Field(description="When the patient signed.")
    cooling_off_ends: Opt[Instant] = Field(default=None, description="Absent where the market and clinic ask for none.")
    explained_by: RecordId = Field(description="Who explained it.")
    prescriber: Opt[RecordId] = Field(default=None, description="Whom the text named as the prescriber.")
    operator: Opt[RecordId] = Field(default=None, description="Whom the text named as the person who treats.")
    signature: Signature


class ConsentWithdrawal(Model):
    """The patient took a consent back; the consent itself stays on record."""

    id: RecordId
    clinic: RecordId
    consent: RecordId
    withdrawn_at: Instant = Field(description="From when the consent no longer holds.")
    recorded_by: RecordId
    reason: Opt[Sentence] = None


class Authorisation(Model):
    """A prescriber lets an operator treat: this patient, product and doses, until this day (FHIR MedicationRequest)."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    prescriber: RecordId
    examined_on: LocalDate = Field(description="The day the prescriber examined the patient in person.")
    examined_in_person: bool
    same_episode: bool = Field(description="Whether that examination was for this treatment, not for an earlier one.")
    template: Id
    product: Opt[Id] = None
    maximum: tuple[RegionDose, ...] = Field(default=(), description="Largest dose per region and side.")
    operators: tuple[RecordId, ...] = Field(
        default=(), description="Who may treat under it; empty = any operator here."
    )
    issued_at: Instant = Field(description="From when it holds.")
    valid_until: LocalDate = Field(description="The last day of validity.")
    revoked_at: Opt[Instant] = Field(default=None, description="From when it no longer holds.")


class Approval(Model):
    """A named prescriber approved the very bytes of a content document for this clinic."""

    id: RecordId
    clinic: RecordId
    document: Pin = Field(description="The document whose bytes were approved.")
    approved_by: RecordId
    approved_at: Instant = Field(description="From when it holds.")
    note: Opt[Sentence] = None
    valid_until: Opt[LocalDate] = Field(
        default=None, description="The last day on which it holds, in the clinic's zone; absent = until withdrawn."
    )
    withdrawn_at: Opt[Instant] = Field(default=None, description="From when it no longer holds.")
