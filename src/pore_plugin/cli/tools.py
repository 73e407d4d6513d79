"""Commands around the steps: validate, schema, plugins, init."""

from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from ..contracts import DOCUMENTS, ContractEntry, ContractList, LoadReport, Problem, ProblemsError
from .console import Format, emit, results_only, show, show_problems
from .documents import check_file, expanded, nearest_contract
from .exits import Exit, StopError, failed, leave, misused
from .files import name_of, write
from .steps import ClinicOption, ContentOption, FormatOption

__all__ = ["register"]

init_app = typer.Typer(
    help="Write a file to fill in.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


def validate(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files, or folders with *.json and *.toml; - for stdin.")
    ],
    contract: Annotated[
        str | None,
        typer.Option(
            "--contract", metavar="NAME", help="What the files are; otherwise their `$schema` or `type` says it."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check documents against their contracts.

    All problems of all files at once, without network. A TOML file is clinic settings. Exit code 1 for problems.

    \b
    Example: pore-plugin validate demo-out/input/clinic.toml demo-out/form.json
    Example: pore-plugin validate demo-out/1-treated/04-plan.json --contract procedure-plan
    """
    if contract is not None and contract not in DOCUMENTS:
        raise misused("usage", "--contract names no published contract.", nearest_contract(contract))
    code = Exit.OK
    problems: list[Problem] = []
    checked = 0
    for path in expanded(paths):
        try:
            check_file(path, contract)
        except StopError as stop:
            code = stop.code
            problems += stop.problems
            continue
        except ProblemsError as error:
            problems += sorted(error.problems, key=_line)
        checked += 1
    if not checked and not problems:
        raise failed("validate.nothing", "There is no file to check.", "Name files, or a folder with *.json or *.toml.")
    show_problems(problems, output)
    if output is Format.TEXT:
        emit(f"{_count(checked, 'document')} checked, {_count(len(problems), 'problem')}.")
    leave(code or (Exit.FINDINGS if problems else Exit.OK))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _line(problem: Problem) -> tuple[int, int]:
    return (problem.location.line, problem.location.column) if problem.location else (0, 0)


def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A contract; without one, the names are listed.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print the JSON Schema of a contract, or list all contracts.

    \b
    Example: pore-plugin schema
    Example: pore-plugin schema procedure-template
    """
    from ..schemas import registry

    known = registry()
    if name is None:
        entries = tuple(
            ContractEntry(name=one, schema_id=known.schema(one)["$id"], title=known.schema(one)["title"])
            for one in sorted(DOCUMENTS)
        )
        listed = ContractList(contracts=entries)
        show(listed, lambda: "\n".join(f"- `{entry.name}`" for entry in entries), output)
        return
    if name not in DOCUMENTS:
        raise misused("usage", "NAME is no published contract.", nearest_contract(name))
    emit(known.raw(name).decode())


def plugins(clinic: ClinicOption = None, content: ContentOption = None, output: FormatOption = Format.TEXT) -> None:
    """List the extensions, what became of each, and why.

    Works without clinic settings, and when an extension is broken. PORE_PLUGIN_DISABLE=all, or the names of
    extensions with commas, switches them off. Exit code 1 when one has a problem.

    \b
    Example: pore-plugin plugins
    """
    report = _load_report(clinic, content)

    def sheet() -> str:
        lines = [f"# Extensions (contract {report.contract_version})", "", "| Name | From | State | Hooks |"]
        lines.append("| --- | --- | --- | --- |")
        for entry in report.entries:
            origin = " ".join(part for part in (entry.distribution, entry.version) if part)
            hooks = ", ".join((*entry.hooks, *(f"adapter {kind}" for kind in entry.adapters)))
            lines.append(f"| {entry.name} | {origin or '–'} | {entry.state} | {hooks or '–'} |")
        return "\n".join(lines) + "\n"

    show(report, sheet, output)
    if output is Format.TEXT:
        show_problems(
            [
                *report.problems,
                *(entry.reason for entry in report.entries if entry.reason),
                *(problem for entry in report.entries for problem in entry.problems),
            ],
            output,
        )
    broken = any(entry.state in ("quarantined", "incompatible") or entry.problems for entry in report.entries)
    leave(Exit.FINDINGS if broken or report.problems else Exit.OK)


def _load_report(clinic: Path | None, content: list[Path] | None) -> LoadReport:
    if clinic is not None:
        from .steps import workflow_for

        return workflow_for(clinic, content).plugins
    from importlib.metadata import version

    from ..builtin import Builtin
    from ..hooks import Dispatcher, discover

    return Dispatcher(discover(), Builtin(version=version("pore-plugin"))).report


@init_app.command("clinic")
def init_clinic(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output.")
    ] = Path("clinic.toml"),
) -> None:
    """Write clinic settings to fill in.

    What must be decided is left empty on purpose: it is refused until it is filled in.

    \b
    Example: pore-plugin init clinic --out clinic.toml
    """
    data = (files("pore_plugin") / "content" / "sample" / "clinic-template.toml").read_bytes()
    if str(out) == "-":
        emit(data.decode())
        return
    if out.exists():
        raise failed(
            "init.exists", f"{name_of(out)} exists already and is left as it is.", "Choose another name with --out."
        )
    write(out, data)
    emit(f"Wrote {name_of(out)}. Fill it in, then run: pore-plugin validate {quote(name_of(out))}")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (validate, schema, plugins):
        app.command()(results_only(command))
    app.add_typer(init_app, name="init")
