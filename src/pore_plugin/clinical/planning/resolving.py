"""All numbers of one planned session: who is treated where with how much, resolved before anything is drafted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from types import MappingProxyType

from ...contracts.base import Text
from ...contracts.common import MarketId, RegionDose, RegionSide, SourcedNumber
from ...contracts.problems import Problem, ProblemsError
from ...contracts.procedure import (
    Anaesthetic,
    ClinicProtocol,
    DroppedField,
    Injection,
    MissingNumber,
    Parameter,
    ProcedureTemplate,
)
from ...contracts.products import Evidence, EvidenceBase, Product, RegionMap
from ..numbers import spell
from .diluting import TECHNIQUE, settle_dilution
from .dose import Solution, Supply
from .measuring import check_protocol_regions, drop_other_inns, share_place
from .placing import PlannedPlace, select_places
from .settling import Ledger, Settled, Slot

__all__ = ["MissingNumbersError", "Numbers", "resolve_numbers"]


_MOST_VIALS = 100


class MissingNumbersError(ProblemsError):
    """Raised when the plan lacks figures: `missing` holds all of them, `problems` them and whatever else is wrong."""

    def __init__(self, problems: Sequence[Problem], missing: Sequence[MissingNumber]) -> None:
        self.missing: tuple[MissingNumber, ...] = tuple(missing)
        super().__init__(problems)


@dataclass(frozen=True)
class Numbers:
    """What `resolve_numbers` found. Complete exactly when `problems` is empty; only then it can be drafted."""

    template: ProcedureTemplate
    market: MarketId
    product: Product | None
    protocol: ClinicProtocol | None
    places: tuple[PlannedPlace, ...]
    statements: tuple[Evidence, ...]
    evidence: EvidenceBase
    messages: Mapping[str, Text]
    solution: Solution | None
    inputs: tuple[Settled, ...]
    technique: tuple[Settled, ...]
    parameters: tuple[tuple[Parameter, Settled], ...]
    anaesthetic: Anaesthetic | None
    extras: Mapping[str, Settled]
    missing: tuple[MissingNumber, ...]
    not_given: tuple[MissingNumber, ...]
    problems: tuple[Problem, ...]
    dropped: tuple[DroppedField, ...]

    @property
    def regions(self) -> tuple[RegionSide, ...]:
        """The regions and sides to be treated."""
        return tuple(place.where for place in self.places)

    @property
    def doses(self) -> tuple[RegionDose, ...]:
        """Planned units per region and side, in the product's own unit; never rounded down."""
        return tuple(
            RegionDose(region=place.where.region, side=place.where.side, units=_spell_up(place.share.dose.units))
            for place in self.places
            if place.share is not None
        )

    @cached_property
    def volume(self) -> Fraction:
        """mL of working solution for all regions."""
        return sum((place.share.volume for place in self.places if place.share is not None), Fraction(0))

    @cached_property
    def supply(self) -> Supply | None:
        """The vials for all regions; `None` for a procedure without injection."""
        return self.solution.supply(self.volume) if self.solution is not None and self.volume else None

    @property
    def vial_units(self) -> Fraction:
        """U in one vial; zero for a procedure without injection."""
        return self.solution.vial_units if self.solution is not None else Fraction(0)

    def technique_value(self, name: str) -> Fraction:
        """Return a technique figure such as `injection.syringe_graduation` of complete numbers."""
        return next(settled.value for settled in self.technique if settled.key == name)

    def require(self) -> None:
        """Raise `MissingNumbersError` or `ProblemsError` with everything that is wrong, if anything is."""
        if self.missing:
            raise MissingNumbersError(self.problems, self.missing)
        if self.problems:
            raise ProblemsError(self.problems)


def resolve_numbers(
    template: ProcedureTemplate,
    *,
    market: MarketId,
    region_map: RegionMap,
    evidence: EvidenceBase,
    messages: Mapping[str, Text],
    product: Product | None = None,
    protocol: ClinicProtocol | None = None,
    regions: Sequence[RegionSide] = (),
    anaesthetic: str | None = None,
    accepted: Collection[str] = (),
) -> Numbers:
    """Return every number of a session with what is missing and wrong, all at once; nothing is raised.

    `market` is the clinic's; `messages` are the sentences of a plan's notes and warnings. `regions` empty means all
    that are not optional. `accepted` holds the keys of the suggestions that the clinic's prescriber accepts, each
    `<template id>/<key>` as `MissingNumber.accept` spells it.
    A figure comes from the protocol, else from the template when marked V or D, else when marked T and accepted.
    """
    ledger = Ledger(template.id, protocol, accepted)
    injected = template.injection
    _check_match(ledger, template, market, product, protocol)
    places = select_places(ledger, template, region_map, regions)
    solution: Solution | None = None
    inputs: list[Settled] = []
    technique: list[Settled] = []
    if injected is not None:
        technique = [found for name in TECHNIQUE if (found := _technique(ledger, injected, name)) is not None]
        if product is not None and product.inn in injected.inns:
            solution, inputs = settle_dilution(ledger, injected, product, protocol)
            drop_other_inns(ledger, injected, product.inn)
            places = [share_place(ledger, place, injected, product, protocol, solution, inputs) for place in places]
            _check_supply(ledger, solution, places)
    chosen, extras = _extras(ledger, template, anaesthetic)
    ledger.check_keys(_known_keys(template))
    parameters = tuple(_parameters(ledger, template))
    statements = tuple(_statements(ledger, template, evidence))
    return Numbers(
        template=template,
        market=market,
        product=product,
        protocol=protocol,
        places=tuple(places),
        statements=statements,
        evidence=evidence,
        messages=messages,
        solution=solution,
        inputs=tuple(inputs),
        technique=tuple(technique),
        parameters=parameters,
        anaesthetic=chosen,
        extras=MappingProxyType(extras),
        missing=ledger.missing,
        not_given=ledger.not_given,
        problems=(*ledger.problems, *(_lacking(number) for number in ledger.missing)),
        dropped=ledger.dropped,
    )


def _check_match(
    ledger: Ledger,
    template: ProcedureTemplate,
    market: MarketId,
    product: Product | None,
    protocol: ClinicProtocol | None,
) -> None:
    injected = template.injection
    if injected is None and product is not None:
        ledger.wrong("plan.product_unexpected", "This template injects nothing.", "Leave the product out.", "/product")
    if injected is not None and product is None:
        ledger.wrong("plan.product_needed", "This template needs a product.", "Choose the product.", "/product")
    if product is not None and injected is not None and product.inn not in injected.inns:
        ledger.wrong(
            "plan.inn",
            "The template does not list this product's INN.",
            "Choose a product or a template that fit; figures of another product are never used.",
            "/product",
        )
    if product is not None and product.market != market:
        ledger.wrong(
            "plan.market",
            "The product's label is for another market than the clinic's.",
            "Choose the product of the clinic's own market.",
            "/product",
        )
    if protocol is None:
        return
    if protocol.template != template.id:
        ledger.wrong("plan.protocol_template", "The protocol is for another template.", "Choose its own.", "/protocol")
    if protocol.product != (product.id if product else None):
        ledger.wrong(
            "plan.protocol_product",
            "The protocol's figures are not for this product.",
            "Use a protocol that names this product; figures are never borrowed.",
            "/protocol",
        )
    if injected is None and (protocol.dilution is not None or protocol.regions):
        ledger.wrong(
            "plan.protocol_unexpected",
            "The protocol gives doses for a template that injects nothing.",
            "Give parameters only.",
            "/protocol",
        )
    if injected is not None:
        check_protocol_regions(ledger, injected, protocol)


def _check_supply(ledger: Ledger, solution: Solution | None, places: Sequence[PlannedPlace]) -> None:
    volume = sum((place.share.volume for place in places if place.share is not None), Fraction(0))
    if solution is None or not volume:
        return
    supply = solution.supply(volume)
    if max(supply.vials, *supply.batches, 0) > _MOST_VIALS:
        ledger.wrong(
            "plan.too_many_vials",
            "This session would take more than a hundred vials or batches.",
            "Correct the volumes or the dilution.",
        )


def _technique(ledger: Ledger, injection: Injection, name: str) -> Settled | None:
    number: SourcedNumber = getattr(injection, name)
    slot = Slot(f"injection.{name}", "Safe technique needs it.", f"/injection/{name}")
    return ledger.look(number, slot)


def _extras(
    ledger: Ledger, template: ProcedureTemplate, wanted: str | None
) -> tuple[Anaesthetic | None, dict[str, Settled]]:
    """Return the chosen anaesthetic, and what holds for it, for consumables and for aftercare, by key."""
    chosen: Anaesthetic | None = None
    looked: list[Settled | None] = []
    for index, one in enumerate(template.anaesthetics):
        path = f"/anaesthetics/{index}"
        if one.id != wanted:
            ledger.drop(path, "Not chosen for this session.")
            continue
        chosen = one
        slot = Slot(f"anaesthetic.{one.id}.contact_time", "Safe anaesthesia needs it.", f"{path}/contact_time")
        looked.append(ledger.look(one.contact_time, slot))
    if wanted is not None and chosen is None:
        ledger.wrong(
            "plan.unknown_anaesthetic",
            "The template has no such anaesthetic.",
            "Choose one of its own.",
            "/anaesthetic",
        )
    numbers = [("consumable", item.id, item.quantity) for item in template.consumables]
    numbers += [("aftercare", item.id, item.value) for item in template.aftercare]
    for kind, name, number in numbers:
        # Copied whole beside the figure that holds, so nothing of it is dropped.
        slot = Slot(f"{kind}.{name}", "The sheet prints it.", sign="not-negative", required=False)
        looked.append(ledger.look(number, slot))
    return chosen, {settled.key: settled for settled in looked if settled is not None}


def _parameters(ledger: Ledger, template: ProcedureTemplate) -> Iterator[tuple[Parameter, Settled]]:
    for index, one in enumerate(template.parameters):
        path = f"/parameters/{index}"
        slot = Slot(
            f"parameter.{one.id}",
            "The procedure needs it.",
            f"{path}/number",
            sign="any" if one.number.unit == "Cel" else "not-negative",
            required=one.required,
        )
        settled = ledger.look(one.number, slot)
        if settled is not None:
            ledger.drop(f"{path}/required", "The figure is there.")
            yield one, settled
        elif not one.required:
            for name in ("title", "required", "number/checked_on", *(["number/mark"] if one.number.mark else [])):
                ledger.drop(f"{path}/{name}", "Nobody gave the figure; it is listed under not_given.")


def _statements(ledger: Ledger, template: ProcedureTemplate, evidence: EvidenceBase) -> Iterator[Evidence]:
    by_id = {statement.id: statement for statement in evidence.statements}
    for index, one in enumerate(template.evidence):
        if one in by_id:
            yield by_id[one]
        else:
            ledger.wrong(
                "plan.unknown_evidence",
                "The template refers to an evidence statement that does not exist.",
                "Correct the id, or add the statement to the evidence base.",
                f"/evidence/{index}",
            )


def _known_keys(template: ProcedureTemplate) -> Iterator[str]:
    if template.injection is not None:
        yield from (f"injection.{name}" for name in TECHNIQUE)
        yield "dilution.vial_volume"
    yield from (f"parameter.{one.id}" for one in template.parameters)
    yield from (f"anaesthetic.{one.id}.contact_time" for one in template.anaesthetics)
    yield from (f"consumable.{one.id}" for one in template.consumables)
    yield from (f"aftercare.{one.id}" for one in template.aftercare)


def _lacking(number: MissingNumber) -> Problem:
    accept = f'Accept {number.suggestion} under "{number.accept}", or give' if number.suggestion else "Give"
    return Problem(
        code="plan.missing_number",
        sentence=f"The plan lacks {number.key} in {number.unit}. {number.reason}",
        next_step=f"{accept} it in the clinic's protocol.",
    )


def _spell_up(units: Fraction) -> str:
    try:
        return spell(units)
    except ValueError:
        return spell(Fraction(ceil(units * 10**4), 10**4))
