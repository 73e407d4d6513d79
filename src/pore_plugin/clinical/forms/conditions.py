"""Which conditions hold over the answers, and which questions a form therefore shows (FHIR R4 enableWhen).

`exists` asks whether there is an answer. `=` needs one answer equal to the value, `!=` needs none, so it is true
when unanswered. `>`, `<`, `>=`, `<=` need at least one answer that compares so. A multi-choice answer counts as
all its selected codes, a region map as all its marked regions, an attachment as the ids of its files. A condition
on a quantity is written `20 mg` and compares only answers in that unit; a bare number has the unit `1`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

from ...contracts.answers import Answer
from ...contracts.forms import Condition, ConsultationForm, Section, ShowWhen

__all__ = [
    "AnswerIndex",
    "CompiledForm",
    "CompiledWhen",
    "Looked",
    "compile_form",
    "compile_when",
    "counted",
    "holds",
    "index",
    "look",
    "visible",
]

AnswerIndex: TypeAlias = Mapping[str, tuple[Answer, ...]]
"""Question id to its answers: one, or one per instance of a repeating section; unanswered questions are absent."""

Looked: TypeAlias = tuple[frozenset[tuple[str, int | None]], AnswerIndex]
"""The questions that are shown, and the answers to them."""

_NOTHING: frozenset[str] = frozenset()
_ONCE: tuple[None] = (None,)
"""The instances of a section that does not repeat."""


def index(answers: Iterable[Answer]) -> AnswerIndex:
    """Return the answers by question, each question's in the order given."""
    by_question: dict[str, tuple[Answer, ...]] = {}
    for answer in answers:
        question = answer.question
        earlier = by_question.get(question)
        by_question[question] = (answer,) if earlier is None else (*earlier, answer)
    return by_question


@dataclass(frozen=True, slots=True)
class CompiledWhen:
    """Conditions prepared for many calls of `holds`."""

    one_is_enough: bool
    tests: tuple[tuple[str, Callable[[tuple[Answer, ...]], bool]], ...]
    questions: frozenset[str]
    may_hold_unanswered: bool
    """Whether a condition may be true of a question without an answer."""


def holds(
    show_when: ShowWhen | CompiledWhen,
    answers: AnswerIndex,
    *,
    instance: int | None = None,
    same_section: frozenset[str] = _NOTHING,
) -> bool:
    """Return whether the conditions hold over `answers`, all of which count.

    With `instance`, conditions on the questions in `same_section` look only at answers of that instance; every
    other condition looks at the answers of all instances. Raises `ValueError` when a condition compares a number
    with something that is none.
    """
    when = show_when if isinstance(show_when, CompiledWhen) else compile_when(show_when)
    for question, test in when.tests:
        given = answers.get(question, ())
        if instance is not None and given and question in same_section:
            given = tuple(answer for answer in given if answer.instance == instance)
        if test(given) is when.one_is_enough:
            return when.one_is_enough
    return not when.one_is_enough


def compile_when(show_when: ShowWhen) -> CompiledWhen:
    """Prepare conditions; alternatives of one question become one test."""
    tests: list[tuple[str, Callable[[tuple[Answer, ...]], bool]]] = []
    alternatives: dict[str, set[str]] = {}
    for condition in show_when.conditions:
        if show_when.join == "any" and condition.operator == "=" and isinstance(condition.value, str):
            alternatives.setdefault(condition.question, set()).add(condition.value)
        else:
            tests.append((condition.question, _test(condition)))
    tests.extend((question, _any_of(frozenset(values))) for question, values in alternatives.items())
    return CompiledWhen(
        one_is_enough=show_when.join == "any",
        tests=tuple(tests),
        questions=frozenset(condition.question for condition in show_when.conditions),
        may_hold_unanswered=any(
            condition.operator == "!=" or (condition.operator == "exists" and condition.value is False)
            for condition in show_when.conditions
        ),
    )


def _test(condition: Condition) -> Callable[[tuple[Answer, ...]], bool]:
    operator, value = condition.operator, condition.value
    if operator == "exists":
        return lambda answers: bool(answers) is value
    if operator in ("=", "!="):
        equal = _any_of(frozenset((value,)))
        return equal if operator == "=" else lambda answers: not equal(answers)
    return lambda answers: any(_ordered(answer, operator, value) for answer in answers)


def _any_of(values: frozenset[bool | int | str] | frozenset[str]) -> Callable[[tuple[Answer, ...]], bool]:
    def test(answers: tuple[Answer, ...]) -> bool:
        for answer in answers:
            if answer.type == "multi-choice":
                if not values.isdisjoint(answer.value):
                    return True
            elif answer.type == "choice":
                if answer.value in values:
                    return True
            elif any(_equal(answer, value) for value in values):
                return True
        return False

    return test


def _equal(answer: Answer, value: bool | int | str) -> bool:
    # The type is asked first: in Python `True == 1`, on a form a yes is not a one.
    match answer.type:
        case "boolean":
            return isinstance(value, bool) and answer.value is value
        case "region-map":
            return any(mark.region == value for mark in answer.value)
        case "attachment":
            return any(attachment.id == value for attachment in answer.value)
        case "choice" | "date" | "text":
            return answer.value == value
        case _:
            return _compare(answer, value) == 0


def _ordered(answer: Answer, operator: str, value: bool | int | str) -> bool:
    order = _compare(answer, value)
    if order is None:
        return False
    match operator:
        case ">":
            return order > 0
        case "<":
            return order < 0
        case ">=":
            return order >= 0
        case _:
            return order <= 0


def _compare(answer: Answer, value: bool | int | str) -> int | None:
    """Return -1, 0 or 1, or `None` where the two have no order: other types, other units."""
    match answer.type:
        case "integer":
            return None if isinstance(value, bool | str) else _sign(Decimal(answer.value), Decimal(value))
        case "decimal":
            return _sign(Decimal(answer.value), _number(value)) if isinstance(value, str) else None
        case "quantity":
            if not isinstance(value, str):
                return None
            number, _, unit = value.partition(" ")
            if answer.value.unit != (unit or "1"):
                return None
            return _sign(Decimal(answer.value.value), _number(number))
        case "date":
            if not isinstance(value, str):
                return None
            # ISO dates of four-digit years sort as text.
            return (answer.value > value) - (answer.value < value)
        case _:
            return None


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError("a condition compares a number with a value that is none") from None


def _sign(one: Decimal, other: Decimal) -> int:
    return (one > other) - (one < other)


@dataclass(frozen=True, slots=True)
class _Group:
    """A section as visibility needs it."""

    show_when: CompiledWhen | None
    questions: frozenset[str]
    repeats: int | None


@dataclass(frozen=True, slots=True)
class CompiledForm:
    """A form prepared for many calls of `visible`.

    `always` are the questions that every answer leaves shown, once; `order` has the others, each after everything
    that it depends on.
    """

    always: frozenset[tuple[str, None]]
    order: tuple[tuple[str, CompiledWhen | None, int], ...]
    groups: tuple[_Group, ...]


def compile_form(form: ConsultationForm) -> CompiledForm:
    """Prepare a form. Raises `ValueError` when its conditions depend on each other in a circle."""
    groups = tuple(
        _Group(_compiled(section.show_when), frozenset(question.id for question in section.questions), section.repeats)
        for section in form.sections
    )
    steps = {
        question.id: (question.id, _compiled(question.show_when), at)
        for at, section in enumerate(form.sections)
        for question in section.questions
    }
    ordered = [steps[question] for question in _dependencies_first(form.sections)]
    always = frozenset(
        (question, None)
        for question, show_when, at in ordered
        if show_when is None and groups[at].show_when is None and groups[at].repeats is None
    )
    return CompiledForm(always, tuple(step for step in ordered if (step[0], None) not in always), groups)


def _compiled(show_when: ShowWhen | None) -> CompiledWhen | None:
    return None if show_when is None else compile_when(show_when)


def _dependencies_first(sections: Iterable[Section]) -> list[str]:
    needs = {
        question.id: {
            condition.question
            for show_when in (section.show_when, question.show_when)
            if show_when
            for condition in show_when.conditions
        }
        for section in sections
        for question in section.questions
    }
    order: list[str] = []
    waiting = {question: targets & needs.keys() for question, targets in needs.items()}
    dependants: dict[str, list[str]] = {}
    for question, targets in waiting.items():
        for target in targets:
            dependants.setdefault(target, []).append(question)
    ready = [question for question, targets in waiting.items() if not targets]
    while ready:
        question = ready.pop()
        order.append(question)
        for dependant in dependants.get(question, ()):
            waiting[dependant].discard(question)
            if not waiting[dependant]:
                ready.append(dependant)
    if len(order) != len(needs):
        raise ValueError("conditions of this form depend on each other in a circle")
    return order


def visible(form: ConsultationForm | CompiledForm, answers: AnswerIndex) -> frozenset[tuple[str, int | None]]:
    """Return the questions that are shown, each with its instance (`None` outside repeating sections).

    The answers to a hidden question do not count for the conditions that depend on it, nor do answers without an
    instance inside a repeating section, with one outside, or beyond the section's number of repeats. A repeating
    section has the instances that occur in the answers, and always the first.
    """
    return look(form, answers)[0]


def counted(form: ConsultationForm | CompiledForm, answers: AnswerIndex) -> AnswerIndex:
    """Return the answers to questions that are shown: the only ones a record keeps and a rule may look at."""
    return look(form, answers)[1]


def look(form: ConsultationForm | CompiledForm, answers: AnswerIndex) -> Looked:
    """Return what `visible` and `counted` do, at the price of one."""
    compiled = form if isinstance(form, CompiledForm) else compile_form(form)
    shown: list[tuple[str, int | None]] = []
    kept: dict[str, tuple[Answer, ...]] = {}
    for question, given in answers.items():
        if (question, None) in compiled.always:
            counting = _of_instances(given, _ONCE)
            if counting:
                kept[question] = counting
    open_groups: dict[int, tuple[int | None, ...]] = {}
    for question, show_when, at in compiled.order:
        group = compiled.groups[at]
        instances = open_groups.get(at)
        if instances is None:
            # Whatever the section's own condition asks about stands earlier in the order.
            instances = _instances(group, answers) if group.show_when is None or holds(group.show_when, kept) else ()
            open_groups[at] = instances
        if show_when is not None and instances:
            if instances is _ONCE:
                instances = _ONCE if holds(show_when, kept) else ()
            else:
                instances = tuple(
                    instance
                    for instance in instances
                    if holds(show_when, kept, instance=instance, same_section=group.questions)
                )
        if not instances:
            continue
        for instance in instances:
            shown.append((question, instance))
        if question in answers:
            counting = _of_instances(answers[question], instances)
            if counting:
                kept[question] = counting
    return compiled.always.union(shown), kept


def _of_instances(given: tuple[Answer, ...], instances: tuple[int | None, ...]) -> tuple[Answer, ...]:
    for answer in given:
        if answer.instance not in instances:
            return tuple(answer for answer in given if answer.instance in instances)
    return given


def _instances(group: _Group, answers: AnswerIndex) -> tuple[int | None, ...]:
    if group.repeats is None:
        return _ONCE
    found = {answer.instance for question in group.questions for answer in answers.get(question, ())}
    limit = group.repeats
    return tuple(sorted({1, *(instance for instance in found if instance is not None and instance <= limit)}))
