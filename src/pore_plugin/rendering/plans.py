"""The plan: doses, what to draw up, technique, steps; and the consent to it."""

from collections.abc import Iterable, Iterator

from ..clinical.wording.localising import localise
from ..contracts import Consent, ConsentSheet, Evidence, MissingNumber, ProcedurePlan
from .injections import injection_lines, origin
from .names import Names, figure_name, figure_titles
from .words import amount, banner, moment, planned_amount, statement, table, unit_of, words

__all__ = ["consent_sheet", "consent_text_sheet", "missing_sheet", "plan_sheet"]

_CERTAINTY = {
    "moderate": "moderate",
    "low-to-moderate": "low to moderate",
    "low": "low",
    "low-inconsistent": "low, findings inconsistent",
    "none": "none",
}


def plan_sheet(plan: ProcedurePlan, locale: str) -> str:
    """Return doses per region, what to draw up, the steps, and what follows."""
    lines = [f"# Plan: {localise(plan.title, locale)}", "", *banner(sample=plan.sample, draft=plan.draft)]
    lines += [localise(plan.summary, locale), "", f"Treatment date {plan.treatment_date}, session: {plan.session}.", ""]
    if plan.off_label:
        lines += [f"**Off-label use.** {localise(plan.off_label, locale)}", ""]
    if plan.injection:
        lines += injection_lines(plan.injection, plan.protocol, locale)
    lines += _figures(plan, locale)
    lines += _preparation(plan, locale)
    lines += _steps(plan, locale)
    lines += _section("Aftercare", _aftercare(plan, locale))
    consumables = (f"{localise(item.title, locale)}: {planned_amount(item.planned)}" for item in plan.consumables)
    lines += _section("Have ready", consumables)
    lines += _not_given(plan, locale)
    lines += _section("What the evidence says", (_evidence(item, locale) for item in plan.evidence))
    lines += _section("Warnings", (localise(text, locale) for text in plan.warnings))
    if plan.protocol:
        lines.append(f"The protocol is {plan.protocol.id} {plan.protocol.version}.")
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, items: Iterable[str]) -> list[str]:
    listed = [f"- {item}" for item in items]
    return [f"## {title}", "", *listed, ""] if listed else []


def _figures(plan: ProcedurePlan, locale: str) -> list[str]:
    if not plan.parameters:
        return []
    titles = figure_titles(plan, locale)
    rows = (
        (titles.get(p.key) or figure_name(p.key, Names()), amount(p.value, p.unit), origin(p, plan.protocol))
        for p in plan.parameters
    )
    return ["## Figures", "", *table(("Figure", "Value", "From"), rows)]


def _preparation(plan: ProcedurePlan, locale: str) -> list[str]:
    items = [statement(item, locale) for item in plan.skin_preparation]
    if plan.anaesthetic:
        contact = f", contact time {planned_amount(plan.anaesthetic.planned)}"
        items.append(localise(plan.anaesthetic.title, locale) + contact)
        items += [statement(note, locale) for note in plan.anaesthetic.notes]
    return _section("Skin preparation and anaesthesia", items)


def _steps(plan: ProcedurePlan, locale: str) -> Iterator[str]:
    yield from ("## Steps", "")
    for number, step in enumerate(plan.steps, 1):
        records = f" *Record: {', '.join(map(words, step.records))}.*" if step.records else ""
        yield f"{number}. **{localise(step.title, locale)}.** {localise(step.instruction, locale)}{records}"
    yield ""


def _aftercare(plan: ProcedurePlan, locale: str) -> Iterator[str]:
    for item in plan.aftercare:
        yield localise(item.text, locale).replace("{value}", planned_amount(item.planned))


def _not_given(plan: ProcedurePlan, locale: str) -> list[str]:
    if not plan.not_given:
        return []
    titles = figure_titles(plan, locale)
    lines = ["## Not given", "", "Nobody has supplied these figures; the plan holds without them.", ""]
    for number in plan.not_given:
        title = titles.get(number.key) or figure_name(number.key, Names())
        lines.append(f"- {title} ({unit_of(number.unit)}): {number.reason} (`{number.key}`)")
    return [*lines, ""]


def _evidence(item: Evidence, locale: str) -> str:
    return f"{localise(item.text, locale)} Certainty: {_CERTAINTY[item.certainty]}. ({'; '.join(item.sources)})"


def missing_sheet(missing: Iterable[MissingNumber], names: Names | None = None) -> str:
    """Return which figures the clinic's protocol has to supply, and why; with the keys that it writes them under."""
    lines = ["# No plan yet: the clinic's protocol has to supply", ""]
    missing, names = tuple(missing), names or Names()
    by_reason: dict[str, list[MissingNumber]] = {}
    for number in missing:
        by_reason.setdefault(number.reason, []).append(number)
    for reason, numbers in by_reason.items():
        lines += [reason, "", *(_missing(number, names) for number in numbers), ""]
    accept = [
        f"- {figure_name(number.key, names)} {amount(number.suggestion, number.unit)}: `{number.accept}`"
        for number in missing
        if number.suggestion and number.accept
    ]
    if accept:
        lines += [
            "A suggestion holds once the prescriber accepts it, under `policies.accepted_suggestions`:",
            "",
            *accept,
        ]
    return "\n".join(lines).rstrip() + "\n"


def _missing(number: MissingNumber, names: Names) -> str:
    suggested = f" Suggested: {amount(number.suggestion, number.unit)}." if number.suggestion else ""
    written = f"`{number.key}`, `{number.unit}`"
    name, unit = figure_name(number.key, names), unit_of(number.unit)
    # Points in points, layers in layers: once is enough.
    measured = "" if name.lower().split()[-1] == unit else f", in {unit}"
    return f"- **{name}**{measured} ({written}). {number.source}.{suggested}"


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


def consent_sheet(consent: Consent, names: Names | None = None, *, sample: bool = False) -> str:
    """Return what was agreed to, when, and until when the patient may reflect."""
    explained_by = (names or Names()).person(consent.explained_by)
    lines = [f"# Consent: {words(consent.purpose)}", "", *banner(sample=sample)]
    lines += [
        f"Given {moment(consent.given_at)}, informed {moment(consent.informed_at)} by {explained_by}.",
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
