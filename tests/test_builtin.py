"""The built-in: its content, and its rules through the same door as everybody's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hook_inputs as given
import pore_plugin
from pore_plugin.builtin import Builtin, content, documents, sample, sample_names
from pore_plugin.contracts import Finding
from pore_plugin.hooks import Dispatcher, discover

FOLDER = Path(pore_plugin.__file__).parent / "content"
FINDING = Finding(code="AGE", severity="block", message={"en": "Under 18."}, source="S", mark="D")


def dispatcher(builtin: Builtin) -> Dispatcher:
    return Dispatcher(discover(environ={}, entry_points=False), builtin)


def test_every_content_file_with_a_type_is_a_document() -> None:
    files = [path for path in sorted(FOLDER.rglob("*.json")) if "sample" not in path.relative_to(FOLDER).parts[:-1]]
    typed = [str(path.relative_to(FOLDER)) for path in files if "type" in json.loads(path.read_bytes())]
    assert sorted(path for path, _ in documents()) == sorted(typed)
    assert len(typed) > 20
    for path, data in documents():
        assert data == (FOLDER / path).read_bytes()


def test_content_is_checked_and_pinned_as_it_stands_in_its_file() -> None:
    for (path, data), checked in zip(documents(), content(), strict=True):
        assert checked.document == json.loads(data), path


def test_everything_of_ours_is_in_our_namespace() -> None:
    assert [checked.model.id for checked in content() if not checked.model.id.startswith("pore.")] == []


def test_shipped_content_is_a_draft_without_a_reviewer() -> None:
    assert {(checked.model.status, checked.model.review) for checked in content()} == {("draft", None)}


def test_content_comes_through_the_hook() -> None:
    found = dispatcher(Builtin()).register_content()
    assert [item.value.id for item in found.items] == [checked.model.id for checked in content()]
    assert {item.plugin for item in found.items} == {"pore"}
    assert [item.document for item in found.items] == [checked.document for checked in content()]


def test_the_rules_it_is_given_are_asked_with_everything() -> None:
    asked: list[tuple[object, ...]] = []

    def rules(*arguments: object) -> list[Finding]:
        asked.append(arguments)
        return [FINDING]

    consultation, template, context = given.consultation(), given.template(), given.context(stage="treatment")
    found = dispatcher(Builtin(rules)).assess_suitability(consultation, template, context, consultation)
    assert asked == [(consultation, template, context, consultation)]
    assert [(finding.code, finding.plugin) for finding in found.findings] == [("AGE", "pore")]


def test_without_rules_every_assessment_is_a_block() -> None:
    found = dispatcher(Builtin()).assess_suitability(None, None, given.context())
    assert [(finding.code, finding.severity) for finding in found.findings] == [("safety.unavailable", "block")]


def test_rules_that_fail_are_a_block_too() -> None:
    def rules(*_: object) -> list[Finding]:
        raise ZeroDivisionError

    found = dispatcher(Builtin(rules)).assess_suitability(None, None, given.context())
    assert [(finding.code, finding.severity) for finding in found.findings] == [("safety.unavailable", "block")]


def test_it_places_a_step_while_the_clinic_is_open() -> None:
    step = given.step().model_copy(update={"kind": "visit", "due": "2026-04-06T07:00:00+01:00"})
    placed = dispatcher(Builtin()).place_follow_up_step(step, given.plan(), given.calendar())
    assert (placed.plugin, placed.problems) == ("pore", ())
    assert placed.step.due == "2026-04-06T09:00:00+01:00"


def test_it_is_listed_first_and_active() -> None:
    entry = dispatcher(Builtin(version="0.1.0")).report.entries[0]
    assert (entry.name, entry.state, entry.distribution, entry.version) == ("pore", "active", "pore-plugin", "0.1.0")


def test_samples_are_read_by_name() -> None:
    for name in sample_names():
        assert sample(name) == (FOLDER / "sample" / name).read_bytes()
    with pytest.raises(LookupError, match="no sample is called"):
        sample("../rules.json")
