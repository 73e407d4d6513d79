"""What was really done: doses, vials, steps, and what was not as planned."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ..clinical.wording.localising import localise
from ..contracts import ProcedurePlan, RegionSide, TreatmentRecord, TreatmentReport, VialUse
from .names import Names, figure_name, figure_titles
from .safety import findings_table
from .words import amount, banner, diluent_name, moment, place, table, words

__all__ = ["treatment_sheet"]


def treatment_sheet(record: TreatmentRecord, locale: str, names: Names, plan: ProcedurePlan | None = None) -> str:
    """Return the treatment sheet: what was really done, with lot, expiry and doses.

    Steps and figures have the titles of the plan that is handed in; without it their ids in words.
    """
    report = record.report
    lines = ["# Treatment record", "", *banner(sample=record.sample), *_who(record, names)]
    lines += _vials(report, names)
    lines += _doses(report, names)
    lines += _points(report, names)
    lines += _figures(report, names, figure_titles(plan, locale) if plan else {})
    lines += _steps(report, {step.id: localise(step.title, locale) for step in plan.steps} if plan else {})
    for title, items in (
        ("Reactions", _reactions(report)),
        ("Deviations", _deviations(report, names)),
        ("Clinic policies in force", record.label_policies),
    ):
        lines += _listed(title, items)
    if report.amends and report.amendment:
        by = f"{names.person(report.amendment.person)}, {moment(report.amendment.at)}"
        lines += ["", f"**Corrects record {report.amends}:** {report.amendment.reason} ({by})"]
    if report.stopped_early:
        lines += ["", f"**Stopped early:** {report.stopped_early}"]
    if record.findings:
        lines += ["", "## Findings on what was given", "", *findings_table(record.findings, locale, names)]
    return "\n".join(lines).rstrip() + "\n"


def _who(record: TreatmentRecord, names: Names) -> Iterator[str]:
    report = record.report
    yield from (f"{moment(report.started_at)} to {moment(report.ended_at)}.", "")
    prescriber = names.person(report.prescriber) if report.prescriber else "none"
    yield from (f"- Operator: {names.person(report.operator)}", f"- Prescriber: {prescriber}")
    yield f"- Session: {words(record.session)}"
    if record.authorisation:
        yield f"- Under authorisation {record.authorisation}"
    if report.anaesthetic:
        lot = f", lot {report.anaesthetic.lot}" if report.anaesthetic.lot else ""
        title = names.anaesthetics.get(report.anaesthetic.anaesthetic, report.anaesthetic.anaesthetic)
        yield f"- Anaesthetic: {title}{lot}"
    yield ""


def _vials(report: TreatmentReport, names: Names) -> list[str]:
    uses = report.vials
    if not uses:
        return []
    rows = (
        (
            names.products.get(use.vial.product, use.vial.product),
            use.vial.lot,
            use.vial.expiry,
            f"{use.drawn} U",
            f"{use.used} U",
            f"{use.wasted} U",
        )
        for use in uses
    )
    lines = ["## Vials", "", *table(("Product", "Lot", "Expiry", "Drawn", "Used", "Wasted"), rows)]
    lines += [
        f"- {use.vial.lot}: {', '.join(_made_up(use, report.started_at)) or 'nothing else recorded'}" for use in uses
    ]
    return [*lines, ""]


def _made_up(use: VialUse, started_at: str) -> Iterator[str]:
    vial = use.vial
    if vial.reconstituted_at:
        yield f"made up {moment(vial.reconstituted_at)}, {_apart(vial.reconstituted_at, started_at)} the treatment"
    if vial.diluent or vial.diluent_volume:
        volume = f"{vial.diluent_volume} mL " if vial.diluent_volume else ""
        yield f"with {volume}{diluent_name(vial.diluent or 'diluent')}"
    if vial.discard_by:
        yield f"discard by {moment(vial.discard_by)}"
    if vial.supplier:
        yield f"from {vial.supplier}"
    if vial.storage_log:
        yield f"storage: {vial.storage_log}"


def _apart(made_up: str, started: str) -> str:
    """Return how long before or after the beginning of the treatment a vial was made up."""
    age = datetime.fromisoformat(started) - datetime.fromisoformat(made_up)
    hours, minutes = divmod(int(abs(age).total_seconds()) // 60, 60)
    return f"{hours} h {minutes} min {'before' if age >= timedelta(0) else 'after the beginning of'}"


def _doses(report: TreatmentReport, names: Names) -> list[str]:
    if not report.doses:
        return []
    rows = (
        (
            place(RegionSide(region=dose.region, side=dose.side), names.regions),
            str(dose.points),
            f"{dose.volume} mL",
            f"{dose.units} U",
        )
        for dose in report.doses
    )
    return ["## Doses given", "", *table(("Region", "Points", "Volume", "Units"), rows)]


def _points(report: TreatmentReport, names: Names) -> list[str]:
    if not report.points:
        return []
    rows = (
        (
            place(RegionSide(region=point.region, side=point.side), names.regions),
            (point.chart or "").rsplit(".", 1)[-1],
            point.x or "",
            point.y or "",
            point.units or "",
        )
        for point in report.points
    )
    return ["## Points on the chart", "", *table(("Region", "Chart", "x", "y", "Units (nominal)"), rows)]


def _figures(report: TreatmentReport, names: Names, titles: dict[str, str]) -> list[str]:
    if not report.parameters:
        return []
    rows = (
        (titles.get(figure.key) or figure_name(figure.key, names), amount(figure.value, figure.unit))
        for figure in report.parameters
    )
    return ["## Figures", "", *table(("Figure", "Value"), rows)]


def _steps(report: TreatmentReport, titles: dict[str, str]) -> Iterator[str]:
    yield from ("## Steps", "")
    for step in report.steps:
        note = f": {step.note}" if step.note else ""
        yield f"- [{'x' if step.done else ' '}] {titles.get(step.step) or words(step.step)}{note}"


def _reactions(report: TreatmentReport) -> list[str]:
    return [f"{words(one.code)} ({one.severity})" + (f": {one.note}" if one.note else "") for one in report.reactions]


def _deviations(report: TreatmentReport, names: Names) -> list[str]:
    return [f"{one.reason} ({names.person(one.person)}, {moment(one.at)}; `{one.code}`)" for one in report.deviations]


def _listed(title: str, items: Iterable[str]) -> list[str]:
    listed = [f"- {item}" for item in items]
    return ["", f"## {title}", "", *listed] if listed else []
