"""Plug-ins made in a test, a stand-in for the built-in, and one way to call each hook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import hook_inputs as given
from pore_plugin.contracts import Finding, FollowUpStep, Problem
from pore_plugin.hooks import EXTENSION_HOOKS, Dispatcher, discover, hookimpl

FINDING = Finding(code="acme.moon", severity="review", message={"en": "Moon."}, source="Acme", mark="D")


def plugin(vendor: str = "acme", order: int = 0, **hooks: Callable[..., Any]) -> SimpleNamespace:
    marked = {name: hookimpl(function) for name, function in hooks.items()}
    return SimpleNamespace(PORE_CONTRACT="0.1", PORE_VENDOR=vendor, PORE_ORDER=order, __version__="3.2.1", **marked)


def dispatcher(*, builtin: object | None = None, strict: bool = False, **plugins: object) -> Dispatcher:
    environ = {"PORE_PLUGIN_STRICT": "1"} if strict else {}
    found = discover(plugins=plugins, environ=environ, entry_points=False)
    assert {entry.state for entry in found.report.entries} <= {"active"}, found.report.to_document()
    return Dispatcher(found, builtin)


class Ours:
    """A stand-in for the built-in: one inform finding, and every step on the hour."""

    PORE_CONTRACT = "0.1"
    PORE_VENDOR = "pore"

    @hookimpl
    def pore_assess_suitability(self, context: object) -> list[Finding]:
        return [FINDING.model_copy(update={"code": "age", "severity": "inform", "plugin": "pore"})]

    @hookimpl
    def pore_place_follow_up_step(self, step: FollowUpStep) -> FollowUpStep:
        return step.model_copy(update={"due": "2026-04-06T09:00:00+00:00"})


def assessed(hooks: Dispatcher) -> Any:
    return hooks.assess_suitability(given.consultation(), given.template(), given.context())


def placed(hooks: Dispatcher) -> Any:
    return hooks.place_follow_up_step(given.step(), given.plan(), given.calendar())


def amended(hooks: Dispatcher) -> Any:
    return hooks.amend_follow_up(given.plan(), given.treatment(), given.template())


def validated(hooks: Dispatcher) -> Any:
    return hooks.validate_answers(given.form(), given.consultation())


CALLS: dict[str, Callable[[Dispatcher], Any]] = {
    "pore_startup": lambda hooks: hooks.started(given.host()).report.entry("acme").reason,
    "pore_register_questions": lambda hooks: hooks.register_questions(given.form()),
    "pore_register_content": lambda hooks: hooks.register_content(),
    "pore_register_host_adapters": lambda hooks: hooks.register_host_adapters(),
    "pore_validate_answers": validated,
    "pore_assess_suitability": assessed,
    "pore_amend_follow_up": amended,
    "pore_place_follow_up_step": placed,
    "pore_on_event": lambda hooks: hooks.on_event(given.event()),
}


def problems_of(hook: str, hooks: Dispatcher) -> list[Problem]:
    outcome = CALLS[hook](hooks)
    if hook == "pore_startup":
        return [outcome] if outcome else []
    return list(outcome if hook == "pore_on_event" else outcome.problems)


def failing(error: BaseException) -> Any:
    raise error


def failing_later(error: BaseException) -> Iterator[Any]:
    yield from ()
    raise error


def returning(items: list[Any]) -> Callable[[], Any]:
    return lambda: items


def taking(hook: str, body: Callable[[], Any]) -> Callable[..., Any]:
    """A function with the arguments of the hook."""
    names = ", ".join(EXTENSION_HOOKS[hook].argument_names)
    function: Callable[..., Any] = eval(f"lambda {names}: body()", {"body": body})  # noqa: S307
    return function


FAILURES: dict[str, Callable[[], Any]] = {
    "raises": lambda: failing(ValueError(given.CANARY)),
    "exits": lambda: failing(SystemExit(given.CANARY)),
    "recurses": lambda: failing(RecursionError()),
    "raises while it is iterated": lambda: failing_later(ValueError(given.CANARY)),
    "exits while it is iterated": lambda: failing_later(SystemExit(given.CANARY)),
    "returns a number": lambda: 17,
    "returns text": lambda: given.CANARY,
    "returns the wrong dict": lambda: {given.CANARY: 1},
    "returns the wrong items": lambda: [{"code": given.CANARY, "text": 7}],
    "returns strange items": lambda: [object(), None, 1.5],
}
