"""`pore-plugin validate`: every problem of every file at once, whatever it is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Cli, program, sample_input
from pore_plugin.builtin import documents
from pore_plugin.contracts import DOCUMENTS

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
