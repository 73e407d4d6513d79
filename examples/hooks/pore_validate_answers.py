"""Refuse a consultation that was recorded before it took place."""

from datetime import datetime

from pore_plugin.contracts import Consultation, ConsultationForm, FollowUpResponse, Problem
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_validate_answers(form: ConsultationForm, answers: Consultation | FollowUpResponse) -> list[Problem] | None:
    if form.kind != "consultation":
        return None
    if datetime.fromisoformat(answers.recorded_at) >= datetime.fromisoformat(answers.occurred_at):
        return []
    return [
        Problem(
            code="acme.recorded_too_early",
            sentence="The consultation was recorded before it took place.",
            pointer="/recorded_at",
            next_step="Correct one of the two times.",
        )
    ]
