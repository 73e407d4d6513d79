"""`pore-plugin validate` and `pore-plugin package`: are documents as they should be, and packing those that are."""

from pathlib import Path
from typing import Annotated

import typer

from ..contracts import DOCUMENTS, PackageManifest, ProblemsError
from .console import Format, emit, results_only, show, show_problems
from .documents import sources_of
from .exits import Exit, StopError, failed, leave, misused
from .files import name_of, write
from .steps import FormatOption

__all__ = ["register"]


def validate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="Files (JSON, YAML, TOML), folders that hold some, or packages (*.zip); - for JSON on stdin.",
        ),
    ],
    contract: Annotated[
        str | None,
        typer.Option(
            "--contract", metavar="NAME", help="What the files are; otherwise their `type` or `$schema` says it."
        ),
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Check documents against their contracts, and content documents against each other.

    All problems of all files at once, without network. A TOML file is clinic settings. What a template or another
    content document refers to must be among the files or in the content of pore-plugin. Exit code 1 for problems.

    \b
    Example: pore-plugin validate demo-out/input/clinic.toml demo-out/form.json
    Example: pore-plugin validate demo-out/1-treated/04-plan.json --contract procedure-plan
    """
    from ..library.checking import check_package
    from ..library.naming import nearest_contract

    if contract is not None and contract not in DOCUMENTS:
        raise misused("usage", "--contract names no published contract.", nearest_contract(contract))
    sources = sources_of(paths)
    problems = check_package(sources, contract=contract, keep=False).problems
    if not sources.files and not problems:
        step = "Name files, or a folder with *.json, *.yaml or *.toml."
        raise failed("validate.nothing", "There is no file to check.", step)
    show_problems(problems, output)
    if output is Format.TEXT:
        emit(f"{_count(len(sources.files), 'document')} checked, {_count(len(problems), 'problem')}.")
    leave(Exit.FAILED if sources.unreadable else Exit.FINDINGS if problems else Exit.OK)


def package(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Content documents (JSON, YAML), or folders that hold some.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The package to write, such as peels-1.2.0.zip.")],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Its name; otherwise that of FILE without ending.")
    ] = None,
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="Its version.")] = "1.0.0",
    output: FormatOption = Format.TEXT,
) -> None:
    """Pack content documents for others to import.

    They are checked like `validate` does; with a problem nothing is written. The same files give the same bytes. A
    manifest in the package lists each file with its sha256. Files of a folder keep their place in it.

    \b
    Example: pore-plugin package demo-out/form.json --out demo-out/forms.zip
    """
    from ..library.checking import check_package, not_content
    from ..library.packages import manifest_of, package_of

    sources = sources_of(paths, media=frozenset({"json", "yaml"}), verify=False)
    if sources.unreadable:
        raise StopError(Exit.FAILED, sources.problems)
    checked = check_package(sources)
    problems = [*checked.problems, *(not_content(file) for file in checked.files if not file.is_content)]
    if problems:
        raise ProblemsError(problems)
    if not sources.files:
        raise failed("package.nothing", "There is no file to pack.", "Name content documents, or a folder with some.")
    if out.exists():
        sentence = f"{name_of(out)} exists already and is left as it is."
        raise failed("package.exists", sentence, "Choose another name with --out.")
    manifest = manifest_of(sources.files, name=name or out.stem, version=version)
    write(out, package_of(sources.files, manifest))
    show(manifest, lambda: _sheet(manifest, out), output)


def _sheet(manifest: PackageManifest, out: Path) -> str:
    return f"Wrote {name_of(out)}: {manifest.name} {manifest.version}, {_count(len(manifest.files), 'document')}.\n"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (validate, package):
        app.command()(results_only(command))
