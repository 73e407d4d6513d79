"""The sample case of several people, kept with what follows it, at a desk whose clock can be set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from factories import case_input, clinic
from pore_plugin.contracts import Clinic
from pore_plugin.demo import CaseRun, run_case
from pore_plugin.practice import Desk, Records
from pore_plugin.storage import Database

__all__ = ["LOT", "Clock", "amended", "case_of_another", "desk_at", "followed"]

LOT = "SAMPLE-LOT-7"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self, at: str = "2026-09-20T12:00:00+00:00") -> None:
        self.at = at

    def __call__(self) -> datetime:
        return datetime.fromisoformat(self.at).astimezone(UTC)


def desk_at(database: Database, clock: Clock, settings: Clinic | None = None) -> Desk:
    """Return a desk of the sample clinic."""
    return Desk(database, settings or clinic(), actor="dr-sample", clock=clock, installed=False, environ={})


def case_of_another(mark: str, *, lot: str = LOT, **members: Any) -> dict[str, Any]:
    """Return the sample case with ids of its own, treated from a vial of this lot."""
    given = {**case_input(), **members}
    text = json.dumps(given)
    for name in {"patient-1", *_ids({key: part for key, part in given.items() if key != "approvals"})}:
        text = text.replace(json.dumps(name), json.dumps(f"{name}-{mark}"))
    case: dict[str, Any] = json.loads(text.replace(json.dumps(LOT), json.dumps(lot)))
    return case


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (part for key, part in value.items() if key == "id")
        for part in value.values():
            yield from _ids(part)
    elif isinstance(value, list):
        for part in value:
            yield from _ids(part)


def followed(desk: Desk, case: dict[str, Any] | None = None) -> CaseRun:
    """Keep a case, the sample one without another, with everything that follows."""
    run = run_case(Records(desk), case or case_input(), "en")
    assert run.ended == "done", run.ended
    return run


def amended(case: dict[str, Any], lot: str) -> dict[str, Any]:
    """Return the report of a treatment once more: the lot was another."""
    report = json.loads(json.dumps(case["treatment"]).replace(json.dumps(LOT), json.dumps(lot)))
    said = {"reason": "The lot was misread", "person": "dr-sample", "at": "2026-09-11T09:00:00+01:00"}
    return {**report, "id": f"{report['id']}-a", "amends": report["id"], "amendment": said}
