"""What a suitability check looks at: the context with dates read, products looked up and answers side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from ...contracts.clinic import Market, Policies
from ...contracts.common import RegionSide
from ...contracts.products import EvidenceBase, Product, RegionMap
from ...contracts.safety import AssessmentContext, ToxinExposure
from ..forms.conditions import AnswerIndex, CompiledWhen, holds

__all__ = ["Past", "Situation", "by_region", "firing", "situation"]

_NO_ANSWERS: AnswerIndex = {}


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier exposure with its product's row looked up. `None` is unknown, in every member."""

    exposure: ToxinExposure
    day: date | None
    product: Product | None
    inn: str | None
    unit_id: str | None
    regions: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a check may read. `view` are the planned regions, or else the regions in view; empty = all."""

    context: AssessmentContext
    day: date
    product: Product | None
    past: tuple[Past, ...]
    view: tuple[RegionSide, ...]
    sources: tuple[AnswerIndex, ...]
    """The answers of the consultation, then those of the day of treatment where it was asked again."""
    merged: AnswerIndex
    products: Mapping[str, Product]
    regions: RegionMap
    evidence: EvidenceBase
    market: Market
    policies: Policies
    anaesthetics: Mapping[str, bool]
    memo: dict[object, object] = field(default_factory=dict)
    """What checks share within one assessment."""

    @property
    def toxin(self) -> Literal["planned", "open", "none"]:
        """Whether toxin doses are planned, not planned yet, or left out of this session on purpose."""
        if self.context.planned:
            return "planned"
        return "none" if self.context.planned == () and self.context.product is None else "open"


def situation(
    context: AssessmentContext,
    *,
    answers: AnswerIndex,
    day_answers: AnswerIndex | None,
    products: Mapping[str, Product],
    regions: RegionMap,
    evidence: EvidenceBase,
    market: Market,
    policies: Policies,
    anaesthetics: Mapping[str, bool],
) -> Situation:
    """Look everything up once. Unknown products, dates and regions become `None`, never an error."""
    sources = (answers,) if day_answers is None else (answers, day_answers)
    planned = context.planned or ()
    return Situation(
        context=context,
        day=date.fromisoformat(context.date),
        product=None if context.product is None else products.get(context.product),
        past=tuple(_past(exposure, products) for exposure in context.history),
        view=by_region(((dose.region, dose.side) for dose in planned) if planned else _sides(context.regions)),
        sources=sources,
        merged=_union(answers, day_answers) if day_answers else answers,
        products=products,
        regions=regions,
        evidence=evidence,
        market=market,
        policies=policies,
        anaesthetics=anaesthetics,
    )


def _past(exposure: ToxinExposure, products: Mapping[str, Product]) -> Past:
    row = None if exposure.product is None else products.get(exposure.product)
    inn = exposure.inn or (row.inn if row else None)
    unit_id = exposure.unit_id or (row.unit_id if row else None)
    if unit_id is None and exposure.product is None and inn is not None:
        # Known by INN only: its unit is known where every brand of that INN has the same one.
        units = {product.unit_id for product in products.values() if product.inn == inn}
        unit_id = units.pop() if len(units) == 1 else None
    regions = {place.region for place in exposure.regions} | {dose.region for dose in exposure.doses}
    day = None if exposure.date is None else date.fromisoformat(exposure.date)
    return Past(exposure, day, row, inn, unit_id, frozenset(regions) or None)


def _sides(regions: Iterable[RegionSide]) -> Iterable[tuple[str, Literal["left", "right"] | None]]:
    return ((place.region, place.side) for place in regions)


def by_region(places: Iterable[tuple[str, Literal["left", "right"] | None]]) -> tuple[RegionSide, ...]:
    """Return the regions and sides once each, sorted."""
    return tuple(
        RegionSide(region=region, side=side)
        for region, side in sorted(set(places), key=lambda place: (place[0], place[1] or ""))
    )


def _union(answers: AnswerIndex, day_answers: AnswerIndex) -> AnswerIndex:
    merged = dict(answers)
    for question, given in day_answers.items():
        merged[question] = merged.get(question, ()) + given
    return merged


def firing(when: CompiledWhen, found: Situation) -> tuple[AnswerIndex, ...]:
    """Return the answers over which the conditions hold: of each form by itself, else of both together.

    A later form adds, it never takes back: what either form says holds. Conditions that may be true of missing
    answers are asked only of a form that was answered at all, on the day of one that asked the question.
    """
    if when.may_hold_unanswered:
        return tuple(
            source
            for at, source in enumerate(found.sources)
            if (source if at == 0 else when.questions & source.keys()) and holds(when, source)
        )
    if not holds(when, found.merged):
        return ()
    if len(found.sources) == 1:
        return found.sources
    return tuple(source for source in found.sources if holds(when, source)) or (found.merged,)
