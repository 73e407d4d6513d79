"""Commands around the steps: demo, validate, schema, plugins, init."""

import json
import shutil
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer

from ..contracts import DOCUMENTS, Clinic, Problem, ProblemsError
from ..validation import check, check_toml
from .console import (
    Exit,
    Format,
    StopError,
    failed,
    leave,
    load_clinic,
    read,
    show,
    show_markdown,
    show_problems,
    write,
)
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["init_app", "register"]

init_app = typer.Typer(help="Write a file to fill in.", no_args_is_help=True)


def validate(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders (*.json, *.toml); - for standard input.")],
    contract: Annotated[
        str | None, typer.Option("--contract", help="What the files are; otherwise their `type` or `$schema` says it.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check documents against their contract, all problems at once, without network; exit code 1 for problems.

    Example: pore-plugin validate template.json clinic.toml
    """
    if contract is not None and contract not in DOCUMENTS:
        raise typer.BadParameter(f"choose one of: {', '.join(sorted(DOCUMENTS))}", param_hint="--contract")
    problems: list[Problem] = []
    count = 0
    for path in _expanded(paths):
        count += 1
        problems += _validate(path, contract)
    if not count:
        raise failed("validate.nothing", "There is no file to check.", "Name files, or a folder with *.json or *.toml.")
    show_problems(problems, output)
    if output is Format.TEXT:
        word = "document" if count == 1 else "documents"
        print(f"{count} {word} checked, {len(problems)} problem{'' if len(problems) == 1 else 's'}.")
    leave(Exit.FINDINGS if problems else Exit.OK)


def _expanded(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix in (".json", ".toml") and p.is_file())
        else:
            yield path


def _validate(path: Path, contract: str | None) -> tuple[Problem, ...]:
    data = read(path)
    name = "<stdin>" if str(path) == "-" else str(path)
    try:
        if path.suffix == ".toml":
            check_toml(contract or "clinic", data, file=name)
        else:
            check(contract or _contract_of(data, name), data, file=name)
    except ProblemsError as error:
        return error.problems
    return ()


def _contract_of(data: bytes, name: str) -> str:
    """Return the contract that a document names: its `type`, or the last part of its `$schema`."""
    from ..jsontext import read_json

    document: Any = read_json(data, file=name)
    named = document if isinstance(document, dict) else {}
    for key in ("type", "$schema"):
        word = str(named.get(key, "")).replace("/", ":").rsplit(":", 1)[-1].removesuffix(".json")
        if word in DOCUMENTS:
            return word
    raise ProblemsError(
        [
            Problem(
                code="validate.unknown_contract",
                sentence=f"{name} does not say which contract it follows.",
                next_step="Give it a `type` or `$schema`, or use --contract NAME.",
            )
        ]
    )


def schema(
    name: Annotated[str | None, typer.Argument(help="A contract; without one, the names are listed.")] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print the JSON Schema of a contract, or list all contracts.

    Example: pore-plugin schema procedure-template > procedure-template.schema.json
    """
    from ..schemas import schema_bytes, schema_names

    if name is None:
        names = sorted(schema_names())
        print(json.dumps(names, indent=2) if output is Format.JSON else "\n".join(names))
        return
    if name not in schema_names():
        raise typer.BadParameter(f"choose one of: {', '.join(sorted(schema_names()))}", param_hint="NAME")
    sys.stdout.write(schema_bytes(name).decode())


def plugins(clinic: ClinicOption = None, output: FormatOption = Format.TEXT) -> None:
    """List every extension that was found, what became of it, and why; exit code 1 when one has a problem.

    Works without clinic settings, and when an extension is broken. Switch extensions off with
    PORE_PLUGIN_DISABLE=all, or with their names.

    Example: PORE_PLUGIN_DISABLE=acme_pore pore-plugin plugins
    """
    from ..hooks import Dispatcher, discover

    if clinic is not None:
        from ..workflow import PoreWorkflow

        report = PoreWorkflow(load_clinic(clinic)).plugins
    else:
        from ..builtin import Builtin

        report = Dispatcher(discover(), Builtin()).report
    lines = [f"# Extensions (contract {report.contract_version})", "", "| Name | Version | State | Hooks |"]
    lines.append("| --- | --- | --- | --- |")
    for entry in report.entries:
        origin = " ".join(part for part in (entry.distribution, entry.version) if part)
        hooks = ", ".join((*entry.hooks, *(f"adapter {kind}" for kind in entry.adapters))) or "–"
        lines.append(f"| {entry.name} | {origin or '–'} | {entry.state} | {hooks} |")
    show(report, "\n".join(lines) + "\n", output)
    problems = [*report.problems]
    for entry in report.entries:
        problems += [*([entry.reason] if entry.reason else []), *entry.problems]
    if output is Format.TEXT:
        show_problems(problems, output)
    broken = [entry for entry in report.entries if entry.state in ("quarantined", "incompatible") or entry.problems]
    leave(Exit.FINDINGS if broken or report.problems else Exit.OK)


@init_app.command("clinic")
def init_clinic(
    out: Annotated[Path, typer.Option("--out", help="Where to write it; - for standard output.")] = Path("clinic.toml"),
) -> None:
    """Write clinic settings to fill in. What must be decided is left open on purpose: it is refused until it is filled.

    Example: pore-plugin init clinic --out clinic.toml
    """
    data = (files("pore_plugin") / "content" / "sample" / "clinic-template.toml").read_bytes()
    if str(out) == "-":
        sys.stdout.write(data.decode())
        return
    if out.exists():
        raise failed("init.exists", f"{out} exists already and is left as it is.", "Choose another name with --out.")
    write(out, data)
    print(f"Wrote {out}. Fill it in, then run: pore-plugin validate {out}")


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder for the sheets and documents.")] = Path("demo-out"),
    input_folder: Annotated[
        Path | None, typer.Option("--input", help="Folder with clinic.toml and cases/*.json; else the sample.")
    ] = None,
    locale: LocaleOption = "en",
    output: FormatOption = Format.TEXT,
) -> None:
    """Walk sample cases through everything, and leave every sheet and document in a folder.

    Example: pore-plugin demo --out demo-out; edit demo-out/input; pore-plugin demo --input demo-out/input --out again
    """
    from ..demo import run_case
    from ..workflow import PoreWorkflow
    from .glance import glance

    if input_folder is None:
        with as_file(files("pore_plugin") / "content" / "sample") as sample:
            _copy_input(sample, out / "input")
        input_folder = out / "input"
    clinic = _read_clinic(input_folder / "clinic.toml")
    workflow = PoreWorkflow(clinic)
    cases = sorted((input_folder / "cases").glob("*.json"))
    if not cases:
        raise failed("demo.no_cases", f"{input_folder} has no cases/*.json.", "Copy the sample: pore-plugin demo.")
    from ..jsontext import read_json
    from ..rendering import form_sheet

    form = workflow.form()
    write(out / "form.md", form_sheet(form.model, locale).encode())
    write(out / "form.json", _pretty(form.document))
    ended = []
    for path in cases:
        try:
            case = read_json(read(path), file=str(path))
            run = run_case(workflow, case if isinstance(case, dict) else {}, locale)
        except ProblemsError as error:
            placed = [p.model_copy(update={"sentence": f"{path.name}: {p.sentence}"}) for p in error.problems]
            raise StopError(Exit.FINDINGS, placed) from error
        folder = out / path.stem
        for number, sheet in enumerate(run.sheets, 1):
            if sheet.markdown:
                write(folder / f"{number:02}-{sheet.name}.md", sheet.markdown.encode())
            if sheet.document is not None:
                write(folder / f"{number:02}-{sheet.name}.json", _pretty(sheet.document.to_document()))
            if sheet.ical is not None:
                write(folder / f"{number:02}-{sheet.name}.ics", sheet.ical)
        ended.append({"case": path.stem, "ended": run.ended, "folder": str(folder)})
        if output is Format.TEXT:
            show_markdown(glance(run, workflow.region_titles(locale), locale, str(folder)))
    if output is Format.JSON:
        print(json.dumps(ended, indent=2))
    else:
        print(f"Everything is in {out}. Change {input_folder} and run again with --input to see it change.")


def _copy_input(sample: Path, target: Path) -> None:
    try:
        (target / "cases").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample / "clinic.toml", target / "clinic.toml")
        for case in (sample / "cases").glob("*.json"):
            shutil.copyfile(case, target / "cases" / case.name)
    except OSError as error:
        raise failed("file.unwritable", f"{target}: {error.strerror}.", "Choose another folder with --out.") from error


def _read_clinic(path: Path) -> Clinic:
    return load_clinic(path)


def _pretty(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (demo, validate, schema, plugins):
        app.command()(command)
    app.add_typer(init_app, name="init")
