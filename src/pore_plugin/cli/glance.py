"""A case at a glance: verdict and why, doses per region, what to draw up, when to come back."""

from collections.abc import Mapping

from ..clinical.consenting import localise
from ..demo import CaseRun
from ..rendering import SIGNS, moment, place

__all__ = ["glance"]


def glance(run: CaseRun, titles: Mapping[str, str], locale: str, folder: str) -> str:
    """Return a short Markdown page about one case."""
    lines = [f"# {run.title}", ""]
    if run.plan is not None and run.plan.sample:
        lines += ["> **SAMPLE** — figures from a sample protocol. Not for treating anyone.", ""]
    if run.assessment is not None:
        lines += [f"**{SIGNS[run.assessment.verdict]}** at stage {run.assessment.context.stage}.", ""]
        for finding in run.assessment.findings:
            where = ", ".join(place(region, titles) for region in finding.regions)
            lines.append(
                f"- {finding.severity} {finding.code}{f' ({where})' if where else ''}: "
                f"{localise(finding.message, locale)}"
            )
        lines += [""] if run.assessment.findings else []
    plan = run.plan
    if plan is not None and plan.injection is not None:
        injection = plan.injection
        lines += ["| Region | Volume | Units |", "| --- | --- | --- |"]
        for region in injection.regions:
            side = f", {region.side}" if region.side else ""
            lines.append(
                f"| {localise(region.title, locale)}{side} | {region.volume.value} mL | {region.units.value} U |"
            )
        lines += [
            "",
            (
                f"Draw up **{injection.total_volume.value} mL = {injection.total_units.value} U** of {injection.brand} "
                f"at {injection.concentration.value} U/mL ({injection.vials} × {injection.vial_units.value} U vial); "
                f"left over {injection.waste_units.value} U."
            ),
            "",
        ]
    if run.readiness is not None and not run.readiness.ready:
        lines += ["**Not ready to treat:**", ""]
        lines += [f"- {reason.sentence} {reason.next_step}" for reason in run.readiness.reasons]
        lines.append("")
    if run.follow_up is not None:
        lines += ["| Come back | When | How |", "| --- | --- | --- |"]
        lines += [f"| {step.step} | {moment(step.due)} | {step.kind} |" for step in run.follow_up.steps]
        lines.append("")
    for review in run.reviews:
        flags = "; ".join(f"{f.urgency}: {localise(f.sign, locale)}" for f in review.flags) or "no red flags"
        lines.append(f"- Review {review.step}: {flags}")
    lines += ["", f"Ended: **{run.ended}**. Sheets and documents: {folder}", ""]
    return "\n".join(lines)
