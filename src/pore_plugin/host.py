"""The host's door: the same steps for a host that runs a pluggy manager of its own. Plain JSON documents both ways.

    pm.add_hookspecs(host_hookspecs(pm.project_name))
    pm.register(host_plugin(pm.project_name, settings=clinic_toml))

Each hook is one call of the façade. What comes in and what goes out is checked against the published contract; where
something is wrong a `problem-report` document comes back, and no exception does.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, TypeVar

from pluggy import HookimplMarker

from .catalogue import Entry
from .clinical.treatment.approvals import needs_approval
from .contracts import (
    AssessmentRequest,
    Clinic,
    ConsentSheet,
    Consultation,
    ContentDocument,
    FollowUpRequest,
    FollowUpResult,
    Model,
    PlanRequest,
    PlanResult,
    Problem,
    ProblemsError,
    ProcedurePlan,
    ProcedureTemplate,
    ReadinessRequest,
    ReadinessResult,
    ReviewRequest,
    TreatmentRequest,
)
from .hooks import HOST_HOOKS, host_hookspecs
from .validation import check, check_toml
from .workflow import PoreWorkflow
from .workflow.shape import Steps

__all__ = ["HostPlugin", "host_hookspecs", "host_plugin"]

Document = dict[str, Any]
D = TypeVar("D", bound=ContentDocument)


class HostPlugin:
    """The host's hooks over a façade, before they are marked and guarded for a host.

    `workflow` is that façade. Methods take checked models, return models and raise `ProblemsError`; what `host_plugin`
    returns takes and gives documents and raises nothing.
    """

    def __init__(self, workflow: Steps) -> None:
        self.workflow = workflow

    def pore_consultation_form(self, locale: str) -> Model:
        """Return the consultation form, all locales in it; its `digest` completes the pin for answers."""
        form = self.workflow.form()
        _refuse_locale(form.model.title, locale)
        return _pinnable(form)

    def pore_procedure_templates(self, locale: str) -> list[ProcedureTemplate]:
        """Return the newest version of every procedure template, by id."""
        templates = [_pinnable(entry) for entry in self.workflow.templates()]
        for template in templates:
            _refuse_locale(template.title, locale)
        return templates

    def pore_submit_consultation(self, document: Consultation) -> Model:
        """Return the answers accepted, or kept as a draft with every problem."""
        return self.workflow.submit(document)

    def pore_assess(self, document: AssessmentRequest) -> Model:
        """Return the assessment of one stage."""
        return self.workflow.assess(document)

    def pore_plan_procedure(self, document: PlanRequest) -> PlanResult:
        """Return assessment and plan, and with the plan the form of the day, the texts to sign, what to approve."""
        result = self.workflow.plan(document)
        return result if result.plan is None else self._with_papers(document, result, result.plan)

    def pore_ready_to_treat(self, document: ReadinessRequest) -> Model:
        """Return every reason not to treat now."""
        return ReadinessResult(readiness=self.workflow.ready(document))

    def pore_record_treatment(self, document: TreatmentRequest) -> Model:
        """Return the record of what was done."""
        return self.workflow.treat(document)

    def pore_follow_up_schedule(self, document: FollowUpRequest) -> FollowUpResult:
        """Return the dated follow-up plan with the forms that its steps pin."""
        result = self.workflow.follow_up(document)
        plan = result.follow_up_plan
        pins = dict.fromkeys(pin for pin in (*(step.form for step in plan.steps), plan.watch_form) if pin is not None)
        forms = tuple(_pinnable(self.workflow.catalogue.pinned(pin)) for pin in pins)
        return result.model_copy(update={"forms": forms})

    def pore_review_follow_up(self, document: ReviewRequest) -> Model:
        """Return the review of a response: red flags, tasks, trend."""
        return self.workflow.review(document)

    def _with_papers(self, request: PlanRequest, result: PlanResult, plan: ProcedurePlan) -> PlanResult:
        """Add what a host with nothing but documents needs next: the form of the day, the texts to sign, the pins."""
        day_form = self.workflow.form(plan.day_form)
        sheets = self._consent_sheets(plan, request.consultation.locale)
        used = needs_approval(
            consultation_form=request.consultation.form,
            day_form=day_form.pin,
            template=plan.template,
            protocol=plan.protocol,
            consent_texts=(sheet.text for sheet in sheets if sheet.purpose == "treatment"),
        )
        papers = {"day_form": _pinnable(day_form), "consent_sheets": sheets, "to_approve": used}
        return result.model_copy(update=papers)

    def _consent_sheets(self, plan: ProcedurePlan, locale: str) -> tuple[ConsentSheet, ...]:
        """Return the texts in the patient's language, or else in the first of the clinic's that they have."""
        wrong: ProblemsError | None = None
        for language in (locale, *self.workflow.clinic.languages):
            try:
                return self.workflow.consent_sheets(plan, language)
            except ProblemsError as error:
                if {problem.code for problem in error.problems} != {"locale.missing"}:
                    raise
                wrong = wrong or error
        raise wrong or ProblemsError(())


def host_plugin(
    project: str,
    *,
    settings: Clinic | bytes | Mapping[str, Any],
    content: Iterable[bytes | Mapping[str, Any]] = (),
    plugins: Mapping[str, object] | None = None,
) -> object:
    """Return the plug-in for a host whose pluggy project name is `project`.

    `settings` is the clinic settings file's bytes (TOML), its document, or the checked model; `content` and `plugins`
    are those of `PoreWorkflow`. The plug-in publishes no events: they come back with each result. Raises
    `ProblemsError` when the settings do not hold together: a host that starts without a market or emergency numbers
    is refused.
    """
    if isinstance(settings, bytes):
        clinic = check_toml(Clinic, settings).model
    else:
        clinic = settings if isinstance(settings, Clinic) else check(Clinic, settings).model
    inner = HostPlugin(PoreWorkflow(clinic, content=content, plugins=plugins))
    mark = HookimplMarker(project)
    outer = type("PorePlugin", (), {})()
    for name in HOST_HOOKS:
        setattr(outer, name, mark(_guarded(name, getattr(inner, name))))
    return outer


def _guarded(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
    contract = HOST_HOOKS[name]

    def out(result: Model) -> Document:
        document = result.to_document()
        check(contract.returns, document)
        return document

    def answer(call: Callable[[], Any]) -> Any:
        try:
            result = call()
            return [out(item) for item in result] if isinstance(result, list) else out(result)
        except ProblemsError as error:
            return error.report().to_document()
        except Exception as error:  # the host must not fall over us; what went wrong may hold patient data
            return _unexpected(name, error).report().to_document()

    if contract.accepts is None:

        def pore_hook(locale: str) -> Any:
            return answer(partial(step, locale))

        return wraps(step)(pore_hook)

    def pore_document_hook(document: Mapping[str, Any]) -> Any:
        return answer(lambda: step(check(contract.accepts or "", document).model))

    return pore_document_hook


def _pinnable(entry: Entry[D]) -> D:
    """Return the document with its digest in it: with id and version that makes the pin."""
    return entry.model.model_copy(update={"digest": entry.pin.digest})


def _refuse_locale(text: Mapping[str, str], locale: str) -> None:
    if locale not in text:
        raise ProblemsError(
            [
                Problem(
                    code="locale.missing",
                    sentence="The content is not available in this language.",
                    next_step=f"Use one of: {', '.join(sorted(text))}.",
                )
            ]
        )


def _unexpected(name: str, error: Exception) -> ProblemsError:
    return ProblemsError(
        [
            Problem(
                code="host.unexpected",
                sentence=f"{name} failed with {type(error).__name__}; nothing was recorded.",
                next_step="Report this with the hook's name; the documents handed in were not changed.",
                hook=name,
            )
        ]
    )
