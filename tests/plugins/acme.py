"""An outside plug-in that implements all nine hooks, each with an effect that a test can see."""

from __future__ import annotations

from collections.abc import Iterator

from pore_plugin.contracts import (
    AssessmentContext,
    Calendar,
    Consultation,
    ConsultationForm,
    Event,
    Finding,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpStep,
    HostInfo,
    Problem,
    ProcedureTemplate,
    TreatmentRecord,
)
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"
PORE_ORDER = 5

calls: list[str] = []


@hookimpl
def pore_startup(host: HostInfo) -> None:
    calls.append(f"startup in {host.market}")


@hookimpl
def pore_register_questions(form: ConsultationForm) -> Iterator[dict[str, object]]:
    question = {"id": "acme.q.sleep", "type": "boolean", "text": {"en": "Do you sleep well?"}}
    yield {"section": form.sections[0].id, "question": question}


@hookimpl
def pore_register_content() -> Iterator[dict[str, object]]:
    yield {
        "type": "instrument",
        "id": "acme.instrument.glow",
        "version": "1.0.0",
        "title": {"en": "Glow"},
        "direction": "higher-is-better",
        "unit": "{score}",
        "rater": "any",
        "range_verified": False,
        "source": "Acme",
        "mark": "D",
    }


@hookimpl
def pore_register_host_adapters() -> list[dict[str, str]]:
    return [{"kind": "acme-desk", "title": "Acme Desk", "factory": "acme_desk:connect"}]


@hookimpl
def pore_validate_answers(form: ConsultationForm, answers: Consultation | FollowUpResponse) -> list[Problem]:
    if answers.recorded_by != "moonstruck":
        return []
    return [Problem(code="acme.refused", sentence="Not today.", pointer="/recorded_by", next_step="Come back.")]


@hookimpl
def pore_assess_suitability(
    context: AssessmentContext, consultation: Consultation | None, template: ProcedureTemplate | None
) -> Iterator[Finding]:
    yield Finding(
        code="acme.moon",
        severity="review",
        message={"en": "Full moon."},
        source="Acme",
        mark="D",
        plugin="somebody-else",
    )


@hookimpl
def pore_amend_follow_up(
    follow_up_plan: FollowUpPlan, treatment: TreatmentRecord, template: ProcedureTemplate
) -> list[dict[str, str]]:
    return [{"action": "set-offset", "step": "W4", "offset": "P29D", "reason": "Acme counts from Monday."}]


@hookimpl
def pore_place_follow_up_step(step: FollowUpStep, calendar: Calendar) -> FollowUpStep | None:
    if step.step != "W4":
        return None
    return step.model_copy(update={"due": step.due[:11] + "11" + step.due[13:]})


@hookimpl
def pore_on_event(event: Event) -> None:
    calls.append(f"event {event.type}")
