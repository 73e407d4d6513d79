"""The steps of the workflow on the records: each is one transaction of the step, what it kept and what it told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..clinical.safety.history import merge
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
    ProblemsError,
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
    digest,
    refusal,
)
from ..workflow import CONSULTATION_FORM
from .approving import as_approved
from .cases import (
    Gathering,
    approvals_of,
    completed,
    earlier_consents,
    history_of,
)
from .desk import Desk
from .follow_ups import as_planned, keep_follow_up, keep_review, reviewed, reviewed_before, treatment_of
from .keeping import Keeping
from .patients import kept_for
from .treatments import keep_treatment, kept_before

if TYPE_CHECKING:
    from ..catalogue import Catalogue, Entry
    from ..hooks import LoadReport

__all__ = ["Records"]

R = TypeVar("R", bound=Model)


class Records:
    """The steps as `PoreWorkflow` has them, kept: the records of the clinic are read with what is handed in.

    Every step takes an idempotency key: with it the first result is given again, and another request under the same
    key is refused (`idempotency.differs`). Without one, the same step done again writes nothing. A step that raises
    leaves nothing behind. Events are in the outbox with what they tell of, and are published after the commit.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @property
    def clinic(self) -> Clinic:
        """The clinic's settings."""
        return self.desk.clinic

    @property
    def catalogue(self) -> Catalogue:
        """All content, the library's with it."""
        return self.desk.workflow.catalogue

    @property
    def plugins(self) -> LoadReport:
        """Every extension, and what became of it."""
        return self.desk.workflow.plugins

    def form(self, form_id: str = CONSULTATION_FORM) -> Entry[ConsultationForm]:
        """Return a form as it is answered here, with the status that it has for the clinic today."""
        return as_approved(self.desk, self.desk.workflow.form(form_id))

    def templates(self) -> tuple[Entry[ProcedureTemplate], ...]:
        """Return the newest version of every procedure template."""
        return self.desk.workflow.templates()

    def pin(self, document_id: str) -> Pin:
        """Return the pin of a content document in its newest version."""
        return self.desk.workflow.pin(document_id)

    def record_pin(self, record: Model) -> RecordPin:
        """Return the id and digest that pin a record."""
        return self.desk.workflow.record_pin(record)

    def region_titles(self, locale: str) -> dict[str, str]:
        """Return the regions' names in a locale, by id."""
        return self.desk.workflow.region_titles(locale)

    def follow_up_form(self, plan: FollowUpPlan, step: str) -> Entry[ConsultationForm]:
        """Return the form of a step, in the version that the plan pins."""
        return self.desk.workflow.follow_up_form(plan, step)

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
        return self.desk.workflow.consent_sheets(plan, locale, lots=lots, prescriber=prescriber, operator=operator)

    def submit(self, response: Consultation, *, key: str | None = None) -> SubmissionResult:
        """Keep the answers: accepted, or as a draft with everything that speaks against them."""

        def work(keeping: Keeping) -> SubmissionResult:
            result = self.desk.workflow.submit(response)
            if response.clinic != self.clinic.id:
                raise ProblemsError(result.problems)
            keeping.keep(result.consultation)
            return result

        return self._step(
            "consultation.submit", response, key, SubmissionResult, response.patient.id, work, response.id
        )

    def assess(self, request: AssessmentRequest, *, key: str | None = None) -> AssessmentResult:
        """Assess suitability with the toxin that is known here, and keep the assessment."""
        context = request.context
        patient = context.patient.id

        def work(keeping: Keeping) -> AssessmentResult:
            found = Gathering()
            answers: dict[str, Any] = {
                name: found.of(lambda said=said, at=f"/{name}": keeping.join(said, at), said)  # type: ignore[misc]
                for name, said in (("consultation", request.consultation), ("day_form", request.day_form))
                if said is not None and keeping.mine(said, patient)
            }
            found.done()
            history = merge(history_of(keeping, patient, request.at), context.history)
            if history != context.history:
                answers["context"] = context.model_copy(update={"history": history})
            result = self.desk.workflow.assess(request.model_copy(update=answers))
            keeping.keep(result.assessment)
            return result

        return self._step(
            "assessment.make",
            request,
            key,
            AssessmentResult,
            patient,
            work,
            *(one.id for one in (request.consultation,) if one is not None),
        )

    def plan(self, request: PlanRequest, *, key: str | None = None) -> PlanResult:
        """Plan with the toxin and the approvals that are known here, and keep assessment and plan."""
        patient = request.consultation.patient.id

        def work(keeping: Keeping) -> PlanResult:
            result = self.desk.workflow.plan(self._planned(keeping, request))
            keeping.keep(result.assessment)
            if result.plan is not None:
                keeping.keep(result.plan)
            return result

        return self._step("plan.make", request, key, PlanResult, patient, work, request.consultation.id)

    def _planned(self, keeping: Keeping, request: PlanRequest) -> PlanRequest:
        found = Gathering()
        patient = request.consultation.patient.id
        members: dict[str, Any] = {
            "consultation": found.of(lambda: keeping.join(request.consultation, "/consultation"), request.consultation)
        }
        newest = keeping.unit.records.latest("consultation", request.consultation.id)
        if newest is not None and not request.for_record:
            said = keeping.desk.workflow.record_pin(request.consultation).digest
            if newest.digest != said and newest.patient == patient:
                found.problems += refusal(
                    "consultation.changed",
                    "The answers were changed since.",
                    "Hand in the consultation as it was submitted last.",
                    "/consultation",
                ).problems
        approvals = {
            one.id: found.of(lambda one=one, at=at: keeping.join(one, f"/approvals/{at}"), one)  # type: ignore[misc]
            for at, one in enumerate(request.approvals)
        }
        approvals |= {one.id: one for one in approvals_of(keeping.unit)}
        found.done()
        apart = _of_this_plan(keeping, request)
        history = merge(history_of(keeping, patient, request.at, apart=apart), request.history)
        members |= {"approvals": tuple(approvals.values()), "history": history}
        return request.model_copy(
            update={name: value for name, value in members.items() if value != getattr(request, name)}
        )

    def consent(self, request: ConsentRequest, *, key: str | None = None) -> ConsentResult:
        """Keep a consent to a plan; earlier ones to the same, and those taken back, are known here."""

        def work(keeping: Keeping) -> ConsentResult:
            plan = keeping.join(request.plan, "/plan")
            earlier = earlier_consents(keeping, plan, request.earlier, request.given_at)
            members = {"earlier": earlier} if earlier != request.earlier else {}
            result = self.desk.workflow.consent(request.model_copy(update=members))
            keeping.keep(result.consent)
            return result

        return self._step("consent.record", request, key, ConsentResult, request.plan.patient, work, request.plan.id)

    def ready(self, request: ReadinessRequest, *, key: str | None = None) -> Readiness:
        """Return every reason not to treat now, from what was handed in and what is kept besides."""

        def work(keeping: Keeping) -> Readiness:
            case = completed(keeping, request.case, request.at)
            return self.desk.workflow.ready(request.model_copy(update={"case": case}), asked_at=self.desk.instant())

        plan = request.case.plan
        return self._step("readiness.ask", request, key, Readiness, plan.patient, work, plan.id)

    def treat(self, request: TreatmentRequest, *, key: str | None = None) -> TreatmentResult:
        """Keep what was done, with the lots that were used.

        The same report again gives the record that is kept. An amendment is kept beside what it amends, and its lots
        take the place of the earlier ones. Raises also for an amendment of what is not kept (`treatment.unknown`).
        """

        def work(keeping: Keeping) -> TreatmentResult:
            before = kept_before(keeping, request)
            if before is not None:
                return before
            report = request.report
            case = completed(keeping, request.case, report.started_at, report)
            used = {vial.id: vial.used_for for vial in case.vials}
            vials = tuple(
                use
                if used[use.vial.id] == use.vial.used_for
                else use.model_copy(update={"vial": use.vial.model_copy(update={"used_for": used[use.vial.id]})})
                for use in report.vials
            )
            known = report.model_copy(update={"vials": vials}) if vials != report.vials else report
            result = self.desk.workflow.treat(TreatmentRequest(case=case, report=known))
            if known is not report:
                # Kept as it was reported: who else got something from a vial is in the records of the others.
                treatment = result.treatment.model_copy(update={"report": report})
                result = result.model_copy(update={"treatment": treatment})
            keep_treatment(keeping, result.treatment)
            return result

        plan = request.case.plan
        return self._step(
            "treatment.record", request, key, TreatmentResult, plan.patient, work, plan.id, request.report.id
        )

    def follow_up(self, request: FollowUpRequest, *, key: str | None = None) -> FollowUpResult:
        """Keep the dated plan with its steps; steps of an earlier one that it has no more are superseded."""

        def work(keeping: Keeping) -> FollowUpResult:
            treatment = treatment_of(keeping, request.treatment)
            result = self.desk.workflow.follow_up(request)
            keep_follow_up(keeping, result.follow_up_plan, treatment)
            return result

        whose = request.treatment.patient
        return self._step("follow_up.plan", request, key, FollowUpResult, whose, work, request.treatment.id)

    def review(self, request: ReviewRequest, *, key: str | None = None) -> ReviewResult:
        """Keep the response and its review, with every outcome so far; the step that was answered is done."""

        def work(keeping: Keeping) -> ReviewResult:
            before = reviewed_before(keeping, request)
            if before is not None:
                return before
            known = reviewed(keeping, request)
            result = self.desk.workflow.review(as_planned(keeping, known))
            said = {"patient": request.response.patient.id, "response": self.record_pin(request.response)}
            result = result.model_copy(update={"review": result.review.model_copy(update=said)})
            keep_review(keeping, request, result.review)
            return result

        about = (request.response.id, request.follow_up_plan.id, request.treatment.id)
        return self._step("follow_up.review", request, key, ReviewResult, request.response.patient.id, work, *about)

    def _step(
        self,
        action: str,
        request: Model,
        key: str | None,
        contract: type[R],
        patient: str,
        work: Callable[[Keeping], R],
        *about: str,
    ) -> R:
        """Do a step on records of a patient, `about` the records with these ids: whose they are may have changed."""
        asked = digest({"action": action, "request": request.to_document()}) if key is not None else ""
        with self.desk.use(action) as unit:
            whose = kept_for(unit, patient, *about)
            if key is not None:
                first = unit.idempotency.get(key)
                if first is not None:
                    if first[0] != asked:
                        raise refusal(
                            "idempotency.differs",
                            "Another request was made under this idempotency key.",
                            "Give every request a key of its own; only the very same one is answered again.",
                        )
                    unit.note(whose, replayed=action)
                    return contract.from_json(first[1])
            result = work(Keeping(self.desk, unit))
            told = self.desk.tell(unit, getattr(result, "events", ()), patient=whose)
            if key is not None:
                unit.idempotency.put(key, asked, result.to_json(), patient=whose)
        self.desk.publish(told)
        return result


def _of_this_plan(keeping: Keeping, request: PlanRequest) -> set[str | None]:
    """Return the treatments that were recorded under the very plan that is made here, perhaps once more."""
    unit = keeping.unit
    apart: set[str | None] = set()
    for row in unit.records.of_subject([request.consultation.id], "procedure-plan"):
        plan = ProcedurePlan.from_json(row.document)
        if (plan.template.id, plan.created_at) == (request.template, request.at):
            apart |= {one.id for one in unit.records.of_subject([plan.id], "treatment-record")}
    return apart
