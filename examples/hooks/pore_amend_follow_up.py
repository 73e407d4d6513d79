"""Call the patient on the day after the treatment."""

from pore_plugin.contracts import FollowUpPlan
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_amend_follow_up(follow_up_plan: FollowUpPlan) -> list[dict] | None:
    if any(step.step == "acme.call" for step in follow_up_plan.steps):
        return []
    step = {
        "id": "acme.call",
        "kind": "staff-task",
        "title": {"en": "Call the patient"},
        "purpose": {"en": "Ask how the first night was"},
        "offset": "P1D",
        "basis": "Acme clinics, house rule 3",
        "mark": "D",
    }
    return [{"action": "add", "step": step}]
