"""Ask for a second look before a planned treatment on a day before a public examination."""

from pore_plugin.contracts import AssessmentContext, Finding
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"

EXAMINATION_DAYS = {"2026-06-12"}


@hookimpl
def pore_assess_suitability(context: AssessmentContext) -> list[Finding]:
    if context.date not in EXAMINATION_DAYS:
        return []
    return [
        Finding(
            code="acme.examination",
            severity="review",
            message={"en": "The clinic is being examined on this day. Is this the day to treat?"},
            source="Acme clinics, house rule 7",
            mark="D",
        )
    ]
