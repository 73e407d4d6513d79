"""Which documents a case rests on, and whether a prescriber of the clinic has approved them."""

from collections.abc import Iterable
from datetime import datetime

from ...contracts import Approval, Clinic, Pin
from ..durations import to_utc

__all__ = ["is_approved", "needs_approval"]


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
    """Return whether a prescriber of this clinic has approved these very bytes by now, and not withdrawn it."""
    for approval in approvals:
        signer = clinic.person(approval.approved_by)
        if (
            approval.clinic == clinic.id
            and approval.document == pin
            and signer is not None
            and "prescriber" in signer.roles
            and to_utc(approval.approved_at) <= now
            and (approval.withdrawn_at is None or to_utc(approval.withdrawn_at) > now)
        ):
            return True
    return False
