"""What the library hands to the workflow, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import clinic
from pore_plugin import PoreWorkflow, check
from pore_plugin.builtin import documents
from pore_plugin.catalogue import Entry
from pore_plugin.contracts import ContentDocument, Pin, ProblemsError, ProcedureTemplate, canonical, digest
from pore_plugin.practice.holdings import holdings
from pore_plugin.practice.standing import standings
from pore_plugin.storage import Database, Unit
from pore_plugin.storage.rows import ContentRow

BUILTIN = {document["id"]: document for document in (json.loads(data) for _, data in documents())}
PEEL = BUILTIN["pore.template.salicylic-peel"]
OWN = "acme.template.peel"


def version_of(number: str, content_id: str = OWN, **members: Any) -> dict[str, Any]:
    return {**PEEL, "id": content_id, "version": number, "status": "draft", **members}


def row(document: dict[str, Any], origin: str = "clinic") -> ContentRow:
    data = json.dumps(document).encode()
    return ContentRow(
        document["id"],
        document["version"],
        digest(document),
        document["type"],
        "json",
        origin,
        "sha256:0",
        data,
        canonical(document),
    )


def keep(unit: Unit, *given: dict[str, Any], origin: str = "clinic", action: str = "imported") -> None:
    unit.content.add(row(document, origin) for document in given)
    done(unit, action, *given)


def done(unit: Unit, action: str, *given: dict[str, Any]) -> None:
    unit.content.record(action, [(document["id"], document["version"], digest(document)) for document in given])
    for document in given:
        if action in ("approved", "rolled-back"):
            unit.content.set_head(document["id"], document["version"], digest(document))


def held(database: Database, *, drafts: bool = False) -> dict[tuple[str, str], str]:
    with database.writing("clinic.one", "P-1", action="test", now=9) as unit:
        return {(entry.pin.id, entry.pin.version): entry.status for entry in holdings(unit, drafts=drafts)}


def writing(database: Database) -> Any:
    return database.writing("clinic.one", "P-1", action="test", now=5)


def test_an_empty_library_hands_in_nothing(database: Database) -> None:
    assert held(database) == {}


def test_what_nobody_approved_shows_its_newest_draft(database: Database) -> None:
    with writing(database) as unit:
        keep(unit, version_of("1.9.0"), version_of("1.10.0"))
    assert held(database) == {(OWN, "1.9.0"): "retired", (OWN, "1.10.0"): "draft"}


def test_new_work_uses_what_was_approved_last_and_newer_drafts_only_where_asked_for(database: Database) -> None:
    with writing(database) as unit:
        keep(unit, version_of("1.0.0"), version_of("1.1.0"))
        done(unit, "approved", version_of("1.0.0"))
    assert held(database) == {(OWN, "1.0.0"): "active", (OWN, "1.1.0"): "retired"}
    assert held(database, drafts=True) == {(OWN, "1.0.0"): "retired", (OWN, "1.1.0"): "draft"}


def test_what_a_rollback_left_behind_is_no_draft_again(database: Database) -> None:
    with writing(database) as unit:
        keep(unit, version_of("1.0.0"), version_of("1.1.0"))
        done(unit, "approved", version_of("1.0.0"))
        done(unit, "approved", version_of("1.1.0"))
        done(unit, "rolled-back", version_of("1.0.0"))
    assert held(database, drafts=True) == {(OWN, "1.0.0"): "active", (OWN, "1.1.0"): "retired"}
    with writing(database) as unit:
        keep(unit, version_of("1.2.0"))
    assert held(database, drafts=True)[OWN, "1.2.0"] == "draft"


def test_a_retired_document_is_found_by_its_pins_only(database: Database) -> None:
    with writing(database) as unit:
        keep(unit, version_of("1.0.0"))
        done(unit, "approved", version_of("1.0.0"))
        done(unit, "retired", version_of("1.0.0"))
        unit.content.set_head(OWN, None, None)
    assert held(database, drafts=True) == {(OWN, "1.0.0"): "retired"}
    with writing(database) as unit:
        found = holdings(unit, drafts=False)
    workflow = PoreWorkflow(clinic(), content=found, installed=False)
    assert workflow.catalogue.find(ProcedureTemplate, OWN) is None
    pin = Pin(id=OWN, version="1.0.0", digest=digest(version_of("1.0.0")))
    assert workflow.catalogue.pinned(pin).model.status == "retired"


def test_an_older_version_of_the_package_is_found_by_its_pin_without_a_warning(database: Database) -> None:
    older = version_of("0.0.9", PEEL["id"])
    with writing(database) as unit:
        keep(unit, older, PEEL, origin="pore", action="approved")
        found = holdings(unit, drafts=True)
    assert [entry.pin.version for entry in found] == ["0.0.9"]
    workflow = PoreWorkflow(clinic(), content=found, installed=False)
    assert workflow.plugins.problems == ()
    assert workflow.catalogue.get(ProcedureTemplate, PEEL["id"]).pin.version == PEEL["version"]
    assert workflow.catalogue.pinned(found[0].pin).document["version"] == "0.0.9"


def test_a_kept_document_is_the_one_that_was_checked(database: Database) -> None:
    with writing(database) as unit:
        keep(unit, version_of("1.0.0"))
        done(unit, "approved", version_of("1.0.0"))
        (found,) = holdings(unit, drafts=False)
    assert found.model == check(ProcedureTemplate, version_of("1.0.0", status="active")).model
    assert found.document == version_of("1.0.0", status="active")
    assert digest(found.document) == found.pin.digest
    assert found.canonical == canonical(version_of("1.0.0"))


def test_kept_bytes_that_nobody_can_read_do_not_stop_the_others() -> None:
    pin = Pin(id=OWN, version="1.0.0", digest="sha256:" + "0" * 64)
    broken: Entry[ContentDocument] = Entry.kept(ProcedureTemplate, pin, b'{"type":"?"}', "retired", "clinic")
    workflow = PoreWorkflow(clinic(), content=[broken], installed=False)
    with pytest.raises(ProblemsError):
        _ = workflow.catalogue.pinned(pin).model


def test_standings_are_read_off_the_actions_alone() -> None:
    found = standings([("a.b", "1.0.0", "imported"), ("a.b", "1.0.0", "retired")], {})["a.b"]
    assert (found.retired, found.current(), list(found.imported)) == (True, None, ["1.0.0"])


def test_what_no_longer_holds_together_is_set_aside_and_named() -> None:
    gone = version_of("1.0.0", schedule="other.schedule.gone")
    leaning = {**BUILTIN["pore.protocol.sample-salicylic-peel"], "id": "acme.protocol.peel", "template": OWN}
    fine = version_of("1.0.0", "acme.template.fine")
    kept = [
        Entry.kept(
            type(check(document["type"], document).model),
            Pin(id=document["id"], version=document["version"], digest=digest(document)),
            canonical(document),
            "active",
            "clinic",
        )
        for document in (gone, leaning, fine)
    ]
    workflow = PoreWorkflow(clinic(), content=kept, installed=False)
    assert [problem.code for problem in workflow.plugins.problems] == ["catalogue.unknown_reference"] * 2
    assert workflow.catalogue.find(ProcedureTemplate, OWN) is None
    assert workflow.catalogue.pinned(kept[0].pin).document["schedule"] == "other.schedule.gone"
    assert workflow.catalogue.get(ProcedureTemplate, "acme.template.fine").status == "active"


def test_what_this_version_of_the_package_refuses_is_set_aside_and_named() -> None:
    pin = Pin(id=OWN, version="1.0.0", digest="sha256:" + "0" * 64)
    broken: Entry[ContentDocument] = Entry.kept(ProcedureTemplate, pin, b'{"type":"?"}', "active", "clinic")
    workflow = PoreWorkflow(clinic(), content=[broken], installed=False)
    assert [problem.code for problem in workflow.plugins.problems] == ["catalogue.unreadable"]


def test_bytes_that_the_package_had_under_the_same_version_do_not_stop_it() -> None:
    other = version_of(PEEL["version"], PEEL["id"], title={"en": "As it once was"})
    pin = Pin(id=PEEL["id"], version=PEEL["version"], digest=digest(other))
    kept: Entry[ContentDocument] = Entry.kept(ProcedureTemplate, pin, canonical(other), "retired", "clinic")
    workflow = PoreWorkflow(clinic(), content=[kept], installed=False)
    assert workflow.plugins.problems == ()
    assert workflow.catalogue.pinned(pin).model.title["en"] == "As it once was"
    assert workflow.catalogue.get(ProcedureTemplate, PEEL["id"]).model.title["en"] == PEEL["title"]["en"]
