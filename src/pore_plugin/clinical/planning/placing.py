"""Which regions and sides of a template are treated in a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...contracts.base import Text
from ...contracts.common import RegionSide, Side
from ...contracts.procedure import ProcedureTemplate, ProtocolRegion, TemplateRegion
from ...contracts.products import RegionMap
from .dose import Share
from .settling import Ledger

__all__ = ["Place", "PlannedPlace", "place_key", "select_places"]

Place = tuple[str, Side | None]
"""A region id and its side."""


@dataclass(frozen=True, slots=True)
class PlannedPlace:
    """A region and side of the plan; `share` is there once its figures are, and only for injections."""

    where: RegionSide
    title: Text
    region: TemplateRegion | None = None
    share: Share | None = None


def select_places(
    ledger: Ledger, template: ProcedureTemplate, region_map: RegionMap, wanted: Sequence[RegionSide]
) -> list[PlannedPlace]:
    """Return the places to treat, in the template's order; the others are dropped."""
    offered = _offered(template)
    known = {region.id: region for region in region_map.regions}
    asked: list[Place] = []
    for index, one in enumerate(wanted):
        key, pointer = place_key(one), f"/regions/{index}"
        sides = {side for region, side in offered if region == one.region}
        if not sides or one.region not in known:
            ledger.wrong("plan.unknown_region", "The template does not treat this region.", "Choose others.", pointer)
        elif key not in offered and one.side is None:
            ledger.wrong("plan.side_needed", "This region has two sides.", "Name the side, once for each.", pointer)
        elif key not in offered:
            ledger.wrong("plan.unknown_side", "The template has no such side of this region.", "Correct it.", pointer)
        elif key in asked:
            ledger.wrong("plan.duplicate_region", "A region and side stands twice.", "Name it once.", pointer)
        else:
            asked.append(key)
    places: list[PlannedPlace] = []
    for key, (path, region) in offered.items():
        where = known.get(key[0])
        if key not in asked if wanted else region is not None and region.optional:
            ledger.drop(path, "Not planned for this session.")
        elif where is None or not where.treatable or where.paired != (key[1] is not None):
            ledger.wrong(
                "plan.region_map",
                "The template treats a region that the region map does not have in this way.",
                "Correct the template: treatable regions only, sides for paired ones only.",
                path,
            )
        else:
            places.append(PlannedPlace(RegionSide(region=key[0], side=key[1]), where.title, region))
    if not places and not wanted:
        ledger.wrong("plan.no_regions", "No region is planned.", "Choose at least one region.", "/regions")
    _drop_unplanned(ledger, template, {place.where.region for place in places})
    return places


def _offered(template: ProcedureTemplate) -> dict[Place, tuple[str, TemplateRegion | None]]:
    """Return each region and side of the template with its pointer."""
    if template.injection is None:
        return {(one.region, one.side): (f"/regions/{index}", None) for index, one in enumerate(template.regions)}
    offered: dict[Place, tuple[str, TemplateRegion | None]] = {}
    for index, region in enumerate(template.injection.regions):
        path = f"/injection/regions/{index}"
        for number, side in enumerate(region.sides):
            offered[region.region, side] = (f"{path}/sides/{number}", region)
        if not region.sides:
            offered[region.region, None] = (path, region)
    return offered


def _drop_unplanned(ledger: Ledger, template: ProcedureTemplate, planned: set[str]) -> None:
    for index, region in enumerate(template.injection.regions if template.injection else ()):
        path = f"/injection/regions/{index}"
        if region.region in planned:
            ledger.drop(f"{path}/optional", "The regions of this session are chosen.")
        else:
            ledger.drop(path, "Not planned for this session.")


def place_key(one: RegionSide | ProtocolRegion) -> Place:
    """Return the region and side."""
    return one.region, one.side
