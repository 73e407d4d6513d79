"""Procedure templates, the clinic's protocol that fills their gaps, and the plan with exact doses."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

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
from .common import (
    ContentDocument,
    Figure,
    Mark,
    MarketId,
    Pin,
    RecordPin,
    RegionSide,
    Side,
    SourcedNumber,
    SourcedStatement,
)
from .products import Evidence
from .safety import SessionKind

__all__ = [
    "AftercareItem",
    "Anaesthetic",
    "ClinicProtocol",
    "Consumable",
    "DilutionScheme",
    "DilutionStep",
    "DroppedField",
    "Injection",
    "MissingNumber",
    "Parameter",
    "PlannedAftercare",
    "PlannedAnaesthetic",
    "PlannedConsumable",
    "PlannedDilution",
    "PlannedInjection",
    "PlannedParameter",
    "PlannedRegion",
    "ProcedurePlan",
    "ProcedureTemplate",
    "ProductNumber",
    "ProtocolDilution",
    "ProtocolDilutionStep",
    "ProtocolParameter",
    "ProtocolRegion",
    "RecordKind",
    "Step",
    "TemplateRegion",
]

RecordKind = Literal[
    "identity-check",
    "day-form",
    "consent-check",
    "photographs",
    "vial",
    "dilution",
    "anaesthetic",
    "skin-preparation",
    "region-map",
    "doses",
    "waste",
    "observation",
    "reaction",
    "aftercare-given",
    "red-flag-card-given",
    "parameters",
]


class ProductNumber(Model):
    """A number that holds for one INN only."""

    inn: Token
    number: SourcedNumber = Field(description="The figure, for this INN only.")


def _millilitres(number: SourcedNumber, member: str) -> None:
    """Refuse a volume in another unit: doses are worked out from it, and no code converts."""
    if number.unit != "mL":
        refuse("template.unit", "A volume is in mL, written `mL`.", f"/{member}/unit")


class DilutionStep(Model):
    """One step: draw this much of what the step before gave (absent = the whole vial), add this much diluent."""

    id: Token
    diluent: Token
    draw: Opt[SourcedNumber] = Field(default=None, description="mL of the previous mix; absent in the first step.")
    add: SourcedNumber = Field(description="mL of diluent added.")

    @model_validator(mode="after")
    def _in_millilitres(self) -> "DilutionStep":
        for name, number in (("draw", self.draw), ("add", self.add)):
            if number is not None:
                _millilitres(number, name)
        return self


class DilutionScheme(Model):
    """How a vial of these INNs becomes the working solution; ready-to-use solutions have no steps."""

    inns: Annotated[tuple[Token, ...], Field(min_length=1)]
    vial_units: SourcedNumber = Field(description="U in the vial as sold.")
    steps: tuple[DilutionStep, ...]


class TemplateRegion(Model):
    """A region the template treats. Doses are per region and side; empty numbers come from the clinic's protocol."""

    region: Id
    sides: tuple[Side, ...] = Field(default=(), description="Empty for regions without sides.")
    optional: bool = False
    points: SourcedNumber
    volume_per_point: SourcedNumber = Field(description="mL")
    units: tuple[ProductNumber, ...] = Field(default=(), description="U per region and side, by INN.")

    @model_validator(mode="after")
    def _in_millilitres(self) -> "TemplateRegion":
        _millilitres(self.volume_per_point, "volume_per_point")
        return self

    notes: tuple[SourcedStatement, ...] = ()


class Injection(Model):
    """What an injected procedure needs: dilution, regions, technique."""

    inns: Annotated[tuple[Token, ...], Field(min_length=1)]
    route: Literal["intradermal", "intramuscular"] = Field(description="The layer it is injected into.")
    dilutions: tuple[DilutionScheme, ...] = ()
    regions: Annotated[tuple[TemplateRegion, ...], Field(min_length=1)]
    spacing: SourcedNumber = Field(description="Distance between points.")
    depth: SourcedNumber = Field(description="Depth of the needle's tip.")
    angle: SourcedNumber = Field(description="Angle of the needle to the skin.")
    needle_gauge: SourcedNumber = Field(description="Outer size of the needle.")
    needle_length: SourcedNumber = Field(description="Length of the needle.")
    syringe_graduation: SourcedNumber = Field(description="Smallest volume the syringe shows, mL.")
    end_point: SourcedStatement
    avoid: tuple[SourcedStatement, ...] = ()

    @model_validator(mode="after")
    def _in_millilitres(self) -> "Injection":
        _millilitres(self.syringe_graduation, "syringe_graduation")
        return self


class Parameter(Model):
    """A number a procedure without injection needs: concentration, contact time, passes, energy."""

    id: Token
    title: Text
    number: SourcedNumber
    required: bool = True


class Anaesthetic(Model):
    """A skin anaesthetic the template allows."""

    id: Token
    title: Text
    local_anaesthetic: bool = Field(
        default=True, description="Whether an allergy to local anaesthetics speaks against it."
    )
    contact_time: SourcedNumber = Field(description="How long it stays on the skin.")
    notes: tuple[SourcedStatement, ...] = ()


class Step(Model):
    """A step on the day, with the records it must leave."""

    id: Token
    title: Text
    instruction: Text
    required: bool = True
    records: tuple[RecordKind, ...] = Field(default=(), description="Kinds of record that the step must leave.")


class Consumable(Model):
    """Something used up, and how many for one session."""

    id: Token
    title: Text
    quantity: SourcedNumber = Field(description="How many for one session.")


class AftercareItem(Model):
    """One piece of aftercare with the range seen and the clinic's value."""

    id: Token
    text: Text = Field(description="Placeholder: {value}.")
    value: SourcedNumber = Field(description="The clinic's figure, which fills {value}.")
    range_seen: Opt[Sentence] = None
    evidence: Opt[Text] = None


class ProcedureTemplate(ContentDocument):
    """A procedure as a clinic does it: what, where, how much, in which steps, with which follow-up."""

    type: Literal["procedure-template"]
    summary: Text
    off_label: Opt[Text] = Field(default=None, description="What off-label use means here; required for injections.")
    injection: Opt[Injection] = None
    parameters: tuple[Parameter, ...] = ()
    regions: tuple[RegionSide, ...] = Field(default=(), description="Regions of a procedure without injection.")
    skin_preparation: tuple[SourcedStatement, ...] = ()
    anaesthetics: tuple[Anaesthetic, ...] = ()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    consumables: tuple[Consumable, ...] = ()
    aftercare: tuple[AftercareItem, ...] = ()
    evidence: tuple[Id, ...] = Field(default=(), description="Ids of evidence statements.")
    alternatives: tuple[Text, ...] = ()
    consultation_form: Id
    day_form: Id
    schedule: Id
    consent_texts: tuple[Id, ...]
    instruments: tuple[Id, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> "ProcedureTemplate":
        if self.injection is not None and self.off_label is None:
            refuse("template.off_label", "An injection template must say what off-label use means.")
        if (self.injection is None) == (not self.regions):
            refuse("template.regions", "A template has an injection with its regions, or regions of its own, not both.")
        steps = [step.id for step in self.steps]
        if len(set(steps)) != len(steps):
            refuse("template.duplicate_step", "Two steps of this template have the same id.")
        if self.injection is not None:
            keys = [region.region for region in self.injection.regions]
            if len(set(keys)) != len(keys):
                refuse("template.duplicate_region", "A region stands twice in this template.")
        return self


class ProtocolDilutionStep(Model):
    """A dilution step with the clinic's own figures, in mL."""

    id: Token
    diluent: Token
    draw: Opt[PositiveDecimal] = Field(default=None, description="mL of the previous mix; absent in the first step.")
    add: NonNegativeDecimal = Field(description="mL of diluent added.")


class ProtocolDilution(Model):
    """How this clinic makes the working solution; `steps` is empty for a ready-to-use solution."""

    vial_units: PositiveDecimal = Field(description="U in the vial as sold.")
    steps: tuple[ProtocolDilutionStep, ...]


class ProtocolRegion(Model):
    """The clinic's figures for a region and side: points, and one of volume per point, volume, or units."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")
    points: Annotated[Integer, Field(ge=1, le=1000)]
    volume_per_point: Opt[PositiveDecimal] = Field(default=None, description="mL")
    volume: Opt[PositiveDecimal] = Field(default=None, description="mL in all")
    units: Opt[PositiveDecimal] = Field(default=None, description="U in all, for this region and side.")

    @model_validator(mode="after")
    def _one_measure(self) -> "ProtocolRegion":
        if sum(value is not None for value in (self.volume_per_point, self.volume, self.units)) > 1:
            refuse("protocol.two_measures", "Give one of volume_per_point, volume and units, not several.")
        return self


class ProtocolParameter(Model):
    """The clinic's figure for a parameter, an aftercare item, or a technique figure, by its key."""

    key: Sentence = Field(description="As `plan` lists it, for example `injection.needle_length`.")
    value: DecimalString = Field(description="In `unit`, which must be the one that the template asks for.")
    unit: UnitId


class ClinicProtocol(ContentDocument):
    """The numbers a clinic's prescriber supplies for a template and product. `sample` ones are printed SAMPLE."""

    type: Literal["clinic-protocol"]
    template: Id
    product: Opt[Id] = None
    sample: bool = Field(
        default=False, description="True for figures to try things out with: they treat nobody outside a sample clinic."
    )
    responsible: Opt[Sentence] = Field(default=None, description="The prescriber who answers for the figures.")
    dilution: Opt[ProtocolDilution] = None
    regions: tuple[ProtocolRegion, ...] = ()
    parameters: tuple[ProtocolParameter, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> "ClinicProtocol":
        keys = [(region.region, region.side) for region in self.regions]
        if len(set(keys)) != len(keys):
            refuse("protocol.duplicate_region", "A region and side stands twice in this protocol.")
        if not self.sample and self.responsible is None:
            refuse("protocol.responsible", "A protocol names the prescriber who answers for its figures.")
        return self


class MissingNumber(Model):
    """A number that the plan needs and nobody has supplied; `suggestion` is a T-marked figure to accept."""

    key: Sentence
    unit: UnitId
    reason: Sentence
    suggestion: Opt[DecimalString] = None
    source: Sentence
    accept: Opt[Sentence] = Field(
        default=None, description="What `policies.accepted_suggestions` must hold for the suggestion to be used."
    )


class PlannedDilution(Model):
    """A dilution step with the concentration after it, as often as it is done."""

    id: Token
    diluent: Token
    draw: Opt[Figure] = Field(default=None, description="mL of the previous mix; absent in the first step.")
    add: Figure = Field(description="mL of diluent added.")
    volume: Figure = Field(description="mL after the step")
    units: Figure = Field(description="U in that volume")
    concentration: Figure = Field(description="U/mL; nominal when it does not terminate.")
    batches: Integer = Field(default=1, description="How often the step is done for this session.")
    left: Opt[Figure] = Field(default=None, description="mL of this mix that are neither used nor drawn further.")


class PlannedRegion(Model):
    """One region and side. The total volume times the concentration is authoritative; per-point figures are nominal."""

    region: Id
    side: Opt[Side] = Field(default=None, description="Absent where the region has no sides.")
    title: Text
    points: Integer
    volume: Figure = Field(description="mL in all.")
    units: Figure = Field(description="U in all: volume times concentration, exact.")
    volume_per_point: Figure = Field(description="mL, nominal.")
    units_per_point: Figure = Field(description="U, nominal.")
    evidence: Opt[Text] = Field(default=None, description="The threshold's text, or that there is no evidence figure.")
    notes: tuple[SourcedStatement, ...] = ()

    @model_validator(mode="after")
    def _not_negative(self) -> "PlannedRegion":
        if self.volume.value.startswith("-") or self.units.value.startswith("-"):
            refuse("plan.negative", "A planned volume or dose is below zero.")
        return self


class PlannedInjection(Model):
    """Exact doses, what to draw up, what is left over."""

    inn: Token
    brand: Sentence
    unit_id: UnitId = Field(description="Whose units these are; never converted.")
    route: Token = Field(description="The layer it is injected into.")
    vial_units: Figure = Field(description="U in one vial.")
    vial_volume: Opt[Figure] = Field(default=None, description="mL in the vial; only of a ready-to-use solution.")
    vials: Integer = Field(description="How many vials the session needs.")
    dilutions: tuple[PlannedDilution, ...]
    concentration: Figure = Field(description="U/mL of the working solution")
    per_tenth: Figure = Field(description="U per 0.1 mL")
    regions: tuple[PlannedRegion, ...]
    total_units: Figure = Field(description="U over all regions, exact.")
    total_volume: Figure = Field(description="mL over all regions, exact.")
    waste_units: Figure = Field(description="U of the opened vials that no region gets.")
    waste_volume: Figure = Field(description="mL of working solution that no region gets.")
    inputs: tuple["PlannedParameter", ...] = Field(
        default=(), description="The figures that the arithmetic started from, with their sources."
    )
    technique: tuple["PlannedParameter", ...]
    end_point: SourcedStatement
    avoid: tuple[SourcedStatement, ...] = ()
    notes: tuple[Text, ...] = ()


class PlannedParameter(Model):
    """A figure of the plan with where it came from."""

    key: Sentence
    title: Opt[Text] = None
    value: DecimalString = Field(description="In `unit`.")
    unit: UnitId
    origin: Literal["template", "suggestion-accepted", "protocol", "label"] = Field(
        description="Who supplied the figure."
    )
    source: Sentence
    mark: Opt[Mark] = Field(default=None, description="How well the figure was verified, where its source has a mark.")
    checked_on: Opt[LocalDate] = None


class PlannedAnaesthetic(Anaesthetic):
    """The chosen anaesthetic; `planned` is the contact time that holds."""

    planned: Opt[PlannedParameter] = None


class PlannedConsumable(Consumable):
    """A consumable; `planned` is the quantity that holds, absent when nobody gave one."""

    planned: Opt[PlannedParameter] = None


class PlannedAftercare(AftercareItem):
    """A piece of aftercare; `planned` is the value that holds, absent when nobody gave one."""

    planned: Opt[PlannedParameter] = None


class DroppedField(Model):
    """A template field that the plan leaves out on purpose, and why."""

    path: Sentence
    reason: Sentence


class ProcedurePlan(Model):
    """The plan for one session: pinned to what it was made from, with exact doses per region and side."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    consultation: RecordPin = Field(description="The consultation the plan was made from.")
    assessment: RecordPin = Field(description="The assessment it rests on.")
    template: Pin = Field(description="The template, as it was then.")
    protocol: Opt[Pin] = Field(default=None, description="The clinic's protocol that filled the gaps.")
    product: Opt[Pin] = Field(default=None, description="The product, as its row read then.")
    product_id: Opt[Id] = None
    market: MarketId
    session: SessionKind = Field(description="First, repeat, or a top-up of an earlier treatment.")
    tops_up: Opt[RecordId] = Field(default=None, description="The treatment that a top-up completes.")
    treatment_date: LocalDate = Field(description="The planned day in the clinic's zone.")
    created_at: Instant = Field(description="When the plan was made.")
    draft: bool = Field(description="True while template or protocol are not approved for this clinic.")
    for_record: bool = Field(
        default=False, description="Made after the treatment, to record it; nobody may be treated under this plan."
    )
    sample: bool = Field(description="True when a sample protocol supplied figures; every sheet says SAMPLE.")
    substance: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")] = Field(
        description="Digest of what is clinically planned, without ids and dates: equal for an unchanged repeat."
    )
    title: Text
    summary: Text
    off_label: Opt[Text] = None
    injection: Opt[PlannedInjection] = None
    parameters: tuple[PlannedParameter, ...] = ()
    regions: tuple[RegionSide, ...]
    skin_preparation: tuple[SourcedStatement, ...] = ()
    anaesthetic: Opt[PlannedAnaesthetic] = None
    steps: tuple[Step, ...]
    consumables: tuple[PlannedConsumable, ...] = ()
    aftercare: tuple[PlannedAftercare, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Text, ...] = ()
    consultation_form: Id
    day_form: Id
    schedule: Id
    consent_texts: tuple[Id, ...]
    instruments: tuple[Id, ...] = ()
    not_given: tuple[MissingNumber, ...] = Field(
        default=(), description="Figures that may be left out and that nobody gave: printed as not given."
    )
    dropped: tuple[DroppedField, ...] = ()
    warnings: tuple[Text, ...] = ()
