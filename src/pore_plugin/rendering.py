"""Sheets to read and print: every record as Markdown, the same for a file and for a terminal.

Pure: a record and a locale in, text out. A plan from a sample protocol says SAMPLE on every sheet, content that nobody
approved says DRAFT.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from .clinical.consenting import localise
from .contracts import (
    Answer,
    Assessment,
    Consent,
    ConsentSheet,
    Consultation,
    ConsultationForm,
    Finding,
    FollowUpPlan,
    FollowUpResponse,
    FollowUpReview,
    MissingNumber,
    PlannedParameter,
    Problem,
    ProcedurePlan,
    Question,
    Readiness,
    RegionDose,
    RegionSide,
    ShowWhen,
    SourcedStatement,
    TreatmentRecord,
)

__all__ = [
    "SIGNS",
    "answers_sheet",
    "assessment_sheet",
    "consent_sheet",
    "consent_text_sheet",
    "follow_up_sheet",
    "form_sheet",
    "missing_sheet",
    "moment",
    "place",
    "plan_sheet",
    "problems_sheet",
    "readiness_sheet",
    "review_sheet",
    "treatment_sheet",
]

SIGNS = {"block": "■ BLOCK", "review": "▲ REVIEW", "inform": "● INFORM", "clear": "✓ CLEAR"}


def banner(*, sample: bool = False, draft: bool = False) -> list[str]:
    """Return the lines that mark a sheet as SAMPLE or DRAFT."""
    lines = []
    if sample:
        lines += ["> **SAMPLE** — figures from a sample protocol. Not for treating anyone.", ""]
    if draft:
        lines += ["> **DRAFT** — not approved by a prescriber of this clinic.", ""]
    return lines


def moment(instant: str) -> str:
    """Return an instant as a person reads it: weekday, date, time and offset."""
    return datetime.fromisoformat(instant).strftime("%a %d %b %Y, %H:%M (UTC%z)")


def place(region: RegionSide | RegionDose, titles: Mapping[str, str]) -> str:
    """Return a region and its side in words."""
    title = titles.get(region.region, region.region)
    return f"{title}, {region.side}" if region.side else title


def unit_of(unit: str) -> str:
    """Return a unit as a person reads it: UCUM writes `{piece}` and `[arb'U]`."""
    return "U" if unit == "[arb'U]" else unit.strip("{}")


def amount(value: str, unit: str) -> str:
    """Return a figure with its unit as a person reads it."""
    return f"{value} {unit_of(unit)}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    head = list(head)
    body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return [
        "| " + " | ".join(head) + " |",
        "|" + " --- |" * len(head),
        *("| " + " | ".join(r) + " |" for r in body),
        "",
    ]


def form_sheet(form: ConsultationForm, locale: str) -> str:
    """Return the form as a paper to fill in."""
    lines = [f"# {localise(form.title, locale)}", "", *banner(draft=form.status == "draft")]
    lines += [f"Form {form.id}, version {form.version}. Fields marked * are required.", ""]
    for section in form.sections:
        lines += [f"## {localise(section.title, locale)}", ""]
        if section.help:
            lines += [localise(section.help, locale), ""]
        if section.repeats:
            lines += [f"Copy this part for each entry, up to {section.repeats}.", ""]
        if section.show_when:
            lines += [f"*Only when {_condition(section.show_when)}.*", ""]
        for question in section.questions:
            lines += _question_lines(question, locale)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _condition(show_when: ShowWhen) -> str:
    words = {"=": "is", "!=": "is not", "exists": "answered:"}
    parts = [f"`{c.question}` {words.get(c.operator, c.operator)} {_plain(c.value)}" for c in show_when.conditions]
    return (" and " if show_when.join == "all" else " or ").join(parts)


def _plain(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _question_lines(question: Question, locale: str) -> list[str]:
    star = " *" if question.required else ""
    who = " (practitioner)" if question.answered_by == "practitioner" else ""
    lines = [f"- **{localise(question.text, locale)}**{star}{who}"]
    if question.show_when:
        lines.append(f"  *only when {_condition(question.show_when)}*")
    if question.help:
        lines.append(f"  {localise(question.help, locale)}")
    if question.type in ("choice", "multi-choice"):
        lines += [f"  - [ ] {localise(option.text, locale)}" for option in question.options]
    elif question.type == "boolean":
        lines.append("  - [ ] yes  [ ] no")
    elif question.type == "region-map":
        lines.append("  Mark on the chart: " + ", ".join(region.rsplit(".", 1)[-1] for region in question.regions))
    else:
        unit = f" {' / '.join(question.units)}" if question.type == "quantity" else ""
        lines.append(f"  ______________________{unit}")
    return lines


def answers_sheet(form: ConsultationForm, response: Consultation | FollowUpResponse, locale: str) -> str:
    """Return the answers beside their questions, as they were given on that form."""
    lines = [f"# {localise(form.title, locale)} — answers", ""]
    if response.status == "draft":
        lines += ["> **NOT ACCEPTED** — kept as a draft.", ""]
    lines += [f"Answered {moment(response.occurred_at)}, on form {response.form.id} {response.form.version}.", ""]
    by_question: dict[str, list[Answer]] = {}
    for answer in response.answers:
        by_question.setdefault(answer.question, []).append(answer)
    for section in form.sections:
        answered = [question for question in section.questions if question.id in by_question]
        if not answered:
            continue
        lines += [f"## {localise(section.title, locale)}", ""]
        rows = []
        for question in answered:
            for answer in by_question.pop(question.id):
                text = localise(question.text, locale)
                number = f" ({answer.instance})" if answer.instance else ""
                rows.append((text + number, _answer_text(question, answer, locale)))
        lines += _table(("Question", "Answer"), rows)
    if by_question:
        lines += ["## Not part of the form", ""]
        lines += [f"- `{question}`" for question in by_question]
    return "\n".join(lines).rstrip() + "\n"


def _answer_text(question: Question, answer: Answer, locale: str) -> str:
    if answer.type in ("choice", "multi-choice") and question.type in ("choice", "multi-choice"):
        titles = {option.code: localise(option.text, locale) for option in question.options}
        chosen = (answer.value,) if answer.type == "choice" else answer.value
        return ", ".join(titles.get(code, code) for code in chosen)
    if answer.type == "quantity":
        return amount(answer.value.value, answer.value.unit)
    if answer.type == "attachment":
        return ", ".join(f"{item.id} ({item.view})" if item.view else item.id for item in answer.value)
    if answer.type == "region-map":
        names = (f"{m.region.rsplit('.', 1)[-1]}{' ' + m.side if m.side else ''}" for m in answer.value)
        return ", ".join(dict.fromkeys(names))
    return _plain(answer.value)


def assessment_sheet(assessment: Assessment, locale: str, titles: Mapping[str, str], *, sample: bool = False) -> str:
    """Return the verdict and why."""
    lines = [
        f"# Suitability: {SIGNS[assessment.verdict]}",
        "",
        *banner(sample=sample),
        (
            f"Stage: {assessment.context.stage}. Treatment date: {assessment.context.date}. "
            f"Assessed {moment(assessment.assessed_at)}."
        ),
        "",
    ]
    lines += _findings(assessment.findings, locale, titles)
    if assessment.switched_off:
        lines += [f"Rules this clinic has switched off: {', '.join(assessment.switched_off)}.", ""]
    if assessment.evidence:
        lines += ["## What the evidence says", ""]
        lines += [f"- {localise(text, locale)}" for text in assessment.evidence]
    lines += ["", "The prescriber decides. A review needs a recorded reason; a block needs another answer or product."]
    return "\n".join(lines).rstrip() + "\n"


def _findings(findings: Iterable[Finding], locale: str, titles: Mapping[str, str]) -> list[str]:
    rows = []
    for finding in findings:
        where = ", ".join(place(region, titles) for region in finding.regions) or "whole session"
        unverified = " *(unverified)*" if finding.unverified else ""
        rows.append(
            (
                f"**{SIGNS[finding.severity]}**",
                finding.code,
                localise(finding.message, locale) + unverified,
                where,
                f"{finding.source} [{finding.mark}]",
            )
        )
    return _table(("", "Code", "Why", "Where", "Source"), rows) if rows else ["No findings.", ""]


def plan_sheet(plan: ProcedurePlan, locale: str) -> str:
    """Return doses per region, what to draw up, the steps, and what follows."""
    lines = [f"# Plan: {localise(plan.title, locale)}", "", *banner(sample=plan.sample, draft=plan.draft)]
    lines += [localise(plan.summary, locale), "", f"Treatment date {plan.treatment_date}, session: {plan.session}.", ""]
    if plan.off_label:
        lines += [f"**Off-label use.** {localise(plan.off_label, locale)}", ""]
    if plan.injection:
        lines += _injection(plan, locale)
    if plan.parameters:
        lines += ["## Figures", ""]
        lines += _table(
            ("Figure", "Value", "From"),
            (
                (localise(p.title, locale) if p.title else p.key, amount(p.value, p.unit), f"{p.origin}: {p.source}")
                for p in plan.parameters
            ),
        )
    if plan.skin_preparation or plan.anaesthetic:
        lines += ["## Skin preparation and anaesthesia", ""]
        lines += [f"- {_statement(item, locale)}" for item in plan.skin_preparation]
        if plan.anaesthetic:
            contact = f", contact time {_planned(plan.anaesthetic.planned)}"
            lines.append(f"- {localise(plan.anaesthetic.title, locale)}{contact}")
            lines += [f"- {_statement(note, locale)}" for note in plan.anaesthetic.notes]
        lines.append("")
    lines += ["## Steps", ""]
    for number, step in enumerate(plan.steps, 1):
        records = f" — records: {', '.join(step.records)}" if step.records else ""
        lines.append(f"{number}. **{localise(step.title, locale)}** {localise(step.instruction, locale)}{records}")
    lines += ["", *_aftercare(plan, locale)]
    if plan.consumables:
        lines += ["## Have ready", ""]
        lines += [f"- {localise(item.title, locale)}: {_planned(item.planned)}" for item in plan.consumables]
        lines.append("")
    if plan.not_given:
        lines += ["## Not given", "", "Nobody has supplied these figures; the plan holds without them.", ""]
        lines += [f"- `{number.key}` ({unit_of(number.unit)}): {number.reason}" for number in plan.not_given]
        lines.append("")
    if plan.evidence:
        lines += ["## What the evidence says", ""]
        lines += [
            f"- {localise(item.text, locale)} Certainty: {item.certainty}. ({'; '.join(item.sources)})"
            for item in plan.evidence
        ]
        lines.append("")
    if plan.warnings:
        lines += ["## Warnings", "", *(f"- {localise(text, locale)}" for text in plan.warnings), ""]
    return "\n".join(lines).rstrip() + "\n"


def _injection(plan: ProcedurePlan, locale: str) -> list[str]:
    injection = plan.injection
    assert injection is not None  # noqa: S101
    lines = ["## Draw up", ""]
    lines.append(f"**{injection.brand}** ({injection.inn}), {injection.vials} × {injection.vial_units.value} U vial.")
    lines.append("")
    for number, step in enumerate(injection.dilutions, 1):
        draw = f"{step.batches} times: " if step.batches > 1 else ""
        draw += f"draw {step.draw.value} mL, " if step.draw else ""
        lines.append(
            f"{number}. {draw}add {step.add.value} mL {step.diluent} → {step.units.value} U in {step.volume.value} mL "
            f"= **{step.concentration.value} U/mL**{' (rounded)' if step.concentration.nominal else ''}"
        )
    lines += [
        "",
        (
            f"Working solution: **{injection.concentration.value} U/mL** = {injection.per_tenth.value} U per 0.1 mL. "
            f"Route: {injection.route}."
        ),
        "",
        "## Doses",
        "",
    ]
    rows = [
        (
            localise(region.title, locale) + (f", {region.side}" if region.side else ""),
            str(region.points),
            f"**{region.volume.value} mL**",
            f"**{region.units.value} U**{' (rounded)' if region.units.nominal else ''}",
            f"{region.volume_per_point.value} mL ≈ {region.units_per_point.value} U",
        )
        for region in injection.regions
    ]
    lines += _table(("Region", "Points", "Volume", "Units", "Per point (nominal)"), rows)
    by_evidence: dict[str, list[str]] = {}
    for region in injection.regions:
        if region.evidence:
            names = by_evidence.setdefault(localise(region.evidence, locale), [])
            names += [localise(region.title, locale)] if localise(region.title, locale) not in names else []
    lines += [f"- {', '.join(names)}: {text}" for text, names in by_evidence.items()]
    lines += [""] if by_evidence else []
    lines += [
        (
            f"Total **{injection.total_units.value} U** in **{injection.total_volume.value} mL**; "
            f"left over {injection.waste_units.value} U in {injection.waste_volume.value} mL."
        ),
        "The region's volume is what counts; per-point figures are nominal. Units belong to this product alone.",
        "",
        *(
            f"- {localise(region.title, locale)}: {_statement(note, locale)}"
            for region in {region.region: region for region in injection.regions}.values()
            for note in region.notes
        ),
        "",
        "## Technique",
        "",
    ]
    lines += _table(
        ("Figure", "Value", "From"),
        (
            (p.key.rsplit(".", 1)[-1].replace("_", " "), amount(p.value, p.unit), f"{p.origin}: {p.source}")
            for p in injection.technique
        ),
    )
    lines += ["Behind the doses:", ""]
    lines += _table(
        ("Figure", "Value", "From"),
        ((f"`{p.key}`", amount(p.value, p.unit), f"{p.origin}: {p.source}") for p in injection.inputs),
    )
    lines += [f"- End point: {_statement(injection.end_point, locale)}"]
    lines += [f"- Avoid: {_statement(item, locale)}" for item in injection.avoid]
    lines += [f"- {localise(note, locale)}" for note in injection.notes]
    return [*lines, ""]


def _aftercare(plan: ProcedurePlan, locale: str) -> list[str]:
    if not plan.aftercare:
        return []
    lines = ["## Aftercare", ""]
    for item in plan.aftercare:
        lines.append(f"- {localise(item.text, locale).replace('{value}', _planned(item.planned))}")
    return [*lines, ""]


def _planned(figure: PlannedParameter | None) -> str:
    return amount(figure.value, figure.unit) if figure is not None else "not given"


def _statement(item: SourcedStatement, locale: str) -> str:
    """Return a clinical sentence; one from a secondary source or from memory says so."""
    return localise(item.text, locale) + (" *(unverified)*" if item.mark in ("T", "M") else "")


def missing_sheet(missing: Iterable[MissingNumber]) -> str:
    """Return which figures the clinic's protocol has to supply, and why."""
    lines = ["# No plan yet: the clinic's protocol has to supply", ""]
    missing = tuple(missing)
    rows = [(f"`{m.key}`", m.unit, m.reason, m.suggestion or "—", m.source) for m in missing]
    lines += _table(("Figure", "Unit", "Why", "Suggestion", "Source"), rows)
    accept = [f"- {m.suggestion} {m.unit}: `{m.accept}`" for m in missing if m.suggestion and m.accept]
    if accept:
        lines += [
            "A suggestion holds once the prescriber accepts it, under `policies.accepted_suggestions`:",
            "",
            *accept,
        ]
    return "\n".join(lines)


def consent_text_sheet(sheet: ConsentSheet) -> str:
    """Return the consent text, filled in, with a line to sign."""
    lines = [f"# {sheet.title}", "", *banner(sample=sheet.sample, draft=sheet.draft)]
    for paragraph in sheet.paragraphs:
        lines += [paragraph, ""]
    lines += [
        f"Text {sheet.text.id} {sheet.text.version}; plan {sheet.plan.id} ({sheet.plan.digest[:19]}…).",
        "",
        "Name ____________________  Date and time ____________________  Signature ____________________",
    ]
    return "\n".join(lines).rstrip() + "\n"


def consent_sheet(consent: Consent, *, sample: bool = False) -> str:
    """Return what was agreed to, when, and until when the patient may reflect."""
    lines = [f"# Consent: {consent.purpose}", "", *banner(sample=sample)]
    lines += [
        f"Given {moment(consent.given_at)}, informed {moment(consent.informed_at)} by {consent.explained_by}.",
        "",
        (
            f"Signature: {consent.signature.method}. Text {consent.text.id} {consent.text.version} ({consent.locale}), "
            f"plan {consent.plan.id}."
        ),
        "",
        f"Time to reflect ends {moment(consent.cooling_off_ends)}."
        if consent.cooling_off_ends
        else "No time to reflect is running.",
    ]
    return "\n".join(lines) + "\n"


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
        lines += _table(
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
        lines += _table(
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
        lines += _table(
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
        lines += _table(("Figure", "Value"), ((p.key, amount(p.value, p.unit)) for p in report.parameters))
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
        lines += ["", "## Findings on what was given", "", *_findings(record.findings, locale, titles)]
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
    lines += _table(("Step", "Due", "Window", "Kind", "What for"), rows)
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
        lines += _table(
            ("When", f"Value ({unit_of(trend.unit)})", "Against baseline", "Change"),
            ((moment(p.at), p.value, p.delta, p.change) for p in (trend.baseline, *trend.points)),
        )
    if review.non_response:
        lines += [localise(review.non_response, locale), ""]
    lines += [f"- {localise(note, locale)}" for note in review.notes]
    return "\n".join(lines).rstrip() + "\n"


def problems_sheet(problems: Iterable[Problem]) -> str:
    """Return every problem with where it is and what to do."""
    lines = []
    for problem in problems:
        where = problem.pointer or "/"
        if problem.location:
            where = f"{problem.location.file}:{problem.location.line}:{problem.location.column} {where}"
        by = f" [{problem.plugin}{'.' + problem.hook if problem.hook else ''}]" if problem.plugin else ""
        lines.append(f"- **{problem.code}** {where}{by}: {problem.sentence} *{problem.next_step}*")
    return "\n".join(lines) + "\n"
