"""Check the answers of a response against the very form they were given on.

Pure: takes the form and the response, returns every problem at once. A sentence names questions and limits,
never what was answered.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from ...contracts import (
    Answer,
    AttachmentAnswer,
    AttachmentQuestion,
    ChoiceAnswer,
    ChoiceQuestion,
    Consultation,
    ConsultationForm,
    DateAnswer,
    DateQuestion,
    DecimalAnswer,
    DecimalQuestion,
    FollowUpResponse,
    IntegerAnswer,
    IntegerQuestion,
    MultiChoiceAnswer,
    MultiChoiceQuestion,
    Problem,
    QuantityAnswer,
    QuantityQuestion,
    Question,
    RegionMapAnswer,
    RegionMapQuestion,
    Section,
    TextAnswer,
    TextQuestion,
)
from ..follow_up.red_flags import CompiledFlags, compile_flags
from .conditions import CompiledForm, compile_form, index, visible

__all__ = ["Asked", "FormIndex", "check_response"]

Response = Consultation | FollowUpResponse
Found = tuple[str, str, str, str]
"""Problem code, pointer below the answer, sentence, next step."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its section, and the codes that it offers."""

    question: Question
    section: Section
    codes: frozenset[str]
    exclusive: frozenset[str]


def _asked(question: Question, section: Section) -> Asked:
    options = question.options if isinstance(question, ChoiceQuestion | MultiChoiceQuestion) else ()
    return Asked(
        question,
        section,
        frozenset(option.code for option in options),
        frozenset(option.code for option in options if option.exclusive),
    )


@dataclass(frozen=True)
class FormIndex:
    """A form with its questions by id, made once and used for every response to it."""

    form: ConsultationForm
    questions: dict[str, Asked] = field(init=False)
    compiled: CompiledForm = field(init=False)
    flags: CompiledFlags = field(init=False)

    def __post_init__(self) -> None:
        questions = {q.id: _asked(q, section) for section in self.form.sections for q in section.questions}
        object.__setattr__(self, "questions", questions)
        object.__setattr__(self, "compiled", compile_form(self.form))
        object.__setattr__(self, "flags", compile_flags(self.form))


def check_response(
    form: FormIndex, response: Response, shown: frozenset[tuple[str, int | None]] | None = None
) -> tuple[Problem, ...]:
    """Return all problems of the response, sorted by pointer and code; none means it may be accepted.

    `shown` are the questions that its answers show, where the caller has looked already.

    Checked: times in order, patient born before; every answer belongs to a visible question of the form, has its
    type, keeps its limits and options; every required visible question is answered.
    """
    problems = list(_check_times(response))
    if shown is None:
        shown = visible(form.compiled, index(response.answers))
    for position, answer in enumerate(response.answers):
        asked = form.questions.get(answer.question)
        if asked is not None and _plainly_fits(asked, answer, shown):
            continue
        place = f"/answers/{position}"
        for code, below, sentence, next_step in _check_answer(form, answer, shown, response):
            problems.append(Problem(code=code, sentence=sentence, pointer=place + below, next_step=next_step))
    answered = {(answer.question, answer.instance) for answer in response.answers}
    for question_id, instance in shown - answered:
        if form.questions[question_id].question.required:
            where = "" if instance is None else f" (instance {instance})"
            problems.append(
                Problem(
                    code="answers.required",
                    sentence=f"The required question {question_id}{where} is not answered.",
                    pointer="/answers",
                    next_step="Answer it, or keep the response as a draft.",
                )
            )
    return tuple(sorted(problems, key=lambda problem: (problem.pointer, problem.code, problem.sentence)))


def _check_times(response: Response) -> Iterator[Problem]:
    occurred = datetime.fromisoformat(response.occurred_at)
    if occurred > datetime.fromisoformat(response.recorded_at):
        yield Problem(
            code="response.time_order",
            sentence="The answers are dated later than they were recorded.",
            pointer="/occurred_at",
            next_step="Correct occurred_at or recorded_at.",
        )
    if response.patient.birth_date > response.occurred_at[:10]:
        yield Problem(
            code="response.birth_date",
            sentence="The patient's birth date is later than the answers.",
            pointer="/patient/birth_date",
            next_step="Correct the birth date in the host's record.",
        )


def _plainly_fits(asked: Asked, answer: Answer, shown: frozenset[tuple[str, int | None]]) -> bool:
    """Say that nothing is wrong with an answer where that is seen at once; most answers are of these kinds."""
    if answer.type != asked.question.type or (answer.question, answer.instance) not in shown:
        return False
    if answer.type == "choice":
        return answer.value in asked.codes
    if answer.type == "multi-choice":
        return len(answer.value) == 1 and answer.value[0] in asked.codes
    return answer.type == "boolean"


def _check_answer(
    form: FormIndex, answer: Answer, shown: frozenset[tuple[str, int | None]], response: Response
) -> Iterator[Found]:
    known = form.questions.get(answer.question)
    if known is None:
        near = get_close_matches(answer.question, form.questions, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        yield (
            "answers.unknown_question",
            "/question",
            "The form does not have the question that is answered here.",
            f"{hint}Remove the answer, or keep the response as a draft.",
        )
        return
    question, section = known.question, known.section
    if not _instance_fits(answer.instance, section):
        yield (
            "answers.instance",
            "/instance" if answer.instance is not None else "",
            f"The section {section.id} "
            + (
                f"repeats up to {section.repeats} times; its answers say which instance."
                if section.repeats
                else "does not repeat."
            ),
            "Number the instances from 1." if section.repeats else "Leave the instance out.",
        )
        return
    if answer.type != question.type:
        yield (
            "answers.wrong_type",
            "/type",
            f"The question {question.id} takes an answer of type {question.type}.",
            f"Give an answer of type {question.type}.",
        )
        return
    if (answer.question, answer.instance) not in shown:
        yield (
            "answers.hidden",
            "",
            f"The question {question.id} is hidden by the other answers, so it cannot have an answer.",
            "Remove the answer, or change the answer that hides it.",
        )
    if answer.type == "choice":
        yield from _choice(known, answer)
    elif answer.type == "multi-choice":
        yield from _multi_choice(known, answer)
    elif answer.type in _CHECKS:
        yield from _CHECKS[answer.type](question, answer, response)


def _instance_fits(instance: int | None, section: Section) -> bool:
    if section.repeats is None:
        return instance is None
    return instance is not None and instance <= section.repeats


def _options(asked: Asked, chosen: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    codes = asked.codes
    for position, code in enumerate(chosen):
        if code not in codes:
            near = get_close_matches(code, codes, n=1)
            yield position, f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(sorted(codes))}."


def _choice(asked: Asked, answer: ChoiceAnswer) -> Iterator[Found]:
    for _position, hint in _options(asked, (answer.value,)):
        yield "answers.unknown_option", "/value", f"The question {asked.question.id} does not offer this option.", hint


def _multi_choice(asked: Asked, answer: MultiChoiceAnswer) -> Iterator[Found]:
    name = asked.question.id
    for position, hint in _options(asked, answer.value):
        yield "answers.unknown_option", f"/value/{position}", f"The question {name} does not offer this option.", hint
    if len(answer.value) < 2:
        return
    if len(set(answer.value)) != len(answer.value):
        yield "answers.option_twice", "/value", f"The question {name} has an option chosen twice.", "Choose it once."
    if not asked.exclusive.isdisjoint(answer.value):
        yield (
            "answers.exclusive_option",
            "/value",
            f"An option of {name} excludes all others but stands beside one.",
            "Choose either that option alone or the others.",
        )


def _limits(
    question: IntegerQuestion | DecimalQuestion | QuantityQuestion, value: int | str, below: str
) -> Iterator[Found]:
    # Comparing decimals is exact, as with fractions, and far cheaper.
    number = Decimal(value)
    low, high = question.min, question.max
    if (low is not None and number < Decimal(low)) or (high is not None and number > Decimal(high)):
        bounds = " and ".join(
            part
            for part in (f"at least {low}" if low is not None else "", f"at most {high}" if high is not None else "")
            if part
        )
        yield (
            "answers.limit",
            below,
            f"The answer to {question.id} must be {bounds}.",
            "Check the figure and correct it.",
        )


def _integer(question: IntegerQuestion, answer: IntegerAnswer, _: Response) -> Iterator[Found]:
    yield from _limits(question, answer.value, "/value")


def _decimal(question: DecimalQuestion, answer: DecimalAnswer, _: Response) -> Iterator[Found]:
    yield from _limits(question, answer.value, "/value")


def _quantity(question: QuantityQuestion, answer: QuantityAnswer, _: Response) -> Iterator[Found]:
    if answer.value.unit not in question.units:
        yield (
            "answers.unit",
            "/value/unit",
            f"The question {question.id} takes: {', '.join(question.units)}.",
            "Give the figure in one of these units; nothing is converted.",
        )
    yield from _limits(question, answer.value.value, "/value/value")


def _date(question: DateQuestion, answer: DateAnswer, response: Response) -> Iterator[Found]:
    if answer.value < response.patient.birth_date:
        yield (
            "answers.before_birth",
            "/value",
            f"The date in {question.id} is before the patient's birth.",
            "Correct the date.",
        )
    if question.past and answer.value > response.occurred_at[:10]:
        yield "answers.in_future", "/value", f"The date in {question.id} is in the future.", "Correct the date."


def _text(question: TextQuestion, answer: TextAnswer, _: Response) -> Iterator[Found]:
    if len(answer.value) > question.max_length:
        yield (
            "answers.too_long",
            "/value",
            f"The answer to {question.id} may have at most {question.max_length} characters.",
            "Shorten it, or attach a document.",
        )


def _attachment(question: AttachmentQuestion, answer: AttachmentAnswer, _: Response) -> Iterator[Found]:
    if len(answer.value) > question.max_items:
        yield (
            "answers.too_many",
            "/value",
            f"The question {question.id} takes at most {question.max_items} files.",
            "Remove some.",
        )
    for position, attachment in enumerate(answer.value):
        if attachment.content_type not in question.content_types:
            yield (
                "answers.content_type",
                f"/value/{position}/content_type",
                f"The question {question.id} takes: {', '.join(question.content_types)}.",
                "Attach a file of one of these types.",
            )
        if question.views and attachment.view is not None and attachment.view not in question.views:
            yield (
                "answers.view",
                f"/value/{position}/view",
                f"The question {question.id} does not know this view.",
                f"Use one of: {', '.join(question.views)}.",
            )


def _region_map(question: RegionMapQuestion, answer: RegionMapAnswer, _: Response) -> Iterator[Found]:
    for position, mark in enumerate(answer.value):
        if mark.region not in question.regions:
            yield (
                "answers.region",
                f"/value/{position}/region",
                f"The question {question.id} does not have this region.",
                f"Use one of: {', '.join(question.regions)}.",
            )
        if mark.x is not None and not question.points:
            yield (
                "answers.points",
                f"/value/{position}",
                f"The question {question.id} takes regions, not points.",
                "Leave chart, x and y out.",
            )


_CHECKS: dict[str, Callable[[Any, Any, Response], Iterator[Found]]] = {
    "integer": _integer,
    "decimal": _decimal,
    "quantity": _quantity,
    "date": _date,
    "text": _text,
    "attachment": _attachment,
    "region-map": _region_map,
}
