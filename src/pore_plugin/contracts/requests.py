"""What a host hands in for a step that needs more than one document, and what it gets back."""

from pydantic import Field

from .answers import Consultation, FollowUpResponse
from .base import Digest, Id, Instant, LocalDate, Locale, Model, Opt, RecordId, Token
from .common import Pin, RegionSide
from .consent import (
    Approval,
    Authorisation,
    Consent,
    ConsentPurpose,
    ConsentSheet,
    ConsentWithdrawal,
    Signature,
)
from .extension import Event
from .follow_up import FollowUpPlan, FollowUpReview, Outcome
from .forms import ConsultationForm
from .problems import Problem
from .procedure import MissingNumber, ProcedurePlan
from .products import Vial
from .recalls import LotQuarantine
from .safety import Assessment, AssessmentContext, Override, SessionKind, ToxinExposure
from .treatment import Readiness, TreatmentRecord, TreatmentReport

__all__ = [
    "AssessmentRequest",
    "AssessmentResult",
    "CaseFile",
    "ConsentRequest",
    "ConsentResult",
    "FollowUpRequest",
    "FollowUpResult",
    "PlanRequest",
    "PlanResult",
    "ReadinessRequest",
    "ReadinessResult",
    "ReviewRequest",
    "ReviewResult",
    "SubmissionResult",
    "TreatmentRequest",
    "TreatmentResult",
]


class AssessmentRequest(Model):
    """Assess suitability at a stage. At booking there need not be a consultation yet."""

    context: AssessmentContext
    consultation: Opt[Consultation] = None
    day_form: Opt[Consultation] = None
    at: Instant


class PlanRequest(Model):
    """Plan one session: which template, product, protocol and regions, for which day."""

    consultation: Consultation
    template: Id
    product: Opt[Id] = None
    protocol: Opt[Id] = Field(default=None, description="Absent = the catalogue's protocol for template and product.")
    session: SessionKind = "first"
    tops_up: Opt[RecordId] = None
    treatment_date: LocalDate
    regions: tuple[RegionSide, ...] = Field(default=(), description="Regions to treat; empty = all not optional.")
    anaesthetic: Opt[Token] = None
    history: tuple[ToxinExposure, ...] = ()
    approvals: tuple[Approval, ...] = ()
    for_record: bool = Field(
        default=False,
        description="The treatment already happened: plan it in spite of a block, so that it can be recorded.",
    )
    at: Instant


class ConsentRequest(Model):
    """Record a consent to a plan."""

    plan: ProcedurePlan
    purpose: ConsentPurpose
    locale: Locale
    informed_at: Instant
    given_at: Instant
    explained_by: RecordId
    prescriber: Opt[RecordId] = Field(default=None, description="Whom the text named as the prescriber.")
    operator: Opt[RecordId] = Field(default=None, description="Whom the text named as the person who treats.")
    signature: Signature
    earlier: tuple[Consent, ...] = Field(
        default=(), description="Earlier consents: an unchanged repeat needs no new cooling-off."
    )


class CaseFile(Model):
    """All records of one planned session that readiness looks at; the host keeps them."""

    consultation: Consultation
    assessment: Assessment
    plan: ProcedurePlan
    day_form: Opt[Consultation] = None
    history: tuple[ToxinExposure, ...] = ()
    consents: tuple[Consent, ...] = ()
    withdrawals: tuple[ConsentWithdrawal, ...] = ()
    overrides: tuple[Override, ...] = ()
    authorisations: tuple[Authorisation, ...] = ()
    approvals: tuple[Approval, ...] = ()
    vials: tuple[Vial, ...] = ()
    quarantines: tuple[LotQuarantine, ...] = Field(default=(), description="Lots that this clinic does not use.")


class ReadinessRequest(Model):
    """Ask for every reason not to treat now."""

    case: CaseFile
    operator: RecordId
    prescriber: Opt[RecordId] = Field(
        default=None, description="Whose treatment it is; absent = the operator's own, or the authorisation's."
    )
    at: Instant


class TreatmentRequest(Model):
    """Record a treatment that happened."""

    case: CaseFile
    report: TreatmentReport


class FollowUpRequest(Model):
    """Make the dated follow-up plan of a treatment."""

    treatment: TreatmentRecord
    case: Opt[CaseFile] = None
    requested_steps: tuple[Token, ...] = Field(default=(), description="On-request steps that were asked for.")


class ReviewRequest(Model):
    """Review a follow-up response."""

    treatment: TreatmentRecord
    follow_up_plan: FollowUpPlan
    response: FollowUpResponse
    outcomes: tuple[Outcome, ...] = Field(default=(), description="All outcomes so far, baseline included.")
    at: Instant


class SubmissionResult(Model):
    """The response, accepted as it is or kept as a draft with everything that speaks against it."""

    accepted: bool
    consultation: Consultation
    consultation_digest: Digest = Field(description="Digest of the response; records made from it pin this.")
    problems: tuple[Problem, ...] = ()
    events: tuple[Event, ...]


class AssessmentResult(Model):
    """The assessment and what happened."""

    assessment: Assessment
    events: tuple[Event, ...]


class PlanResult(Model):
    """The assessment at plan stage, and the plan unless the verdict is block."""

    assessment: Assessment
    plan: Opt[ProcedurePlan] = None
    plan_digest: Opt[Digest] = Field(default=None, description="Digest of the plan; consents pin this.")
    missing: tuple[MissingNumber, ...] = Field(
        default=(), description="Numbers that the clinic's protocol has to supply before there can be a plan."
    )
    day_form: Opt[ConsultationForm] = Field(
        default=None, description="At the host's door: the form to answer on the day; its `digest` completes the pin."
    )
    consent_sheets: tuple[ConsentSheet, ...] = Field(
        default=(), description="At the host's door: every consent text of the plan, filled in, each with its pins."
    )
    to_approve: tuple[Pin, ...] = Field(
        default=(), description="At the host's door: what a prescriber must have approved before the treatment."
    )
    events: tuple[Event, ...]


class ConsentResult(Model):
    """The consent and what happened."""

    consent: Consent
    events: tuple[Event, ...]


class ReadinessResult(Model):
    """Every reason not to treat; asking changes nothing."""

    readiness: Readiness


class TreatmentResult(Model):
    """The treatment record and what happened."""

    treatment: TreatmentRecord
    events: tuple[Event, ...]


class FollowUpResult(Model):
    """The follow-up plan and what happened."""

    follow_up_plan: FollowUpPlan
    follow_up_plan_digest: Opt[Digest] = Field(
        default=None, description="Digest of the follow-up plan; responses pin this."
    )
    forms: tuple[ConsultationForm, ...] = Field(
        default=(), description="At the host's door: the forms that the steps pin, the watch form among them."
    )
    events: tuple[Event, ...]


class ReviewResult(Model):
    """The review and what happened."""

    review: FollowUpReview
    events: tuple[Event, ...]
