"""What every command shares: reading input, printing results, and leaving with the right code.

Exit codes: 0 ok · 1 findings · 2 usage · 3 could not be done. Results go to stdout, problems to stderr in text form;
with `--format json` both are documents on stdout.
"""

import json
import sys
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TypeVar

import typer

from ..contracts import Clinic, Model, Problem, ProblemReport, ProblemsError
from ..rendering import problems_sheet
from ..validation import Checked, check, check_toml

__all__ = ["Exit", "Format", "StopError", "load_clinic", "read", "read_document", "show", "show_problems", "write"]

M = TypeVar("M", bound=Model)


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    FAILED = 3


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class StopError(Exception):
    """Leave with a code after printing problems."""

    def __init__(self, code: Exit, problems: Iterable[Problem]) -> None:
        super().__init__(code.name)
        self.code = code
        self.problems = tuple(problems)


def failed(code: str, sentence: str, next_step: str) -> StopError:
    """Return the stop for something that could not be done."""
    return StopError(Exit.FAILED, [Problem(code=code, sentence=sentence, next_step=next_step)])


def read(path: Path) -> bytes:
    """Return a file's bytes, or standard input for `-`."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise failed("file.unreadable", f"{path}: {error.strerror}.", "Check the path and its permissions.") from error


def read_document(contract: type[M], path: Path) -> Checked[M]:
    """Return the checked document of a file or of standard input; problems name file, line and column."""
    return check(contract, read(path), file="<stdin>" if str(path) == "-" else str(path))


def load_clinic(path: Path | None) -> Clinic:
    """Return the checked clinic settings. Without them nothing runs: there is no default clinic or market."""
    if path is None:
        raise StopError(
            Exit.USAGE,
            [
                Problem(
                    code="clinic.missing",
                    sentence="No clinic settings were named, and there is no default clinic.",
                    next_step="Give --clinic FILE, or write one with `pore-plugin init clinic`.",
                )
            ],
        )
    try:
        return check_toml(Clinic, read(path), file=str(path)).model
    except ProblemsError as error:
        raise StopError(Exit.FAILED, error.problems) from error


def show(result: Model, sheet: str, output: Format) -> None:
    """Print a result: the document as JSON, or its sheet."""
    if output is Format.JSON:
        print(json.dumps(result.to_document(), indent=2, ensure_ascii=False))
    else:
        show_markdown(sheet)


def show_markdown(sheet: str) -> None:
    """Print Markdown: laid out on a terminal, as it is into a file or pipe."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(sheet))
    else:
        print(sheet, end="" if sheet.endswith("\n") else "\n")


def show_problems(problems: Iterable[Problem], output: Format) -> None:
    """Print problems: a problem-report document on stdout, or one line each on stderr."""
    problems = tuple(problems)
    if output is Format.JSON:
        print(json.dumps(ProblemReport(problems=problems).to_document(), indent=2, ensure_ascii=False))
    elif problems:
        print(problems_sheet(problems), end="", file=sys.stderr)


def write(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read: records are patient data."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(data)
    except OSError as error:
        raise failed("file.unwritable", f"{path}: {error.strerror}.", "Choose another place.") from error


def leave(code: Exit) -> None:
    """Leave with a code other than 0."""
    if code is not Exit.OK:
        raise typer.Exit(int(code))
