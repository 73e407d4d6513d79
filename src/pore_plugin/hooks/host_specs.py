"""The host's door: the hooks through which a host with a pluggy manager of its own uses pore-plugin.

Plain JSON documents go in and come out, each of a published contract. Where something is wrong a `problem-report`
document comes back instead; no exception does.
"""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

from pluggy import HookspecMarker

from .contract import contract, contract_of

__all__ = [
    "host_hookspecs",
    "pore_assess",
    "pore_consultation_form",
    "pore_follow_up_schedule",
    "pore_plan_procedure",
    "pore_procedure_templates",
    "pore_ready_to_treat",
    "pore_record_treatment",
    "pore_review_follow_up",
    "pore_submit_consultation",
]

_NEVER_NONE = "Never returned."


@contract(
    door="host",
    mode="call",
    returns="consultation-form",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_consultation_form(locale: str) -> dict[str, Any]:
    """Return the consultation form, with the questions that extensions add.

    Called: by the host, to show the form.
    Arguments: `locale` is a language of the content, such as `en`; every locale is inside the document.
    Returns: a `consultation-form`.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="consultation",
    returns="submission-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_submit_consultation(document: dict[str, Any]) -> dict[str, Any]:
    """Accept the answers to a form.

    Called: by the host, when a form was filled in.
    Arguments: `document` is a `consultation`, pinned to the form it answers.
    Returns: a `submission-result`; answers that do not fit the form give a `problem-report` that names each.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="assessment-request",
    returns="assessment-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_assess(document: dict[str, Any]) -> dict[str, Any]:
    """Assess suitability at a stage.

    Called: by the host, at booking, consultation, plan and treatment.
    Arguments: `document` is an `assessment-request`.
    Returns: an `assessment-result` with all findings and the verdict.
    """
    return {}


@contract(
    door="host",
    mode="call",
    returns="procedure-template",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_procedure_templates(locale: str) -> list[dict[str, Any]] | dict[str, Any]:
    """Return the procedure templates.

    Called: by the host, to let the practitioner choose.
    Arguments: `locale` is a language of the content, such as `en`.
    Returns: a list of `procedure-template` documents.
    """
    return []


@contract(
    door="host",
    mode="call",
    accepts="plan-request",
    returns="plan-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_plan_procedure(document: dict[str, Any]) -> dict[str, Any]:
    """Plan a session with exact doses.

    Called: by the host, after the consultation.
    Arguments: `document` is a `plan-request`.
    Returns: a `plan-result`: the assessment, and the plan unless the verdict is block.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="readiness-request",
    returns="readiness-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_ready_to_treat(document: dict[str, Any]) -> dict[str, Any]:
    """List every reason not to treat now.

    Called: by the host, on the day; asking changes nothing.
    Arguments: `document` is a `readiness-request` whose case file holds the consent, override, authorisation and
    approval documents.
    Returns: a `readiness-result`.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="treatment-request",
    returns="treatment-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_record_treatment(document: dict[str, Any]) -> dict[str, Any]:
    """Record a treatment that happened.

    Called: by the host, after the treatment.
    Arguments: `document` is a `treatment-request`: the case file and what the operator reports.
    Returns: a `treatment-result`.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="follow-up-request",
    returns="follow-up-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_follow_up_schedule(document: dict[str, Any]) -> dict[str, Any]:
    """Make the dated follow-up plan of a treatment.

    Called: by the host, once for each treatment record; calling again gives the same step keys.
    Arguments: `document` is a `follow-up-request`.
    Returns: a `follow-up-result`.
    """
    return {}


@contract(
    door="host",
    mode="call",
    accepts="review-request",
    returns="review-result",
    on_failure="problem-document",
    none_means=_NEVER_NONE,
)
def pore_review_follow_up(document: dict[str, Any]) -> dict[str, Any]:
    """Review a follow-up response: red flags first, then tasks, then the trend.

    Called: by the host, for each response.
    Arguments: `document` is a `review-request`.
    Returns: a `review-result`.
    """
    return {}


def host_hookspecs(project: str) -> ModuleType:
    """Return the host hooks as a module-like object, marked for the pluggy project name of the host.

    `pm.add_hookspecs(host_hookspecs(pm.project_name))`; each hook gives one document, not a list of answers.
    """
    mark = HookspecMarker(project)
    specs = ModuleType(f"pore_plugin_host_hookspecs_{project}")
    for name, function in sorted(globals().items()):
        if isinstance(function, FunctionType) and contract_of(function) is not None:
            # A copy: two hosts in one process must not mark each other's functions.
            copy = FunctionType(function.__code__, function.__globals__, name)
            copy.__doc__, copy.__annotations__ = function.__doc__, dict(function.__annotations__)
            setattr(specs, name, mark(firstresult=True)(copy))
    return specs
