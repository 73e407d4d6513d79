"""Whatever a plug-in returns, and whatever company it keeps, the guard holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given as examples
from hypothesis import strategies as st

from hook_plugins import FAILURES, FINDING, Ours, assessed, dispatcher, plugin, problems_of, taking
from pore_plugin.hooks import EXTENSION_HOOKS

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just(FINDING)
KEYS = st.sampled_from(["code", "severity", "message", "type", "id", "section", "question", "action", "step"])
GARBAGE = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=15
)


@examples(st.sampled_from(sorted(EXTENSION_HOOKS)), GARBAGE)
def test_nothing_that_is_returned_gets_past_the_guard(hook: str, garbage: Any) -> None:
    hooks = dispatcher(builtin=Ours(), acme=plugin(**{hook: taking(hook, lambda: garbage)}))
    found = problems_of(hook, hooks)
    harmless = garbage is None or garbage in ([], {}) or (hook == "pore_assess_suitability" and _all_findings(garbage))
    assert found or harmless
    assert {(problem.plugin, problem.hook) for problem in found} <= {("acme", hook)}


def _all_findings(value: Any) -> bool:
    return isinstance(value, list) and all(item is FINDING for item in value)


BEHAVIOURS: list[Callable[[], Any]] = [*FAILURES.values(), lambda: None, list, lambda: [FINDING]]


@examples(st.lists(st.sampled_from(BEHAVIOURS), max_size=4))
def test_no_company_of_plugins_takes_a_finding_of_ours_away(behaviours: list[Callable[[], Any]]) -> None:
    plugins = {
        f"p{index}": plugin(pore_assess_suitability=taking("pore_assess_suitability", behaviour))
        for index, behaviour in enumerate(behaviours)
    }
    found = assessed(dispatcher(builtin=Ours(), **plugins))
    assert (found.findings[0].code, found.findings[0].plugin) == ("age", "pore")
    failed = {problem.plugin for problem in found.problems}
    assert {f.plugin for f in found.findings if f.code == "extension.failed"} == failed
    assert {f.plugin for f in found.findings} <= {"pore", *plugins}
