"""Outcomes over time for the tests of reports, drawings and pictures, on the instruments that ship."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from factories import MESSAGES
from follow_up_examples import CLINIC, inputs
from pore_plugin.builtin import documents
from pore_plugin.clinical.follow_up.reporting import FollowedTreatment, outcome_report
from pore_plugin.clinical.follow_up.scheduling import schedule
from pore_plugin.contracts import Instrument, Outcome, OutcomeReport
from pore_plugin.rendering import Names

LONDON = "Europe/London"
BEFORE, W1, W4, W12 = (
    "2026-03-02T09:00:00+00:00",
    "2026-03-09T10:00:00+00:00",
    "2026-03-30T10:40:00+01:00",
    "2026-05-26T10:40:00+01:00",
)
TREATED = "2026-03-02T10:00:00+00:00"
TWELVE = (
    "2026-03-04T10:30:00+00:00",
    W1,
    "2026-03-16T10:30:00+00:00",
    "2026-03-23T10:30:00+00:00",
    W4,
    "2026-04-13T10:30:00+01:00",
    "2026-04-27T10:30:00+01:00",
    "2026-05-11T10:30:00+01:00",
    W12,
    "2026-06-08T10:30:00+01:00",
    "2026-06-22T10:30:00+01:00",
    "2026-08-17T10:30:00+01:00",
)
VAS, SEBUM, GAIS, VISIA = (
    f"pore.instrument.{name}" for name in ("pore-vas", "sebumeter", "gais-1-5", "visia-pore-count")
)
INSTRUMENTS = {
    one.id: one
    for one in (Instrument.from_json(data) for _, data in documents() if json.loads(data)["type"] == "instrument")
}
NAMES = Names(regions={"pore.region.cheek": "Cheek", "pore.region.forehead": "Forehead"})
PLAN = schedule(inputs())


def measured(instrument: str, *values: tuple[str, str], **more: Any) -> list[Outcome]:
    """Values of one instrument, each with its instant."""
    own = INSTRUMENTS[instrument]
    shared = {
        "instrument": own.id,
        "instrument_version": own.version,
        "minimum": own.minimum,
        "maximum": own.maximum,
        "direction": own.direction,
        "unit": own.unit,
        "rater": "practitioner" if own.rater == "any" else own.rater,
        **more,
    }
    name = "-".join([instrument.rpartition(".")[2], *(str(part) for part in more.values())]).replace(".", "-")
    return [
        Outcome.model_validate({"id": f"{name}-{number}", "value": value, "at": at, **shared})
        for number, (at, value) in enumerate(values)
    ]


def report(
    outcomes: Iterable[Outcome],
    *treatments: FollowedTreatment,
    instruments: Iterable[Instrument] = tuple(INSTRUMENTS.values()),
    zone: str = LONDON,
) -> OutcomeReport:
    return outcome_report(
        outcomes,
        treatments or (FollowedTreatment(id="treatment-1", started_at=TREATED, plan=PLAN),),
        instruments,
        clinic=CLINIC,
        patient="patient-1",
        at=W12,
        zone=zone,
        messages=MESSAGES,
    )
