"""Conditions hold as FHIR R4 enableWhen says, and hidden answers count for nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pore_plugin.clinical.forms.conditions import AnswerIndex, compile_form, counted, holds, index, visible
from pore_plugin.contracts import Answer, Condition, ConsultationForm, ShowWhen

ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


def answer(question: str, kind: str, value: Any, instance: int | None = None) -> Answer:
    """One answer to `pore.q.<question>`, read as a document is read."""
    document: dict[str, Any] = {"question": f"pore.q.{question}", "type": kind, "value": value}
    if instance is not None:
        document["instance"] = instance
    return ANSWER.validate_json(json.dumps(document))


def when(*conditions: tuple[str, str, Any], join: str = "all") -> dict[str, Any]:
    """A `show_when` document over `pore.q.…` questions."""
    return {
        "join": join,
        "conditions": [
            {"question": f"pore.q.{name}", "operator": op, "value": value} for name, op, value in conditions
        ],
    }


def true(*conditions: tuple[str, str, Any], over: tuple[Answer, ...], join: str = "all") -> bool:
    return holds(ShowWhen.model_validate_json(json.dumps(when(*conditions, join=join))), index(over))


NUMBER = answer("n", "integer", 5)


@pytest.mark.parametrize(
    ("operator", "value", "over", "expected"),
    [
        ("exists", True, (NUMBER,), True),
        ("exists", False, (NUMBER,), False),
        ("exists", True, (), False),
        ("exists", False, (), True),
        ("=", 5, (NUMBER,), True),
        ("=", 6, (NUMBER,), False),
        ("=", 5, (), False),
        ("!=", 6, (NUMBER,), True),
        ("!=", 5, (NUMBER,), False),
        ("!=", 5, (), True),
        (">", 4, (NUMBER,), True),
        (">", 5, (NUMBER,), False),
        (">", 4, (), False),
        ("<", 6, (NUMBER,), True),
        ("<", 5, (NUMBER,), False),
        ("<", 6, (), False),
        (">=", 5, (NUMBER,), True),
        (">=", 6, (NUMBER,), False),
        (">=", 5, (), False),
        ("<=", 5, (NUMBER,), True),
        ("<=", 4, (NUMBER,), False),
        ("<=", 5, (), False),
    ],
)
def test_every_operator_answered_and_unanswered(
    operator: str, value: Any, over: tuple[Answer, ...], expected: bool
) -> None:
    assert true(("n", operator, value), over=over) is expected


@pytest.mark.parametrize(
    ("given", "operator", "value", "expected"),
    [
        (answer("x", "boolean", True), "=", True, True),
        (answer("x", "boolean", False), "=", True, False),
        (answer("x", "boolean", False), "!=", True, True),
        (answer("x", "choice", "now"), "=", "now", True),
        (answer("x", "choice", "now"), "=", "never", False),
        (answer("x", "multi-choice", ["oil", "scars"]), "=", "scars", True),
        (answer("x", "multi-choice", ["oil", "scars"]), "!=", "scars", False),
        (answer("x", "multi-choice", ["oil", "scars"]), "!=", "lines", True),
        (answer("x", "text", "a"), "=", "a", True),
        (answer("x", "decimal", "0.5"), "=", "0.5", True),
        (answer("x", "decimal", "0.1000000000000000000000000001"), ">", "0.1", True),
        (answer("x", "decimal", "-2"), "<", "-1.5", True),
        (answer("x", "decimal", "9"), "<", "10", True),
        (answer("x", "date", "2026-02-28"), "<", "2026-03-01", True),
        (answer("x", "date", "2026-03-01"), ">=", "2026-03-01", True),
        (answer("x", "date", "2026-03-01"), ">", "2026-03-01", False),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), ">=", "20 mg", True),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), "=", "20 mg", True),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), ">", "1 g", False),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), "=", "20 g", False),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), "!=", "20 g", True),
        (answer("x", "quantity", {"value": "20", "unit": "mg"}), ">", "1", False),
        (answer("x", "quantity", {"value": "20", "unit": "1"}), ">", "1", True),
        (answer("x", "region-map", [{"region": "pore.region.cheek", "side": "left"}]), "=", "pore.region.cheek", True),
        (answer("x", "region-map", [{"region": "pore.region.cheek"}]), "=", "pore.region.nose", False),
        (answer("x", "attachment", [{"id": "p1", "content_type": "image/png"}]), "=", "p1", True),
    ],
)
def test_every_answer_type_compares_exactly(given: Answer, operator: str, value: Any, expected: bool) -> None:
    assert true(("x", operator, value), over=(given,)) is expected


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (answer("x", "boolean", True), 1),
        (answer("x", "integer", 1), True),
        (answer("x", "integer", 1), "1"),
        (answer("x", "decimal", "1"), 1),
        (answer("x", "quantity", {"value": "1", "unit": "1"}), 1),
        (answer("x", "date", "2026-01-01"), 1),
    ],
)
def test_values_of_different_types_are_never_equal(given: Answer, value: Any) -> None:
    assert not true(("x", "=", value), over=(given,))
    assert not true(("x", ">=", value), over=(given,))


def test_text_has_no_order() -> None:
    assert not true(("x", ">", "a"), over=(answer("x", "text", "b"),))


def test_comparing_a_number_with_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="none"):
        true(("x", ">", "many"), over=(answer("x", "decimal", "1"),))


def test_all_needs_every_condition_and_any_needs_one() -> None:
    both = (("a", "=", True), ("b", "=", True))
    one = (answer("a", "boolean", True), answer("b", "boolean", False))
    assert not true(*both, over=one)
    assert true(*both, over=one, join="any")


def test_inside_an_instance_only_that_instance_counts() -> None:
    condition = ShowWhen(conditions=(Condition(question="pore.q.r1", operator="=", value=True),))
    answers = index((answer("r1", "boolean", True, 2), answer("r1", "boolean", False, 1)))
    section = frozenset({"pore.q.r1"})
    assert holds(condition, answers, instance=2, same_section=section)
    assert not holds(condition, answers, instance=1, same_section=section)
    assert holds(condition, answers, instance=1)


def form(*sections: dict[str, Any]) -> ConsultationForm:
    document = {
        "id": "pore.form.test",
        "version": "1.0.0",
        "title": {"en": "Test"},
        "type": "consultation-form",
        "kind": "consultation",
        "sections": sections,
    }
    return ConsultationForm.from_json(json.dumps(document))


def section(name: str, *questions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": f"pore.section.{name}", "title": {"en": name}, "questions": questions, **more}


def question(name: str, show_when: dict[str, Any] | None = None, kind: str = "boolean") -> dict[str, Any]:
    document = {"id": f"pore.q.{name}", "type": kind, "text": {"en": name}}
    return document | ({"show_when": show_when} if show_when else {})


CHAIN = form(
    section("one", question("c", when(("b", "=", True))), question("a"), question("b", when(("a", "=", True)))),
    section("two", question("d"), question("e", when(("d", "!=", True))), show_when=when(("c", "=", True))),
    section("three", question("f", when(("e", "exists", False)))),
)
YES = {name: answer(name, "boolean", True) for name in "abcdef"}


def shown(form: ConsultationForm, *answers: Answer) -> set[str]:
    return {name.removeprefix("pore.q.") for name, _ in visible(form, index(answers))}


def test_a_question_appears_with_the_answer_it_waits_for() -> None:
    assert shown(CHAIN) == {"a", "f"}
    assert shown(CHAIN, YES["a"]) == {"a", "b", "f"}
    assert shown(CHAIN, YES["a"], YES["b"], YES["c"]) == {"a", "b", "c", "d", "e", "f"}


def test_the_answer_to_a_hidden_question_counts_for_nothing_down_the_chain() -> None:
    assert shown(CHAIN, YES["b"], YES["c"], YES["d"]) == {"a", "f"}


def test_a_hidden_section_hides_its_questions() -> None:
    everything = tuple(YES[name] for name in "abcd")
    assert shown(CHAIN, *everything) == {"a", "b", "c", "d", "f"}
    assert shown(CHAIN, YES["a"], YES["b"], YES["d"]) == {"a", "b", "c", "f"}


def test_counted_keeps_answers_to_shown_questions_only() -> None:
    assert set(counted(CHAIN, index((YES["a"], YES["c"], YES["f"])))) == {"pore.q.a", "pore.q.f"}


REPEATING = form(
    section("ever", question("ever")),
    section(
        "history",
        question("r1"),
        question("r2", when(("r1", "=", True))),
        repeats=3,
        show_when=when(("ever", "=", True)),
    ),
    section("after", question("after", when(("r2", "=", True)))),
)


def test_a_repeating_section_has_the_answered_instances_and_the_first() -> None:
    ever = answer("ever", "boolean", True)
    assert visible(REPEATING, index((ever,))) == {("pore.q.ever", None), ("pore.q.r1", 1)}
    assert visible(REPEATING, index((ever, answer("r1", "boolean", True, 3)))) == {
        ("pore.q.ever", None),
        ("pore.q.r1", 1),
        ("pore.q.r1", 3),
        ("pore.q.r2", 3),
    }


def test_instances_beyond_the_repeats_or_without_number_do_not_count() -> None:
    ever = answer("ever", "boolean", True)
    stray = (answer("r1", "boolean", True, 4), answer("r1", "boolean", True), answer("ever", "boolean", True, 1))
    assert visible(REPEATING, index((ever, *stray))) == {("pore.q.ever", None), ("pore.q.r1", 1)}
    assert counted(REPEATING, index((ever, *stray))) == {"pore.q.ever": (ever,)}


def test_outside_the_section_any_instance_counts() -> None:
    ever = answer("ever", "boolean", True)
    answers = (ever, answer("r1", "boolean", True, 2), answer("r2", "boolean", True, 2))
    assert ("pore.q.after", None) in visible(REPEATING, index(answers))
    assert ("pore.q.after", None) not in visible(REPEATING, index(answers[1:]))


def test_a_circle_is_an_error() -> None:
    loop = when(("a", "=", True))
    sections = CHAIN.sections[0].model_copy(
        update={
            "questions": tuple(
                one.model_copy(update={"show_when": ShowWhen.model_validate_json(json.dumps(loop))})
                for one in CHAIN.sections[0].questions
            )
        }
    )
    with pytest.raises(ValueError, match="circle"):
        compile_form(CHAIN.model_copy(update={"sections": (sections,)}))


def test_a_long_chain_of_conditions_is_no_deep_recursion() -> None:
    chain = form(
        section("s", question("q0"), *(question(f"q{n}", when((f"q{n - 1}", "=", True))) for n in range(1, 3000)))
    )
    answers = index(answer(f"q{n}", "boolean", True) for n in range(3000))
    assert len(visible(chain, answers)) == 3000


@st.composite
def forms_and_answers(draw: st.DrawFn) -> tuple[ConsultationForm, AnswerIndex]:
    """A form of up to eight questions, some in a repeating section, each waiting for earlier ones; and answers."""
    names = [f"q{n}" for n in range(draw(st.integers(1, 8)))]
    condition = lambda earlier: st.tuples(  # noqa: E731
        st.sampled_from(earlier), st.sampled_from(["=", "!=", "exists"]), st.booleans()
    )

    def waits(earlier: list[str]) -> dict[str, Any] | None:
        if not earlier or draw(st.booleans()):
            return None
        conditions = draw(st.lists(condition(earlier), min_size=1, max_size=3))
        return when(*conditions, join=draw(st.sampled_from(["all", "any"])))

    cut = draw(st.integers(0, len(names)))
    sections = []
    if cut:
        sections.append(section("one", *(question(name, waits(names[:n])) for n, name in enumerate(names[:cut]))))
    if cut < len(names):
        own = waits(names[:cut])
        more = {"show_when": own} if own else {}
        rest = [question(name, waits(names[: cut + n])) for n, name in enumerate(names[cut:])]
        sections.append(section("two", *rest, repeats=3, **more))
    answers = []
    for n, name in enumerate(names):
        for instance in (None,) if n < cut else (1, 2, 3):
            value = draw(st.none() | st.booleans())
            if value is not None:
                answers.append(answer(name, "boolean", value, instance))
    return form(*draw(st.permutations(sections))), index(answers)


@given(forms_and_answers(), st.data())
def test_nothing_depends_on_the_answers_to_hidden_questions(
    case: tuple[ConsultationForm, AnswerIndex], data: st.DataObject
) -> None:
    form_, answers = case
    before = visible(form_, answers)
    changed: list[Answer] = []
    for given_ in answers.values():
        for one in given_:
            if (one.question, one.instance) in before:
                changed.append(one)
            elif data.draw(st.booleans()):
                changed.append(one.model_copy(update={"value": not one.value}))
    after = visible(form_, index(changed))
    # An instance that nothing shown is answered in may go with its hidden answers; everything else stays.
    live = {1, None} | {one.instance for one in changed}
    assert after == {(name, instance) for name, instance in before if instance in live}


@given(forms_and_answers())
def test_looking_again_at_what_counts_changes_nothing(case: tuple[ConsultationForm, AnswerIndex]) -> None:
    form_, answers = case
    kept = counted(compile_form(form_), answers)
    assert counted(form_, kept) == kept
    assert {(one.question, one.instance) for given_ in kept.values() for one in given_} <= visible(form_, answers)
