"""The day of treatment: every reason not to treat, and the record of what was done."""

from collections.abc import Iterable

from ..clinical.planning.diluting import given_anaesthetic
from ..clinical.safety import suitability
from ..clinical.safety.history import merge
from ..clinical.treatment import readiness, treating
from ..clinical.treatment.readiness import Gatekeeping
from ..contracts import (
    AssessmentContext,
    CaseFile,
    Consultation,
    Finding,
    NotReady,
    Pin,
    Problem,
    ProblemsError,
    ProcedurePlan,
    Product,
    Readiness,
    RegionDose,
    TreatmentRecord,
    TreatmentReport,
    TreatmentRequest,
)
from .before import check_answers
from .setting import Setting, problem

__all__ = ["gate_of", "readiness_of", "treat"]


def gate_of(
    setting: Setting,
    case: CaseFile,
    operator: str,
    prescriber: str | None,
    at: str,
    given: tuple[RegionDose, ...] = (),
) -> Gatekeeping:
    """Return what the gates look at: the plan's findings joined with an assessment made at this moment.

    After a treatment `given` are the doses that must keep within the authorisation.
    """
    plan = case.plan
    product = setting.products.get(plan.product_id) if plan.product_id is not None else None
    texts = {entry.pin.id: entry.pin for text in plan.consent_texts if (entry := setting.consent_text(text))}
    planned = tuple(
        RegionDose(region=region.region, side=region.side, units=region.units.value)
        for region in (plan.injection.regions if plan.injection else ())
    )
    bare = Gatekeeping(
        case=case,
        clinic=setting.clinic,
        market=setting.market,
        product=product,
        findings=(),
        pins=texts,
        consultation=setting.record_pin(case.consultation),
        plan=setting.record_pin(plan),
        assessment=setting.record_pin(case.assessment),
        operator=operator,
        prescriber=prescriber,
        doses=given or planned,
        at=at,
        answers=_wrong(setting, case.consultation),
        day_answers=_wrong(setting, case.day_form),
    )
    today = _findings(setting, case, planned, bare, plan.product_id)
    return bare.with_findings(suitability.join(case.assessment.findings, today))


def _wrong(setting: Setting, response: Consultation | None) -> tuple[Problem, ...]:
    """Return what speaks against accepting a response; a draft and another clinic have gates of their own."""
    if response is None or response.status == "draft" or response.clinic != setting.clinic.id:
        return ()
    accepted, problems = check_answers(setting, response)
    return () if accepted else problems


def readiness_of(setting: Setting, gate: Gatekeeping) -> Readiness:
    """Return the answer of all gates."""
    found = readiness.reasons(gate)
    return Readiness(
        plan=gate.plan,
        at=gate.at,
        ready=not found,
        reasons=found,
        notes=(
            *({"en": policy.text} for policy in readiness.label_policies(gate)),
            *readiness.lot_notes(gate, setting.messages),
        ),
    )


def _findings(
    setting: Setting, case: CaseFile, doses: tuple[RegionDose, ...], gate: Gatekeeping, product: str | None
) -> tuple[Finding, ...]:
    plan = case.plan
    context = AssessmentContext(
        stage="treatment",
        session=plan.session,
        tops_up=plan.tops_up,
        date=gate.today.isoformat(),
        patient=case.consultation.patient,
        template=plan.template.id,
        product=product,
        anaesthetic=given_anaesthetic(
            plan.anaesthetic.id if plan.anaesthetic else None,
            (step.diluent for step in (plan.injection.dilutions if plan.injection else ())),
            setting.anaesthetics,
        ),
        # What is known now counts, such as a dose that was amended since, together with what was known to the plan.
        history=merge(case.history, case.assessment.context.history),
        planned=doses,
        regions=plan.regions,
    )
    template = setting.template_pinned(plan.template)
    return setting.findings(context, case.consultation, case.day_form, template)[1]


def treat(setting: Setting, request: TreatmentRequest) -> TreatmentRecord:
    """Return the record. Raises `ProblemsError` with each fault of the report and each missing deviation."""
    report = request.report
    vials = tuple(use.vial for use in report.vials)
    case = request.case.model_copy(update={"vials": vials}) if vials else request.case
    plan = case.plan
    given = tuple(RegionDose(region=dose.region, side=dose.side, units=dose.units) for dose in report.doses)
    gate = gate_of(setting, case, report.operator, report.prescriber, report.started_at, given)
    checked = readiness_of(setting, gate)
    problems = list(treating.faults(report, plan, setting.clinic, setting.regions))
    problems += _unexplained(treating.undocumented((*checked.reasons, *treating.differences(report, plan)), report))
    if problems:
        raise ProblemsError(problems)
    authorisation = readiness.valid_authorisation(gate)
    product = _given_product(setting, plan, report)
    return TreatmentRecord(
        id=report.id,
        clinic=setting.clinic.id,
        patient=plan.patient,
        plan=gate.plan,
        template=plan.template,
        product=product,
        market=plan.market,
        session=plan.session,
        tops_up=plan.tops_up,
        date=gate.today.isoformat(),
        report=report,
        consents=readiness.valid_consents(gate),
        authorisation=authorisation.id if authorisation else None,
        readiness=checked,
        findings=_findings(setting, case, given, gate, product.id if product else None),
        label_policies=tuple(policy.text for policy in readiness.label_policies(gate)),
        sample=plan.sample,
    )


def _given_product(setting: Setting, plan: ProcedurePlan, report: TreatmentReport) -> Pin | None:
    """Return the product that was really given: later intervals and totals count from it, not from the plan."""
    given = {use.vial.product for use in report.vials}
    if not given or given == {plan.product_id}:
        return plan.product
    if len(given) > 1:
        raise problem(
            "treatment.two_products",
            "The vials are of different products.",
            "Record each product as a treatment of its own: units are never added across products.",
            "/report/vials",
        )
    return setting.catalogue.get(Product, given.pop()).pin


def _unexplained(reasons: Iterable[NotReady]) -> list[Problem]:
    return [
        Problem(
            code="deviation.missing",
            sentence=f"{reason.code}: {reason.sentence}",
            pointer="/report/deviations",
            next_step=f"If it happened all the same, add a deviation with the code {reason.code}, reason and person.",
        )
        for reason in {reason.code: reason for reason in reasons}.values()
    ]
