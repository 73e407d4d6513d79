"""What an answer must be to be accepted, and that nothing of what was answered is lost when it is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import CANARY, changed, consultation, day_form, doc, workflow
from pore_plugin import check
from pore_plugin.clinical.forms.conditions import index, visible
from pore_plugin.clinical.forms.responses import FormIndex, check_response
from pore_plugin.contracts import Consultation, ConsultationForm, FollowUpResponse

EN = {"en": "Text"}


def question(name: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"id": f"test.q.{name}", "type": kind, "text": EN, **members}


def when(name: str, value: Any, operator: str = "=") -> dict[str, Any]:
    return {"conditions": [{"question": f"test.q.{name}", "operator": operator, "value": value}]}


FORM = {
    "type": "consultation-form",
    "id": "test.form.all",
    "version": "1.0.0",
    "title": EN,
    "kind": "consultation",
    "sections": [
        {
            "id": "test.section.one",
            "title": EN,
            "questions": [
                question("gate", "boolean", required=True),
                question("hidden", "text", required=True, max_length=10, show_when=when("gate", True)),
                question("deeper", "boolean", show_when=when("hidden", True, "exists")),
                question("choice", "choice", options=[{"code": "red", "text": EN}, {"code": "green", "text": EN}]),
                question(
                    "many",
                    "multi-choice",
                    options=[
                        {"code": "one", "text": EN},
                        {"code": "two", "text": EN},
                        {"code": "none", "text": EN, "exclusive": True},
                    ],
                ),
                question("integer", "integer", min=0, max=10),
                question("decimal", "decimal", min="0.5", max="10"),
                question("open", "decimal"),
                question("quantity", "quantity", units=["mg", "g"], min="1", max="60"),
                question("past", "date", past=True),
                question("date", "date"),
                question("text", "text", max_length=10),
                question("files", "attachment", content_types=["image/jpeg"], views=["front"], max_items=2),
                question("anyview", "attachment", content_types=["image/jpeg"], max_items=2),
                question("map", "region-map", regions=["pore.region.cheek", "pore.region.chin"]),
                question("points", "region-map", regions=["pore.region.cheek"], points=True),
            ],
        },
        {
            "id": "test.section.many",
            "title": EN,
            "repeats": 2,
            "show_when": when("gate", True),
            "questions": [question("name", "text", required=True, max_length=20), question("year", "integer")],
        },
    ],
}


@cache
def form() -> FormIndex:
    return FormIndex(check(ConsultationForm, FORM).model)


def answer(name: str, kind: str, value: Any, instance: int | None = None) -> dict[str, Any]:
    given_answer = {"question": f"test.q.{name}", "type": kind, "value": value}
    return given_answer if instance is None else {**given_answer, "instance": instance}


NO = answer("gate", "boolean", False)
YES = answer("gate", "boolean", True)
SHOWN = [YES, answer("hidden", "text", "a reason"), answer("name", "text", "first", 1)]


def response(*answers: Mapping[str, Any], **members: Any) -> Consultation:
    document = {
        "id": "response-1",
        "clinic": "clinic-1",
        "patient": {"host": "desk", "id": "patient-1", "birth_date": "1990-05-17"},
        "form": {"id": "test.form.all", "version": "1.0.0", "digest": "sha256:" + "0" * 64},
        "locale": "en",
        "occurred_at": "2026-09-07T10:00:00+01:00",
        "recorded_at": "2026-09-07T10:35:00+01:00",
        "answers": list(answers),
        **members,
    }
    return check(Consultation, document).model


def found(*answers: Mapping[str, Any], **members: Any) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in check_response(form(), response(*answers, **members))]


def test_answers_that_fit_have_no_problem() -> None:
    assert found(NO) == []
    assert found(*SHOWN) == []


# -- which questions --------------------------------------------------------------------------------------------


def test_an_answer_to_a_hidden_question_is_refused() -> None:
    assert found(NO, answer("hidden", "text", "why")) == [("answers.hidden", "/answers/1")]


def test_what_depends_on_a_hidden_answer_is_hidden_too() -> None:
    both = found(NO, answer("hidden", "text", "why"), answer("deeper", "boolean", True))
    assert both == [("answers.hidden", "/answers/1"), ("answers.hidden", "/answers/2")]


def test_an_unknown_question_is_refused_with_the_nearest_spelling() -> None:
    [problem] = check_response(form(), response(NO, {**answer("gaet", "boolean", True)}))
    assert (problem.code, problem.pointer) == ("answers.unknown_question", "/answers/1/question")
    assert "test.q.gate" in problem.next_step


def test_an_unknown_question_without_a_near_one_names_none() -> None:
    [problem] = check_response(form(), response(NO, {**NO, "question": "acme.sleep"}))
    assert "Did you mean" not in problem.next_step


def test_a_required_question_that_is_shown_is_answered() -> None:
    assert found() == [("answers.required", "/answers")]
    assert found(YES) == [("answers.required", "/answers")] * 2
    sentences = [problem.sentence for problem in check_response(form(), response(YES))]
    assert [next(q for q in ("hidden", "name") if q in s) for s in sentences] == ["hidden", "name"]


def test_a_required_question_of_a_section_is_asked_in_every_instance() -> None:
    assert found(*SHOWN, answer("year", "integer", 2020, 2)) == [("answers.required", "/answers")]
    assert found(*SHOWN, answer("year", "integer", 2020, 2), answer("name", "text", "second", 2)) == []


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (answer("name", "text", "x"), "/answers/3"),
        (answer("name", "text", "x", 3), "/answers/3/instance"),
        (answer("choice", "choice", "red", 1), "/answers/3/instance"),
    ],
)
def test_instances_belong_to_repeating_sections_and_have_a_limit(wrong: dict[str, Any], pointer: str) -> None:
    assert found(*SHOWN, wrong) == [("answers.instance", pointer)]


# -- what an answer is ------------------------------------------------------------------------------------------


def test_an_answer_has_the_type_of_its_question() -> None:
    assert found(NO, answer("integer", "decimal", "3")) == [("answers.wrong_type", "/answers/1/type")]


@pytest.mark.parametrize(
    ("given_answer", "problems"),
    [
        (answer("choice", "choice", "red"), []),
        (answer("choice", "choice", "gren"), [("answers.unknown_option", "/value")]),
        (answer("many", "multi-choice", ["one", "two"]), []),
        (answer("many", "multi-choice", ["none"]), []),
        (answer("many", "multi-choice", ["one", "three"]), [("answers.unknown_option", "/value/1")]),
        (answer("many", "multi-choice", ["one", "one"]), [("answers.option_twice", "/value")]),
        (answer("many", "multi-choice", ["one", "none"]), [("answers.exclusive_option", "/value")]),
        (answer("integer", "integer", 0), []),
        (answer("integer", "integer", 10), []),
        (answer("integer", "integer", -1), [("answers.limit", "/value")]),
        (answer("integer", "integer", 11), [("answers.limit", "/value")]),
        (answer("decimal", "decimal", "0.5"), []),
        (answer("decimal", "decimal", "0.4999"), [("answers.limit", "/value")]),
        (answer("decimal", "decimal", "10.000000000000001"), [("answers.limit", "/value")]),
        (answer("open", "decimal", "-99999999999999999999"), []),
        (answer("quantity", "quantity", {"value": "60", "unit": "mg"}), []),
        (answer("quantity", "quantity", {"value": "60", "unit": "kg"}), [("answers.unit", "/value/unit")]),
        (answer("quantity", "quantity", {"value": "61", "unit": "mg"}), [("answers.limit", "/value/value")]),
        (answer("past", "date", "2026-09-07"), []),
        (answer("past", "date", "2026-09-08"), [("answers.in_future", "/value")]),
        (answer("date", "date", "2030-01-01"), []),
        (answer("date", "date", "1990-05-17"), []),
        (answer("date", "date", "1990-05-16"), [("answers.before_birth", "/value")]),
        (answer("text", "text", "x" * 10), []),
        (answer("text", "text", "x" * 11), [("answers.too_long", "/value")]),
        (answer("files", "attachment", [{"id": "a", "content_type": "image/jpeg", "view": "front"}]), []),
        (answer("files", "attachment", [{"id": "a", "content_type": "image/jpeg"}]), []),
        (
            answer("files", "attachment", [{"id": "a", "content_type": "image/png"}]),
            [("answers.content_type", "/value/0/content_type")],
        ),
        (
            answer("files", "attachment", [{"id": "a", "content_type": "image/jpeg", "view": "back"}]),
            [("answers.view", "/value/0/view")],
        ),
        (answer("anyview", "attachment", [{"id": "a", "content_type": "image/jpeg", "view": "back"}]), []),
        (
            answer("files", "attachment", [{"id": c, "content_type": "image/jpeg"} for c in "abc"]),
            [("answers.too_many", "/value")],
        ),
        (answer("map", "region-map", [{"region": "pore.region.cheek", "side": "left"}]), []),
        (answer("map", "region-map", [{"region": "pore.region.nose"}]), [("answers.region", "/value/0/region")]),
        (
            answer(
                "map",
                "region-map",
                [{"region": "pore.region.chin", "chart": "pore.chart.frontal", "x": "0.5", "y": "1"}],
            ),
            [("answers.points", "/value/0")],
        ),
        (
            answer(
                "points",
                "region-map",
                [{"region": "pore.region.cheek", "chart": "pore.chart.frontal", "x": "0.5", "y": "1"}],
            ),
            [],
        ),
    ],
)
def test_an_answer_keeps_to_its_question(given_answer: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert found(NO, given_answer) == [(code, "/answers/1" + below) for code, below in problems]


def test_an_unknown_option_comes_with_the_nearest_spelling() -> None:
    [near] = check_response(form(), response(NO, answer("choice", "choice", "gren")))
    assert near.next_step == "Did you mean green?"
    [far] = check_response(form(), response(NO, answer("choice", "choice", "xyz")))
    assert far.next_step == "Choose one of: green, red."


def test_a_hidden_answer_is_checked_all_the_same() -> None:
    codes = [code for code, _ in found(NO, answer("hidden", "text", "x" * 11))]
    assert codes == ["answers.hidden", "answers.too_long"]


# -- the response itself ----------------------------------------------------------------------------------------


def test_answers_are_not_dated_later_than_they_were_recorded() -> None:
    late = found(NO, occurred_at="2026-09-07T10:35:01+01:00")
    assert late == [("response.time_order", "/occurred_at")]
    # The same moment in another zone is in order.
    assert found(NO, occurred_at="2026-09-07T11:35:00+02:00") == []


def test_a_patient_is_born_before_answering() -> None:
    unborn = {"host": "desk", "id": "patient-1", "birth_date": "2026-09-08"}
    assert found(NO, patient=unborn) == [("response.birth_date", "/patient/birth_date")]


def test_all_problems_come_at_once_in_the_order_of_the_answers() -> None:
    wrong = found(
        NO,
        answer("integer", "integer", 11),
        answer("text", "text", "x" * 11),
        answer("past", "date", "2030-01-01"),
        occurred_at="2026-09-08T10:00:00+01:00",
    )
    assert wrong == sorted(wrong, key=lambda item: item[1])
    assert len(wrong) == 4


def test_no_problem_repeats_an_answer() -> None:
    answers = [
        {**answer("gate", "boolean", False)},
        answer("hidden", "text", CANARY),
        answer("choice", "choice", CANARY),
        answer("many", "multi-choice", [CANARY, CANARY]),
        answer("files", "attachment", [{"id": CANARY, "content_type": "image/png", "view": CANARY}]),
    ]
    said = "".join(problem.to_json().decode() for problem in check_response(form(), response(*answers)))
    assert said
    assert CANARY not in said


# -- submitting -------------------------------------------------------------------------------------------------


def test_the_sample_consultation_and_day_form_are_accepted() -> None:
    for given_response in (consultation(), day_form()):
        result = workflow().submit(given_response)
        assert (result.accepted, result.problems, result.consultation) == (True, (), given_response)
        assert [event.type for event in result.events] == ["consultation.submitted"]


def test_a_draft_keeps_what_an_accepted_consultation_must_not_have() -> None:
    hidden = {"question": "pore.q.event-date", "type": "date", "value": "2026-10-01"}
    whole = changed(consultation(), answers=[*doc(consultation().answers), hidden])
    result = workflow().submit(whole)
    assert [problem.code for problem in result.problems] == ["answers.hidden"]
    assert (result.accepted, result.consultation.status) == (False, "draft")
    assert result.consultation.answers == whole.answers
    assert [event.type for event in result.events] == ["consultation.kept_as_draft"]


def test_a_draft_is_kept_as_a_draft_even_when_nothing_is_wrong_with_it() -> None:
    result = workflow().submit(consultation(status="draft"))
    assert (result.accepted, result.consultation.status, result.problems) == (False, "draft", ())


def test_the_result_has_the_digest_that_later_records_pin() -> None:
    result = workflow().submit(consultation())
    assert result.consultation_digest == workflow().record_pin(result.consultation).digest


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "gate": st.booleans(),
    "hidden": st.text("ab", min_size=1, max_size=12),
    "deeper": st.booleans(),
    "choice": st.sampled_from(["red", "green", "blue"]),
    "many": st.lists(st.sampled_from(["one", "two", "none"]), min_size=1, max_size=3),
    "integer": st.integers(-2, 12),
    "name": st.text("ab", min_size=1, max_size=12),
    "year": st.integers(1990, 2030),
}
KINDS = {q["id"].removeprefix("test.q."): q["type"] for s in FORM["sections"] for q in s["questions"]}  # type: ignore[attr-defined]


@st.composite
def responses(draw: st.DrawFn) -> Consultation:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), unique=True))
    answers = []
    for name in names:
        instances = draw(st.sampled_from([[1], [1, 2], [2], [3]])) if name in ("name", "year") else [None]
        answers += [answer(name, KINDS[name], draw(VALUES[name]), instance) for instance in instances]
    return response(*answers)


@given(responses())
def test_what_is_accepted_holds_no_answer_to_a_hidden_question(given_response: Consultation) -> None:
    problems = check_response(form(), given_response)
    shown = visible(form().compiled, index(given_response.answers))
    answered = {(a.question, a.instance) for a in given_response.answers}
    needed = {q.id for section in form().form.sections for q in section.questions if q.required}
    required = {key for key in shown if key[0] in needed}
    if not problems:
        assert answered <= shown
        assert required <= answered
    else:
        assert all(problem.pointer.startswith("/answers") for problem in problems)
    if answered <= shown:
        assert "answers.hidden" not in {problem.code for problem in problems}


SAMPLE = consultation()


@given(
    dropped=st.sets(st.sampled_from([a.question for a in SAMPLE.answers]), max_size=2),
    turned=st.sets(st.sampled_from([a.question for a in SAMPLE.answers if a.type == "boolean"]), max_size=2),
)
def test_submitting_loses_nothing(dropped: set[str], turned: set[str]) -> None:
    answers = [
        {**doc(a), "value": not a.value} if a.question in turned else doc(a)
        for a in SAMPLE.answers
        if a.question not in dropped
    ]
    whole = changed(SAMPLE, answers=answers)
    result = workflow().submit(whole)
    assert result.consultation.answers == whole.answers
    assert result.consultation.status == ("completed" if result.accepted else "draft")
    assert result.accepted is not bool(result.problems)
    if result.accepted:
        form_index = FormIndex(workflow().form().model)
        shown = visible(form_index.compiled, index(result.consultation.answers))
        assert {(a.question, a.instance) for a in result.consultation.answers} <= shown


def test_a_follow_up_response_is_held_to_the_same() -> None:
    document = {
        **doc(response(NO, answer("integer", "integer", 11))),
        "follow_up_plan": {"id": "plan-1", "digest": "sha256:" + "0" * 64},
        "step": "W4",
    }
    [problem] = check_response(form(), check(FollowUpResponse, document).model)
    assert problem.code == "answers.limit"
