"""Put questionnaires at noon, when patients of this clinic read their messages."""

from datetime import datetime

from pore_plugin.contracts import FollowUpStep
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_place_follow_up_step(step: FollowUpStep) -> FollowUpStep | None:
    if step.kind != "remote-questionnaire":
        return None
    noon = datetime.fromisoformat(step.due).replace(hour=12, minute=0, second=0)
    return step.model_copy(update={"due": noon.isoformat()})
