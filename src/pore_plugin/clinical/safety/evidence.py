"""What the evidence says about what is in view, and where it says nothing."""

from collections.abc import Mapping

from ...contracts.base import Text
from ...contracts.products import EvidenceBase, Product, RegionMap
from ...contracts.safety import AssessmentContext

__all__ = ["evidence_for"]


def evidence_for(
    context: AssessmentContext,
    evidence: EvidenceBase,
    *,
    products: Mapping[str, Product],
    regions: RegionMap,
) -> tuple[Text, ...]:
    """Return the statements on the regions in view and on the whole face, then what is known of the planned doses.

    For each region in which the planned product is to be given: the text of the threshold for its INN, or the
    statement that there is no evidence figure for it. Figures of other products are never shown in its place.
    """
    planned = context.planned or ()
    wanted = {dose.region for dose in planned} or {place.region for place in context.regions}
    texts: list[Text] = [
        statement.text
        for statement in evidence.statements
        if not statement.regions or not wanted or not wanted.isdisjoint(statement.regions)
    ]
    product = products.get(context.product) if context.product is not None else None
    if product is None:
        return tuple(texts)
    titles = {region.id: region.title for region in regions.regions}
    for region in sorted(wanted):
        figures = [
            threshold.text
            for threshold in evidence.thresholds
            if threshold.inn == product.inn and threshold.region == region and threshold.units.value is not None
        ]
        texts.extend(figures or [_none(product, titles.get(region), region)])
    return tuple(texts)


def _none(product: Product, title: Text | None, region: str) -> Text:
    name = (title or {}).get("en", region)
    return {
        "en": f"No evidence figure: no dose limit with a source was found for {product.short_name} in this region "
        f"({name}), and a figure for another product is not used in its place."
    }
