"""Planning: figures first, then the assessment with the doses they give, then the plan that pins both."""

from ..catalogue import Entry
from ..clinical.durations import local_date, to_utc
from ..clinical.planning.diluting import given_anaesthetic
from ..clinical.planning.drafting import Numbers, PreparedPlan, draft_plan
from ..clinical.treatment.approvals import needs_approval
from ..contracts import (
    Assessment,
    AssessmentContext,
    ClinicProtocol,
    PlanRequest,
    PlanResult,
    ProblemsError,
    ProcedureTemplate,
    Product,
)
from .before import refuse_other_form
from .setting import Setting, problem

__all__ = ["plan"]


def plan(setting: Setting, request: PlanRequest) -> PlanResult:
    """Return assessment and plan, or what stands in the way: a block, or every figure that is missing.

    A block stops the plan, unless the plan is made to record a treatment that already happened.

    Raises `ProblemsError` for a plan that cannot be at all, such as a product the template does not list.
    """
    template = setting.catalogue.get(ProcedureTemplate, request.template)
    refuse_other_form(setting, request.consultation, "consultation", template.model.consultation_form)
    _refuse_dates(setting, request)
    product = setting.catalogue.get(Product, request.product) if request.product is not None else None
    protocol = _protocol(setting, request)
    prepared = setting.figures(template, product, protocol, request.regions, request.anaesthetic)
    numbers = prepared.numbers if isinstance(prepared, PreparedPlan) else prepared
    # A missing figure is a problem too; those that are not are faults of the request or the protocol.
    if len(numbers.problems) > len(numbers.missing):
        raise ProblemsError(numbers.problems)
    assessment = _assess(setting, request, template.model, numbers)
    events = [setting.event("assessment.made", assessment.id, request.at)]
    blocked = assessment.verdict == "block" and not request.for_record
    if not isinstance(prepared, PreparedPlan) or blocked:
        return PlanResult(assessment=assessment, missing=numbers.missing, events=tuple(events))
    made = draft_plan(
        prepared,
        id=setting.key(request.consultation.id, f"plan.{request.template}.{request.at}"),
        clinic=setting.clinic.id,
        patient=request.consultation.patient.id,
        consultation=setting.record_pin(request.consultation),
        assessment=setting.record_pin(assessment),
        template=template.pin,
        product=product.pin if product else None,
        protocol=protocol.pin if protocol else None,
        treatment_date=request.treatment_date,
        created_at=request.at,
        draft=not all(
            setting.approved(pin, request.approvals, request.at)
            for pin in needs_approval(
                consultation_form=request.consultation.form,
                template=template.pin,
                protocol=protocol.pin if protocol else None,
            )
        ),
        session=request.session,
        tops_up=request.tops_up,
    )
    if request.for_record:
        made = made.model_copy(update={"for_record": True})
    events.append(setting.event("plan.made", made.id, request.at, assessment.id))
    return PlanResult(
        assessment=assessment, plan=made, plan_digest=setting.record_pin(made).digest, events=tuple(events)
    )


def _refuse_dates(setting: Setting, request: PlanRequest) -> None:
    """A plan follows its consultation, and a treatment follows both, unless it is planned for the record."""
    consulted = request.consultation.occurred_at
    if to_utc(request.at) < to_utc(consulted):
        raise problem(
            "plan.time_order", "The plan is dated before its consultation.", "Correct the moment of the plan.", "/at"
        )
    if not request.for_record and request.treatment_date < local_date(consulted, setting.zone).isoformat():
        raise problem(
            "plan.treatment_date",
            "The treatment is dated before the consultation.",
            "Correct the treatment date; a treatment that already happened is planned with for_record.",
            "/treatment_date",
        )


def _protocol(setting: Setting, request: PlanRequest) -> Entry[ClinicProtocol] | None:
    """Return the protocol that was named, or the only one for this template and product."""
    if request.protocol is not None:
        return setting.catalogue.get(ClinicProtocol, request.protocol)
    fitting = [
        entry
        for entry in setting.catalogue.of_type(ClinicProtocol)
        if (entry.model.template, entry.model.product) == (request.template, request.product) and not entry.model.sample
    ]
    if len(fitting) > 1:
        raise problem(
            "plan.which_protocol",
            "Several protocols fit this template and product.",
            f"Name one of: {', '.join(entry.pin.id for entry in fitting)}.",
            "/protocol",
        )
    return fitting[0] if fitting else None


def _assess(setting: Setting, request: PlanRequest, template: ProcedureTemplate, numbers: Numbers) -> Assessment:
    context = AssessmentContext(
        stage="plan",
        session=request.session,
        tops_up=request.tops_up,
        date=request.treatment_date,
        patient=request.consultation.patient,
        template=request.template,
        product=request.product,
        anaesthetic=given_anaesthetic(
            request.anaesthetic,
            (mix.step.diluent for mix in (numbers.solution.mixes if numbers.solution else ())),
            setting.anaesthetics,
        ),
        history=request.history,
        planned=None if numbers.missing else numbers.doses,
        regions=numbers.regions,
    )
    return setting.assess(context, request.consultation, None, template, request.at)
