"""What the plan injects: what to draw up, doses per region, technique, and the figures behind them."""

from collections.abc import Iterable, Iterator

from ..clinical.wording.localising import localise
from ..contracts import Pin, PlannedInjection, PlannedParameter, PlannedRegion
from .names import Names, figure_name
from .words import amount, diluent_name, statement, table

__all__ = ["injection_lines", "origin"]

_ORIGINS = {"template": "template", "label": "label", "suggestion-accepted": "accepted suggestion"}


def injection_lines(injection: PlannedInjection, protocol: Pin | None, locale: str) -> list[str]:
    """Return the lines of a plan from drawing up to technique."""
    return [
        *_draw_up(injection),
        *_doses(injection, locale),
        *_technique(injection, protocol, locale),
        *_behind(injection, protocol, locale),
    ]


def _draw_up(injection: PlannedInjection) -> Iterator[str]:
    yield from ("## Draw up", "")
    yield f"**{injection.brand}** ({injection.inn}), {injection.vials} × {injection.vial_units.value} U vial."
    yield ""
    for number, step in enumerate(injection.dilutions, 1):
        draw = f"{step.batches} times: " if step.batches > 1 else ""
        draw += f"draw {step.draw.value} mL, " if step.draw else ""
        yield (
            f"{number}. {draw}add {step.add.value} mL {diluent_name(step.diluent)} → {step.units.value} U in "
            f"{step.volume.value} mL = **{step.concentration.value} U/mL**"
            f"{' (rounded)' if step.concentration.nominal else ''}"
        )
    yield ""
    yield (
        f"Working solution: **{injection.concentration.value} U/mL** = {injection.per_tenth.value} U per 0.1 mL. "
        f"Route: {injection.route}."
    )
    yield ""


def _doses(injection: PlannedInjection, locale: str) -> Iterator[str]:
    yield from ("## Doses", "")
    rows = (_dose(region, locale) for region in injection.regions)
    yield from table(("Region", "Points", "Volume", "Units", "Per point (nominal)"), rows)
    yield (
        f"Total **{injection.total_units.value} U** in **{injection.total_volume.value} mL**; "
        f"left over {injection.waste_units.value} U in {injection.waste_volume.value} mL."
    )
    yield "The region's volume is what counts; per-point figures are nominal. Units belong to this product alone."
    yield ""
    said = [*_evidence(injection.regions, locale), *_notes(injection.regions, locale)]
    yield from [*said, ""] if said else []


def _dose(region: PlannedRegion, locale: str) -> tuple[str, ...]:
    return (
        _place(region, locale),
        str(region.points),
        f"**{region.volume.value} mL**",
        f"**{region.units.value} U**{' (rounded)' if region.units.nominal else ''}",
        f"{region.volume_per_point.value} mL ≈ {region.units_per_point.value} U",
    )


def _place(region: PlannedRegion, locale: str) -> str:
    return localise(region.title, locale) + (f", {region.side}" if region.side else "")


def _evidence(regions: Iterable[PlannedRegion], locale: str) -> Iterator[str]:
    """Yield each sentence once, with every region that it is about."""
    by_evidence: dict[str, dict[str, None]] = {}
    for region in regions:
        if region.evidence:
            by_evidence.setdefault(localise(region.evidence, locale), {})[localise(region.title, locale)] = None
    for text, names in by_evidence.items():
        yield f"- {', '.join(names)}: {text}"


def _notes(regions: Iterable[PlannedRegion], locale: str) -> Iterator[str]:
    """Yield the notes of a region once for both of its sides."""
    for region in {region.region: region for region in regions}.values():
        for note in region.notes:
            yield f"- {localise(region.title, locale)}: {statement(note, locale)}"


def _technique(injection: PlannedInjection, protocol: Pin | None, locale: str) -> Iterator[str]:
    yield from ("## Technique", "")
    rows = (
        (figure_name(figure.key, Names()), amount(figure.value, figure.unit), origin(figure, protocol))
        for figure in injection.technique
    )
    yield from table(("Figure", "Value", "From"), rows)
    yield f"- End point: {statement(injection.end_point, locale)}"
    yield from (f"- Avoid: {statement(item, locale)}" for item in injection.avoid)
    yield from (f"- {localise(note, locale)}" for note in injection.notes)
    yield ""


def _behind(injection: PlannedInjection, protocol: Pin | None, locale: str) -> Iterator[str]:
    """Yield the figures that the arithmetic started from, one line for each place, under where they came from."""
    names = Names(regions={region.region: localise(region.title, locale) for region in injection.regions})
    sources: dict[str, dict[str, list[str]]] = {}
    for figure in injection.inputs:
        what, _, measure = figure_name(figure.key, names).partition(": ")
        value = amount(figure.value, figure.unit) + (f" of {injection.brand}" * (figure.unit == injection.unit_id))
        if figure.unit == "{points}":
            value = figure.value
        said = f"{measure} {value}" if measure else value
        sources.setdefault(origin(figure, protocol), {}).setdefault(what, []).append(said)
    if sources:
        yield from ("## Behind the doses", "")
    for source, places in sources.items():
        yield from (f"From the {source}:", "")
        yield from (f"- {what}: {', '.join(said)}" for what, said in places.items())
        yield ""


def origin(figure: PlannedParameter, protocol: Pin | None) -> str:
    """Return where a figure of the plan came from; the plan's own protocol is named once, at its end."""
    if figure.origin == "protocol":
        own = protocol is not None and figure.source == f"{protocol.id} {protocol.version}"
        return "protocol" if own else f"protocol ({figure.source})"
    return f"{_ORIGINS[figure.origin]}: {figure.source}"
