"""Recalls: who got a lot, the quarantine, and adverse events by lot."""

from pathlib import Path
from typing import Annotated

import typer

from .. import rendering
from ..clinical.treatment.recall_table import to_csv
from ..contracts import Model, RecallReport
from .console import Format, emit, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import Exit, leave, misused
from .files import write
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["register"]

_LotOption = Annotated[
    str | None,
    typer.Option(
        "--lot",
        "--batch",
        metavar="LOT",
        help="The lot or batch: capitals, blanks and hyphens do not matter, and O is read as 0.",
        show_default=False,
    ),
]


def recall(
    lot: _LotOption = None,
    product: Annotated[
        str | None, typer.Option("--product", metavar="ID", help="Of this product alone.", show_default=False)
    ] = None,
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Quarantine the lot now, and make a task for each patient; else nothing changes."),
    ] = False,
    lift: Annotated[
        str | None,
        typer.Option(
            "--lift", metavar="ID", help="Lift this quarantine instead of asking for a lot.", show_default=False
        ),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", "--why", metavar="TEXT", help="With --apply and --lift: why.", show_default=False),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Also write a table for a spreadsheet; - prints that alone."),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option(
            "--exit-code", help="Leave with 1 where a treatment or a vial of the lot is recorded; else with 0."
        ),
    ] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Say who got a lot ("batch"), how it stands with them, and what was done about it.

    Lots that read almost alike stand apart. With --apply doing it again changes nothing, but makes tasks for patients
    whose treatment was recorded since.

    \b
    Example: pore-plugin recall --lot "sample lot 7" --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    Example: pore-plugin recall --batch SAMPLE-LOT-7 --csv - --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    Example: pore-plugin recall --lot SAMPLE-LOT-7 --apply --reason "Recalled by its maker." --as dr-sample --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  lines to copy
    _refuse_nonsense(lot, product, apply, lift, reason, csv, output)
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import recalls

        names = rendering.names_of(desk.clinic, (one.model for one in desk.lookups.catalogue.entries), locale)
        if lift is not None:
            lifted = recalls.lift(desk, lift, desk.actor, reason or "")
            show(lifted, lambda: rendering.paper_sheet("Lot quarantine, lifted", lifted.to_document(), names), output)
            return
        if apply:
            report = recalls.apply(desk, lot or "", desk.actor, reason or "", product)
        else:
            report = recalls.recall(desk, lot or "", product)
    if csv is not None and str(csv) == "-":
        emit(to_csv(report).decode().removesuffix("\r\n"))
    else:
        show(report, lambda: rendering.recall_sheet(report, names) + _next(report, applied=apply), output)
    if csv is not None and str(csv) != "-":
        write(csv, to_csv(report))
    found: tuple[Model, ...] = (*report.uses, *report.corrected, *report.vials)
    leave(Exit.FINDINGS if found and exit_code else Exit.OK)


def adverse_events(
    lot: _LotOption = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """List adverse events by lot ("batch"), the lot with most of them first; of one lot where it is named.

    \b
    Example: pore-plugin adverse-events --lot SAMPLE-LOT-7 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import recalls

        report = recalls.adverse_events(desk, lot)
        names = rendering.names_of(desk.clinic, (one.model for one in desk.lookups.catalogue.entries), locale)
    show(report, lambda: rendering.lot_events_sheet(report, names), output)


def _refuse_nonsense(
    lot: str | None,
    product: str | None,
    apply: bool,
    lift: str | None,
    reason: str | None,
    csv: Path | None,
    output: Format,
) -> None:
    if (lot is None) == (lift is None):
        raise misused(
            "recall.what", "Name a lot, or a quarantine to lift.", "Use --lot LOT (or --batch), or --lift ID."
        )
    if lift is not None and (apply or product is not None or csv is not None):
        raise misused("recall.lift", "--lift goes with --reason alone.", "Leave --apply, --product and --csv out.")
    if (apply or lift is not None) != (reason is not None):
        raise misused(
            "recall.reason", "--apply and --lift need a reason, and nothing else has one.", "Use --reason TEXT."
        )
    if csv is not None and str(csv) == "-" and output is Format.JSON:
        raise misused("recall.two_results", "Two documents cannot both be printed.", "Write the table into a file.")


def _next(report: RecallReport, *, applied: bool) -> str:
    """Say what --apply would do, or did."""
    waiting = len({use.patient for use in report.uses if use.task is None})
    if applied:
        asked = "every patient has a task" if report.uses else "nobody was treated with it, so there is no task"
        return f"\nThe lot is quarantined, and {asked}.\n"
    if report.quarantined and not waiting:
        return ""
    doing = [] if report.quarantined else ["quarantine the lot"]
    doing += [f"make {waiting} task{'' if waiting == 1 else 's'}"] if waiting else []
    return f"\nNothing was changed. `--apply` would {' and '.join(doing)}.\n"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("recall")(results_only(recall))
    app.command("adverse-events")(results_only(adverse_events))
