"""`pore-plugin demo`: sample cases all the way, printed at a glance, left in a folder, and kept in a database there."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..contracts import DemoCase, DemoReport, Problem, ProblemLocation, ProblemsError
from ..validation.jsontext import locate, read_json
from .clinics import load_clinic
from .console import Format, emit, results_only, show, show_markdown
from .documents import load_content
from .exits import Exit, StopError, failed
from .files import name_of, read, write
from .folder import fill, in_the_way
from .steps import FormatOption, LocaleOption, records_at

if TYPE_CHECKING:
    from ..demo import CaseRun

__all__ = ["register"]

_RECORDS = "records.sqlite"
_MARK = ".pore-plugin-records"
"""Says which input the records in the folder are of: those of another input are made anew."""


@dataclass(frozen=True)
class _Walk:
    """What a run leaves: files by relative name, report and page of each case, and the records where they are new."""

    files: dict[str, bytes]
    cases: tuple[DemoCase, ...]
    sheets: list[str]
    records: bytes | None = None


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

    Every sheet, document and request is left in a folder, with a copy of the input to change, and every record in a
    database there, records.sqlite. Running it again replaces what the last run left; on the same input it writes no
    record twice, on other input it makes the database anew.

    \b
    Example: pore-plugin demo --out demo-out
    Example: pore-plugin demo --input demo-out/input --out demo-again
    """
    with ExitStack() as stack:
        package = files("pore_plugin") / "content" / "sample"
        source = stack.enter_context(as_file(package)) if input_folder is None else input_folder
        mark = _mark(source)
        walk = _walked(source, out, locale, mark)
        fill(out, walk.files)
        if walk.records is not None:
            _replace(out, walk.records, mark)
        changed = _copy(source, out / "input") if input_folder is None else False
    mine = out / "input" if input_folder is None else input_folder
    if output is Format.JSON:
        show(DemoReport(input=str(mine), folder=str(out), cases=walk.cases), str, output)
        return
    for sheet in walk.sheets:
        show_markdown(sheet)
    emit(f"Everything is in {out}, and its records in {out / _RECORDS}, for commands with --database.")
    if changed:
        emit(f"{mine} has been changed and was left as it is; this run was on the packaged sample. To run on it:")
    else:
        emit(f"Change {mine} and see the sheets change:")
    emit(f"    pore-plugin demo --input {quote(str(mine))} --out {quote(str(out))}")


def _walked(source: Path, out: Path, locale: str, mark: str) -> _Walk:
    """Walk every case, on the records of the last run where they are of this input, else on new ones."""
    place, known = out / _RECORDS, out / _MARK
    if place.exists() or place.is_symlink():
        if not known.is_file():
            raise StopError(Exit.FAILED, [in_the_way(place)])
        if read(known).decode("utf-8", "replace") == mark:
            try:
                return _on(place, source, out, locale)
            except ProblemsError as error:
                # Made by another state of the package: what it makes now differs from what is kept.
                if not {"record.differs", "content.differs"} & {problem.code for problem in error.problems}:
                    raise
    with TemporaryDirectory(prefix="pore-plugin-demo-") as folder:
        fresh = Path(folder) / _RECORDS
        walk = _on(fresh, source, out, locale)
        return _Walk(walk.files, walk.cases, walk.sheets, fresh.read_bytes())


def _on(place: Path, source: Path, out: Path, locale: str) -> _Walk:
    """Walk every case on the records at a place."""
    # Imported here: `--help` and `validate` need none of it.
    from ..demo import run_case
    from ..practice import Desk
    from ..rendering import form_sheet
    from ..storage import Database
    from .glance import glance

    own = source / "content"
    clinic = load_clinic(source / "clinic.toml")
    content = load_content([own] if own.is_dir() else ())
    with Database.open(str(place), environ={}) as database:
        steps = records_at(Desk(database, clinic, actor="pore-plugin demo", content=content), locale)
        titles, left = steps.region_titles(locale), dict[str, bytes]()
        cases: list[DemoCase] = []
        sheets: list[str] = []
        faults: list[Problem] = []
        for path in _cases(source):
            data, folder = read(path), out / path.stem
            try:
                run = run_case(steps, _case(data, path), locale)
            except ProblemsError as error:
                faults += _located(error, data, path)
                continue
            verdict = run.assessment.verdict if run.assessment is not None else None
            cases.append(
                DemoCase(case=path.stem, title=run.title, verdict=verdict, ended=run.ended, folder=str(folder))
            )
            sheets.append(glance(run, titles, locale, str(folder)))
            left |= {f"{path.stem}/{name}": content for name, content in _files(run)}
        # As the cases leave it: with the approvals that they kept it is no draft any more.
        form = steps.form()
        left |= {"form.md": form_sheet(form.model, locale).encode(), "form.json": _pretty(form.document)}
    if faults:
        raise StopError(Exit.FINDINGS, faults)
    return _Walk(left, tuple(cases), sheets)


def _mark(source: Path) -> str:
    """Return what tells one input from another."""
    paths = [source / "clinic.toml", *sorted((source / "cases").glob("*.json"))]
    paths += sorted(path for path in (source / "content").rglob("*") if path.is_file())
    said = sha256(version("pore-plugin").encode())
    for path in paths:
        name = path.relative_to(source).as_posix().encode()
        said.update(b"%d %s %s\n" % (len(name), name, sha256(read(path)).hexdigest().encode()))
    return said.hexdigest()


def _replace(out: Path, records: bytes, mark: str) -> None:
    """Put new records in the place of the last run's."""
    place = out / _RECORDS
    write(out / _MARK, b"")
    for name in (_RECORDS, f"{_RECORDS}-wal", f"{_RECORDS}-shm"):
        (out / name).unlink(missing_ok=True)
    write(place, records)
    write(out / _MARK, mark.encode())


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
