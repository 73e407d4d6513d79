"""Commands about patients: list, export, erase, merge, hold, and records of the wrong one.

Whatever destroys something shows first what it would do; `--apply` does it.
"""

from pathlib import Path
from typing import Annotated

import typer

from ..contracts import PatientList
from ..rendering import custody as sheets
from .console import Format, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import Exit, leave, misused
from .files import name_of, write
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["register"]

patient_app = typer.Typer(
    help="Everything that is kept of a patient.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)

PatientArgument = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.", show_default=False)]
WhyOption = Annotated[
    str, typer.Option("--why", "--reason", metavar="REASON", help="Why; it is kept in the records.", show_default=False)
]


@patient_app.command("list")
@results_only
def list_patients(
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """List the ids of all patients with records here.

    \b
    Example: pore-plugin patient list --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import patients

        listed = patients.list_patients(desk)
    show(listed, lambda: sheets.patients_sheet(listed), output)


@patient_app.command("export")
@results_only
def export(
    patient: PatientArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.zip", help="Write an archive for people and machines.", show_default=False),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Export everything that is kept of a patient, under every id.

    The archive has export.json, every record's bytes as they are kept, and a sheet of each. Without --out the text
    shows numbers only, and --format json the whole export.

    \b
    Example: pore-plugin patient export patient-1 --out demo-out/patient-1.zip --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    if out is not None and out.exists():
        raise misused("file.exists", f"There is a file {name_of(out)} already.", "Name another file.")
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import exports

        if out is None:
            found = exports.export_patient(desk, patient)
        else:
            found, data = exports.archive(desk, patient, locale)
            write(out, data)
    if out is not None and output is Format.JSON:
        # What was asked for is in the file; the terminal shows whose it is.
        listed = PatientList(clinic=found.clinic, generated_at=found.generated_at, patients=(found.entry,))
        show(listed, lambda: "", output)
        return
    show(found, lambda: sheets.export_sheet(found, None if out is None else name_of(out)), output)


@patient_app.command("erase")
@results_only
def erase(
    patient: PatientArgument,
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            "--why",
            metavar="REASON",
            help="Why, without saying who; it stays when all else is gone.",
            show_default=False,
        ),
    ],
    apply: Annotated[bool, typer.Option("--apply", help="Do it. Without it, only what it would do is shown.")] = False,
    despite_retention: Annotated[
        str | None,
        typer.Option(
            "--despite-retention",
            metavar="REASON",
            help="Why it must be although the retention period runs, or an event or a quarantine is open.",
            show_default=False,
        ),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Erase a patient: a dry run, or with --apply everything, for good.

    Exit code 1 when something stands against it. Nothing overrules a legal hold.

    \b
    Example: pore-plugin patient erase patient-1 --reason "Asked for in writing." --despite-retention "A trial run." --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import privacy

        report = privacy.erase(desk, patient, reason, apply=apply, despite_retention=despite_retention)
    show(report, lambda: sheets.erasure_sheet(report), output)
    leave(Exit.FINDINGS if report.refused or report.problems else Exit.OK)


@patient_app.command("tombstones")
@results_only
def tombstones(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the list for `restore --tombstones`.", show_default=False),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """List the erasures, which tell nobody who was erased.

    Kept apart from the database, the list erases again whom an older backup brings back.

    \b
    Example: pore-plugin patient tombstones --out demo-out/tombstones.json --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import privacy

        listed = privacy.tombstones(desk)
    if out is not None:
        write(out, listed.to_json())
    show(listed, lambda: sheets.tombstones_sheet(listed), output)


@patient_app.command("hold")
@results_only
def hold(
    patient: PatientArgument,
    why: WhyOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Put a legal hold on a patient's records: nothing of them is erased while it stands.

    \b
    Example: pore-plugin patient hold patient-1 --why "A claim was announced." --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import patients

        said = patients.hold(desk, patient, why)
    show(said, lambda: sheets.hold_sheet(said), output)


@patient_app.command("release")
@results_only
def release(
    patient: PatientArgument,
    why: WhyOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Lift the legal hold on a patient's records.

    \b
    Example: pore-plugin patient release patient-1 --why "It was withdrawn." --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import patients

        said = patients.release(desk, patient, why)
    show(said, lambda: sheets.hold_sheet(said), output)


@patient_app.command("merge")
@results_only
def merge(
    patient: PatientArgument,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The id that remains.", show_default=False)],
    why: WhyOption,
    despite: Annotated[
        list[str] | None,
        typer.Option("--despite", metavar="CODE", help="What speaks against it and was looked at.", show_default=False),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Have one patient stand for another: both ids find the same records from now on, and none of them changes.

    \b
    Example: pore-plugin patient merge patient-2 patient-1 --why "Registered twice." --despite patient.birth_dates_differ --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import patients

        said = patients.merge(desk, patient, into, why, despite=despite or ())
    show(said, lambda: sheets.merge_sheet(said), output)


@patient_app.command("unmerge")
@results_only
def unmerge(
    patient: PatientArgument,
    why: WhyOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Take a merge back: the id that was merged away stands for itself again.

    \b
    Example: pore-plugin patient unmerge patient-2 --why "They are two people." --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import patients

        said = patients.unmerge(desk, patient, why)
    show(said, lambda: sheets.merge_sheet(said), output)


@patient_app.command("correct")
@results_only
def correct(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The id of a record.", show_default=False)],
    to: Annotated[str, typer.Option("--to", metavar="PATIENT", help="Whose it really is.", show_default=False)],
    why: WhyOption,
    only: Annotated[
        bool, typer.Option("--only", help="This record and what belongs to it, not the whole session.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", metavar="HOST", help="The host system of a patient who is new here.", show_default=False
        ),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Have a session that was recorded under the wrong patient found under the right one; no byte changes.

    Consents, authorisations and overrides in it count as entered in error: they name the wrong person.

    \b
    Example: pore-plugin patient correct consultation-2 --to patient-1 --why "Two people with one name." --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import corrections

        said = corrections.correct(desk, record, to, why, only=only, host=host)
    show(said, lambda: sheets.correction_sheet(said), output)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(patient_app, name="patient")
