"""The clinic's library, on both databases: imported, approved, compared, retired, gone back to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import practice_library as given
from pore_plugin.contracts import Approval, ProblemsError, ProcedureTemplate, canonical, digest
from pore_plugin.library.sources import read_sources
from pore_plugin.practice import Desk, keep
from pore_plugin.practice.library import Library
from pore_plugin.storage import Database
from pore_plugin.validation.yamltext import read_yaml
from pore_plugin.validation.yamlwriting import write_yaml
from practice_library import PEEL, PRESCRIBER, SCHEDULE, Clock, desk_at

FORM = "pore.form.consultation"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(database: Database, clock: Clock) -> Desk:
    return desk_at(database, clock)


@pytest.fixture
def library(desk: Desk) -> Library:
    return Library(desk)


@pytest.fixture
def peel(tmp_path: Path) -> Path:
    return given.write(tmp_path / "in" / "peel.json", given.template())


def codes(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def tables(database: Database) -> dict[str, list[Any]]:
    """Everything that is kept, to see that nothing was written."""
    from sqlalchemy import select

    from pore_plugin.storage import tables as known

    with database.transaction(given.clinic().id, mode="read") as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in known.metadata.sorted_tables
        }


def states(library: Library, content_id: str = PEEL) -> dict[str, str]:
    return {entry.version: entry.state for entry in library.entries().entries if entry.id == content_id}


def test_a_dry_run_says_what_an_import_would_do_and_writes_nothing(
    database: Database, library: Library, peel: Path
) -> None:
    library.entries()
    before = tables(database)
    report = library.plan_import([peel])
    assert (report.applied, report.counts.created, report.problems) == (False, 1, ())
    assert report.items[0].id == PEEL
    assert tables(database) == before


def test_what_is_imported_is_a_draft_and_the_second_import_writes_nothing(
    database: Database, library: Library, peel: Path
) -> None:
    report = library.import_([peel], why="From a colleague.")
    assert (report.applied, report.counts.created) == (True, 1)
    assert states(library) == {"1.0.0": "draft"}
    before = tables(database)
    again = library.import_([peel])
    assert (again.applied, again.counts.created, again.counts.changed, again.counts.unchanged) == (True, 0, 0, 1)
    assert tables(database) == before
    assert any("content.imported" in row for row in before["outbox"])
    assert any("content.import" in row for row in before["audit"])


def test_the_same_digest_with_other_bytes_is_unchanged_and_the_first_bytes_are_kept(
    library: Library, peel: Path, tmp_path: Path
) -> None:
    library.import_([peel])
    other = tmp_path / "other.json"
    other.write_bytes(canonical({**given.template(), "status": "active"}))
    report = library.import_([other])
    assert (report.counts.unchanged, report.items) == (1, ())
    assert library.export(PEEL) == ("application/json", peel.read_bytes())


def test_an_import_is_all_or_nothing(database: Database, library: Library, tmp_path: Path) -> None:
    library.entries()
    before = tables(database)
    folder = tmp_path / "in"
    given.write(folder / "good.json", given.template())
    given.write(folder / "bad.json", given.template(content_id="acme.template.bad", schedule="acme.schedule.nowhere"))
    report = library.import_([folder])
    assert not report.applied
    assert [problem.code for problem in report.problems] == ["catalogue.unknown_reference"]
    assert report.problems[0].location is not None
    assert tables(database) == before


def test_a_package_may_refer_to_itself_and_to_what_was_imported_before(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    given.write(folder / "template.json", given.template(schedule=SCHEDULE))
    given.write(folder / "schedule.json", given.schedule())
    assert library.import_([folder]).counts.created == 2
    later = given.write(tmp_path / "later.json", given.template(content_id="acme.template.later", schedule=SCHEDULE))
    assert library.import_([later]).counts.created == 1


def test_a_record_is_no_content(library: Library, tmp_path: Path) -> None:
    from pore_plugin.builtin import sample, sample_names

    (tmp_path / "clinic.toml").write_bytes(sample("clinic.toml"))
    report = library.import_([tmp_path / "clinic.toml"])
    assert [problem.code for problem in report.problems] == ["import.not_content"]
    assert sample_names()


def test_a_change_is_shown_with_its_class_and_a_wrong_bump_is_refused(library: Library, peel: Path) -> None:
    library.import_([peel])
    changed = given.template("1.0.1", steps=given.template()["steps"][:-1])
    report = library.plan_import([given.write(peel, changed)])
    assert "import.version_bump" in [problem.code for problem in report.problems]
    (item,) = report.items
    assert (item.previous, item.needed_bump) == ("1.0.0", "major")
    fine = library.import_([given.write(peel, {**changed, "version": "2.0.0"})])
    assert (fine.applied, fine.counts.changed) == (True, 1)
    back = library.plan_import([given.write(peel, given.reworded(given.template(), "1.5.0"))])
    assert [problem.code for problem in back.problems] == ["import.version_backwards"]


def test_approving_puts_a_version_into_use_until_its_last_day(
    library: Library, desk: Desk, clock: Clock, peel: Path
) -> None:
    library.import_([peel])
    (entry,) = library.approve([PEEL], person=PRESCRIBER, until="2026-12-31", why="Read it.").entries
    assert (entry.state, entry.approved_by, entry.valid_until) == ("active", PRESCRIBER, "2026-12-31")
    assert desk.workflow.catalogue.get(ProcedureTemplate, PEEL).model.status == "active"
    clock.now += timedelta(days=121)
    assert states(library) == {"1.0.0": "active"}
    clock.now += timedelta(days=1)
    assert states(library) == {"1.0.0": "expired"}


def test_only_a_prescriber_of_the_clinic_approves_and_only_for_days_to_come(library: Library, peel: Path) -> None:
    library.import_([peel])
    for person in ("nurse-example", "nobody", "os:root"):
        with pytest.raises(ProblemsError) as refused:
            library.approve([PEEL], person=person, until="2026-12-31")
        assert codes(refused) == ["approval.prescriber"]
    with pytest.raises(ProblemsError) as past:
        library.approve([PEEL], person=PRESCRIBER, until="2026-08-31")
    assert codes(past) == ["approval.past"]
    assert states(library) == {"1.0.0": "draft"}


def test_content_of_the_package_is_approved_with_its_bytes(database: Database, library: Library, desk: Desk) -> None:
    (entry,) = library.approve([FORM], person=PRESCRIBER, until="2026-12-31").entries
    assert (entry.state, entry.origin) == ("active", "pore")
    with desk.use("test") as unit:
        (row,) = unit.content.versions(FORM)
    assert digest(json.loads(row.canonical)) == entry.digest
    assert [one.id for one in library.entries(state="active").entries] == [FORM]


def test_all_is_approved_or_nothing(library: Library, peel: Path) -> None:
    library.import_([peel])
    with pytest.raises(ProblemsError) as unknown:
        library.approve([PEEL, "acme.template.pell"], person=PRESCRIBER, until="2026-12-31")
    assert codes(unknown) == ["library.unknown"]
    assert PEEL in unknown.value.problems[0].next_step
    assert states(library) == {"1.0.0": "draft"}


def test_a_withdrawn_approval_holds_no_more(library: Library, peel: Path) -> None:
    library.import_([peel])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    (entry,) = library.withdraw([PEEL], why="A mistake in it.").entries
    assert (entry.state, entry.approved_by) == ("draft", None)
    assert library.withdraw([PEEL]).entries == ()


def test_a_leavers_approvals_expire_by_themselves_or_are_handed_over(
    database: Database, clock: Clock, peel: Path
) -> None:
    library = Library(desk_at(database, clock, given.with_second_prescriber()))
    library.import_([peel])
    library.approve([PEEL, FORM], person=PRESCRIBER, until="2026-12-31")
    clock.now += timedelta(days=1)
    left = Library(desk_at(database, clock, given.without_leaver(), actor="dr-second"))
    assert states(left) == {"1.0.0": "expired"}
    handed = left.hand_over(leaver=PRESCRIBER, person="dr-second", until="2027-06-30", why="Left.")
    assert {(entry.id, entry.state, entry.approved_by) for entry in handed.entries} == {
        (PEEL, "active", "dr-second"),
        (FORM, "active", "dr-second"),
    }
    assert left.hand_over(leaver=PRESCRIBER, person="dr-second", until="2027-06-30").entries == ()
    assert [entry.action for entry in left.history(PEEL).entries] == [
        "imported",
        "approved",
        "approval-withdrawn",
        "handed-over",
    ]


def test_what_ends_soon_is_listed(library: Library, clock: Clock, peel: Path) -> None:
    library.import_([peel])
    assert library.entries(review_due_within=60).entries == ()
    library.approve([PEEL], person=PRESCRIBER, until="2026-11-30")
    assert library.entries(review_due_within=60).entries == ()
    assert [entry.id for entry in library.entries(review_due_within=90).entries] == [PEEL]
    clock.now += timedelta(days=200)
    assert [entry.state for entry in library.entries(review_due_within=0).entries] == ["expired"]


def test_a_newer_draft_waits_beside_what_is_in_use(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([peel])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    assert states(library) == {"1.0.0": "active", "1.0.1": "draft"}
    assert desk.workflow.catalogue.get(ProcedureTemplate, PEEL).pin.version == "1.0.0"
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    assert states(library) == {"1.0.0": "superseded", "1.0.1": "active"}
    assert desk.workflow.catalogue.get(ProcedureTemplate, PEEL).pin.version == "1.0.1"


def test_an_approval_that_a_host_hands_in_is_in_the_library_too(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([peel])
    first = desk.workflow.catalogue.get(ProcedureTemplate, PEEL).pin
    paper = Approval(
        id="approval-1",
        clinic=desk.clinic.id,
        document=first,
        approved_by=PRESCRIBER,
        approved_at=desk.instant(),
        valid_until="2026-12-31",
    )
    assert keep(desk, paper)
    assert states(library) == {"1.0.0": "active"}
    assert [entry.action for entry in library.history(PEEL).entries] == ["imported", "approved"]
    assert not keep(desk, paper), "a second time it is nothing new"
    assert len(library.history(PEEL).entries) == 2

    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    assert keep(desk, paper.model_copy(update={"id": "approval-2"}))
    assert desk.workflow.catalogue.get(ProcedureTemplate, PEEL).pin.version == "1.0.1", "an old copy takes nothing back"

    keep(desk, paper.model_copy(update={"withdrawn_at": desk.instant()}))
    keep(desk, paper.model_copy(update={"id": "approval-2", "withdrawn_at": desk.instant()}))
    assert states(library)["1.0.1"] == "active"
    assert library.history(PEEL).entries[-1].action == "approval-withdrawn"


def test_a_rollback_brings_back_the_very_bytes_and_ends_what_was_approved_of_the_newer(
    library: Library, desk: Desk, peel: Path
) -> None:
    first = peel.read_bytes()
    library.import_([peel])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    (entry,) = library.rollback(PEEL, to="1.0.0", why="The title misled.").entries
    assert (entry.version, entry.state) == ("1.0.0", "active")
    assert states(library) == {"1.0.0": "active", "1.0.1": "rolled-back"}
    assert library.export(PEEL) == ("application/json", first)
    newest = library.history(PEEL).entries[-1]
    assert (newest.action, newest.version, newest.why) == ("rolled-back", "1.0.0", "The title misled.")
    assert [change.place for change in newest.changes] == ["title/en"]
    with desk.use("test") as unit:
        rows = unit.records.of_kind("approval")
    assert sorted(row.state for row in rows) == ["active", "withdrawn"]
    with pytest.raises(ProblemsError) as there:
        library.rollback(PEEL, to="1.0.0", why="Again.")
    assert codes(there) == ["library.in_use"]


def test_a_rollback_to_what_nobody_approved_is_a_draft_again(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([peel])
    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    (entry,) = library.rollback(PEEL, to="1.0.0", why="Wrong.").entries
    assert entry.state == "draft"
    assert desk.workflow.catalogue.get(ProcedureTemplate, PEEL).model.status == "draft"
    with pytest.raises(ProblemsError) as unknown:
        library.rollback(PEEL, to="3.0.0", why="Wrong.")
    assert codes(unknown) == ["library.unknown_version"]


def test_what_is_retired_is_offered_no_more(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([peel])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    assert library.retire(PEEL, why="Out of use.").entries[0].state == "retired"
    assert desk.workflow.catalogue.find(ProcedureTemplate, PEEL) is None
    assert states(library) == {"1.0.0": "retired"}
    with pytest.raises(ProblemsError) as refused:
        library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    assert codes(refused) == ["library.retired"]
    library.rollback(PEEL, to="1.0.0", why="In use again.")
    assert states(library) == {"1.0.0": "draft"}


def test_nothing_is_retired_that_something_in_use_leans_on(library: Library, tmp_path: Path) -> None:
    given.write(tmp_path / "in" / "template.json", given.template(schedule=SCHEDULE))
    given.write(tmp_path / "in" / "schedule.json", given.schedule())
    library.import_([tmp_path / "in"])
    with pytest.raises(ProblemsError) as refused:
        library.retire(SCHEDULE, why="Out of use.")
    assert codes(refused) == ["catalogue.unknown_reference"]
    assert states(library, SCHEDULE) == {"1.0.0": "draft"}
    library.retire(PEEL, why="Out of use.")
    library.retire(SCHEDULE, why="Out of use.")


def test_content_of_the_package_is_neither_retired_nor_replaced(library: Library, tmp_path: Path) -> None:
    with pytest.raises(ProblemsError) as refused:
        library.retire(FORM, why="Out of use.")
    assert codes(refused) == ["library.not_imported"]
    usurper = given.write(tmp_path / "in.json", given.template("9.0.0", "pore.template.salicylic-peel"))
    assert "import.package_id" in [problem.code for problem in library.import_([usurper]).problems]


def test_a_document_is_exported_as_it_came_and_canonical_in_the_other_media(
    library: Library, peel: Path, tmp_path: Path
) -> None:
    other = {**given.template(content_id="acme.template.yaml")}
    yaml = tmp_path / "in" / "peel.yaml"
    yaml.write_bytes(b"# By hand.\n" + write_yaml(other))
    library.import_([tmp_path / "in"])
    assert library.export("acme.template.yaml") == ("application/yaml", yaml.read_bytes())
    assert library.export("acme.template.yaml", "application/json")[1] == canonical(other)
    assert library.export(PEEL, "application/json")[1] == peel.read_bytes()
    assert read_yaml(library.export(PEEL, "application/yaml")[1]) == given.template()


def test_everything_is_exported_as_a_package_that_imports_unchanged(
    library: Library, peel: Path, tmp_path: Path
) -> None:
    library.import_([peel])
    package = tmp_path / "all.zip"
    package.write_bytes(library.export_all(name="acme-content", version="1.0.0")[1])
    (file,) = read_sources([package]).files
    assert file.data == peel.read_bytes()
    assert library.import_([package]).counts.unchanged == 1


def test_two_documents_are_compared_wherever_they_are(library: Library, peel: Path, tmp_path: Path) -> None:
    library.import_([peel])
    newer = given.write(tmp_path / "newer.json", given.reworded(given.template(), "1.0.1"))
    found = library.diff(PEEL, newer)
    assert ([change.place for change in found.changes], found.needed_bump) == (["title/en"], "patch")
    library.import_([newer])
    assert library.diff(f"{PEEL}@1.0.0", f"{PEEL}@1.0.1") == found
    assert {c.place for c in library.diff("pore.template.salicylic-peel", f"{PEEL}@1.0.0").changes} == {"id"}
    with pytest.raises(ProblemsError) as other:
        library.diff(PEEL, FORM)
    assert codes(other) == ["diff.other_type"]


def test_history_says_who_when_why_and_what(library: Library, clock: Clock, peel: Path) -> None:
    library.import_([peel], why="From a colleague.")
    clock.now += timedelta(hours=1)
    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    first, second = library.history(PEEL).entries
    assert (first.by, first.at, first.why, first.changes) == (
        PRESCRIBER,
        "2026-09-01T10:00:00+01:00",
        "From a colleague.",
        (),
    )
    assert (second.action, second.at, [change.place for change in second.changes]) == (
        "imported",
        "2026-09-01T11:00:00+01:00",
        ["title/en"],
    )
    assert library.history(FORM).entries == ()


def test_one_clinic_never_sees_the_library_of_another(database: Database, clock: Clock, peel: Path) -> None:
    Library(desk_at(database, clock)).import_([peel])
    other = Library(desk_at(database, clock, given.clinic(id="other-clinic")))
    assert states(other) == {}
    assert other.plan_import([peel]).counts.created == 1


def test_a_reason_says_something(library: Library, peel: Path) -> None:
    library.import_([peel])
    for why in ("", "  ", "x" * 1001):
        with pytest.raises(ProblemsError) as refused:
            library.retire(PEEL, why=why)
        assert codes(refused) == ["library.reason"]
    assert states(library) == {"1.0.0": "draft"}


def test_what_its_author_retired_is_imported_and_offered_to_nobody(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([given.write(peel, given.template(status="retired"))])
    assert states(library) == {"1.0.0": "retired"}
    assert desk.workflow.catalogue.find(ProcedureTemplate, PEEL) is None
    library.import_([given.write(peel, given.reworded(given.template(), "1.0.1"))])
    assert states(library)["1.0.1"] == "draft"


def test_an_import_takes_nothing_out_of_use(library: Library, desk: Desk, peel: Path) -> None:
    library.import_([peel])
    library.approve([PEEL], person=PRESCRIBER, until="2026-12-31")
    library.import_([given.write(peel, {**given.reworded(given.template(), "1.0.1"), "status": "retired"})])
    assert states(library) == {"1.0.0": "active", "1.0.1": "draft"}
