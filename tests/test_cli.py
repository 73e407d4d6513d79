"""The command line as people and scripts meet it: help, exit codes, one document, no surprises."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli_runs import Cli, program, sample_input
from plugins.site import Site
from pore_plugin.cli import app, main

VERSION = "0.1.0"
BROKEN = "raise RuntimeError('Aloysia-Canary-Quux')"
LOUD = (
    "from pore_plugin.hooks import hookimpl\nprint('hello from the import')\n"
    "PORE_CONTRACT = '0.1'\nPORE_VENDOR = 'acme'\n"
    "@hookimpl\ndef pore_startup(host): print('hello from startup')\n"
    "@hookimpl\ndef pore_assess_suitability(consultation): print('hello from a rule'); return []\n"
)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PORE_PLUGIN"):
            monkeypatch.delenv(name)
    return Cli(capsys, monkeypatch)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path / "site", monkeypatch)


def commands(command: Any = None, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with the words that call it."""
    command = command or typer.main.get_command(app)
    below = getattr(command, "commands", {})
    if not below:
        yield words, command
    for name, one in below.items():
        yield from commands(one, (*words, name))


COMMANDS = {" ".join(words): command for words, command in commands()}


def examples() -> list[str]:
    return [line for command in COMMANDS.values() for line in re.findall(r"Example: (.+)", command.help or "")]


def test_the_promised_commands_are_there() -> None:
    promised = (
        "demo form submit assess plan consent ready treat review validate schema plugins scan "
        "package record case sheet import list show diff export history approve withdraw hand-over "
        "retire rollback backup restore resume retention "
        "recall adverse-events outcomes"
    )
    below = {
        "audit": "verify who",
        "follow-up": "done due history move plan",
        "init": "clinic protocol schedule template",
        "overlay": "diff new rebase",
        "patient": "correct erase export hold list merge release tombstones unmerge",
    }
    nested = {f"{group} {name}" for group, names in below.items() for name in names.split()}
    assert set(COMMANDS) == {*promised.split(), *nested}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_of_its_own_command(cli: Cli, name: str) -> None:
    ran = cli(*name.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert f"\n  Example: pore-plugin {name} " in ran.out or f"\n  Example: pore-plugin {name}\n" in ran.out


def test_every_example_works_after_the_demo(cli: Cli) -> None:
    # Documents of one's own are begun first; then what the other commands do with them.
    # What a help begins with, so that its own examples work, may be the example of another.
    lines = sorted(dict.fromkeys(examples()), key=lambda line: (" demo " not in line, " init " not in line))
    assert len(lines) >= len(COMMANDS)
    assert lines[0] == "pore-plugin demo --out demo-out"
    for line in lines:
        program_name, *words = shlex.split(line)
        assert program_name == "pore-plugin"
        ran = cli(*words)
        assert (ran.code, ran.err) in ((0, ""), (0, "Not kept: no database is named.\n")), line


@pytest.mark.parametrize("name", ["import", "approve"])
def test_the_examples_of_a_help_work_after_the_demo_alone(cli: Cli, name: str) -> None:
    assert cli("demo").code == 0
    for line in re.findall(r"Example: (.+)", COMMANDS[name].help or ""):
        ran = cli(*shlex.split(line)[1:])
        assert (ran.code, ran.err) == (0, ""), line


def test_help_of_the_whole_says_the_exit_codes(cli: Cli) -> None:
    ran = cli("--help")
    assert ran.code == 0
    assert "0 ok, 1 findings, 2 usage, 3 could not be done" in ran.out
    assert cli("--version").out == f"pore-plugin {VERSION}\n"


def test_the_runner_of_typer_runs_it_too() -> None:
    done = CliRunner().invoke(app, ["schema", "vial"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["title"] == "Vial"


WRONG_LINES = [
    [],
    ["bogus"],
    ["assess"],
    ["assess", "a.json", "b.json"],
    ["assess", "--bogus", "a.json"],
    ["assess", "a.json"],
    ["assess", "a.json", "--clinic"],
    ["form", "--format", "yaml"],
    ["follow-up"],
    ["follow-up", "paln"],
    ["init"],
    ["schema", "teddy"],
    ["validate", "--contract", "viall", "a.json"],
    ["consent", "a.json", "--text", "fun"],
]


@pytest.mark.parametrize("line", WRONG_LINES, ids=" ".join)
def test_a_wrong_line_is_a_usage_error(cli: Cli, line: list[str]) -> None:
    ran = cli(*line)
    assert ran.code == 2
    assert ran.err
    assert ran.out == ""


@pytest.mark.parametrize("where", ["last", "first"])
@pytest.mark.parametrize(
    "line", [line for line in WRONG_LINES if line and line[-1] != "--clinic" and "yaml" not in line]
)
def test_a_wrong_line_that_asked_for_json_gets_a_problem_report(cli: Cli, line: list[str], where: str) -> None:
    ran = cli(*line, "--format", "json") if where == "last" else cli(line[0], "--format=json", *line[1:])
    assert ran.code == 2
    assert len(ran.codes()) == 1


@pytest.mark.parametrize(
    ("line", "is_json"),
    [
        (["validate", "json"], False),
        (["validate", "--contract", "vial", "json"], False),
        (["validate", "--", "--format=json"], False),
        (["validate", "--contract", "vial", "--", "--format", "json"], False),
        (["demo", "--out", "json", "--input", "none"], False),
        (["form", "--clinic", "json"], False),
        (["form", "--clinic", "--format", "json"], False),
        (["validate", "none", "--format", "json", "--format", "text"], False),
        (["validate", "none", "--format=text", "--format=json"], True),
        (["validate", "json", "--format", "json"], True),
        (["plan", "none", "--clinic", "none", "--format=json"], True),
        (["validate", "--format", "json", "--", "none"], True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_only_the_option_asks_for_json(cli: Cli, line: list[str], is_json: bool) -> None:
    ran = cli(*line)
    assert ran.code in (2, 3)
    assert ran.out.startswith("{") == is_json
    assert bool(ran.err) != is_json


@pytest.mark.parametrize(
    ("line", "contract"),
    [
        (["form"], "consultation-form"),
        (["plugins"], "load-report"),
        (["schema"], "contract-list"),
        (["validate", "clinic.toml"], "problem-report"),
        (["demo", "--out", "x"], "demo-report"),
    ],
)
def test_json_is_one_document_of_a_published_contract(cli: Cli, tmp_path: Path, line: list[str], contract: str) -> None:
    sample_input(tmp_path)
    ran = cli(*line, "--format", "json", *(["--clinic", "clinic.toml"] if line[0] in ("form", "plugins") else []))
    assert (ran.code, ran.err) == (0, "")
    ran.document(contract)


def test_no_settings_are_a_usage_error_and_the_environment_may_name_them(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("form", "--format", "json").codes() == ["clinic.missing"]
    assert cli("form").code == 2
    sample_input(tmp_path)
    monkeypatch.setenv("PORE_PLUGIN_CLINIC", "clinic.toml")
    assert cli("form").code == 0


def test_a_file_that_is_not_there_could_not_be_done(cli: Cli, tmp_path: Path) -> None:
    sample_input(tmp_path)
    for line in (
        ["form", "--clinic", "none.toml"],
        ["submit", "none.json", "--clinic", "clinic.toml"],
        ["submit", ".", "--clinic", "clinic.toml"],
        ["validate", "none.json"],
        ["demo", "--input", "none"],
    ):
        ran = cli(*line, "--format", "json")
        assert ran.code == 3, line
        assert ran.codes() == ["file.unreadable"]


def test_broken_settings_could_not_be_done_and_are_pointed_to(cli: Cli, tmp_path: Path) -> None:
    settings = sample_input(tmp_path) / "clinic.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8").replace('"Europe/London"', '"Europe/Londn"').replace('"ENG"', '"XYZ"'),
        encoding="utf-8",
    )
    ran = cli("form", "--clinic", "clinic.toml")
    assert (ran.code, ran.out) == (3, "")
    assert "clinic.toml:5:1: /zone: The time zone is not in the IANA" in ran.err
    assert "Did you mean Europe/London?" in ran.err
    assert "clinic.toml:8:1: /subdivision: " in ran.err
    settings.write_text("id = \n", encoding="utf-8")
    assert "clinic.toml:1:6: This is not TOML" in cli("form", "--clinic", "clinic.toml").err


def test_a_language_without_texts_is_a_usage_error(cli: Cli, tmp_path: Path) -> None:
    sample_input(tmp_path)
    for line in (["form", "--clinic", "clinic.toml"], ["demo"]):
        ran = cli(*line, "--locale", "xx", "--format", "json")
        assert ran.code == 2
        assert ran.codes() == ["locale.missing"]
        assert "Use one of: en." in cli(*line, "--locale", "xx").err
    assert not Path("demo-out").exists()
    assert cli("form", "--clinic", "clinic.toml", "--locale", "en-GB").code == 0


def test_settings_are_written_once_and_never_over_others(cli: Cli) -> None:
    assert cli("init", "clinic").out.startswith("Wrote clinic.toml.")
    held = Path("clinic.toml").read_bytes()
    assert held == cli("init", "clinic", "--out", "-").out.encode()
    Path("clinic.toml").write_bytes(b"mine")
    ran = cli("init", "clinic", "--out", "clinic.toml")
    assert ran.code == 3
    assert "[init.exists]" in ran.err
    assert Path("clinic.toml").read_bytes() == b"mine"


def test_extensions_are_listed_without_settings(cli: Cli) -> None:
    ran = cli("plugins")
    assert ran.code == 0
    assert f"| pore | pore-plugin {VERSION} | active |" in ran.out or "| pore | pore-plugin" in ran.out


def test_a_broken_extension_is_shown_and_stops_nothing(tmp_path: Path, site: Site) -> None:
    site.install("acme", BROKEN)
    sample_input(tmp_path)
    listed = program("plugins", "--format", "json", cwd=tmp_path, path=site.folder)
    assert listed.code == 1
    states = {entry["name"]: entry["state"] for entry in listed.document("load-report")["entries"]}
    assert states == {"pore": "active", "acme": "quarantined"}
    said = program("plugins", "--clinic", "clinic.toml", cwd=tmp_path, path=site.folder)
    assert said.code == 1
    assert "[extension.import_failed, by acme]" in said.err
    assert "Canary" not in said.out + said.err + listed.out
    assert program("form", "--clinic", "clinic.toml", cwd=tmp_path, path=site.folder).code == 0


@pytest.mark.parametrize("off", ["all", "acme"])
def test_an_extension_can_be_switched_off(tmp_path: Path, site: Site, off: str) -> None:
    site.install("acme", BROKEN)
    ran = program("plugins", "--format", "json", cwd=tmp_path, path=site.folder, env={"PORE_PLUGIN_DISABLE": off})
    assert ran.code == 0
    states = {entry["name"]: entry["state"] for entry in ran.document("load-report")["entries"]}
    assert states == {"pore": "active", "acme": "disabled"}


def test_a_switch_that_names_nothing_is_a_finding(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORE_PLUGIN_DISABLE", "acmee")
    ran = cli("plugins")
    assert ran.code == 1
    assert "acmee" in ran.err


def test_strict_mode_stops_on_a_broken_extension(tmp_path: Path, site: Site) -> None:
    site.install("acme", BROKEN)
    sample_input(tmp_path)
    env = {"PORE_PLUGIN_STRICT": "1"}
    ran = program("form", "--clinic", "clinic.toml", "--format", "json", cwd=tmp_path, path=site.folder, env=env)
    assert ran.code == 3
    assert ran.codes() == ["extension.import_failed"]


def test_an_extension_that_prints_breaks_no_document(tmp_path: Path, site: Site) -> None:
    site.install("acme", LOUD)
    ran = program("demo", "--format", "json", cwd=tmp_path, path=site.folder)
    assert ran.code == 0
    assert len(ran.document("demo-report")["cases"]) >= 3
    for said in ("the import", "startup", "a rule"):
        assert f"hello from {said}" in ran.err


def test_a_reader_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    program("demo", cwd=tmp_path)
    line = f"{shlex.quote(sys.executable)} -m pore_plugin schema procedure-plan | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr, len(done.stdout)) == (0, "", 10)


def test_what_goes_wrong_inside_is_a_problem_without_a_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt() -> None:
        raise RuntimeError("Aloysia-Canary-Quux")

    monkeypatch.setattr("pore_plugin.schemas.registry", spoilt)
    said = cli("schema")
    assert (said.code, said.out) == (3, "")
    assert "This could not be done (RuntimeError). [internal]" in said.err
    reported = cli("schema", "--format", "json")
    assert reported.codes() == ["internal"]
    assert "Canary" not in said.err + reported.out
    monkeypatch.setenv("PORE_PLUGIN_TRACEBACK", "1")
    with pytest.raises(RuntimeError):
        main(["schema"])


def test_an_interruption_could_not_be_done(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pore_plugin.schemas.registry", interrupted)
    ran = cli("schema", "--format", "json")
    assert ran.code == 3
    assert ran.codes() == ["interrupted"]


def on_a_terminal(*words: str, columns: int, cwd: Path) -> str:
    """Return what a person sees in a terminal of this width, without its colours."""
    mine, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "pore_plugin", *words]
    with subprocess.Popen(command, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        try:
            while data := os.read(mine, 65536):
                seen += data
        except OSError:
            # Linux says so when the program has left its terminal.
            pass
        os.close(mine)
    assert running.returncode == 0
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode()).replace("\r", "")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_tables_within_its_width(tmp_path: Path, columns: int) -> None:
    seen = on_a_terminal("demo", columns=columns, cwd=tmp_path)
    lines = [line.rstrip() for line in seen.split("Everything is in")[0].splitlines()]
    assert max(map(len, lines)) <= min(columns, 110)
    assert not any("|" in line or "**" in line or "`" in line for line in lines)
    assert any(re.fullmatch(r" +Cheek, left +45 +0\.9 mL +18 U", line) for line in lines)
    assert any(re.fullmatch(r" +Thu 08 Oct 2026, 15:00 +Week 4 review \(W4\) +visit", line) for line in lines)
    assert any("▌ SAMPLE" in line for line in lines)


def test_one_option_has_one_name_in_every_command_and_the_other_word_is_understood() -> None:
    """`--why` is `--reason`, and `--lot` is `--batch`, wherever one of them is."""
    pairs = ({"--why", "--reason"}, {"--lot", "--batch"})
    for name, command in _commands(typer.main.get_command(app)):
        for parameter in command.params:
            for pair in pairs:
                assert not pair & set(parameter.opts) or pair <= set(parameter.opts), name


def _commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
    for word, one in (below or {}).items():
        yield from _commands(one, f"{name} {word}".strip())
