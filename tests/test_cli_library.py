"""The commands of the library: what they print, where, and how they leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import practice_library as given
from cli_runs import Cli, sample_input
from pore_plugin.validation.yamltext import read_yaml
from practice_library import PEEL


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    sample_input(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORE_PLUGIN_CLINIC", "clinic.toml")
    monkeypatch.setenv("PORE_PLUGIN_DATABASE", str(tmp_path / "db" / "records.sqlite"))
    monkeypatch.setenv("PORE_PLUGIN_DISABLE", "all")
    given.write(tmp_path / "peel.json", given.template())
    return Cli(capsys, monkeypatch)


def test_a_dry_run_leaves_with_1_for_changes_only_where_that_is_asked_for(cli: Cli) -> None:
    dry = cli("import", "peel.json", "--format", "json")
    assert (dry.code, dry.err) == (0, "")
    report = dry.document("import-report")
    assert (report["applied"], report["counts"]["created"]) == (False, 1)
    assert cli("import", "peel.json", "--exit-code").code == 1
    assert cli("import", "peel.json", "--apply", "--exit-code").code == 0
    assert cli("import", "peel.json", "--exit-code").code == 0
    assert "0 changes applied." in cli("import", "peel.json", "--apply").out


def test_what_speaks_against_an_import_leaves_with_1_and_what_cannot_be_read_with_3(cli: Cli) -> None:
    given.write(Path("bad.json"), given.template(schedule="acme.schedule.nowhere"))
    bad = cli("import", "bad.json", "peel.json", "--apply", "--format", "json")
    assert (bad.code, bad.err) == (1, "")
    (problem, *_) = bad.document("import-report")["problems"]
    assert problem["location"]["file"] == "bad.json"
    gone = cli("import", "nowhere.json", "--apply")
    assert gone.code == 3
    assert "file.unreadable" in gone.out


def test_approving_needs_a_prescriber_and_a_date(cli: Cli) -> None:
    cli("import", "peel.json", "--apply")
    assert cli("approve", PEEL, "--as", "dr-sample", "--until", "soon").code == 2
    refused = cli("approve", PEEL, "--until", "2099-12-31", "--format", "json")
    assert (refused.code, refused.codes()) == (1, ["approval.prescriber"])
    done = cli("approve", PEEL, "--as", "dr-sample", "--until", "2099-12-31", "--format", "json")
    assert done.code == 0
    (entry,) = done.document("content-list")["entries"]
    assert (entry["state"], entry["approved_by"], entry["valid_until"]) == ("active", "dr-sample", "2099-12-31")
    listed = cli("list", "--state", "active", "--format", "json").document("content-list")["entries"]
    assert [one["id"] for one in listed] == [PEEL]


def test_a_document_is_shown_compared_and_exported(cli: Cli) -> None:
    cli("import", "peel.json", "--apply")
    assert cli("show", PEEL, "--format", "json").document("procedure-template") == given.template()
    diff = cli("diff", PEEL, "pore.template.salicylic-peel", "--format", "json", "--exit-code")
    assert (diff.code, [c["place"] for c in diff.document("content-diff")["changes"]]) == (1, ["id"])
    cli("export", PEEL, "--out", "again.json")
    assert Path("again.json").read_bytes() == Path("peel.json").read_bytes()
    assert read_yaml(cli("export", PEEL, "--yaml").out.encode()) == given.template()
    assert cli("export", PEEL, "--version", "9.9.9").code == 1
    assert cli("export").code == 2
    assert cli("export", PEEL, "--yaml", "--format", "json").code == 2
    assert cli("export", PEEL, "--format", "json").document("procedure-template") == given.template()
    one = cli("export", PEEL, "--out", "again.json", "--format", "json").document("content-list")["entries"]
    assert [entry["id"] for entry in one] == [PEEL]
    package = cli("export", "--out", "all.zip", "--format", "json").document("package-manifest")
    assert [file["path"] for file in package["files"]] == [f"procedure-template/{PEEL}.json"]


def test_a_rollback_says_when_it_leaves_a_draft(cli: Cli) -> None:
    cli("import", "peel.json", "--apply")
    given.write(Path("peel.json"), given.reworded(given.template(), "1.0.1"))
    cli("import", "peel.json", "--apply")
    assert cli("rollback", PEEL, "--to", "1.0.0").code == 2
    back = cli("rollback", PEEL, "--to", "1.0.0", "--why", "Misleading.")
    assert back.code == 0
    assert "it is a draft until" in back.out
    history = cli("history", PEEL, "--format", "json").document("content-history")["entries"]
    assert [entry["action"] for entry in history] == ["imported", "imported", "rolled-back"]
    assert history[-1]["why"] == "Misleading."


def test_an_unknown_document_is_named_with_the_nearest(cli: Cli) -> None:
    cli("import", "peel.json", "--apply")
    ran = cli("show", "pore.template.salicylic-pell", "--format", "json")
    assert (ran.code, ran.codes()) == (1, ["library.unknown"])
    assert "salicylic-peel" in json.loads(ran.out)["problems"][0]["next_step"]


def test_a_database_that_cannot_be_opened_leaves_with_3(cli: Cli) -> None:
    assert cli("list", "--database", "mysql://x/y").code == 3


def test_progress_is_shown_on_a_terminal_only(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from pore_plugin.cli import library
    from pore_plugin.cli.console import Format

    with library._progress(Format.TEXT) as progress:
        assert progress is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with library._progress(Format.JSON) as progress:
        assert progress is None
    with library._progress(Format.TEXT) as progress:
        assert progress is not None
        progress("Checking", 1, 2)


def test_an_overlay_is_printed_written_and_shown(cli: Cli) -> None:
    cli("import", "peel.json", "--apply")
    given.write(Path("ours.json"), {**given.template(), "id": "acme.template.ours", "summary": {"en": "Ours."}})
    made = cli("overlay", "new", PEEL, "ours.json", "--id", "acme.overlay.ours", "--out", "-").document("overlay")
    told = cli("overlay", "new", PEEL, "ours.json", "--id", "acme.overlay.ours", "--out", "o.json", "--format", "json")
    assert told.document("overlay") == made == json.loads(Path("o.json").read_bytes())
    assert cli("import", "o.json", "--apply").code == 0
    shown = cli("overlay", "diff", "acme.overlay.ours", "--format", "json").document("content-diff")
    assert [change["place"] for change in shown["changes"]] == ["summary/en"]
    schema = cli("schema", "overlay", "--out", "schemas", "--format", "json").document("contract-list")
    assert [one["name"] for one in schema["contracts"]] == ["overlay"]
