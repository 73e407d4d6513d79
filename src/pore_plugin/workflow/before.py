"""Before the treatment: answers, assessment, plan, consent."""

from collections.abc import Iterator, Sequence

from ..catalogue import Entry
from ..clinical.forms.responses import check_response
from ..clinical.treatment import consenting
from ..clinical.wording.localising import localise
from ..contracts import (
    Assessment,
    AssessmentRequest,
    Consent,
    ConsentRequest,
    ConsentSheet,
    ConsentText,
    Consultation,
    FollowUpResponse,
    Problem,
    ProblemsError,
    ProcedurePlan,
)
from .messages import Messages
from .setting import Setting, problem

__all__ = ["assess", "check_answers", "consent", "consent_sheets", "refuse_other_form", "refuse_unfit"]

_OTHER_CLINIC = Problem(
    code="response.clinic",
    sentence="These answers belong to another clinic.",
    pointer="/clinic",
    next_step="Use the settings of the clinic that took them; records of another clinic are never read.",
)


def check_answers(setting: Setting, response: Consultation | FollowUpResponse) -> tuple[bool, tuple[Problem, ...]]:
    """Return whether the response may be accepted, and every problem with it, extensions' included."""
    form = setting.form_index(response.form)
    problems = _misfits(setting, response)
    if problems:
        return False, problems
    verdict = setting.hooks.validate_answers(form.form, response)
    return verdict.accepted and response.status == "completed", verdict.problems


def _misfits(setting: Setting, response: Consultation | FollowUpResponse) -> tuple[Problem, ...]:
    problems = check_response(setting.form_index(response.form), response, setting.looked(response)[0])
    return problems if response.clinic == setting.clinic.id else (_OTHER_CLINIC, *problems)


def refuse_unfit(setting: Setting, response: Consultation | None, pointer: str) -> None:
    """Raise `ProblemsError` for a draft, and for answers that do not fit their form: no verdict rests on those.

    A required safety question that nobody answered would otherwise pass as a no.
    """
    if response is None:
        return
    if response.status == "draft":
        raise problem(
            "consultation.draft",
            "These answers are a draft.",
            "Complete them and submit them first.",
            f"{pointer}/status",
        )
    problems = _misfits(setting, response)
    if problems:
        raise ProblemsError(one.model_copy(update={"pointer": pointer + one.pointer}) for one in problems)


def refuse_other_form(setting: Setting, response: Consultation | None, kind: str, wanted: str | None) -> None:
    """Raise `ProblemsError` for answers to a form of another kind or, where one is wanted, to another form.

    No rule can speak about a question that the form does not have: a short form would look like a healthy patient.
    """
    if response is None:
        return
    form = setting.form_index(response.form).form
    if form.kind != kind or (wanted is not None and form.id != wanted):
        raise problem(
            "assessment.form",
            f"The answers are to another form than the {kind} form that is asked for here.",
            f"Answer {wanted}." if wanted is not None else f"Hand in the answers to a form of the kind {kind}.",
            "/consultation/form" if kind == "consultation" else "/day_form/form",
        )


def assess(setting: Setting, request: AssessmentRequest) -> Assessment:
    """Return all findings of one stage. At booking there need not be a consultation; at the others there must."""
    context = request.context
    if request.consultation is None and context.stage != "booking":
        raise problem(
            "assessment.no_consultation",
            "Only a booking is assessed without a consultation.",
            "Hand in the consultation, or assess the stage booking.",
            "/consultation",
        )
    template = setting.template(context.template) if context.template is not None else None
    refuse_other_form(setting, request.consultation, "consultation", template.consultation_form if template else None)
    refuse_other_form(setting, request.day_form, "day-of-treatment", template.day_form if template else None)
    for response in (request.consultation, request.day_form):
        if response is not None and response.patient != context.patient:
            raise problem(
                "assessment.patient",
                "The answers belong to another patient than the context.",
                "Hand in the records of one patient.",
                "/context/patient",
            )
    refuse_unfit(setting, request.consultation, "/consultation")
    refuse_unfit(setting, request.day_form, "/day_form")
    return setting.assess(context, request.consultation, request.day_form, template, request.at)


def consent_sheets(
    setting: Setting,
    plan: ProcedurePlan,
    locale: str,
    lots: Sequence[str],
    prescriber: str | None = None,
    operator: str | None = None,
) -> tuple[ConsentSheet, ...]:
    """Return every consent text of the plan for this market, filled in.

    `prescriber` and `operator` are ids of the clinic's people. Without one the sheet names the only one there is, and
    nobody where there are several.
    """
    pin = setting.record_pin(plan)
    words = Messages(setting.messages, locale)
    values = {
        **_values(setting, plan, locale, lots, words),
        "prescriber": _named(setting, prescriber, "prescriber") or words.text("consent-prescriber"),
        "operator": _named(setting, operator, "operator") or words.text("consent-operator"),
    }
    return tuple(
        consenting.render_consent(entry.model, entry.pin, plan, pin, locale, values) for entry in _texts(setting, plan)
    )


def _texts(setting: Setting, plan: ProcedurePlan) -> Iterator[Entry[ConsentText]]:
    for text_id in plan.consent_texts:
        entry = setting.catalogue.get(ConsentText, text_id)
        if not entry.model.markets or setting.market.id in entry.model.markets:
            yield entry


def _named(setting: Setting, person_id: str | None, role: str) -> str | None:
    """Return the name of the clinic's person with this id, or of the only one in the role; `None` for several.

    A prescriber may always treat as well. Raises `ProblemsError` for somebody else.
    """
    fit = {person.id: person.name for person in setting.clinic.people if {role, "prescriber"} & set(person.roles)}
    if person_id is None:
        return next(iter(fit.values())) if len(fit) == 1 else None
    if person_id not in fit:
        raise problem(
            f"consent.{role}",
            f"The clinic has no {role} with this id.",
            f"Name a person whom the clinic settings list as {role}.",
            f"/{role}",
        )
    return fit[person_id]


def _values(setting: Setting, plan: ProcedurePlan, locale: str, lots: Sequence[str], words: Messages) -> dict[str, str]:
    clinic, injection = setting.clinic, plan.injection
    titles = setting.titles(locale)
    # A region may have left the catalogue since the plan was made: its id stands in then.
    regions = [words.place(titles.get(region.region, region.region), region.side) for region in plan.regions]
    return {
        "product": f"{injection.brand} ({injection.inn})" if injection else localise(plan.title, locale),
        "regions": ", ".join(regions),
        "units": f"{injection.total_units.value} U" if injection else words.text("consent-no-units"),
        "lot": ", ".join(dict.fromkeys(lots)) or words.text("consent-lot-later"),
        "clinic": f"{clinic.name}, {clinic.emergency.clinic}",
        "emergency": clinic.emergency.emergency,
    }


def consent(setting: Setting, request: ConsentRequest) -> Consent:
    """Return the consent on the plan's text for its purpose; cooling-off is computed, not typed."""
    plan = request.plan
    for person, role in ((request.prescriber, "prescriber"), (request.operator, "operator")):
        _named(setting, person, role)
    if setting.clinic.person(request.explained_by) is None:
        raise problem(
            "consent.explained_by",
            "The text was explained by nobody of this clinic.",
            "Name a person of the clinic settings.",
            "/explained_by",
        )
    for entry in _texts(setting, plan):
        if entry.model.purpose == request.purpose:
            return consenting.give_consent(
                request,
                setting.key(plan.id, f"consent.{request.purpose}.{request.given_at}"),
                entry.pin,
                setting.record_pin(plan),
                setting.market,
                setting.clinic,
            )
    raise problem(
        "consent.no_text",
        "The plan has no consent text for this purpose in this market.",
        "Add a consent text for the market to the template.",
        "/purpose",
    )
