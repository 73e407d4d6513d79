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
from .products import Lot, Vial
from .safety import Finding, SessionKind

__all__ = [
    "AdverseEvent",
    "Amendment",
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
    used: NonNegativeDecimal = Field(description="U given to the patient.")
    wasted: NonNegativeDecimal = Field(description="U drawn and thrown away.")


class GivenRegion(Model):
    """What one region and side really got."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")
    points: Annotated[Integer, Field(ge=0, le=1000)] = Field(description="How many points were injected.")
    volume: NonNegativeDecimal = Field(description="mL")
    units: NonNegativeDecimal = Field(description="U given.")


class MapPoint(RegionMark):
    """An injected point on a named chart; its units are nominal."""

    units: Opt[NonNegativeDecimal] = Field(default=None, description="U at this point, nominal.")

    @model_validator(mode="after")
    def _on_a_chart(self) -> "MapPoint":
        if self.chart is None:
            refuse("treatment.point", "An injected point needs its chart and both coordinates.")
        return self


class GivenParameter(Model):
    """A figure of a procedure without injection, as it was really done."""

    key: Sentence
    value: DecimalString = Field(description="In `unit`.")
    unit: UnitId


class StepRecord(Model):
    """A step of the plan: done or not, and which records it left."""

    step: Token
    done: bool
    at: Opt[Instant] = Field(default=None, description="When it was done.")
    records: tuple[RecordKind, ...] = Field(default=(), description="Kinds of record that the step left.")
    note: Opt[Sentence] = None


class AnaestheticUse(Model):
    """The anaesthetic that was used."""

    anaesthetic: Token
    lot: Opt[Lot] = None
    applied_at: Opt[Instant] = Field(default=None, description="When it was put on the skin.")


class Reaction(Model):
    """Something seen during or right after the treatment."""

    code: Token
    regions: tuple[RegionSide, ...] = ()
    severity: Literal["mild", "moderate", "severe"] = Field(description="How bad it was.")
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

    plan: RecordPin = Field(description="The plan that was looked at.")
    at: Instant = Field(description="The moment that was looked at.")
    ready: bool = Field(description="True when there is no reason.")
    reasons: tuple[NotReady, ...]
    notes: tuple[Text, ...] = Field(
        default=(), description="Policies in force that must be printed on the record, and what to look at again."
    )


class Deviation(Model):
    """Why a treatment happened although something spoke against it, or differed from its plan, and who says so."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=64)] = Field(
        description="The reason that it answers, as readiness or a finding names it."
    )
    reason: Sentence
    person: RecordId = Field(description="Who answers for it.")
    at: Instant = Field(description="When it was recorded.")
    regions: tuple[RegionSide, ...] = ()


class Amendment(Model):
    """Who corrected a record, when and why. Who treated may be what was corrected, and is somebody else."""

    reason: Sentence
    person: RecordId = Field(description="Who answers for the correction.")
    at: Instant = Field(description="When it was corrected.")


class TreatmentReport(Model):
    """What the operator reports: handed to `treat`, which checks it against plan and readiness."""

    id: RecordId
    started_at: Instant = Field(description="When the treatment began.")
    ended_at: Instant = Field(description="When it ended; follow-up counts from here.")
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
    amendment: Opt[Amendment] = Field(default=None, description="With `amends`: who corrects, when and why.")

    @model_validator(mode="after")
    def _in_order(self) -> "TreatmentReport":
        keys = [(dose.region, dose.side) for dose in self.doses]
        if len(set(keys)) != len(keys):
            refuse("treatment.duplicate_region", "A region and side stands twice in the doses.")
        if self.amends == self.id:
            refuse("treatment.amends_itself", "A record cannot correct itself; an amendment has an id of its own.")
        if (self.amends is None) != (self.amendment is None):
            refuse(
                "treatment.amendment", "A correction names the first record in `amends` and its reason in `amendment`."
            )
        return self


class TreatmentRecord(Model):
    """The record of one treatment; corrected by appending, never by changing."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    plan: RecordPin = Field(description="The plan it was done under.")
    template: Pin = Field(description="The template, as the plan pins it.")
    product: Opt[Pin] = Field(default=None, description="The product, as its row read then.")
    market: MarketId
    session: SessionKind = Field(description="First, repeat, or a top-up of an earlier treatment.")
    tops_up: Opt[RecordId] = Field(default=None, description="The treatment that a top-up completes.")
    date: LocalDate = Field(description="The treatment day in the clinic's zone.")
    report: TreatmentReport
    consents: tuple[RecordId, ...]
    authorisation: Opt[RecordId] = None
    readiness: Readiness = Field(description="The readiness that it was checked against.")
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
    severity: Literal["mild", "moderate", "severe", "life-threatening"] = Field(description="How bad it was.")
    onset: Instant = Field(description="When it began.")
    recorded_at: Instant = Field(description="When it was entered.")
    recorded_by: RecordId
    action: Opt[Sentence] = None
    reportable: bool = Field(description="Whether it must be reported to an authority or the maker.")
    product: Opt[Id] = None
    lots: tuple[Lot, ...] = Field(default=(), description="Lots of the vials that were used.")
    resolved_at: Opt[Instant] = Field(
        default=None, description="When nothing more had to be done about it, reporting included; absent = open."
    )
