"""What people, regions, products and measures are called: records hold ids, sheets show names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..contracts import (
    Clinic,
    ContentDocument,
    Instrument,
    ProcedurePlan,
    ProcedureTemplate,
    Product,
    RegionMap,
    RegionSide,
)
from .words import place, words

__all__ = ["Names", "figure_name", "figure_titles", "names_of"]

_MEASURES = {"units": "units", "volume_per_point": "volume per point"}


@dataclass(frozen=True)
class Names:
    """Names in one language, by id. An id that has none is shown as it is."""

    regions: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, str] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)
    anaesthetics: Mapping[str, str] = field(default_factory=dict)

    def person(self, person_id: str) -> str:
        """Return the name of somebody who works here."""
        return self.people.get(person_id, person_id)


def names_of(clinic: Clinic, documents: Iterable[ContentDocument], locale: str) -> Names:
    """Return the names in a clinic's settings and in content documents, such as all of a catalogue.

    Older versions count where there is no newer one: a record may name what is not in use any more. What has no
    name in this language keeps its id.
    """
    regions: dict[str, str] = {}
    products: dict[str, str] = {}
    instruments: dict[str, str] = {}
    anaesthetics: dict[str, str] = {}
    for document in sorted(documents, key=_version):
        if isinstance(document, RegionMap):
            regions |= _said(((region.id, region.title) for region in document.regions), locale)
        elif isinstance(document, Product):
            products[document.id] = document.brand
        elif isinstance(document, Instrument):
            instruments |= _said([(document.id, document.title)], locale)
        elif isinstance(document, ProcedureTemplate):
            anaesthetics |= _said(((one.id, one.title) for one in document.anaesthetics), locale)
    people = {person.id: person.name for person in clinic.people}
    return Names(regions, people, products, instruments, anaesthetics)


def _version(document: ContentDocument) -> tuple[int, ...]:
    return tuple(int(part) for part in document.version.partition("+")[0].split("."))


def _said(titles: Iterable[tuple[str, Mapping[str, str]]], locale: str) -> dict[str, str]:
    language = locale.partition("-")[0]
    found = ((name, title.get(locale) or title.get(language)) for name, title in titles)
    return {name: title for name, title in found if title}


def figure_titles(plan: ProcedurePlan, locale: str) -> dict[str, str]:
    """Return what the plan calls its figures, by key."""
    return _said(
        [
            *((figure.key, figure.title) for figure in plan.parameters if figure.title),
            *((f"consumable.{item.id}", item.title) for item in plan.consumables),
        ],
        locale,
    )


def figure_name(key: str, names: Names) -> str:
    """Return in words what a figure is, from the key that a protocol writes."""
    kind, _, rest = key.partition(".")
    where, _, measure = rest.rpartition(".")
    if kind == "region" and where:
        region, _, side = where.rpartition(".")
        at = RegionSide(region=region, side=side) if side in ("left", "right") else RegionSide(region=where)  # type: ignore[arg-type]
        return f"{place(at, names.regions)}: {_MEASURES.get(measure, words(measure))}"
    if kind == "anaesthetic" and where:
        return f"{names.anaesthetics.get(where, words(where))}: {words(measure)}"
    if kind == "dilution":
        return _dilution_name(where, measure)
    said = words(rest or key)
    return said[:1].upper() + said[1:]


def _dilution_name(step: str, measure: str) -> str:
    if measure.startswith("vial_"):
        return "Vial" if measure == "vial_units" else "Volume in the vial"
    return f"Dilution, {words(step)}: {'diluent to add' if measure == 'add' else 'to draw'}"
