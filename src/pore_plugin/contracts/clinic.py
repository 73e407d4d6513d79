"""The clinic's settings and the market it works in (FHIR Organization, PractitionerRole)."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from .base import (
    CountryCode,
    Duration,
    Id,
    Integer,
    LocalDate,
    Locale,
    LocalTime,
    Model,
    Opt,
    PositiveDecimal,
    RecordId,
    Sentence,
    Text,
    Token,
    Zone,
    refuse,
)
from .common import (
    ContentDocument,
    Mark,
    MarketId,
    Profession,
    Side,
    SourcedNumber,
    SourcedStatement,
)

__all__ = [
    "Clinic",
    "Closure",
    "DosePolicy",
    "EmergencyNumbers",
    "ExtensionPolicy",
    "Hours",
    "LabelPolicy",
    "Market",
    "Markets",
    "OpeningHours",
    "Person",
    "Policies",
    "Register",
    "SourcedFlag",
    "TopUpWindow",
]


class Hours(Model):
    """One stretch of opening hours in local time."""

    opens: LocalTime = Field(description="HH:MM in the clinic's zone.")
    closes: LocalTime = Field(description="HH:MM in the clinic's zone.")

    @model_validator(mode="after")
    def _in_order(self) -> "Hours":
        if self.opens >= self.closes:
            refuse("clinic.hours_order", "Opening time must be before closing time.")
        return self


class OpeningHours(Model):
    """Opening hours by weekday; a day without hours is closed."""

    # So that an empty table is named together with everything else that a schema refuses.
    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    monday: tuple[Hours, ...] = ()
    tuesday: tuple[Hours, ...] = ()
    wednesday: tuple[Hours, ...] = ()
    thursday: tuple[Hours, ...] = ()
    friday: tuple[Hours, ...] = ()
    saturday: tuple[Hours, ...] = ()
    sunday: tuple[Hours, ...] = ()

    @model_validator(mode="after")
    def _open_sometime(self) -> "OpeningHours":
        if not any((self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday)):
            refuse("clinic.never_open", "The clinic must be open on at least one weekday.")
        return self


class Closure(Model):
    """Days on which the clinic is closed, first and last day included."""

    first: LocalDate
    last: LocalDate
    reason: Opt[Sentence] = None

    @model_validator(mode="after")
    def _in_order(self) -> "Closure":
        if self.first > self.last:
            refuse("clinic.closure_order", "A closure ends before it begins.")
        return self


class Register(Model):
    """A professional register and the number in it."""

    body: Annotated[str, Field(min_length=1, max_length=80)]
    number: Annotated[str, Field(min_length=1, max_length=40)]


class Person(Model):
    """Somebody who works here: what they are, what they may do, where they are registered."""

    id: RecordId
    name: Sentence
    profession: Profession
    roles: Annotated[
        tuple[Literal["prescriber", "operator", "assistant", "administrator"], ...], Field(min_length=1)
    ] = Field(description="What the person may do here.")
    register_entry: Opt[Register] = Field(default=None, description="Required for prescribers and operators.")

    @model_validator(mode="after")
    def _registered(self) -> "Person":
        if self.register_entry is None and {"prescriber", "operator"} & set(self.roles):
            refuse("clinic.unregistered", "A prescriber or operator needs a register entry.")
        return self


class EmergencyNumbers(Model):
    """Whom a patient calls: the emergency number first, the advice line for the rest, the clinic's own line."""

    emergency: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()/-]{1,24}$")]
    advice: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()/-]{1,24}$")]
    clinic: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()/-]{1,24}$")]


class TopUpWindow(Model):
    """Days after the named treatment in which a top-up may be planned, first and last day included."""

    first_day: Annotated[Integer, Field(ge=1, le=365)] = Field(description="In days; the day of the treatment is 0.")
    last_day: Annotated[Integer, Field(ge=1, le=365)] = Field(description="In days; the day of the treatment is 0.")

    @model_validator(mode="after")
    def _in_order(self) -> "TopUpWindow":
        if self.first_day > self.last_day:
            refuse("clinic.top_up_order", "The top-up window ends before it begins.")
        return self


class DosePolicy(Model):
    """The clinic's own dose figure for a product and region, above which a prescriber must record a reason."""

    product: Id
    region: Id
    side: Opt[Side] = None
    units: PositiveDecimal = Field(description="U in one session, in the product's own unit.")
    reason: Sentence


class LabelPolicy(Model):
    """A signed policy that lifts one of the two vial label blocks; it is printed on every record made under it."""

    lifts: Literal["vial.second_patient", "vial.in_use_hours"] = Field(description="The block that it lifts.")
    text: Sentence
    signed_by: RecordId
    signed_on: LocalDate
    in_use_hours: Opt[PositiveDecimal] = Field(default=None, description="The policy's own limit, in hours.")


class Policies(Model):
    """What the clinic decides for itself. Empty means: not decided, the cautious reading holds."""

    consultation_expiry: Opt[Duration] = Field(default=None, description="How long a consultation may be planned from.")
    cooling_off: Opt[Duration] = Field(default=None, description="May raise the market's setting, never lower it.")
    top_up_window: Opt[TopUpWindow] = None
    retention: Opt[Duration] = Field(
        default=None,
        description="How long records are kept, counted from the last thing that happened; absent = not decided.",
    )
    switched_off_rules: tuple[Token, ...] = ()
    accepted_suggestions: tuple[Sentence, ...] = Field(
        default=(), description="Keys of T-marked numbers that the clinic's prescriber accepts, as `plan` lists them."
    )
    dose_figures: tuple[DosePolicy, ...] = ()
    label_policies: tuple[LabelPolicy, ...] = ()


class ExtensionPolicy(Model):
    """Which extensions run. Extensions are trusted code; the built-in cannot be disabled."""

    enabled: bool = True
    disabled: tuple[Token, ...] = ()
    allowed: Opt[tuple[Annotated[str, Field(min_length=1, max_length=120)], ...]] = Field(
        default=None, description="`distribution==version` or `distribution`; when present, nothing else is loaded."
    )
    precedence: tuple[Token, ...] = ()


class Clinic(Model):
    """The clinic settings file: who, where, when open, whom to call, and what the clinic decided."""

    schema_: Opt[str] = Field(default=None, alias="$schema")
    id: RecordId
    name: Sentence
    zone: Zone = Field(description="IANA name of the zone that days and opening hours are in.")
    market: MarketId = Field(description="No default: a clinic without a market is refused.")
    country: CountryCode
    subdivision: Opt[Annotated[str, Field(pattern=r"^[A-Z0-9]{1,3}$")]] = None
    languages: Annotated[tuple[Locale, ...], Field(min_length=1)]
    hours: OpeningHours
    closures: tuple[Closure, ...] = ()
    people: Annotated[tuple[Person, ...], Field(min_length=1)]
    emergency: EmergencyNumbers
    policies: Policies = Field(default_factory=Policies)
    extensions: ExtensionPolicy = Field(default_factory=ExtensionPolicy)
    sample: bool = Field(default=False, description="Only a sample clinic may treat with a sample protocol.")

    @model_validator(mode="after")
    def _hangs_together(self) -> "Clinic":
        ids = {person.id for person in self.people}
        if len(ids) != len(self.people):
            refuse("clinic.duplicate_person", "Two people have the same id.")
        if not any("prescriber" in person.roles for person in self.people):
            refuse("clinic.no_prescriber", "At least one person must be a prescriber.")
        prescribers = {person.id for person in self.people if "prescriber" in person.roles}
        if not {policy.signed_by for policy in self.policies.label_policies} <= prescribers:
            refuse("clinic.policy_signer", "A label policy must be signed by a prescriber of this clinic.")
        return self

    def person(self, person_id: str) -> Person | None:
        """Return the person with this id, or `None`."""
        return next((person for person in self.people if person.id == person_id), None)


class SourcedFlag(Model):
    """A yes or no with its source."""

    value: bool
    source: Sentence
    mark: Mark = Field(description="How well it was verified.")
    checked_on: LocalDate = Field(description="The day somebody read the source.")


class Market(Model):
    """What a market's law and guidance ask for, as far as it was read."""

    id: MarketId
    countries: Annotated[tuple[CountryCode, ...], Field(min_length=1)]
    age_min: SourcedNumber = Field(description="Completed years, in a.")
    cooling_off: SourcedNumber = Field(description="Hours between information and treatment; empty = none found.")
    in_person_exam: SourcedFlag = Field(description="Whether the prescriber must examine in person.")
    operator_may_differ: SourcedFlag = Field(description="Whether an operator may treat under an authorisation.")
    emergency_instruction: Text = Field(description="Placeholders: {emergency}, {clinic}.")
    advice_instruction: Text = Field(description="Placeholders: {advice}, {clinic}.")
    same_day_instruction: Text = Field(description="Placeholders: {clinic}.")
    reporting: tuple[SourcedStatement, ...] = ()
    notes: tuple[SourcedStatement, ...] = ()


class Markets(ContentDocument):
    """All markets the content knows; a clinic of any other market is refused."""

    type: Literal["markets"]
    markets: Annotated[tuple[Market, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> "Markets":
        if len({market.id for market in self.markets}) != len(self.markets):
            refuse("markets.duplicate", "Two markets have the same id.")
        return self
