"""`pore-plugin validate`: every problem of every file at once, whatever it is given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Cli, program, sample_input
from library_files import listing, packed, put, schedule, template
from pore_plugin.builtin import documents
from pore_plugin.contracts import DOCUMENTS
from pore_plugin.validation.yamlwriting import write_yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "documents"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(capsys, monkeypatch)


def content_file(kind: str, folder: Path = Path()) -> Path:
    """Write the first content document of a type."""
    data = next(data for _, data in documents() if json.loads(data)["type"] == kind)
    path = folder / f"{kind}.json"
    path.write_bytes(data)
    return path


def test_a_content_document_says_itself_what_it_is(cli: Cli) -> None:
    path = content_file("product")
    assert cli("validate", path).out == "1 document checked, 0 problems.\n"
    document = json.loads(path.read_bytes())
    for said in ({"type": document["type"]}, {"$schema": document["$schema"]}):
        rest = {key: value for key, value in document.items() if key not in ("type", "$schema")}
        path.write_text(json.dumps({**rest, **said}), encoding="utf-8")
        codes = cli("validate", path, "--format", "json").codes()
        # `type` is required, `$schema` is not; either is enough to know the contract.
        assert codes == ([] if "type" in said else ["schema.required"])


def test_the_option_outranks_what_the_document_says(cli: Cli) -> None:
    path = content_file("product")
    assert "schema.unknown_member" in cli("validate", path, "--contract", "vial", "--format", "json").codes()


@pytest.mark.parametrize("contract", sorted(DOCUMENTS))
def test_a_real_document_of_every_contract_is_accepted(cli: Cli, contract: str) -> None:
    ran = cli("validate", EXAMPLES / f"{contract}.json", "--contract", contract, "--format", "json")
    assert (ran.code, ran.codes()) == (0, [])


@pytest.mark.parametrize(
    ("document", "pointer", "step"),
    [
        ({"type": "procedure-templte"}, "/type", "Did you mean `procedure-template`?"),
        ({"$schema": "urn:pore-plugin:schema:v0:produkt"}, "/$schema", "Did you mean `product`?"),
        ({"$schema": "https://example.org/x/product"}, "/$schema", "`pore-plugin schema` lists them."),
        ({"id": "x"}, "", "--contract NAME"),
        ({"type": 4}, "", "--contract NAME"),
        ([], "", "--contract NAME"),
    ],
)
def test_an_unknown_contract_is_named_with_the_nearest(cli: Cli, document: Any, pointer: str, step: str) -> None:
    Path("a.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    ran = cli("validate", "a.json", "--format", "json")
    assert ran.code == 1
    (problem,) = ran.document("problem-report")["problems"]
    assert problem["code"] == "validate.unknown_contract"
    assert problem.get("pointer", "") == pointer
    assert step in problem["next_step"]
    assert problem["location"]["line"] == (2 if pointer else 1)


def test_a_misspelt_contract_is_a_usage_error_with_the_nearest(cli: Cli) -> None:
    ran = cli("validate", "--contract", "procedure-pln", "a.json")
    assert ran.code == 2
    assert "Did you mean `procedure-plan`?" in ran.err


def test_standard_input_and_folders_and_several_files_in_one_go(cli: Cli, tmp_path: Path) -> None:
    sample_input(tmp_path / "clinic")
    for name in ("cases/1-treated.json", "cases/2-blocked.json", "cases/3-review.json", "cases/4-peel.json"):
        (tmp_path / "clinic" / name).unlink()
    Path("templates").mkdir()
    content_file("procedure-template", Path("templates"))
    content_file("product", Path("templates"))
    Path("templates/notes.txt").write_text("no document", encoding="utf-8")
    bad = Path("bad.json")
    bad.write_text('{"type": "vial",\n "id": ""}', encoding="utf-8")
    vial = (EXAMPLES / "vial.json").read_bytes()
    assert cli("validate", "clinic", "templates").out == "3 documents checked, 0 problems.\n"
    assert cli("validate", "-", "--contract", "vial", stdin=vial).code == 0
    ran = cli("validate", "templates", bad, "none.json", "clinic", "--format", "json")
    problems = ran.document("problem-report")["problems"]
    assert ran.code == 3
    files = [problem["location"]["file"] for problem in problems if "location" in problem]
    assert set(files) == {"bad.json"}
    assert problems[-1]["code"] == "file.unreadable"


def test_problems_of_a_file_come_in_its_order_with_place_pointer_and_next_step(cli: Cli) -> None:
    Path("a.json").write_text('{\n "type": "product",\n "zzz": 1,\n "version": "one",\n "id": 5\n}', encoding="utf-8")
    ran = cli("validate", "a.json")
    assert ran.code == 1
    heads = [line for line in ran.err.splitlines() if not line.startswith("    → ")]
    steps = [line for line in ran.err.splitlines() if line.startswith("    → ")]
    assert len(heads) == len(steps)
    lines = [int(head.split(":")[1]) for head in heads]
    assert lines == sorted(lines)
    assert any(head.startswith("a.json:4:13: /version: The text has not the form") for head in heads)
    assert any(head.startswith("a.json:5:8: /id: Expected a string, found a whole number.") for head in heads)
    assert ran.out.startswith("1 document checked, ")


def test_an_empty_folder_is_nothing_to_check(cli: Cli) -> None:
    Path("empty").mkdir()
    assert cli("validate", "empty", "--format", "json").codes() == ["validate.nothing"]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"\xff\xfe{}", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"[" * 1_000_000, b'{"a": 1e999}', b'"\\ud800"'],
    ids=["empty", "truncated", "utf16", "twice", "nan", "deep", "huge", "surrogate"],
)
def test_text_that_is_no_document_is_a_finding(tmp_path: Path, data: bytes) -> None:
    ran = program("validate", "-", "--contract", "vial", "--format", "json", cwd=tmp_path, stdin=data)
    assert ran.code == 1
    assert ran.codes()
    unnamed = program("validate", "-", "--format", "json", cwd=tmp_path, stdin=data)
    assert unnamed.code == 1


def test_a_name_that_is_no_text_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "b\udcff.json"
    try:
        path.write_bytes(b"{}")
    except OSError:
        pytest.skip("this file system holds names of UTF-8 only")
    for words in ((), ("--format", "json")):
        ran = program("validate", path, "--contract", "vial", *words, cwd=tmp_path)
        assert ran.code == 1


def filled(text: str) -> str:
    """Fill in the template as a clinic would."""
    for empty, value in {
        'id = ""              #': 'id = "high-street" #',
        'name = ""\nzone = ""': 'name = "High Street"\nzone = "Europe/London"',
        'market = ""': 'market = "UK"',
        'country = ""': 'country = "GB"',
        'emergency = ""': 'emergency = "999"',
        'advice = ""': 'advice = "111"',
        'clinic = ""': 'clinic = "+44 1632 960123"',
        '# monday = [{ opens = "09:00"': 'monday = [{ opens = "09:00"',
        'id = ""\nname = ""\nprofession = ""': 'id = "dr-a"\nname = "Dr A"\nprofession = "doctor"',
        "roles = []": 'roles = ["prescriber"]',
        'body = "", number = ""': 'body = "GMC", number = "1"',
    }.items():
        assert empty in text, empty
        text = text.replace(empty, value)
    return text


def test_the_template_of_settings_lists_every_empty_value_and_is_valid_when_filled(cli: Cli) -> None:
    cli("init", "clinic")
    ran = cli("validate", "clinic.toml")
    assert ran.code == 1
    text = Path("clinic.toml").read_text(encoding="utf-8")
    empties = [number for number, line in enumerate(text.splitlines(), 1) if '""' in line or "[]" in line.split("#")[0]]
    heads = [line for line in ran.err.splitlines() if line.startswith("clinic.toml:")]
    assert {int(head.split(":")[1]) for head in heads} == {
        *empties,
        text.splitlines().index(
            "[hours]              # opening hours by weekday in local time; a day that is left out is closed"
        )
        + 1,
    }
    assert all("is empty." in head or "There is nothing in it." in head for head in heads)
    assert ran.err.count("    → Fill it in with") == len(heads) - 2
    Path("clinic.toml").write_text(filled(text), encoding="utf-8")
    assert cli("validate", "clinic.toml").out == "1 document checked, 0 problems.\n"
    assert cli("form", "--clinic", "clinic.toml").code == 0


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"Europe/London"', '"Europe/Londn"', [("/zone", "zone.unknown", 5)]),
        ('"Europe/London"', '"America"', [("/zone", "zone.unknown", 5)]),
        ('"GB"', '"FR"', [("/country", "clinic.country", 7), ("/subdivision", "clinic.no_holidays", 8)]),
        ('"ENG"', '"XXX"', [("/subdivision", "clinic.no_holidays", 8)]),
        ('"UK"', '"US"', [("/country", "clinic.country", 7)]),
        ('"UK"', '""', [("/market", "schema.enum", 6)]),
        ('market = "UK"', "", [("", "schema.required", 1)]),
        ('"GB"', '"ZZ"', [("/country", "clinic.country", 7), ("/country", "clinic.no_holidays", 7)]),
        ('id = "sample-clinic"', 'id = ""', [("/id", "schema.pattern", 3)]),
    ],
)
def test_settings_of_a_place_that_there_is_not_are_refused(
    cli: Cli, tmp_path: Path, old: str, new: str, expected: list[tuple[str, str, int]]
) -> None:
    path = sample_input(tmp_path) / "clinic.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    ran = cli("validate", "clinic.toml", "--format", "json")
    assert ran.code == 1
    found = ran.document("problem-report")["problems"]
    assert [(one.get("pointer", ""), one["code"], one["location"]["line"]) for one in found] == expected


def test_form_and_place_of_settings_are_refused_together(cli: Cli, tmp_path: Path) -> None:
    path = sample_input(tmp_path) / "clinic.toml"
    text = path.read_text(encoding="utf-8").replace('"Europe/London"', '"Nowhere"').replace('name = "Dr', 'nmae = "Dr')
    path.write_text(text.replace('"999"', '""'), encoding="utf-8")
    codes = cli("validate", "clinic.toml", "--format", "json").codes()
    assert set(codes) == {"zone.unknown", "schema.required", "schema.unknown_member", "schema.pattern"}


def test_yaml_is_checked_with_line_column_pointer_and_nearest(cli: Cli) -> None:
    Path("a.yaml").write_bytes(write_yaml({**template(status=None), "staus": "draft"}))
    Path("b.yaml").write_bytes(write_yaml({**schedule(), "status": "actve"}))
    Path("c.yml").write_bytes(b"type: vial\nlot: no\n")
    ran = cli("validate", ".")
    assert ran.code == 1
    lines = Path("a.yaml").read_text(encoding="utf-8").splitlines()
    at = lines.index("staus: draft") + 1
    assert f"a.yaml:{at}:8: /staus: The member `staus` is unknown." in ran.err
    assert "Did you mean `status`?" in ran.err
    assert "b.yaml:5:9: /status: The value is not one of those that are allowed here." in ran.err
    assert "c.yml:2:6: /lot: Some readers take this word for true or false" in ran.err
    heads = [line for line in ran.err.splitlines() if not line.startswith("    → ")]
    places = [(name, int(line), int(column)) for name, line, column in (head.split(":")[:3] for head in heads)]
    assert places == sorted(places)


def test_references_are_looked_for_in_all_that_is_named(cli: Cli) -> None:
    put(Path("own"), t_json=template(schedule="acme.schedule.peel"))
    put(Path("more"), s_yaml=schedule())
    ran = cli("validate", "own", "--format", "json")
    assert (ran.code, ran.codes()) == (1, ["catalogue.unknown_reference"])
    assert cli("validate", "own", "more").out == "2 documents checked, 0 problems.\n"
    assert cli("package", "own", "more", "--out", "peels.zip").code == 0
    assert cli("validate", "peels.zip").out == "2 documents checked, 0 problems.\n"


def test_a_changed_folder_with_a_manifest_is_packed_anew(cli: Cli) -> None:
    put(Path("own"), t_json=template())
    Path("own/pore-package.json").write_bytes(listing({"t.json": b"{}"}))
    assert cli("validate", "own", "--format", "json").codes() == ["package.sha256"]
    assert cli("package", "own", "--out", "own.zip").code == 0
    assert cli("validate", "own.zip").code == 0


def test_packing_says_what_is_in_it_and_is_reproducible(cli: Cli) -> None:
    put(Path("own"), deep__t_json=template(), s_yaml=schedule())
    ran = cli("package", "own", "--out", "peels.zip", "--version", "1.2.0", "--format", "json")
    manifest = ran.document("package-manifest")
    assert (ran.code, manifest["name"], manifest["version"]) == (0, "peels", "1.2.0")
    assert [file["path"] for file in manifest["files"]] == ["deep/t.json", "s.yaml"]
    assert cli("package", "own", "--out", "again.zip", "--name", "peels", "--version", "1.2.0").out == (
        "Wrote again.zip: peels 1.2.0, 2 documents.\n"
    )
    assert Path("peels.zip").read_bytes() == Path("again.zip").read_bytes()


@pytest.mark.parametrize("case", ["broken", "record", "empty", "exists", "missing", "name"])
def test_nothing_is_packed_that_is_not_as_it_should_be(cli: Cli, case: str) -> None:
    put(Path("own"), t_json=template())
    line, code, said = ["own"], 1, ""
    if case == "broken":
        put(Path("own"), t_json=template(schedule="acme.schedule.none"))
        said = "catalogue.unknown_reference"
    elif case == "record":
        vial = EXAMPLES / "treatment-record.json"
        (Path("own") / "r.json").write_text(
            json.dumps({**json.loads(vial.read_bytes()), "$schema": "urn:pore-plugin:schema:v0:treatment-record"}),
            encoding="utf-8",
        )
        said = ""
    elif case == "empty":
        Path("none").mkdir()
        line, code, said = ["none"], 3, "package.nothing"
    elif case == "exists":
        Path("p.zip").write_bytes(b"mine")
        code, said = 3, "package.exists"
    elif case == "missing":
        line, code, said = ["own", "gone.json"], 3, "file.unreadable"
    else:
        line, said = ["own", "--name", "not a name"], "schema.pattern"
    ran = cli("package", *line, "--out", "p.zip", "--format", "json")
    assert ran.code == code
    assert said in ",".join(ran.codes())
    assert case == "exists" or not Path("p.zip").exists()
    assert case != "exists" or Path("p.zip").read_bytes() == b"mine"


def test_a_package_that_was_changed_is_refused_by_its_entry(cli: Cli) -> None:
    files = {"a.json": b"{}", "b.json": b"[]"}
    Path("p.zip").write_bytes(packed({**files, "b.json": b"1"}, manifest=listing(files)))
    ran = cli("validate", "p.zip")
    assert ran.code == 1
    assert "p.zip!b.json:1:1: The file is not the one that the manifest lists" in ran.err


def test_schemas_are_written_for_editors(cli: Cli) -> None:
    assert cli("schema", "--out", "schemas").code == 0
    assert {path.stem for path in Path("schemas").iterdir()} == set(DOCUMENTS)
    assert Path("schemas/product.json").read_bytes() == (ROOT / "schemas" / "product.json").read_bytes()
    assert cli("schema", "product", "--out", "one").out == "Wrote one/product.json.\n"
    assert [path.name for path in Path("one").iterdir()] == ["product.json"]


@pytest.mark.parametrize("what", ["template", "schedule", "protocol"])
@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_new_document_is_valid_has_its_schema_beside_it_and_is_not_overwritten(
    cli: Cli, what: str, suffix: str
) -> None:
    path = Path("own") / f"new.{suffix}"
    ran = cli("init", what, "--id", f"acme.{what}.mine", "--out", path)
    assert ran.out == f"Wrote {path}. Fill it in, then run: pore-plugin validate {path}\n"
    assert cli("validate", "own").out == "1 document checked, 0 problems.\n"
    text = path.read_text(encoding="utf-8")
    said = re.search(r"\$schema\"?[=:] ?\"?(\.schemas/[a-z-]+\.json)", text)
    assert said is not None
    schema = json.loads((path.parent / said[1]).read_bytes())
    assert schema["$id"].endswith(Path(said[1]).stem)
    assert f"acme.{what}.mine" in text
    assert cli("init", what, "--out", path).code == 3
    assert path.read_text(encoding="utf-8") == text


def test_a_new_document_needs_an_id_and_a_document_to_begin_with(cli: Cli) -> None:
    assert cli("init", "template", "--id", "Nope").code == 2
    ran = cli("init", "template", "--from", "pore.template.microtoxin-pors")
    assert ran.code == 2
    assert "Did you mean pore.template.microtoxin-pores?" in ran.err
    assert cli("init", "template", "--from", "pore.template.microtoxin-pores", "--out", "-").code == 0
    assert list(Path().iterdir()) == []


def test_content_of_the_clinic_may_be_yaml_or_a_package(cli: Cli, tmp_path: Path) -> None:
    sample_input(tmp_path)
    put(Path("own"), t_yaml=template(schedule="acme.schedule.peel"), s_json=schedule())
    assert cli("package", "own", "--out", "own.zip").code == 0
    for named in ("own", "own.zip"):
        assert cli("form", "--clinic", "clinic.toml", "--content", named).code == 0
    put(Path("own"), t_yaml=template(schedule="acme.schedule.none"))
    assert cli("form", "--clinic", "clinic.toml", "--content", "own").code == 3
