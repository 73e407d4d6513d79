"""From complete numbers to the plan of one session. The plan is total: every template field is in it or in `dropped`.

`resolve_numbers` finds the figures and says what is missing; `draft_plan` writes them down. Ids, pins, dates and the
draft flag are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...contracts.base import Model
from ...contracts.canonical import digest
from ...contracts.common import Figure, Pin, RecordPin, RegionSide
from ...contracts.problems import Problem, ProblemsError
from ...contracts.procedure import (
    DroppedField,
    PlannedAftercare,
    PlannedAnaesthetic,
    PlannedConsumable,
    PlannedDilution,
    PlannedInjection,
    PlannedParameter,
    PlannedRegion,
    ProcedurePlan,
    ProcedureTemplate,
)
from ...contracts.safety import SessionKind
from ..numbers import figure
from .notes import evidence_text, notes, warnings
from .placing import PlannedPlace
from .resolving import MissingNumbersError, Numbers, resolve_numbers

__all__ = [
    "MissingNumbersError",
    "Numbers",
    "PreparedPlan",
    "draft_plan",
    "prepare_plan",
    "resolve_numbers",
]

_LEFT_OUT = (
    ("/$schema", "Helps an editor; the pinned template keeps it."),
    ("/type", "The plan is a document of its own kind."),
    ("/status", "A row of the library; the plan's `draft` says what holds for this clinic."),
    ("/digest", "The pin holds the digest of the bytes as read."),
    ("/review", "The pinned template keeps who reviewed it; approval for the clinic is a record of its own."),
)
_LEFT_OUT_FIELDS = {"schema_", *(path[1:] for path, _ in _LEFT_OUT)}


@dataclass(frozen=True, slots=True)
class PreparedPlan:
    """What a plan says that rests on its numbers alone, whoever is treated and whenever. Made by `prepare_plan`."""

    numbers: Numbers
    members: Mapping[str, Any]


def prepare_plan(numbers: Numbers) -> PreparedPlan:
    """Prepare complete numbers for many calls of `draft_plan`. Raises as that does."""
    numbers.require()
    source = numbers.template
    members: dict[str, Any] = {
        "product_id": numbers.product.id if numbers.product else None,
        "market": numbers.market,
        "sample": numbers.protocol is not None and numbers.protocol.sample,
        "title": source.title,
        "summary": source.summary,
        "off_label": source.off_label,
        "injection": _injection(numbers),
        "parameters": tuple(settled.planned(one.title) for one, settled in numbers.parameters),
        "regions": numbers.regions,
        "skin_preparation": source.skin_preparation,
        "anaesthetic": _anaesthetic(numbers),
        "steps": source.steps,
        "consumables": _consumables(numbers),
        "aftercare": _aftercare(numbers),
        "evidence": numbers.statements,
        "alternatives": source.alternatives,
        "consultation_form": source.consultation_form,
        "day_form": source.day_form,
        "schedule": source.schedule,
        "consent_texts": source.consent_texts,
        "instruments": source.instruments,
        "not_given": numbers.not_given,
        "dropped": (*_left_out(source), *numbers.dropped),
        "warnings": tuple(warnings(numbers)),
    }
    parts = ("product_id", "regions", "parameters", "anaesthetic", "injection")
    members["substance"] = _substance(source.id, *(members[part] for part in parts))
    return PreparedPlan(numbers, members)


def draft_plan(
    numbers: Numbers | PreparedPlan,
    *,
    id: str,
    clinic: str,
    patient: str,
    consultation: RecordPin,
    assessment: RecordPin,
    template: Pin,
    treatment_date: str,
    created_at: str,
    draft: bool,
    product: Pin | None = None,
    protocol: Pin | None = None,
    session: SessionKind = "first",
    tops_up: str | None = None,
) -> ProcedurePlan:
    """Return the plan of one session.

    Raises `MissingNumbersError` with every missing figure, or `ProblemsError` with everything else that is wrong.
    """
    prepared = numbers if isinstance(numbers, PreparedPlan) else prepare_plan(numbers)
    _check_pins(prepared.numbers, template, product, protocol)
    return ProcedurePlan(
        id=id,
        clinic=clinic,
        patient=patient,
        consultation=consultation,
        assessment=assessment,
        template=template,
        protocol=protocol,
        product=product,
        session=session,
        tops_up=tops_up,
        treatment_date=treatment_date,
        created_at=created_at,
        draft=draft,
        **prepared.members,
    )


def _substance(
    template: str,
    product: str | None,
    regions: Iterable[RegionSide],
    parameters: Iterable[PlannedParameter],
    anaesthetic: PlannedAnaesthetic | None,
    injection: PlannedInjection | None,
) -> str:
    """Return the digest of what is clinically planned: template and product by id, doses, dilution, technique.

    Ids of records, dates, versions, wording and vial counts stay outside, so an unchanged repeat has the same.
    """
    substance: dict[str, object] = {
        "template": template,
        "product": product or "",
        "regions": sorted([one.region, one.side or ""] for one in regions),
        "parameters": sorted([one.key, one.value, one.unit] for one in parameters),
        "anaesthetic": [anaesthetic.id] if anaesthetic else [],
    }
    if anaesthetic and anaesthetic.planned:
        substance["contact_time"] = [anaesthetic.planned.value, anaesthetic.planned.unit]
    if injection is not None:
        substance["injection"] = {
            "inn": injection.inn,
            "unit": injection.unit_id,
            "route": injection.route,
            "vial": [injection.vial_units.value, injection.vial_volume.value if injection.vial_volume else ""],
            "dilution": [
                [one.diluent, one.draw.value if one.draw else "", one.add.value] for one in injection.dilutions
            ],
            "technique": sorted([one.key, one.value, one.unit] for one in injection.technique),
            "doses": sorted(
                [one.region, one.side or "", str(one.points), one.volume.value, one.units.value]
                for one in injection.regions
            ),
        }
    return digest(substance)


def _injection(numbers: Numbers) -> PlannedInjection | None:
    source, product, solution, supply = numbers.template.injection, numbers.product, numbers.solution, numbers.supply
    if source is None or product is None or solution is None or supply is None:
        return None
    unit = product.unit_id
    return PlannedInjection(
        inn=product.inn,
        brand=product.brand,
        unit_id=unit,
        route=source.route,
        vial_units=figure(solution.vial_units, unit),
        vial_volume=figure(solution.vial_volume, "mL") if solution.vial_volume else None,
        vials=supply.vials,
        dilutions=_dilutions(numbers),
        concentration=figure(solution.concentration, _per_ml(unit)),
        per_tenth=figure(solution.per_tenth, unit),
        regions=tuple(_region(numbers, place) for place in numbers.places),
        total_units=figure(solution.dose(numbers.volume).units, unit),
        total_volume=figure(numbers.volume, "mL"),
        waste_units=figure(supply.waste.units, unit),
        waste_volume=figure(supply.waste_volume, "mL"),
        inputs=tuple(settled.planned() for settled in numbers.inputs),
        technique=tuple(settled.planned() for settled in numbers.technique),
        end_point=source.end_point,
        avoid=source.avoid,
        notes=tuple(notes(numbers)),
    )


def _dilutions(numbers: Numbers) -> tuple[PlannedDilution, ...]:
    solution, supply = numbers.solution, numbers.supply
    if solution is None or supply is None:
        return ()
    done = zip(solution.mixes, supply.batches, supply.left, strict=True)
    return tuple(
        PlannedDilution(
            id=mix.step.id,
            diluent=mix.step.diluent,
            draw=_ml(mix.step.draw) if mix.step.draw is not None else None,
            add=_ml(mix.step.add),
            volume=_ml(mix.volume),
            units=figure(mix.units, solution.unit_id),
            concentration=figure(mix.concentration, _per_ml(solution.unit_id)),
            batches=batches,
            left=_ml(left),
        )
        for mix, batches, left in done
    )


def _region(numbers: Numbers, place: PlannedPlace) -> PlannedRegion:
    share = place.share
    if share is None:
        raise AssertionError("complete numbers have a share for every region")
    return PlannedRegion(
        region=place.where.region,
        side=place.where.side,
        title=place.title,
        points=share.points,
        volume=_ml(share.volume),
        units=figure(share.dose.units, share.dose.unit_id),
        volume_per_point=_nominal(_ml(share.volume_per_point)),
        units_per_point=_nominal(figure(share.units_per_point, share.dose.unit_id)),
        evidence=evidence_text(numbers, place),
        notes=place.region.notes if place.region else (),
    )


def _anaesthetic(numbers: Numbers) -> PlannedAnaesthetic | None:
    chosen = numbers.anaesthetic
    if chosen is None:
        return None
    held = numbers.extras.get(f"anaesthetic.{chosen.id}.contact_time")
    return PlannedAnaesthetic(**_fields(chosen), planned=held.planned() if held else None)


def _consumables(numbers: Numbers) -> tuple[PlannedConsumable, ...]:
    held = numbers.extras
    return tuple(
        PlannedConsumable(
            **_fields(one),
            planned=held[key].planned(one.title) if (key := f"consumable.{one.id}") in held else None,
        )
        for one in numbers.template.consumables
    )


def _aftercare(numbers: Numbers) -> tuple[PlannedAftercare, ...]:
    held = numbers.extras
    return tuple(
        PlannedAftercare(
            **_fields(one), planned=held[key].planned() if (key := f"aftercare.{one.id}") in held else None
        )
        for one in numbers.template.aftercare
    )


def _left_out(template: ProcedureTemplate) -> tuple[DroppedField, ...]:
    document = template.model_dump(by_alias=True, exclude_unset=True, exclude_none=True, include=_LEFT_OUT_FIELDS)
    present = ((path, reason) for path, reason in _LEFT_OUT if path[1:] in document)
    return tuple(DroppedField(path=path, reason=reason) for path, reason in present)


def _check_pins(numbers: Numbers, template: Pin, product: Pin | None, protocol: Pin | None) -> None:
    pairs = (("template", template, numbers.template), ("product", product, numbers.product))
    wrong = [
        Problem(
            code="plan.pin",
            sentence=f"The pin of the {name} is not of the document that the figures come from.",
            pointer=f"/{name}",
            next_step="Pin the very documents that were resolved.",
        )
        for name, pin, document in (*pairs, ("protocol", protocol, numbers.protocol))
        if (pin and (pin.id, pin.version)) != (document and (document.id, document.version))
    ]
    if wrong:
        raise ProblemsError(wrong)


def _fields(model: Model) -> dict[str, Any]:
    """Return the fields of a model as they are, for a model that adds some."""
    return dict(model.__dict__)


def _ml(value: Fraction) -> Figure:
    return figure(value, "mL")


def _nominal(shown: Figure) -> Figure:
    return shown.model_copy(update={"nominal": True})


def _per_ml(unit: str) -> str:
    return f"{unit}/mL"
