"""The whole way on sample input: what a host would do with the façade, one case file after the other.

A case file holds the documents of one case without their pins: pins are what a host gets from the step before, and
here they are filled in the same way. A case goes as far as its input and the findings let it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from . import rendering
from .clinical.follow_up.ical import to_ical
from .contracts import (
    Approval,
    Assessment,
    AssessmentRequest,
    Authorisation,
    CaseFile,
    Consent,
    ConsentRequest,
    Consultation,
    FollowUpPlan,
    FollowUpRequest,
    FollowUpResponse,
    FollowUpReview,
    Model,
    Outcome,
    Override,
    PlanRequest,
    Problem,
    ProblemsError,
    ProcedurePlan,
    Readiness,
    ReadinessRequest,
    ReviewRequest,
    TreatmentRecord,
    TreatmentReport,
    TreatmentRequest,
    Vial,
)
from .validation import check
from .workflow.shape import Steps

__all__ = ["CASE_KEYS", "CaseRun", "Sheet", "run_case"]

M = TypeVar("M", bound=Model)

CASE_KEYS = frozenset(
    {
        "approvals",
        "authorisations",
        "consent",
        "consultation",
        "day_form",
        "follow_up",
        "note",
        "overrides",
        "plan",
        "title",
        "treatment",
        "vials",
    }
)
_COMPARE = "Compare with the case files that `pore-plugin demo --out DIR` copies to DIR/input."


@dataclass(frozen=True)
class Sheet:
    """One thing the case left: a file name without ending, Markdown to read, the document, and the request for it."""

    name: str
    markdown: str
    document: Model
    request: Model | None = None
    ical: bytes | None = None


@dataclass
class CaseRun:
    """What one case left, in order, and where it ended."""

    title: str
    problems: tuple[Problem, ...] = ()
    sheets: list[Sheet] = field(default_factory=list)
    assessment: Assessment | None = None
    plan: ProcedurePlan | None = None
    readiness: Readiness | None = None
    treatment: TreatmentRecord | None = None
    follow_up: FollowUpPlan | None = None
    reviews: list[FollowUpReview] = field(default_factory=list)
    ended: str = "done"


def run_case(workflow: Steps, case: Mapping[str, Any], locale: str) -> CaseRun:
    """Take one case as far as it goes, with nothing kept or on the records of a database.

    Raises `ProblemsError` when the input itself is wrong, with pointers into the case file.
    """
    unknown = sorted(set(case) - CASE_KEYS)
    if unknown:
        raise ProblemsError(_unknown(key) for key in unknown)
    run = CaseRun(str(case.get("title", "case")))
    run.ended = _Walk(workflow, case, locale, run).go()
    return run


class _Walk:
    """One case on its way; every method returns how the case ended there, or nothing when it goes on."""

    def __init__(self, workflow: Steps, case: Mapping[str, Any], locale: str, run: CaseRun) -> None:
        self.workflow = workflow
        self.case = case
        self.locale = locale
        self.run = run
        self.names = rendering.names_of(workflow.clinic, (one.model for one in workflow.catalogue.entries), locale)
        self.clinic = {"clinic": workflow.clinic.id}

    def go(self) -> str:
        consultation = self.consultation()
        if consultation is None:
            return "the consultation was kept as a draft"
        request = self.plan_request(consultation)
        if self.assess(request).verdict == "block":
            return "blocked at consultation"
        plan = self.plan(request)
        if plan is None:
            return "blocked at planning" if self.run.sheets[-1].name != "missing" else "the protocol lacks figures"
        case_file = self.case_file(request, plan)
        if "treatment" not in self.case:
            return "planned"
        report = _check(TreatmentReport, self.part("treatment"), "/treatment")
        if not self.ready(case_file, report) and not report.deviations:
            return "not ready to treat"
        record = self.treat(case_file, report)
        follow_up = self.follow_up(record)
        for position, entry in enumerate(self.entries(self.later(), "responses", "/follow_up")):
            self.review(record, follow_up, position, entry)
        for number, vial in enumerate(case_file.vials, 1):
            self.leave(f"vial-{number}", rendering.paper_sheet("Vial", vial.to_document(), self.names), vial)
        return "done"

    def consultation(self) -> Consultation | None:
        form = self.workflow.form()
        consultation = _check(
            Consultation, self.part("consultation"), "/consultation", form=form.pin.to_document(), **self.clinic
        )
        submission = self.workflow.submit(consultation)
        sheet = rendering.answers_sheet(form.model, submission.consultation, self.locale)
        if submission.problems:
            self.run.problems = submission.problems
            sheet += "\n## Problems\n\n" + rendering.problems_sheet(submission.problems)
        self.leave("consultation", sheet, submission.consultation)
        return submission.consultation if submission.accepted else None

    def plan_request(self, consultation: Consultation) -> PlanRequest:
        approvals = []
        for position, item in enumerate(self.entries(self.case, "approvals")):
            # Approve the very version the catalogue has now.
            with _at(f"/approvals/{position}/document"):
                pin = self.workflow.pin(str(item.get("document", "")))
            approval = {**item, "document": pin.to_document()}
            approvals.append(_check(Approval, approval, f"/approvals/{position}", **self.clinic).to_document())
        return _check(
            PlanRequest, self.part("plan"), "/plan", consultation=consultation.to_document(), approvals=approvals
        )

    def assess(self, planned: PlanRequest) -> Assessment:
        consultation = planned.consultation
        context = {
            "stage": "consultation",
            "session": planned.session,
            "tops_up": planned.tops_up,
            "date": planned.treatment_date,
            "patient": consultation.patient.to_document(),
            "template": planned.template,
            "product": planned.product,
        }
        request = _check(
            AssessmentRequest,
            {
                "context": {key: value for key, value in context.items() if value is not None},
                "consultation": consultation.to_document(),
                "at": consultation.recorded_at,
            },
            "/plan",
        )
        with _at("/plan"):
            assessment = self.workflow.assess(request).assessment
        self.run.assessment = assessment
        self.leave("assessment", rendering.assessment_sheet(assessment, self.locale, self.names), assessment, request)
        return assessment

    def plan(self, request: PlanRequest) -> ProcedurePlan | None:
        with _at("/plan"):
            planned = self.workflow.plan(request)
        self.run.assessment, self.run.plan = planned.assessment, planned.plan
        sample = planned.plan is not None and planned.plan.sample
        self.leave(
            "assessment-plan",
            rendering.assessment_sheet(planned.assessment, self.locale, self.names, sample=sample),
            planned.assessment,
        )
        if planned.missing:
            self.leave("missing", rendering.missing_sheet(planned.missing, self.names), planned, request)
        elif planned.plan is not None:
            self.leave("plan", rendering.plan_sheet(planned.plan, self.locale), planned.plan, request)
        return planned.plan

    def case_file(self, request: PlanRequest, plan: ProcedurePlan) -> CaseFile:
        consultation = request.consultation
        patient = {"patient": consultation.patient.id, **self.clinic}
        pin = self.workflow.record_pin(consultation).to_document()
        vials = self.checked(Vial, "vials")
        authorisations = self.checked(Authorisation, "authorisations", **patient)
        people = self.people(authorisations)
        self.consent_texts(plan, [vial.lot for vial in vials], people)
        consents = self.consent(plan, people)
        assessment = self.run.assessment
        assert assessment is not None  # noqa: S101
        return CaseFile(
            consultation=consultation,
            assessment=assessment,
            plan=plan,
            day_form=self.day_form(plan),
            consents=consents,
            overrides=self.checked(Override, "overrides", consultation=pin, **patient),
            authorisations=authorisations,
            approvals=request.approvals,
            vials=vials,
        )

    def people(self, authorisations: tuple[Authorisation, ...]) -> dict[str, str]:
        """Return who prescribes and who treats, as far as the case says; the gate speaks about anybody else."""
        given = self.part("treatment") if "treatment" in self.case else {}
        prescriber = given.get("prescriber") or next((one.prescriber for one in authorisations), None)
        wanted = {"prescriber": prescriber, "operator": given.get("operator")}
        roles = {person.id: {*person.roles} for person in self.workflow.clinic.people}
        return {
            role: person
            for role, person in wanted.items()
            if isinstance(person, str) and {role, "prescriber"} & roles.get(person, set())
        }

    def consent_texts(self, plan: ProcedurePlan, lots: list[str], people: Mapping[str, str]) -> None:
        for sheet in self.workflow.consent_sheets(plan, self.locale, lots=lots, **people):
            self.leave(f"consent-text-{sheet.purpose}", rendering.consent_text_sheet(sheet), sheet)

    def consent(self, plan: ProcedurePlan, people: Mapping[str, str]) -> tuple[Consent, ...]:
        if "consent" not in self.case:
            return ()
        given = {**people, **self.part("consent")}
        request = _check(ConsentRequest, given, "/consent", plan=plan.to_document())
        with _at("/consent"):
            consent = self.workflow.consent(request).consent
        self.leave("consent", rendering.consent_sheet(consent, self.names, sample=plan.sample), consent, request)
        return (consent,)

    def day_form(self, plan: ProcedurePlan) -> Consultation | None:
        if "day_form" not in self.case:
            return None
        form = self.workflow.form(plan.day_form)
        answers = _check(Consultation, self.part("day_form"), "/day_form", form=form.pin.to_document(), **self.clinic)
        self.leave("day-form", rendering.answers_sheet(form.model, answers, self.locale), answers)
        return answers

    def ready(self, case_file: CaseFile, report: TreatmentReport) -> bool:
        request = ReadinessRequest(case=case_file, operator=report.operator, at=report.started_at)
        with _at("", "/case"):
            readiness = self.workflow.ready(request)
        self.run.readiness = readiness
        self.leave(
            "readiness",
            rendering.readiness_sheet(readiness, self.locale, self.names, sample=case_file.plan.sample),
            readiness,
            request,
        )
        return readiness.ready

    def treat(self, case_file: CaseFile, report: TreatmentReport) -> TreatmentRecord:
        request = TreatmentRequest(case=case_file, report=report)
        with _at("/treatment", "/report"):
            record = self.workflow.treat(request).treatment
        self.run.treatment = record
        sheet = rendering.treatment_sheet(record, self.locale, self.names, case_file.plan)
        self.leave("treatment", sheet, record, request)
        return record

    def later(self) -> dict[str, Any]:
        return self.part("follow_up") if "follow_up" in self.case else {}

    def follow_up(self, record: TreatmentRecord) -> FollowUpPlan:
        wanted = {"requested_steps": self.later().get("requested_steps", [])}
        request = _check(FollowUpRequest, wanted, "/follow_up", treatment=record.to_document())
        with _at("/follow_up"):
            plan = self.workflow.follow_up(request).follow_up_plan
        self.run.follow_up = plan
        ical = to_ical(plan, clinic_name=self.workflow.clinic.name, stamp=record.report.ended_at)
        self.leave("schedule", rendering.follow_up_sheet(plan, self.locale, sample=record.sample), plan, request, ical)
        return plan

    def review(self, record: TreatmentRecord, plan: FollowUpPlan, position: int, entry: dict[str, Any]) -> None:
        at = f"/follow_up/responses/{position}"
        outcomes = [
            _check(Outcome, outcome, f"{at}/outcomes/{number}").to_document()
            for number, outcome in enumerate(self.entries(entry, "outcomes", at))
        ]
        answered = {key: value for key, value in entry.items() if key not in ("outcomes", "reviewed_at")}
        with _at(f"{at}/step"):
            form = self.workflow.follow_up_form(plan, str(entry.get("step", "")))
        pins = {"form": form.pin.to_document(), "follow_up_plan": self.workflow.record_pin(plan).to_document()}
        response = _check(FollowUpResponse, answered, at, **pins, **self.clinic)
        request = _check(
            ReviewRequest,
            {"outcomes": outcomes, "at": entry.get("reviewed_at", response.recorded_at)},
            at,
            treatment=record.to_document(),
            follow_up_plan=plan.to_document(),
            response=response.to_document(),
        )
        with _at(at, "/response"):
            review = self.workflow.review(request).review
        self.run.reviews.append(review)
        sheet = rendering.review_sheet(review, self.locale, self.names, sample=record.sample)
        self.leave(f"review-{position + 1}-{review.step.lower()}", sheet, review, request)

    def leave(
        self, name: str, markdown: str, document: Model, request: Model | None = None, ical: bytes | None = None
    ) -> None:
        """Keep a sheet. In a sample clinic everything is a sample, and says so."""
        if self.workflow.clinic.sample:
            markdown = rendering.mark_sample(markdown)
        self.run.sheets.append(Sheet(name, markdown, document, request, ical))

    def part(self, key: str) -> dict[str, Any]:
        part = self.case.get(key)
        if not isinstance(part, dict):
            raise ProblemsError([_fault("missing_part", f"The case file has no object named {key}.", f"/{key}")])
        return part

    def entries(self, part: Mapping[str, Any], key: str, at: str = "") -> Iterator[dict[str, Any]]:
        entries = part.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ProblemsError([_fault("not_a_list", f"{key} is not a list of objects.", f"{at}/{key}")])
        return iter(entries)

    def checked(self, contract: type[M], key: str, **parts: object) -> tuple[M, ...]:
        return tuple(
            _check(contract, entry, f"/{key}/{position}", **parts)
            for position, entry in enumerate(self.entries(self.case, key))
        )


def _check(contract: type[M], document: Mapping[str, Any], at: str, **parts: object) -> M:
    with _at(at):
        return check(contract, {**document, **parts}).model


@contextmanager
def _at(place: str, inside: str = "") -> Iterator[None]:
    """Point problems into the case file: `inside` of what was handed in stands at `place` there."""
    try:
        yield
    except ProblemsError as error:
        raise ProblemsError(
            problem.model_copy(update={"pointer": place + problem.pointer.removeprefix(inside)})
            for problem in error.problems
        ) from error


def _unknown(key: str) -> Problem:
    close = get_close_matches(key, sorted(CASE_KEYS), n=1)
    known = f"Use only: {', '.join(sorted(CASE_KEYS))}."
    step = f"Did you mean {close[0]}?" if close else known
    problem = _fault("unknown_key", "A case file has a part that a case does not have.", f"/{key}")
    return problem.model_copy(update={"next_step": step})


def _fault(code: str, sentence: str, pointer: str) -> Problem:
    return Problem(code=f"demo.{code}", sentence=sentence, pointer=pointer, next_step=_COMPARE)
