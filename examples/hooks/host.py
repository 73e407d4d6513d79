"""A host that runs a pluggy manager of its own: nothing but plain JSON documents, in and out."""

from typing import Any

import pluggy

from pore_plugin import host_hookspecs, host_plugin


def embed(settings: bytes) -> pluggy.PluginManager:
    """`settings` are the bytes of the clinic settings file."""
    pm = pluggy.PluginManager("desk")
    pm.add_hookspecs(host_hookspecs(pm.project_name))
    pm.register(host_plugin(pm.project_name, settings=settings))
    return pm


def pore_consultation_form(pm: pluggy.PluginManager) -> dict[str, Any]:
    form: dict[str, Any] = pm.hook.pore_consultation_form(locale="en")
    return form


def pore_procedure_templates(pm: pluggy.PluginManager) -> list[str]:
    return [template["title"]["en"] for template in pm.hook.pore_procedure_templates(locale="en")]


def pore_submit_consultation(pm: pluggy.PluginManager, consultation: dict[str, Any]) -> str:
    result = pm.hook.pore_submit_consultation(document=consultation)
    if not result["accepted"]:
        return "Kept as a draft: " + "; ".join(problem["sentence"] for problem in result["problems"])
    return "Accepted"


def pore_assess(pm: pluggy.PluginManager, request: dict[str, Any]) -> str:
    assessment = pm.hook.pore_assess(document=request)["assessment"]
    return f"{assessment['verdict']}: {[finding['code'] for finding in assessment['findings']]}"


def pore_plan_procedure(pm: pluggy.PluginManager, request: dict[str, Any]) -> str:
    plan = pm.hook.pore_plan_procedure(document=request)["plan"]
    return f"{plan['title']['en']}, {len(plan['regions'])} regions"


def pore_ready_to_treat(pm: pluggy.PluginManager, request: dict[str, Any]) -> list[str]:
    readiness = pm.hook.pore_ready_to_treat(document=request)["readiness"]
    return [reason["sentence"] for reason in readiness["reasons"]]


def pore_record_treatment(pm: pluggy.PluginManager, request: dict[str, Any]) -> str:
    result = pm.hook.pore_record_treatment(document=request)
    return f"Recorded as {result['treatment']['id']}"


def pore_follow_up_schedule(pm: pluggy.PluginManager, request: dict[str, Any]) -> list[tuple[str, str]]:
    plan = pm.hook.pore_follow_up_schedule(document=request)["follow_up_plan"]
    return [(step["step"], step["due"]) for step in plan["steps"]]


def pore_review_follow_up(pm: pluggy.PluginManager, request: dict[str, Any]) -> list[str]:
    review = pm.hook.pore_review_follow_up(document=request)["review"]
    return [flag["instruction"]["en"] for flag in review["flags"]]
