"""What crosses the extension hooks besides the clinical nouns: host facts, calendar, adapter specs, events, content."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    CountryCode,
    Instant,
    LocalDate,
    Model,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    Zone,
    refuse,
)
from .clinic import Closure, Markets, OpeningHours
from .common import MarketId
from .consent import ConsentText
from .follow_up import FollowUpSchedule, Instrument
from .forms import ConsultationForm
from .procedure import ClinicProtocol, ProcedureTemplate
from .products import EvidenceBase, Product, RegionMap
from .safety import SafetyRules

__all__ = ["Calendar", "ContentItem", "Event", "HostAdapterSpec", "HostInfo", "PatientText", "PatientTexts"]

from .common import ContentDocument


class PatientText(Model):
    """A text shown to patients or the public; its use decides which text rules hold."""

    id: Token
    use: Literal[
        "promotional", "invitation", "information", "consultation", "aftercare", "red-flag-card", "practitioner"
    ]
    text: Text


class PatientTexts(ContentDocument):
    """Texts by use. Before the consultation they name neither brand nor INN."""

    type: Literal["patient-texts"]
    texts: Annotated[tuple[PatientText, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> "PatientTexts":
        if len({text.id for text in self.texts}) != len(self.texts):
            refuse("texts.duplicate", "Two texts have the same id.")
        return self


ContentItem = Annotated[
    ConsultationForm
    | ClinicProtocol
    | ConsentText
    | EvidenceBase
    | FollowUpSchedule
    | Instrument
    | Markets
    | PatientTexts
    | ProcedureTemplate
    | Product
    | RegionMap
    | SafetyRules,
    Field(discriminator="type"),
]
"""Any content document, told apart by its `type`."""


class HostInfo(Model):
    """What an extension learns about the host at start-up; no patient data."""

    package_version: Sentence
    contract_version: Sentence
    clinic: RecordId
    market: MarketId
    zone: Zone


class Calendar(Model):
    """When the clinic is open: hours, closures and public holidays, in its own zone."""

    zone: Zone
    country: CountryCode
    subdivision: Opt[Token] = None
    hours: OpeningHours
    closures: tuple[Closure, ...] = ()
    holidays: tuple[LocalDate, ...] = ()


class HostAdapterSpec(Model):
    """An adapter to a host system that an extension offers, named for the clinic settings file."""

    kind: Token
    title: Sentence
    factory: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")] = Field(
        description="`module:callable`, imported only when the adapter is used."
    )
    capabilities: tuple[Token, ...] = ()


class Event(Model):
    """Something that happened, past tense, ids only. Whoever commits the step publishes it afterwards."""

    id: RecordId
    type: Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$", max_length=64)]
    clinic: RecordId
    subject: RecordId
    at: Instant
    related: tuple[RecordId, ...] = ()
