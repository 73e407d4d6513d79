"""The host's door: the same steps for a host that runs a pluggy manager of its own. Plain JSON documents both ways.

    pm.add_hookspecs(host_hookspecs(pm.project_name))
    pm.register(host_plugin(pm.project_name, settings=clinic_toml))

Each hook is one call of the façade. What comes in and what goes out is checked against the published contract; where
something is wrong a `problem-report` document comes back, and no exception does.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any

from pluggy import HookimplMarker

from .contracts import (
    AssessmentRequest,
    Clinic,
    Consultation,
    FollowUpRequest,
    Model,
    PlanRequest,
    Problem,
    ProblemsError,
    ProcedureTemplate,
    ReadinessRequest,
    ReadinessResult,
    ReviewRequest,
    TreatmentRequest,
)
from .hooks import HOST_HOOKS, host_hookspecs
from .validation import check, check_toml
from .workflow import PoreWorkflow

__all__ = ["HostPlugin", "host_hookspecs", "host_plugin"]

Document = dict[str, Any]


class HostPlugin:
    """The plug-in object that a host registers; `workflow` is the façade behind it."""

    def __init__(self, workflow: PoreWorkflow) -> None:
        self.workflow = workflow

    def pore_consultation_form(self, locale: str) -> Model:
        form = self.workflow.form()
        _refuse_locale(form.model.title, locale)
        return form.model

    def pore_procedure_templates(self, locale: str) -> list[ProcedureTemplate]:
        templates = [entry.model for entry in self.workflow.templates()]
        for template in templates:
            _refuse_locale(template.title, locale)
        return templates

    def pore_submit_consultation(self, document: Consultation) -> Model:
        return self.workflow.submit(document)

    def pore_assess(self, document: AssessmentRequest) -> Model:
        return self.workflow.assess(document)

    def pore_plan_procedure(self, document: PlanRequest) -> Model:
        return self.workflow.plan(document)

    def pore_ready_to_treat(self, document: ReadinessRequest) -> Model:
        return ReadinessResult(readiness=self.workflow.ready(document))

    def pore_record_treatment(self, document: TreatmentRequest) -> Model:
        return self.workflow.treat(document)

    def pore_follow_up_schedule(self, document: FollowUpRequest) -> Model:
        return self.workflow.follow_up(document)

    def pore_review_follow_up(self, document: ReviewRequest) -> Model:
        return self.workflow.review(document)


def host_plugin(
    project: str,
    *,
    settings: Clinic | bytes | Mapping[str, Any],
    content: Iterable[bytes | Mapping[str, Any]] = (),
    plugins: Mapping[str, object] | None = None,
) -> object:
    """Return the plug-in for a host whose pluggy project name is `project`.

    `settings` is the clinic settings file's bytes (TOML), its document, or the checked model. Raises `ProblemsError`
    when the settings do not hold together: a host that starts without a market or emergency numbers is refused.
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
