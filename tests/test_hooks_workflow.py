"""An installed outside plug-in beside the built-in: each hook changes what the whole workflow gives."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plugins.site import Site
from pore_plugin import PoreWorkflow, check, check_toml
from pore_plugin.builtin import sample
from pore_plugin.contracts import Clinic, Consultation, Instrument
from pore_plugin.demo import CaseRun, run_case

SOURCE = (Path(__file__).parent / "plugins" / "acme.py").read_text(encoding="utf-8")


@dataclass
class Walk:
    """The treated sample case, with a workflow."""

    workflow: PoreWorkflow
    run: CaseRun
    module: Any = None


def walked(*, installed: bool) -> Walk:
    clinic = check_toml(Clinic, sample("clinic.toml")).model
    workflow = PoreWorkflow(clinic, installed=installed, environ={})
    case = json.loads(sample("cases/1-treated.json"))
    if installed:
        override = {"id": "override-moon", "finding": "acme.moon", "plugin": "acme", "reason": "finding-resolved"}
        override |= {"prescriber": case["treatment"]["prescriber"], "at": case["treatment"]["started_at"]}
        case["overrides"] = [*case.get("overrides", ()), override]
    return Walk(workflow, run_case(workflow, case, "en"))


@pytest.fixture(scope="module")
def without() -> Walk:
    return walked(installed=False)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with pytest.MonkeyPatch.context() as patch:
        name = Site(tmp_path_factory.mktemp("site"), patch).install("acme", SOURCE, version="2.0")
        walk = walked(installed=True)
        walk.module = importlib.import_module(name)
        yield walk


def test_the_case_goes_the_whole_way_with_and_without(acme: Walk, without: Walk) -> None:
    assert acme.run.ended == without.run.ended
    assert acme.run.follow_up is not None
    assert without.run.follow_up is not None


def test_the_plugin_is_listed_with_its_adapter(acme: Walk) -> None:
    entry = acme.workflow.plugins.entry("acme")
    assert entry is not None
    assert (entry.state, entry.version, entry.adapters, entry.problems) == ("active", "2.0", ("acme-desk",), ())


def test_startup_was_told_the_market(acme: Walk) -> None:
    assert acme.module.calls[0] == f"startup in {acme.workflow.clinic.market}"


def test_the_form_asks_the_plugin_s_question_under_a_version_of_its_own(acme: Walk, without: Walk) -> None:
    composed, base = acme.workflow.form(), without.workflow.form()
    assert "acme.q.sleep" in {question.id for section in composed.model.sections for question in section.questions}
    assert [(c.plugin, c.questions) for c in composed.model.contributions] == [("acme", ("acme.q.sleep",))]
    assert composed.pin.version.startswith(f"{base.pin.version}+")
    assert acme.workflow.catalogue.pinned(base.pin).pin == base.pin


def test_the_catalogue_has_the_plugin_s_content(acme: Walk, without: Walk) -> None:
    assert acme.workflow.catalogue.get(Instrument, "acme.instrument.glow").origin == "acme"
    assert without.workflow.catalogue.find(Instrument, "acme.instrument.glow") is None


@pytest.mark.parametrize("recorded_by", ["moonstruck", None])
def test_the_plugin_keeps_a_consultation_a_draft(acme: Walk, without: Walk, recorded_by: str | None) -> None:
    for walk, refuses in ((acme, recorded_by == "moonstruck"), (without, False)):
        case = json.loads(sample("cases/1-treated.json"))["consultation"]
        case |= {"form": walk.workflow.form().pin.to_document(), "clinic": walk.workflow.clinic.id}
        case |= {"recorded_by": recorded_by} if recorded_by else {}
        result = walk.workflow.submit(check(Consultation, case).model)
        assert result.accepted is not refuses
        assert [(p.code, p.plugin) for p in result.problems] == ([("acme.refused", "acme")] if refuses else [])


def test_the_plugin_s_finding_stands_in_the_assessment(acme: Walk, without: Walk) -> None:
    assert acme.run.assessment is not None
    assert without.run.assessment is not None
    theirs = [(f.code, f.plugin) for f in acme.run.assessment.findings]
    assert set(theirs) - {(f.code, f.plugin) for f in without.run.assessment.findings} == {("acme.moon", "acme")}
    assert acme.run.assessment.verdict == "review"


def test_nobody_is_treated_until_the_plugin_s_finding_is_overridden(acme: Walk) -> None:
    run = run_case(acme.workflow, json.loads(sample("cases/1-treated.json")), "en")
    assert run.ended == "not ready to treat"
    assert run.readiness is not None
    found = [reason.finding for reason in run.readiness.reasons]
    assert [(finding.code, finding.plugin) for finding in found if finding] == [("acme.moon", "acme")]


def test_the_plugin_moves_and_places_a_follow_up_step(acme: Walk, without: Walk) -> None:
    assert acme.run.follow_up is not None
    assert without.run.follow_up is not None
    moved = next(step for step in acme.run.follow_up.steps if step.step == "W4")
    plain = next(step for step in without.run.follow_up.steps if step.step == "W4")
    assert moved.key == plain.key
    assert moved.due != plain.due
    assert moved.due[11:13] == "11"
    assert [(c.plugin, c.change) for c in moved.changes] == [("acme", "moved"), ("acme", "placed")]
    assert acme.run.follow_up.flags == without.run.follow_up.flags


def test_the_plugin_hears_of_what_was_committed(acme: Walk) -> None:
    case = json.loads(sample("cases/1-treated.json"))["consultation"]
    case |= {"form": acme.workflow.form().pin.to_document(), "clinic": acme.workflow.clinic.id}
    result = acme.workflow.submit(check(Consultation, case).model)
    before = list(acme.module.calls)
    assert acme.workflow.publish(result.events) == ()
    assert acme.module.calls == [*before, "event consultation.submitted"]
