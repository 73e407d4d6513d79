"""Suitability: rules as data, findings, assessments, overrides (CDS Hooks cards, FHIR DetectedIssue)."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import (
    Digest,
    Id,
    Instant,
    LocalDate,
    Model,
    NonNegativeDecimal,
    Opt,
    RecordId,
    Sentence,
    Text,
    Token,
    UnitId,
    refuse,
)
from .common import (
    ContentDocument,
    Mark,
    MarketId,
    PatientRef,
    RecordPin,
    RegionDose,
    RegionSide,
    Severity,
)
from .forms import ShowWhen

__all__ = [
    "AnswersPredicate",
    "Assessment",
    "AssessmentContext",
    "ComputedPredicate",
    "Finding",
    "Override",
    "RuleCase",
    "RuleLimit",
    "SafetyRule",
    "SafetyRules",
    "SessionKind",
    "Stage",
    "ToxinExposure",
    "Verdict",
]

Stage = Literal["booking", "consultation", "plan", "treatment"]
SessionKind = Literal["first", "repeat", "top-up"]
Verdict = Literal["clear", "inform", "review", "block"]

ComputedCheck = Literal[
    "age-min",
    "age-max",
    "interval",
    "cumulative",
    "other-toxin",
    "region-dose",
    "unlicensed",
    "excipient",
    "anaesthetic",
    "recent-date",
    "periocular",
    "planned-blocker",
    "screen-result",
]


class AnswersPredicate(Model):
    """True when the conditions hold over the answers (R4 enableWhen semantics)."""

    type: Literal["answers"]
    when: ShowWhen
    region_question: Opt[Id] = Field(
        default=None,
        description="A region-map question whose marks scope the finding; without marks it holds everywhere.",
    )


class RuleLimit(Model):
    """The number a computed check uses, with its source."""

    value: NonNegativeDecimal = Field(description="In `unit`.")
    unit: UnitId
    source: Sentence
    mark: Mark = Field(description="How well the figure was verified.")
    checked_on: LocalDate


class ComputedPredicate(Model):
    """True when a named check over answers, context and product says so; `when` narrows it."""

    type: Literal["computed"]
    check: ComputedCheck = Field(description="The check, which the package computes.")
    question: Opt[Id] = Field(
        default=None, description="The question whose answer the check reads, where it reads one."
    )
    parameters: tuple[Token, ...] = ()
    limit: Opt[RuleLimit] = None
    when: Opt[ShowWhen] = None


class RuleCase(Model):
    """One case of a rule: for which products and markets, when, and what follows. Empty scopes mean all."""

    id: Token
    action: Severity = Field(description="What follows when it holds.")
    products: tuple[Id, ...] = ()
    except_products: tuple[Id, ...] = ()
    inns: tuple[Token, ...] = ()
    markets: tuple[MarketId, ...] = ()
    stages: tuple[Stage, ...] = Field(default=(), description="When it is asked; empty = at every stage.")
    toxin_only: bool = Field(default=False, description="Does not hold for a procedure that uses no toxin.")
    predicate: Annotated[AnswersPredicate | ComputedPredicate, Field(discriminator="type")]
    message: Text
    source: Sentence
    mark: Mark = Field(description="How well the case was verified.")


class SafetyRule(Model):
    """A contraindication or caution. `always_on` rules cannot be switched off by a clinic."""

    code: Token
    title: Text
    always_on: bool = False
    regional: bool = Field(default=False, description="Whether its findings are scoped to regions.")
    cases: Annotated[tuple[RuleCase, ...], Field(min_length=1)]
    checked_on: LocalDate


class SafetyRules(ContentDocument):
    """The rule set."""

    type: Literal["safety-rules"]
    rules: Annotated[tuple[SafetyRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _unique(self) -> "SafetyRules":
        if len({rule.code for rule in self.rules}) != len(self.rules):
            refuse("rules.duplicate", "Two rules have the same code.")
        return self


class ToxinExposure(Model):
    """Toxin the patient had before, here or elsewhere. What is not known is left out and read cautiously."""

    product: Opt[Id] = None
    inn: Opt[Token] = None
    unit_id: Opt[UnitId] = Field(default=None, description="Whose units these are; never converted.")
    units: Opt[NonNegativeDecimal] = Field(default=None, description="In `unit_id`; absent = unknown.")
    date: Opt[LocalDate] = Field(default=None, description="Absent = unknown.")
    regions: tuple[RegionSide, ...] = Field(default=(), description="Empty = region unknown.")
    given: Literal["here", "elsewhere"] = Field(description="In this clinic or another.")
    treatment: Opt[RecordId] = Field(default=None, description="The treatment record, when it was given here.")
    doses: tuple[RegionDose, ...] = ()


class AssessmentContext(Model):
    """What an assessment looks at besides the answers. Nothing in it is read from another clinic's records."""

    stage: Stage = Field(description="How far the case has come.")
    session: SessionKind = Field(default="first", description="First, repeat, or a top-up of an earlier treatment.")
    tops_up: Opt[RecordId] = Field(default=None, description="The treatment that a top-up completes.")
    date: LocalDate = Field(description="The (planned) treatment date in the clinic's zone.")
    patient: PatientRef
    template: Opt[Id] = None
    product: Opt[Id] = None
    anaesthetic: Opt[Token] = None
    history: tuple[ToxinExposure, ...] = ()
    planned: Opt[tuple[RegionDose, ...]] = Field(
        default=None, description="Planned doses; absent = nothing planned yet."
    )
    regions: tuple[RegionSide, ...] = Field(default=(), description="Regions in view; empty = all.")

    @model_validator(mode="after")
    def _top_up_names_its_treatment(self) -> "AssessmentContext":
        if (self.session == "top-up") != (self.tops_up is not None):
            refuse("context.top_up", "A top-up names the treatment it completes; other sessions name none.")
        return self


class Finding(Model):
    """One thing to stop at, to think about, or to know; attributed to whoever said it."""

    code: Token
    case: Opt[Token] = None
    severity: Severity = Field(description="Block stops, review asks a prescriber, inform tells.")
    regions: tuple[RegionSide, ...] = Field(default=(), description="Empty = the whole session.")
    message: Text
    source: Sentence
    mark: Mark = Field(description="How well its rule was verified.")
    unverified: bool = Field(default=False, description="True when its source is secondary or from memory.")
    rests_on: tuple[Id, ...] = Field(default=(), description="Ids of the questions that it rests on.")
    plugin: Token = Field(default="pore", description="Who said it; `pore` is the package itself.")


class Assessment(Model):
    """All findings of one stage and their joined verdict, pinned to what they rest on."""

    id: RecordId
    clinic: RecordId
    consultation: Opt[RecordPin] = Field(
        default=None, description="The consultation that was assessed; absent at booking."
    )
    day_form: Opt[RecordPin] = Field(default=None, description="The answers of the day, at stage treatment.")
    rules: Opt[Digest] = Field(default=None, description="Digest of the rule set that decided.")
    context: AssessmentContext
    assessed_at: Instant = Field(description="When it was assessed.")
    findings: tuple[Finding, ...]
    switched_off: tuple[Token, ...] = Field(default=(), description="Rules the clinic has switched off.")
    evidence: tuple[Text, ...] = Field(default=(), description="What the evidence says about what is in view.")
    verdict: Verdict = Field(description="The most severe of its findings; clear without any.")


class Override(Model):
    """A prescriber's recorded reason to go on in spite of a review finding, for this patient and consultation."""

    id: RecordId
    clinic: RecordId
    patient: RecordId
    consultation: RecordPin = Field(description="The consultation that the finding rests on.")
    finding: Token = Field(description="Code of the finding.")
    case: Opt[Token] = Field(default=None, description="Case of the finding's rule, where it has one.")
    plugin: Token = "pore"
    regions: tuple[RegionSide, ...] = ()
    prescriber: RecordId
    reason: Literal[
        "benefit-outweighs-risk",
        "specialist-consulted",
        "finding-resolved",
        "finding-not-applicable",
        "patient-informed-and-wishes",
        "other",
    ]
    reason_text: Opt[Sentence] = None
    at: Instant = Field(description="When it was recorded.")

    @model_validator(mode="after")
    def _other_says_why(self) -> "Override":
        if self.reason == "other" and self.reason_text is None:
            refuse("override.reason", "The reason `other` needs a text.")
        return self
