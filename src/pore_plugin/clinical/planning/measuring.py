"""What each region and side gets: its points and one measure, by protocol or by sourced figures of the template."""

from __future__ import annotations

from collections.abc import Mapping

from ...contracts.common import RegionSide, SourcedNumber
from ...contracts.procedure import ClinicProtocol, Injection, TemplateRegion
from ...contracts.products import Product
from .dose import Solution, share_out
from .placing import PlannedPlace, place_key
from .settling import Ledger, Settled, Slot

__all__ = ["check_protocol_regions", "drop_other_inns", "share_place"]

_MOST_POINTS = 1000


def drop_other_inns(ledger: Ledger, injection: Injection, inn: str) -> None:
    """Leave out what the template holds for INNs that are not planned."""
    for index, other in enumerate(injection.inns):
        if other != inn:
            ledger.drop(f"/injection/inns/{index}", "Another INN than the product's.")
    for index, region in enumerate(injection.regions):
        for number, units in enumerate(region.units):
            if units.inn != inn:
                ledger.drop(f"/injection/regions/{index}/units/{number}", "A figure of another INN.")


def share_place(
    ledger: Ledger,
    place: PlannedPlace,
    injection: Injection,
    product: Product,
    protocol: ClinicProtocol | None,
    solution: Solution | None,
    inputs: list[Settled],
) -> PlannedPlace:
    """Return the place with its share of the solution, as far as its figures are there; notes them in `inputs`."""
    region, where = place.region, place.where
    if region is None:
        return place
    measuring = _Measuring(ledger, region, where, f"/injection/regions/{injection.regions.index(region)}", product)
    own = next((one for one in protocol.regions if place_key(one) == place_key(where)), None) if protocol else None
    points = measuring.points(str(own.points) if own else None)
    given = {
        "volume_per_point": own.volume_per_point if own else None,
        "volume": own.volume if own else None,
        "units": own.units if own else None,
    }
    measures = measuring.given(given) if any(given.values()) else measuring.sourced()
    inputs += [*([points] if points else []), *measures.values()]
    if solution is None or points is None or not measures:
        return place
    found = [share_out(solution, int(points.value), **{name: measure.value}) for name, measure in measures.items()]
    if len(found) == 2 and found[0] != found[1]:
        ledger.wrong(
            "plan.sums",
            "Points times volume per point times concentration is not the units that the template states.",
            "Give one measure of this region in the clinic's protocol.",
            measuring.path,
        )
    return PlannedPlace(where, place.title, region, found[0])


class _Measuring:
    """The figures of one region and side: points, and one measure."""

    def __init__(self, ledger: Ledger, region: TemplateRegion, where: RegionSide, path: str, product: Product) -> None:
        self.ledger, self.region, self.where, self.path, self.product = ledger, region, where, path, product
        self.base = f"region.{region.region}"

    def slot(self, name: str, path: str, accept: str = "", unit: str = "") -> Slot:
        side = f".{self.where.side}" if self.where.side else ""
        return Slot(
            f"{self.base}.{name}",
            "The dose of this region rests on it.",
            path,
            shown=f"{self.base}{side}.{name}",
            accept=accept,
            side=self.where.side,
            unit=unit,
        )

    def points(self, given: str | None) -> Settled | None:
        slot = self.slot("points", f"{self.path}/points")
        points = self.ledger.look(self.region.points, slot, given)
        if points is not None and (points.value.denominator != 1 or points.value > _MOST_POINTS):
            self.ledger.wrong(
                "plan.points", "Points are a whole number up to 1000.", "Correct the figure.", f"{slot.path}/value"
            )
            return None
        return points

    def given(self, given: Mapping[str, str | None]) -> dict[str, Settled]:
        """Return the protocol's measure; the template's are left out."""
        for path, _, _ in self._measures().values():
            self.ledger.drop(path.removesuffix("/number"), "The clinic's protocol measures this region.")
        ((name, text),) = ((name, text) for name, text in given.items() if text is not None)
        unit = self.product.unit_id if name == "units" else "mL"
        settled = self.ledger.take(text, unit, self.slot(name, ""))
        return {name: settled} if settled else {}

    def sourced(self) -> dict[str, Settled]:
        """Return the template's usable measures, at best both; without any, what is missing is noted."""
        measures = self._measures()
        usable = {name: one for name, one in measures.items() if self.ledger.usable(one[1], one[2])}
        if usable:
            for name, (path, _, _) in measures.items():
                if name not in usable:
                    self.ledger.drop(
                        path.removesuffix("/number"), "Empty or not accepted; another measure of this region holds."
                    )
            looked = {name: self.ledger.look(number, slot) for name, (_, number, slot) in usable.items()}
            return {name: settled for name, settled in looked.items() if settled is not None}
        suggested = {name: one for name, one in measures.items() if one[1].mark == "T"}
        for _, number, slot in (suggested or {"volume_per_point": measures["volume_per_point"]}).values():
            self.ledger.miss(number, slot)
        return {}

    def _measures(self) -> dict[str, tuple[str, SourcedNumber, Slot]]:
        path, inn = f"{self.path}/volume_per_point", self.product.inn
        found = {"volume_per_point": (path, self.region.volume_per_point, self.slot("volume_per_point", path))}
        for index, units in enumerate(self.region.units):
            if units.inn == inn:
                path = f"{self.path}/units/{index}/number"
                slot = self.slot("units", path, f"{self.base}.units.{inn}", self.product.unit_id)
                found["units"] = (path, units.number, slot)
        return found


def check_protocol_regions(ledger: Ledger, injection: Injection, protocol: ClinicProtocol) -> None:
    """Refuse protocol figures for a region or side that the template does not treat."""
    sides = {region.region: region.sides or (None,) for region in injection.regions}
    for index, one in enumerate(protocol.regions):
        pointer = f"/protocol/regions/{index}"
        if one.region not in sides:
            ledger.wrong(
                "plan.unknown_region", "The protocol doses a region that is not treated.", "Remove it.", pointer
            )
        elif one.side not in sides[one.region]:
            ledger.wrong(
                "plan.unknown_side",
                "The protocol doses a side that the template does not have.",
                "Give each side of a paired region, and no side of the others.",
                pointer,
            )
