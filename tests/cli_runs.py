"""Running the command line: in this process for speed, in one of its own where that matters."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pore_plugin.builtin import sample, sample_names
from pore_plugin.cli import main
from pore_plugin.validation import check

CASES = tuple(name for name in sample_names() if name.startswith("cases/"))


class Ran(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    def document(self, contract: str) -> dict[str, Any]:
        """Return the one document on stdout, checked against its published contract."""
        return check(contract, self.out).document

    def codes(self) -> list[str]:
        """Return the problem codes of the report on stdout."""
        return [problem["code"] for problem in self.document("problem-report")["problems"]]


class Cli:
    """Calls the command line in this process, in a folder of its own and without the user's settings."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys = capsys
        self.monkeypatch = monkeypatch

    def __call__(self, *words: str | Path, stdin: bytes = b"") -> Ran:
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        return Ran(int(left.value.code or 0), out, err)


def program(
    *words: str | Path, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, path: Path | None = None
) -> Ran:
    """Run `python -m pore_plugin` as a program of its own; `path` is a folder with installed extensions."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORE_PLUGIN", "COV_"))}
    if path is not None:
        kept["PYTHONPATH"] = os.pathsep.join([str(path), *filter(None, [kept.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "pore_plugin", *map(str, words)],
        cwd=cwd,
        env={**kept, **(env or {})},
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def sample_input(folder: Path) -> Path:
    """Write the packaged sample input into a folder, to be changed."""
    for name in ("clinic.toml", *CASES):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sample(name))
    return folder


def change(path: Path, **parts: Any) -> None:
    """Replace top-level parts of a JSON file; `None` takes one away."""
    document = {**json.loads(path.read_bytes()), **parts}
    path.write_text(json.dumps({key: part for key, part in document.items() if part is not None}), encoding="utf-8")
