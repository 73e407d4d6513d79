"""Whatever comes in, a step gives a result or every problem with it: no traceback, no patient data, nothing lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from document_strategies import spoiled
from factories import CANARY, Made, case_input, clinic, consultation, doc, made, make, peel, with_canaries, workflow_of
from pore_plugin import PoreWorkflow, ProblemsError, check
from pore_plugin.builtin import content
from pore_plugin.catalogue.entries import entry_of
from pore_plugin.contracts import (
    AssessmentContext,
    AssessmentRequest,
    ConsentRequest,
    Consultation,
    FollowUpRequest,
    Model,
    PlanRequest,
    ReadinessRequest,
    ReviewRequest,
    TreatmentRequest,
)
from pore_plugin.contracts.canonical import canonical, digest
from pore_plugin.hooks import hookimpl
from test_workflow import review_request, walk

# -- documents that are nearly right ----------------------------------------------------------------------------

Step = Callable[[PoreWorkflow, Any], Model]


@cache
def requests() -> dict[str, tuple[type[Model], dict[str, Any], Step]]:
    """For each step: its contract, a real request with canaries in all free text, and the call."""
    case = with_canaries()
    walked = walk(case)
    [_, given_response] = case_input()["follow_up"]["responses"]
    response = review_request(case.flow, walked.treatment, walked.follow_up, given_response)
    bare_peel = peel()
    context = AssessmentContext(stage="consultation", date="2026-09-10", patient=case.consultation.patient)
    wanted: dict[str, tuple[type[Model], Model, Step]] = {
        "submit": (Consultation, case.consultation, PoreWorkflow.submit),
        "assess": (
            AssessmentRequest,
            AssessmentRequest(context=context, consultation=case.consultation, at=case.consultation.recorded_at),
            PoreWorkflow.assess,
        ),
        "plan": (PlanRequest, plan_request_of(case), PoreWorkflow.plan),
        "consent": (
            ConsentRequest,
            check(ConsentRequest, {**case_input()["consent"], "plan": doc(case.plan)}).model,
            PoreWorkflow.consent,
        ),
        "ready": (
            ReadinessRequest,
            ReadinessRequest(case=case.case, operator=case.operator, at=case.at),
            PoreWorkflow.ready,
        ),
        "treat": (TreatmentRequest, TreatmentRequest(case=case.case, report=case.report), PoreWorkflow.treat),
        "treat a peel": (
            TreatmentRequest,
            TreatmentRequest(case=bare_peel.case, report=bare_peel.report),
            PoreWorkflow.treat,
        ),
        "follow_up": (FollowUpRequest, FollowUpRequest(treatment=walked.treatment), PoreWorkflow.follow_up),
        "review": (ReviewRequest, response, PoreWorkflow.review),
    }
    return {name: (contract, doc(model), step) for name, (contract, model, step) in wanted.items()}


def plan_request_of(case: Made) -> PlanRequest:
    whole = {**case_input()["plan"], "consultation": doc(case.consultation)}
    return check(PlanRequest, whole).model


STEPS = ["submit", "assess", "plan", "consent", "ready", "treat", "treat a peel", "follow_up", "review"]

EDGES = {
    "instant": [
        "1900-01-01T00:00:00+00:00",
        "2199-12-31T23:59:59-12:00",
        "2199-12-31T23:59:59+14:00",
        "1900-01-01T00:00:00+14:00",
        "2026-10-25T01:30:00+01:00",
        "2026-03-29T01:30:00+00:00",
    ],
    "date": ["1900-01-01", "2199-12-31", "2024-02-29", "2026-09-10"],
    "decimal": ["0", "99999999999999999999999999999999", "0.00000000000000000000000000001", "-1", "1000000", "0.1"],
}


def kind_of(value: str) -> str | None:
    if len(value) == 25 and value[10] == "T":
        return "instant"
    if len(value) == 10 and value[4] == value[7] == "-":
        return "date"
    return "decimal" if value.replace(".", "", 1).removeprefix("-").isdigit() else None


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key), item
            yield from leaves(item, (*path, key))


@cache
def places(name: str) -> tuple[list[tuple[Any, ...]], dict[str, list[Any]]]:
    """Return every place of a request, and its values by the name of their member, to put one for another."""
    found = list(leaves(requests()[name][1]))
    by_member: dict[str, list[Any]] = {}
    for path, value in found:
        if not isinstance(value, dict | list):
            by_member.setdefault(str(path[-1]), []).append(value)
    return [path for path, _ in found], by_member


@st.composite
def nearly_right(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A request in which one to three values are others of their kind, or are missing, doubled or at an edge."""
    document = copy.deepcopy(requests()[name][1])
    paths, by_member = places(name)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths))
        try:
            holder = document
            for key in path[:-1]:
                holder = holder[key]
            value = holder[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue
        if not isinstance(holder, dict | list):
            continue  # an earlier change put a text here, and a place in a text cannot be changed
        actions = ["drop", "edge", "other"] if isinstance(value, str) else ["drop", "double", "other"]
        match draw(st.sampled_from(actions)):
            case "drop":
                del holder[path[-1]]
            case "double" if isinstance(value, list) and value:
                value.append(copy.deepcopy(value[0]))
            case "edge":
                kind = kind_of(value)
                holder[path[-1]] = draw(st.sampled_from(EDGES[kind])) if kind else value
            case _ if not isinstance(value, dict | list):
                holder[path[-1]] = draw(st.sampled_from(by_member[str(path[-1])]))
    return document


def said_by(error: ProblemsError) -> str:
    return repr(error) + str(error) + "".join(problem.to_json().decode() for problem in error.problems)


def try_step(name: str, document: Any) -> Model | ProblemsError:
    contract, _, step = requests()[name]
    before = copy.deepcopy(document)
    refused: ProblemsError | None = None
    try:
        request = check(contract, document).model
        result = step(with_canaries_flow(), request)
    except ProblemsError as error:
        refused = error
    assert document == before
    if refused is not None:
        assert refused.problems
        assert CANARY not in said_by(refused)
        return refused
    # What comes out is what the contract publishes.
    assert check(type(result), result.to_json()).model.to_json() == result.to_json()
    return result


@cache
def with_canaries_flow() -> PoreWorkflow:
    return with_canaries().flow


@pytest.mark.parametrize("name", STEPS)
def test_the_unspoiled_request_is_answered(name: str) -> None:
    assert isinstance(try_step(name, requests()[name][1]), Model)


@pytest.mark.parametrize("name", STEPS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
@given(data=st.data())
def test_a_request_that_is_nearly_right_gives_a_result_or_problems(name: str, data: st.DataObject) -> None:
    try_step(name, data.draw(nearly_right(name)))


@pytest.mark.parametrize("name", STEPS)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
@given(data=st.data())
def test_a_spoiled_request_gives_a_result_or_problems(name: str, data: st.DataObject) -> None:
    try_step(name, data.draw(spoiled(requests()[name][1])))


def with_value(name: str, value: Any, *path: Any) -> dict[str, Any]:
    document = copy.deepcopy(requests()[name][1])
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("name", "value", "path", "code"),
    [
        ("ready", "2199-12-31T23:59:59-12:00", ["at"], "step.out_of_range"),
        ("ready", "1900-01-01T00:00:00+14:00", ["at"], "step.out_of_range"),
        ("follow_up", "2199-12-31", ["treatment", "date"], "step.out_of_range"),
        ("follow_up", "1900-01-01T00:00:00+00:00", ["treatment", "report", "ended_at"], "step.out_of_range"),
        ("review", "1900-01-01T00:00:00+00:00", ["at"], "step.out_of_range"),
        ("ready", "-1", ["case", "plan", "injection", "regions", 0, "units", "value"], "plan.negative"),
        ("treat", "-1", ["case", "plan", "injection", "regions", 0, "volume", "value"], "plan.negative"),
    ],
)
def test_the_rim_of_the_calendar_and_figures_below_zero_are_problems(
    name: str, value: str, path: list[Any], code: str
) -> None:
    result = try_step(name, with_value(name, value, *path))
    assert isinstance(result, ProblemsError)
    assert [problem.code for problem in result.problems] == [code]


# -- text that is no document -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"id": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"id": "a", "id": "b"}',
        b'{"at": NaN}',
        b'{"at": Infinity}',
        b'{"at": 1e999}',
        b'{"at": ' + b"9" * 5000 + b"}",
        b'{"id": "\\ud800"}',
        b"[" * 1_000_000,
        b'{"a":' * 1_000_000,
        b"null",
        b'"text"',
        b"[]",
        b'{"at": "2026-09-10T14:01:00"}',
        b'{"at": "2026-09-10T14:01:00Z"}',
    ],
)
@pytest.mark.parametrize("contract", [Consultation, PlanRequest, TreatmentRequest, ReviewRequest])
def test_text_that_is_no_document_gives_problems(contract: type[Model], data: bytes) -> None:
    with pytest.raises(ProblemsError) as caught:
        check(contract, data)
    assert caught.value.problems
    assert all(problem.next_step for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"zone": "Europe/Nowhere"}, "zone.unknown"),
        ({"country": "US"}, "clinic.country"),
        ({"country": "FR"}, "clinic.country"),
    ],
)
def test_a_clinic_that_cannot_be_is_refused(members: dict[str, str], code: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        workflow_of(clinic(**members))
    assert code in {problem.code for problem in caught.value.problems}


# -- extensions -------------------------------------------------------------------------------------------------


def raises(*_: object) -> object:
    raise RuntimeError(CANARY)


def exits(*_: object) -> object:
    raise SystemExit(CANARY)


def gives_garbage(*_: object) -> object:
    return [object(), 3, {CANARY[:3]: CANARY}]


def gives_no_list(*_: object) -> object:
    return 3


def fails_half_way(*_: object) -> Iterator[object]:
    yield {"neither": "this nor that"}
    raise RuntimeError(CANARY)


def writes_to_its_input(*given_models: Any) -> None:
    for model in given_models:
        for member in list(model.__dict__):
            model.__dict__[member] = CANARY


CRIMES = [raises, exits, gives_garbage, gives_no_list, fails_half_way, writes_to_its_input]

SIGNATURES: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "pore_startup": lambda crime: lambda host: crime(host),
    "pore_register_questions": lambda crime: lambda form: crime(form),
    "pore_register_content": lambda crime: lambda: crime(),
    "pore_register_host_adapters": lambda crime: lambda: crime(),
    "pore_validate_answers": lambda crime: lambda form, answers: crime(form, answers),
    "pore_assess_suitability": lambda crime: lambda consultation, context: crime(context),
    "pore_amend_follow_up": lambda crime: lambda follow_up_plan, treatment: crime(follow_up_plan, treatment),
    "pore_place_follow_up_step": lambda crime: lambda step, follow_up_plan: crime(step, follow_up_plan),
    "pore_on_event": lambda crime: lambda event: crime(event),
}


class Criminal:
    """An extension with one bad hook."""

    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "acme"

    def __init__(self, hook: str, crime: Callable[..., Any]) -> None:
        setattr(self, hook, hookimpl(SIGNATURES[hook](crime)))


CASES = [
    (hook, crime)
    for hook in SIGNATURES
    for crime in CRIMES
    # A hook without arguments has nothing to write to.
    if not (crime is writes_to_its_input and hook in ("pore_register_content", "pore_register_host_adapters"))
]


def with_deviations(case: Made, *reasons: str) -> Made:
    at = "2026-09-10T15:10:00+01:00"
    deviations = [{"code": code, "reason": "Known.", "person": "dr-sample", "at": at} for code in reasons]
    report = check(type(case.report), {**doc(case.report), "deviations": deviations}).model
    return Made(case.flow, case.consultation, case.planned, case.plan, case.case, report, case.operator, case.at)


@pytest.mark.parametrize(("hook", "crime"), CASES)
def test_a_bad_extension_is_named_and_nothing_is_lost(
    hook: str, crime: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    flow = workflow_of(clinic(), plugins={"acme": Criminal(hook, crime)}, environ={})
    given_consultation = consultation(flow)
    before = given_consultation.to_json()
    submitted = flow.submit(given_consultation)
    case = make(flow)
    # Its validator failed: the answers stay a draft until it is mended or switched off, and so nobody is treated.
    case = with_deviations(case, *{reason.code for reason in case.ready().reasons})
    treated = flow.treat(TreatmentRequest(case=case.case, report=case.report))
    planned = flow.follow_up(FollowUpRequest(treatment=treated.treatment))
    told = flow.publish((*submitted.events, *treated.events, *planned.events))

    assert given_consultation.to_json() == before
    assert submitted.consultation.answers == given_consultation.answers
    everything = [submitted, case.planned, treated, planned, flow.plugins]
    said = [problem for result in (submitted, flow.plugins) for problem in result.problems] + list(told)
    said += [p for entry in flow.plugins.entries for p in entry.problems]
    flags = [finding.code for finding in case.assessment.findings] + list(planned.follow_up_plan.flags)
    assert CANARY not in json.dumps([doc(item) for item in (*everything, *told)])
    assert CANARY not in caplog.text
    assert "acme" in caplog.text
    named = [problem for problem in said if problem.plugin == "acme"]
    reasons = [entry.reason for entry in flow.plugins.entries if entry.name == "acme" and entry.reason]
    if hook == "pore_place_follow_up_step":
        # The next one places the step, and the log says why.
        assert treated.treatment.readiness.ready
    elif hook == "pore_assess_suitability":
        assert flags[0] == "extension.failed"
    elif hook == "pore_amend_follow_up":
        assert any("acme" in flag for flag in planned.follow_up_plan.flags)
    else:
        assert named or reasons
    assert submitted.accepted is (hook != "pore_validate_answers")
    # The base is whole: the same steps as without the extension.
    assert [step.key for step in planned.follow_up_plan.steps] == [step.key for step in walk(made()).follow_up.steps]


def test_an_extension_cannot_lower_a_verdict() -> None:
    def forgives(context: Any) -> list[Any]:
        return []

    extension = Criminal("pore_startup", lambda *_: None)
    extension.pore_assess_suitability = hookimpl(forgives)  # type: ignore[attr-defined]
    flow = workflow_of(clinic(), plugins={"acme": extension})
    answers = {"pregnancy": ["pregnant"]}
    context = AssessmentContext(stage="consultation", date="2026-09-10", patient=consultation(flow).patient)
    request = AssessmentRequest(context=context, consultation=consultation(flow, answers=answers), at=made().at)
    assert flow.assess(request).assessment.verdict == "block"


def test_all_extensions_can_be_switched_off_and_the_built_in_stays() -> None:
    settings_off = clinic(extensions={"enabled": False})
    flow = workflow_of(settings_off, plugins={"acme": Criminal("pore_assess_suitability", raises)})
    assert make(flow).codes() == []
    assert {entry.name: entry.state for entry in flow.plugins.entries}["acme"] == "disabled"


def forges(name: str, write: Callable[[Any], None]) -> dict[str, Callable[..., Any]]:
    """Return an implementation of each hook that is given the argument, writing to it."""
    return {
        "answers": {"pore_validate_answers": lambda answers: write(answers)},
        "consultation": {"pore_assess_suitability": lambda consultation: write(consultation)},
        "template": {"pore_assess_suitability": lambda template: template and write(template)},
        "context": {"pore_assess_suitability": lambda context: write(context)},
        "form": {"pore_register_questions": lambda form: write(form)},
    }[name]


def forger(name: str, write: Callable[[Any], None]) -> Any:
    extension: Any = Criminal("pore_startup", lambda *_: None)
    for hook, function in forges(name, write).items():
        setattr(extension, hook, hookimpl(function))
    return extension


def deny_everything(consultation: Any) -> None:
    for answer in consultation.answers:
        if answer.question == "pore.q.pregnancy":
            object.__setattr__(answer, "value", ("none",))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("answers", deny_everything),
        ("consultation", deny_everything),
        ("answers", lambda answers: object.__setattr__(answers, "answers", ())),
        ("context", lambda context: object.__setattr__(context.patient, "birth_date", "1990-01-01")),
        ("form", lambda form: [section.__dict__.update(questions=()) for section in form.sections] and None),
    ],
)
def test_an_extension_cannot_write_a_block_away(name: str, write: Callable[[Any], None]) -> None:
    flow = workflow_of(clinic(), plugins={"acme": forger(name, write)}, environ={})
    response = consultation(flow, answers={"pregnancy": ["pregnant"]})
    before = response.to_json()
    submitted = flow.submit(response)
    context = AssessmentContext(stage="consultation", date="2026-09-10", patient=response.patient)
    request = AssessmentRequest(context=context, consultation=response, at=made().at)
    for _ in range(2):
        result = flow.assess(request)
        assert result.assessment.verdict == "block"
        assert "PREG" in {finding.code for finding in result.assessment.findings}
    assert response.to_json() == before
    # An extension that fails while it validates keeps the draft.
    assert submitted.accepted is (name != "answers")
    assert submitted.consultation.answers == response.answers
    assert context.patient == response.patient
    problems = [*submitted.problems, *flow.plugins.problems]
    problems += [problem for entry in flow.plugins.entries for problem in entry.problems]
    named = {problem.code for problem in problems if problem.plugin == "acme"}
    stood_in = {finding.plugin for finding in result.assessment.findings if finding.code == "extension.failed"}
    assert named == {"extension.mutated_input"} or stood_in == {"acme"}


def test_what_an_extension_writes_into_content_stays_out_of_this_workflow_and_the_next() -> None:
    def spoil(template: Any) -> None:
        for step in template.steps:
            object.__setattr__(step, "required", False)
            dict.__setitem__(step.title, "en", CANARY)

    clean = {entry.pin: entry.model.to_json() for entry in workflow_of(clinic()).catalogue.entries}
    flow = workflow_of(clinic(), plugins={"acme": forger("template", spoil)}, environ={})
    case = make(flow)
    assert "extension.failed" in {finding.code for finding in case.assessment.findings}
    for one in (flow, workflow_of(clinic())):
        assert {entry.pin: entry.model.to_json() for entry in one.catalogue.entries} == clean
        assert all(entry.canonical == canonical(entry.document) for entry in one.catalogue.entries)


def test_what_a_caller_does_to_an_entry_changes_nothing_behind_its_pin() -> None:
    flow = workflow_of(clinic())
    entry = flow.form()
    pin, stored = entry.pin, entry.canonical
    entry.document["title"]["en"] = CANARY
    with pytest.raises(TypeError):
        entry.model.title["en"] = CANARY  # type: ignore[index]
    for name in ("model", "pin", "origin", "canonical"):
        with pytest.raises(AttributeError):
            setattr(entry, name, None)
        with pytest.raises(AttributeError):
            delattr(entry, name)
    again = flow.catalogue.pinned(pin)
    assert (again.canonical, digest(again.document)) == (stored, pin.digest)


def test_a_document_that_its_giver_changes_afterwards_is_stored_as_it_was_read() -> None:
    checked = next(one for one in content() if one.model.id == "pore.form.consultation")
    document = copy.deepcopy(checked.document)
    entry = entry_of(checked.model, document, "clinic")
    document["title"]["en"] = CANARY
    assert entry.canonical == canonical(checked.document)
    assert digest(entry.document) == entry.pin.digest
