"""What the pages show is true: blocks run, links lead somewhere, every name that is named exists.

A block of `python` or `console` carries a comment in the line before it:

    <!-- run -->             run in the page's folder, one after the other; exit code 0, or `<!-- run, exit 1 -->`
    <!-- file NAME -->       written to the page's folder (any language)
    <!-- not run: WHY -->    shown only

In a `console` block a line with `$ ` is a command, and the lines after it are all that it prints, `...` standing for
what is left out. A line `$ export NAME=VALUE` holds for the rest of the page. The page's folder is new and empty; a
README of an example starts with a copy of the example.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from typer.main import get_command

from pore_plugin.builtin import content, sample_names
from pore_plugin.cli import app
from pore_plugin.contracts import DOCUMENTS, Clinic, Model, SafetyRules, SourcedNumber
from pore_plugin.hooks import CONTRACT, EXTENSION_HOOKS, HOST_HOOKS
from pore_plugin.storage import Database

if TYPE_CHECKING:
    from databases import PostgresServer

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "pore_plugin"
EXAMPLES = sorted(ROOT.glob("examples/*/README.md"))
# docs/hooks.md is generated; tests/test_docs_hooks.py runs its examples.
WRITTEN = [ROOT / "README.md", *sorted(p for p in ROOT.glob("docs/*.md") if p.name != "hooks.md"), *EXAMPLES]
PAGES = sorted({*WRITTEN, *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")})

BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
MARK = re.compile(r"(?P<run>run)(?:, exit (?P<code>[0-3]))?|file (?P<file>[\w./-]+)|not run: .+")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, what it is, what is to be done with it."""

    page: Path
    line: int
    language: str
    mark: str | None
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], found["mark"], found["text"])


def prose(page: Path) -> str:
    """The page without its blocks and comments."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def spans(page: Path) -> set[str]:
    """Everything in backticks outside of blocks."""
    return {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))}


# -- running ----------------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """An environment of its own that sees what is installed here, so that pip can install and remove in it."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=300)
    (packages,) = venv.glob("lib/python*/site-packages")
    here = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()])
    packages.joinpath("here.pth").write_text(
        "".join(f"import site; site.addsitedir({path!r})\n" for path in here), encoding="utf-8"
    )
    script = venv / "bin" / "pore-plugin"
    script.write_text(f'#!/bin/sh\nexec "{venv}/bin/python" -m pore_plugin "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    kept = ("HOME", "LANG", "TMPDIR", "SYSTEMROOT", "PYTHONPATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": f"{venv}/bin{os.pathsep}{os.environ.get('PATH', '')}",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        # Offline: build with the hatchling of this environment, and what is needed is there already.
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "120",
        # Where a page names no database, this user's own file is meant.
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, and what the page says it prints."""
    command, said = None, ""
    for line in text.splitlines(keepends=True):
        if line.startswith("$ "):
            if command is not None:
                yield command, said
            command, said = line[2:].strip(), ""
        else:
            assert command is not None, "a console block begins with a command"
            said += line
    if command is not None:
        yield command, said


def run(command: list[str], folder: Path, machine: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=machine,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def do(block: Block, folder: Path, machine: dict[str, str]) -> None:
    mark = MARK.fullmatch(block.mark or "")
    assert mark is not None, f"{block.where}: say before the block whether it is run"
    if mark["file"]:
        path = folder / mark["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
    if not mark["run"]:
        return
    code = int(mark["code"] or 0)
    if block.language == "python":
        got, printed = run(["python", "-c", block.text], folder, machine)
        assert got == code, f"{block.where}\n{printed}"
        return
    assert block.language == "console", f"{block.where}: only python and console blocks are run"
    steps = list(commands(block.text))
    for number, (command, said) in enumerate(steps):
        got, printed = run(["/bin/sh", "-c", command], folder, machine)
        wanted = code if number == len(steps) - 1 else 0
        if got == 0 and (exported := re.fullmatch(r"export (\w+)=(\S+)", command)):
            machine[exported[1]] = exported[2]
        assert got == wanted, f"{block.where}: `{command}` left with {got}\n{printed}"
        same = doctest.OutputChecker().check_output(said, printed, doctest.ELLIPSIS)
        assert same, f"{block.where}: `{command}` printed\n{printed}"


def shows_code(page: Path) -> bool:
    return any(block.language in ("python", "console") or block.mark for block in blocks(page))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in WRITTEN if shows_code(page)], ids=name_of)
def test_what_a_page_shows_runs(page: Path, tmp_path: Path, machine: dict[str, str]) -> None:
    folder = tmp_path / "here"
    if page in EXAMPLES:
        shutil.copytree(page.parent, folder, ignore=shutil.ignore_patterns("__pycache__", "build", "dist"))
    else:
        folder.mkdir()
    for block in blocks(page):
        if block.mark is not None or block.language in ("python", "console"):
            do(block, folder, machine)


@pytest.mark.slow
def test_a_block_without_a_mark_and_a_wrong_output_are_noticed(tmp_path: Path, machine: dict[str, str]) -> None:
    page = ROOT / "README.md"
    with pytest.raises(AssertionError, match="say before the block"):
        do(Block(page, 1, "console", None, "$ true\n"), tmp_path, machine)
    with pytest.raises(AssertionError, match="printed"):
        do(Block(page, 1, "console", "run", "$ echo one\ntwo\n"), tmp_path, machine)
    with pytest.raises(AssertionError, match="left with 1"):
        do(Block(page, 1, "console", "run", "$ false\n"), tmp_path, machine)
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        do(Block(page, 1, "python", "run", "1 / 0\n"), tmp_path, machine)
    do(Block(page, 1, "console", "run, exit 1", "$ echo one; echo two\none\n...\n$ false\n"), tmp_path, machine)


# -- names ------------------------------------------------------------------------------------------------------


def slug(heading: str) -> str:
    """The anchor that a heading gets on the usual forges."""
    plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_between_files_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", file.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{name_of(page)}: {target}"


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in ROOT.glob("docs/*.md") if f"(docs/{p.name})" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_is_named_exists(page: Path) -> None:
    shown = [*spans(page)]
    for block in blocks(page):
        if block.language in ("console", "sh", "bash", ""):
            shown += [line.removeprefix("$ ") for line in block.text.splitlines()]
    for line in shown:
        for words in re.findall(r"(?:^|[\s/])(?:pore-plugin|-m pore_plugin) ([^|;>&`]+)", line):
            named(words.split(), f"{name_of(page)}: {line}")


def named(words: list[str], where: str) -> None:
    command: Any = get_command(app)
    for word in words:
        if hasattr(command, "commands") and not word.startswith("-"):
            assert word in command.commands, where
            command = command.commands[word]
        elif word.startswith("--"):
            options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
            assert word.partition("=")[0] in options, where


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    shown = "\n".join([*spans(page), *(block.text for block in blocks(page))])
    assert set(re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", shown, re.MULTILINE)) <= targets


@cache
def code_texts() -> str:
    files = [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.json"), *ROOT.glob("tests/**/*.py")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@cache
def content_ids() -> frozenset[str]:
    ids = {checked.model.id for checked in content()}
    return frozenset(ids | set(re.findall(r'"(pore\.[a-z0-9.-]+)"', code_texts())))


OUR_MODULES = frozenset({"pore_plugin", "pore_embed", "pore_acme"})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_hook_that_is_named_exists(page: Path) -> None:
    shown = "\n".join([*spans(page), *(block.text for block in blocks(page))])
    for name in re.findall(r"\bpore_[a-z_]+", shown):
        assert name in CONTRACT or name in OUR_MODULES, f"{name_of(page)}: {name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_rule_code_and_variable_that_is_named_exists(page: Path) -> None:
    (rules,) = (checked.model for checked in content() if isinstance(checked.model, SafetyRules))
    codes = {rule.code for rule in rules.rules}
    for span in spans(page):
        if re.fullmatch(r"[A-Z][A-Z0-9_]{2,}", span):
            assert span in codes or f'"{span}"' in code_texts() or span.startswith("PORE_"), f"{name_of(page)}: {span}"
        for variable in re.findall(r"\bPORE_[A-Z_]+", span):
            assert re.search(rf"\b{variable}\b", code_texts()), f"{name_of(page)}: {variable}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_id_and_problem_code_that_is_named_exists(page: Path) -> None:
    for span in spans(page):
        if re.fullmatch(r"pore(\.[a-z0-9-]+){2,}", span):
            assert span in content_ids(), f"{name_of(page)}: {span}"
        elif re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", span) and not is_file(span):
            stem, _, last = span.partition(".")
            literal = f'"{span}"' in code_texts() or f".{last}" in code_texts() or f'"{stem}.' in code_texts()
            assert literal, f"{name_of(page)}: {span}"


def is_file(span: str) -> bool:
    return span.rpartition(".")[2] in {"json", "md", "py", "toml", "ics", "ini", "txt", "cfg"}


# Words with hyphens in backticks that are no contract. Everything else in that shape must be one.
WORDS = frozenset({"check-jsonschema", "jsonschema-rs", "pore-plugin", "problem-report"})


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_every_contract_that_is_named_exists(page: Path) -> None:
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    known = set(DOCUMENTS) | WORDS | set(commands) | set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', code_texts()))
    for span in spans(page):
        if re.fullmatch(r"[a-z]+(-[a-z]+)+", span):
            assert span in known, f"{name_of(page)}: {span}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_test_and_file_that_is_named_exists(page: Path) -> None:
    for span in spans(page):
        file, _, function = span.partition("::")
        if (SOURCE / file.partition("/")[0]).is_dir() and re.fullmatch(r"[a-z_]+/[\w./-]+", file):
            assert (SOURCE / file).exists(), f"{name_of(page)}: {file}"
        if re.fullmatch(r"(src|tests|docs|tools|examples|schemas|benchmarks)/[\w./-]+", file) and "*" not in file:
            assert (ROOT / file).exists(), f"{name_of(page)}: {file}"
            if function:
                assert f"def {function}(" in (ROOT / file).read_text(encoding="utf-8"), f"{name_of(page)}: {span}"


# -- pages that must be complete ---------------------------------------------------------------------------------


def keys_of(model: type[Model], prefix: str = "") -> Iterator[str]:
    """Every key of a settings table as the file writes it; lists of tables end in `[]`."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield key
        nested = [m for m in models_in(field.annotation) if m is not model]
        for inner in nested:
            listed = "tuple" in str(field.annotation)
            yield from keys_of(inner, f"{key}[]." if listed else f"{key}.")


def models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from models_in(part)


def test_the_settings_page_has_every_key_and_no_other() -> None:
    page = (ROOT / "docs" / "clinic-settings.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    weekdays = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
    keys = {re.sub(rf"^hours\.({'|'.join(weekdays)})", "hours.<weekday>", key) for key in keys_of(Clinic)}
    assert rows == keys


def test_the_architecture_page_has_every_room_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| \d+ \| `([a-z_]+)[`/.]", page, re.MULTILINE))
    rooms = {
        path.name.removesuffix(".py")
        for path in SOURCE.iterdir()
        if (path.suffix == ".py" and not path.name.startswith("_")) or (path / "__init__.py").exists()
    }
    assert rows == rooms


def test_the_operating_page_has_every_storage_problem_and_no_other() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(storage\.[a-z_]+)` \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert sorted(rows) == sorted(set(re.findall(r'"(storage\.[a-z_]+)"', source)))


def test_the_sql_of_the_operating_page_makes_a_database_that_is_taken(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    page = ROOT / "docs" / "operate.md"
    (block,) = [block for block in blocks(page) if block.language == "sql"]
    try:
        for statement in block.text.split(";"):
            if statement.strip():
                postgres_server.execute(statement)
        with Database.open(postgres_server.url("pore", "pore"), environ={}) as database:
            assert database.kind == "postgresql"
    finally:
        postgres_server.execute("DROP DATABASE IF EXISTS pore")
        postgres_server.execute("DROP ROLE IF EXISTS pore")


def test_the_readme_has_every_command_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("| reader | to | commands |")[2].partition("\n\n")[0]
    shown = re.findall(r"`([a-z -]+)`", table)
    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    assert {line.split()[0] for line in shown} == set(commands)
    assert {line for line in shown if " " in line} == {f"follow-up {name}" for name in commands["follow-up"].commands}
    assert len(shown) == len(set(shown))


def test_the_page_for_hosts_has_every_host_hook_with_its_documents() -> None:
    page = (ROOT / "docs" / "hosts.md").read_text(encoding="utf-8")
    for name, hook in HOST_HOOKS.items():
        goes_in = f"`{hook.accepts}`" if hook.accepts else "`locale`"
        assert re.search(rf"^\| `{name}` \| {goes_in} \| [^|]*`{hook.returns}`[^|]* \|", page, re.MULTILINE), name


def test_the_page_for_integrators_has_every_extension_hook() -> None:
    page = (ROOT / "docs" / "integrators.md").read_text(encoding="utf-8")
    assert [name for name in EXTENSION_HOOKS if f"`{name}`" not in page] == []


def test_the_clinical_page_has_every_rule() -> None:
    page = ROOT / "docs" / "clinical-basis.md"
    (rules,) = (checked.model for checked in content() if isinstance(checked.model, SafetyRules))
    assert {rule.code for rule in rules.rules} - spans(page) == set()
    assert f"{len(rules.rules)} rules:" in page.read_text(encoding="utf-8")


def test_the_clinical_page_says_what_the_marks_do_as_the_contract_does() -> None:
    page = (ROOT / "docs" / "clinical-basis.md").read_text(encoding="utf-8")
    number = {"unit": "U", "source": "a label", "checked_on": "2026-11-22"}
    for mark, does in re.findall(r"^\| ([VDTM]) \| [^|]+ \| ([^|;,]+)", page, re.MULTILINE):
        if does.strip() == "is empty":
            with pytest.raises(ValidationError):
                SourcedNumber(**number, mark=mark, value="1")
        else:
            assert SourcedNumber(**number, mark=mark, value="1").value == "1"


def test_every_example_package_declares_what_it_imports_and_how_it_is_started() -> None:
    for readme in EXAMPLES:
        project = tomllib.loads((readme.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert any(entry.startswith("pore-plugin") for entry in project["dependencies"])
        assert all(f"$ {name}" in readme.read_text(encoding="utf-8") for name in project["scripts"])


def test_the_samples_that_pages_name_exist() -> None:
    assert {"clinic.toml", "clinic-template.toml"} <= set(sample_names())
