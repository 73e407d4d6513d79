"""Commands about the keeping of records: backups, retention, the audit."""

import re
from pathlib import Path
from typing import Annotated

import typer

from ..contracts import AuditHead, ProblemsError, TombstoneList
from ..rendering import custody as sheets
from .console import Format, read_document, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import Exit, StopError, leave, misused
from .steps import ClinicOption, FormatOption

__all__ = ["register"]

audit_app = typer.Typer(
    help="Who read and wrote what, and whether that is as it was written.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@results_only
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="Read an existing backup again instead.")] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Write a backup of this clinic, and of no other one, and read it again.

    The file is for its owner alone. Whoever is erased later is still in it, and is erased again by a restore.

    \b
    Example: pore-plugin backup demo-out/one.backup --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False, stand_in="unnamed" if verify else "never") as desk:
        from ..practice import backups

        if verify:
            manifest = backups.verify(desk, file)
        else:
            try:
                manifest = backups.take(desk, file)
            except ProblemsError as error:
                raise StopError(Exit.FAILED, error.problems) from error
    show(manifest, lambda: sheets.backup_sheet(manifest), output)


@results_only
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", show_default=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Take away what the clinic holds here.")] = False,
    tombstones: Annotated[
        Path | None,
        typer.Option(
            "--tombstones", metavar="FILE", help="Erasures that were listed since the backup.", show_default=False
        ),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Bring this clinic back from a backup, all of it or nothing, and pause it until somebody has looked.

    Whoever was erased since is erased again. Where the clinic holds records, it only shows what would go (exit code
    1), until --replace.

    \b
    Example: pore-plugin restore demo-out/one.backup --clinic demo-out/input/clinic.toml --database demo-out/restored.sqlite
    """  # noqa: E501  a line to copy
    erased = None if tombstones is None else read_document(TombstoneList, tombstones)
    with desk_for(clinic, database, actor, create=True, whole=True) as desk:
        from ..practice import backups

        report = backups.restore(desk, file, replace=replace, erased=erased)
    show(report, lambda: sheets.restore_sheet(report), output)
    leave(Exit.OK if report.applied else Exit.FINDINGS)


@results_only
def resume(
    why: Annotated[
        str,
        typer.Option(
            "--why", "--reason", metavar="REASON", help="What was looked at; it is in the audit.", show_default=False
        ),
    ],
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Let a clinic that was restored deliver again.

    \b
    Example: pore-plugin resume --why "Compared with the host." --clinic demo-out/input/clinic.toml --database demo-out/restored.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import backups

        report = backups.resume(desk, why)
    show(report, lambda: sheets.resume_sheet(report), output)


@results_only
def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Erase them. Without it, they are only shown.")] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show whose retention period is over; with --apply they are erased, for good.

    A legal hold, an open adverse event and a quarantined lot keep records all the same, and the list says so.

    \b
    Example: pore-plugin retention --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import privacy

        report = privacy.retention(desk, apply=apply)
    show(report, lambda: sheets.retention_sheet(report), output)
    leave(Exit.FINDINGS if report.problems else Exit.OK)


@audit_app.command("verify")
@results_only
def audit_verify(
    noted: Annotated[
        str | None,
        typer.Option(
            "--noted", metavar="NUMBER:HASH", help="An end of the chain that was kept elsewhere.", show_default=False
        ),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Read the whole audit again. Exit code 1 names every entry that is not as it was written.

    \b
    Example: pore-plugin audit verify --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """
    head = None if noted is None else _head(noted)
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import auditing

        check = auditing.verify(desk, noted=head)
    show(check, lambda: sheets.audit_check_sheet(check), output)
    leave(Exit.OK if check.intact else Exit.FINDINGS)


@audit_app.command("who")
@results_only
def audit_who(
    patient: Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.", show_default=False)],
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Show who read and wrote a patient's records, and when. Asking is in the audit too.

    \b
    Example: pore-plugin audit who patient-1 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import auditing

        listed = auditing.who(desk, patient)
    show(listed, lambda: sheets.audit_list_sheet(listed), output)


def _head(noted: str) -> AuditHead:
    found = re.fullmatch(r"([0-9]{1,15}):([0-9a-f]{64})", noted)
    if found is None:
        raise misused("audit.noted", "--noted is no end of a chain.", "Copy the whole of it: NUMBER:HASH.")
    return AuditHead(number=int(found[1]), hash=found[2])


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (backup, restore, resume, retention):
        app.command()(command)
    app.add_typer(audit_app, name="audit")
