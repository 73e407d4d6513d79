"""The façade: form → submit → assess → plan → consent → ready → treat → follow_up → review.

Pure steps over documents. A `PoreWorkflow` holds a clinic's settings, the content and the extensions; it opens
nothing, keeps no record and reads no clock: records and moments are handed in, results and events are handed back.
Whoever commits the result publishes its events afterwards.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

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
    Event,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResult,
    Model,
    Pin,
    PlanRequest,
    PlanResult,
    Problem,
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
from ..hooks import LoadReport, discover
from . import after, before, on_the_day, planned
from .setting import Setting

__all__ = ["CONSULTATION_FORM", "PoreWorkflow"]

CONSULTATION_FORM = "pore.form.consultation"
"""The form that `form` returns when none is named."""

P = ParamSpec("P")
R = TypeVar("R")


def _step(
    method: "Callable[Concatenate[PoreWorkflow, P], R]",
) -> "Callable[Concatenate[PoreWorkflow, P], R]":
    """Mark one step: what it works out of a record serves the whole of it, and is forgotten afterwards."""

    @wraps(method)
    def step(self: "PoreWorkflow", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self._setting.step():
            return method(self, *args, **kwargs)

    return step


class PoreWorkflow:
    """The whole way of one treatment, for one clinic.

    `clinic`: checked settings (`pore_plugin.check_toml("clinic", data).model`). `content`: further content documents
    of the clinic, as JSON bytes or mappings. `plugins`: extensions handed in by name, besides the installed ones
    (`installed=False` leaves those out). Raises `ProblemsError` when settings or content do not hold together; a
    broken extension is quarantined and shown by `plugins`.
    """

    def __init__(
        self,
        clinic: Clinic,
        *,
        content: Iterable[bytes | Mapping[str, Any]] = (),
        plugins: Mapping[str, object] | None = None,
        installed: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        from importlib.metadata import version

        extensions = discover(clinic.extensions, plugins or {}, entry_points=installed, environ=environ)
        self._setting = Setting(clinic, extensions, content, version("pore-plugin"))

    @property
    def clinic(self) -> Clinic:
        """The settings this workflow was made with."""
        return self._setting.clinic

    @property
    def catalogue(self) -> Catalogue:
        """All content: built-in, of extensions, of the clinic."""
        return self._setting.catalogue

    @property
    def plugins(self) -> LoadReport:
        """Every extension that was found, what became of it, and why."""
        return self._setting.plugins

    def form(self, form_id: str = CONSULTATION_FORM) -> Entry[ConsultationForm]:
        """Return a form as it is answered here, extension questions included: `.model`, and the `.pin` for answers."""
        return self._setting.form(form_id)

    def templates(self) -> tuple[Entry[ProcedureTemplate], ...]:
        """Return the newest version of every procedure template."""
        return self.catalogue.of_type(ProcedureTemplate)

    def pin(self, document_id: str) -> Pin:
        """Return the pin of a content document in its newest version."""
        return self._setting.pin(document_id)

    def record_pin(self, record: Model) -> RecordPin:
        """Return the id and digest that pin a record."""
        return self._setting.record_pin(record)

    def region_titles(self, locale: str) -> dict[str, str]:
        """Return the regions' names in a locale, by id."""
        return self._setting.titles(locale)

    @_step
    def submit(self, response: Consultation) -> SubmissionResult:
        """Accept the answers as they are, or keep them as a draft with everything that speaks against them."""
        accepted, problems = before.check_answers(self._setting, response)
        kept = response if accepted else response.model_copy(update={"status": "draft"})
        kind = "consultation.submitted" if accepted else "consultation.kept_as_draft"
        return SubmissionResult(
            accepted=accepted,
            consultation=kept,
            consultation_digest=self.record_pin(kept).digest,
            problems=problems,
            events=(self._setting.event(kind, kept.id, kept.recorded_at),),
        )

    @_step
    def assess(self, request: AssessmentRequest) -> AssessmentResult:
        """Assess suitability at a stage; at booking there need not be a consultation yet."""
        before.refuse_draft(request.consultation)
        assessment = before.assess(self._setting, request)
        event = self._setting.event("assessment.made", assessment.id, request.at)
        return AssessmentResult(assessment=assessment, events=(event,))

    @_step
    def plan(self, request: PlanRequest) -> PlanResult:
        """Plan one session with exact doses, assessed with those doses.

        A block leaves the plan out; figures that nobody supplied are listed all at once. Raises `ProblemsError` for
        a plan that cannot be, such as a product that the template does not know.
        """
        before.refuse_draft(request.consultation)
        return planned.plan(self._setting, request)

    @_step
    def consent_sheets(self, plan: ProcedurePlan, locale: str, *, lots: Sequence[str] = ()) -> tuple[ConsentSheet, ...]:
        """Return every consent text of the plan for this market, filled in, ready to read and sign."""
        return before.consent_sheets(self._setting, plan, locale, lots)

    @_step
    def consent(self, request: ConsentRequest) -> ConsentResult:
        """Record a consent to this plan, with the end of its cooling-off."""
        consent = before.consent(self._setting, request)
        event = self._setting.event("consent.given", consent.id, request.given_at, request.plan.id)
        return ConsentResult(consent=consent, events=(event,))

    @_step
    def ready(self, request: ReadinessRequest) -> Readiness:
        """Return every reason not to treat under this plan at this moment; asking changes nothing."""
        gate = on_the_day.gate_of(self._setting, request.case, request.operator, request.prescriber, request.at)
        return on_the_day.readiness_of(gate)

    @_step
    def treat(self, request: TreatmentRequest) -> TreatmentResult:
        """Record what was done. Whatever spoke against it, or differs from the plan, needs a deviation.

        Raises `ProblemsError` with one problem for each fault in the report and each missing deviation; nothing is
        lost: the same report with the deviations added is accepted.
        """
        treatment = on_the_day.treat(self._setting, request)
        kinds = ["treatment.recorded", *(["deviation.recorded"] if treatment.report.deviations else [])]
        at, plan = treatment.report.ended_at, treatment.plan.id
        return TreatmentResult(
            treatment=treatment, events=tuple(self._setting.event(kind, treatment.id, at, plan) for kind in kinds)
        )

    @_step
    def follow_up(self, request: FollowUpRequest) -> FollowUpResult:
        """Make the dated follow-up plan of a treatment; doing it again gives the same keys."""
        plan = after.follow_up(self._setting, request)
        event = self._setting.event("follow_up.planned", plan.id, plan.anchor, request.treatment.id)
        return FollowUpResult(follow_up_plan=plan, follow_up_plan_digest=self.record_pin(plan).digest, events=(event,))

    def follow_up_form(self, plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
        """Return the form of a step, in the version that the plan pins; the watch form for a step without one."""
        return after.form_of(self._setting, plan, step)

    @_step
    def review(self, request: ReviewRequest) -> ReviewResult:
        """Review a follow-up response: red flags first, then tasks, then the trend against baseline."""
        review = after.review(self._setting, request)
        kinds = ["follow_up.reviewed", *(["red_flag.raised"] if review.flags else [])]
        return ReviewResult(
            review=review,
            events=tuple(self._setting.event(kind, review.id, request.at, request.response.id) for kind in kinds),
        )

    def publish(self, events: Iterable[Event]) -> tuple[Problem, ...]:
        """Tell the extensions what happened, after the commit. Returns what went wrong there; nothing is raised."""
        return tuple(problem for event in events for problem in self._setting.hooks.on_event(event))
