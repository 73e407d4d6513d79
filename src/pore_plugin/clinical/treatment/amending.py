"""Corrections of a treatment record: appended, all about its first record, and all kept. Pure."""

from collections.abc import Iterable, Iterator

from ...contracts import Problem, ProcedurePlan, TreatmentRecord, TreatmentReport
from ..durations import to_utc

__all__ = ["amendment_faults", "series"]


def amendment_faults(
    report: TreatmentReport, plan: ProcedurePlan, first: TreatmentRecord | None
) -> tuple[Problem, ...]:
    """Return what speaks against appending this report as a correction; nothing for one that corrects none.

    `first` is the record that `amends` names, `None` where there is none. It may differ in everything but patient and
    clinic, in who treated and in the plan as well: a record of the wrong patient is corrected another way.
    """
    return tuple(_faults(report, plan, first)) if report.amends is not None else ()


def series(records: Iterable[TreatmentRecord]) -> tuple[tuple[TreatmentRecord, ...], ...]:
    """Return each treatment's first record with its corrections, in the order in which the records are handed in.

    The last record of a series is the one that holds. Hand them in in the order in which they were recorded.
    """
    found: dict[str, list[TreatmentRecord]] = {}
    for record in records:
        found.setdefault(record.report.amends or record.id, []).append(record)
    return tuple(tuple(one) for one in found.values())


def _faults(report: TreatmentReport, plan: ProcedurePlan, first: TreatmentRecord | None) -> Iterator[Problem]:
    if first is None:
        yield _problem(
            "treatment.amends_unknown",
            "amends",
            "There is no treatment record with this id.",
            "Name the first record of the treatment.",
        )
        return
    if first.report.amends is not None:
        yield _problem(
            "treatment.amends_amendment",
            "amends",
            "This record is a correction itself.",
            f"Name the first record of the treatment: {first.report.amends}.",
        )
    if (first.clinic, first.patient) != (plan.clinic, plan.patient):
        yield _problem(
            "treatment.amends_patient",
            "amends",
            "The record to correct belongs to another patient or clinic.",
            "Name a record of this patient; a record of the wrong patient is moved, not amended.",
        )
    if report.amendment is not None and to_utc(report.amendment.at) < to_utc(first.report.ended_at):
        yield _problem(
            "treatment.amends_early",
            "amendment/at",
            "The correction is dated before the end of the treatment that it corrects.",
            "Correct its date.",
        )


def _problem(code: str, at: str, sentence: str, next_step: str) -> Problem:
    return Problem(code=code, pointer=f"/report/{at}", sentence=sentence, next_step=next_step)
