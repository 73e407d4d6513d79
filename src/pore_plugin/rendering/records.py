"""Before and after the treatment: readiness, follow-up, review."""

from collections.abc import Iterator

from ..clinical.wording.localising import localise
from ..contracts import FollowUpPlan, FollowUpReview, OutcomePoint, OutcomeTrend, Readiness, RegionSide
from .names import Names
from .words import HOW, banner, moment, place, table, unit_of

__all__ = ["follow_up_sheet", "readiness_sheet", "review_sheet"]

_CHANGE = {"better": "better", "worse": "worse", "same": "no change", "unknown": "cannot be judged"}
_DIRECTION = {
    "higher-is-better": "Higher is better",
    "lower-is-better": "Lower is better",
    "none": "Neither direction is better",
}


def readiness_sheet(readiness: Readiness, locale: str, names: Names, *, sample: bool = False) -> str:
    """Return whether to treat now, and every reason not to."""
    lines = [
        f"# {'✓ Ready to treat' if readiness.ready else '■ Not ready'}",
        "",
        *banner(sample=sample),
        f"Asked {moment(readiness.at)}.",
        "",
    ]
    for reason in readiness.reasons:
        where = f" ({'; '.join(place(region, names.regions) for region in reason.regions)})" if reason.regions else ""
        lines.append(f"- **{reason.sentence}** {reason.next_step}{where} (`{reason.code}`)")
        if reason.finding:
            lines.append(f"  {localise(reason.finding.message, locale)}")
    lines += [f"- {localise(note, locale)}" for note in readiness.notes]
    return "\n".join(lines).rstrip() + "\n"


def follow_up_sheet(plan: FollowUpPlan, locale: str, *, sample: bool = False) -> str:
    """Return when to come back, and for what."""
    lines = ["# Follow-up", "", *banner(sample=sample), f"Counted from {moment(plan.anchor)}, zone {plan.zone}.", ""]
    rows = []
    for step in plan.steps:
        window = _window(step.earliest, step.latest)
        required = " (required)" if step.required else ""
        rows.append(
            (step.step + required, localise(step.title, locale), moment(step.due, offset=False), window, HOW[step.kind])
        )
    lines += table(("Step", "What", "Due", "Window", "How"), rows)
    lines += [*(f"- **{step.step}** {localise(step.purpose, locale)}" for step in plan.steps), ""]
    if plan.watch_until:
        lines += [f"Red-flag watch open until **{moment(plan.watch_until)}**.", ""]
    if plan.retreat_not_before:
        reason = f" {localise(plan.retreat_reason, locale)}" if plan.retreat_reason else ""
        unverified = " *(unverified)*" if plan.retreat_unverified else ""
        lines += [f"No re-treatment before **{plan.retreat_not_before}**.{reason}{unverified}", ""]
    if plan.red_flag_card:
        lines += ["## Card for the patient", "", localise(plan.red_flag_card, locale), ""]
    lines += [f"- Look at this: {flag}" for flag in plan.flags]
    return "\n".join(lines).rstrip() + "\n"


def review_sheet(review: FollowUpReview, locale: str, names: Names, *, sample: bool = False) -> str:
    """Return flags first, then tasks, then the trend against baseline."""
    lines = [f"# Review of step {review.step}", "", *banner(sample=sample)]
    for flag in review.flags:
        lines += [f"**{flag.urgency.upper()}: {localise(flag.sign, locale)}** {localise(flag.instruction, locale)}", ""]
    if review.tasks:
        lines += ["## Tasks", ""]
        for task in review.tasks:
            hours = "; this does not wait for opening hours" if task.ignores_hours else ""
            lines.append(f"- [ ] {localise(task.title, locale)} — by **{moment(task.due)}**{hours}")
        lines.append("")
    if not review.accepted:
        lines += ["**NOT ACCEPTED.** These answers are kept as a draft; what they leave open is not known:", ""]
        lines += [f"- {problem.sentence}" for problem in review.problems]
        lines.append("")
    elif not review.flags:
        lines += ["No red flag was ticked. Free text is not checked.", ""]
    for trend in review.trends:
        lines += _trend(trend, names)
    if review.non_response:
        lines += [localise(review.non_response, locale), ""]
    lines += [f"- {localise(note, locale)}" for note in review.notes]
    return "\n".join(lines).rstrip() + "\n"


def _window(earliest: str | None, latest: str | None) -> str:
    if earliest and latest:
        return f"{earliest[:10]} to {latest[:10]}"
    return f"from {earliest[:10]}" if earliest else f"until {latest[:10]}" if latest else "—"


def _trend(trend: OutcomeTrend, names: Names) -> Iterator[str]:
    where = f" ({place(RegionSide(region=trend.region, side=trend.side), names.regions)})" if trend.region else ""
    yield from (f"## {names.instruments.get(trend.instrument, trend.instrument)}{where}", "")
    yield from (f"{_DIRECTION[trend.direction]} ({trend.instrument} {trend.instrument_version}).", "")
    first = (moment(trend.baseline.at), trend.baseline.value, "—", "baseline")
    head = ("When", f"Value ({unit_of(trend.unit)})", "Against baseline", "Change")
    yield from table(head, (first, *(_later(point) for point in trend.points)))


def _later(point: OutcomePoint) -> tuple[str, ...]:
    sign = "" if point.delta.startswith("-") or point.delta == "0" else "+"
    return moment(point.at), point.value, sign + point.delta, _CHANGE[point.change]
