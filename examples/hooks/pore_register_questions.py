"""Ask how the patient sleeps, at the end of the first section of the consultation form."""

from pore_plugin.contracts import ConsultationForm
from pore_plugin.hooks import hookimpl

PORE_CONTRACT = "0.1"
PORE_VENDOR = "acme"


@hookimpl
def pore_register_questions(form: ConsultationForm) -> list[dict] | None:
    if form.kind != "consultation":
        return None
    question = {
        "id": "acme.q.sleep",
        "type": "choice",
        "text": {"en": "How well do you sleep?"},
        "options": [{"code": "well", "text": {"en": "Well"}}, {"code": "badly", "text": {"en": "Badly"}}],
    }
    return [{"section": form.sections[0].id, "question": question}]
