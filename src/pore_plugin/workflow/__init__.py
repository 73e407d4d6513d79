"""The façade: form → submit → assess → plan → consent → ready → treat → follow_up → review.

Pure steps over documents. A `PoreWorkflow` holds a clinic's settings, the content and the extensions; it opens
nothing, keeps no record and reads no clock: records and moments are handed in, results and events are handed back.
Whoever commits the result publishes its events afterwards.

The first workflow that is made loads the rest of the package; importing this module loads none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
    from ..hooks import LoadReport

__all__ = ["CONSULTATION_FORM", "PoreWorkflow"]

CONSULTATION_FORM = "pore.form.consultation"
"""The form that `form` returns when none is named."""


class PoreWorkflow:
    """The whole way of one treatment, for one clinic.

    `clinic`: checked settings (`pore_plugin.check_toml("clinic", data).model`). `content`: further content documents
    of the clinic, as JSON bytes, mappings or entries that its library kept. `plugins`: extensions handed in by name,
    besides the installed ones (`installed=False` leaves those out). Raises `ProblemsError` when settings or content do
    not hold together; a broken extension is quarantined and shown by `plugins`.
    """

    def __init__(
        self,
        clinic: Clinic,
        *,
        content: Iterable[bytes | Mapping[str, Any] | Entry[Any]] = (),
        plugins: Mapping[str, object] | None = None,
        installed: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        from importlib.metadata import version

        from ..hooks import discover
        from .setting import Setting

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
        from ..contracts import ProcedureTemplate

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

    def submit(self, response: Consultation) -> SubmissionResult:
        """Accept the answers as they are, or keep them as a draft with everything that speaks against them."""
        from .steps import submit

        return submit(self._setting, response)

    def assess(self, request: AssessmentRequest) -> AssessmentResult:
        """Assess suitability at a stage; at booking there need not be a consultation yet."""
        from .steps import assess

        return assess(self._setting, request)

    def plan(self, request: PlanRequest) -> PlanResult:
        """Plan one session with exact doses, assessed with those doses.

        A block leaves the plan out; figures that nobody supplied are listed all at once. Raises `ProblemsError` for
        a plan that cannot be, such as a product that the template does not know.
        """
        from .steps import plan

        return plan(self._setting, request)

    def consent_sheets(
        self,
        plan: ProcedurePlan,
        locale: str,
        *,
        lots: Sequence[str] = (),
        prescriber: str | None = None,
        operator: str | None = None,
    ) -> tuple[ConsentSheet, ...]:
        """Return every consent text of the plan for this market, filled in, ready to read and sign.

        `prescriber` and `operator` are ids of the clinic's people, whom the text names; without one it names the only
        person in the role, and where there are several it points to the record. Raises `ProblemsError`
        (`consent.prescriber`, `consent.operator`) for somebody who is not in the role.
        """
        from .steps import consent_sheets

        return consent_sheets(self._setting, plan, locale, lots, prescriber, operator)

    def consent(self, request: ConsentRequest) -> ConsentResult:
        """Record a consent to this plan, with the end of its cooling-off."""
        from .steps import consent

        return consent(self._setting, request)

    def ready(self, request: ReadinessRequest, *, asked_at: str | None = None) -> Readiness:
        """Return every reason not to treat under this plan at this moment; asking changes nothing.

        `asked_at`: the moment by a clock that is known to be right; a lot that is quarantined then blocks too.
        """
        from .steps import ready

        return ready(self._setting, request, asked_at)

    def treat(self, request: TreatmentRequest) -> TreatmentResult:
        """Record what was done. Whatever spoke against it, or differs from the plan, needs a deviation.

        Raises `ProblemsError` with one problem for each fault in the report and each missing deviation; nothing is
        lost: the same report with the deviations added is accepted.
        """
        from .steps import treat

        return treat(self._setting, request)

    def follow_up(self, request: FollowUpRequest) -> FollowUpResult:
        """Make the dated follow-up plan of a treatment; doing it again gives the same keys."""
        from .steps import follow_up

        return follow_up(self._setting, request)

    def follow_up_form(self, plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
        """Return the form of a step, in the version that the plan pins; the watch form for a step without one."""
        from .steps import follow_up_form

        return follow_up_form(self._setting, plan, step)

    def review(self, request: ReviewRequest) -> ReviewResult:
        """Review a follow-up response: red flags first, then tasks, then the trend against baseline."""
        from .steps import review

        return review(self._setting, request)

    def publish(self, events: Iterable[Event]) -> tuple[Problem, ...]:
        """Tell the extensions what happened, after the commit. Returns what went wrong there; nothing is raised."""
        return tuple(problem for event in events for problem in self._setting.hooks.on_event(event))
