"""A host in Python: it calls the façade, keeps the records itself, and publishes events after it has kept them."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pore_plugin import PoreWorkflow, ProblemsError, check, check_toml

Commit = Callable[[Any], None]


def plan_session(settings: bytes, answers: bytes, wish: dict[str, Any], commit: Commit) -> Any:
    """Take answers, plan a session, and return the plan result; `commit` stores what each step made."""
    workflow = PoreWorkflow(check_toml("clinic", settings).model)
    submitted = workflow.submit(check("consultation", answers).model)
    commit(submitted.consultation)
    workflow.publish(submitted.events)
    request = {**wish, "consultation": submitted.consultation.to_document()}
    planned = workflow.plan(check("plan-request", request).model)
    commit(planned.assessment)
    commit(planned.plan)
    workflow.publish(planned.events)
    return planned


class Folder:
    """The host's memory, in the smallest form: one file for each record. A real host has a database here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def commit(self, record: Any) -> None:
        if record is not None:
            name = f"{type(record).__name__}-{record.id}.json".replace("/", "_")
            self.path.joinpath(name).write_bytes(record.to_json())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("clinic", "consultation", "wish", "records"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    records = Folder(given.records)
    try:
        planned = plan_session(
            given.clinic.read_bytes(),
            given.consultation.read_bytes(),
            json.loads(given.wish.read_bytes()),
            records.commit,
        )
    except ProblemsError as error:
        raise SystemExit(
            "\n".join(f"{p.code} {p.pointer}: {p.sentence} {p.next_step}" for p in error.problems)
        ) from None
    print(f"Verdict: {planned.assessment.verdict}")
    for figure in planned.missing:
        print(f"Missing: {figure.key} ({figure.unit}): {figure.reason}")
    if planned.plan is not None and planned.plan.injection is not None:
        injection = planned.plan.injection
        print(f"{injection.total_units.value} U of {injection.brand} in {injection.total_volume.value} mL")
    print(f"Kept {len(list(records.path.iterdir()))} records in {records.path}")
