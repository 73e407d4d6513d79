"""A clinic's own changes over a base document: begun, shown, re-applied."""

import json
from pathlib import Path
from typing import Annotated

import typer

from .. import rendering
from .console import Format, emit, results_only, show
from .desks import ActorOption, DatabaseOption
from .exits import failed, leave
from .files import name_of, write
from .library import WhyOption, exit_of, library_at
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["register"]

overlay_app = typer.Typer(
    help="Lay changes of the clinic's own over a document.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@overlay_app.command("new")
@results_only
def new(
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="The document below: ID or ID@VERSION.", show_default=False)
    ],
    edited: Annotated[
        str, typer.Argument(metavar="EDITED", help="A copy of it, changed, with an id of its own.", show_default=False)
    ],
    content_id: Annotated[str, typer.Option("--id", metavar="ID", help="The id of the overlay.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; - for standard output.")],
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Write the overlay that makes an edited copy out of its base, to import it instead of the copy.

    When the base is upgraded, the overlay is re-applied; a copy would be left behind.

    \b
    Example: pore-plugin overlay new pore.schedule.microtoxin demo-out/own/schedule.yaml --id acme.overlay.schedule --out demo-out/own/overlay.json --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    if str(out) != "-" and out.exists():
        raise failed("init.exists", f"{name_of(out)} exists already and is left as it is.", "Choose another name.")
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        overlay = library.new_overlay(base, edited, content_id=content_id)
    text = json.dumps(overlay.to_document(), indent=2, ensure_ascii=False) + "\n"
    if str(out) == "-":
        emit(text)
        return
    write(out, text.encode())
    said = f"Wrote {name_of(out)}: {len(overlay.changes)} changes that make {overlay.target}.\n"
    show(overlay, lambda: said, output)


@overlay_app.command("diff")
@results_only
def diff(
    overlay: Annotated[str, typer.Argument(metavar="OVERLAY", help="ID, ID@VERSION or a file.", show_default=False)],
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show an overlay as what it changes of its base.

    \b
    Example: pore-plugin overlay diff demo-out/own/overlay.json --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with library_at(clinic, database, actor, stand_in="unnamed") as library:
        found = library.overlay_diff(overlay)
    show(found, lambda: rendering.diff_sheet(found), output)


@overlay_app.command("rebase")
@results_only
def rebase(
    overlays: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Overlays; without one, all that are in use.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Keep them as drafts; without it this is a dry run.")] = False,
    why: WhyOption = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Re-apply overlays to the newest version of their bases, or name what does not fit any more.

    An import does this by itself for the bases in it; an upgrade of pore-plugin or of an extension does not. Exit code
    1 says that there is a conflict; then nothing is applied.

    \b
    Example: pore-plugin overlay rebase --clinic demo-out/input/clinic.toml --database demo-out/db
    """
    with library_at(clinic, database, actor) as library:
        report = library.rebase_overlays(overlays or (), apply=apply, why=why)
    show(report, lambda: rendering.import_sheet(report, locale), output)
    leave(exit_of(report))


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(overlay_app, name="overlay")
