"""Toxin products by brand, market and label version, vials, face regions, and what the evidence says."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from .base import (
    Id,
    Instant,
    LocalDate,
    Model,
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
    Code,
    ContentDocument,
    Mark,
    MarketId,
    Profession,
    SourcedNumber,
    SourcedStatement,
)

__all__ = [
    "AgeLimit",
    "Chart",
    "CumulativeCeiling",
    "DoseThreshold",
    "Evidence",
    "EvidenceBase",
    "Excipient",
    "LabelContraindication",
    "LabelDose",
    "Lot",
    "OperatorLimit",
    "Presentation",
    "Product",
    "Reconstitution",
    "Region",
    "RegionMap",
    "Vial",
    "within_label_tolerance",
]

Lot = Annotated[str, StringConstraints(pattern=r"^([!-/:-@\[-`{-~][ -~]*)?[0-9A-Za-z]([ -~]*[!-~])?$", max_length=40)]
"""A lot as it is printed: blanks inside it are kept, none stand around it, and it has a letter or digit.

Lots are compared without blanks, hyphens and other signs, in any case, with O read as 0.
"""

_LABEL_TOLERANCE = Fraction(5, 100)


def within_label_tolerance(computed: Fraction, stated: Fraction) -> bool:
    """Say whether a label's stated figure is the computed one within 5 % of the stated, exactly 5 % included.

    How far a label may round is our design choice, and for comparing a label with itself only: planned, given and
    counted doses are compared exactly.
    """
    return abs(computed - stated) <= _LABEL_TOLERANCE * abs(stated)


class Presentation(Model):
    """A vial as sold; `volume` is given where the product comes as a solution."""

    units: SourcedNumber = Field(description="Units in one vial, in the product's own unit.")
    volume: Opt[SourcedNumber] = Field(default=None, description="mL in one vial.")


class Reconstitution(Model):
    """What the label adds to which vial, and the concentration the label states, which may be rounded."""

    vial_units: SourcedNumber = Field(description="Units in the vial this holds for.")
    diluent: SourcedNumber = Field(description="mL of diluent added.")
    stated_units: SourcedNumber = Field(description="The label's units in `stated_volume`.")
    stated_volume: SourcedNumber = Field(description="mL that hold `stated_units`.")

    @property
    def adds_up(self) -> bool:
        """Whether units and diluent give the stated concentration within the label's tolerance, or a figure is empty.

        The figures are above zero (`Product` refuses others).
        """
        figures = (self.vial_units, self.diluent, self.stated_units, self.stated_volume)
        known = [Fraction(figure.value) for figure in figures if figure.value is not None]
        if len(known) < len(figures):
            return True
        units, diluent, stated_units, stated_volume = known
        return within_label_tolerance(units / diluent, stated_units / stated_volume)


class LabelDose(Model):
    """A dose on the label for an area; shown, never used for pores."""

    area: Token
    units: SourcedNumber = Field(description="Units for the area, in the product's own unit.")


class CumulativeCeiling(Model):
    """A label's total over time; the window is the longest of the given ones, boundary day counted."""

    units: SourcedNumber = Field(description="Most units in the window, in the product's own unit.")
    windows: Annotated[tuple[SourcedNumber, ...], Field(min_length=1)] = Field(description="Lengths in d, wk or mo.")


class AgeLimit(Model):
    """The label's upper age: `inclusive` says whether that age itself is still allowed."""

    years: SourcedNumber = Field(description="Completed years, in a.")
    inclusive: bool


class Excipient(Model):
    """Whether an excipient is in the product; unknown counts as present."""

    name: Token
    present: Literal["yes", "no", "unknown"] = Field(description="What the label says; unknown counts as yes.")
    source: Sentence
    mark: Mark


class LabelContraindication(Model):
    """A contraindication that the label lists, by the code of the safety rule it belongs to."""

    rule: Token
    source: Sentence
    mark: Mark


class OperatorLimit(Model):
    """Who may give the product, as its label says."""

    professions: Annotated[tuple[Profession, ...], Field(min_length=1)] = Field(
        description="Professions that may give it."
    )
    source: Sentence
    mark: Mark


class Product(ContentDocument):
    """One brand in one market under one label version. Units belong to `unit_id` and are never converted."""

    type: Literal["product"]
    inn: Token
    short_name: Token = Field(description="Short form of the INN, such as ONA.")
    brand: Sentence
    market: MarketId
    label_version: Sentence
    unit_id: UnitId = Field(description="Whose units these are; equal ids alone may be added or compared.")
    unit_source: Sentence = Field(description="Why this unit id; a shared one names the source that says so.")
    licensed: SourcedStatement
    presentations: Annotated[tuple[Presentation, ...], Field(min_length=1)]
    reconstitutions: tuple[Reconstitution, ...] = ()
    in_use: SourcedNumber = Field(description="Hours from reconstitution to discard.")
    one_patient: Opt[SourcedStatement] = None
    storage: tuple[SourcedStatement, ...] = ()
    label_doses: tuple[LabelDose, ...] = ()
    retreatment: tuple[SourcedNumber, ...] = Field(
        default=(), description="Minimum intervals in d, wk or mo; the latest counts; empty = no label figure read."
    )
    session_ceiling: Opt[SourcedNumber] = Field(default=None, description="Most units in one session, by the label.")
    cumulative_ceiling: Opt[CumulativeCeiling] = None
    age_max: Opt[AgeLimit] = None
    excipients: tuple[Excipient, ...] = ()
    contraindications: tuple[LabelContraindication, ...] = ()
    operators: Opt[OperatorLimit] = None
    warnings: tuple[SourcedStatement, ...] = ()
    codes: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _measured(self) -> "Product":
        for at, number, units in self._numbers():
            if number.unit not in units:
                refuse(
                    "product.unit", f"This figure has another unit than {' or '.join(units)}; nothing is converted.", at
                )
            if number.value is not None and (number.value == "0" or number.value.startswith("-")):
                refuse("product.not_positive", "This figure is zero or below.", at)
        for place, made in enumerate(self.reconstitutions):
            if not made.adds_up:
                refuse(
                    "product.label_arithmetic",
                    "The stated concentration is more than 5 % off what vial and diluent give; one of the four figures "
                    "was read wrongly.",
                    f"/reconstitutions/{place}",
                )
        return self

    def _numbers(self) -> Iterator[tuple[str, SourcedNumber, tuple[str, ...]]]:
        """Yield pointer, figure and the units it may have."""
        own = (self.unit_id,)
        yield "/in_use", self.in_use, ("h",)
        for place, presentation in enumerate(self.presentations):
            yield f"/presentations/{place}/units", presentation.units, own
            if presentation.volume is not None:
                yield f"/presentations/{place}/volume", presentation.volume, ("mL",)
        for place, made in enumerate(self.reconstitutions):
            at = f"/reconstitutions/{place}"
            yield f"{at}/vial_units", made.vial_units, own
            yield f"{at}/stated_units", made.stated_units, own
            yield f"{at}/diluent", made.diluent, ("mL",)
            yield f"{at}/stated_volume", made.stated_volume, ("mL",)
        for place, interval in enumerate(self.retreatment):
            yield f"/retreatment/{place}", interval, ("d", "wk", "mo")
        if self.session_ceiling is not None:
            yield "/session_ceiling", self.session_ceiling, own
        if self.cumulative_ceiling is not None:
            yield "/cumulative_ceiling/units", self.cumulative_ceiling.units, own
            for place, window in enumerate(self.cumulative_ceiling.windows):
                yield f"/cumulative_ceiling/windows/{place}", window, ("d", "wk", "mo")
        if self.age_max is not None:
            yield "/age_max/years", self.age_max.years, ("a",)


class Vial(Model):
    """A vial in the hand: lot, expiry, and what was added when (FHIR Medication.batch)."""

    id: RecordId
    product: Id
    lot: Lot = Field(
        description="As printed, blanks inside it included; compared without blanks, hyphens and signs, O read as 0."
    )
    expiry: LocalDate = Field(description="The last day of use.")
    units: PositiveDecimal = Field(description="U in the vial.")
    reconstituted_at: Opt[Instant] = Field(
        default=None, description="When the diluent was added; absent for a solution or a closed vial."
    )
    diluent: Opt[Token] = None
    diluent_volume: Opt[PositiveDecimal] = Field(default=None, description="mL")
    discard_by: Opt[Instant] = Field(default=None, description="When it may no longer be used.")
    used_for: tuple[RecordId, ...] = Field(default=(), description="Patients this vial was used for before.")
    supplier: Opt[Sentence] = None
    storage_log: Opt[Sentence] = None


class Region(Model):
    """A region of the face chart; `paired` regions have a left and a right side."""

    id: Id
    title: Text
    paired: bool
    periocular: bool = False
    treatable: bool = Field(default=True, description="False for sites that only a toxin history names.")


class Chart(Model):
    """A view of the face on which points have 0-1 coordinates, x from the image's left, y from its top."""

    id: Id
    title: Text
    view: Literal["frontal", "left-oblique", "right-oblique", "left-lateral", "right-lateral"] = Field(
        description="From where the face is seen."
    )


class RegionMap(ContentDocument):
    """The regions and charts that forms, templates and records refer to."""

    type: Literal["region-map"]
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]
    charts: Annotated[tuple[Chart, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> "RegionMap":
        ids = [*(region.id for region in self.regions), *(chart.id for chart in self.charts)]
        if len(set(ids)) != len(ids):
            refuse("regions.duplicate", "Two regions or charts have the same id.")
        return self


class Evidence(Model):
    """What was found, in which region, for which outcome, how sure one can be, and where it stands."""

    id: Id
    text: Text
    regions: tuple[Id, ...] = ()
    outcome: Token
    certainty: Literal["moderate", "low-to-moderate", "low", "low-inconsistent", "none"] = Field(
        description="How sure one can be of the statement."
    )
    sources: Annotated[tuple[Sentence, ...], Field(min_length=1)]
    mark: Mark = Field(description="How well the statement was verified.")
    checked_on: LocalDate


class DoseThreshold(Model):
    """A dose above which one study saw harm: not a cap, a reason to ask the prescriber why. Keyed by INN and region."""

    inn: Token
    region: Id
    per: Literal["side", "region"] = Field(description="Whether the figure is for one side or the whole region.")
    units: SourcedNumber = Field(description="U above which the prescriber is asked why.")
    text: Text


class EvidenceBase(ContentDocument):
    """The evidence statements and thresholds. Nothing is borrowed from another product or region."""

    type: Literal["evidence-base"]
    statements: Annotated[tuple[Evidence, ...], Field(min_length=1)]
    thresholds: tuple[DoseThreshold, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> "EvidenceBase":
        if len({statement.id for statement in self.statements}) != len(self.statements):
            refuse("evidence.duplicate", "Two evidence statements have the same id.")
        return self
