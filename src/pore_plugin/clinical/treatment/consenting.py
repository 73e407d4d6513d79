"""Consent: fill a text in from a plan, bind the signature to it, tell whether it still holds.

Pure. Cooling-off runs from the moment the patient got the text, for a first or changed plan only.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

from ...contracts import (
    Clinic,
    Consent,
    ConsentRequest,
    ConsentSheet,
    ConsentText,
    ConsentWithdrawal,
    Market,
    Pin,
    Policies,
    Problem,
    ProblemsError,
    ProcedurePlan,
    RecordPin,
)
from ..durations import add_local, instant_of, load_zone, to_utc
from ..wording.localising import fill, localise

__all__ = [
    "ConsentState",
    "consent_state",
    "cooling_off_end",
    "give_consent",
    "render_consent",
    "required_cooling_off",
]

ConsentState = Literal[
    "valid", "cooling-off", "withdrawn", "other-plan", "other-text", "other-patient", "before-plan", "not-yet"
]


def render_consent(
    text: ConsentText, pin: Pin, plan: ProcedurePlan, plan_pin: RecordPin, locale: str, values: Mapping[str, str]
) -> ConsentSheet:
    """Return the text with the plan's product, regions and doses in it, ready to read and sign."""
    return ConsentSheet(
        text=pin,
        purpose=text.purpose,
        locale=locale,
        plan=plan_pin,
        draft=plan.draft,
        sample=plan.sample,
        title=localise(text.title, locale),
        paragraphs=tuple(fill(localise(part.text, locale), values) for part in text.paragraphs),
    )


def cooling_off_end(informed_at: str, market: Market, policies: Policies, zone: str) -> str | None:
    """Return when the cooling-off ends: the later of the market's setting and the clinic's, `None` without either."""
    clocks = load_zone(zone)
    ends: list[str] = []
    if market.cooling_off.value is not None:
        hours = timedelta(seconds=int(Fraction(market.cooling_off.value) * 3600))
        ends.append(instant_of(to_utc(informed_at) + hours, clocks))
    if policies.cooling_off is not None:
        ends.append(add_local(informed_at, policies.cooling_off, clocks))
    return max(ends, key=to_utc, default=None)


def required_cooling_off(
    consent: Consent,
    others: Iterable[Consent],
    withdrawals: Iterable[ConsentWithdrawal],
    market: Market,
    policies: Policies,
    zone: str,
    *,
    planned_at: str,
) -> str | None:
    """Return when the cooling-off of a consent ends, `None` where none runs.

    It runs from the information, and not from before `planned_at`, when the plan was made: the text names its doses.
    An unchanged repeat needs none: the patient consented before to the same `substance`, did not take it back, and
    the time to reflect of that consent was over when this one was given. Computed from what market and clinic ask
    for; a later end written on the consent holds too.
    """
    if consent.purpose != "treatment":
        return None
    taken_back = {withdrawal.consent for withdrawal in withdrawals}
    given = to_utc(consent.given_at)
    for other in others:
        if (
            (other.purpose, other.clinic, other.patient, other.substance)
            == ("treatment", consent.clinic, consent.patient, consent.substance)
            and other.id != consent.id
            and other.plan != consent.plan
            and other.id not in taken_back
            and to_utc(other.given_at) < given
            and _over(other, given, market, policies, zone)
        ):
            return None
    informed_at = max(consent.informed_at, planned_at, key=to_utc)
    ends = [cooling_off_end(informed_at, market, policies, zone), consent.cooling_off_ends]
    return max((end for end in ends if end is not None), key=to_utc, default=None)


def _over(consent: Consent, moment: datetime, market: Market, policies: Policies, zone: str) -> bool:
    """Say whether the time to reflect of an earlier consent had ended: making the plan anew does not cut it short."""
    ends = (cooling_off_end(consent.informed_at, market, policies, zone), consent.cooling_off_ends)
    return all(to_utc(end) <= moment for end in ends if end is not None)


def give_consent(
    request: ConsentRequest, record_id: str, text: Pin, plan_pin: RecordPin, market: Market, clinic: Clinic
) -> Consent:
    """Return the consent bound to this plan and text, with the end of its cooling-off.

    Raises `ProblemsError` when it was given before the patient was informed.
    """
    if to_utc(request.given_at) < to_utc(request.informed_at):
        raise ProblemsError(
            [
                Problem(
                    code="consent.time_order",
                    sentence="The consent is dated before the patient was informed.",
                    pointer="/given_at",
                    next_step="Correct informed_at or given_at.",
                )
            ]
        )
    plan = request.plan
    consent = Consent(
        id=record_id,
        clinic=plan.clinic,
        patient=plan.patient,
        purpose=request.purpose,
        text=text,
        locale=request.locale,
        plan=plan_pin,
        substance=plan.substance,
        informed_at=request.informed_at,
        given_at=request.given_at,
        explained_by=request.explained_by,
        prescriber=request.prescriber,
        operator=request.operator,
        signature=request.signature,
    )
    end = required_cooling_off(
        consent, request.earlier, (), market, clinic.policies, clinic.zone, planned_at=plan.created_at
    )
    return consent.model_copy(update={"cooling_off_ends": end})


def consent_state(
    consent: Consent,
    withdrawals: Iterable[ConsentWithdrawal],
    plan: ProcedurePlan,
    plan_pin: RecordPin,
    text: Pin | None,
    at: str,
    cooling_off_end: str | None,
) -> ConsentState:
    """Return whether the consent holds for this plan and text now, and if not, the first reason why not.

    `text` is the current pin of the consent's text, `None` when the catalogue does not have that text;
    `cooling_off_end` is what `required_cooling_off` gave.
    """
    now = to_utc(at)
    if consent.patient != plan.patient or consent.clinic != plan.clinic:
        return "other-patient"
    if any(withdrawal.consent == consent.id and to_utc(withdrawal.withdrawn_at) <= now for withdrawal in withdrawals):
        return "withdrawn"
    if consent.plan != plan_pin:
        return "other-plan"
    if consent.text != text:
        return "other-text"
    given = to_utc(consent.given_at)
    if given < to_utc(plan.created_at):
        return "before-plan"
    if given > now:
        return "not-yet"
    if cooling_off_end is not None and to_utc(cooling_off_end) > now:
        return "cooling-off"
    return "valid"
