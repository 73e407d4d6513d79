"""Which documents a case rests on, and whether a prescriber of the clinic has approved them."""

from collections.abc import Iterable
from datetime import date, datetime

from ...contracts import Approval, Clinic, Pin
from ..durations import load_zone, to_utc

__all__ = ["is_approved", "needs_approval", "why_not_approved"]


def needs_approval(
    *,
    consultation_form: Pin,
    template: Pin,
    protocol: Pin | None,
    day_form: Pin | None = None,
    consent_texts: Iterable[Pin] = (),
) -> tuple[Pin, ...]:
    """Return the documents that a prescriber has to approve, each once.

    Form, template and protocol are known when a plan is made: while one of them is not approved, the plan is a
    draft. The form of the day and the texts of consent to treatment come with the day.
    """
    used = (consultation_form, day_form, template, protocol, *consent_texts)
    return tuple(dict.fromkeys(pin for pin in used if pin is not None))


def is_approved(pin: Pin, approvals: Iterable[Approval], clinic: Clinic, now: datetime) -> bool:
    """Return whether a prescriber of this clinic has approved these very bytes, and the approval holds now.

    It holds from its moment until it is withdrawn, to the end of its last day in the clinic's zone, and for as long as
    its signer is a prescriber here.
    """
    return why_not_approved(pin, approvals, clinic, now) is None


def why_not_approved(pin: Pin, approvals: Iterable[Approval], clinic: Clinic, now: datetime) -> str | None:
    """Return in a sentence why no approval of these bytes holds now; `None` where one does.

    Of several that do not hold the last one given is what is spoken of.
    """
    here = [approval for approval in approvals if approval.clinic == clinic.id]
    of_it = [approval for approval in here if approval.document == pin]
    today = now.astimezone(load_zone(clinic.zone)).date()
    faults = [_fault(approval, clinic, now, today) for approval in sorted(of_it, key=lambda a: to_utc(a.approved_at))]
    if None in faults:
        return None
    if faults:
        return faults[-1]
    if any(approval.document.id == pin.id for approval in here):
        return "What was approved is another version of it, or other bytes under this version."
    return "Nobody has approved it for this clinic."


def _fault(approval: Approval, clinic: Clinic, now: datetime, today: date) -> str | None:
    signer = clinic.person(approval.approved_by)
    if to_utc(approval.approved_at) > now:
        return "Its approval is dated in the future."
    if approval.withdrawn_at is not None and to_utc(approval.withdrawn_at) <= now:
        return f"Its approval was withdrawn on {approval.withdrawn_at[:10]}."
    if approval.valid_until is not None and date.fromisoformat(approval.valid_until) < today:
        return f"Its approval expired: {approval.valid_until} was its last day."
    if signer is None:
        return "The person who approved it no longer works here."
    if "prescriber" not in signer.roles:
        return "The person who approved it is not a prescriber here."
    return None
