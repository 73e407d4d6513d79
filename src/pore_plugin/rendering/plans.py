"""The plan: doses, what to draw up, technique, steps; and the consent to it."""

from collections.abc import Iterable

from ..clinical.wording.localising import localise
from ..contracts import Consent, ConsentSheet, MissingNumber, ProcedurePlan
from .words import amount, banner, moment, planned_amount, statement, table, unit_of

__all__ = ["consent_sheet", "consent_text_sheet", "missing_sheet", "plan_sheet"]


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
        lines += table(
            ("Figure", "Value", "From"),
            (
                (localise(p.title, locale) if p.title else p.key, amount(p.value, p.unit), f"{p.origin}: {p.source}")
                for p in plan.parameters
            ),
        )
    if plan.skin_preparation or plan.anaesthetic:
        lines += ["## Skin preparation and anaesthesia", ""]
        lines += [f"- {statement(item, locale)}" for item in plan.skin_preparation]
        if plan.anaesthetic:
            contact = f", contact time {planned_amount(plan.anaesthetic.planned)}"
            lines.append(f"- {localise(plan.anaesthetic.title, locale)}{contact}")
            lines += [f"- {statement(note, locale)}" for note in plan.anaesthetic.notes]
        lines.append("")
    lines += ["## Steps", ""]
    for number, step in enumerate(plan.steps, 1):
        records = f" — records: {', '.join(step.records)}" if step.records else ""
        lines.append(f"{number}. **{localise(step.title, locale)}** {localise(step.instruction, locale)}{records}")
    lines += ["", *_aftercare(plan, locale)]
    if plan.consumables:
        lines += ["## Have ready", ""]
        lines += [f"- {localise(item.title, locale)}: {planned_amount(item.planned)}" for item in plan.consumables]
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
    lines += table(("Region", "Points", "Volume", "Units", "Per point (nominal)"), rows)
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
            f"- {localise(region.title, locale)}: {statement(note, locale)}"
            for region in {region.region: region for region in injection.regions}.values()
            for note in region.notes
        ),
        "",
        "## Technique",
        "",
    ]
    lines += table(
        ("Figure", "Value", "From"),
        (
            (p.key.rsplit(".", 1)[-1].replace("_", " "), amount(p.value, p.unit), f"{p.origin}: {p.source}")
            for p in injection.technique
        ),
    )
    lines += ["Behind the doses:", ""]
    lines += table(
        ("Figure", "Value", "From"),
        ((f"`{p.key}`", amount(p.value, p.unit), f"{p.origin}: {p.source}") for p in injection.inputs),
    )
    lines += [f"- End point: {statement(injection.end_point, locale)}"]
    lines += [f"- Avoid: {statement(item, locale)}" for item in injection.avoid]
    lines += [f"- {localise(note, locale)}" for note in injection.notes]
    return [*lines, ""]


def _aftercare(plan: ProcedurePlan, locale: str) -> list[str]:
    if not plan.aftercare:
        return []
    lines = ["## Aftercare", ""]
    for item in plan.aftercare:
        lines.append(f"- {localise(item.text, locale).replace('{value}', planned_amount(item.planned))}")
    return [*lines, ""]


def missing_sheet(missing: Iterable[MissingNumber]) -> str:
    """Return which figures the clinic's protocol has to supply, and why."""
    lines = ["# No plan yet: the clinic's protocol has to supply", ""]
    missing = tuple(missing)
    rows = [(f"`{m.key}`", m.unit, m.reason, m.suggestion or "—", m.source) for m in missing]
    lines += table(("Figure", "Unit", "Why", "Suggestion", "Source"), rows)
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
