"""How a vial of the planned product becomes the working solution, by protocol, template or label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from ...contracts.common import SourcedNumber
from ...contracts.problems import ProblemsError
from ...contracts.procedure import ClinicProtocol, DilutionScheme, Injection
from ...contracts.products import Presentation, Product
from ..numbers import exact
from .dose import DilutionStep, Solution, prepare
from .settling import Ledger, Settled, Sign, Slot

__all__ = ["TECHNIQUE", "given_anaesthetic", "settle_dilution"]

TECHNIQUE = ("spacing", "depth", "angle", "needle_gauge", "needle_length", "syringe_graduation")
"""The technique figures of an injection; all of them are required."""

_WHY = "The concentration rests on it."


def given_anaesthetic(chosen: str | None, diluents: Iterable[str], local: Mapping[str, bool]) -> str | None:
    """Return the anaesthetic that a session gives: the chosen one, or a local one that is in a diluent.

    A diluent whose name holds `caine` is read as a local anaesthetic: our design choice. `local` says which choices
    are local ones; an unknown one counts as local, and a local choice stands for both.
    """
    if chosen is not None and chosen != "none" and local.get(chosen, True):
        return chosen
    return next((diluent for diluent in diluents if "caine" in diluent.lower()), chosen)


def settle_dilution(
    ledger: Ledger, injection: Injection, product: Product, protocol: ClinicProtocol | None
) -> tuple[Solution | None, list[Settled]]:
    """Return the working solution, `None` while figures lack or do not fit, and the figures it rests on."""
    schemes = {index: scheme for index, scheme in enumerate(injection.dilutions) if product.inn in scheme.inns}
    for index in range(len(injection.dilutions)):
        if index not in schemes:
            ledger.drop(f"/injection/dilutions/{index}", "A dilution of other INNs.")
    own = protocol.dilution if protocol else None
    if own is not None and protocol is not None:
        for index in schemes:
            ledger.drop(f"/injection/dilutions/{index}", "The clinic's protocol supplies the dilution.")
        return _finish(ledger, product, *_from_protocol(ledger, protocol, product))
    if len(schemes) > 1:
        ledger.wrong(
            "plan.two_dilutions",
            "The template has two dilutions for this INN.",
            "Give the dilution in the clinic's protocol.",
            "/injection/dilutions",
        )
        return None, []
    for index, scheme in schemes.items():
        return _finish(ledger, product, *_from_template(ledger, index, scheme, product))
    return _finish(ledger, product, *_from_label(ledger, product))


_Found = tuple[Settled | None, list[DilutionStep] | None, list[Settled]]


def _from_protocol(ledger: Ledger, protocol: ClinicProtocol, product: Product) -> _Found:
    own = protocol.dilution
    if own is None:
        return None, None, []
    if len({step.id for step in own.steps}) != len(own.steps):
        ledger.wrong("plan.duplicate_step", "Two dilution steps have the same id.", "Rename one.", "/dilution/steps")
        return None, None, []
    vial = ledger.take(own.vial_units, product.unit_id, Slot("dilution.vial_units", _WHY))
    inputs = [vial] if vial else []
    steps: list[DilutionStep] = []
    for step in own.steps:
        name = f"dilution.{step.id}"
        add = ledger.take(step.add, "mL", Slot(f"{name}.add", _WHY, sign="not-negative"))
        draw = ledger.take(step.draw, "mL", Slot(f"{name}.draw", _WHY)) if step.draw is not None else None
        if add is None or (step.draw is not None and draw is None):
            return vial, None, inputs
        steps.append(DilutionStep(step.id, step.diluent, add.value, draw.value if draw else None))
        inputs += [draw, add] if draw else [add]
    return vial, steps, inputs


def _from_template(ledger: Ledger, index: int, scheme: DilutionScheme, product: Product) -> _Found:
    path, inn = f"/injection/dilutions/{index}", product.inn
    for number, other in enumerate(scheme.inns):
        if other != inn:
            ledger.drop(f"{path}/inns/{number}", "Another INN than the product's.")

    def look(number: SourcedNumber, name: str, where: str, unit: str = "", sign: Sign = "positive") -> Settled | None:
        key = f"dilution.{name}"
        return ledger.look(number, Slot(key, _WHY, f"{path}/{where}", accept=f"{key}.{inn}", unit=unit, sign=sign))

    vial = look(scheme.vial_units, "vial_units", "vial_units", product.unit_id)
    inputs = [vial] if vial else []
    steps: list[DilutionStep] = []
    complete = True
    for number, step in enumerate(scheme.steps):
        draw = look(step.draw, f"{step.id}.draw", f"steps/{number}/draw") if step.draw is not None else None
        add = look(step.add, f"{step.id}.add", f"steps/{number}/add", sign="not-negative")
        inputs += [settled for settled in (draw, add) if settled is not None]
        if add is None or (step.draw is not None and draw is None):
            complete = False
        else:
            steps.append(DilutionStep(step.id, step.diluent, add.value, draw.value if draw else None))
    return vial, steps if complete else None, inputs


def _from_label(ledger: Ledger, product: Product) -> _Found:
    """A ready-to-use solution needs no scheme; for powder both figures are missing."""
    source = f"{product.id} {product.version}"
    only = product.presentations[0] if len(product.presentations) == 1 else None
    if only is not None and only.volume is not None:
        slot = Slot(
            "dilution.vial_units", _WHY, unit=product.unit_id, origin="label", accept=_label_key(product, "units")
        )
        vial = ledger.look(only.units, slot)
        return vial, [], [vial] if vial else []
    seen = product.presentations[0].units.checked_on
    ledger.miss(SourcedNumber(unit=product.unit_id, source=source, checked_on=seen), Slot("dilution.vial_units", _WHY))
    if all(one.volume is None for one in product.presentations):
        ledger.miss(SourcedNumber(unit="mL", source=source, checked_on=seen), Slot("dilution.step-1.add", _WHY))
    return None, None, []


def _finish(
    ledger: Ledger,
    product: Product,
    vial: Settled | None,
    steps: list[DilutionStep] | None,
    inputs: list[Settled],
) -> tuple[Solution | None, list[Settled]]:
    if vial is None:
        # Said at once and not only after the vial's units have been supplied.
        if len(product.presentations) == 1:
            _volume(ledger, product, product.presentations[0])
        return None, inputs
    presentation = _presentation(product, vial.value)
    if presentation is None:
        ledger.wrong(
            "plan.unknown_presentation",
            "The product has no vial with these units.",
            "Give a dilution of one of its vials in the clinic's protocol.",
        )
        return None, inputs
    volume = _volume(ledger, product, presentation)
    if presentation.volume is not None:
        if volume is None:
            return None, inputs
        inputs = [*inputs, volume]
    if steps is None:
        return None, inputs
    try:
        return prepare(product.unit_id, vial.value, steps, volume.value if volume else Fraction(0)), inputs
    except ProblemsError as error:
        ledger.problems += error.problems
        return None, inputs


def _volume(ledger: Ledger, product: Product, presentation: Presentation) -> Settled | None:
    """Return the volume of a ready-to-use vial; `None` for powder, or noted as missing."""
    if presentation.volume is None:
        return None
    slot = Slot("dilution.vial_volume", _WHY, origin="label", accept=_label_key(product, "volume"))
    return ledger.look(presentation.volume, slot)


def _presentation(product: Product, units: Fraction) -> Presentation | None:
    """Return the vial of this size, else one whose size was not read; `None` when the product has no such vial."""
    unread = None
    for one in product.presentations:
        if one.units.value is None:
            unread = unread or one
        elif exact(one.units.value) == units:
            return one
    return unread


def _label_key(product: Product, name: str) -> str:
    return f"dilution.vial_{name}.{product.id}"
