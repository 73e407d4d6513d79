"""What a plan says beside its figures: what the label shows, what no evidence supports, what a syringe cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from ...contracts.base import Text
from ...contracts.common import SourcedNumber
from ..numbers import exact, figure
from ..safety.evidence import no_figure
from ..wording.localising import fill
from .dose import read_on_syringe
from .placing import PlannedPlace
from .resolving import Numbers

__all__ = ["evidence_text", "notes", "warnings"]

Said = Callable[[str], str]
"""What stands in a sentence, by its locale."""


def evidence_text(numbers: Numbers, place: PlannedPlace) -> Text | None:
    """Return the threshold's text for this INN and region, or that no figure is known; nothing is borrowed."""
    if numbers.product is None:
        return None
    for threshold in numbers.evidence.thresholds:
        here = (threshold.inn, threshold.region) == (numbers.product.inn, place.where.region)
        if here and threshold.units.value is not None:
            return threshold.text
    return no_figure(numbers.messages["evidence-none"], numbers.product, place.title, place.where.region)


def notes(numbers: Numbers) -> Iterator[Text]:
    """Yield what is shown for every injection."""
    product, solution = numbers.product, numbers.solution
    if product is None or solution is None:
        return
    yield _text(numbers, "note-nominal")
    for label in product.reconstitutions:
        if _is(label.vial_units, solution.vial_units):
            yield _text(
                numbers,
                "note-label-dilution",
                product=product.brand,
                diluent=_shown(numbers, label.diluent),
                units=_shown(numbers, label.stated_units),
                volume=_shown(numbers, label.stated_volume),
                concentration=_short(numbers, solution.concentration),
            )
    doses = [(dose.area, _shown(numbers, dose.units)) for dose in product.label_doses if dose.units.value]
    if doses:
        yield _text(
            numbers,
            "note-label-doses",
            product=product.brand,
            doses=lambda locale: ", ".join(f"{area} {units(locale)} U" for area, units in doses),
        )
    if product.session_ceiling is not None and product.session_ceiling.value:
        yield _text(
            numbers,
            "note-session-ceiling",
            product=product.brand,
            ceiling=_shown(numbers, product.session_ceiling),
            units=_short(numbers, _units(numbers)),
        )


def warnings(numbers: Numbers) -> Iterator[Text]:
    """Yield what somebody should look at before treating."""
    product, total = numbers.product, _units(numbers)
    if product is None or not total:
        return
    units = _short(numbers, total)
    if not any(_is(one.units, numbers.vial_units) for one in product.presentations):
        yield _text(numbers, "warning-vial-sizes", product=product.brand)
    labelled = [dose for dose in product.label_doses if dose.units.value is not None]
    largest = max(labelled, key=lambda dose: exact(dose.units.value or "0"), default=None)
    if largest is not None and total > exact(largest.units.value or "0"):
        yield _text(
            numbers,
            "warning-over-label-dose",
            units=units,
            product=product.brand,
            largest=_shown(numbers, largest.units),
            area=largest.area,
        )
    ceiling = product.session_ceiling
    if ceiling is not None and ceiling.value is not None and total > exact(ceiling.value):
        yield _text(numbers, "warning-over-ceiling", units=units, ceiling=_shown(numbers, ceiling))
    graduation = numbers.technique_value("injection.syringe_graduation")
    for place in numbers.places:
        yield from _syringe(numbers, place, graduation)


def _syringe(numbers: Numbers, place: PlannedPlace, graduation: Fraction) -> Iterator[Text]:
    share = place.share
    if share is None:
        return
    name = _name(numbers, place)
    if read_on_syringe(share.volume_per_point, graduation).below:
        yield _text(
            numbers,
            "warning-below-mark",
            region=name,
            volume=_short(numbers, share.volume_per_point),
            graduation=_short(numbers, graduation),
        )
    whole = read_on_syringe(share.volume, graduation)
    if not whole.on_mark:
        yield _text(
            numbers,
            "warning-no-mark",
            region=name,
            volume=_short(numbers, share.volume),
            nearest=_short(numbers, whole.nearest),
        )


def _name(numbers: Numbers, place: PlannedPlace) -> Said:
    side = place.where.side

    def name(locale: str) -> str:
        title = place.title.get(locale, place.where.region)
        return fill(numbers.messages[f"place-{side}"][locale], {"region": title}) if side else title

    return name


def _units(numbers: Numbers) -> Fraction:
    return sum((place.share.dose.units for place in numbers.places if place.share is not None), Fraction(0))


def _is(number: SourcedNumber, value: Fraction) -> bool:
    return number.value is not None and exact(number.value) == value


def _shown(numbers: Numbers, number: SourcedNumber) -> Said:
    value = number.value
    if value is None:
        return lambda locale: numbers.messages["figure-not-read"][locale]
    if number.mark in ("V", "D"):
        return lambda _: value
    return lambda locale: fill(numbers.messages["figure-unverified"][locale], {"value": value})


def _short(numbers: Numbers, value: Fraction) -> Said:
    shown = figure(value, "1")
    if not shown.nominal:
        return lambda _: shown.value
    return lambda locale: fill(numbers.messages["figure-about"][locale], {"value": shown.value})


def _text(numbers: Numbers, message: str, **values: str | Said) -> Text:
    """Return a message in all its locales; all messages have the same."""
    return {
        locale: fill(sentence, {name: one if isinstance(one, str) else one(locale) for name, one in values.items()})
        for locale, sentence in numbers.messages[message].items()
    }
