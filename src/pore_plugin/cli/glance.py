"""A case at a glance: verdict and why, doses per region, what to draw up, when to come back."""

from collections.abc import Iterable, Iterator, Mapping

from ..clinical.wording.localising import localise
from ..contracts import (
    Assessment,
    FollowUpPlan,
    FollowUpReview,
    PlannedInjection,
    PlannedParameter,
    Readiness,
)
from ..demo import CaseRun
from ..rendering import HOW, SIGNS, amount, diluent_name, mark_sample, moment, place, problems_sheet

__all__ = ["glance"]

_WHY = {
    "clear": "no rule speaks against it.",
    "inform": "nothing speaks against it; know that:",
    "review": "a prescriber has to decide, because:",
    "block": "not with these answers and this product, because:",
}


def glance(run: CaseRun, titles: Mapping[str, str], locale: str, folder: str) -> str:
    """Return a short Markdown page about one case."""
    lines = [f"# {run.title}", ""]
    if run.assessment is not None:
        lines += _verdict(run.assessment, titles, locale)
    if run.plan is not None and run.plan.injection is not None:
        lines += _injection(run.plan.injection, locale)
    elif run.plan is not None:
        lines += _figures(run.plan.parameters, locale)
    if run.readiness is not None and not run.readiness.ready:
        lines += _not_ready(run.readiness)
    if run.follow_up is not None:
        lines += _come_back(run.follow_up, locale)
    lines += _reviews(run.reviews, locale)
    if run.problems:
        lines += [problems_sheet(run.problems)]
    page = "\n".join([*lines, f"Ended: **{run.ended}**. Sheets and documents: `{folder}`", "", ""])
    return mark_sample(page) if run.plan is not None and run.plan.sample else page


def _verdict(assessment: Assessment, titles: Mapping[str, str], locale: str) -> Iterator[str]:
    yield from (
        f"**{SIGNS[assessment.verdict]}** when {_STAGES[assessment.context.stage]}: {_WHY[assessment.verdict]}",
        "",
    )
    for finding in assessment.findings:
        where = "; ".join(place(region, titles) for region in finding.regions)
        yield f"- **{finding.code}** ({finding.severity}) {localise(finding.message, locale)}" + (
            f" *{where}*" if where else ""
        )
    if assessment.findings:
        yield ""


_STAGES = {"booking": "booked", "consultation": "consulted", "plan": "planned", "treatment": "about to be treated"}


def _injection(injection: PlannedInjection, locale: str) -> Iterator[str]:
    yield from ("| Region | Points | Volume | Units |", "| --- | --- | --- | --- |")
    for region in injection.regions:
        title = localise(region.title, locale) + (f", {region.side}" if region.side else "")
        yield f"| {title} | {region.points} | {region.volume.value} mL | **{region.units.value} U** |"
    vials = f"{injection.vials} × {injection.vial_units.value} U {injection.brand}"
    mixed = ", then ".join(
        (f"draw {step.draw.value} mL and " if step.draw else "")
        + f"add {step.add.value} mL {diluent_name(step.diluent)}"
        for step in injection.dilutions
    )
    yield ""
    yield f"- Make up: {vials}{': ' + mixed if mixed else ''} = **{injection.concentration.value} U/mL**"
    yield (
        f"- Draw up: **{injection.total_volume.value} mL = {injection.total_units.value} U**; "
        f"{injection.waste_units.value} U are left over"
    )
    yield ""


def _figures(parameters: Iterable[PlannedParameter], locale: str) -> Iterator[str]:
    yield from ("| Figure | Value |", "| --- | --- |")
    for figure in parameters:
        title = localise(figure.title, locale) if figure.title else figure.key
        yield f"| {title} | {amount(figure.value, figure.unit)} |"
    yield ""


def _not_ready(readiness: Readiness) -> Iterator[str]:
    yield from ("**■ NOT READY to treat:**", "")
    steps: dict[str, list[str]] = {}
    for reason in readiness.reasons:
        steps.setdefault(reason.next_step, []).append(reason.sentence)
    for step, sentences in steps.items():
        yield f"- {' '.join(sentences)} *{step}*"
    yield ""


def _come_back(plan: FollowUpPlan, locale: str) -> Iterator[str]:
    yield from (f"| Come back ({plan.zone}) | Step | How |", "| --- | --- | --- |")
    for step in plan.steps:
        when = moment(step.due, offset=False)
        yield f"| {when} | {localise(step.title, locale)} ({step.step}) | {HOW[step.kind]} |"
    yield ""
    if plan.retreat_not_before:
        yield from (f"No re-treatment before **{plan.retreat_not_before}**.", "")


def _reviews(reviews: Iterable[FollowUpReview], locale: str) -> Iterator[str]:
    for review in reviews:
        flags = "; ".join(f"**{flag.urgency.upper()}** {localise(flag.sign, locale)}" for flag in review.flags)
        yield f"- Review of {review.step}: {flags or 'no red flags'}"
    if reviews:
        yield ""
