"""Every reason not to treat now. Pure: takes the case, the joined findings and the clinic, returns all reasons.

One function per gate, so that each can be read, tested and explained alone. A reason that is `overridable` waits
for a prescriber; the others wait for a change of the answer, the product, the paper or the clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from ...contracts import Consent, Finding, LabelPolicy, NotReady, Override, Problem, Text
from ..durations import add_local, to_utc
from . import consenting
from .approvals import needs_approval, why_not_approved
from .authorisations import operator_reasons, valid_authorisation
from .consenting import consent_state
from .gatekeeping import Gatekeeping
from .quarantining import quarantine_notes, quarantine_reasons
from .vials import lifted, vial_reasons

__all__ = [
    "Gatekeeping",
    "gate_code",
    "label_policies",
    "lot_notes",
    "reasons",
    "valid_authorisation",
    "valid_consents",
]


def reasons(gate: Gatekeeping) -> tuple[NotReady, ...]:
    """Return every reason not to treat, in the order of the gates; none means ready."""
    return tuple(reason for check in _GATES for reason in check(gate))


def gate_code(finding: Finding) -> str:
    """Return the reason code of a finding, such as `finding.region_dose`."""
    return "finding." + "".join(c if c.isalnum() else "_" for c in finding.code.lower())


def _identity(gate: Gatekeeping) -> Iterator[NotReady]:
    case = gate.case
    patients = {case.consultation.patient, case.assessment.context.patient}
    patients |= {case.day_form.patient} if case.day_form else set()
    # Whole references: an id counts within its host, and two birth dates leave the age open.
    if len(patients) > 1 or case.plan.patient not in {patient.id for patient in patients}:
        yield NotReady(
            code="case.patient",
            sentence="The records handed in belong to different patients, or differ in host or birth date.",
            next_step="Hand in the records of one patient; correct the birth date where it is wrong.",
        )
    clinics = {case.plan.clinic, case.consultation.clinic, case.assessment.clinic, gate.clinic.id}
    clinics |= {case.day_form.clinic} if case.day_form else set()
    # A quarantine is a clinic's own record: another clinic's blocks too, and should not have come here.
    clinics |= {quarantine.clinic for quarantine in case.quarantines}
    if len(clinics) > 1:
        yield NotReady(
            code="case.clinic",
            sentence="The records handed in belong to different clinics.",
            next_step="Plan and assess in the clinic that treats.",
        )


def _consultation(gate: Gatekeeping) -> Iterator[NotReady]:
    case = gate.case
    if case.consultation.status != "completed":
        yield NotReady(
            code="consultation.draft",
            sentence="The consultation is still a draft.",
            next_step="Complete and submit the consultation, then assess and plan again.",
        )
    if case.consultation.form.id != case.plan.consultation_form:
        yield NotReady(
            code="consultation.form",
            sentence="The consultation was taken on another form than the procedure asks for.",
            next_step=f"Take the consultation on {case.plan.consultation_form}.",
        )
    if gate.answers:
        yield _unfit("consultation", gate.answers)
    if case.plan.consultation != gate.consultation:
        yield NotReady(
            code="consultation.changed",
            sentence="The consultation is not the one this plan was made from, or an answer has changed since.",
            next_step="Assess and plan again on the consultation as it is now.",
        )
    if case.plan.assessment != gate.assessment:
        yield NotReady(
            code="assessment.changed",
            sentence="The assessment is not the one this plan was made with.",
            next_step="Hand in the assessment that came with the plan, or plan again.",
        )
    if to_utc(case.consultation.occurred_at) > gate.now:
        yield NotReady(
            code="consultation.not_yet",
            sentence="The consultation is dated in the future.",
            next_step="Consult before treating, or correct its date.",
        )
    expiry = gate.clinic.policies.consultation_expiry
    if expiry is not None:
        ends = to_utc(add_local(case.consultation.occurred_at, expiry, gate.zone))
        if ends < gate.now:
            yield NotReady(
                code="consultation.expired",
                sentence="The consultation has expired by the clinic's policy.",
                next_step="Take a new consultation.",
            )


def _day_form(gate: Gatekeeping) -> Iterator[NotReady]:
    form = gate.case.day_form
    if (
        form is not None
        and form.status == "completed"
        and form.form.id == gate.case.plan.day_form
        and gate.local_day(form.occurred_at) == gate.today
        and to_utc(form.occurred_at) <= gate.now
    ):
        # No rule can speak about a question that was left out: an incomplete form would look like a healthy one.
        if gate.day_answers:
            yield _unfit("day_form", gate.day_answers)
        return
    yield NotReady(
        code="day_form.missing",
        sentence="The day-of-treatment form of today is missing or not completed.",
        next_step="Ask the day-of-treatment questions now and submit the form.",
    )


def _unfit(what: str, problems: Iterable[Problem]) -> NotReady:
    codes = ", ".join(sorted({problem.code for problem in problems})[:8])
    return NotReady(
        code=f"{what}.invalid",
        sentence=f"The answers do not fit the form that they are pinned to: {codes}.",
        next_step="Submit the answers, mend each problem that is named, and hand in the accepted response.",
    )


def _findings(gate: Gatekeeping) -> Iterator[NotReady]:
    for finding in gate.findings:
        if finding.severity == "block":
            yield NotReady(
                code=gate_code(finding),
                sentence=f"{finding.code} blocks this treatment.",
                next_step="A block is not overridden: the answer or the product has to change.",
                finding=finding,
                regions=finding.regions,
            )
        elif finding.severity == "review" and not any(_lifts(gate, o, finding) for o in gate.case.overrides):
            yield NotReady(
                code=gate_code(finding),
                sentence=f"{finding.code} needs a prescriber's review.",
                next_step="A prescriber records an override with a coded reason, or the plan changes.",
                overridable=True,
                finding=finding,
                regions=finding.regions,
            )


def _lifts(gate: Gatekeeping, override: Override, finding: Finding) -> bool:
    signer = gate.clinic.person(override.prescriber)
    # Of this plan: an override given for other doses or another product says nothing about these. What the day
    # alone brought up was not known before its form was answered.
    known = [to_utc(gate.case.assessment.assessed_at)]
    if gate.case.day_form is not None and not _foreseen(gate, finding):
        known.append(to_utc(gate.case.day_form.occurred_at))
    return (
        (override.finding, override.plugin) == (finding.code, finding.plugin)
        and (override.case is None or override.case == finding.case)
        and (override.clinic, override.patient) == (gate.clinic.id, gate.case.plan.patient)
        and override.consultation == gate.consultation
        and (not override.regions or (bool(finding.regions) and set(finding.regions) <= set(override.regions)))
        and signer is not None
        and "prescriber" in signer.roles
        and max(known) <= to_utc(override.at) <= gate.now
    )


def _foreseen(gate: Gatekeeping, finding: Finding) -> bool:
    """Say whether the plan's assessment found this already, in these regions at least."""
    return any(
        (earlier.code, earlier.case, earlier.plugin) == (finding.code, finding.case, finding.plugin)
        and (not earlier.regions or (bool(finding.regions) and set(finding.regions) <= set(earlier.regions)))
        for earlier in gate.case.assessment.findings
    )


_CONSENT_SENTENCES = {
    "withdrawn": ("The consent was withdrawn.", "Respect it; a new consent is needed to go on."),
    "other-plan": (
        "The consent is for another plan: a changed plan needs a new consent.",
        "Explain this plan and sign.",
    ),
    "other-text": ("The consent was signed on another version of the text.", "Sign the current text."),
    "other-patient": ("The consent belongs to another patient or clinic.", "Hand in this patient's consent."),
    "before-plan": ("The consent is dated before the plan was made.", "Explain this plan and sign."),
    "not-yet": ("The consent is dated in the future.", "Correct its date."),
}


def _states(gate: Gatekeeping) -> list[tuple[str, str]]:
    plan = gate.case.plan
    return [
        (
            consent.id,
            consent_state(
                consent,
                gate.case.withdrawals,
                plan,
                gate.plan,
                gate.pins.get(consent.text.id),
                gate.at,
                _cooling_off_end(gate, consent),
            ),
        )
        for consent in gate.case.consents
        if consent.purpose == "treatment" and consent.text.id in plan.consent_texts
    ]


def _cooling_off_end(gate: Gatekeeping, consent: Consent) -> str | None:
    """Compute the end from what market and clinic ask for now; a date on the consent can only be later."""
    return consenting.required_cooling_off(
        consent,
        gate.case.consents,
        gate.case.withdrawals,
        gate.market,
        gate.clinic.policies,
        gate.clinic.zone,
        planned_at=gate.case.plan.created_at,
    )


def valid_consents(gate: Gatekeeping) -> tuple[str, ...]:
    """Return the ids of the treatment consents that hold now."""
    return tuple(record_id for record_id, state in _states(gate) if state == "valid")


def _consent(gate: Gatekeeping) -> Iterator[NotReady]:
    states = _states(gate)
    if any(state == "valid" for _, state in states):
        return
    running = {record_id for record_id, state in states if state == "cooling-off"}
    if running:
        ends = [_cooling_off_end(gate, consent) for consent in gate.case.consents if consent.id in running]
        soonest = min((end for end in ends if end is not None), key=to_utc)
        yield NotReady(
            code="consent.cooling_off",
            sentence="The time to reflect after the information is still running.",
            next_step=f"Wait until it has ended: {soonest}.",
        )
    elif states:
        for state in sorted({state for _, state in states}):
            sentence, next_step = _CONSENT_SENTENCES[state]
            yield NotReady(code=f"consent.{state.replace('-', '_')}", sentence=sentence, next_step=next_step)
    else:
        yield NotReady(
            code="consent.missing",
            sentence="There is no consent to this plan.",
            next_step="Explain the plan, give the consent text, and record the signature.",
        )


def label_policies(gate: Gatekeeping) -> tuple[LabelPolicy, ...]:
    """Return the signed policies that really lift a label block of these vials; they are printed on the record."""
    return lifted(gate.case.vials, gate.case.plan, gate.product, gate.clinic.policies, gate.now, gate.today)


def lot_notes(gate: Gatekeeping, messages: Mapping[str, Text]) -> tuple[Text, ...]:
    """Return why a lot here is quarantined, and which one reads almost like a quarantined lot."""
    return tuple(quarantine_notes(gate.case.vials, gate.case.quarantines, messages, *gate.moments))


def _vials(gate: Gatekeeping) -> Iterator[NotReady]:
    yield from vial_reasons(gate.case.vials, gate.case.plan, gate.product, gate.clinic.policies, gate.now, gate.today)
    yield from quarantine_reasons(gate.case.vials, gate.case.quarantines, *gate.moments)


def _approvals(gate: Gatekeeping) -> Iterator[NotReady]:
    case = gate.case
    used = needs_approval(
        consultation_form=case.consultation.form,
        template=case.plan.template,
        protocol=case.plan.protocol,
        day_form=case.day_form.form if case.day_form else None,
        consent_texts=(c.text for c in case.consents if c.purpose == "treatment" and c.plan == gate.plan),
    )
    for pin in used:
        why_not = why_not_approved(pin, case.approvals, gate.clinic, gate.now)
        if why_not is not None:
            yield NotReady(
                code="approval.missing",
                sentence=f"{pin.id} {pin.version} is not approved for this clinic. {why_not}",
                next_step="A named prescriber reviews and approves this very version.",
            )


def _for_record(gate: Gatekeeping) -> Iterator[NotReady]:
    if gate.case.plan.for_record:
        yield NotReady(
            code="plan.for_record",
            sentence="The plan was made to record a treatment that already happened.",
            next_step="Record what happened with a deviation of this code; to treat, make another plan.",
        )


def _sample(gate: Gatekeeping) -> Iterator[NotReady]:
    if gate.case.plan.sample and not gate.clinic.sample:
        yield NotReady(
            code="plan.sample",
            sentence="The plan rests on a sample protocol, which shows how a protocol looks and treats nobody.",
            next_step="Supply and approve the clinic's own protocol.",
        )


_GATES: tuple[Callable[[Gatekeeping], Iterator[NotReady]], ...] = (
    _identity,
    _consultation,
    _day_form,
    _findings,
    _consent,
    operator_reasons,
    _vials,
    _approvals,
    _for_record,
    _sample,
)
