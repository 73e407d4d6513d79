"""docs/hooks.md: it is fresh, and every example in it runs and does what it says."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import hook_inputs as given
from plugins.site import Site
from pore_plugin import PoreWorkflow
from pore_plugin.builtin import Builtin, sample
from pore_plugin.contracts import Clinic
from pore_plugin.demo import run_case
from pore_plugin.hooks import CONTRACT, EXTENSION_HOOKS, HOST_HOOKS, Dispatcher, discover
from pore_plugin.validation import check, check_toml

ROOT = Path(__file__).resolve().parent.parent


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"loaded_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def build_docs() -> ModuleType:
    return loaded(ROOT / "tools" / "build_docs.py")


def test_the_page_is_fresh(build_docs: ModuleType) -> None:
    assert build_docs.stale(build_docs.pages()) == [], "Mend with: make docs"


def test_a_stale_page_is_named_with_the_command_that_mends(
    build_docs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "hooks.md"
    monkeypatch.setattr(build_docs, "ROOT", tmp_path)
    monkeypatch.setattr(build_docs, "pages", lambda: {page: "new"})
    assert build_docs.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert build_docs.main([]) == 0
    assert page.read_text() == "new"
    assert build_docs.main(["--check"]) == 0


def test_the_page_shows_every_hook_as_it_is_declared(build_docs: ModuleType) -> None:
    page = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
    for entry in CONTRACT.values():
        section = page.partition(f"### {entry.name}\n")[2].partition("\n### ")[0]
        assert f"{entry.signature}: ..." in section
        assert entry.none_means in section
        assert f"- **Since** {entry.since}" in section
        assert section.count(f"def {entry.name}(") == 2, "the declaration and the example"


def test_every_example_belongs_to_a_hook() -> None:
    names = {path.stem for path in (ROOT / "examples" / "hooks").glob("*.py")}
    assert names == {*EXTENSION_HOOKS, "host"}


@dataclass
class Example:
    """An example, installed as an outside plug-in, beside the built-in."""

    hooks: Dispatcher
    module: Any
    bare: Dispatcher = field(
        default_factory=lambda: Dispatcher(discover(environ={}, entry_points=False), Builtin(_none))
    )


def _none(*_: object) -> list[Any]:
    return []


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Example]:
    def install(hook: str) -> Example:
        source = (ROOT / CONTRACT[hook].example).read_text(encoding="utf-8")
        name = Site(tmp_path / "site", monkeypatch).install("acme", source)
        found = discover(environ={})
        assert [(entry.name, entry.state, entry.hooks) for entry in found.report.entries] == [
            ("acme", "active", (hook,))
        ]
        return Example(Dispatcher(found, Builtin(_none)), importlib.import_module(name))

    return install


def test_example_startup(installed: Callable[[str], Example]) -> None:
    example = installed("pore_startup")
    example.hooks.started(given.host())
    assert example.module.markets == ["UK"]


def test_example_register_questions(installed: Callable[[str], Example]) -> None:
    example = installed("pore_register_questions")
    found = example.hooks.register_questions(given.form())
    assert [item.value.question.id for item in found.items] == ["acme.q.sleep"]
    assert example.bare.register_questions(given.form()).items == ()


def test_example_register_content(installed: Callable[[str], Example]) -> None:
    example = installed("pore_register_content")
    more = {item.value.id for item in example.hooks.register_content().items}
    assert more - {item.value.id for item in example.bare.register_content().items} == {"acme.instrument.glow"}


def test_example_register_host_adapters(installed: Callable[[str], Example]) -> None:
    example = installed("pore_register_host_adapters")
    assert example.hooks.report.entry("acme").adapters == ("acme-desk",)  # type: ignore[union-attr]


def test_example_validate_answers(installed: Callable[[str], Example]) -> None:
    example = installed("pore_validate_answers")
    early = given.consultation().model_copy(update={"recorded_at": "2026-03-02T08:00:00+00:00"})
    assert example.hooks.validate_answers(given.form(), given.consultation()).accepted
    verdict = example.hooks.validate_answers(given.form(), early)
    assert not verdict.accepted
    assert [problem.pointer for problem in verdict.problems] == ["/recorded_at"]
    assert example.bare.validate_answers(given.form(), early).accepted


def test_example_assess_suitability(installed: Callable[[str], Example]) -> None:
    example = installed("pore_assess_suitability")
    context = given.context(date="2026-06-12")
    found = example.hooks.assess_suitability(None, None, context)
    assert [(finding.code, finding.plugin) for finding in found.findings] == [("acme.examination", "acme")]
    assert example.hooks.assess_suitability(None, None, given.context()).findings == ()
    assert example.bare.assess_suitability(None, None, context).findings == ()


def test_example_amend_follow_up(installed: Callable[[str], Example]) -> None:
    example = installed("pore_amend_follow_up")
    found = example.hooks.amend_follow_up(given.plan(), given.treatment(), given.template())
    assert [(edit.plugin, edit.value.action) for edit in found.items] == [("acme", "add")]
    assert found.flags == ()


def test_example_place_follow_up_step(installed: Callable[[str], Example]) -> None:
    example = installed("pore_place_follow_up_step")
    placed = example.hooks.place_follow_up_step(given.step(), given.plan(), given.calendar())
    assert (placed.plugin, placed.step.due) == ("acme", "2026-04-06T12:00:00+00:00")
    bare = example.bare.place_follow_up_step(given.step(), given.plan(), given.calendar())
    assert bare.step.due != placed.step.due


def test_example_on_event(installed: Callable[[str], Example]) -> None:
    example = installed("pore_on_event")
    assert example.hooks.on_event(given.event()) == ()
    assert example.module.counts == {"consultation.submitted": 1}


# The host's example, on the documents of the sample case that is treated.


class Recorder:
    """A workflow that keeps the document each step was asked with."""

    def __init__(self, workflow: PoreWorkflow) -> None:
        self.workflow = workflow
        self.asked: dict[str, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        step = getattr(self.workflow, name)
        if name not in ("submit", "assess", "plan", "ready", "treat", "follow_up", "review"):
            return step

        def recorded(request: Any) -> Any:
            self.asked.setdefault(name, json.loads(request.to_json()))
            return step(request)

        return recorded


STEPS = {
    "pore_submit_consultation": "submit",
    "pore_assess": "assess",
    "pore_plan_procedure": "plan",
    "pore_ready_to_treat": "ready",
    "pore_record_treatment": "treat",
    "pore_follow_up_schedule": "follow_up",
    "pore_review_follow_up": "review",
}


@pytest.fixture(scope="module")
def asked() -> dict[str, dict[str, Any]]:
    clinic = check_toml(Clinic, sample("clinic.toml")).model
    recorder = Recorder(PoreWorkflow(clinic, installed=False, environ={}))
    run_case(recorder, json.loads(sample("cases/1-treated.json")), "en")  # type: ignore[arg-type]
    assert set(recorder.asked) == set(STEPS.values())
    return recorder.asked


@pytest.fixture(scope="module")
def host() -> Any:
    module: Any = loaded(ROOT / "examples" / "hooks" / "host.py")
    module.pm = module.embed(sample("clinic.toml"))
    return module


@pytest.mark.parametrize("hook", HOST_HOOKS)
def test_example_host(hook: str, host: Any, asked: dict[str, dict[str, Any]]) -> None:
    contract = HOST_HOOKS[hook]
    arguments = [asked[STEPS[hook]]] if contract.accepts else []
    result = getattr(host.pm.hook, hook)(**({"document": arguments[0]} if arguments else {"locale": "en"}))
    for document in result if isinstance(result, list) else [result]:
        check(str(contract.returns), document)
    shown = getattr(host, hook)(host.pm, *arguments)
    assert isinstance(shown, dict | list | str)
    assert shown or hook in ("pore_ready_to_treat", "pore_review_follow_up")


def test_the_host_s_example_refuses_with_a_problem_report(host: Any) -> None:
    for hook, contract in HOST_HOOKS.items():
        if contract.accepts:
            check("problem-report", getattr(host.pm.hook, hook)(document={"nonsense": True}))
    assert "loaded_host" not in sys.modules
