"""A wrong place is said aloud: it never reads as "nobody", and no command that only looks makes a database."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import practice_library as given
from charts import ADMIN, FIRST, put_chart
from cli_runs import Cli, sample_input
from factories import clinic
from pore_plugin.practice import Desk
from pore_plugin.storage import Database

CONSULTATION = "demo-out/1-treated/01-consultation.json"


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    for name in list(os.environ):
        if name.startswith("PORE_PLUGIN"):
            monkeypatch.delenv(name)
    sample_input(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORE_PLUGIN_CLINIC", "clinic.toml")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    given.write(tmp_path / "peel.json", given.template())
    return Cli(capsys, monkeypatch)


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """A database with a chart of the sample clinic."""
    url = str(tmp_path / "records.sqlite")
    with Database.open(url, environ={}) as database:
        desk = Desk(database, clinic(), actor="test", installed=False, environ={})
        with desk.use("setup") as unit:
            put_chart(unit)
    return url


def other_clinic() -> None:
    settings = Path("clinic.toml")
    settings.write_text(settings.read_text(encoding="utf-8").replace('"sample-clinic"', '"other-clinic"'), "utf-8")


RECORDS = [
    "recall --lot 7",
    "recall --lot 7 --apply --reason Said --as dr-sample",
    "adverse-events",
    "outcomes patient-1",
    "follow-up due",
    "follow-up move abc --to done --reason Seen --as dr-sample",
    "follow-up history abc",
    "follow-up done abc --as dr-sample",
    "patient list",
    "patient export patient-1",
    "patient erase patient-1 --reason Asked",
    "patient tombstones",
    "patient hold patient-1 --why Claim",
    "audit verify",
    "audit who patient-1",
    "retention",
    "resume --why Looked",
    "backup new.backup",
    "case plan-1",
    "sheet treatment-record treatment-1",
]
CONTENT = ["list", "show pore.form.consultation", "export pore.form.consultation", "history pore.form.consultation"]


@pytest.mark.parametrize("line", [*RECORDS, *CONTENT, "form"])
def test_a_named_database_that_is_not_there_is_refused_and_not_made(cli: Cli, line: str) -> None:
    ran = cli(*line.split(), "--database", "nowhere/db.sqlite", "--format", "json")
    assert (ran.code, ran.codes()) == (3, ["storage.missing"])
    assert not Path("nowhere").exists()
    assert not Path("new.backup").exists()


@pytest.mark.parametrize("line", RECORDS)
def test_without_a_name_records_that_are_not_there_are_refused_and_not_made(cli: Cli, line: str) -> None:
    ran = cli(*line.split(), "--format", "json")
    assert (ran.code, ran.codes()) == (3, ["storage.missing"])
    assert not Path("home").exists()


@pytest.mark.parametrize("line", [*CONTENT[:-1], "diff pore.form.consultation pore.form.consultation"])
def test_without_a_name_the_library_shows_the_package_and_makes_nothing(cli: Cli, line: str) -> None:
    ran = cli(*line.split())
    assert (ran.code, ran.err) == (0, "")
    assert not Path("home").exists()


def test_a_dry_run_of_the_first_import_makes_nothing(cli: Cli) -> None:
    report = cli("import", "peel.json", "--database", "db.sqlite", "--format", "json").document("import-report")
    assert report["counts"]["created"] == 1
    assert not Path("db.sqlite").exists()
    assert cli("import", "peel.json", "--apply", "--database", "db.sqlite").code == 0
    assert Path("db.sqlite").exists()


@pytest.mark.parametrize("line", [*RECORDS, "list"])
def test_a_database_of_another_clinic_is_said_aloud_and_left_alone(cli: Cli, kept: str, line: str) -> None:
    other_clinic()
    ran = cli(*line.split(), "--database", kept, "--format", "json")
    assert (ran.code, ran.codes()) == (3, ["storage.other_clinic"])
    with Database.open(kept, environ={}) as database:
        assert database.holds("sample-clinic")
        assert not database.holds("other-clinic")


@pytest.mark.parametrize("line", ["patient list", "list", f"submit {CONSULTATION}", "import peel.json --apply"])
def test_an_empty_name_is_a_usage_error(cli: Cli, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    assert cli(*line.split(), "--database", "").code == 2
    monkeypatch.setenv("PORE_PLUGIN_DATABASE", "")
    ran = cli(*line.split(), "--format", "json")
    assert (ran.code, ran.codes()) == (2, ["usage"])
    assert not Path("home").exists()


def test_a_refused_restore_leaves_no_database(cli: Cli, kept: str) -> None:
    assert cli("backup", "one.backup", "--database", kept).code == 0
    other_clinic()
    before = set(os.listdir())
    ran = cli("restore", "one.backup", "--database", "new.sqlite", "--format", "json")
    assert ran.codes() == ["backup.other_clinic"]
    assert cli("restore", "nowhere.backup", "--database", "new.sqlite").code
    assert set(os.listdir()) == before


def test_a_restore_into_a_new_database_leaves_that_alone(cli: Cli, kept: str) -> None:
    assert cli("backup", "one.backup", "--database", kept).code == 0
    before = set(os.listdir())
    assert cli("restore", "one.backup", "--database", "new.sqlite").code == 0
    assert set(os.listdir()) - before == {"new.sqlite"}
    assert FIRST in cli("patient", "list", "--database", "new.sqlite", "--as", ADMIN).out


def test_a_step_says_whether_and_where_it_was_kept(cli: Cli, tmp_path: Path) -> None:
    assert cli("demo").code == 0
    alone = cli("submit", CONSULTATION)
    assert alone.err.splitlines()[-1] == "Not kept: no database is named."
    kept = cli("submit", CONSULTATION, "--database", "db.sqlite")
    assert kept.err.splitlines()[-1] == f"Kept in {tmp_path.resolve() / 'db.sqlite'}."
    assert kept.out == alone.out
    assert cli("submit", CONSULTATION, "--format", "json").err == ""
    assert cli("form").err == ""


def test_the_help_of_a_step_says_when_nothing_is_kept(cli: Cli) -> None:
    said = re.sub(r"[\s│]+", " ", cli("submit", "--help").out)
    assert "Without either nothing is kept." in said


@pytest.mark.parametrize("line", ["outcomes patient-99", "audit who patient-99"])
def test_a_patient_who_is_not_here_is_unknown(cli: Cli, kept: str, line: str) -> None:
    ran = cli(*line.split(), "--database", kept, "--format", "json")
    assert (ran.code, ran.codes()) == (1, ["patient.unknown"])


def test_a_file_that_is_no_whole_backup_could_not_be_restored_and_an_older_one_is_named(cli: Cli, kept: str) -> None:
    assert cli("backup", "one.backup", "--database", kept).code == 0
    whole = Path("one.backup").read_bytes()
    Path("cut.backup").write_bytes(whole[: len(whole) // 2])
    Path("text.backup").write_text("No backup at all. " * 40, encoding="utf-8")
    for name in ("cut.backup", "text.backup"):
        Path(name).chmod(0o600)
    for name, code in (("nope", "missing"), ("cut.backup", "corrupt"), ("text.backup", "unknown")):
        for line in (["backup", "--verify", name], ["restore", name]):
            ran = cli(*line, "--database", kept)
            assert ran.code == 3, line
            assert f".{code}]" in ran.err
            assert "nother backup" not in ran.err
            assert code == "missing" or "older backup" in ran.err


def test_a_folder_that_is_not_there_is_noticed(cli: Cli, kept: str) -> None:
    ran = cli("backup", "unmounted/one.backup", "--database", kept, "--format", "json")
    assert (ran.code, ran.codes()) == (3, ["backup.no_folder"])
    assert not Path("unmounted").exists()


def test_retention_with_nobody_to_erase_asks_for_nothing(cli: Cli, kept: str) -> None:
    said = cli("retention", "--database", kept).out
    assert "There is nobody to erase." in said
    assert "--apply" not in said
