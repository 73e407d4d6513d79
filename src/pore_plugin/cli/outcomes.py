"""The outcomes of a patient, as a sheet and as a picture."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from .. import rendering
from .console import Format, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import Exit, leave, misused
from .files import name_of, write
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["register"]


def outcomes(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.", show_default=False)],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Also draw it: FILE ends in .svg or .png.", show_default=False),
    ] = None,
    treatment: Annotated[
        str | None,
        typer.Option("--treatment", metavar="ID", help="With --picture: after this treatment; else the last one."),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Show each instrument over time against the baseline before each treatment.

    Exit code 1 says that a trend has the non-response flag. A picture needs matplotlib (the extra `pictures`).

    \b
    Example: pore-plugin outcomes patient-1 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    Example: pore-plugin outcomes patient-1 --picture demo-out/outcomes.svg --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  lines to copy
    kind = _kind(picture)
    if treatment is not None and picture is None:
        raise misused("outcomes.treatment", "--treatment chooses what is drawn.", "Use it with --picture FILE.")
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice.outcomes import outcomes as read_outcomes

        report = read_outcomes(desk, patient)
        names = rendering.names_of(desk.clinic, (one.model for one in desk.lookups.catalogue.entries), locale)
        sample = desk.clinic.sample
    if treatment is not None and treatment not in {one.treatment for one in report.treatments}:
        known = ", ".join(one.treatment for one in report.treatments)
        raise misused(
            "outcomes.treatment",
            "--treatment names no treatment of this patient.",
            f"Use one of: {known}." if known else "None is recorded: check the patient's id.",
        )
    if picture is not None and kind is not None:
        caption = f"{patient}{' – SAMPLE' if sample else ''}"
        drawn = rendering.outcome_picture(report, locale, names, picture=kind, treatment=treatment, caption=caption)
        write(picture, drawn, folders=False)

    def sheet() -> str:
        text = rendering.trends_sheet(report, locale, names)
        wrote = f"\nWrote {name_of(picture)}.\n" if picture is not None else ""
        return (rendering.mark_sample(text) if sample else text) + wrote

    show(report, sheet, output)
    leave(Exit.FINDINGS if any(one.non_response for one in report.treatments) else Exit.OK)


def _kind(picture: Path | None) -> Literal["svg", "png"] | None:
    if picture is None:
        return None
    ending = picture.suffix.lower()
    if ending == ".svg":
        return "svg"
    if ending == ".png":
        return "png"
    raise misused("picture.format", "A picture is SVG or PNG.", "Name a file that ends in .svg or .png.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("outcomes")(results_only(outcomes))
