"""Both engines and the models agree on every document, and no document gets anything but problems out of `check`."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from document_strategies import documents, spoiled
from pore_plugin.contracts import DOCUMENTS
from pore_plugin.contracts.problems import ProblemsError
from pore_plugin.schemas import SchemaRegistry, registry, schema_bytes, schema_names
from pore_plugin.validation import Engine, check, problems

STAND_IN = SchemaRegistry(schema_names(), schema_bytes, stand_in=True)
NAMES = st.sampled_from(sorted(DOCUMENTS))
CANARY = "Kanarienvogel-7Q9X"


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(NAMES)
    document = draw(documents(name))
    # Most are spoiled, because a mutation may be harmless.
    return name, draw(spoiled(document)) if draw(st.integers(0, 6)) else document


def model_errors(name: str, document: dict[str, Any]) -> list[str]:
    try:
        DOCUMENTS[name].model_validate_json(json.dumps(document))
    except ValidationError as error:
        return [entry["type"] for entry in error.errors(include_url=False, include_input=False)]
    return []


def test_engines_and_models_agree_on_generated_documents(capsys: pytest.CaptureFixture[str]) -> None:
    tally: Counter[str] = Counter()

    @settings(max_examples=600, suppress_health_check=list(HealthCheck))
    @given(cases())
    def agree(case: tuple[str, dict[str, Any]]) -> None:
        name, document = case
        decided = registry().decider(name)(document)
        assert decided == STAND_IN.decider(name)(document), name
        errors = model_errors(name, document)
        if decided:
            # What only the model refuses are our own rules across fields, which have dotted codes; a refused item
            # makes pydantic find the array around it too short, too.
            assert not errors or {kind for kind in errors if "." not in kind} <= {"too_short"}, name
            assert not errors or any("." in kind for kind in errors), name
        else:
            assert errors, name
        tally["all"] += 1
        tally["refused by the schema" if not decided else "refused by a rule" if errors else "valid"] += 1

    agree()
    # Before its one mutation every document fits its schema, so what the schema refuses was made invalid by it.
    share = tally["refused by the schema"] / tally["all"]
    with capsys.disabled():
        print(f"\n{tally['all']} documents, {share:.0%} invalid by one mutation: {dict(tally)}")
    assert share >= 1 / 3
    assert tally["valid"] >= tally["all"] / 20


@pytest.mark.parametrize("stand_in", [False, True], ids=["fast", "stand-in"])
def test_both_engines_give_the_same_problems(stand_in: bool) -> None:
    engine = Engine(DOCUMENTS, STAND_IN if stand_in else registry())

    @settings(max_examples=100, suppress_health_check=list(HealthCheck))
    @given(cases())
    def same(case: tuple[str, dict[str, Any]]) -> None:
        name, document = case
        from_text = engine.problems(name, json.dumps(document))
        assert from_text == engine.problems(name, document) == problems(name, document)
        assert not {problem.code for problem in from_text} & {"schema.refused"}
        assert not [problem for problem in from_text if problem.code.startswith("model.")]
        assert len({(p.pointer, p.code, p.sentence) for p in from_text}) == len(from_text)

    same()


@st.composite
def with_canary(draw: st.DrawFn) -> tuple[str, str]:
    name = draw(NAMES)
    document = draw(documents(name))
    text = json.dumps(draw(spoiled(document)))
    strings = [token for token in json.dumps(document).split('"')[3::4] if token]
    for token in draw(st.lists(st.sampled_from(strings or ["x"]), max_size=4)):
        text = text.replace(f': "{token}"', f': "{CANARY}"').replace(f'["{token}"', f'["{CANARY}"')
    return name, text.replace(": true", f': "{CANARY}"') if draw(st.booleans()) else text


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(with_canary())
def test_no_value_of_a_document_turns_up_in_a_problem(case: tuple[str, str]) -> None:
    name, text = case
    for problem in problems(name, text, file="in.json"):
        assert CANARY not in problem.model_dump_json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(CANARY),
    lambda below: st.lists(below) | st.dictionaries(st.text() | st.sampled_from(["id", "type", "answers"]), below),
    max_leaves=20,
)


@given(NAMES, st.binary() | st.text() | JSON.map(json.dumps))
def test_check_answers_arbitrary_text_with_problems_only(name: str, data: bytes | str) -> None:
    with suppress(ProblemsError):
        check(name, data, file="in.json")
    assert CANARY not in "".join(problem.model_dump_json() for problem in problems(name, data))


@given(NAMES, st.dictionaries(st.text() | st.integers() | st.none(), JSON | st.binary() | st.dates() | st.datetimes()))
def test_check_answers_arbitrary_mappings_with_problems_only(name: str, data: dict[Any, Any]) -> None:
    assert CANARY not in "".join(problem.model_dump_json() for problem in problems(name, data))
