"""The demo: what it prints, what it leaves, and that both follow the input."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import vobject

from cli_runs import CASES, Cli, change, program, sample_input
from pore_plugin.builtin import documents
from pore_plugin.validation import check


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORE_PLUGIN_CLINIC", raising=False)
    return Cli(capsys, monkeypatch)


RECORDS = "records.sqlite"


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files but the database, whose audit says that it was looked at."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORDS)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def rows(folder: Path) -> dict[str, list[Any]]:
    """Return what the database holds but the audit and the heads of its chains."""
    with closing(sqlite3.connect(folder / RECORDS)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)  # noqa: S608
            for name in names
            if name not in ("audit", "clinic")
        }


def block_of(printed: str, title: str) -> str:
    """Return what was printed about one case."""
    return printed.split(f"# {title}\n")[1].split("\n# ")[0]


def test_a_practitioner_sees_verdict_doses_draw_up_and_dates_at_a_glance(cli: Cli) -> None:
    ran = cli("demo")
    assert (ran.code, ran.err) == (0, "")
    treated = block_of(ran.out, "Treated and followed up")
    assert "**SAMPLE**" in treated
    assert "✓ CLEAR" in treated
    assert "| Cheek, left | 45 | 0.9 mL | **18 U** |" in treated
    assert "add 5 mL" in treated
    assert "**20 U/mL**" in treated
    assert "**3.3 mL = 66 U**; 34 U are left over" in treated
    assert "| Thu 08 Oct 2026, 15:00 | Week 4 review (W4) | visit |" in treated
    assert "No re-treatment before **2026-" in treated
    assert "**SAME-DAY**" in treated


def test_one_case_ends_in_a_block_and_one_in_a_review(cli: Cli) -> None:
    printed = cli("demo").out
    blocked = block_of(printed, "Blocked: may be pregnant")
    assert "■ BLOCK" in blocked
    assert "**PREG**" in blocked
    assert " U** |" not in blocked
    review = block_of(printed, "Waiting for a prescriber's review")
    assert "▲ REVIEW" in review
    assert "**CVD**" in review
    assert "NOT READY" in review


def test_a_treatment_without_toxin_goes_the_same_way(cli: Cli) -> None:
    peel = block_of(cli("demo").out, "Treated without toxin: a superficial peel")
    assert "| Salicylic acid, concentration | 20 % |" in peel
    assert "{" not in peel
    assert "Week 4 review" in peel
    assert "Draw up" not in peel


def test_every_noun_is_left_and_every_document_keeps_its_contract(cli: Cli) -> None:
    assert cli("demo", "--out", "a folder").code == 0
    left = tree(Path("a folder"))
    contracts = {
        "consultation": "consultation",
        "assessment": "assessment",
        "plan": "procedure-plan",
        "consent": "consent",
        "readiness": "readiness",
        "treatment": "treatment-record",
        "schedule": "follow-up-plan",
        "plan.request": "plan-request",
        "treatment.request": "treatment-request",
        "review-2-w4": "follow-up-review",
        "review-2-w4.request": "review-request",
    }
    checked = set()
    for name, data in left.items():
        kind = name.removesuffix(".json").rpartition("/")[2].partition("-")[2]
        if name.startswith("1-treated/") and name.endswith(".json") and kind in contracts:
            check(contracts[kind], data)
            checked.add(kind)
    assert checked == set(contracts)
    assert check("consultation-form", left["form.json"]).document["id"] == "pore.form.consultation"


def test_every_sheet_of_a_sample_clinic_says_sample(cli: Cli) -> None:
    cli("demo")
    sheets = {name: data.decode() for name, data in tree(Path("demo-out")).items() if name.endswith(".md")}
    assert len(sheets) > 40
    assert [name for name, sheet in sheets.items() if "**SAMPLE**" not in sheet and name != "form.md"] == []


def test_the_calendar_is_read_by_another_parser(cli: Cli) -> None:
    cli("demo")
    calendar = vobject.readOne(Path("demo-out/1-treated/13-schedule.ics").read_text(encoding="utf-8"))
    starts = [event.dtstart.value.isoformat() for event in calendar.vevent_list]
    assert starts == ["2026-09-24T15:00:00+01:00", "2026-10-08T15:00:00+01:00"]
    assert {event.summary.value.split(",")[0].split(":")[0].lower() for event in calendar.vevent_list} == {
        "clinic appointment"
    }


def test_json_is_one_published_report(cli: Cli) -> None:
    ran = cli("demo", "--format", "json", "--out", "x")
    assert ran.code == 0
    cases = ran.document("demo-report")["cases"]
    assert [(case["verdict"], case["ended"]) for case in cases[:3]] == [
        ("clear", "done"),
        ("block", "blocked at consultation"),
        ("review", "not ready to treat"),
    ]
    assert all(Path(case["folder"]).is_dir() for case in cases)


def test_the_demo_runs_as_a_program_in_a_path_with_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "a path  with 'spaces' äß"
    folder.mkdir()
    ran = program("demo", "--out", folder / "out", cwd=folder, env={"LC_ALL": "C", "PYTHONUTF8": "0"})
    assert (ran.code, ran.err) == (0, "")
    assert "■ BLOCK" in ran.out
    again = program("demo", "--input", "out/input", "--out", "out", cwd=folder)
    assert again.code == 0, again.err


def test_running_again_changes_nothing(cli: Cli) -> None:
    cli("demo")
    first = tree(Path("demo-out"))
    assert cli("demo").code == 0
    assert tree(Path("demo-out")) == first
    assert cli("demo", "--input", "demo-out/input", "--out", "demo-out").code == 0
    assert tree(Path("demo-out")) == first


def test_the_records_are_kept_and_running_again_keeps_none_twice(cli: Cli) -> None:
    assert RECORDS in cli("demo").out
    first = rows(Path("demo-out"))
    kinds = {row[1] for row in first["record"]}
    assert {"consultation", "procedure-plan", "consent", "treatment-record", "follow-up-plan", "outcome"} <= kinds
    assert [row[3] for row in first["lot_use"]] == ["vial-1"]
    assert len(first["outbox"]) > 10
    cli("demo")
    assert rows(Path("demo-out")) == first


def test_other_input_makes_the_records_anew(cli: Cli) -> None:
    cli("demo")
    answer(Path("demo-out/input/cases/1-treated.json"), "pore.q.pregnancy", ["pregnant"])
    assert cli("demo", "--input", "demo-out/input").code == 0
    found = rows(Path("demo-out"))
    assert {row[2] for row in found["record"] if row[1] == "treatment-record"} == {"treatment-4"}
    assert cli("demo").code == 0
    assert len([row for row in rows(Path("demo-out"))["record"] if row[1] == "treatment-record"]) == 2


def test_a_database_of_somebody_else_is_left_as_it_is(cli: Cli) -> None:
    Path("demo-out").mkdir()
    Path("demo-out", RECORDS).write_bytes(b"mine")
    ran = cli("demo")
    assert (ran.code, "demo.not_ours" in ran.err) == (3, True)
    assert Path("demo-out", RECORDS).read_bytes() == b"mine"
    assert tree(Path("demo-out")) == {}


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_records_are_for_their_owner_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    program("demo", "--out", theirs / "deep" / "out", cwd=tmp_path)
    made = list((theirs / "deep").rglob("*"))
    assert len(made) > 50
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755
    assert stat.S_IMODE((theirs / "deep").stat().st_mode) == 0o700


def dose_figure(source: Path, units: str) -> None:
    """Write a figure of the clinic's own for the left cheek into its settings."""
    settings = source / "clinic.toml"
    figure = (
        '\n[[policies.dose_figures]]\nproduct = "pore.product.bocouture-uk"\nregion = "pore.region.cheek"\n'
        f'side = "left"\nunits = "{units}"\nreason = "The clinic looks twice above this."\n'
    )
    settings.write_text(settings.read_text(encoding="utf-8") + figure, encoding="utf-8")


def own_protocol(source: Path, cheek: str) -> None:
    """Copy the sample protocol into the clinic's own content with another volume for the cheeks, and plan with it."""
    protocol = json.loads(
        next(data for _, data in documents() if b'"pore.protocol.sample-microtoxin-pores-inco-uk"' in data)
    )
    protocol["id"] = "clinic.protocol.stronger"
    for region in protocol["regions"]:
        if region["region"] == "pore.region.cheek":
            region["volume"] = cheek
    (source / "content").mkdir()
    (source / "content/protocol.json").write_text(json.dumps(protocol), encoding="utf-8")
    case = source / "cases/1-treated.json"
    document = json.loads(case.read_bytes())
    plan = {**document["plan"], "protocol": "clinic.protocol.stronger"}
    change(case, plan=plan, treatment=None, follow_up=None, approvals=document["approvals"][:3])


def answer(case: Path, question: str, value: Any) -> None:
    """Change an answer in a case file."""
    document = json.loads(case.read_bytes())
    (found,) = [one for one in document["consultation"]["answers"] if one["question"] == question]
    found["value"] = value
    case.write_text(json.dumps(document), encoding="utf-8")


def test_another_answer_gives_a_block(cli: Cli) -> None:
    source = sample_input(Path("input"))
    answer(source / "cases/1-treated.json", "pore.q.pregnancy", ["pregnant"])
    printed = block_of(cli("demo", "--input", source).out, "Treated and followed up")
    assert "■ BLOCK" in printed
    assert "**PREG**" in printed
    assert not list(Path("demo-out/1-treated").glob("*plan*"))


def test_a_lower_figure_of_the_clinic_gives_a_review(cli: Cli) -> None:
    source = sample_input(Path("input"))
    dose_figure(source, "10")
    printed = block_of(cli("demo", "--input", source).out, "Treated and followed up")
    assert "▲ REVIEW" in printed
    assert "**REGION_DOSE** (review)" in printed
    assert "*Cheek, left*" in printed


@pytest.mark.parametrize(("cheek", "units", "sign"), [("1", "20", "✓ CLEAR"), ("1.1", "22", "▲ REVIEW")])
def test_a_cheek_above_the_published_dose_gives_a_review(cli: Cli, cheek: str, units: str, sign: str) -> None:
    source = sample_input(Path("input"))
    own_protocol(source, cheek)
    printed = block_of(cli("demo", "--input", source).out, "Treated and followed up")
    assert f"| Cheek, left | 45 | {cheek} mL | **{units} U** |" in printed
    assert sign in printed
    assert ("**REGION_DOSE** (review)" in printed) == (sign == "▲ REVIEW")


def test_another_date_moves_the_follow_up(cli: Cli) -> None:
    source = sample_input(Path("input"))
    case = source / "cases/4-peel.json"
    before = block_of(cli("demo", "--input", source).out, "Treated without toxin: a superficial peel")
    text = case.read_text(encoding="utf-8").replace("2026-09-11T", "2026-09-14T")
    case.write_text(text.replace('"treatment_date": "2026-09-11"', '"treatment_date": "2026-09-14"'), encoding="utf-8")
    change(case, follow_up={})
    after = block_of(cli("demo", "--input", source).out, "Treated without toxin: a superficial peel")
    assert "| Fri 09 Oct 2026, 10:30 | Week 4 review (W4) | visit |" in before
    assert "| Mon 12 Oct 2026, 10:30 | Week 4 review (W4) | visit |" in after


def test_sheets_that_a_new_run_does_not_make_are_gone(cli: Cli) -> None:
    source = sample_input(Path("input"))
    assert cli("demo", "--input", source).code == 0
    before = tree(Path("demo-out"))
    (source / "cases/4-peel.json").unlink()
    answer(source / "cases/1-treated.json", "pore.q.pregnancy", ["pregnant"])
    assert cli("demo", "--input", source).code == 0
    after = tree(Path("demo-out"))
    assert "1-treated/04-plan.md" in before
    assert not [name for name in after if name.startswith("4-peel") or "plan" in name.partition("1-treated/")[2]]
    assert not Path("demo-out/4-peel").exists()


def test_what_is_not_the_demos_is_kept(cli: Cli) -> None:
    source = sample_input(Path("input"))
    cli("demo", "--input", source)
    notes = Path("demo-out/4-peel/99-notes.md")
    notes.write_text("mine", encoding="utf-8")
    plan = Path("demo-out/4-peel/04-plan.md")
    plan.write_text("with remarks of mine", encoding="utf-8")
    (source / "cases/4-peel.json").unlink()
    assert cli("demo", "--input", source).code == 0
    assert notes.read_text(encoding="utf-8") == "mine"
    assert plan.read_text(encoding="utf-8") == "with remarks of mine"
    assert sorted(path.name for path in plan.parent.iterdir()) == ["04-plan.md", "99-notes.md"]


def test_nothing_that_somebody_wrote_is_overwritten(cli: Cli) -> None:
    Path("demo-out/1-treated").mkdir(parents=True)
    mine = Path("demo-out/1-treated/04-plan.md")
    mine.write_text("mine", encoding="utf-8")
    ran = cli("demo")
    assert ran.code == 3
    assert "demo-out/1-treated/04-plan.md is not as an earlier run left it" in ran.err
    assert tree(Path("demo-out")) == {"1-treated/04-plan.md": b"mine"}


def test_input_that_was_changed_is_kept(cli: Cli) -> None:
    cli("demo")
    case = Path("demo-out/input/cases/2-blocked.json")
    change(case, title="Mine")
    held = case.read_bytes()
    ran = cli("demo")
    assert ran.code == 0
    assert case.read_bytes() == held
    assert "# Mine" not in ran.out
    assert "has been changed and was left as it is" in ran.out
    assert "# Mine" in cli("demo", "--input", "demo-out/input").out


def test_a_ledger_that_somebody_forged_reaches_nothing_outside(cli: Cli) -> None:
    Path("outside.md").write_text("mine", encoding="utf-8")
    cli("demo", "--out", "out")
    ledger = Path("out/.pore-plugin-demo.json")
    known = json.loads(ledger.read_bytes())
    digest = "8a72d8fd9e3bd5ac2e9e4a1cd17b4d6fdd2e02eb8bb2ee9a8ea1ed6e5c0a8a8a"
    ledger.write_text(json.dumps({**known, "../outside.md": [digest], "/etc/hostname.md": [digest]}), encoding="utf-8")
    assert cli("demo", "--out", "out").code == 0
    assert Path("outside.md").read_text(encoding="utf-8") == "mine"
    assert "../outside.md" not in json.loads(ledger.read_bytes())


def broken(part: str, **members: Any) -> dict[str, Any]:
    document = json.loads(sample_input(Path("input")).joinpath("cases/1-treated.json").read_bytes())
    document[part] = {key: value for key, value in {**document[part], **members}.items() if value is not None}
    return {part: document[part]}


@pytest.mark.parametrize(
    ("part", "members", "code", "pointer"),
    [
        ("plan", {"treatment_date": None}, "schema.required", "/plan"),
        ("plan", {"treatment_date": "tomorrow"}, "schema.pattern", "/plan/treatment_date"),
        ("plan", {"session": "frist"}, "schema.enum", "/plan/session"),
        ("plan", {"template": "pore.template.nothing"}, "catalogue.unknown", "/plan"),
        ("consultation", {"patient": 1}, "schema.type", "/consultation/patient"),
        ("consent", {"given_at": "2026-09-01T09:00:00+01:00"}, "consent.time_order", "/consent/given_at"),
        ("treatment", {"started_at": "2026-09-10T14:01:00"}, "instant.naive", "/treatment/started_at"),
        ("treatment", {"doses": []}, "", "/treatment"),
        ("follow_up", {"requested_steps": "W2"}, "schema.type", "/follow_up/requested_steps"),
        ("follow_up", {"responses": [1]}, "demo.not_a_list", "/follow_up/responses"),
        ("follow_up", {"responses": [{}]}, "", "/follow_up/responses/0"),
    ],
)
def test_a_fault_in_a_case_is_pointed_to(cli: Cli, part: str, members: dict[str, Any], code: str, pointer: str) -> None:
    case = sample_input(Path("input")) / "cases/1-treated.json"
    case.write_text(
        json.dumps({**json.loads(case.read_bytes()), **broken(part, **members)}, indent=1), encoding="utf-8"
    )
    ran = cli("demo", "--input", "input", "--format", "json")
    assert ran.code == 1
    problems = ran.document("problem-report")["problems"]
    assert any(code in problem["code"] and problem.get("pointer", "").startswith(pointer) for problem in problems)
    for problem in problems:
        assert problem["location"]["file"] == "input/cases/1-treated.json"
        assert problem["location"]["line"] > 1
    assert not Path("demo-out").exists()


def test_a_part_that_no_case_has_is_named_with_the_nearest(cli: Cli) -> None:
    change(sample_input(Path("input")) / "cases/1-treated.json", treatmnt={})
    ran = cli("demo", "--input", "input")
    assert ran.code == 1
    assert "/treatmnt" in ran.err
    assert "Did you mean treatment?" in ran.err


def test_all_cases_are_looked_at_before_anything_is_written(cli: Cli) -> None:
    source = sample_input(Path("input"))
    for name in CASES:
        (source / name).write_text("[]", encoding="utf-8")
    ran = cli("demo", "--input", source, "--format", "json")
    assert ran.code == 1
    assert ran.codes() == ["demo.not_a_case"] * len(CASES)


@pytest.mark.parametrize("missing", ["clinic.toml", "cases"])
def test_a_folder_that_is_no_input_could_not_be_done(cli: Cli, missing: str) -> None:
    source = sample_input(Path("input"))
    for path in [source / missing, *(source / missing).glob("*")][::-1]:
        path.rmdir() if path.is_dir() else path.unlink()
    ran = cli("demo", "--input", source, "--format", "json")
    assert ran.code == 3
    assert len(ran.codes()) == 1


def case_of(name: str) -> dict[str, Any]:
    return json.loads(sample_input(Path("input")).joinpath(f"cases/{name}.json").read_bytes())


@pytest.mark.parametrize(
    ("parts", "ended", "last"),
    [
        (lambda case: {"consultation": {**case["consultation"], "answers": []}}, "kept as a draft", "01-consultation"),
        (lambda case: {"plan": {**case["plan"], "protocol": None}}, "the protocol lacks figures", "04-missing"),
        (lambda case: {"treatment": None}, "planned", "10-day-form"),
        (lambda case: {"consent": None, "day_form": None, "vials": []}, "not ready to treat", "09-readiness"),
        (lambda case: {"follow_up": None}, "done", "14-vial-1"),
    ],
    ids=["draft", "missing", "planned", "not-ready", "done"],
)
def test_a_case_goes_as_far_as_its_input_lets_it(cli: Cli, parts: Any, ended: str, last: str) -> None:
    case = case_of("1-treated")
    changed = parts(case)
    if "plan" in changed:
        changed["plan"].pop("protocol")
    change(Path("input/cases/1-treated.json"), **changed)
    ran = cli("demo", "--input", "input", "--format", "json")
    assert ran.code == 0, ran.out
    assert ended in ran.document("demo-report")["cases"][0]["ended"]
    assert max(path.name.partition(".")[0] for path in Path("demo-out/1-treated").iterdir()) == last
    assert "Ended: **" in cli("demo", "--input", "input").out


def test_a_case_without_its_consultation_is_pointed_to(cli: Cli) -> None:
    case_of("1-treated")
    change(Path("input/cases/1-treated.json"), consultation=None)
    assert cli("demo", "--input", "input", "--format", "json").codes() == ["demo.missing_part"]
