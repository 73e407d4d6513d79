"""Builders over the real sample input: a whole case, made step by step as a host makes it, with overrides.

Nothing stands in for anything: the workflow, the content and the rules are the ones that ship. Documents go through
`check` whenever they are changed, so a test cannot hold a record that a host could not hand in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, TypeVar

from pore_plugin import PoreWorkflow, check, check_toml
from pore_plugin.builtin import documents, sample
from pore_plugin.clinical.numbers import spell
from pore_plugin.contracts import (
    DOCUMENTS,
    Approval,
    Assessment,
    Authorisation,
    CaseFile,
    Clinic,
    Consent,
    ConsentRequest,
    Consultation,
    Model,
    PatientTexts,
    PlanRequest,
    PlanResult,
    ProcedurePlan,
    Readiness,
    ReadinessRequest,
    RecordPin,
    TreatmentReport,
    Vial,
)

M = TypeVar("M", bound=Model)

PORES = "pore.template.microtoxin-pores"
FOREHEAD = "pore.template.microtoxin-forehead-sebum"
PEEL = "pore.template.salicylic-peel"
DAY_FORM = "pore.form.day-of-treatment"
CANARY = "Aloysia-Canary-Quux"
"""A patient's words that must turn up nowhere but in the patient's records."""


def doc(value: Any) -> Any:
    """Return the plain JSON value of a model, or of a tuple or mapping of them."""
    if isinstance(value, Model):
        return value.to_document()
    if isinstance(value, Mapping):
        return {key: doc(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [doc(item) for item in value]
    return value


def changed(model: M, **members: Any) -> M:
    """Return the record with other members, checked again; `None` leaves a member out."""
    whole = {key: value for key, value in {**model.to_document(), **doc(members)}.items() if value is not None}
    if type(model) in DOCUMENTS.values():
        return check(type(model), whole).model
    return type(model).from_json(json.dumps(whole))


def clinic(name: str = "clinic.toml", **members: Any) -> Clinic:
    """Return the settings of a sample clinic; `policies` are added to those it has."""
    settings = check_toml(Clinic, sample(name)).model
    if "policies" in members:
        members["policies"] = {**settings.policies.to_document(), **doc(members["policies"])}
    return changed(settings, **members) if members else settings


@cache
def workflow(name: str = "clinic.toml") -> PoreWorkflow:
    """Return the workflow of a sample clinic, without the extensions that happen to be installed."""
    return PoreWorkflow(clinic(name), installed=False)


def workflow_of(settings: Clinic, **more: Any) -> PoreWorkflow:
    """Return the workflow of other settings."""
    return PoreWorkflow(settings, installed=False, **more)


def case_input(name: str = "1-treated") -> dict[str, Any]:
    """Return a fresh copy of a sample case."""
    whole: dict[str, Any] = json.loads(sample(f"cases/{name}.json"))
    return whole


def content_document(document_id: str) -> dict[str, Any]:
    """Return a fresh copy of a shipped content document."""
    for _, data in documents():
        document: dict[str, Any] = json.loads(data)
        if document["id"] == document_id:
            return document
    raise LookupError(document_id)


MESSAGES = {one.id: one.text for one in check(PatientTexts, content_document("pore.texts.messages")).model.texts}
"""The words that the package puts into records."""


def with_answers(answers: Iterable[Mapping[str, Any]], **values: Any) -> list[dict[str, Any]]:
    """Return the answers with others: `fainting=True` answers `pore.q.fainting`, `None` takes the answer away.

    A question that was not answered needs its whole answer: `event_date={"type": "date", "value": "2026-09-20"}`.
    """
    kept = {(answer["question"], answer.get("instance")): dict(answer) for answer in answers}
    for name, value in values.items():
        question = f"pore.q.{name.replace('_', '-')}"
        key = (question, None)
        if value is None:
            del kept[key]
        elif isinstance(value, Mapping) and "type" in value:
            kept[question, value.get("instance")] = {"question": question, **value}
        else:
            kept[key] = {**kept[key], "value": value}
    return list(kept.values())


def consultation(flow: PoreWorkflow | None = None, *, answers: Mapping[str, Any] | None = None, **members: Any) -> Any:
    """Return the healthy consultation of the sample; `answers` as for `with_answers`."""
    flow = flow or workflow()
    given = case_input()["consultation"]
    given["answers"] = with_answers(given["answers"], **(answers or {}))
    given |= {"form": doc(flow.form().pin), "clinic": flow.clinic.id, **members}
    return check(Consultation, given).model


def day_form(flow: PoreWorkflow | None = None, *, answers: Mapping[str, Any] | None = None, **members: Any) -> Any:
    """Return the day-of-treatment form of the sample."""
    flow = flow or workflow()
    given = case_input()["day_form"]
    given["answers"] = with_answers(given["answers"], **(answers or {}))
    given |= {"form": doc(flow.form(DAY_FORM).pin), "clinic": flow.clinic.id, **members}
    return check(Consultation, given).model


def approvals(flow: PoreWorkflow, *document_ids: str, prescriber: str) -> tuple[Approval, ...]:
    """Return approvals of the newest versions of these documents."""
    return tuple(
        Approval(
            id=f"approval-{number}",
            clinic=flow.clinic.id,
            document=flow.pin(document_id),
            approved_by=prescriber,
            approved_at="2026-09-01T09:00:00+01:00",
        )
        for number, document_id in enumerate(document_ids, 1)
    )


def report_of(plan: ProcedurePlan, vials: tuple[Vial, ...], **members: Any) -> TreatmentReport:
    """Return the report of a treatment that went exactly as planned."""
    injection = plan.injection
    left = Fraction(injection.total_units.value) if injection else Fraction(0)
    uses = []
    for vial in vials if injection else ():
        used = min(left, Fraction(vial.units))
        left -= used
        uses.append(
            {
                "vial": doc(vial),
                "drawn": vial.units,
                "used": spell(used),
                "wasted": spell(Fraction(vial.units) - used),
            }
        )
    return check(
        TreatmentReport,
        {
            "id": "treatment-1",
            "started_at": "2026-09-10T14:01:00+01:00",
            "ended_at": "2026-09-10T15:08:00+01:00",
            "operator": "nurse-example",
            "prescriber": "dr-sample",
            "vials": uses,
            "doses": [
                {
                    "region": region.region,
                    **({"side": region.side} if region.side else {}),
                    "points": region.points,
                    "volume": region.volume.value,
                    "units": region.units.value,
                }
                for region in (injection.regions if injection else ())
            ],
            "parameters": [{"key": p.key, "value": p.value, "unit": p.unit} for p in plan.parameters],
            "steps": [
                {"step": step.id, "done": True, "records": list(step.records)} for step in plan.steps if step.required
            ],
            **doc(members),
        },
    ).model


@dataclass(frozen=True)
class Made:
    """One case on the day of treatment, with everything that speaks for it."""

    flow: PoreWorkflow
    consultation: Consultation
    planned: PlanResult
    plan: ProcedurePlan
    case: CaseFile
    report: TreatmentReport
    operator: str = "nurse-example"
    at: str = "2026-09-10T14:01:00+01:00"
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def assessment(self) -> Assessment:
        return self.planned.assessment

    @property
    def plan_pin(self) -> RecordPin:
        return self.flow.record_pin(self.plan)

    @property
    def consultation_pin(self) -> RecordPin:
        return self.flow.record_pin(self.consultation)

    @property
    def consent(self) -> Consent:
        return self.case.consents[0]

    @property
    def authorisation(self) -> Authorisation:
        return self.case.authorisations[0]

    @property
    def vial(self) -> Vial:
        return self.case.vials[0]

    def case_with(self, **members: Any) -> CaseFile:
        """Return the case file with other records."""
        return changed(self.case, **members)

    def ready(self, *, flow: PoreWorkflow | None = None, operator: str = "", at: str = "", **members: Any) -> Readiness:
        """Ask whether to treat, with other records in the case file."""
        request = ReadinessRequest(
            case=self.case_with(**members) if members else self.case,
            operator=operator or self.operator,
            at=at or self.at,
        )
        return (flow or self.flow).ready(request)

    def codes(self, **more: Any) -> list[str]:
        """Return the codes of every reason not to treat, each as often as it was given, sorted."""
        readiness = self.ready(**more)
        assert readiness.ready is not bool(readiness.reasons)
        return sorted(reason.code for reason in readiness.reasons)


def plan_request(flow: PoreWorkflow, response: Consultation, **members: Any) -> PlanRequest:
    """Return the plan request of the sample."""
    whole = {**case_input()["plan"], "consultation": doc(response), **doc(members)}
    return check(PlanRequest, {key: value for key, value in whole.items() if value is not None}).model


def make(flow: PoreWorkflow | None = None, *, answers: Mapping[str, Any] | None = None, **plan: Any) -> Made:
    """Make the first sample case: BOCOUTURE for pores, a nurse under a prescriber's authorisation."""
    flow = flow or workflow()
    given = case_input()
    response = consultation(flow, answers=answers)
    papers = approvals(flow, *(item["document"] for item in given["approvals"]), prescriber="dr-sample")
    planned = flow.plan(plan_request(flow, response, **{"approvals": papers, **plan}))
    assert planned.plan is not None, [finding.code for finding in planned.assessment.findings]
    return finish(flow, response, planned, papers)


def finish(flow: PoreWorkflow, response: Consultation, planned: PlanResult, papers: tuple[Approval, ...]) -> Made:
    """Make consent, authorisation, day form and report of the sample for a plan."""
    plan, given = planned.plan, case_input()
    assert plan is not None
    vials = tuple(check(Vial, vial).model for vial in given["vials"])
    consent = flow.consent(check(ConsentRequest, {**given["consent"], "plan": doc(plan)}).model).consent
    authorisation = check(
        Authorisation,
        {**given["authorisations"][0], "clinic": flow.clinic.id, "patient": response.patient.id},
    ).model
    case = CaseFile(
        consultation=response,
        assessment=planned.assessment,
        plan=plan,
        day_form=day_form(flow),
        consents=(consent,),
        authorisations=(authorisation,),
        approvals=papers,
        vials=vials,
    )
    report = report_of(plan, vials)
    return Made(flow, response, planned, plan, case, report)


@cache
def made() -> Made:
    """Return the first sample case; it is ready to be treated."""
    return make()


@cache
def peel(operator: str = "dr-sample") -> Made:
    """Return a salicylic peel without toxin, planned and consented to, on the day."""
    flow = workflow()
    response = consultation(flow)
    protocol = "pore.protocol.sample-salicylic-peel"
    papers = approvals(
        flow, "pore.form.consultation", DAY_FORM, PEEL, protocol, "pore.consent.peel", prescriber="dr-sample"
    )
    planned = flow.plan(
        PlanRequest(
            consultation=response,
            template=PEEL,
            protocol=protocol,
            treatment_date="2026-09-10",
            approvals=papers,
            at="2026-09-07T10:36:00+01:00",
        )
    )
    plan = planned.plan
    assert plan is not None
    consent = flow.consent(check(ConsentRequest, {**case_input()["consent"], "plan": doc(plan)}).model).consent
    case = CaseFile(
        consultation=response,
        assessment=planned.assessment,
        plan=plan,
        day_form=day_form(flow),
        consents=(consent,),
        approvals=papers,
    )
    report = report_of(plan, (), operator=operator, id="treatment-peel")
    return Made(flow, response, planned, plan, case, report, operator=operator)


@cache
def forehead() -> Made:
    """Return DYSPORT for an oily forehead in the sample clinic in the US, by the prescriber."""
    flow = workflow("clinic-us.toml")
    moments = {"occurred_at": "2026-09-08T10:00:00-04:00", "recorded_at": "2026-09-08T10:35:00-04:00"}
    response = consultation(flow, recorded_by="dr-specimen", **moments)
    protocol = "pore.protocol.sample-microtoxin-forehead-abo-us"
    papers = approvals(
        flow,
        "pore.form.consultation",
        DAY_FORM,
        FOREHEAD,
        protocol,
        "pore.consent.treatment",
        prescriber="dr-specimen",
    )
    planned = flow.plan(
        PlanRequest(
            consultation=response,
            template=FOREHEAD,
            product="pore.product.dysport-us",
            protocol=protocol,
            treatment_date="2026-09-10",
            approvals=papers,
            at="2026-09-08T10:40:00-04:00",
        )
    )
    plan = planned.plan
    assert plan is not None
    consent = flow.consent(
        check(
            ConsentRequest,
            {
                **case_input()["consent"],
                "plan": doc(plan),
                "informed_at": "2026-09-08T10:45:00-04:00",
                "given_at": "2026-09-10T13:55:00-04:00",
                "explained_by": "dr-specimen",
            },
        ).model
    ).consent
    vial = Vial(
        id="vial-us",
        product="pore.product.dysport-us",
        lot="SAMPLE-US-3",
        expiry="2027-02-28",
        units="300",
        reconstituted_at="2026-09-10T13:40:00-04:00",
        diluent="saline-0.9",
        diluent_volume="5",
        discard_by="2026-09-10T17:40:00-04:00",
        supplier="Sample Pharmacy (invented)",
        storage_log="Fridge 1, 10 September 2026",
    )
    case = CaseFile(
        consultation=response,
        assessment=planned.assessment,
        plan=plan,
        day_form=day_form(
            flow,
            recorded_by="dr-specimen",
            occurred_at="2026-09-10T13:58:00-04:00",
            recorded_at="2026-09-10T13:59:00-04:00",
        ),
        consents=(consent,),
        approvals=papers,
        vials=(vial,),
    )
    moments = {"started_at": "2026-09-10T14:01:00-04:00", "ended_at": "2026-09-10T14:40:00-04:00"}
    report = report_of(plan, (vial,), operator="dr-specimen", prescriber="dr-specimen", id="treatment-us", **moments)
    return Made(flow, response, planned, plan, case, report, operator="dr-specimen", at="2026-09-10T14:01:00-04:00")


ABO_SUGGESTIONS = clinic("clinic-us.toml").policies.accepted_suggestions


def azzalure_protocol(market: str) -> dict[str, Any]:
    """Return a clinic's own protocol, not a sample: AZZALURE for an oily forehead. The figures are invented."""
    protocol = content_document("pore.protocol.sample-microtoxin-forehead-abo-us")
    del protocol["sample"]
    return protocol | {
        "id": "clinic.protocol.forehead",
        "title": {"en": "Oily forehead, AZZALURE"},
        "responsible": "Dr Sam Sample (invented)",
        "product": f"pore.product.azzalure-{market.lower()}",
        "dilution": {
            "vial_units": "125",
            "steps": [{"id": "vial", "diluent": "saline-0.9", "add": "1.25"}],
        },
    }


def azzalure(market: str = "UK", **settings: Any) -> Made:
    """Return AZZALURE for an oily forehead on the clinic's own protocol, by the prescriber. In-use time: 24 h."""
    policies = {"accepted_suggestions": list(ABO_SUGGESTIONS), **settings.pop("policies", {})}
    people = [*doc(clinic().people), *settings.pop("more_people", ())]
    members: dict[str, Any] = {"sample": False, "people": people, "policies": policies, **settings}
    if market == "EU":
        members |= {"market": "EU", "country": "IE", "zone": "Europe/Dublin", "subdivision": None}
    flow = workflow_of(clinic(**members), content=[azzalure_protocol(market)])
    response = consultation(flow)
    product = f"pore.product.azzalure-{market.lower()}"
    papers = approvals(
        flow,
        "pore.form.consultation",
        DAY_FORM,
        FOREHEAD,
        "clinic.protocol.forehead",
        "pore.consent.treatment",
        prescriber="dr-sample",
    )
    wanted = plan_request(flow, response, template=FOREHEAD, product=product, protocol=None, approvals=papers)
    planned = flow.plan(wanted)
    plan = planned.plan
    assert plan is not None, planned.missing
    consent = flow.consent(check(ConsentRequest, {**case_input()["consent"], "plan": doc(plan)}).model).consent
    vial = Vial(
        id="vial-a",
        product=product,
        lot="LOT-A",
        expiry="2026-09-10",
        units="125",
        reconstituted_at="2026-09-10T13:40:00+01:00",
        diluent="saline-0.9",
        diluent_volume="1.25",
        discard_by="2026-09-11T13:40:00+01:00",
        supplier="Sample Pharmacy (invented)",
        storage_log="Fridge 1, 10 September 2026",
    )
    case = CaseFile(
        consultation=response,
        assessment=planned.assessment,
        plan=plan,
        day_form=day_form(flow),
        consents=(consent,),
        approvals=papers,
        vials=(vial,),
    )
    report = report_of(plan, (vial,), operator="dr-sample", id="treatment-a")
    return Made(flow, response, planned, plan, case, report, operator="dr-sample")


def with_canaries() -> Made:
    """A case in which everything that a person may write holds the canary."""
    case = make(answers={"goals": CANARY, "routine_detail": CANARY})
    request = {
        **case_input()["consent"],
        "plan": doc(case.plan),
        "signature": {"method": "typed", "name": CANARY},
    }
    consent = case.flow.consent(check(ConsentRequest, request).model).consent
    at = "2026-09-10T15:00:00+01:00"
    report = changed(
        case.report,
        reactions=[{"code": "bleb", "severity": "mild", "note": CANARY}],
        deviations=[{"code": "other", "reason": CANARY, "person": "dr-sample", "at": at}],
    )
    return Made(
        case.flow, case.consultation, case.planned, case.plan, case.case_with(consents=[consent]), report, at=case.at
    )
