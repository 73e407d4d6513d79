"""What the evidence says about what is in view, and where it says nothing."""

from collections.abc import Mapping

from ...contracts.base import Text
from ...contracts.products import EvidenceBase, Product, RegionMap
from ...contracts.safety import AssessmentContext
from ..wording.localising import fill

__all__ = ["evidence_for", "no_figure"]


def evidence_for(
    context: AssessmentContext,
    evidence: EvidenceBase,
    *,
    products: Mapping[str, Product],
    regions: RegionMap,
    none: Mapping[str, str],
) -> tuple[Text, ...]:
    """Return the statements on the regions in view and on the whole face, then what is known of the planned doses.

    For each region in which the planned product is to be given: the text of the threshold for its INN, or the
    sentence `none`, that there is no evidence figure for it (`no_figure`). Figures of other products are never shown
    in its place.
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
        texts.extend(figures or [no_figure(none, product, titles.get(region), region)])
    return tuple(texts)


def no_figure(sentence: Mapping[str, str], product: Product, title: Mapping[str, str] | None, region: str) -> Text:
    """Return the sentence that there is no figure, with `{product}` and `{region}` filled in, in every locale."""
    return {
        locale: fill(said, {"product": product.short_name, "region": (title or {}).get(locale, region)})
        for locale, said in sentence.items()
    }
