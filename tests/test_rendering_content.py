"""The sheets of the library as an admin reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pore_plugin.contracts import ContentDiff, ContentHistory, ContentList, ImportReport
from pore_plugin.rendering.content_changes import content_list_sheet, diff_sheet, history_sheet, import_sheet
from pore_plugin.validation import check

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "documents"


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_bytes())
    return document


def report(**members: Any) -> ImportReport:
    return check(ImportReport, example("import-report") | members).model


CHANGED = example("import-report")["items"][0]
CHANGE = CHANGED["changes"][0]
PROBLEM = {
    "code": "import.version_bump",
    "sentence": "acme.template.peel: the step is too small.",
    "pointer": "/version",
    "next_step": "Give the document the version 2.0.0 or a higher one.",
    "location": {"file": "peel.json", "line": 4, "column": 14},
}


def test_a_dry_run_shows_counts_then_each_change_with_was_now_class_step_and_what_it_touches() -> None:
    sheet = import_sheet(report(), "en")
    assert sheet.startswith("# Import: dry run\n\n1 change. Nothing was written.\n")
    assert "| Created | Changed | Unchanged | Conflicting |" in sheet
    assert "| 0 | 1 | 3 | 0 |" in sheet
    was, now = CHANGE["was"], CHANGE["now"]
    assert f"| {CHANGE['place']} | {was} | {now} | changed | wording |" in sheet
    assert "from 1.0.0 to 1.0.1 (made by acme.overlay.peel). This needs a patch version." in sheet
    assert "- 1 follow up plan stays on 1.0.0: follow-up-plan-1" in sheet


def test_an_import_without_changes_says_so() -> None:
    counts = {"created": 0, "changed": 0, "unchanged": 4, "conflicting": 0}
    sheet = import_sheet(report(counts=counts, items=[], applied=True), "en")
    assert "0 changes applied." in sheet


def test_a_refused_import_says_that_nothing_was_written_and_where_to_look() -> None:
    sheet = import_sheet(report(problems=[PROBLEM]), "en")
    assert sheet.startswith("# Import refused\n\n**Nothing was written.**")
    assert "- `peel.json:4:14` `/version` **acme.template.peel: the step is too small.** Give the document" in sheet


def test_created_documents_stand_in_one_table_with_their_files() -> None:
    item = {key: CHANGED[key] for key in ("id", "type", "version", "digest")}
    item |= {"outcome": "created", "source": "a|b.json", "title": {"de": "Peeling"}}
    sheet = import_sheet(report(items=[item]), "en")
    assert "| acme.template.peel | 1.0.1 | Peeling | procedure template | a\\|b.json |" in sheet


def test_a_file_that_nobody_vouched_for_does_not_steer_the_terminal() -> None:
    item = CHANGED | {"title": {"en": "\x1b[31mRed"}, "changes": [CHANGE | {"place": "a\u202eb"}]}
    sheet = import_sheet(report(items=[item], problems=[PROBLEM | {"sentence": "\x1b]0;x\x07."}]), "en")
    assert not {character for character in sheet if not character.isprintable()} - {"\n"}


def test_a_long_value_is_cut_and_a_moved_item_is_counted_from_one() -> None:
    changes = [
        CHANGE | {"now": json.dumps("x" * 500)},
        {
            "pointer": "/steps/0",
            "place": "steps/b",
            "change": "moved",
            "was": "2",
            "now": "0",
            "change_class": "breaking",
        },
    ]
    difference = check(ContentDiff, example("content-diff") | {"changes": changes, "needed_bump": "major"}).model
    sheet = diff_sheet(difference)
    assert "x" * 118 + "… |" in sheet
    assert "| steps/b | no. 3 | no. 1 | moved | **breaking** |" in sheet
    assert "**This needs a major version.**" in sheet


def test_equal_documents_say_the_same() -> None:
    difference = check(ContentDiff, example("content-diff") | {"changes": [], "needed_bump": "none"}).model
    assert diff_sheet(difference).endswith("They say the same.\n")


def test_the_list_shows_state_approval_and_base() -> None:
    held = check(ContentList, example("content-list")).model
    active, draft = [line for line in content_list_sheet(held, "en").splitlines() if line.startswith("| acme.")]
    assert "| active | dr-sample | 2027-09-01 | — | clinic, on pore.template." in active
    assert "| DRAFT | — | — | — |" in draft
    assert "nothing to list" in content_list_sheet(ContentList(entries=()), "en")


def test_the_history_shows_who_when_why_and_the_changes() -> None:
    sheet = history_sheet(check(ContentHistory, example("content-history")).model)
    assert "| 2 | Tue 01 Sep 2026, 11:30 (UTC+01:00) | dr-sample | approved | 1.0.1 | Read against" in sheet
    assert "## 1. imported, 1.0.1" in sheet
    assert f"| {CHANGE['place']} |" in sheet
