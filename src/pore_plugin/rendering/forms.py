"""Forms to fill in, and answers beside their questions."""

from ..clinical.wording.localising import localise
from ..contracts import Answer, Consultation, ConsultationForm, FollowUpResponse, Question
from .conditions import Asked
from .words import amount, banner, moment, plain, table, unit_of, words

__all__ = ["answers_sheet", "form_sheet"]


def form_sheet(form: ConsultationForm, locale: str) -> str:
    """Return the form as a paper to fill in."""
    lines = [f"# {localise(form.title, locale)}", "", *banner(draft=form.status == "draft")]
    asked = Asked(form, locale)
    lines += [f"Form {form.id}, version {form.version}. Fields marked * are required.", ""]
    for section in form.sections:
        lines += [f"## {localise(section.title, locale)}", ""]
        if section.help:
            lines += [localise(section.help, locale), ""]
        if section.repeats:
            lines += [f"Copy this part for each entry, up to {section.repeats}.", ""]
        if section.show_when:
            lines += [f"*Only if {asked.when(section.show_when)}.*", ""]
        for question in section.questions:
            lines += _question_lines(question, asked, locale)
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _question_lines(question: Question, asked: Asked, locale: str) -> list[str]:
    star = " *" if question.required else ""
    who = " (practitioner)" if question.answered_by == "practitioner" else ""
    lines = [f"- **{localise(question.text, locale)}**{star}{who}"]
    if question.show_when:
        lines.append(f"  *only if {asked.when(question.show_when)}*")
    if question.help:
        lines.append(f"  {localise(question.help, locale)}")
    if question.type in ("choice", "multi-choice"):
        lines += [f"  - [ ] {localise(option.text, locale)}" for option in question.options]
    elif question.type == "boolean":
        lines.append("  - [ ] yes  [ ] no")
    elif question.type == "region-map":
        lines.append("  Mark on the chart: " + ", ".join(region.rsplit(".", 1)[-1] for region in question.regions))
    else:
        unit = f" {' / '.join(map(unit_of, question.units))}" if question.type == "quantity" else ""
        lines.append(f"  ______________________{unit}")
    return lines


def answers_sheet(form: ConsultationForm, response: Consultation | FollowUpResponse, locale: str) -> str:
    """Return the answers beside their questions, as they were given on that form."""
    lines = [f"# {localise(form.title, locale)} — answers", ""]
    if response.status == "draft":
        lines += ["> **NOT ACCEPTED** — kept as a draft.", ""]
    lines += [f"Answered {moment(response.occurred_at)}, on form {response.form.id} {response.form.version}.", ""]
    by_question: dict[str, list[Answer]] = {}
    for answer in response.answers:
        by_question.setdefault(answer.question, []).append(answer)
    for section in form.sections:
        answered = [question for question in section.questions if question.id in by_question]
        if not answered:
            continue
        lines += [f"## {localise(section.title, locale)}", ""]
        rows = []
        for question in answered:
            for answer in by_question.pop(question.id):
                text = localise(question.text, locale)
                number = f" ({answer.instance})" if answer.instance else ""
                rows.append((text + number, _answer_text(question, answer, locale)))
        lines += table(("Question", "Answer"), rows)
    if by_question:
        lines += ["## Not part of the form", ""]
        lines += [f"- `{question}`" for question in by_question]
    return "\n".join(lines).rstrip() + "\n"


def _answer_text(question: Question, answer: Answer, locale: str) -> str:
    if answer.type in ("choice", "multi-choice") and question.type in ("choice", "multi-choice"):
        titles = {option.code: localise(option.text, locale) for option in question.options}
        chosen = (answer.value,) if answer.type == "choice" else answer.value
        return ", ".join(titles.get(code, code) for code in chosen)
    if answer.type == "quantity":
        return amount(answer.value.value, answer.value.unit)
    if answer.type == "attachment":
        return ", ".join(f"{item.id} ({words(item.view)})" if item.view else item.id for item in answer.value)
    if answer.type == "region-map":
        names = (f"{m.region.rsplit('.', 1)[-1]}{' ' + m.side if m.side else ''}" for m in answer.value)
        return ", ".join(dict.fromkeys(names))
    return plain(answer.value)
