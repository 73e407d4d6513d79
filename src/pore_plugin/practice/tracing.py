"""Treatments with everything that hangs on them, many at a time and each part by one look-up in an index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..clinical.follow_up.states import StepState, follow
from ..clinical.treatment.recalling import Traced
from ..contracts import AdverseEvent, FollowUpMove, FollowUpPlan, FollowUpResponse, RecallTask, TreatmentRecord
from ..storage import Unit
from ..storage.rows import RecordRow
from .keeping import read, series_of

__all__ = ["ERROR", "followed", "trace"]

ERROR = "entered-in-error"
"""The state of a record that counts for nothing."""


def trace(
    unit: Unit, treatments: Iterable[str], patients: Iterable[str], *, tasks: dict[str, RecallTask] | None = None
) -> tuple[list[Traced], list[TreatmentRecord]]:
    """Return these treatments, named by their first records, and the records of them that were entered in error.

    `patients` are whose treatments they are, under any id. Whoever is named in them is named by the id in use now,
    also where the bytes of a record have another: after a merge, or a correction of whose it is. `tasks`: by patient.
    """
    wanted = set(treatments)
    heads = unit.patients.heads(patients)
    families = unit.patients.families(heads.values())
    head_of = {name: head for head, family in families.items() for name in family}
    series, wrong = _series(unit, wanted, head_of)
    records = {record.id: first for first, found in series.items() for record in found}
    states = _states(unit, series, head_of)
    plans = {one[0].plan.id: first for first, one in states.items() if one}
    responses: dict[str, list[FollowUpResponse]] = defaultdict(list)
    for row in _valid(unit.records.of_subject(plans, "follow-up-response")):
        responses[plans[row.subject or ""]].append(read(FollowUpResponse, row))
    events: dict[str, list[AdverseEvent]] = defaultdict(list)
    for row in _valid(unit.records.of_subject(records, "adverse-event")):
        first = records[row.subject or ""]
        named = {"patient": series[first][-1].patient}
        events[first].append(read(AdverseEvent, row).model_copy(update=named))
    return [
        Traced(
            records=tuple(found),
            steps=states.get(first, ()),
            responses=tuple(responses[first]),
            adverse_events=tuple(events[first]),
            task=(tasks or {}).get(found[-1].patient),
        )
        for first, found in series.items()
    ], wrong


def followed(unit: Unit, rows: Iterable[RecordRow], head_of: dict[str, str]) -> dict[str, tuple[StepState, ...]]:
    """Return the steps of follow-up plans where their moves put them, by the plan's id."""
    plans = {}
    for row in rows:
        plan, patient = read(FollowUpPlan, row), row.patient or ""
        plans[row.id] = plan.model_copy(update={"patient": head_of.get(patient, patient)})
    moves: dict[str, list[FollowUpMove]] = defaultdict(list)
    for row in unit.records.of_subject(plans, "follow-up-move"):
        moves[row.subject or ""].append(read(FollowUpMove, row))
    return {name: follow(plan, moves[name]) for name, plan in plans.items()}


def _series(
    unit: Unit, wanted: set[str], head_of: dict[str, str]
) -> tuple[dict[str, list[TreatmentRecord]], list[TreatmentRecord]]:
    """Return each treatment's records in the order in which they were recorded, and those entered in error."""
    series: dict[str, list[TreatmentRecord]] = {}
    wrong: list[TreatmentRecord] = []
    newest = {row.id: row for row in unit.records.of_patient(head_of, "treatment-record")}
    for row in sorted(newest.values(), key=lambda row: (row.recorded_at, row.state != "amended")):
        # An amendment may stand under another plan than the first record, and says itself what it amends.
        if row.id not in wanted and b'"amends"' not in row.document:
            continue
        record = read(TreatmentRecord, row)
        if series_of(record) not in wanted:
            continue
        if row.state == ERROR:
            wrong.append(record)
            continue
        named = record.model_copy(update={"patient": head_of[row.patient or ""]})
        series.setdefault(series_of(record), []).append(named)
    for first, found in series.items():
        # Recorded in the same second, the first one is still the one that the others amend.
        found.sort(key=lambda record: record.id != first)
    return series, wrong


def _states(unit: Unit, series: Iterable[str], head_of: dict[str, str]) -> dict[str, tuple[StepState, ...]]:
    newest = {row.subject or "": row for row in _valid(unit.records.of_subject(series, "follow-up-plan"))}
    states = followed(unit, newest.values(), head_of)
    return {first: states[row.id] for first, row in newest.items()}


def _valid(rows: Iterable[RecordRow]) -> list[RecordRow]:
    return [row for row in rows if row.state != ERROR]
