"""`pore-plugin demo`: sample cases all the way, printed at a glance and left in a folder."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import as_file, files
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..contracts import DemoCase, DemoReport, Problem, ProblemLocation, ProblemsError
from ..validation.jsontext import locate, read_json
from .console import Format, emit, results_only, show, show_markdown
from .exits import Exit, StopError, failed
from .files import name_of, read, write
from .folder import fill
from .steps import FormatOption, LocaleOption, workflow_for

if TYPE_CHECKING:
    from ..demo import CaseRun

__all__ = ["register"]


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the sheets and documents.")] = Path(
        "demo-out"
    ),
    input_folder: Annotated[
        Path | None,
        typer.Option(
            "--input", metavar="DIR", help="Folder with clinic.toml, cases/ and content/ of its own; else the sample."
        ),
    ] = None,
    locale: LocaleOption = "en",
    output: FormatOption = Format.TEXT,
) -> None:
    """Walk sample cases through everything.

    Every sheet, document and request is left in a folder, with a copy of the input to change. Running it again
    replaces what the last run left.

    \b
    Example: pore-plugin demo --out demo-out
    Example: pore-plugin demo --input demo-out/input --out demo-again
    """
    with ExitStack() as stack:
        package = files("pore_plugin") / "content" / "sample"
        source = stack.enter_context(as_file(package)) if input_folder is None else input_folder
        left, report, sheets = _walked(source, out, locale)
        fill(out, left)
        changed = _copy(source, out / "input") if input_folder is None else False
    mine = out / "input" if input_folder is None else input_folder
    if output is Format.JSON:
        show(DemoReport(input=str(mine), folder=str(out), cases=report), str, output)
        return
    for sheet in sheets:
        show_markdown(sheet)
    emit(f"Everything is in {out}.")
    if changed:
        emit(f"{mine} has been changed and was left as it is; this run was on the packaged sample. To run on it:")
    else:
        emit(f"Change {mine} and see the sheets change:")
    emit(f"    pore-plugin demo --input {quote(str(mine))} --out {quote(str(out))}")


def _walked(source: Path, out: Path, locale: str) -> tuple[dict[str, bytes], tuple[DemoCase, ...], list[str]]:
    """Return the files to leave, by relative name, what became of each case, and each case at a glance."""
    # Imported here: `--help` and `validate` need none of it.
    from ..demo import run_case
    from ..rendering import form_sheet
    from .glance import glance

    own = source / "content"
    workflow = workflow_for(source / "clinic.toml", [own] if own.is_dir() else None, locale)
    titles, form = workflow.region_titles(locale), workflow.form()
    left = {"form.md": form_sheet(form.model, locale).encode(), "form.json": _pretty(form.document)}
    cases: list[DemoCase] = []
    sheets: list[str] = []
    faults: list[Problem] = []
    for path in _cases(source):
        data, folder = read(path), out / path.stem
        try:
            run = run_case(workflow, _case(data, path), locale)
        except ProblemsError as error:
            faults += _located(error, data, path)
            continue
        verdict = run.assessment.verdict if run.assessment is not None else None
        cases.append(DemoCase(case=path.stem, title=run.title, verdict=verdict, ended=run.ended, folder=str(folder)))
        sheets.append(glance(run, titles, locale, str(folder)))
        left |= {f"{path.stem}/{name}": content for name, content in _files(run)}
    if faults:
        raise StopError(Exit.FINDINGS, faults)
    return left, tuple(cases), sheets


def _cases(source: Path) -> list[Path]:
    found = sorted((source / "cases").glob("*.json"))
    if not found:
        step = "Copy the cases of the sample: `pore-plugin demo --out DIR` leaves them in DIR/input."
        raise failed("demo.no_cases", f"{name_of(source)} has no cases/*.json.", step)
    return found


def _case(data: bytes, path: Path) -> dict[str, Any]:
    case = read_json(data, file=name_of(path))
    if isinstance(case, dict):
        return case
    sentence, step = "A case file holds one object.", "Compare it with those of the sample."
    raise ProblemsError([Problem(code="demo.not_a_case", sentence=sentence, next_step=step)])


def _located(error: ProblemsError, data: bytes, path: Path) -> Iterator[Problem]:
    """Yield the problems with their places in the case file."""
    places = locate(data, {problem.pointer for problem in error.problems})
    for problem in error.problems:
        line, column = places[problem.pointer]
        there = ProblemLocation(file=name_of(path), line=line, column=column)
        yield problem if problem.location else problem.model_copy(update={"location": there})


def _files(run: "CaseRun") -> Iterator[tuple[str, bytes]]:
    for number, sheet in enumerate(run.sheets, 1):
        name = f"{number:02}-{sheet.name}"
        yield f"{name}.md", sheet.markdown.encode()
        yield f"{name}.json", _pretty(sheet.document.to_document())
        if sheet.request is not None:
            yield f"{name}.request.json", _pretty(sheet.request.to_document())
        if sheet.ical is not None:
            yield f"{name}.ics", sheet.ical


def _copy(sample: Path, target: Path) -> bool:
    """Copy the sample input to where it can be changed. Returns whether somebody has changed it; that is kept."""
    changed = False
    for path in (sample / "clinic.toml", *_cases(sample)):
        copy, data = target / path.relative_to(sample), path.read_bytes()
        if not copy.exists():
            write(copy, data)
        changed = changed or read(copy) != data
    return changed


def _pretty(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(results_only(demo))
