"""Names in the clinic's settings that must mean something: a misspelt one would silently decide nothing."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ..contracts import Clinic, Finding, LoadReport, Problem

__all__ = ["quarantine_findings", "unknown_names"]


def unknown_names(
    clinic: Clinic, *, rules: Collection[str], products: Collection[str], regions: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each rule, product or region in the policies that does not exist, with the nearest one."""
    policies = clinic.policies
    for position, code in enumerate(policies.switched_off_rules):
        if code not in rules:
            yield _unknown("rule", code, f"/policies/switched_off_rules/{position}", rules)
    for position, policy in enumerate(policies.dose_figures):
        place = f"/policies/dose_figures/{position}"
        if policy.product not in products:
            yield _unknown("product", policy.product, f"{place}/product", products)
        if policy.region not in regions:
            yield _unknown("region", policy.region, f"{place}/region", regions)


def _unknown(what: str, name: str, pointer: str, known: Collection[str]) -> Problem:
    near = get_close_matches(name, known, n=1)
    return Problem(
        code=f"clinic.unknown_{what}",
        sentence=f"The settings name a {what} that does not exist, so this policy would decide nothing.",
        pointer=pointer,
        next_step=f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(sorted(known))}.",
    )


def quarantine_findings(report: LoadReport) -> tuple[Finding, ...]:
    """Return a `review` finding for each extension that could not be loaded: its rules may be missing.

    An extension that the clinic switched off, or does not allow, is left out on purpose and raises nothing.
    """
    return tuple(
        Finding(
            code="extension.quarantined",
            severity="review",
            # Built in, like the other findings of last resort: it must be there when content is not.
            message={"en": f"The extension {entry.name} could not be loaded; its own checks are missing."},
            source="pore-plugin, failure policy of extensions",
            mark="D",
            plugin=entry.name,
        )
        for entry in report.entries
        if entry.state in ("quarantined", "incompatible")
    )
