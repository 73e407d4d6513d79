"""Recall, adverse events, outcomes and what is due, from the command line on the records of the demo."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from pathlib import Path

import pytest

from cli_runs import Cli, program

AT = "2026-10-09T09:00:00+01:00"
LOT = "SAMPLE-LOT-7"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walked")
    assert program("demo", "--out", "demo-out", cwd=folder).code == 0
    return folder


@pytest.fixture
def cli(walked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    shutil.copytree(walked / "demo-out", tmp_path / "demo-out")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORE_PLUGIN_CLINIC", "demo-out/input/clinic.toml")
    monkeypatch.setenv("PORE_PLUGIN_DATABASE", str(tmp_path / "demo-out" / "records.sqlite"))
    monkeypatch.setenv("PORE_PLUGIN_DISABLE", "all")
    monkeypatch.delenv("PORE_PLUGIN_ACTOR", raising=False)
    return Cli(capsys, monkeypatch)


# -- recall ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--lot", "--batch"])
@pytest.mark.parametrize("typed", [LOT, "sample lot 7", "SAMPLE-L0T-7", "  sample-Lot7 ", "sample/lot.7"])
def test_a_lot_may_be_typed_as_people_type_it(cli: Cli, option: str, typed: str) -> None:
    ran = cli("recall", option, typed, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    report = ran.document("recall-report")
    assert [(use["patient"], use["vials"][0]["lot"]) for use in report["uses"]] == [("patient-1", LOT)]


def test_the_exit_code_speaks_of_what_was_found_where_that_is_asked_for(cli: Cli) -> None:
    assert cli("recall", "--lot", LOT, "--exit-code").code == 1
    near = cli("recall", "--lot", "SAMPLE-LOT-8", "--exit-code")
    assert near.code == 0
    assert "Other lots that read almost the same" in near.out
    assert LOT in near.out


def test_a_recall_is_applied_where_it_is_said_so_and_only_once(cli: Cli) -> None:
    dry = cli("recall", "--lot", LOT)
    assert "Nothing was changed. `--apply` would quarantine the lot and make 1 task." in dry.out
    applied = ["recall", "--lot", LOT, "--apply", "--reason", "Recalled by its maker.", "--as", "dr-sample"]
    first = cli(*applied, "--format", "json").document("recall-report")
    again = cli(*applied, "--format", "json").document("recall-report")
    assert first["quarantined"]
    assert (first["uses"], first["quarantines"]) == (again["uses"], again["quarantines"])
    assert "■ QUARANTINED" in cli("recall", "--batch", "sample lot 7").out
    lifted = ["recall", "--lift", first["quarantines"][0]["id"], "--reason", "Another lot.", "--as", "dr-sample"]
    assert cli(*lifted, "--format", "json").document("lot-quarantine")["lift_reason"] == "Another lot."
    assert cli(*lifted, "--format", "json").codes() == ["quarantine.lifted"]
    assert "Not quarantined" in cli("recall", "--lot", LOT).out


def test_a_quarantine_of_a_lot_that_nobody_got_speaks_of_no_task(cli: Cli) -> None:
    ran = cli("recall", "--lot", "LOT-OF-NOBODY", "--apply", "--reason", "A notice.", "--as", "dr-sample")
    assert "nobody was treated with it" in ran.out
    assert "every patient has a task" not in ran.out


def test_the_table_is_written_or_printed_alone(cli: Cli, tmp_path: Path) -> None:
    printed = cli("recall", "--lot", LOT, "--csv", "-")
    assert printed.code == 0
    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert {row["patient"] for row in rows} == {"patient-1"}
    assert cli("recall", "--lot", LOT, "--csv", "recall.csv").out.startswith("# Lot")
    file = tmp_path / "recall.csv"
    assert list(csv.DictReader(io.StringIO(file.read_bytes().decode()))) == rows
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--lot", LOT, "--lift", "quarantine-1"],
        ["--lot", LOT, "--apply"],
        ["--lot", LOT, "--reason", "Why."],
        ["--lift", "quarantine-1"],
        ["--lift", "quarantine-1", "--reason", "Why.", "--apply"],
        ["--lot", LOT, "--csv", "-", "--format", "json"],
    ],
)
def test_a_recall_that_makes_no_sense_is_a_usage_error(cli: Cli, words: list[str]) -> None:
    assert cli("recall", *words).code == 2


def test_a_recall_is_applied_by_somebody_of_the_clinic(cli: Cli) -> None:
    ran = cli("recall", "--lot", LOT, "--apply", "--reason", "Why.", "--format", "json")
    assert (ran.code, ran.codes()) == (1, ["record.person"])
    assert cli("recall", "--lot", "§", "--format", "json").codes() == ["lot.unreadable"]


def test_adverse_events_are_listed_by_lot(cli: Cli) -> None:
    assert cli("adverse-events", "--batch", LOT, "--format", "json").document("lot-adverse-events")["lots"] == []
    assert "None is recorded." in cli("adverse-events").out


# -- outcomes ----------------------------------------------------------------------------------------------------------


def test_outcomes_are_shown_and_drawn(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert "better" in cli("outcomes", "patient-1").out
    report = cli("outcomes", "patient-1", "--format", "json").document("outcome-report")
    assert report["treatments"][0]["trends"][0]["points"][0]["change"] == "better"
    for name, begins in (("o.svg", b"<?xml"), ("o.PNG", b"\x89PNG")):
        ran = cli("outcomes", "patient-1", "--picture", name)
        assert (ran.code, ran.out.endswith(f"\nWrote {name}.\n")) == (0, True)
        assert (tmp_path / name).read_bytes().startswith(begins)
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert cli("outcomes", "patient-1", "--picture", "o.pdf").code == 2
    assert cli("outcomes", "patient-1", "--treatment", "treatment-1").code == 2
    other = cli("outcomes", "patient-1", "--picture", "other.svg", "--treatment", "treatment-9")
    assert (other.code, (tmp_path / "other.svg").exists()) == (2, False)
    assert "treatment-1" in other.err
    assert cli("outcomes", "patient-2", "--picture", "o.svg", "--format", "json").codes() == ["picture.nothing"]
    nowhere = cli("outcomes", "patient-1", "--picture", "unmounted/o.svg", "--format", "json")
    assert (nowhere.code, nowhere.codes(), (tmp_path / "unmounted").exists()) == (3, ["file.unwritable"], False)
    assert cli("outcomes", "nobody", "--format", "json").codes() == ["patient.unknown"]


def test_a_picture_without_its_library_says_how_to_get_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    ran = cli("outcomes", "patient-1", "--picture", "o.svg", "--format", "json")
    assert (ran.code, ran.codes()) == (1, ["picture.library"])
    assert cli("outcomes", "patient-1").code == 0


# -- what is due -------------------------------------------------------------------------------------------------------


def test_what_is_due_is_listed_at_a_moment(cli: Cli) -> None:
    found = cli("follow-up", "due", "--at", AT, "--format", "json").document("due-list")
    assert {item["patient"] for item in found["items"]} == {"patient-1", "patient-4"}
    assert [task["ignores_hours"] for task in found["tasks"]] == [True, False]
    sheet = cli("follow-up", "due", "--at", AT).out
    assert all(item["key"][:8] in sheet for item in (*found["items"], *found["tasks"]))
    assert cli("follow-up", "due", "--at", "2026-10-09 08:00:00Z", "--format", "json").document("due-list") == found
    assert cli("follow-up", "due", "--at", "tomorrow").code == 2
    assert cli("follow-up", "due", "--at", "2026-10-09T09:00:00").code == 2
    assert cli("follow-up", "due", "--at", AT, "--apply").code == 2


def test_what_time_moved_is_kept_once(cli: Cli) -> None:
    first, again = cli("follow-up", "due", "--apply"), cli("follow-up", "due", "--apply")
    assert (first.code, again.code) == (0, 0)
    assert "0 moves kept." in again.out


def test_a_step_is_moved_shown_and_moved_back(cli: Cli) -> None:
    found = cli("follow-up", "due", "--at", "2026-09-12T09:00:00+01:00", "--format", "json").document("due-list")
    key = next(item["key"] for item in found["items"] if item["step"] == "D0")
    done = ["follow-up", "move", key[:8], "--to", "done", "--reason", "Seen."]
    assert cli(*done).code == 2
    assert cli(*done, "--as", "dr-sample", "--format", "json").document("follow-up-move")["by"]["kind"] == "person"
    other = ["follow-up", "move", key, "--to", "missed", "--reason", "Gone.", "--as", "dr-sample"]
    refused = cli(*other, "--format", "json")
    assert (refused.code, refused.codes()) == (1, ["move.not_allowed"])
    assert cli("follow-up", "move", key, "--back", "--reason", "Another patient.", "--as", "dr-sample").code == 0
    told = cli("follow-up", "history", key, "--format", "json").document("follow-up-history")
    assert [move["to_state"] for move in told["moves"]][-2:] == ["done", told["state"]]
    assert "takes" in cli("follow-up", "history", key[:8]).out
    assert cli("follow-up", "history", "nothing", "--format", "json").codes() == ["step.unknown"]


def test_the_host_reports_what_it_sent(cli: Cli) -> None:
    found = cli("follow-up", "due", "--at", AT, "--format", "json").document("due-list")
    key = next(item["key"] for item in found["items"] if item["kind"] == "remote-questionnaire")
    sent = ["follow-up", "move", key, "--to", "sent", "--reason", "Sent.", "--at", "2026-09-17T10:00:00+01:00"]
    assert cli(*sent, "--host", "sample-host", "--format", "json").document("follow-up-move")["to_state"] == "sent"
    assert cli(*sent, "--host", "sample-host").code == 0
    assert cli(*sent, "--host", "no host").code == 2
    assert cli("follow-up", "move", key, "--reason", "Why.").code == 2
    assert cli("follow-up", "move", key, "--back", "--reason", "Why.", "--host", "sample-host").code == 2


def test_a_task_is_done(cli: Cli) -> None:
    found = cli("follow-up", "due", "--at", AT, "--format", "json").document("due-list")["tasks"]
    done = cli("follow-up", "done", found[0]["key"][:8], "--format", "json").document("task")
    assert done["key"] == found[0]["key"]
    left = cli("follow-up", "due", "--at", AT, "--format", "json").document("due-list")["tasks"]
    assert left == found[1:]
