"""The nine extension hooks.

Implement any of them in a module or an object, mark each with `@hookimpl`, and name it under the entry-point group
`pore_plugin`. Take any of the arguments, by name, without defaults. Everything handed in is frozen, and a copy for
this one call. Where models are returned, plain dicts of the same shape do as well. `None` = not mine; empty = mine,
nothing to say; an exception = mine and broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pluggy import HookimplMarker, HookspecMarker

from ..contracts import (
    AssessmentContext,
    Calendar,
    Consultation,
    ConsultationForm,
    ContentItem,
    Event,
    Finding,
    FollowUpEdit,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpStep,
    HostAdapterSpec,
    HostInfo,
    Problem,
    ProcedureTemplate,
    QuestionContribution,
    TreatmentRecord,
)
from .contract import PROJECT, contract

__all__ = [
    "Document",
    "hookimpl",
    "hookspec",
    "pore_amend_follow_up",
    "pore_assess_suitability",
    "pore_on_event",
    "pore_place_follow_up_step",
    "pore_register_content",
    "pore_register_host_adapters",
    "pore_register_questions",
    "pore_startup",
    "pore_validate_answers",
]

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
"""Marks an implementation of an extension hook."""

Document: TypeAlias = Mapping[str, Any]
"""A plain JSON document: dicts, lists, strings, integers, booleans."""


@hookspec
@contract(
    mode="once",
    returns=None,
    on_failure="quarantine-plugin",
    none_means="The only answer: this hook returns nothing.",
)
def pore_startup(host: HostInfo) -> None:
    """Learn about the host and get ready.

    Called: once, after the plug-in is registered and before any other of its hooks.
    Arguments: `host` holds package and contract version, clinic id, market and zone; no patient data.
    Returns: nothing.
    """


@hookspec
@contract(
    mode="collect",
    returns=QuestionContribution,
    on_failure="quarantine-contribution",
    none_means="No questions for this form; the form stays as it is.",
)
def pore_register_questions(form: ConsultationForm) -> Iterable[QuestionContribution | Document] | None:
    """Add questions to a form.

    Called: for each form of the catalogue, once, when the catalogue is put together.
    Arguments: `form` is the base form, without the questions of any other plug-in.
    Returns: questions, each for a section of the base form (appended at its end) or for a new section of one's own.
    Ids begin with the plug-in's vendor; conditions refer to the base form or to one's own questions.
    """


@hookspec
@contract(
    mode="collect",
    returns=ContentItem,
    on_failure="quarantine-contribution",
    none_means="No content.",
)
def pore_register_content() -> Iterable[ContentItem | Document | bytes] | None:
    """Add content documents: procedure templates, schedules, forms, products, instruments, texts, regions, evidence.

    Called: once, when the catalogue is put together.
    Arguments: none.
    Returns: documents as models, dicts, or bytes of a JSON file. Ids begin with the plug-in's vendor; what a document
    refers to must exist in the catalogue. Safety rules and markets are the package's own: a plug-in adds checks with
    `pore_assess_suitability`.
    """


@hookspec
@contract(
    mode="collect",
    returns=HostAdapterSpec,
    on_failure="missing-adapter",
    none_means="No adapters.",
)
def pore_register_host_adapters() -> Iterable[HostAdapterSpec | Document] | None:
    """Offer adapters to host systems.

    Called: once, when the plug-ins are listed or an adapter is looked up.
    Arguments: none.
    Returns: adapter specs; the factory a spec names is imported only when that adapter is used.
    """


@hookspec
@contract(
    mode="collect",
    returns=Problem,
    on_failure="keep-draft",
    none_means="Nothing to say about this form.",
)
def pore_validate_answers(
    form: ConsultationForm, answers: Consultation | FollowUpResponse
) -> Iterable[Problem | Document] | None:
    """Check answers beyond what the form itself demands.

    Called: at every submission whose answers fit the form.
    Arguments: `form` is the composed form the answers are pinned to; `answers` is the whole response.
    Returns: problems with JSON pointers into `answers`; one of severity `error` keeps the response a draft. Their
    sentences never repeat an answer.
    """


@hookspec
@contract(
    mode="collect",
    returns=Finding,
    on_failure="review-finding",
    none_means="Not my procedure; an empty list says: assessed, nothing found.",
)
def pore_assess_suitability(
    consultation: Consultation | None,
    template: ProcedureTemplate | None,
    context: AssessmentContext,
    day_form: Consultation | None,
) -> Iterable[Finding | Document] | None:
    """Say what speaks against a treatment.

    Called: at booking, consultation, plan and treatment; the built-in rules first.
    Arguments: `consultation` and `template` are `None` where there is none yet (booking); `context` has the stage,
    the date, the product, the toxin history and the planned doses; `day_form` holds the answers of the day, at
    stage treatment.
    Returns: findings. They only add to the verdict: no plug-in can lower it. `plugin` is set to the true author.
    """


@hookspec
@contract(
    mode="collect",
    returns=FollowUpEdit,
    on_failure="drop-edits",
    none_means="No edits.",
)
def pore_amend_follow_up(
    follow_up_plan: FollowUpPlan, treatment: TreatmentRecord, template: ProcedureTemplate
) -> Iterable[FollowUpEdit | Document] | None:
    """Edit the follow-up plan of a treatment.

    Called: once for each follow-up plan that is made, before its steps are placed.
    Arguments: `follow_up_plan` as the schedule gives it, the `treatment` it follows, the `template` it was done by.
    Returns: edits that add, set the offset of, replace or remove a step. A required step stays, inside its window.
    Edits of one step by several plug-ins are all dropped, and a flag names the authors.
    """


@hookspec(firstresult=True)
@contract(
    mode="first",
    returns=FollowUpStep,
    on_failure="next",
    none_means="Not mine; the next plug-in is asked.",
)
def pore_place_follow_up_step(
    step: FollowUpStep, follow_up_plan: FollowUpPlan, calendar: Calendar
) -> FollowUpStep | Document | None:
    """Find the moment at which a step takes place.

    Called: for each dated step of a plan.
    Arguments: the `step` with its due moment and window, the `follow_up_plan` it belongs to, and the `calendar` with
    opening hours, closures and public holidays.
    Returns: the same step with another `due`, inside its window; nothing else of it may differ.
    """


@hookspec
@contract(
    mode="notify",
    returns=None,
    on_failure="isolate",
    none_means="The only answer: this hook returns nothing.",
)
def pore_on_event(event: Event) -> None:
    """Learn that something happened.

    Called: after whoever keeps the records has committed them, for each event of the step.
    Arguments: `event` has type, subject and moment; ids only, no patient data.
    Returns: nothing.
    """
