"""Commands around the steps: schema, plugins."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contracts import DOCUMENTS, ContractEntry, ContractList, LoadReport
from .console import Format, emit, results_only, show, show_problems
from .exits import Exit, leave, misused
from .files import name_of, write
from .steps import ClinicOption, ContentOption, FormatOption

if TYPE_CHECKING:
    from ..schemas import SchemaRegistry

__all__ = ["register"]


def schema(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A contract; without one, the names are listed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write the schema there, or all of them, for editors.", show_default=False
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Print the JSON Schema of a contract, list all contracts, or write their schemas to a folder.

    An editor completes a document whose `$schema` is the path of its schema; a YAML file says it in its first line,
    as in `# yaml-language-server: $schema=schemas/product.json`.

    \b
    Example: pore-plugin schema
    Example: pore-plugin schema procedure-template
    Example: pore-plugin schema --out demo-out/schemas
    """
    from ..library.naming import nearest_contract
    from ..schemas import registry

    known = registry()
    if name is not None and name not in DOCUMENTS:
        raise misused("usage", "NAME is no published contract.", nearest_contract(name))
    if out is not None:
        for one in [name] if name else sorted(DOCUMENTS):
            write(out / f"{one}.json", known.raw(one))
    if name is None:
        entries = tuple(_entry(known, one) for one in sorted(DOCUMENTS))
        listed = ContractList(contracts=entries)
        said = "\n".join(f"- `{entry.name}`" for entry in entries) if out is None else f"Wrote them to {name_of(out)}."
        show(listed, lambda: said, output)
    elif out is None:
        emit(known.raw(name).decode())
    else:
        written = ContractList(contracts=(_entry(known, name),))
        show(written, lambda: f"Wrote {name_of(out / f'{name}.json')}.\n", output)


def _entry(known: "SchemaRegistry", name: str) -> ContractEntry:
    return ContractEntry(name=name, schema_id=known.schema(name)["$id"], title=known.schema(name)["title"])


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


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (schema, plugins):
        app.command()(results_only(command))
