"""The project as a stranger meets it: its commands, its papers, its wheel."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "pore_plugin"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEMO_LEAVES = ("form", "consultation", "assessment", "plan", "consent", "treatment", "schedule", "review")


def run(
    *command: str | Path, cwd: Path, env: dict[str, str] | None = None, timeout: int = 500
) -> subprocess.CompletedProcess[str]:
    """Run a program as another user of the machine would: none of our paths, none of pytest's settings."""
    dropped = {"PYTHONPATH", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "CI", "HYPOTHESIS_PROFILE", "MAKEFLAGS", "MAKELEVEL"}
    clean = {name: value for name, value in os.environ.items() if name not in dropped and not name.startswith("COV_")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def make_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE))


def package_data() -> set[str]:
    """Every file of the source tree that has to be in the wheel."""
    made = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
    return {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and not made & set(path.parts)
    }


def test_every_make_command_of_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^(?: {4}|\t).*$|`[^`]+`|^```.*?^```", readme, re.MULTILINE | re.DOTALL))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code))
    assert {"demo", "test"} <= named
    assert named <= make_targets()


def test_every_promised_make_target_exists() -> None:
    assert {"demo", "test", "lint", "types", "schemas", "docs", "bench", "clean"} <= make_targets()


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_says_in_a_sentence_that_python_is_too_old(tmp_path: Path, target: str) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2"\n[ "$1" = -V ]\n', encoding="utf-8")
    old.chmod(0o755)
    result = run("make", target, f"PYTHON={old}", cwd=tmp_path)
    assert result.returncode != 0
    assert "needs Python 3.11 or newer" in result.stdout
    assert "is Python 3.9.2" in result.stdout
    assert not (tmp_path / ".venv").exists()


def test_make_says_in_a_sentence_that_there_is_no_python(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    result = run("make", "demo", "PYTHON=no-such-python", cwd=tmp_path)
    assert result.returncode != 0
    assert "There is no 'no-such-python' here" in result.stdout


@pytest.mark.parametrize(
    ("ci", "body", "code", "said"),
    [
        ("true", "pytest.skip('no registry')", 1, "test_it.py::test_it: Skipped: no registry"),
        ("true", "pass", 0, "skips: 0"),
        ("", "pytest.skip('no registry')", 0, "skips: 1"),
        ("", "assert False", 1, "skips: 0"),
    ],
)
def test_a_skip_is_counted_and_fails_under_ci(tmp_path: Path, ci: str, body: str, code: int, said: str) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(f"import pytest\n\n\ndef test_it():\n    {body}\n", encoding="utf-8")
    result = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=tmp_path, env={"CI": ci})
    assert result.returncode == code, result.stdout
    assert said in result.stdout


def test_a_module_that_skips_itself_fails_under_ci(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text("import pytest\n\npytest.importorskip('no_such')\n", encoding="utf-8")
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n", encoding="utf-8")
    result = run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", cwd=tmp_path, env={"CI": "true"})
    assert result.returncode == 1, result.stdout
    assert "could not import 'no_such'" in result.stdout


def test_dependencies_have_floors_and_no_caps() -> None:
    pinned = "pydantic==2.14.3"
    for requirement in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]:
        if requirement != pinned:
            assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z-]+\])?>=[0-9.]+(; .+)?", requirement), requirement
    assert pinned not in PROJECT["dependencies"]


EXTRAS = {"rendering/pictures.py": {"matplotlib"}}
"""The files that import what only an extra brings."""


def test_every_import_of_the_package_is_declared() -> None:
    provides = {
        "pydantic": {"pydantic", "pydantic_core"},
        "jsonschema": {"jsonschema", "referencing"},
        "jsonschema-rs": {"jsonschema_rs"},
        "ruamel.yaml": {"ruamel"},
        "typing-extensions": {"typing_extensions"},
    }
    declared = {"pore_plugin"}
    for requirement in PROJECT["dependencies"]:
        name = re.split(r"[\[>;]", requirement)[0]
        declared |= provides.get(name, {name})
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = {node.module or ""}
            else:
                continue
            tops = {name.split(".")[0] for name in names} - EXTRAS.get(path.relative_to(SOURCE).as_posix(), set())
            assert tops - set(sys.stdlib_module_names) <= declared, path.relative_to(ROOT)


def test_the_installed_version_is_the_declared_one() -> None:
    assert importlib.metadata.version("pore-plugin") == PROJECT["version"]


def test_the_changelog_names_the_declared_version() -> None:
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_page_and_no_content_denies_being_a_medical_device() -> None:
    denial = re.compile(r"\b(not|no|isn't|never)\s+(be\s+)?(an?\s+)?(\w+\s+)?medical\s+device", re.IGNORECASE)
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
    texts += [p for p in SOURCE.rglob("*") if p.suffix in {".py", ".json", ".md", ".txt", ".toml"}]
    # The text check quotes what it looks for.
    texts.remove(SOURCE / "clinical" / "wording" / "rules.py")
    assert [p.relative_to(ROOT).as_posix() for p in texts if denial.search(p.read_text(encoding="utf-8"))] == []
    assert "likely a medical device" in (ROOT / "docs" / "intended-purpose.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    result = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
        about = f"pore_plugin-{PROJECT['version']}.dist-info"
        scripts = archive.read(f"{about}/entry_points.txt").decode()
    assert {name for name in held if name.startswith("pore_plugin/")} == package_data()
    assert {name.split("/")[0] for name in held} == {"pore_plugin", about}
    assert "pore_plugin/py.typed" in held
    assert any(name.startswith("pore_plugin/_schemas/") for name in held)
    assert any(name.startswith("pore_plugin/content/") for name in held)
    assert f"{about}/licenses/LICENSE" in held
    assert "pore-plugin = pore_plugin.cli:main" in scripts
    assert "[pore_plugin]" not in scripts


@pytest.mark.slow
def test_the_wheel_runs_the_demo_outside_the_repository(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "clean venv"
    made = run(sys.executable, "-m", "venv", venv, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    binaries = venv / ("Scripts" if os.name == "nt" else "bin")
    installed = run(binaries / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    if installed.returncode:
        probe = run(binaries / "python", "-m", "pip", "download", "--no-deps", "--no-cache-dir", "pluggy", cwd=tmp_path)
        if probe.returncode:
            pytest.skip("no package registry can be reached from here")
    assert installed.returncode == 0, installed.stderr

    where = run(binaries / "python", "-c", "import pore_plugin; print(pore_plugin.__file__)", cwd=tmp_path)
    assert Path(where.stdout.strip()).is_relative_to(venv)

    out = tmp_path / "demo out"
    demo = run(binaries / "pore-plugin", "demo", "--out", out, cwd=tmp_path)
    assert demo.returncode == 0, demo.stderr + demo.stdout
    left = [path for path in out.rglob("*") if path.is_file()]
    names = " ".join(path.name for path in left)
    assert [noun for noun in DEMO_LEAVES if noun not in names] == []
    assert any(b"BEGIN:VCALENDAR" in path.read_bytes() for path in left if path.suffix == ".ics")
    documents = [path for path in left if path.suffix == ".json"]
    assert documents
    for path in documents:
        json.loads(path.read_bytes())
