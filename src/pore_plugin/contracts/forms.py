"""The consultation form and its siblings: sections of typed questions, shown on conditions (FHIR Questionnaire)."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .base import DecimalString, Id, Integer, Model, Opt, Sentence, Text, Token, UnitId, refuse
from .common import Code, ContentDocument, Mark

__all__ = [
    "AttachmentQuestion",
    "BooleanQuestion",
    "ChoiceQuestion",
    "Condition",
    "ConsultationForm",
    "DateQuestion",
    "DecimalQuestion",
    "FormContribution",
    "IntegerQuestion",
    "MultiChoiceQuestion",
    "Option",
    "QuantityQuestion",
    "Question",
    "QuestionContribution",
    "RedFlag",
    "RegionMapQuestion",
    "Section",
    "ShowWhen",
    "TextQuestion",
]

Operator = Literal["exists", "=", "!=", ">", "<", ">=", "<="]


class Condition(Model):
    """One comparison with the answers to another question, with FHIR R4 enableWhen semantics.

    `exists` takes a boolean; `!=` is true when unanswered; the order comparisons need at least one answer.
    """

    question: Id
    operator: Operator
    value: bool | Integer | Annotated[str, Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _exists_takes_a_boolean(self) -> "Condition":
        if self.operator == "exists" and not isinstance(self.value, bool):
            refuse("condition.exists_value", "The operator `exists` takes true or false.")
        return self


class ShowWhen(Model):
    """Conditions joined by all or any (FHIR enableBehavior)."""

    join: Literal["all", "any"] = "all"
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]


class Option(Model):
    """One choice; an exclusive option (such as "none of these") cannot stand beside another."""

    code: Token
    text: Text
    exclusive: bool = False
    codes: tuple[Code, ...] = ()


class _Question(Model):
    id: Id
    text: Text
    help: Opt[Text] = None
    required: bool = False
    answered_by: Literal["patient", "practitioner"] = "patient"
    codes: tuple[Code, ...] = ()
    show_when: Opt[ShowWhen] = None
    source: Opt[Sentence] = None


class BooleanQuestion(_Question):
    """Yes or no."""

    type: Literal["boolean"]


class ChoiceQuestion(_Question):
    """One of the options."""

    type: Literal["choice"]
    options: Annotated[tuple[Option, ...], Field(min_length=1)]


class MultiChoiceQuestion(_Question):
    """Any of the options; no option is chosen twice."""

    type: Literal["multi-choice"]
    options: Annotated[tuple[Option, ...], Field(min_length=1)]


class IntegerQuestion(_Question):
    """A whole number."""

    type: Literal["integer"]
    min: Opt[Integer] = None
    max: Opt[Integer] = None


class DecimalQuestion(_Question):
    """An exact decimal."""

    type: Literal["decimal"]
    min: Opt[DecimalString] = None
    max: Opt[DecimalString] = None


class QuantityQuestion(_Question):
    """An exact decimal with one of the allowed units."""

    type: Literal["quantity"]
    units: Annotated[tuple[UnitId, ...], Field(min_length=1)]
    min: Opt[DecimalString] = None
    max: Opt[DecimalString] = None


class DateQuestion(_Question):
    """A calendar date; `past` refuses dates after the consultation, and dates before birth are always refused."""

    type: Literal["date"]
    past: bool = False


class TextQuestion(_Question):
    """Free text."""

    type: Literal["text"]
    max_length: Annotated[Integer, Field(ge=1, le=4000)] = 2000


class AttachmentQuestion(_Question):
    """References to stored files, such as baseline photographs; never the bytes themselves."""

    type: Literal["attachment"]
    content_types: Annotated[tuple[str, ...], Field(min_length=1)]
    views: tuple[Token, ...] = ()
    max_items: Annotated[Integer, Field(ge=1, le=50)] = 10


class RegionMapQuestion(_Question):
    """Marks on the face chart: regions with sides, and points where wanted."""

    type: Literal["region-map"]
    regions: Annotated[tuple[Id, ...], Field(min_length=1)]
    points: bool = False


Question = Annotated[
    BooleanQuestion
    | ChoiceQuestion
    | MultiChoiceQuestion
    | IntegerQuestion
    | DecimalQuestion
    | QuantityQuestion
    | DateQuestion
    | TextQuestion
    | AttachmentQuestion
    | RegionMapQuestion,
    Field(discriminator="type"),
]

_ORDERED = ("integer", "decimal", "quantity", "date")


class Section(Model):
    """A titled group of questions; `repeats` is the largest number of instances when the group may repeat.

    Inside a repeating section a condition on a question of the same section looks at the same instance.
    """

    id: Id
    title: Text
    help: Opt[Text] = None
    repeats: Opt[Annotated[Integer, Field(ge=2, le=20)]] = None
    show_when: Opt[ShowWhen] = None
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]


class RedFlag(Model):
    """A sign in the answers that sends the patient somewhere at once.

    `emergency` = emergency number first; `advice` = the market's advice line; `same-day` = a clinician today.
    """

    code: Token
    urgency: Literal["emergency", "advice", "same-day"]
    when: ShowWhen
    sign: Text
    source: Sentence
    mark: Mark


class FormContribution(Model):
    """Which questions of a composed form came from which plug-in."""

    plugin: Token
    questions: tuple[Id, ...]


class QuestionContribution(Model):
    """A question that an extension adds: into a section of the base form, or into a new section of its own."""

    section: Id
    section_title: Opt[Text] = Field(default=None, description="Needed when the section is the extension's own.")
    question: Question


class ConsultationForm(ContentDocument):
    """A form with sections of typed questions: the consultation, the day of treatment, a follow-up."""

    type: Literal["consultation-form"]
    kind: Literal["consultation", "day-of-treatment", "follow-up"]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    red_flags: tuple[RedFlag, ...] = ()
    contributions: tuple[FormContribution, ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> "ConsultationForm":
        by_id: dict[str, Question] = {}
        for section in self.sections:
            for question in section.questions:
                if question.id in by_id:
                    refuse("form.duplicate_question", "Two questions of this form have the same id.")
                by_id[question.id] = question
        if len({section.id for section in self.sections}) != len(self.sections):
            refuse("form.duplicate_section", "Two sections of this form have the same id.")
        for question in by_id.values():
            _check_question(question)
        edges: dict[str, set[str]] = {}
        for section in self.sections:
            for question in section.questions:
                targets = edges.setdefault(question.id, set())
                for show_when in (section.show_when, question.show_when):
                    for condition in show_when.conditions if show_when else ():
                        _check_condition(condition, by_id)
                        targets.add(condition.question)
        for flag in self.red_flags:
            for condition in flag.when.conditions:
                _check_condition(condition, by_id)
        _refuse_circles(edges)
        return self


def _check_question(question: Question) -> None:
    options = question.options if isinstance(question, ChoiceQuestion | MultiChoiceQuestion) else ()
    if len({option.code for option in options}) != len(options):
        refuse("form.duplicate_option", "Two options of one question have the same code.")
    if isinstance(question, IntegerQuestion | DecimalQuestion | QuantityQuestion):
        low, high = question.min, question.max
        if low is not None and high is not None and Decimal(low) > Decimal(high):
            refuse("form.limits", "A question has a minimum above its maximum.")


def _check_condition(condition: Condition, by_id: dict[str, Question]) -> None:
    target = by_id.get(condition.question)
    if target is None:
        refuse("form.unknown_condition_question", "A condition refers to a question that this form does not have.")
    kind = target.type
    if condition.operator in (">", "<", ">=", "<=") and kind not in _ORDERED:
        refuse("form.condition_operator", "An order comparison needs a number, a quantity or a date.")
    if condition.operator == "exists":
        return
    fits = {"boolean": bool, "integer": int}.get(kind, str)
    if type(condition.value) is not fits:
        refuse("form.condition_type", "A condition compares with a value of another type than its question has.")
    if isinstance(target, ChoiceQuestion | MultiChoiceQuestion) and condition.value not in {
        option.code for option in target.options
    }:
        refuse("form.condition_option", "A condition names an option that its question does not have.")


def _refuse_circles(edges: dict[str, set[str]]) -> None:
    done: set[str] = set()
    for start in edges:
        trail: list[tuple[str, list[str]]] = [(start, sorted(edges.get(start, ())))]
        on_trail = {start}
        while trail:
            node, rest = trail[-1]
            if node in done or not rest:
                done.add(node)
                on_trail.discard(node)
                trail.pop()
                continue
            following = rest.pop()
            if following in on_trail:
                refuse("form.condition_circle", "Conditions of this form depend on each other in a circle.")
            if following not in done:
                on_trail.add(following)
                trail.append((following, sorted(edges.get(following, ()))))
