"""What an import would do: created, changed, unchanged, conflicting; all or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pore_plugin.builtin import documents
from pore_plugin.contracts import ProcedureTemplate, TouchedRecords, canonical, digest
from pore_plugin.library.checking import CheckedFile
from pore_plugin.library.known import builtin_known
from pore_plugin.library.overlays import overlay_of
from pore_plugin.library.planning import HeldVersion, ImportPlan, plan_import, unchanged_by_bytes
from pore_plugin.library.sources import SourceFile
from pore_plugin.validation import check

CONTENT = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
BASE = CONTENT["pore.template.salicylic-peel"]
STEP = {"id": "cool", "title": {"en": "Cool"}, "instruction": {"en": "Cool the skin."}}


@dataclass
class Library:
    """What is held, as an import hands it in; `apply` keeps what a plan says."""

    rows: dict[tuple[str, str], tuple[HeldVersion, bytes]] = field(default_factory=dict)
    open: dict[str, tuple[TouchedRecords, ...]] = field(default_factory=dict)

    def with_bytes(self, hashes: Collection[str]) -> Mapping[str, HeldVersion]:
        return {row.sha256: row for row, _ in self.rows.values() if row.sha256 and row.sha256 in hashes}

    def versions(self, identifier: str) -> Sequence[HeldVersion]:
        return [row for row, _ in self.rows.values() if row.id == identifier]

    def canonical(self, held: HeldVersion) -> bytes:
        return self.rows[held.id, held.version][1]

    def touched(self, identifier: str) -> Sequence[TouchedRecords]:
        return self.open.get(identifier, ())

    def hold(self, document: dict[str, Any], sha256: str | None = None) -> None:
        row = HeldVersion(document["id"], document["version"], digest(document), document["type"], sha256)
        self.rows[row.id, row.version] = (row, canonical(document))

    def apply(self, plan: ImportPlan) -> None:
        for planned in plan.to_write:
            self.hold(planned.checked.document, None if planned.overlay else planned.source.sha256)


def files(*given: dict[str, Any], indent: int | None = 2) -> list[CheckedFile]:
    made = []
    for index, document in enumerate(given):
        data = json.dumps(document, indent=indent).encode()
        source = SourceFile(f"{index}.json", data, "json", f"{index}.json")
        made.append(CheckedFile(source, document["type"], check(document["type"], document)))
    return made


def template(version: str = "1.0.0", **members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(BASE), "id": "acme.template.peel", "version": version, **members}


def packaged() -> Library:
    held = Library()
    for document in CONTENT.values():
        held.hold(document)
    return held


def outcomes(plan: ImportPlan) -> list[str]:
    return [document.outcome for document in plan.documents]


def codes(plan: ImportPlan) -> list[str]:
    return [problem.code for problem in plan.problems]


def test_the_second_import_says_no_changes() -> None:
    held, given = packaged(), files(template(), CONTENT["pore.schedule.peel"] | {"id": "acme.schedule.peel"})
    first = plan_import(given, held)
    assert outcomes(first) == ["created", "created"]
    held.apply(first)
    second = plan_import(given, held)
    assert outcomes(second) == ["unchanged", "unchanged"]
    assert second.to_write == ()
    assert second.report().counts.model_dump() == {"created": 0, "changed": 0, "unchanged": 2, "conflicting": 0}


def test_unchanged_files_are_known_by_their_bytes_alone() -> None:
    held, given = packaged(), files(template(), template(id="acme.template.other"))
    held.apply(plan_import(given, held))
    garbage = SourceFile("x.json", b"{", "json", "x.json")
    known, rest = unchanged_by_bytes([*(file.source for file in given), garbage], held)
    assert [row.id for _, row in known] == ["acme.template.peel", "acme.template.other"]
    assert rest == (garbage,)
    assert plan_import([], held).report(unchanged_files=len(known)).counts.unchanged == 2


def test_other_bytes_of_the_same_document_are_unchanged_and_the_first_are_kept() -> None:
    held = packaged()
    held.apply(plan_import(files(template()), held))
    plan = plan_import(files(template(status="active"), indent=None), held)
    assert (outcomes(plan), plan.problems, plan.to_write) == (["unchanged"], (), ())


def test_a_version_never_says_something_else() -> None:
    held = packaged()
    held.hold(template("1.2.0"))
    plan = plan_import(files(template("1.2.0", summary={"en": "Other words."})), held)
    assert (outcomes(plan), codes(plan)) == (["conflicting"], ["import.version_taken"])
    assert "1.2.1 or a higher one" in plan.problems[0].next_step
    assert [change.place for change in plan.documents[0].changes] == ["summary/en"]


def test_a_version_that_goes_backwards_is_a_conflict() -> None:
    held = packaged()
    held.hold(template("1.2.0"))
    plan = plan_import(files(template("1.1.9", summary={"en": "Other words."})), held)
    assert (outcomes(plan), codes(plan)) == (["conflicting"], ["import.version_backwards"])
    assert "1.2.1" in plan.problems[0].next_step


def test_an_older_version_that_is_held_is_unchanged() -> None:
    held = packaged()
    held.hold(template("1.1.0"))
    held.hold(template("1.2.0", summary={"en": "Other words."}))
    assert outcomes(plan_import(files(template("1.1.0")), held)) == ["unchanged"]


def test_an_id_keeps_its_type() -> None:
    held = packaged()
    held.hold(CONTENT["pore.schedule.peel"] | {"id": "acme.template.peel"})
    plan = plan_import(files(template("9.0.0")), held)
    assert (outcomes(plan), codes(plan)) == (["conflicting"], ["import.other_type"])
    both = plan_import(
        files(template("9.0.0"), CONTENT["pore.schedule.peel"] | {"id": "acme.template.peel"}), packaged()
    )
    assert "import.other_type" in codes(both)


def test_ids_of_the_package_are_not_imported_but_its_own_files_are_unchanged() -> None:
    plan = plan_import(files(BASE, BASE | {"version": "9.0.0"}), packaged())
    assert (outcomes(plan), codes(plan)) == (["unchanged", "conflicting"], ["import.package_id"])
    assert "overlay" in plan.problems[0].next_step


def test_two_documents_with_one_version_conflict_both() -> None:
    plan = plan_import(files(template(), template(summary={"en": "Other words."})), packaged())
    assert (outcomes(plan), codes(plan)) == (["conflicting"] * 2, ["import.version_taken"] * 2)


def test_the_same_document_twice_is_imported_once() -> None:
    plan = plan_import(files(template(), template()), packaged())
    assert outcomes(plan) == ["created", "unchanged"]
    assert len(plan.to_write) == 1


def test_several_versions_follow_each_other_in_their_order() -> None:
    third = template("1.10.0", summary={"en": "Second words."}, consumables=[])
    given = files(third, template("1.9.1", summary={"en": "Second words."}), template("1.9.0"))
    plan = plan_import(given, packaged())
    assert [document.checked.model.version for document in plan.documents] == ["1.9.0", "1.9.1", "1.10.0"]
    assert [document.previous for document in plan.documents] == [None, "1.9.0", "1.9.1"]
    # The third takes consumables away.
    assert [document.needed_bump for document in plan.documents] == [None, "patch", "major"]
    assert codes(plan) == ["import.version_bump"]


def test_a_change_shows_differences_class_step_and_what_it_touches() -> None:
    held = packaged()
    held.hold(template())
    old = TouchedRecords(kind="follow-up-plan", version="1.0.0", count=2, records=("f-1", "f-2"))
    held.open["acme.template.peel"] = (old, old.model_copy(update={"version": "2.0.0"}))
    plan = plan_import(files(template("2.0.0", steps=[*BASE["steps"], STEP])), held)
    (item,) = plan.report().items
    assert (item.outcome, item.previous, item.needed_bump) == ("changed", "1.0.0", "major")
    assert [(change.place, change.change_class) for change in item.changes] == [("steps/cool", "breaking")]
    assert item.touches == (old,)


def test_too_small_a_step_is_refused_with_the_least_that_fits_and_its_place_in_the_file() -> None:
    held = packaged()
    held.hold(template())
    plan = plan_import(files(template("1.1.0", steps=[*BASE["steps"], STEP])), held)
    (problem,) = plan.problems
    assert (problem.code, problem.pointer) == ("import.version_bump", "/version")
    assert "acme.template.peel" in problem.sentence
    assert "2.0.0 or a higher one" in problem.next_step
    assert problem.location is not None
    assert (problem.location.file, problem.location.line) == ("0.json", 5)
    assert plan.to_write == ()


def test_a_version_step_without_any_change_is_allowed() -> None:
    held = packaged()
    held.hold(template())
    plan = plan_import(files(template("1.0.1")), held)
    assert (outcomes(plan), plan.problems) == (["changed"], ())


def test_one_conflict_keeps_everything_out() -> None:
    held = packaged()
    given = files(template(), CONTENT["pore.schedule.peel"] | {"version": "9.0.0"})
    plan = plan_import(given, held)
    assert outcomes(plan) == ["created", "conflicting"]
    assert plan.to_write == ()
    report = plan.report(applied=True)
    assert not report.applied
    assert report.problems == plan.problems


def test_a_composed_form_is_not_imported() -> None:
    form = CONTENT["pore.form.consultation"] | {"id": "acme.form.x", "version": "1.0.0+0123456789ab"}
    assert codes(plan_import(files(form), packaged())) == ["import.composed_version"]


def test_a_form_is_compared_with_its_own_versions_and_not_with_composed_ones() -> None:
    form = CONTENT["pore.form.consultation"] | {"id": "acme.form.x", "version": "1.0.0"}
    held = packaged()
    held.hold(form | {"version": "1.0.0+0123456789ab", "sections": form["sections"][:1]})
    held.hold(form)
    plan = plan_import(files(form | {"version": "1.0.1", "title": {"en": "Other words"}}), held)
    assert (plan.problems, [change.place for change in plan.documents[0].changes]) == ((), ["title/en"])


def overlay(base: dict[str, Any] = BASE, **members: Any) -> dict[str, Any]:
    copied = {**copy.deepcopy(base), "id": "acme.template.peel", "version": "1.0.0", **members}
    return overlay_of(base, copied, identifier="acme.overlay.peel").to_document()


def test_an_overlay_brings_the_document_that_it_makes() -> None:
    held = packaged()
    plan = plan_import(files(overlay(summary={"en": "Ours."})), held)
    first, second = plan.documents
    assert (first.type, second.type) == ("overlay", "procedure-template")
    assert isinstance(second.checked.model, ProcedureTemplate)
    assert (second.overlay, outcomes(plan)) == (first.pin, ["created", "created"])
    held.apply(plan)
    assert held.rows["acme.template.peel", "1.0.0"][0].digest == second.checked.digest
    assert outcomes(plan_import(files(overlay(summary={"en": "Ours."})), held)) == ["unchanged"]


def test_the_version_of_an_overlay_is_judged_by_what_the_document_becomes() -> None:
    held = packaged()
    held.apply(plan_import(files(overlay(summary={"en": "Ours."})), held))
    more = overlay(summary={"en": "Ours."}, steps=[*BASE["steps"], STEP], version="1.0.1")
    plan = plan_import(files(more), held)
    assert [document.needed_bump for document in plan.documents] == ["patch", "major"]
    assert codes(plan) == ["import.version_bump"]
    assert "acme.template.peel" in plan.problems[0].sentence


def test_an_overlay_may_be_laid_over_a_document_of_the_same_import() -> None:
    base = template(id="acme.template.base")
    plan = plan_import(files(overlay(base, summary={"en": "Ours."}), base), packaged())
    assert (outcomes(plan), plan.problems) == (["created"] * 3, ())


@pytest.mark.parametrize(
    ("members", "code", "pointer"),
    [
        (
            {"base": {"id": "acme.template.none", "version": "1.0.0", "digest": "sha256:" + "0" * 64}},
            "no_base",
            "/base",
        ),
        ({"base": {"id": BASE["id"], "version": "0.0.9", "digest": digest(BASE)}}, "no_base", "/base"),
        (
            {"changes": [{"action": "set", "place": "summary/en", "was": "a", "now": "b"}]},
            "conflict",
            "/changes/0",
        ),
        ({"target": "pore.template.mine"}, "package_id", "/target"),
    ],
)
def test_an_overlay_that_does_not_fit_stops_the_import(members: dict[str, Any], code: str, pointer: str) -> None:
    plan = plan_import(files(overlay(summary={"en": "Ours."}) | members), packaged())
    (problem,) = plan.problems
    assert (problem.code.partition(".")[2], problem.pointer) == (code, pointer)
    assert problem.location is not None
    assert problem.location.line > 1
    assert plan.to_write == ()


def test_what_an_overlay_spoils_is_named_by_its_place() -> None:
    copied = template()
    del copied["summary"]
    spoiled = overlay_of(BASE, copied, identifier="acme.overlay.peel").to_document()
    (problem,) = plan_import(files(spoiled), packaged()).problems
    assert (problem.code, problem.pointer) == ("schema.required", "/changes")


def test_what_an_overlay_makes_refers_to_what_is_known_or_imported_with_it() -> None:
    lost = overlay(schedule="acme.schedule.mine")
    plan = plan_import(files(lost), packaged())
    (problem,) = plan.problems
    assert (problem.code, problem.pointer) == ("catalogue.unknown_reference", "/changes")
    assert "acme.template.peel is not in order at /schedule." in problem.sentence
    schedule = CONTENT["pore.schedule.peel"] | {"id": "acme.schedule.mine"}
    assert plan_import(files(lost, schedule), packaged()).problems == ()
    there = builtin_known().with_ids("follow-up-schedule", ["acme.schedule.mine"])
    assert plan_import(files(lost), packaged(), there).problems == ()


def test_what_an_overlay_says_is_held_to_the_rules_for_texts() -> None:
    plan = plan_import(files(overlay(title={"en": "Peel", "de": "Peeling"})), packaged())
    assert set(codes(plan)) == {"locale.missing"}


VERSION = st.sampled_from(["0.9.0", "1.0.0", "1.0.1", "1.1.0", "2.0.0"])
WORDS = st.sampled_from(["One.", "Two.", "Three 3."])
DOCUMENTS = st.builds(
    lambda name, version, words: template(version, id=name, summary={"en": words}),
    st.sampled_from(["acme.template.a", "acme.template.b", "pore.template.c"]),
    VERSION,
    WORDS,
)


@given(st.lists(DOCUMENTS, max_size=3), st.lists(DOCUMENTS, max_size=4))
def test_a_plan_is_applied_whole_or_not_at_all_and_once(
    before: list[dict[str, Any]], given_: list[dict[str, Any]]
) -> None:
    held = Library()
    for document in before:
        held.hold(document)
    kept = dict(held.rows)
    given = files(*given_)
    plan = plan_import(given, held)
    assert len(plan.documents) == len(given)
    assert bool(plan.problems) >= ("conflicting" in outcomes(plan))
    held.apply(plan)
    # What was held is held as it was.
    assert {key: held.rows[key] for key in kept} == kept
    if plan.problems:
        assert held.rows == kept
    else:
        assert set(outcomes(plan_import(given, held))) <= {"unchanged"}
