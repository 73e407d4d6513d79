"""The clinic's library of content: what comes in, what is there, what it says, and how it came to be so."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from .. import rendering
from ..contracts import ContentList, ContentState, ImportReport, Model
from .console import Format, emit, results_only, show, show_markdown
from .desks import ActorOption, DatabaseOption, StandIn, desk_for
from .exits import Exit, leave, misused
from .files import name_of, write
from .steps import ClinicOption, FormatOption, LocaleOption

if TYPE_CHECKING:
    from ..practice.importing import Progress
    from ..practice.library import Library

__all__ = ["DocumentArgument", "WhyOption", "library_at", "register"]

DocumentArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A content document: ID, or ID@VERSION.", show_default=False)
]
WhyOption = Annotated[
    str | None, typer.Option("--why", "--reason", metavar="TEXT", help="The reason, for the history.")
]
_STATES: tuple[str, ...] = get_args(ContentState)


@contextmanager
def library_at(
    clinic: Path | None,
    database: str | None,
    actor: str | None,
    *,
    create: bool = False,
    stand_in: StandIn = "never",
    drafts: bool = False,
) -> Iterator["Library"]:
    """Open the library of a clinic; `create` and `stand_in` are those of `desk_for`. Raises `StopError`."""
    # Imported here: most commands never see a database.
    from ..practice.library import Library

    with desk_for(clinic, database, actor, create=create, stand_in=stand_in, drafts=drafts) as desk:
        yield Library(desk)


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Content documents (JSON, YAML), folders that hold some, or packages."),
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Import them; without it this is a dry run.")] = False,
    why: WhyOption = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Leave a dry run with 1 also where there is anything to change.")
    ] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Show what an import of content would change, or import it.

    Everything is imported or nothing. Imported content is a draft until a prescriber approves it. What was imported
    before, whatever its bytes, is unchanged. Exit code 1 says that something speaks against the import, 3 that a file
    could not be read.

    \b
    Example: pore-plugin init template --id acme.template.peel --out demo-out/own/peel.json
    Example: pore-plugin import demo-out/own/peel.json --clinic demo-out/input/clinic.toml --database demo-out/db
    Example: pore-plugin import demo-out/own/peel.json --apply --why "From a colleague" --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with (
        # A dry run may be of an import into a database that it will make.
        library_at(clinic, database, actor, create=apply, stand_in="always") as library,
        _progress(output) as progress,
    ):
        if apply:
            report = library.import_(paths, why=why, progress=progress)
        else:
            report = library.plan_import(paths, progress=progress)
    show(report, lambda: rendering.import_sheet(report, locale), output)
    leave(exit_of(report, changes=exit_code and not apply))


def exit_of(report: ImportReport, *, changes: bool = False) -> Exit:
    """Return how to leave after an import; with `changes` these are findings too."""
    if any(problem.code == "file.unreadable" for problem in report.problems):
        return Exit.FAILED
    changed = report.counts.created + report.counts.changed
    return Exit.FINDINGS if report.problems or (changes and changed) else Exit.OK


@contextmanager
def _progress(output: Format) -> Iterator["Progress | None"]:
    """Show how far long work has come, to somebody who sits at a terminal."""
    if output is Format.JSON or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, whole: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=whole)
            bar.update(tasks[what], completed=done)

        yield told


def list_(
    review_due: Annotated[
        str | None,
        typer.Option("--review-due", metavar="DAYS", help="Only what is approved or reviewed until then, such as 60d."),
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help=f"Only what is {', '.join(_STATES)}.")
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """List the content: the clinic's own, that of extensions and of the package, with its approvals.

    \b
    Example: pore-plugin list --clinic demo-out/input/clinic.toml --database demo-out/db
    Example: pore-plugin list --review-due 60d --clinic demo-out/input/clinic.toml --database demo-out/db
    """
    days = None if review_due is None else _days(review_due)
    if state not in (None, *_STATES):
        raise misused("usage", "--state names no state.", f"Use one of: {', '.join(_STATES)}.")
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        show_list(library.entries(review_due_within=days, state=state), output, locale)


def show_list(entries: ContentList, output: Format, locale: str) -> None:
    """Print versions of documents with their approvals."""
    show(entries, lambda: rendering.content_list_sheet(entries, locale), output)


def _days(said: str) -> int:
    found = re.fullmatch(r"([0-9]{1,4})d?", said)
    if found is None:
        raise misused("usage", "--review-due is no number of days.", "Write it like 60d.")
    return int(found[1])


def show_(
    document: DocumentArgument,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Show a content document, and what it may be used for.

    \b
    Example: pore-plugin show acme.template.peel --clinic demo-out/input/clinic.toml --database demo-out/db
    """
    from ..validation.yamlwriting import write_yaml

    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        entry, found = library.show(document)
    if output is Format.JSON:
        emit(json.dumps(found.document, indent=2, ensure_ascii=False))
        return
    show_markdown(rendering.content_list_sheet(ContentList(entries=(entry,)), locale))
    emit("\n" + write_yaml(found.document).decode())


def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="ID, ID@VERSION or a file.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="B", help="ID, ID@VERSION or a file.", show_default=False)],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Leave with 1 where they differ.")] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Compare two content documents field by field.

    \b
    Example: pore-plugin diff pore.template.salicylic-peel acme.template.peel --clinic demo-out/input/clinic.toml --database demo-out/db
    Example: pore-plugin diff acme.template.peel demo-out/own/peel.json --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        found = library.diff(old, new)
    show(found, lambda: rendering.diff_sheet(found), output)
    leave(Exit.FINDINGS if exit_code and found.changes else Exit.OK)


def export(
    document: Annotated[
        str | None, typer.Argument(metavar="ID", help="ID or ID@VERSION; without one, a package of all that is in use.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output.")
    ] = Path("-"),
    version: Annotated[str | None, typer.Option("--version", metavar="VERSION", help="The version to export.")] = None,
    yaml: Annotated[
        bool | None, typer.Option("--yaml/--json", help="Canonical, where it came in the other.", show_default=False)
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Write a content document as it came, byte for byte, or in the other format canonical.

    Without ID a package (*.zip) of everything that the clinic imported and has in use. With --format json and a file
    it prints what was written: the content-list of the document, or the manifest of the package.

    \b
    Example: pore-plugin export acme.template.peel --out demo-out/peel.json --clinic demo-out/input/clinic.toml --database demo-out/db
    Example: pore-plugin export --out demo-out/all.zip --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    on_paper = str(out) == "-"
    if document is None and on_paper:
        raise misused("usage", "A package is written to a file.", "Name one with --out.")
    if on_paper and output is Format.JSON:
        if yaml:
            raise misused(
                "usage", "--format json prints JSON, and --yaml YAML.", "Write the YAML to a file with --out."
            )
        yaml = False
    media = None if yaml is None else "application/yaml" if yaml else "application/json"
    written: Model
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        if document is None:
            name = re.sub(r"[^A-Za-z0-9]+", "-", out.stem).strip("-") or "content"
            written, data = library.export_all(name=name)
        else:
            word = f"{document}@{version}" if version is not None else document
            data = library.export(word, media)[1]
            written = ContentList(entries=(library.show(word)[0],))
    if on_paper:
        emit(data.decode())
        return
    write(out, data)
    show(written, lambda: f"Wrote {name_of(out)}.\n", output)


def history(
    document: Annotated[str, typer.Argument(metavar="ID", help="The id of the document.", show_default=False)],
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Tell what was done with a content document: who, when, why, and what it changed.

    \b
    Example: pore-plugin history acme.template.peel --clinic demo-out/input/clinic.toml --database demo-out/db
    """
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        found = library.history(document)
    show(found, lambda: rendering.history_sheet(found), output)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(results_only(import_))
    app.command("list")(results_only(list_))
    app.command("show")(results_only(show_))
    for command in (diff, export, history):
        app.command()(results_only(command))
