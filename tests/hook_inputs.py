"""Small valid documents to call the hooks with, and the models of them."""

from __future__ import annotations

from functools import cache
from typing import Any

from pore_plugin.contracts import (
    AssessmentContext,
    Calendar,
    Consultation,
    ConsultationForm,
    Event,
    FollowUpPlan,
    FollowUpStep,
    HostInfo,
    ProcedureTemplate,
    TreatmentRecord,
)

DIGEST = "sha256:" + "0" * 64
PIN = {"id": "pore.template.x", "version": "1.0.0", "digest": DIGEST}
RECORD = {"id": "r1", "digest": DIGEST}
PATIENT = {"host": "desk", "id": "p1", "birth_date": "1990-01-01"}
CANARY = "Aloysia Canary-Quux"
"""A patient's name that must turn up nowhere."""

FORM: dict[str, Any] = {
    "type": "consultation-form",
    "id": "base.form.consultation",
    "version": "1.2.0",
    "status": "active",
    "title": {"en": "Consultation"},
    "kind": "consultation",
    "sections": [
        {
            "id": "base.section.goals",
            "title": {"en": "Goals"},
            "questions": [{"id": "base.q.goal", "type": "text", "text": {"en": "What bothers you?"}}],
        }
    ],
}
TEMPLATE: dict[str, Any] = {
    "type": "procedure-template",
    "id": "base.template.peel",
    "version": "1.0.0",
    "title": {"en": "Peel"},
    "summary": {"en": "A peel."},
    "regions": [{"region": "base.region.chin"}],
    "steps": [{"id": "peel", "title": {"en": "Peel"}, "instruction": {"en": "Peel."}}],
    "consultation_form": "base.form.consultation",
    "day_form": "base.form.day",
    "schedule": "base.schedule.peel",
    "consent_texts": ["base.consent.peel"],
}
CONSULTATION: dict[str, Any] = {
    "id": "c1",
    "clinic": "clinic-1",
    "patient": PATIENT,
    "form": {"id": "base.form.consultation", "version": "1.2.0", "digest": DIGEST},
    "locale": "en",
    "occurred_at": "2026-03-02T09:00:00+00:00",
    "recorded_at": "2026-03-02T09:30:00+00:00",
    "answers": [{"question": "base.q.goal", "type": "text", "value": CANARY}],
}
STEP: dict[str, Any] = {
    "key": "k-w4",
    "step": "W4",
    "kind": "remote-questionnaire",
    "title": {"en": "Week 4"},
    "purpose": {"en": "Look at the effect"},
    "due": "2026-04-06T10:00:00+00:00",
    "earliest": "2026-04-01T00:00:00+00:00",
    "latest": "2026-04-10T00:00:00+00:00",
}
PLAN: dict[str, Any] = {
    "id": "f1",
    "clinic": "clinic-1",
    "patient": "p1",
    "treatment": RECORD,
    "schedule": {"id": "base.schedule.peel", "version": "1.0.0", "digest": DIGEST},
    "zone": "Europe/London",
    "anchor": "2026-03-09T10:30:00+00:00",
    "steps": [STEP],
}
TREATMENT: dict[str, Any] = {
    "id": "t1",
    "clinic": "clinic-1",
    "patient": "p1",
    "plan": RECORD,
    "template": {"id": "base.template.peel", "version": "1.0.0", "digest": DIGEST},
    "market": "UK",
    "session": "first",
    "date": "2026-03-09",
    "report": {
        "id": "tr1",
        "started_at": "2026-03-09T10:00:00+00:00",
        "ended_at": "2026-03-09T10:30:00+00:00",
        "operator": "op",
        "prescriber": "dr",
        "steps": [],
    },
    "consents": [],
    "readiness": {"plan": RECORD, "at": "2026-03-09T09:55:00+00:00", "ready": True, "reasons": []},
}


@cache
def form() -> ConsultationForm:
    return ConsultationForm.model_validate_json(_json(FORM))


@cache
def template() -> ProcedureTemplate:
    return ProcedureTemplate.model_validate_json(_json(TEMPLATE))


def consultation() -> Consultation:
    return Consultation.model_validate_json(_json(CONSULTATION))


def context(**more: Any) -> AssessmentContext:
    given = {"stage": "plan", "date": "2026-03-09", "patient": PATIENT, **more}
    return AssessmentContext.model_validate_json(_json(given))


@cache
def step() -> FollowUpStep:
    return FollowUpStep.model_validate_json(_json(STEP))


@cache
def plan() -> FollowUpPlan:
    return FollowUpPlan.model_validate_json(_json(PLAN))


@cache
def treatment() -> TreatmentRecord:
    return TreatmentRecord.model_validate_json(_json(TREATMENT))


@cache
def calendar() -> Calendar:
    hours = {"monday": [{"opens": "09:00", "closes": "17:00"}]}
    return Calendar.model_validate_json(_json({"zone": "Europe/London", "country": "GB", "hours": hours}))


@cache
def host() -> HostInfo:
    given = {"package_version": "0.1.0", "contract_version": "0.1.0", "clinic": "clinic-1"}
    return HostInfo.model_validate_json(_json({**given, "market": "UK", "zone": "Europe/London"}))


@cache
def event() -> Event:
    given = {"id": "e1", "type": "consultation.submitted", "clinic": "clinic-1", "subject": "c1"}
    return Event.model_validate_json(_json({**given, "at": "2026-03-02T09:30:00+00:00"}))


def _json(document: dict[str, Any]) -> bytes:
    import json

    return json.dumps(document).encode()
