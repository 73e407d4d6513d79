"""The day and after: readiness, what was done, follow-up, review."""

from collections.abc import Mapping

from ..clinical.wording.localising import localise
from ..contracts import FollowUpPlan, FollowUpReview, Readiness, RegionSide, TreatmentRecord
from .safety import findings_table
from .words import amount, banner, moment, place, table, unit_of

__all__ = ["follow_up_sheet", "readiness_sheet", "review_sheet", "treatment_sheet"]


def readiness_sheet(readiness: Readiness, locale: str, titles: Mapping[str, str], *, sample: bool = False) -> str:
    """Return whether to treat now, and every reason not to."""
    lines = [
        f"# {'✓ Ready to treat' if readiness.ready else '■ Not ready'}",
        "",
        *banner(sample=sample),
        f"Asked {moment(readiness.at)}.",
        "",
    ]
    for reason in readiness.reasons:
        where = f" ({', '.join(place(region, titles) for region in reason.regions)})" if reason.regions else ""
        lines.append(f"- **{reason.code}**{where}: {reason.sentence} *{reason.next_step}*")
        if reason.finding:
            lines.append(f"  {localise(reason.finding.message, locale)}")
    lines += [f"- {localise(note, locale)}" for note in readiness.notes]
    return "\n".join(lines).rstrip() + "\n"


def treatment_sheet(record: TreatmentRecord, locale: str, titles: Mapping[str, str]) -> str:
    """Return the treatment sheet: what was really done, with lot, expiry and doses."""
    report = record.report
    lines = ["# Treatment record", "", *banner(sample=record.sample)]
    lines += [f"{moment(report.started_at)} to {moment(report.ended_at)}.", ""]
    lines += [f"Operator {report.operator}, prescriber {report.prescriber or 'none'}. Session: {record.session}.", ""]
    if record.authorisation:
        lines += [f"Under authorisation {record.authorisation}.", ""]
    if report.anaesthetic:
        lot = f", lot {report.anaesthetic.lot}" if report.anaesthetic.lot else ""
        lines += [f"Anaesthetic: {report.anaesthetic.anaesthetic}{lot}.", ""]
    if report.vials:
        lines += ["## Vials", ""]
        lines += table(
            ("Product", "Lot", "Expiry", "Drawn", "Used", "Wasted"),
            (
                (u.vial.product, u.vial.lot, u.vial.expiry, f"{u.drawn} U", f"{u.used} U", f"{u.wasted} U")
                for u in report.vials
            ),
        )
        for use in report.vials:
            made_up = [f"made up {moment(use.vial.reconstituted_at)}"] if use.vial.reconstituted_at else []
            made_up += [f"with {use.vial.diluent_volume} mL"] if use.vial.diluent_volume else []
            made_up += [use.vial.diluent] if use.vial.diluent else []
            made_up += [f"discard by {moment(use.vial.discard_by)}"] if use.vial.discard_by else []
            made_up += [f"from {use.vial.supplier}"] if use.vial.supplier else []
            made_up += [f"storage: {use.vial.storage_log}"] if use.vial.storage_log else []
            lines.append(f"- {use.vial.lot}: {', '.join(made_up) or 'nothing else recorded'}")
        lines.append("")
    if report.doses:
        lines += ["## Doses given", ""]
        lines += table(
            ("Region", "Points", "Volume", "Units"),
            (
                (
                    place(RegionSide(region=d.region, side=d.side), titles),
                    str(d.points),
                    f"{d.volume} mL",
                    f"{d.units} U",
                )
                for d in report.doses
            ),
        )
    if report.points:
        lines += ["## Points on the chart", ""]
        lines += table(
            ("Region", "Chart", "x", "y", "Units (nominal)"),
            (
                (
                    place(RegionSide(region=p.region, side=p.side), titles),
                    (p.chart or "").rsplit(".", 1)[-1],
                    p.x or "",
                    p.y or "",
                    p.units or "",
                )
                for p in report.points
            ),
        )
    if report.parameters:
        lines += ["## Figures", ""]
        lines += table(("Figure", "Value"), ((p.key, amount(p.value, p.unit)) for p in report.parameters))
    lines += ["## Steps", ""]
    lines += [
        f"- [{'x' if step.done else ' '}] {step.step}" + (f": {step.note}" if step.note else "")
        for step in report.steps
    ]
    for title, items in (
        ("Reactions", [f"{r.code} ({r.severity})" + (f": {r.note}" if r.note else "") for r in report.reactions]),
        ("Deviations", [f"{d.code}: {d.reason} ({d.person}, {moment(d.at)})" for d in report.deviations]),
        ("Clinic policies in force", list(record.label_policies)),
    ):
        if items:
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    if report.stopped_early:
        lines += ["", f"**Stopped early:** {report.stopped_early}"]
    if record.findings:
        lines += ["", "## Findings on what was given", "", *findings_table(record.findings, locale, titles)]
    return "\n".join(lines).rstrip() + "\n"


def follow_up_sheet(plan: FollowUpPlan, locale: str, *, sample: bool = False) -> str:
    """Return when to come back, and for what."""
    lines = ["# Follow-up", "", *banner(sample=sample), f"Counted from {moment(plan.anchor)}, zone {plan.zone}.", ""]
    rows = []
    for step in plan.steps:
        window = f"{step.earliest[:10] if step.earliest else 'open'} – {step.latest[:10] if step.latest else 'open'}"
        rows.append(
            (
                step.step + (" (required)" if step.required else ""),
                moment(step.due),
                window,
                step.kind,
                f"{localise(step.title, locale)}: {localise(step.purpose, locale)}",
            )
        )
    lines += table(("Step", "Due", "Window", "Kind", "What for"), rows)
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


def review_sheet(review: FollowUpReview, locale: str, titles: Mapping[str, str], *, sample: bool = False) -> str:
    """Return flags first, then tasks, then the trend against baseline."""
    lines = [f"# Review of step {review.step}", "", *banner(sample=sample)]
    for flag in review.flags:
        lines += [f"**{flag.urgency.upper()}: {localise(flag.sign, locale)}** {localise(flag.instruction, locale)}", ""]
    if review.tasks:
        lines += ["## Tasks", ""]
        for task in review.tasks:
            hours = " — does not wait for opening hours" if task.ignores_hours else ""
            lines.append(f"- [ ] {localise(task.title, locale)} by {moment(task.due)}{hours}")
        lines.append("")
    if not review.flags:
        lines += ["No red flags in these answers.", ""]
    for trend in review.trends:
        where = f" ({place(RegionSide(region=trend.region, side=trend.side), titles)})" if trend.region else ""
        lines += [f"## {trend.instrument} {trend.instrument_version}{where}", ""]
        lines += table(
            ("When", f"Value ({unit_of(trend.unit)})", "Against baseline", "Change"),
            ((moment(p.at), p.value, p.delta, p.change) for p in (trend.baseline, *trend.points)),
        )
    if review.non_response:
        lines += [localise(review.non_response, locale), ""]
    lines += [f"- {localise(note, locale)}" for note in review.notes]
    return "\n".join(lines).rstrip() + "\n"
