"""A clinic, a schedule and a treatment for the tests of scheduling, calendars and outcomes."""

from __future__ import annotations

from typing import Any

from factories import MESSAGES
from pore_plugin.clinical.follow_up.calendar import HolidayBook, calendar_for
from pore_plugin.clinical.follow_up.scheduling import FollowUpInputs, years_of
from pore_plugin.contracts import (
    Calendar,
    Clinic,
    EmergencyNumbers,
    FollowUpSchedule,
    Hours,
    OpeningHours,
    Person,
    Pin,
    Presentation,
    Product,
    RecordPin,
    Register,
    ScheduleStep,
    SourcedNumber,
    SourcedStatement,
)

CLINIC = "clinic-1"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
NINE_TO_FIVE = Hours(opens="09:00", closes="17:00")
ANCHOR = "2026-03-02T10:30:00+00:00"
"""A Monday; 28 days later the clocks of London have gone forward."""
FORMS = ("pore.form.follow-up-d2", "pore.form.follow-up-review", "pore.form.red-flags")


def sourced(value: str | None, unit: str, mark: str | None = "V") -> SourcedNumber:
    return SourcedNumber.model_validate(
        {"value": value, "unit": unit, "source": "a source", "mark": mark, "checked_on": "2026-11-22"}
    )


def step(
    name: str, kind: str, offset: str, earliest: str | None = None, latest: str | None = None, **more: Any
) -> ScheduleStep:
    return ScheduleStep.model_validate(
        {
            "id": name,
            "title": {"en": name},
            "kind": kind,
            "offset": offset,
            "earliest": earliest,
            "latest": latest,
            "purpose": {"en": "To see how it went."},
            "basis": "our design choice",
            "mark": "D",
            **more,
        }
    )


D0 = step("D0", "staff-task", "PT20M", "PT15M", "PT30M", required=True)
D2 = step("D2", "remote-questionnaire", "P2D", "PT48H", "PT72H", form="pore.form.follow-up-d2")
W1 = step("W1", "remote-questionnaire", "P7D", "P4D", "P10D", form="pore.form.follow-up-review")
W2 = step("W2", "visit", "P14D", "P10D", "P21D", offered="on-request")
W4 = step("W4", "visit", "P28D", "P25D", "P31D", required=True, primary_outcome=True, closes_watch=True)
W12 = step("W12", "visit", "P84D", "P77D", "P91D")
W16 = step("W16", "remote-questionnaire", "P112D")
W24 = step("W24", "staff-task", "P168D", offered="on-request")
STEPS = (D0, D2, W1, W2, W4, W12, W16, W24)


def schedule_of(*steps: ScheduleStep, watch: SourcedNumber | None = None) -> FollowUpSchedule:
    return FollowUpSchedule(
        type="follow-up-schedule",
        id="pore.schedule.microtoxin",
        version="1.0.0",
        title={"en": "After microtoxin"},
        watch=watch or sourced("28", "d"),
        watch_form="pore.form.red-flags",
        red_flag_card={"en": "{product}, lot {lot}. Emergency: {emergency}. Clinic: {clinic}."},
        steps=steps or STEPS,
    )


def clinic(zone: str = "Europe/London", **more: Any) -> Clinic:
    given: dict[str, Any] = {
        "id": CLINIC,
        "name": "Sample Clinic, first floor; left",
        "zone": zone,
        "market": "UK",
        "country": "GB",
        "subdivision": "ENG",
        "languages": ("en",),
        "hours": OpeningHours(**dict.fromkeys(WEEKDAYS, (NINE_TO_FIVE,))),
        "people": (
            Person(
                id="p1",
                name="A. Prescriber",
                profession="doctor",
                roles=("prescriber",),
                register_entry=Register(body="GMC", number="0000000"),
            ),
        ),
        "emergency": EmergencyNumbers(emergency="999", advice="111", clinic="+44 20 7946 0000"),
    }
    return Clinic(**{**given, **more})


def open_always(zone: str) -> Calendar:
    hours = (Hours(opens="00:00", closes="23:59"),)
    return Calendar(
        zone=zone, country="GB", hours=OpeningHours(**dict.fromkeys((*WEEKDAYS, "saturday", "sunday"), hours))
    )


def pin(name: str) -> Pin:
    return Pin(id=name, version="1.0.0", digest="sha256:" + "0" * 64)


def product(*limits: SourcedNumber) -> Product:
    statement = SourcedStatement(text={"en": "Licensed."}, source="a source", mark="V", checked_on="2026-11-22")
    return Product(
        type="product",
        id="pore.product.example-uk",
        version="1.0.0",
        title={"en": "Example"},
        inn="incobotulinumtoxinA",
        short_name="INCO",
        brand="EXAMPLE",
        market="UK",
        label_version="seen 2026-11-22, version not stated",
        unit_id="pore.unit.example",
        unit_source="a source",
        licensed=statement,
        presentations=(Presentation(units=sourced("100", "pore.unit.example")),),
        in_use=sourced("24", "h"),
        retreatment=limits,
    )


def inputs(schedule: FollowUpSchedule | None = None, *, anchor: str = ANCHOR, **more: Any) -> FollowUpInputs:
    plan_for = schedule or schedule_of()
    given: dict[str, Any] = {
        "schedule": plan_for,
        "pin": pin(plan_for.id),
        "treatment": RecordPin(id="treatment-1", digest="sha256:" + "1" * 64),
        "clinic": CLINIC,
        "patient": "patient-1",
        "anchor": anchor,
        "date": anchor[:10],
        "forms": {name: pin(name) for name in FORMS},
        "messages": MESSAGES,
        "fallback": ((84, "d"), (90, "d"), (3, "mo")),
        "card": dict.fromkeys(("product", "lot", "emergency", "advice", "clinic"), "given"),
    }
    if "calendar" not in more:
        given["calendar"] = calendar_for(clinic(), years_of(plan_for, anchor), HolidayBook())
    return FollowUpInputs(**{**given, **more})
