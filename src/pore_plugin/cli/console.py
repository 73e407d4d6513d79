"""What every command shares: reading input and printing results.

Results go to stdout, problems to stderr in text form; with `--format json` there is exactly one published document on
stdout, whatever happens.
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from contextvars import ContextVar
from enum import StrEnum
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import IO, ParamSpec, TypeVar

from ..contracts import Model, Problem, ProblemReport
from ..validation import check
from .exits import failed
from .files import name_of, read

__all__ = ["Format", "emit", "read_document", "results_only", "show", "show_markdown", "show_problems", "speak_utf8"]

M = TypeVar("M", bound=Model)
P = ParamSpec("P")

_RESULTS: ContextVar[IO[str] | None] = ContextVar("results", default=None)


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


def speak_utf8() -> None:
    """Write UTF-8 into files and pipes, as documents are; a terminal shows what it can."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


def results_only(command: Callable[P, None]) -> Callable[P, None]:
    """Keep stdout for the command's results: what an extension prints goes to stderr, where it breaks no document."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        token = _RESULTS.set(sys.stdout)
        try:
            with redirect_stdout(sys.stderr):
                command(*args, **kwargs)
        except KeyboardInterrupt:
            # The parser would leave with a code of its own.
            raise failed("interrupted", "This was interrupted.", "Run it again.") from None
        finally:
            _RESULTS.reset(token)

    return run


def emit(text: str) -> None:
    """Print a result to stdout. A reader that has gone (`| head`) ends the printing, not the command."""
    stream = _RESULTS.get() or sys.stdout
    try:
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
    except BrokenPipeError:
        # Closing stdout again at exit would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def read_document(contract: type[M], path: Path) -> M:
    """Return the checked document of a file or of standard input; problems name file, line and column."""
    return check(contract, read(path), file=name_of(path)).model


def show(result: Model, sheet: Callable[[], str], output: Format) -> None:
    """Print a result: the document as JSON, or its sheet."""
    if output is Format.JSON:
        emit(json.dumps(result.to_document(), indent=2, ensure_ascii=False))
    else:
        show_markdown(sheet())


def show_markdown(sheet: str) -> None:
    """Print Markdown: laid out on a terminal, as it is into a file or pipe."""
    stream = _RESULTS.get() or sys.stdout
    if not stream.isatty():
        emit(sheet)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=stream)
    # Long lines are hard to read; a table may have the whole window.
    console.print(Markdown(sheet, hyperlinks=False), width=min(console.width, 110))
    console.print()


def show_problems(problems: Iterable[Problem], output: Format) -> None:
    """Print problems: a problem-report document on stdout, or two lines each on stderr."""
    problems = tuple(problems)
    if output is Format.JSON:
        emit(json.dumps(ProblemReport(problems=problems).to_document(), indent=2, ensure_ascii=False))
        return
    for problem in problems:
        print(_text_of(problem), file=sys.stderr)


def _text_of(problem: Problem) -> str:
    """Return `file:line:column: /pointer: sentence [code]`, as editors and terminals make links of it."""
    where = problem.location
    parts = [f"{where.file}:{where.line}:{where.column}"] if where else []
    parts += [problem.pointer] if problem.pointer else []
    said = f"{problem.plugin}{'.' + problem.hook if problem.hook else ''}" if problem.plugin else ""
    note = f"{problem.code}, by {said}" if said else problem.code
    return f"{': '.join([*parts, problem.sentence])} [{note}]\n    → {problem.next_step}"
