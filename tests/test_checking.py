"""A package is checked whole: every document by itself, its texts, and how all of them hang together."""

from __future__ import annotations

import copy
import gc
import json
from pathlib import Path

import pytest

from library_files import CONTENT, PEEL, SCHEDULE, put, schedule, source, template, written
from pore_plugin.builtin import content, documents
from pore_plugin.contracts import ProblemsError, canonical, digest
from pore_plugin.library.checking import CheckedPackage, check_package
from pore_plugin.library.known import Known, builtin_known, is_builtin
from pore_plugin.library.naming import contract_of
from pore_plugin.library.overlays import overlay_of
from pore_plugin.library.packages import manifest_of, package_of
from pore_plugin.library.sources import SourceFile, media_of, read_sources
from pore_plugin.validation.jsontext import locate

EXAMPLES = Path(__file__).resolve().parent.parent / "examples" / "documents"


def places(package: CheckedPackage) -> list[tuple[str, int, str, str]]:
    """Return file, line, pointer and code of everything that is wrong."""
    return [
        (p.location.file, p.location.line, p.pointer, p.code) if p.location else ("", 0, p.pointer, p.code)
        for p in package.problems
    ]


def line_of(data: bytes, pointer: str) -> int:
    return locate(data, [pointer])[pointer][0]


def test_the_content_of_the_package_is_as_it_should_be() -> None:
    package = check_package(SourceFile(path, data, "json", path) for path, data in documents())
    assert package.problems == ()
    assert len(package.content) == len(documents())


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_package_may_refer_to_itself_and_to_what_is_built_in(suffix: str) -> None:
    files = [
        source(f"b.{suffix}", schedule()),
        source(f"a.{suffix}", template(schedule="acme.schedule.peel")),
    ]
    package = check_package(files).accepted()
    assert [(file.contract, file.checked.model.id) for file in package.content] == [
        ("follow-up-schedule", "acme.schedule.peel"),
        ("procedure-template", "acme.template.peel"),
    ]
    assert package.content[1].checked.digest == digest(template(schedule="acme.schedule.peel"))


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_reference_that_leads_nowhere_is_named_with_its_line_and_the_nearest(suffix: str) -> None:
    file = source(f"a.{suffix}", template(schedule="acme.schedule.pel", instruments=["pore.instrument.gais-parc"]))
    package = check_package([file, source(f"b.{suffix}", schedule())])
    lines = file.data.decode().splitlines()
    found = {p.pointer: p for p in package.problems}
    assert [p.code for p in package.problems] == ["catalogue.unknown_reference"] * 2
    assert "Did you mean acme.schedule.peel?" in found["/schedule"].next_step
    assert "Did you mean pore.instrument.gais-park?" in found["/instruments/0"].next_step
    for pointer, text in (("/schedule", "acme.schedule.pel"), ("/instruments/0", "pore.instrument.gais-parc")):
        location = found[pointer].location
        assert location is not None
        assert location.file == f"a.{suffix}"
        assert text in lines[location.line - 1]


def test_everything_is_found_at_once_and_sorted_by_file_and_line() -> None:
    bad = template(schedule="acme.schedule.none")
    bad["title"] = {"en": "Pores disappear for ever, guaranteed"}
    broken = template("acme.template.other", statsu="draft", version="1")
    files = [
        source("z.json", bad),
        source("b.json", broken),
        source("a.yaml", b"type: product\nid: no\n"),
        source("c.json", b'{"type": "vial", "id": 1, "id": 2}'),
    ]
    found = places(check_package(files))
    assert [place[:2] for place in found] == sorted(place[:2] for place in found)
    codes = {(name, code) for name, _, _, code in found}
    assert {
        ("a.yaml", "yaml.boolean"),
        ("a.yaml", "schema.required"),
        ("b.json", "schema.unknown_member"),
        ("b.json", "schema.pattern"),
        ("c.json", "json.duplicate_key"),
        ("z.json", "catalogue.unknown_reference"),
    } <= codes
    assert any(name == "z.json" and code.startswith("text.") for name, code in codes)
    with pytest.raises(ProblemsError) as caught:
        check_package(files).accepted()
    assert len(caught.value.problems) == len(found)


def test_one_version_in_two_files_is_refused_the_same_or_not() -> None:
    one = source("a.json", template())
    found = check_package([one, source("b.json", template(title={"en": "Another"})), source("c.yaml", template())])
    assert places(found) == [
        ("b.json", line_of(written(template()), "/version"), "/version", "package.duplicate_id"),
        ("c.yaml", 4, "/version", "package.duplicate_id"),
    ]
    assert "as another document" in found.problems[0].sentence
    assert "as the same document" in found.problems[1].sentence
    assert "a.json" in found.problems[0].sentence


def test_two_versions_of_a_document_may_stand_side_by_side() -> None:
    assert check_package([source("a.json", template()), source("b.json", template(version="1.1.0"))]).problems == ()


def test_one_id_is_of_one_kind() -> None:
    files = [source("a.json", template("acme.x")), source("b.json", schedule("acme.x"))]
    assert [place[3] for place in places(check_package(files))] == ["package.duplicate_id"]


def test_what_only_the_package_has_is_refused_from_others() -> None:
    rules = {**next(one for one in CONTENT.values() if one["type"] == "safety-rules"), "id": "acme.rules.mild"}
    codes = {place[3] for place in places(check_package([source("a.json", rules)]))}
    assert {"catalogue.package_only", "catalogue.duplicate"} == codes


def test_a_language_that_is_spoken_in_part_is_named() -> None:
    document = template()
    document["title"] = {"en": "Peel", "de": "Peeling"}
    package = check_package([source("a.json", document)])
    assert {p.code for p in package.problems} == {"locale.missing"}
    assert "/summary" in {p.pointer for p in package.problems}


def test_a_retired_document_refers_to_what_it_likes_and_defines_nothing() -> None:
    lost = template("acme.template.gone", status="retired", schedule="acme.schedule.none")
    gone = schedule(status="retired")
    assert check_package([source("a.json", gone), source("c.json", lost)]).problems == ()
    package = check_package([source("a.json", gone), source("b.json", template(schedule="acme.schedule.peel"))])
    assert [place[3] for place in places(package)] == ["catalogue.unknown_reference"]


def test_what_a_clinic_holds_may_be_referred_to() -> None:
    known = builtin_known().with_ids("follow-up-schedule", ["acme.schedule.held"])
    file = source("a.json", template(schedule="acme.schedule.held"))
    assert check_package([file], known=known).problems == ()
    assert len(check_package([file]).problems) == 1
    assert check_package([file], references=False).problems == ()


@pytest.mark.parametrize("order", [1, -1])
def test_a_package_may_refer_to_what_an_overlay_in_it_makes(order: int) -> None:
    base = template()
    target = "acme.template.our-peel"
    ours = {**copy.deepcopy(base), "id": target, "summary": {"en": "As we do it here."}}
    overlay = overlay_of(base, ours, identifier="acme.overlay.peel").to_document()
    protocol = {**json.loads((EXAMPLES / "clinic-protocol.json").read_bytes()), "template": target}
    files = [source("b.json", base), source("o.json", overlay), source("p.json", protocol)][::order]
    assert check_package(files).problems == ()
    on_ours = {**overlay, "base": {"id": PEEL["id"], "version": PEEL["version"], "digest": digest(PEEL)}}
    assert check_package([source("o.json", on_ours), source("p.json", protocol)]).problems == ()
    # What it makes is of the kind of its base and of no other.
    on_a_schedule = {
        **overlay,
        "base": {"id": SCHEDULE["id"], "version": SCHEDULE["version"], "digest": digest(SCHEDULE)},
    }
    package = check_package([source("o.json", on_a_schedule), source("p.json", protocol)])
    assert [problem.code for problem in package.problems] == ["catalogue.unknown_reference"]
    retired = {**overlay, "status": "retired"}
    package = check_package([source("b.json", base), source("o.json", retired), source("p.json", protocol)])
    assert [problem.code for problem in package.problems] == ["catalogue.unknown_reference"]


def test_names_of_products_in_the_package_are_known_to_the_check_of_texts() -> None:
    product = {**CONTENT["pore.product.bocouture-uk"], "id": "acme.product.x", "brand": "Zyxovel"}
    texts = CONTENT["pore.texts.patient"]
    one = next(t for t in texts["texts"] if t["use"] in ("promotional", "invitation", "information"))
    own = {**texts, "id": "acme.texts.x", "texts": [{**one, "text": {"en": "Ask for Zyxovel."}}]}
    assert [p.code for p in check_package([source("t.json", own)]).problems] == []
    both = check_package([source("t.json", own), source("p.json", product)])
    assert "text.names_drug" in {p.code for p in both.problems}


def test_a_record_in_a_package_is_refused(tmp_path: Path) -> None:
    vial = (EXAMPLES / "vial.json").read_bytes()
    files = [SourceFile("v.json", vial, "json", "v.json"), source("t.json", template())]
    path = tmp_path / "p.zip"
    path.write_bytes(package_of(files, manifest_of(files, name="acme", version="1.0.0")))
    package = check_package(read_sources([path]), contract=None)
    codes = [(p.location.file.rpartition("!")[2], p.code) for p in package.problems if p.location]
    assert [code for name, code in codes if name == "v.json"] in (
        ["package.not_content"],
        ["validate.unknown_contract"],
    )


def test_folders_and_packages_are_checked_as_one(tmp_path: Path) -> None:
    put(tmp_path / "folder", t_json=template(schedule="acme.schedule.peel"))
    files = [source("schedules/s.yaml", schedule())]
    path = tmp_path / "s.zip"
    path.write_bytes(package_of(files, manifest_of(files, name="acme", version="1.0.0")))
    assert check_package(read_sources([tmp_path / "folder", path])).problems == ()
    assert len(check_package(read_sources([tmp_path / "folder"])).problems) == 1


@pytest.mark.parametrize(
    ("document", "head", "contract"),
    [
        ({"type": "product"}, b"", "product"),
        ({"$schema": "urn:pore-plugin:schema:v0:product"}, b"", "product"),
        ({"$schema": "../schemas/product.json"}, b"", "product"),
        ({"$schema": "product.schema.json"}, b"", "product"),
        ({"$schema": "file:///home/me/product.json"}, b"", "product"),
        ({"$schema": r"C:\schemas\product.json"}, b"", "product"),
        ({"$schema": r"..\product.json"}, b"", "product"),
        ({"$schema": "https://example.org/product.json"}, b"", None),
        ({"$schema": "./vial.json", "type": "product"}, b"", "product"),
        ({"$schema": "./product.json", "type": "prodct"}, b"", "product"),
        ({}, b"# hello\n# yaml-language-server: $schema=.schemas/vial.json\n", "vial"),
        ({"type": "product"}, b"# yaml-language-server: $schema=.schemas/vial.json\n", "product"),
        ({}, b"", None),
        ([], b"", None),
        ({"type": 4, "$schema": None}, b"", None),
    ],
)
def test_the_type_decides_and_else_the_schema(document: object, head: bytes, contract: str | None) -> None:
    assert contract_of(document, head) == contract


def test_a_relative_schema_is_no_problem_of_its_document() -> None:
    document = template(**{"$schema": "../schemas/procedure-template.json"})
    assert (
        check_package([source("a.json", document), source("b.yaml", {**document, "version": "1.2.0"})]).problems == ()
    )


def test_a_line_for_the_editor_changes_no_digest() -> None:
    data = written(template(), "yaml")
    line = b"# yaml-language-server: $schema=.schemas/procedure-template.json\n"
    digests = {check_package([source("a.yaml", one)]).files[0].checked.digest for one in (data, line + data)}
    assert digests == {digest(template())}


def test_json_and_yaml_of_the_content_have_one_digest() -> None:
    pairs = [(path, data, json.loads(data)) for path, data in documents() if len(data) < 2000]
    for path, data, document in pairs:
        name = path.replace(".json", ".yaml")
        (in_yaml,) = check_package([source(name, written(document, "yaml"))], references=False).files
        (in_json,) = check_package([SourceFile(path, data, "json", path)], references=False).files
        assert in_yaml.checked.digest == in_json.checked.digest == digest(document)
        assert media_of(name) == "yaml"


def test_what_is_built_in_is_read_as_its_models_say() -> None:
    assert builtin_known() == Known({}).with_models(checked.model for checked in content())
    assert all(is_builtin(checked.model.id, checked.digest) for checked in content())
    assert not is_builtin(PEEL["id"], digest({**PEEL, "version": "9.0.0"}))


def test_the_collector_is_left_as_it_was() -> None:
    for switch in (gc.disable, gc.enable):
        switch()
        before = gc.isenabled()
        check_package([source("a.json", template())])
        assert gc.isenabled() == before


def test_what_is_kept_of_a_package_takes_no_trees() -> None:
    """Ten thousand templates are held at once while they are imported."""
    given = {**template(), "steps": template()["steps"][::-1]}
    package = check_package([source("a.json", given)])
    (file,) = package.content
    assert file.checked.document is not file.checked.document
    assert (file.checked.document, file.checked.digest) == (given, digest(given))
    assert file.checked.canonical == canonical(given)
