"""What a plan says beside its figures: what the label shows, what no evidence supports, what a syringe cannot show."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ...contracts.base import Text
from ...contracts.common import SourcedNumber
from ..numbers import exact, figure
from .dose import read_on_syringe
from .placing import PlannedPlace
from .resolving import Numbers

__all__ = ["evidence_text", "notes", "warnings"]


def evidence_text(numbers: Numbers, place: PlannedPlace) -> Text | None:
    """Return the threshold's text for this INN and region, or that no figure is known; nothing is borrowed."""
    if numbers.product is None:
        return None
    for threshold in numbers.evidence.thresholds:
        here = (threshold.inn, threshold.region) == (numbers.product.inn, place.where.region)
        if here and threshold.units.value is not None:
            return threshold.text
    return _text(
        f"No evidence figure: no dose limit with a source was found for {numbers.product.short_name} in this region, "
        "and a figure for another product is not used in its place."
    )


def notes(numbers: Numbers) -> Iterator[Text]:
    """Yield what is shown for every injection."""
    product, solution = numbers.product, numbers.solution
    if product is None or solution is None:
        return
    yield _text(
        "The total volume of a region times the concentration is the dose that counts; figures per point are nominal."
    )
    for label in product.reconstitutions:
        if _is(label.vial_units, solution.vial_units):
            yield _text(
                f"The label of {product.brand} adds {_shown(label.diluent)} mL to this vial and states "
                f"{_shown(label.stated_units)} U in {_shown(label.stated_volume)} mL. "
                f"This plan works with {_short(solution.concentration)} U/mL."
            )
    doses = ", ".join(f"{dose.area} {_shown(dose.units)} U" for dose in product.label_doses if dose.units.value)
    if doses:
        yield _text(f"Doses on the label of {product.brand}, for its own indications and shown only: {doses}.")
    if product.session_ceiling is not None and product.session_ceiling.value:
        yield _text(
            f"The label of {product.brand} names {_shown(product.session_ceiling)} U a session; "
            f"this plan has {_short(_units(numbers))} U."
        )


def warnings(numbers: Numbers) -> Iterator[Text]:
    """Yield what somebody should look at before treating."""
    product, total = numbers.product, _units(numbers)
    if product is None or not total:
        return
    if not any(_is(one.units, numbers.vial_units) for one in product.presentations):
        yield _text(f"The vial sizes of {product.brand} were not read from its label: check the vial in the hand.")
    labelled = [dose for dose in product.label_doses if dose.units.value is not None]
    largest = max(labelled, key=lambda dose: exact(dose.units.value or "0"), default=None)
    if largest is not None and total > exact(largest.units.value or "0"):
        yield _text(
            f"The planned {_short(total)} U are more than any dose on the label of {product.brand} that was read "
            f"(the largest: {_shown(largest.units)} U, {largest.area})."
        )
    ceiling = product.session_ceiling
    if ceiling is not None and ceiling.value is not None and total > exact(ceiling.value):
        yield _text(f"The planned {_short(total)} U are more than the label's {_shown(ceiling)} U a session.")
    graduation = numbers.technique_value("injection.syringe_graduation")
    for place in numbers.places:
        yield from _syringe(place, graduation)


def _syringe(place: PlannedPlace, graduation: Fraction) -> Iterator[Text]:
    share = place.share
    if share is None:
        return
    name = place.title.get("en", next(iter(place.title.values())))
    name = f"{name} ({place.where.side})" if place.where.side else name
    if read_on_syringe(share.volume_per_point, graduation).below:
        yield _text(
            f"{name}: {_short(share.volume_per_point)} mL per point is below the syringe's smallest mark of "
            f"{_short(graduation)} mL, so the dose of a single point is nominal."
        )
    whole = read_on_syringe(share.volume, graduation)
    if not whole.on_mark:
        yield _text(
            f"{name}: the syringe has no mark at the total of {_short(share.volume)} mL "
            f"(nearest {_short(whole.nearest)} mL)."
        )


def _units(numbers: Numbers) -> Fraction:
    return sum((place.share.dose.units for place in numbers.places if place.share is not None), Fraction(0))


def _is(number: SourcedNumber, value: Fraction) -> bool:
    return number.value is not None and exact(number.value) == value


def _shown(number: SourcedNumber) -> str:
    if number.value is None:
        return "(not read)"
    return number.value if number.mark in ("V", "D") else f"{number.value} (unverified)"


def _short(value: Fraction) -> str:
    shown = figure(value, "1")
    return f"about {shown.value}" if shown.nominal else shown.value


def _text(sentence: str) -> Text:
    return {"en": sentence}
