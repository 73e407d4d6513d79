"""The shape of the steps: what runs them with nothing kept, and what keeps everything, can stand in for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from . import CONSULTATION_FORM

if TYPE_CHECKING:
    from ..catalogue import Catalogue, Entry
    from ..contracts import (
        AssessmentRequest,
        AssessmentResult,
        Clinic,
        ConsentRequest,
        ConsentResult,
        ConsentSheet,
        Consultation,
        ConsultationForm,
        FollowUpPlan,
        FollowUpRequest,
        FollowUpResult,
        Model,
        Pin,
        PlanRequest,
        PlanResult,
        ProcedurePlan,
        ProcedureTemplate,
        Readiness,
        ReadinessRequest,
        RecordPin,
        ReviewRequest,
        ReviewResult,
        SubmissionResult,
        TreatmentRequest,
        TreatmentResult,
    )
    from ..hooks import LoadReport

__all__ = ["Steps"]


class Steps(Protocol):
    """The steps of one clinic's workflow, as `PoreWorkflow` documents them."""

    @property
    def clinic(self) -> Clinic:
        """The clinic's settings."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """All content."""
        ...

    @property
    def plugins(self) -> LoadReport:
        """Every extension, and what became of it."""
        ...

    def form(self, form_id: str = CONSULTATION_FORM) -> Entry[ConsultationForm]:
        """Return a form as it is answered here."""
        ...

    def templates(self) -> tuple[Entry[ProcedureTemplate], ...]:
        """Return the newest version of every procedure template."""
        ...

    def pin(self, document_id: str) -> Pin:
        """Return the pin of a content document in its newest version."""
        ...

    def record_pin(self, record: Model) -> RecordPin:
        """Return the id and digest that pin a record."""
        ...

    def region_titles(self, locale: str) -> dict[str, str]:
        """Return the regions' names in a locale, by id."""
        ...

    def submit(self, response: Consultation) -> SubmissionResult:
        """Accept the answers, or keep them as a draft."""
        ...

    def assess(self, request: AssessmentRequest) -> AssessmentResult:
        """Assess suitability at a stage."""
        ...

    def plan(self, request: PlanRequest) -> PlanResult:
        """Plan one session with exact doses."""
        ...

    def consent_sheets(
        self,
        plan: ProcedurePlan,
        locale: str,
        *,
        lots: Sequence[str] = (),
        prescriber: str | None = None,
        operator: str | None = None,
    ) -> tuple[ConsentSheet, ...]:
        """Return every consent text of the plan, filled in."""
        ...

    def consent(self, request: ConsentRequest) -> ConsentResult:
        """Record a consent to a plan."""
        ...

    def ready(self, request: ReadinessRequest) -> Readiness:
        """Return every reason not to treat now."""
        ...

    def treat(self, request: TreatmentRequest) -> TreatmentResult:
        """Record what was done."""
        ...

    def follow_up(self, request: FollowUpRequest) -> FollowUpResult:
        """Make the dated follow-up plan of a treatment."""
        ...

    def follow_up_form(self, plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
        """Return the form of a step, in the version that the plan pins."""
        ...

    def review(self, request: ReviewRequest) -> ReviewResult:
        """Review a follow-up response."""
        ...
