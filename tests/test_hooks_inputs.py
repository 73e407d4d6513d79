"""What a plug-in is handed is a copy of its own: whatever it writes there, records and content stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

import hook_inputs as given
from factories import consultation, made
from hook_plugins import FINDING, Ours, dispatcher, plugin, problems_of
from pore_plugin.builtin import content
from pore_plugin.contracts import DOCUMENTS, FollowUpPlan, FrozenMap, Model
from pore_plugin.hooks import ExtensionError, hookimpl
from pore_plugin.hooks.inputs import Lent, same

write = object.__setattr__
REGION = {"region": "pore.region.cheek", "side": "left"}


class Sly(str):
    """Has the hash of the word, and fails when anybody else compares it."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError(given.CANARY)


class Equal(str):
    """Says that it equals everything, and takes offence at being asked for its hash."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise RuntimeError(given.CANARY)


def planned_context() -> Any:
    return given.context(planned=[{**REGION, "units": "4"}], regions=[REGION])


ATTACKS: dict[str, tuple[str, Callable[..., Any]]] = {
    "an answer": ("pore_validate_answers", lambda answers: write(answers.answers[0], "value", "none")),
    "the patient of the answers": ("pore_validate_answers", lambda answers: write(answers.patient, "id", "p2")),
    "a question": ("pore_validate_answers", lambda form: write(form.sections[0].questions[0], "required", True)),
    "the patient of a context": (
        "pore_assess_suitability",
        lambda context: write(context.patient, "birth_date", "1950-01-01"),
    ),
    "a step of a template": ("pore_assess_suitability", lambda template: write(template.steps[0], "required", False)),
    "a region of a template": (
        "pore_assess_suitability",
        lambda template: write(template.regions[0], "region", "base.region.nose"),
    ),
    "an answer beside a context": (
        "pore_assess_suitability",
        lambda consultation: consultation.answers[0].__dict__.clear(),
    ),
    "a text of a template": (
        "pore_assess_suitability",
        lambda template: dict.__setitem__(template.steps[0].title, "en", "Nothing"),
    ),
    "a text that is emptied": ("pore_register_questions", lambda form: dict.clear(form.title)),
    "a question of a form": (
        "pore_register_questions",
        lambda form: write(form.sections[0].questions[0], "id", "acme.q.goal"),
    ),
    "the tuple of sections": ("pore_register_questions", lambda form: form.__dict__.update(sections=())),
    "a step of a plan": ("pore_amend_follow_up", lambda follow_up_plan: write(follow_up_plan.steps[0], "due", "never")),
    "the report of a treatment": ("pore_amend_follow_up", lambda treatment: write(treatment.report, "operator", "me")),
    "a calendar": (
        "pore_place_follow_up_step",
        lambda calendar: write(calendar.hours.monday[0], "closes", "23:00"),
    ),
    "the plan beside a step": (
        "pore_place_follow_up_step",
        lambda follow_up_plan: write(follow_up_plan.steps[0], "latest", None),
    ),
    "a step's text": ("pore_place_follow_up_step", lambda step: dict.update(step.title, en="Never")),
    "an event": ("pore_on_event", lambda event: write(event, "subject", "c2")),
    "what an event leaves out": ("pore_on_event", lambda event: event.model_fields_set.clear()),
    "the host": ("pore_startup", lambda host: host.__dict__.update(market="XX")),
    "a class": ("pore_on_event", lambda event: write(event, "__class__", FollowUpPlan)),
    "a value that equals everything": ("pore_validate_answers", lambda answers: write(answers.form, "id", Equal())),
    "a name that will not be compared": (
        "pore_on_event",
        lambda event: write(event, "__pydantic_fields_set__", {Sly(name) for name in event.model_fields_set}),
    ),
    "a knot": ("pore_validate_answers", lambda answers: write(answers, "patient", answers)),
}


def originals() -> tuple[list[Model], list[bytes]]:
    models = [given.form(), given.template(), given.step(), given.plan(), given.treatment(), given.calendar()]
    models += [given.host(), given.event()]
    return models, [model.to_json() for model in models]


@pytest.mark.parametrize(("hook", "attack"), ATTACKS.values(), ids=ATTACKS)
def test_writing_into_an_input_is_named_and_reaches_nobody(hook: str, attack: Callable[..., Any]) -> None:
    models, before = originals()
    (name,) = attack.__code__.co_varnames[: attack.__code__.co_argcount]
    seen: list[Any] = []
    bad = plugin(**{hook: attack})
    next_one = plugin("zeta", **{hook: eval(f"lambda {name}: see({name})", {"see": seen.append})})  # noqa: S307
    found = problems_of(hook, dispatcher(builtin=Ours(), acme=bad, zeta=next_one))
    assert [(problem.code, problem.plugin, problem.hook) for problem in found] == [
        ("extension.mutated_input", "acme", hook)
    ]
    assert "acme 3.2.1 changed what" in found[0].sentence
    assert [model.to_json() for model in models] == before
    (value,) = seen
    whole = {"consultation": given.consultation(), "answers": given.consultation(), "context": given.context()}
    whole |= {"form": given.form(), "template": given.template(), "step": given.step(), "calendar": given.calendar()}
    whole |= {"follow_up_plan": given.plan(), "treatment": given.treatment(), "event": given.event()}
    whole |= {"host": given.host()}
    assert same(value, whole[name])


@pytest.mark.parametrize(
    "attack",
    [
        lambda context: write(context.planned[0], "units", "400"),
        lambda context: write(context.planned[0], "region", "pore.region.nose"),
        lambda context: write(context.regions[0], "side", "right"),
    ],
)
def test_a_region_of_the_plan_in_view_stays(attack: Callable[[Any], None]) -> None:
    context = planned_context()
    seen: list[bytes] = []
    bad = plugin(pore_assess_suitability=lambda context: attack(context))
    zeta = plugin("zeta", pore_assess_suitability=lambda context: seen.append(context.to_json()))
    hooks = dispatcher(builtin=Ours(), acme=bad, zeta=zeta)
    found = hooks.assess_suitability(given.consultation(), given.template(), context)
    assert [problem.code for problem in found.problems] == ["extension.mutated_input"]
    assert context.to_json() == planned_context().to_json() == seen[0]
    assert [(f.code, f.plugin) for f in found.findings] == [("age", "pore"), ("extension.failed", "acme")]


def test_a_generator_that_writes_between_its_items_is_noticed() -> None:
    template = given.template()

    def later(template: Any, consultation: Any) -> Iterator[Any]:
        yield FINDING
        write(template.steps[0], "required", False)
        yield FINDING
        write(consultation.answers[0], "value", "none")

    record = given.consultation()
    before = template.to_json(), record.to_json()
    hooks = dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=later))
    found = hooks.assess_suitability(record, template, given.context())
    assert (template.to_json(), record.to_json()) == before
    assert [problem.code for problem in found.problems] == ["extension.mutated_input"]
    assert [f.code for f in found.findings] == ["age", "acme.moon", "acme.moon", "extension.failed"]


def test_an_input_that_a_plugin_keeps_is_its_own() -> None:
    kept: list[Any] = []
    hooks = dispatcher(acme=plugin(pore_validate_answers=lambda answers: kept.append(answers)))
    record = given.consultation()
    assert hooks.validate_answers(given.form(), record).accepted
    write(kept[0].answers[0], "value", "none")
    kept[0].model_fields_set.clear()
    assert record.to_json() == given.consultation().to_json()


def test_what_a_plugin_gave_is_not_what_is_kept() -> None:
    question = {"id": "acme.q.a", "type": "boolean", "text": {"en": "A?"}}
    item: dict[str, Any] = {"section": "base.section.goals", "question": question}
    found = dispatcher(acme=plugin(pore_register_questions=lambda form: [item])).register_questions(given.form())
    question["id"] = "pore.q.a"
    item["section"] = "acme.section.a"
    assert found.items[0].value.question.id == found.items[0].document["question"]["id"] == "acme.q.a"


def test_writing_ends_a_strict_run_and_leaves_the_record() -> None:
    bad = plugin(pore_validate_answers=lambda answers: write(answers.answers[0], "value", "none"))
    record = given.consultation()
    with pytest.raises(ExtensionError) as caught:
        dispatcher(strict=True, acme=bad).validate_answers(given.form(), record)
    assert [problem.code for problem in caught.value.problems] == ["extension.mutated_input"]
    assert record.to_json() == given.consultation().to_json()


def test_without_an_outside_implementation_nothing_is_copied() -> None:
    seen: list[object] = []

    class Rules:
        PORE_CONTRACT = "0.1"
        PORE_VENDOR = "pore"

        @hookimpl
        def pore_assess_suitability(self, context: object) -> None:
            seen.append(context)

    context = given.context()
    hooks = dispatcher(builtin=Rules(), acme=plugin(pore_on_event=lambda event: None))
    hooks.assess_suitability(given.consultation(), given.template(), context)
    assert seen[0] is context


def test_the_report_asks_for_adapters_once() -> None:
    calls: list[str] = []
    spec = {"kind": "acme-desk", "title": "Desk", "factory": "desk:connect"}
    acme = plugin(
        pore_startup=lambda host: calls.append("startup"),
        pore_register_host_adapters=lambda: calls.append("adapters") or [spec],
    )
    early = dispatcher(acme=acme)
    assert early.report is early.report
    hooks = early.started(given.host())
    assert [hooks.report.entry("acme").adapters for _ in range(3)] == [("acme-desk",)] * 3  # type: ignore[union-attr]
    # Once before it was told about the host, once after: what it offers may depend on that.
    assert calls == ["adapters", "startup", "adapters"]


# The copy itself.


def copied(value: Any) -> Any:
    return Lent({"it": value}, ["it"]).copies["it"]


def nodes(value: Any) -> Iterator[Any]:
    """Everything that can be written to, below a value and the value itself."""
    if isinstance(value, Model):
        yield value
        yield value.model_fields_set
        for inner in value.__dict__.values():
            yield from nodes(inner)
    elif isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from nodes(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from nodes(inner)


def records() -> list[Model]:
    case = made()
    return [*(checked.model for checked in content()), case.case, case.plan, case.report, consultation()]


def test_a_copy_is_the_same_and_shares_nothing_that_can_be_written_to() -> None:
    for record in records():
        twin = copied(record)
        assert twin == record
        assert same(twin, record)
        assert twin.to_json() == record.to_json()
        assert {id(node) for node in nodes(twin)}.isdisjoint(id(node) for node in nodes(record))


def test_lists_mappings_and_sets_are_copied_through() -> None:
    record = given.consultation()
    whole: dict[str, Any] = {"a": [record, {"b": FrozenMap({"c": (record,)})}], "d": {"e"}, "f": frozenset({"g"})}
    twin = copied(whole)
    assert same(twin, whole)
    assert {id(node) for node in nodes(twin)}.isdisjoint(id(node) for node in nodes(whole))
    changes: list[Callable[[Any], None]] = [
        lambda twin: twin["a"].append(1),
        lambda twin: twin["a"][1].clear(),
        lambda twin: twin["d"].add("h"),
        lambda twin: write(twin["a"][1]["b"]["c"][0].answers[0], "value", "none"),
    ]
    for change in changes:
        lent = Lent({"whole": whole}, ["whole"])
        change(lent.copies["whole"])
        assert not lent.untouched()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@drawn(data=st.data())
def test_a_write_anywhere_is_seen(data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(records()))
    before = record.to_json()
    lent = Lent({"record": record}, ["record"])
    assert lent.untouched()
    twin = lent.copies["record"]
    places = [node for node in nodes(twin) if node]
    place = data.draw(st.sampled_from(places))
    if isinstance(place, Model):
        write(place, data.draw(st.sampled_from(sorted(place.__dict__))), object())
    elif isinstance(place, set):
        place.pop()
    else:
        dict.__setitem__(place, next(iter(place)), "Other")
    assert not lent.untouched()
    assert not same(twin, record)
    assert record.to_json() == before


def test_a_write_that_changes_nothing_is_none() -> None:
    record = given.consultation()
    lent = Lent({"record": record}, ["record"])
    lent.copies["record"].answers[0].__dict__.update(value=given.CANARY.encode().decode())
    assert lent.untouched()


def test_every_published_document_can_be_copied() -> None:
    # A private attribute or an `extra` of a contract would be another place to write to.
    for contract in DOCUMENTS.values():
        assert not contract.__private_attributes__
        assert contract.model_config["extra"] == "forbid"
