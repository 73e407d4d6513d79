"""Overlays in the library: imported, approved, shown, re-applied when their base is upgraded."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import practice_library as given
from pore_plugin.contracts import ProblemsError, ProcedureTemplate
from pore_plugin.practice import Desk
from pore_plugin.practice.library import Library
from pore_plugin.storage import Database
from practice_library import PEEL, PRESCRIBER, Clock, desk_at

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "documents"
OVERLAY = "acme.overlay.peel"
TARGET = "acme.template.our-peel"


@pytest.fixture
def desk(database: Database) -> Desk:
    return desk_at(database, Clock())


@pytest.fixture
def library(desk: Desk) -> Library:
    return Library(desk)


def edited(base: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a template with another summary and without its first consumable."""
    document = {**copy.deepcopy(base), "id": TARGET, "version": "1.0.0", "summary": {"en": "As we do it here."}}
    document["consumables"] = document["consumables"][1:]
    return document


@pytest.fixture
def overlaid(library: Library, tmp_path: Path) -> Library:
    """A library with a base, and an overlay on it that makes the clinic's own."""
    library.import_([given.write(tmp_path / "base.json", given.template())])
    copy_ = given.write(tmp_path / "edited.json", edited(given.template()))
    overlay = library.new_overlay(PEEL, copy_, content_id=OVERLAY)
    report = library.import_([given.write(tmp_path / "overlay.json", overlay.to_document())])
    assert report.problems == ()
    assert [(item.id, item.overlay) for item in report.items] == [(OVERLAY, None), (TARGET, OVERLAY)]
    return library


def versions(library: Library, *ids: str) -> dict[tuple[str, str], str]:
    return {(entry.id, entry.version): entry.state for entry in library.entries().entries if entry.id in ids}


def test_what_an_overlay_makes_is_a_document_of_the_clinic(overlaid: Library, desk: Desk) -> None:
    made = desk.workflow.catalogue.get(ProcedureTemplate, TARGET)
    assert made.model.summary["en"] == "As we do it here."
    (entry,) = [entry for entry in overlaid.entries().entries if entry.id == TARGET]
    assert entry.base is not None
    assert (entry.base.id, entry.base.version, entry.state) == (PEEL, "1.0.0", "draft")


def test_approving_an_overlay_approves_what_it_makes(overlaid: Library) -> None:
    done = overlaid.approve([OVERLAY], person=PRESCRIBER, until="2026-12-31")
    assert {(entry.id, entry.state) for entry in done.entries} == {(OVERLAY, "active"), (TARGET, "active")}
    assert versions(overlaid, PEEL) == {(PEEL, "1.0.0"): "draft"}


def test_an_overlay_is_shown_as_what_it_changes(overlaid: Library, tmp_path: Path) -> None:
    found = overlaid.overlay_diff(OVERLAY)
    assert (found.old.id, found.new.id) == (PEEL, TARGET)
    assert sorted(change.change for change in found.changes) == ["changed", "removed"]
    assert overlaid.overlay_diff(tmp_path / "overlay.json") == found
    with pytest.raises(ProblemsError) as refused:
        overlaid.overlay_diff(PEEL)
    assert refused.value.problems[0].code == "overlay.none"


def test_an_upgraded_base_takes_its_overlays_along_as_drafts(overlaid: Library, desk: Desk, tmp_path: Path) -> None:
    overlaid.approve([OVERLAY], person=PRESCRIBER, until="2026-12-31")
    report = overlaid.import_([given.write(tmp_path / "base.json", given.reworded(given.template(), "1.0.1"))])
    assert report.problems == ()
    assert {(item.id, item.version) for item in report.items} == {
        (PEEL, "1.0.1"),
        (OVERLAY, "1.0.1"),
        (TARGET, "1.0.1"),
    }
    (base,) = [item for item in report.items if item.id == PEEL]
    assert [(one.kind, one.records) for one in base.touches] == [("overlay", (OVERLAY,))]
    assert versions(overlaid, TARGET) == {(TARGET, "1.0.0"): "active", (TARGET, "1.0.1"): "draft"}
    overlaid.approve([OVERLAY], person=PRESCRIBER, until="2026-12-31")
    made = desk.workflow.catalogue.get(ProcedureTemplate, TARGET)
    assert (made.pin.version, made.model.summary["en"]) == ("1.0.1", "As we do it here.")
    assert made.model.title["en"] == "Another peel for pores"
    assert overlaid.import_([tmp_path / "base.json"]).counts.unchanged == 1
    assert overlaid.rebase_overlays().items == ()


def test_an_overlay_that_does_not_fit_any_more_stays_and_is_named(overlaid: Library, tmp_path: Path) -> None:
    newer = {**given.template("2.0.0"), "summary": {"en": "Said otherwise."}}
    report = overlaid.import_([given.write(tmp_path / "base.json", newer)])
    assert (report.applied, [item.id for item in report.items]) == (True, [PEEL])
    assert [(one.kind, one.records) for one in report.items[0].touches] == [("overlay-conflict", (OVERLAY,))]
    assert versions(overlaid, TARGET) == {(TARGET, "1.0.0"): "draft"}
    again = overlaid.rebase_overlays(apply=True)
    assert not again.applied
    assert [problem.code for problem in again.problems] == ["overlay.conflict"]
    assert "summary" in again.problems[0].sentence


def test_an_overlay_on_the_package_is_re_applied_on_demand(library: Library, desk: Desk, tmp_path: Path) -> None:
    base = given.SHIPPED["pore.template.salicylic-peel"]
    copy_ = given.write(tmp_path / "edited.json", edited(base))
    overlay = library.new_overlay(base["id"], copy_, content_id=OVERLAY)
    library.import_([given.write(tmp_path / "overlay.json", overlay.to_document())])
    assert library.rebase_overlays([OVERLAY]).items == ()
    with pytest.raises(ProblemsError) as unknown:
        library.rebase_overlays(["acme.overlay.none"])
    assert unknown.value.problems[0].code == "library.unknown"


def test_one_package_brings_an_overlay_and_a_protocol_for_what_it_makes(library: Library, tmp_path: Path) -> None:
    base = given.SHIPPED["pore.template.salicylic-peel"]
    copy_ = given.write(tmp_path / "edited.json", edited(base))
    overlay = library.new_overlay(base["id"], copy_, content_id=OVERLAY).to_document()
    sample = json.loads((EXAMPLES / "clinic-protocol.json").read_bytes())
    protocol = {**sample, "id": "acme.protocol.our-peel", "template": TARGET}
    given.write(tmp_path / "both" / "a-protocol.json", protocol)
    given.write(tmp_path / "both" / "b-overlay.json", overlay)
    assert library.plan_import([tmp_path / "both" / "a-protocol.json"]).problems != ()
    report = library.import_([tmp_path / "both"])
    assert (report.applied, report.problems) == (True, ())
    assert {item.id for item in report.items} == {OVERLAY, TARGET, protocol["id"]}
    library.approve([OVERLAY, protocol["id"]], person=PRESCRIBER, until="2026-12-31")
    assert library.desk.workflow.plugins.problems == ()
