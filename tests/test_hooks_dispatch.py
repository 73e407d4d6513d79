"""Calling hooks: each is really called on an outside plug-in, and each failure follows its policy and stays inside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import hook_inputs as given
from hook_plugins import (
    CALLS,
    FAILURES,
    FINDING,
    Ours,
    amended,
    assessed,
    dispatcher,
    failing,
    placed,
    plugin,
    problems_of,
    returning,
    taking,
    validated,
)
from plugins.site import Site
from pore_plugin.contracts import (
    AddStep,
    ExtensionPolicy,
    Finding,
    Instrument,
    Problem,
    ProblemsError,
    QuestionContribution,
    ScheduleStep,
)
from pore_plugin.hooks import EXTENSION_HOOKS, Dispatcher, ExtensionError, discover, hookimpl

# Each hook on an outside plug-in, installed as an entry point: with it the result is another one than without it.


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import importlib

    source = (Path(__file__).parent / "plugins" / "acme.py").read_text(encoding="utf-8")
    module = Site(tmp_path / "site", monkeypatch).install("acme", source, version="2.0")
    hooks = Dispatcher(discover(environ={}), Ours()).started(given.host())
    return SimpleNamespace(hooks=hooks, module=importlib.import_module(module))


def without() -> Dispatcher:
    return dispatcher(builtin=Ours())


def test_the_outside_plugin_implements_every_hook(acme: Any) -> None:
    assert acme.hooks.report.entry("acme").hooks == tuple(sorted(EXTENSION_HOOKS))


def test_startup_reaches_a_plugin_once_with_the_host(acme: Any) -> None:
    assert acme.module.calls == ["startup in UK"]


def test_a_plugin_adds_questions(acme: Any) -> None:
    found = acme.hooks.register_questions(given.form())
    assert [(item.plugin, item.value.question.id) for item in found.items] == [("acme", "acme.q.sleep")]
    assert without().register_questions(given.form()).items == ()


def test_a_plugin_adds_content_with_its_document_as_given(acme: Any) -> None:
    (item,) = acme.hooks.register_content().items
    assert isinstance(item.value, Instrument)
    assert item.document["id"] == "acme.instrument.glow"
    assert without().register_content().items == ()


def test_a_plugin_offers_an_adapter_that_the_report_lists(acme: Any) -> None:
    assert acme.hooks.report.entry("acme").adapters == ("acme-desk",)
    assert acme.hooks.adapter("acme-desk").factory == "acme_desk:connect"
    with pytest.raises(ProblemsError) as caught:
        acme.hooks.adapter("acme-dsk")
    assert caught.value.problems[0].code == "host_adapter.missing"
    assert "Did you mean acme-desk?" in caught.value.problems[0].sentence


def test_a_plugin_refuses_answers(acme: Any) -> None:
    answers = given.consultation().model_copy(update={"recorded_by": "moonstruck"})
    verdict = acme.hooks.validate_answers(given.form(), answers)
    assert not verdict.accepted
    assert [(p.code, p.plugin, p.hook) for p in verdict.problems] == [("acme.refused", "acme", "pore_validate_answers")]
    assert without().validate_answers(given.form(), answers).accepted
    assert validated(acme.hooks).accepted


def test_a_plugin_adds_a_finding_under_its_true_name_after_ours(acme: Any) -> None:
    assert [(f.code, f.plugin) for f in assessed(acme.hooks).findings] == [("age", "pore"), ("acme.moon", "acme")]
    assert [f.code for f in assessed(without()).findings] == ["age"]


def test_a_plugin_edits_the_follow_up(acme: Any) -> None:
    (edit,) = amended(acme.hooks).items
    assert (edit.plugin, edit.value.offset) == ("acme", "P29D")
    assert amended(without()).items == ()


def test_a_plugin_places_a_step_before_the_built_in(acme: Any) -> None:
    theirs, ours = placed(acme.hooks), placed(without())
    assert (theirs.plugin, theirs.step.due) == ("acme", "2026-04-06T11:00:00+00:00")
    assert theirs.step.changes[-1].plugin == "acme"
    assert (ours.plugin, ours.step.due) == ("pore", "2026-04-06T09:00:00+00:00")


def test_a_plugin_hears_of_an_event(acme: Any) -> None:
    assert acme.hooks.on_event(given.event()) == ()
    assert acme.module.calls[-1] == "event consultation.submitted"


# Failures, every hook alike.


CASES = [(hook, kind) for hook in EXTENSION_HOOKS for kind in FAILURES]


@pytest.mark.parametrize(("hook", "kind"), CASES, ids=[f"{hook}-{kind}" for hook, kind in CASES])
def test_a_failure_becomes_a_problem_that_names_plugin_version_and_hook(
    hook: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad = plugin(**{hook: taking(hook, FAILURES[kind])})
    calls: list[str] = []
    good = plugin("zeta", **{hook: taking(hook, lambda: calls.append("called"))})
    with caplog.at_level(logging.DEBUG):
        found = problems_of(hook, dispatcher(builtin=Ours(), acme=bad, zeta=good))
    assert found
    for problem in found:
        assert (problem.plugin, problem.hook) == ("acme", hook)
        assert problem.code in ("extension.failed", "extension.invalid_return") or problem.code.startswith("schema.")
        assert "acme 3.2.1" in problem.sentence
        assert hook in problem.sentence
        assert given.CANARY not in problem.to_json().decode()
    assert given.CANARY not in caplog.text
    assert caplog.records
    assert calls == ["called"]


@pytest.mark.parametrize("hook", EXTENSION_HOOKS)
def test_strict_mode_raises_with_the_plugin_s_own_exception(hook: str) -> None:
    bad = plugin(**{hook: taking(hook, FAILURES["raises"])})
    hooks = dispatcher(strict=True, acme=bad)
    with pytest.raises(ExtensionError) as caught:
        CALLS[hook](hooks)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("hook", EXTENSION_HOOKS)
def test_the_keyboard_interrupts_every_hook(hook: str) -> None:
    hooks = dispatcher(acme=plugin(**{hook: taking(hook, lambda: failing(KeyboardInterrupt()))}))
    with pytest.raises(KeyboardInterrupt):
        CALLS[hook](hooks)


@pytest.mark.parametrize("hook", [name for name in EXTENSION_HOOKS if EXTENSION_HOOKS[name].mode != "once"])
def test_none_says_not_mine(hook: str) -> None:
    hooks = dispatcher(builtin=Ours(), acme=plugin(**{hook: taking(hook, lambda: None)}))
    assert problems_of(hook, hooks) == []


# Failure policies, one by one.


def test_startup_that_fails_drops_the_plugin_whole() -> None:
    calls: list[object] = []
    bad = plugin(pore_startup=lambda host: failing(OSError()), pore_on_event=lambda event: calls.append(event))
    hooks = dispatcher(acme=bad).started(given.host())
    entry = hooks.report.entry("acme")
    assert entry is not None
    assert entry.state == "quarantined"
    assert entry.reason is not None
    assert "OSError" in entry.reason.sentence
    assert hooks.on_event(given.event()) == ()
    assert calls == []


def test_one_bad_item_leaves_out_the_whole_contribution() -> None:
    item = {"section": "base.section.goals", "question": {"id": "acme.q.a", "type": "boolean", "text": {"en": "A?"}}}
    broken = {"section": "base.section.goals", "question": {"id": "acme.q.b", "type": "boolean"}}
    hooks = dispatcher(acme=plugin(pore_register_questions=lambda form: [item, broken]))
    found = hooks.register_questions(given.form())
    assert found.items == ()
    assert [problem.pointer for problem in found.problems] == ["/1/question/text"]


@pytest.mark.parametrize("vendor", ["pore", "zeta"])
def test_an_id_outside_the_vendor_s_namespace_is_refused(vendor: str) -> None:
    question = {"id": f"{vendor}.q.a", "type": "boolean", "text": {"en": "A?"}}
    own = {"id": "acme.q.a", "type": "boolean", "text": {"en": "A?"}}
    items = [
        {"section": "base.section.goals", "question": question},
        {"section": f"{vendor}.section.mine", "section_title": {"en": "Mine"}, "question": own},
    ]
    found = dispatcher(acme=plugin(pore_register_questions=lambda form: items)).register_questions(given.form())
    assert [(p.code, p.pointer) for p in found.problems] == [
        ("extension.namespace", "/0/question/id"),
        ("extension.namespace", "/1/section"),
    ]


def test_content_and_what_it_defines_stay_in_the_namespace() -> None:
    region = {"id": "zeta.region.ear", "title": {"en": "Ear"}, "paired": True}
    chart = {"id": "acme.chart.ear", "title": {"en": "Ear"}, "view": "frontal"}
    regions = {"type": "region-map", "id": "acme.regions.ear", "version": "1.0.0", "title": {"en": "Ear"}}
    again = {**given.FORM, "id": "acme.form.own"}
    again["sections"] = [{**given.FORM["sections"][0], "id": "acme.section.a"}]
    again["sections"][0]["questions"] = [{"id": "pore.q.age", "type": "boolean", "text": {"en": "Under 18?"}}]
    items = [{**regions, "regions": [region], "charts": [chart]}, {**given.FORM, "id": "pore.form.own"}, again]
    found = dispatcher(acme=plugin(pore_register_content=lambda: items)).register_content()
    pointers = [problem.pointer for problem in found.problems]
    assert pointers == ["/0/regions/0/id", "/1/id", "/1/sections/0/id", "/1/sections/0/questions/0/id"]


def test_an_added_step_has_an_id_of_the_vendor() -> None:
    step = ScheduleStep(
        id="W5",
        title={"en": "Call"},
        kind="staff-task",
        offset="P1D",
        purpose={"en": "Ask"},
        basis="Acme",
        mark="D",
    )
    hooks = dispatcher(acme=plugin(pore_amend_follow_up=lambda: [AddStep(action="add", step=step)]))
    assert [(p.code, p.pointer) for p in amended(hooks).problems] == [("extension.namespace", "/0/step/id")]


def test_content_may_be_bytes_and_is_read_strictly() -> None:
    good = b'{"type":"instrument","id":"acme.instrument.a","version":"1.0.0","title":{"en":"A"},"unit":"1",'
    good += b'"direction":"none","rater":"any","range_verified":false,"source":"A","mark":"D"}'
    twice = good.replace(b'"unit":"1"', b'"unit":"1","unit":"2"')
    assert len(dispatcher(acme=plugin(pore_register_content=lambda: [good])).register_content().items) == 1
    for bad in (twice, good[:-1], b"\xff", b"[]", b'{"type":"nonsense"}'):
        found = dispatcher(acme=plugin(pore_register_content=returning([bad]))).register_content()
        assert found.items == ()
        assert found.problems[0].pointer.startswith("/0")


def test_two_adapters_of_one_kind_are_both_dropped_with_both_authors_named() -> None:
    spec = {"kind": "desk", "title": "Desk", "factory": "desk:connect"}
    one = plugin(pore_register_host_adapters=lambda: [spec])
    two = plugin("zeta", pore_register_host_adapters=lambda: [spec])
    hooks = dispatcher(acme=one, zeta=two)
    found = hooks.register_host_adapters()
    assert found.items == ()
    assert [problem.plugin for problem in found.problems] == ["acme", "zeta"]
    assert all("acme and zeta" in problem.sentence for problem in found.problems)
    assert hooks.report.entry("acme").problems == found.problems[:1]  # type: ignore[union-attr]


def test_a_failing_validator_keeps_the_draft() -> None:
    assert not validated(dispatcher(acme=plugin(pore_validate_answers=lambda: 1 / 0))).accepted


def test_a_warning_does_not_keep_the_draft() -> None:
    warning = Problem(code="acme.hm", sentence="Hm.", next_step="Look.", severity="warning", plugin="pore")
    verdict = validated(dispatcher(acme=plugin(pore_validate_answers=lambda: [warning])))
    assert verdict.accepted
    assert [problem.plugin for problem in verdict.problems] == ["acme"]


def test_a_failing_rule_adds_a_review_finding_and_keeps_what_it_had_found() -> None:
    def half(context: object) -> Iterator[Finding]:
        yield FINDING
        raise ValueError

    found = assessed(dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=half))).findings
    assert [(f.code, f.severity, f.plugin) for f in found] == [
        ("age", "inform", "pore"),
        ("acme.moon", "review", "acme"),
        ("extension.failed", "review", "acme"),
    ]


def test_our_rules_failing_is_a_block() -> None:
    class Broken:
        PORE_CONTRACT = "0.1"
        PORE_VENDOR = "pore"

        @hookimpl
        def pore_assess_suitability(self) -> list[Finding]:
            raise ValueError

    class Silent(Broken):
        @hookimpl
        def pore_assess_suitability(self) -> None:
            return None

    extension = plugin(pore_assess_suitability=lambda: [FINDING])
    for builtin in (Broken(), Silent(), None):
        first, *rest = assessed(dispatcher(builtin=builtin, acme=extension)).findings
        assert (first.code, first.severity, first.plugin) == ("safety.unavailable", "block", "pore")
        assert [f.code for f in rest] == ["acme.moon"]


def test_a_failing_editor_loses_all_its_edits_and_flags_the_plan() -> None:
    def half(template: object) -> Iterator[dict[str, str]]:
        yield {"action": "remove", "step": "W4", "reason": "Enough."}
        yield {"action": "remove", "stp": "W4", "reason": "Enough."}

    found = amended(dispatcher(acme=plugin(pore_amend_follow_up=half)))
    assert found.items == ()
    assert found.flags == ("The extension acme 3.2.1 failed; its edits of the follow-up were dropped.",)


@pytest.mark.parametrize(
    "change",
    [
        {"due": "2026-04-11T10:00:00+00:00"},
        {"due": "2026-03-31T23:59:59+00:00"},
        {"due": "whenever"},
        {"required": True},
        {"key": "another"},
        {"latest": None},
        {"state": "done"},
    ],
)
def test_a_step_placed_badly_goes_to_the_next(change: dict[str, Any]) -> None:
    bad = plugin(pore_place_follow_up_step=lambda step: step.model_copy(update=change))
    next_one = plugin("zeta", pore_place_follow_up_step=lambda step: step)
    found = placed(dispatcher(builtin=Ours(), acme=bad, zeta=next_one))
    assert found.plugin == "zeta"
    assert [problem.plugin for problem in found.problems] == ["acme"]
    assert [(c.plugin, c.change) for c in found.step.changes] == [("zeta", "kept")]


def test_a_step_without_a_window_is_not_placed_before_the_treatment() -> None:
    step = given.step().model_copy(update={"earliest": None, "latest": None})
    early = plugin(pore_place_follow_up_step=lambda step: step.model_copy(update={"due": "2026-03-09T10:29:59+00:00"}))
    found = dispatcher(builtin=Ours(), acme=early).place_follow_up_step(step, given.plan(), given.calendar())
    assert found.plugin == "pore"


def test_without_anybody_to_place_it_a_step_stays() -> None:
    assert placed(dispatcher()).step == given.step()


def test_the_built_in_is_first_and_cannot_be_outranked() -> None:
    policy = ExtensionPolicy(precedence=("acme", "pore"), disabled=("pore",))
    early = plugin(order=-1000, pore_assess_suitability=lambda: [FINDING])
    found = discover(policy, {"acme": early}, environ={"PORE_PLUGIN_DISABLE": "pore"}, entry_points=False)
    hooks = Dispatcher(found, Ours())
    assert [f.plugin for f in assessed(hooks).findings] == ["pore", "acme"]
    assert [entry.name for entry in hooks.report.entries] == ["pore", "acme"]


def test_plugins_are_called_in_order_whatever_the_order_of_registration() -> None:
    def named(name: str) -> Callable[[], list[Finding]]:
        return lambda: [FINDING.model_copy(update={"code": name})]

    plugins = {
        "beta": plugin(pore_assess_suitability=named("beta")),
        "alpha": plugin(pore_assess_suitability=named("alpha")),
        "late": plugin(order=1, pore_assess_suitability=named("late")),
    }
    for names in (list(plugins), list(reversed(plugins))):
        found = assessed(dispatcher(builtin=Ours(), **{name: plugins[name] for name in names})).findings
        assert [f.code for f in found] == ["age", "alpha", "beta", "late"]


# Inputs are safe, returns are checked again.


@pytest.mark.parametrize(
    "attack",
    [
        lambda context: setattr(context, "stage", "booking"),
        lambda context: object.__setattr__(context, "stage", "booking"),
        lambda context: context.__dict__.update(stage="booking"),
        lambda context: context.__dict__.clear(),
        lambda context: delattr(context, "stage"),
    ],
)
def test_an_input_that_was_written_to_is_as_it_was(attack: Callable[[Any], None]) -> None:
    context = given.context()
    hooks = dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=lambda context: attack(context)))
    found = hooks.assess_suitability(given.consultation(), given.template(), context)
    assert context == given.context()
    assert [f.code for f in found.findings] == ["age", "extension.failed"]
    assert "acme 3.2.1" in found.problems[-1].sentence


def test_a_localised_text_cannot_be_written_to() -> None:
    hooks = dispatcher(acme=plugin(pore_register_questions=lambda form: form.title.update(en="Hello")))
    assert hooks.register_questions(given.form()).problems[0].code == "extension.failed"
    assert given.form().title == {"en": "Consultation"}


def test_a_model_built_without_checks_is_checked() -> None:
    forged = Finding.model_construct(code="a b", severity="harmless", message={}, source="", mark="V")
    found = assessed(dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=lambda: [forged])))
    assert [f.code for f in found.findings] == ["age", "extension.failed"]
    assert {problem.pointer for problem in found.problems} >= {"/0/code", "/0/severity"}


def test_an_endless_generator_ends() -> None:
    def endless() -> Iterator[Finding]:
        while True:
            yield FINDING

    found = assessed(dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=endless)))
    assert found.findings[-1].code == "extension.failed"


def test_one_model_instead_of_a_list_is_refused_with_advice() -> None:
    found = assessed(dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=lambda: FINDING)))
    assert "Return a list" in found.problems[0].next_step


def test_a_coroutine_is_refused_and_closed() -> None:
    async def later() -> list[Finding]:
        return [FINDING]

    found = assessed(dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=lambda: later())))
    assert found.problems[0].code == "extension.invalid_return"


def test_a_model_of_the_right_kind_is_taken_as_it_is() -> None:
    contribution = {
        "section": "base.section.goals",
        "question": {"id": "acme.q.a", "type": "boolean", "text": {"en": "A?"}},
    }
    model = QuestionContribution.model_validate(contribution)
    hooks = dispatcher(acme=plugin(pore_register_questions=lambda: [model]))
    assert hooks.register_questions(given.form()).items[0].value == model


def test_what_is_collected_shows_no_values() -> None:
    finding = FINDING.model_copy(update={"message": {"en": given.CANARY}})
    hooks = dispatcher(builtin=Ours(), acme=plugin(pore_assess_suitability=lambda: [finding.to_document()]))
    edits = dispatcher(
        acme=plugin(pore_amend_follow_up=lambda: [{"action": "remove", "step": "W4", "reason": given.CANARY}])
    )
    assert given.CANARY not in repr(assessed(hooks))
    assert given.CANARY not in repr(amended(edits))


def test_placing_keeps_the_reason_the_plugin_gives() -> None:
    due = (datetime.fromisoformat(given.step().due) + timedelta(hours=1)).isoformat()
    change = {"plugin": "pore", "change": "moved", "reason": "The room is free."}
    item = {**given.STEP, "due": due, "changes": [change]}
    found = placed(dispatcher(builtin=Ours(), acme=plugin(pore_place_follow_up_step=lambda: item)))
    assert found.step.changes[-1].to_document() == {**change, "plugin": "acme"}
