"""What was really done (FHIR Procedure and MedicationAdministration), and why when it was not as planned."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .answers import Attachment, RegionMark
from .base import (
    DecimalString,
    Id,
    Instant,
    Integer,
    LocalDate,
    Model,
    NonNegativeDecimal,
    Opt,
    PositiveDecimal,
    RecordId,
    Sentence,
    Text,
    Token,
    UnitId,
    refuse,
)
from .common import MarketId, Pin, RecordPin, RegionSide, Side
from .procedure import RecordKind
from .products import Vial
from .safety import Finding, SessionKind

__all__ = [
    "AdverseEvent",
    "AnaestheticUse",
    "Deviation",
    "GivenParameter",
    "GivenRegion",
    "MapPoint",
    "NotReady",
    "Reaction",
    "Readiness",
    "StepRecord",
    "TreatmentRecord",
    "TreatmentReport",
    "VialUse",
]


class VialUse(Model):
    """A vial with what was drawn from it; used and wasted add up to drawn."""

    vial: Vial
    drawn: PositiveDecimal = Field(description="U")
    used: NonNegativeDecimal
    wasted: NonNegativeDecimal


class GivenRegion(Model):
    """What one region and side really got."""

    region: Id
    side: Opt[Side] = None
    points: Annotated[Integer, Field(ge=0, le=1000)]
    volume: NonNegativeDecimal = Field(description="mL")
    units: NonNegativeDecimal


class MapPoint(RegionMark):
    """An injected point on a named chart; its units are nominal."""

    units: Opt[NonNegativeDecimal] = None


class GivenParameter(Model):
    """A figure of a procedure without injection, as it was really done."""

    key: Sentence
    value: DecimalString
    unit: UnitId


class StepRecord(Model):
    """A step of the plan: done or not, and which records it left."""

    step: Token
    done: bool
    at: Opt[Instant] = None
    records: tuple[RecordKind, ...] = ()
    note: Opt[Sentence] = None


class AnaestheticUse(Model):
    """The anaesthetic that was used."""

    anaesthetic: Token
    lot: Opt[Token] = None
    applied_at: Opt[Instant] = None


class Reaction(Model):
    """Something seen during or right after the treatment."""

    code: Token
    regions: tuple[RegionSide, ...] = ()
    severity: Literal["mild", "moderate", "severe"]
    note: Opt[Sentence] = None


class NotReady(Model):
    """One reason not to treat; `overridable` ones wait for a prescriber's override, the others for a change."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64)]
    sentence: Sentence
    next_step: Sentence
    overridable: bool = False
    finding: Opt[Finding] = None
    regions: tuple[RegionSide, ...] = ()


class Readiness(Model):
    """Every reason not to treat under this plan at this moment; none = ready."""

    plan: RecordPin
    at: Instant
    ready: bool
    reasons: tuple[NotReady, ...]
    notes: tuple[Text, ...] = Field(default=(), description="Policies in force that must be printed on the record.")


class Deviation(Model):
    """Why a treatment happened although something spoke against it, or differed from its plan, and who says so."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64)]
    reason: Sentence
    person: RecordId
    at: Instant
    regions: tuple[RegionSide, ...] = ()


class TreatmentReport(Model):
    """What the operator reports: handed to `treat`, which checks it against plan and readiness."""

    id: RecordId
    started_at: Instant
    ended_at: Instant
    operator: RecordId
    prescriber: Opt[RecordId] = Field(default=None, description="Absent only where nobody prescribed, a deviation.")
    vials: tuple[VialUse, ...] = ()
    doses: tuple[GivenRegion, ...] = ()
    points: tuple[MapPoint, ...] = ()
    parameters: tuple[GivenParameter, ...] = ()
    steps: tuple[StepRecord, ...]
    anaesthetic: Opt[AnaestheticUse] = None
    photographs: tuple[Attachment, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    stopped_early: Opt[Sentence] = Field(default=None, description="Why the treatment was stopped part-way.")
    amends: Opt[RecordId] = Field(
        default=None, description="The first record of this treatment, which this one corrects; all are kept."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "TreatmentReport":
        keys = [(dose.region, dose.side) for dose in self.doses]
        if len(set(keys)) != len(keys):
            refuse("treatment.duplicate_region", "A region and side stands twice in the doses.")
        return self


class TreatmentRecord(Model):
    """The record of one treatment; corrected by appending, never by changing."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    plan: RecordPin
    template: Pin
    product: Opt[Pin] = None
    market: MarketId
    session: SessionKind
    tops_up: Opt[RecordId] = None
    date: LocalDate = Field(description="The treatment day in the clinic's zone.")
    report: TreatmentReport
    consents: tuple[RecordId, ...]
    authorisation: Opt[RecordId] = None
    readiness: Readiness
    findings: tuple[Finding, ...] = Field(default=(), description="Findings on what was really given.")
    label_policies: tuple[Sentence, ...] = ()
    sample: bool = False


class AdverseEvent(Model):
    """Something that went wrong, when, how bad, what was done, and whether it must be reported."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    treatment: RecordId
    code: Token
    severity: Literal["mild", "moderate", "severe", "life-threatening"]
    onset: Instant
    recorded_at: Instant
    recorded_by: RecordId
    action: Opt[Sentence] = None
    reportable: bool
    product: Opt[Id] = None
    lots: tuple[Annotated[str, Field(pattern=r"^[!-~]{1,40}$")], ...] = ()
