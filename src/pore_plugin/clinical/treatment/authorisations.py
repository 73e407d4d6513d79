"""Who may treat: the operator's role and profession, and a prescriber's authorisation where it is somebody else."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from ...contracts import Authorisation, NotReady, Person
from ..durations import to_utc
from .gatekeeping import Gatekeeping

__all__ = ["operator_reasons", "valid_authorisation"]


def operator_reasons(gate: Gatekeeping) -> Iterator[NotReady]:
    """Yield every reason why this operator may not give this treatment, or not without another authorisation."""
    person = gate.clinic.person(gate.operator)
    if person is None or not {"operator", "prescriber"} & set(person.roles):
        yield NotReady(
            code="operator.unknown",
            sentence="The operator is not an operator or prescriber of this clinic.",
            next_step="Add the person with role and register to the clinic settings.",
        )
        return
    limit = gate.product.operators if gate.product else None
    if limit is not None and person.profession not in limit.professions:
        yield NotReady(
            code="operator.label",
            sentence=f"The product's label lets only these give it: {', '.join(limit.professions)}.",
            next_step="Let one of them treat, or choose another product.",
        )
    if "prescriber" in person.roles and gate.prescriber in (None, person.id):
        return
    if not gate.market.operator_may_differ.value:
        yield NotReady(
            code="operator.market",
            sentence="In this market the operator must be the prescriber.",
            next_step="Let the prescriber treat.",
        )
    problems = [_authorisation_problem(gate, authorisation, person) for authorisation in gate.case.authorisations]
    if not problems:
        yield NotReady(
            code="authorisation.missing",
            sentence="The operator is not the prescriber of this treatment, and there is no authorisation.",
            next_step="A prescriber examines the patient and authorises product and doses.",
        )
    elif None not in problems:
        yield from {problem.code: problem for problem in problems if problem is not None}.values()


def valid_authorisation(gate: Gatekeeping) -> Authorisation | None:
    """Return the authorisation under which the operator may treat now, if there is one."""
    person = gate.clinic.person(gate.operator)
    if person is None:
        return None
    return next((a for a in gate.case.authorisations if _authorisation_problem(gate, a, person) is None), None)


def _authorisation_problem(gate: Gatekeeping, authorisation: Authorisation, person: Person) -> NotReady | None:
    def no(code: str, sentence: str, next_step: str) -> NotReady:
        return NotReady(code=f"authorisation.{code}", sentence=sentence, next_step=next_step)

    plan = gate.case.plan
    again = "A prescriber issues a new authorisation."
    prescriber = gate.clinic.person(authorisation.prescriber)
    if (authorisation.clinic, authorisation.patient) != (gate.clinic.id, plan.patient):
        return no("patient", "The authorisation belongs to another patient or clinic.", "Hand in this patient's.")
    if prescriber is None or "prescriber" not in prescriber.roles:
        return no("prescriber", "The authorisation is not signed by a prescriber of this clinic.", again)
    if gate.prescriber not in (None, person.id, prescriber.id):
        return no("prescriber", "The authorisation is signed by another prescriber than the one named.", again)
    if (authorisation.template, authorisation.product) != (plan.template.id, plan.product_id):
        return no("product", "The authorisation is for another procedure or product.", again)
    if authorisation.operators and person.id not in authorisation.operators:
        return no("operator", "The authorisation names other operators.", again)
    if to_utc(authorisation.issued_at) > gate.now:
        return no("not_yet", "The authorisation is dated in the future.", again)
    revoked = authorisation.revoked_at
    if revoked is not None and to_utc(revoked) <= gate.now:
        return no("revoked", "The authorisation was revoked.", again)
    if date.fromisoformat(authorisation.valid_until) < gate.today:
        return no("expired", "The authorisation has expired.", again)
    if gate.market.in_person_exam.value and not authorisation.same_episode:
        return no("episode", "The examination was for an earlier treatment.", "Examine the patient for this one.")
    if gate.market.in_person_exam.value and not authorisation.examined_in_person:
        return no("exam", "This market asks the prescriber to examine the patient in person.", "Examine in person.")
    if date.fromisoformat(authorisation.examined_on) > gate.today:
        return no("exam", "The examination is dated in the future.", "Correct its date.")
    if date.fromisoformat(authorisation.examined_on) > gate.local_day(authorisation.issued_at):
        return no("exam", "The authorisation was issued before the examination.", again)
    allowed = {(dose.region, dose.side): Fraction(dose.units) for dose in authorisation.maximum}
    for dose in gate.doses:
        if Fraction(dose.units) > allowed.get((dose.region, dose.side), Fraction(0)):
            return no("exceeded", "A dose is above the authorised one of its region.", "Lower it, or authorise it.")
    return None
