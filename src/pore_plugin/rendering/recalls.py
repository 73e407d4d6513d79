"""A recall, and adverse events by lot, to read and print."""

from collections.abc import Iterable

from ..contracts import LotAdverseEvent, LotAdverseEvents, RecallFollowUp, RecallReport, RecallUse, RegionSide
from .names import Names
from .words import banner, moment, place, table, words

__all__ = ["lot_events_sheet", "recall_sheet"]

_HOW = {"visit": "seen", "response": "answered", "call": "spoken to", "sent": "written to"}
_STATE = {
    "none": "no follow-up plan",
    "planned": "next step ahead",
    "due": "a step is due",
    "overdue": "a step is overdue",
    "missed": "missed",
    "done": "done",
}


def recall_sheet(report: RecallReport, names: Names) -> str:
    """Return who got a lot and how it stands with them; corrected records and near lots stand apart."""
    asked = f" of {names.products.get(report.product, report.product)}" if report.product else ""
    lines = [
        f"# Lot {report.lot}{asked}",
        "",
        *banner(sample=report.sample),
        f"Looked at {moment(report.generated_at)}.",
    ]
    lines += ["", f"**{'■ QUARANTINED' if report.quarantined else 'Not quarantined'}**", ""]
    quarantines = [f"- {line}" for line in _quarantines(report, names)]
    lines += [*quarantines, ""] if quarantines else []
    count, patients = _count(len(report.uses), "treatment"), _count(report.patients, "patient")
    lines += [f"{count} of {patients}." if report.uses else "No treatment here used this lot.", ""]
    for use in report.uses:
        lines += _use(use, names)
    if report.vials:
        lines += ["## Vials of it to look for", "", *_vials(report, names)]
    if report.entered_in_error:
        lines += [f"Left out: {_count(report.entered_in_error, 'record')} entered in error.", ""]
    if report.corrected:
        lines += ["## Recorded with this lot at first, and corrected since", ""]
        lines += [f"- Patient {use.patient}, {use.date}, treatment {use.treatment}" for use in report.corrected]
        lines.append("")
    if report.near:
        lines += ["## Other lots that read almost the same", "", "Not part of the above: compare each with the notice."]
        rows = (
            ("; ".join(near.lots), str(near.uses), "■ quarantined" if near.quarantined else "–") for near in report.near
        )
        lines += ["", *table(("Lot", "Treatments", "State"), rows)]
    return "\n".join(lines).rstrip() + "\n"


def lot_events_sheet(report: LotAdverseEvents, names: Names) -> str:
    """Return the adverse events by lot, and those of treatments without a vial."""
    lines = ["# Adverse events by lot", "", f"Looked at {moment(report.generated_at)}.", ""]
    if not report.lots and not report.without_lot:
        lines.append("None is recorded.")
    for lot in report.lots:
        products = ", ".join(names.products.get(product, product) for product in lot.products)
        state = "; **■ QUARANTINED**" if lot.quarantined else ""
        lines += [f"## Lot {'; '.join(lot.lots)}", ""]
        lines += [f"{products or 'product not recorded'}, {_count(lot.uses, 'treatment')}{state}", ""]
        lines += [*_events_table(lot.events)]
    if report.without_lot:
        lines += ["## Without a lot", "", *_events_table(report.without_lot)]
    return "\n".join(lines).rstrip() + "\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _quarantines(report: RecallReport, names: Names) -> Iterable[str]:
    for one in report.quarantines:
        product = f" for {names.products.get(one.product, one.product)}" if one.product else ""
        yield f"Quarantined{product} {moment(one.at)} by {names.person(one.by)}: {one.reason} (`{one.id}`)"
        if one.lifted_at and one.lifted_by:
            yield f"Lifted {moment(one.lifted_at)} by {names.person(one.lifted_by)}: {one.lift_reason}"


def _vials(report: RecallReport, names: Names) -> list[str]:
    rows = (
        (
            vial.id,
            vial.lot,
            names.products.get(vial.product, vial.product),
            vial.expiry,
            moment(vial.reconstituted_at) if vial.reconstituted_at else "not recorded",
            "yes" if vial.used else "no",
        )
        for vial in report.vials
    )
    return table(("Vial", "Lot as recorded", "Product", "Expiry", "Made ready", "Used"), rows)


def _use(use: RecallUse, names: Names) -> list[str]:
    amended = f", amended by {use.record}" if use.amended else ""
    lines = [f"## Patient {use.patient}, {use.date}", "", f"- Treatment {use.treatment}{amended}"]
    prescriber = names.person(use.prescriber) if use.prescriber else "none"
    lines += [f"- Operator: {names.person(use.operator)}; prescriber: {prescriber}"]
    lines += [f"- Follow-up: {text}" for text in _follow_up(use.follow_up)]
    if use.task:
        lines.append(f"- Recall task: {'done' if use.task.done else '**open**'}")
    rows = (
        (
            f"**{vial.lot}**" if vial.asked else vial.lot,
            names.products.get(vial.product, vial.product),
            vial.expiry,
            f"{vial.used} U",
            f"{vial.wasted} U",
        )
        for vial in use.vials
    )
    lines += ["", *table(("Lot as recorded", "Product", "Expiry", "Used", "Wasted"), rows)]
    if use.regions:
        rows_of_regions = (
            (
                place(RegionSide(region=one.region, side=one.side), names.regions),
                f"{one.volume} mL",
                f"{one.units} U",
            )
            for one in use.regions
        )
        lines += table(("Region", "Volume", "Units"), rows_of_regions)
    if use.adverse_events:
        lines += _events_table(use.adverse_events)
    return lines


def _follow_up(state: RecallFollowUp) -> Iterable[str]:
    ahead = f" ({state.next_step}, {moment(state.next_due)})" if state.next_step and state.next_due else ""
    yield f"{_STATE[state.state]}{ahead}"
    if state.missed:
        yield f"missed: {', '.join(state.missed)}"
    contact = state.last_contact
    yield f"last contact: {_HOW[contact.how]} {moment(contact.at)}" if contact else "no contact since"
    if state.watch_until:
        yield f"red-flag watch open until {moment(state.watch_until)}"


def _events_table(events: Iterable[LotAdverseEvent]) -> list[str]:
    rows = (
        (
            event.patient,
            event.treatment,
            words(event.code),
            event.severity,
            moment(event.onset),
            "yes" if event.reportable else "no",
        )
        for event in events
    )
    return table(("Patient", "Treatment", "Adverse event", "Severity", "Began", "Reportable"), rows)
