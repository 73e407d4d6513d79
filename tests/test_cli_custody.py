"""The commands about keeping: each prints a published document, leaves its entry, and destroys only when told to."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from charts import ADMIN, FIRST, SECOND, put_chart
from cli_runs import Cli, Ran
from factories import clinic
from pore_plugin.builtin import sample
from pore_plugin.practice import Desk
from pore_plugin.storage import Database

WHY = ("--why", "Somebody looked.")


class Records:
    """Two charts in a database, and the command line over them."""

    def __init__(self, cli: Cli, folder: Path, url: str) -> None:
        self.cli = cli
        self.folder = folder
        self.url = url
        self.settings = folder / "clinic.toml"
        self.settings.write_bytes(sample("clinic.toml").replace(b'"P8Y"', b'"P1D"'))
        with self.desk().use("setup") as unit:
            put_chart(unit)
            put_chart(unit, SECOND, suffix=".second")

    def desk(self) -> Desk:
        self.database = Database.open(self.url, environ={})
        return Desk(self.database, clinic(), actor="test", installed=False, environ={})

    def __call__(self, *words: str | Path, url: str = "") -> Ran:
        self.database.close()
        place = ("--clinic", self.settings, "--database", url or self.url, "--as", ADMIN)
        return self.cli(*words, *place)

    def actions(self, url: str = "") -> list[tuple[str, str]]:
        with Database.open(url or self.url, environ={}) as database:
            desk = Desk(database, clinic(), actor="test", installed=False, environ={})
            with desk.use("look") as unit:
                return [(row.actor, row.action) for row in unit.audit.entries()]


@pytest.fixture
def records(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Records]:
    for name in ("PORE_PLUGIN_DATABASE", "PORE_PLUGIN_CLINIC", "PORE_PLUGIN_ACTOR"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "files"
    folder.mkdir(mode=0o700)
    made = Records(Cli(capsys, monkeypatch), folder, database_url)
    yield made
    made.database.close()


COMMANDS = [
    ("patient list", (), "patient-list", "patient.list"),
    ("patient export", (FIRST,), "patient-export", "patient.export"),
    ("patient erase", (FIRST, "--reason", "Asked for."), "erasure-report", "patient.erase"),
    ("patient tombstones", (), "tombstone-list", "tombstone.list"),
    ("patient hold", (FIRST, *WHY), "legal-hold", "patient.hold"),
    ("patient merge", (SECOND, FIRST, *WHY), "patient-merge", "patient.merge"),
    ("patient correct", ("treatment-1", "--to", SECOND, *WHY), "record-correction", "patient.correct"),
    ("retention", (), "retention-report", "retention"),
    ("audit verify", (), "audit-check", "audit.verify"),
    ("audit who", (FIRST,), "audit-list", "audit.who"),
    ("resume", WHY, "resume-report", "resume"),
]


@pytest.mark.parametrize(("command", "words", "contract", "action"), COMMANDS)
def test_every_command_prints_its_contract_and_leaves_its_entry(
    records: Records, command: str, words: tuple[str, ...], contract: str, action: str
) -> None:
    ran = records(*command.split(), *words, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.document(contract)["clinic"] == "sample-clinic"
    assert (ADMIN, action) in records.actions()


@pytest.mark.parametrize(("command", "words", "contract", "action"), COMMANDS)
def test_a_sheet_shows_ids_and_nothing_that_a_record_holds(
    records: Records, command: str, words: tuple[str, ...], contract: str, action: str
) -> None:
    ran = records(*command.split(), *words)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# ")
    # The birth date in the sample consultation.
    assert "1990-05-17" not in ran.out


def test_merge_and_hold_are_taken_back(records: Records) -> None:
    assert records("patient", "merge", SECOND, FIRST, *WHY).code == 0
    assert (
        records("patient", "unmerge", SECOND, *WHY, "--format", "json").document("patient-merge")["action"] == "unmerge"
    )
    assert records("patient", "hold", FIRST, *WHY).code == 0
    assert records("patient", "release", FIRST, *WHY, "--format", "json").document("legal-hold")["action"] == "release"


def test_an_erasure_needs_apply_and_says_by_its_code_when_it_is_refused(records: Records) -> None:
    erase = ("patient", "erase", FIRST, "--reason", "Asked for.")
    dry = records(*erase)
    assert dry.code == 0
    assert "Nothing was erased. Say --apply" in dry.out
    records("patient", "hold", FIRST, *WHY)
    refused = records(*erase, "--apply", "--format", "json")
    assert refused.code == 1
    assert [one["code"] for one in refused.document("erasure-report")["refused"]] == ["erasure.legal_hold"]
    records("patient", "release", FIRST, *WHY)
    done = records(*erase, "--apply")
    assert (done.code, done.err) == (0, "")
    assert FIRST not in done.out
    assert records("patient", "export", FIRST).code == 1


def test_retention_erases_only_with_apply(records: Records) -> None:
    assert len(records("retention", "--format", "json").document("retention-report")["patients"]) == 2
    assert records("retention", "--apply", "--format", "json").document("retention-report")["erased"] == 2
    assert records("patient", "list", "--format", "json").document("patient-list")["patients"] == []


def test_an_archive_is_private_and_replaces_no_file(records: Records) -> None:
    out = records.folder / "one.zip"
    ran = records("patient", "export", FIRST, "--out", out)
    assert (ran.code, ran.err) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert zipfile.is_zipfile(out)
    assert records("patient", "export", FIRST, "--out", out).code == 2
    again = records("patient", "export", FIRST, "--out", records.folder / "two.zip", "--format", "json")
    assert again.document("patient-list")["patients"][0]["patient"] == FIRST


def test_backup_verify_restore_and_resume(records: Records, tmp_path: Path) -> None:
    file, url = records.folder / "one.backup", str(tmp_path / "restored" / "records.sqlite")
    assert records("backup", file, "--format", "json").document("backup-manifest")["verified"]
    assert records("backup", file).code == 3
    assert records("backup", file, "--verify").code == 0
    stones = records.folder / "tombstones.json"
    records("patient", "erase", FIRST, "--reason", "Asked for.", "--apply")
    assert records("patient", "tombstones", "--out", stones).code == 0
    refused = records("restore", file, "--format", "json")
    assert (refused.code, refused.document("restore-report")["applied"]) == (1, False)
    restored = records("restore", file, "--tombstones", stones, "--format", "json", url=url)
    assert restored.code == 0
    assert restored.document("restore-report")["erased_again"] == 1
    resumed = records("resume", *WHY, "--format", "json", url=url)
    assert "paused_at" in resumed.document("resume-report")
    names = [action for actor, action in records.actions(url) if actor == ADMIN]
    assert {"restore", "resume"} <= set(names)
    assert (ADMIN, "backup") in records.actions()
    file.write_bytes(file.read_bytes()[:-4096])
    assert records("backup", file, "--verify").code in (1, 3)


def test_an_audit_that_was_changed_is_an_exit_code(records: Records) -> None:
    head = records("audit", "verify", "--format", "json").document("audit-check")["head"]
    noted = f"{head['number']}:{head['hash']}"
    assert records("audit", "verify", "--noted", noted).code == 0
    changed = records("audit", "verify", "--noted", f"{head['number']}:{'0' * 64}")
    assert changed.code == 1
    assert "Keep that elsewhere" not in changed.out
    assert "Keep that elsewhere" in records("audit", "verify").out
    assert records("audit", "verify", "--noted", "no").code == 2


def test_the_clock_of_the_commands_is_the_machines(records: Records) -> None:
    at = records("patient", "list", "--format", "json").document("patient-list")["generated_at"]
    assert abs((datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()) < 120
