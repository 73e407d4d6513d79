"""The vial's gates: product, expiry, size, dilution, time since reconstitution, one patient, enough in it.

Expiry is never lifted. Use for a second patient and use past the in-use hours are label blocks that only a signed
clinic policy lifts, and then the policy is printed on the record.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction

from ...contracts import LabelPolicy, NotReady, Policies, ProcedurePlan, Product, Vial
from ..durations import to_utc
from ..figures import usable

__all__ = ["lifted", "vial_reasons"]

_LIFTABLE = ("vial.second_patient", "vial.in_use_hours")


def vial_reasons(
    vials: Iterable[Vial], plan: ProcedurePlan, product: Product | None, policies: Policies, now: datetime, today: date
) -> Iterator[NotReady]:
    """Yield every reason not to treat with these vials; `today` is the day of `now` in the clinic's zone."""
    injection = plan.injection
    if injection is None:
        return
    # The same vial handed in twice is one vial.
    vials = tuple(dict.fromkeys(vials))
    held = {vial.id: Fraction(vial.units) for vial in vials}
    if not vials:
        yield NotReady(
            code="vial.missing",
            sentence="No vial with lot and expiry was handed in.",
            next_step="Scan or type the vial's lot and expiry.",
        )
        return
    for vial in vials:
        yield from _vial(vial, plan, product, policies, now, today)
    if sum(held.values()) < Fraction(injection.total_units.value):
        yield NotReady(
            code="vial.insufficient",
            sentence="The vials hold less than the plan needs.",
            next_step="Add a vial, or plan a smaller dose.",
        )


def lifted(
    vials: Iterable[Vial], plan: ProcedurePlan, product: Product | None, policies: Policies, now: datetime, today: date
) -> tuple[LabelPolicy, ...]:
    """Return the signed policies without which the label would stop these vials, and with which it does not."""
    vials = tuple(vials)

    def blocks(under: Policies) -> set[str]:
        found = {reason.code for reason in vial_reasons(vials, plan, product, under, now, today)}
        return {"vial.in_use_hours" if code == "vial.in_use_unknown" else code for code in found}

    gone = blocks(policies.model_copy(update={"label_policies": ()})) - blocks(policies)
    found = (_lifting_policy(policies, block, today) for block in _LIFTABLE if block in gone)
    return tuple(policy for policy in found if policy is not None)


def _lifting_policy(policies: Policies, block: str, today: date) -> LabelPolicy | None:
    """Return the signed policy that lifts this label block today, if there is one."""
    for policy in policies.label_policies:
        if policy.lifts == block and date.fromisoformat(policy.signed_on) <= today:
            return policy
    return None


def _vial(
    vial: Vial, plan: ProcedurePlan, product: Product | None, policies: Policies, now: datetime, today: date
) -> Iterator[NotReady]:
    injection = plan.injection
    if vial.product != plan.product_id:
        yield NotReady(
            code="vial.product",
            sentence="A vial is of another product than the plan.",
            next_step="Take the planned product, or plan again with this one: units are never converted.",
        )
        return
    if date.fromisoformat(vial.expiry) < today:
        yield NotReady(
            code="vial.expired", sentence="A vial has expired.", next_step="Take a vial that has not expired."
        )
    if injection is not None and Fraction(vial.units) != Fraction(injection.vial_units.value):
        yield NotReady(
            code="vial.size",
            sentence="A vial is of another size than the plan was made for.",
            next_step="Take the planned size, or plan again: the concentration would differ.",
        )
    first = injection.dilutions[0] if injection is not None and injection.dilutions else None
    planned = (first.diluent, first.add.value) if first is not None else (None, None)
    if any(
        really is not None and really != wanted
        for really, wanted in zip((vial.diluent, vial.diluent_volume), planned, strict=True)
    ):
        yield NotReady(
            code="vial.dilution",
            sentence="A vial was reconstituted with another diluent or volume than planned.",
            next_step="Plan again with what was really added, or take another vial.",
        )
    yield from _age(vial, product, policies, now, today)
    second = any(patient != plan.patient for patient in vial.used_for)
    if second and _lifting_policy(policies, "vial.second_patient", today) is None:
        yield NotReady(
            code="vial.second_patient",
            sentence="The vial was used for another patient; the label allows one.",
            next_step="Take a new vial. Only a signed clinic policy lifts this block.",
        )


def _age(vial: Vial, product: Product | None, policies: Policies, now: datetime, today: date) -> Iterator[NotReady]:
    if vial.discard_by is not None and to_utc(vial.discard_by) < now:
        yield NotReady(
            code="vial.discarded", sentence="The vial is past its discard time.", next_step="Take a new vial."
        )
    if vial.reconstituted_at is None:
        return
    age = now - to_utc(vial.reconstituted_at)
    if age < timedelta(0):
        yield NotReady(
            code="vial.future",
            sentence="The vial is recorded as reconstituted in the future.",
            next_step="Correct the time of reconstitution.",
        )
    policy = _lifting_policy(policies, "vial.in_use_hours", today)
    # Without the product's row nobody knows its hours either.
    serves = product is not None and usable(product.in_use, f"{product.id}/in_use", policies.accepted_suggestions)
    label = product.in_use.value if product is not None and serves else None
    hours = label if policy is None else policy.in_use_hours
    if hours is not None and age > timedelta(seconds=int(Fraction(hours) * 3600)):
        yield NotReady(
            code="vial.in_use_hours",
            sentence=f"The vial was reconstituted more than {hours} hours ago.",
            next_step="Take a new vial. Only a signed clinic policy lifts this block.",
        )
    elif hours is None and vial.discard_by is None:
        yield NotReady(
            code="vial.in_use_unknown",
            sentence="Neither label nor clinic policy gives an in-use time, and the vial has no discard time.",
            next_step="Read the live label and record the vial's discard time.",
        )
