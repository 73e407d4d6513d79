"""When a question is asked, in the words of the form."""

from ..clinical.wording.localising import localise
from ..contracts import Condition, ConsultationForm, ShowWhen
from .words import plain

__all__ = ["Asked"]

_OPERATORS = {"=": "is", "!=": "is not"}


class Asked:
    """Says of one form, in one language, when something is asked."""

    def __init__(self, form: ConsultationForm, locale: str) -> None:
        self._locale = locale
        self._questions = {question.id: question for section in form.sections for question in section.questions}

    def when(self, show_when: ShowWhen) -> str:
        """Return the conditions in words: what may be any of several answers to one question is said once."""
        parts: dict[tuple[str, str, int], list[Condition]] = {}
        for number, item in enumerate(show_when.conditions):
            alone = show_when.join == "all" or item.operator != "="
            parts.setdefault((item.question, item.operator, number if alone else -1), []).append(item)
        return (" and " if show_when.join == "all" else " or ").join(map(self._said, parts.values()))

    def _said(self, conditions: list[Condition]) -> str:
        """Return conditions on one question with one operator."""
        first = conditions[0]
        question = self._questions.get(first.question)
        asked = f"“{localise(question.text, self._locale)}”" if question is not None else f"`{first.question}`"
        if first.operator == "exists":
            return f"{asked} is {'' if first.value else 'not '}answered"
        rest = self._rest(conditions) if first.operator == "=" else []
        if rest:
            return f"{asked} is anything but {' or '.join(rest)}"
        values = " or ".join(self._value(condition) for condition in conditions)
        return f"{asked} {_OPERATORS.get(first.operator, first.operator)} {values}"

    def _rest(self, conditions: list[Condition]) -> list[str]:
        """Return the options that are left, where they are the fewer and exclude those that are named."""
        question = self._questions.get(conditions[0].question)
        if question is None or question.type not in ("choice", "multi-choice"):
            return []
        named = {condition.value for condition in conditions}
        rest = [option for option in question.options if option.code not in named]
        apart = question.type == "choice" or all(option.exclusive for option in rest)
        few = len(rest) < len(question.options) - len(rest)
        return [f"“{localise(option.text, self._locale)}”" for option in rest] if apart and few else []

    def _value(self, condition: Condition) -> str:
        question = self._questions.get(condition.question)
        value = plain(condition.value)
        if question is not None and question.type in ("choice", "multi-choice"):
            titles = {option.code: localise(option.text, self._locale) for option in question.options}
            return f"“{titles.get(value, value)}”"
        return value.rsplit(".", 1)[-1] if question is not None and question.type == "region-map" else value
