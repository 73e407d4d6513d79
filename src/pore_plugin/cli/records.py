"""Commands over the records: keep a paper, print a case as it is kept, print a kept record as a sheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contracts import DOCUMENTS, CaseFile
from .console import Format, emit, read_document, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import misused
from .steps import ClinicOption, ContentOption, FormatOption, LocaleOption

if TYPE_CHECKING:
    from ..contracts import Model

__all__ = ["register"]

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The JSON document; - for standard input.", show_default=False)
]


def record(
    contract: Annotated[
        str,
        typer.Argument(
            metavar="CONTRACT",
            help="What the paper is: adverse-event, approval, authorisation, consent-withdrawal, lot-quarantine,"
            " outcome, override or vial.",
            show_default=False,
        ),
    ],
    file: FileArgument,
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    patient: Annotated[
        str | None, typer.Option("--patient", metavar="ID", help="Whose an outcome is.", show_default=False)
    ] = None,
    amend: Annotated[
        str | None,
        typer.Option(
            "--amend", metavar="WHY", help="Append it as a correction of what is kept under its id.", show_default=False
        ),
    ] = None,
) -> None:
    """Keep a paper that no step makes, such as a withdrawal or an adverse event.

    What it refers to has to be kept already. The same paper again writes nothing.

    \b
    Example: pore-plugin record vial demo-out/1-treated/16-vial-1.json --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, content, create=True) as desk:
        from ..practice import amend as corrected
        from ..practice import keep
        from ..practice.papers import PAPERS
        from ..validation.explain import nearest

        if contract not in PAPERS:
            close = nearest(contract, PAPERS)
            raise misused(
                "record.kind",
                "CONTRACT names no paper: other records are made by a step of the workflow.",
                f"Did you mean `{close}`?" if close else f"Use one of: {', '.join(sorted(PAPERS))}.",
            )
        paper: Model = read_document(DOCUMENTS[contract], file)
        new = (
            keep(desk, paper, patient=patient) if amend is None else corrected(desk, paper, why=amend, patient=patient)
        )
        show(paper, lambda: "Kept.\n" if new else "Kept before; nothing was written.\n", output)


def case(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The id of the procedure plan.", show_default=False)],
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Print everything that is kept of a planned session, ready for `ready` and `treat`.

    With `--format json` it is the case-file that their requests hold.

    \b
    Example: pore-plugin case c4e52e8d-bfe9-55b0-ace3-b6458e0193f7 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, content, create=False) as desk:
        from ..practice import case_of
        from ..rendering import plan_sheet

        found = case_of(desk, plan)
        show(found, lambda: f"{plan_sheet(found.plan, locale)}\n{_listed(found)}", output)


def sheet(
    kind: Annotated[
        str, typer.Argument(metavar="CONTRACT", help="What kind of record it is, by its contract.", show_default=False)
    ],
    record_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the record.", show_default=False)],
    clinic: ClinicOption = None,
    content: ContentOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
    revision: Annotated[
        int | None, typer.Option("--revision", metavar="N", help="Of several, which one; else the newest.", min=1)
    ] = None,
) -> None:
    """Print a kept record, from the very bytes that were kept with it.

    \b
    Example: pore-plugin sheet treatment-record treatment-1 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, content, create=False) as desk:
        from ..practice import record_of, render

        if output is Format.JSON:
            show(record_of(desk, kind, record_id, revision=revision), str, output)
        else:
            emit(render(desk, kind, record_id, locale=locale, revision=revision))


def _listed(found: CaseFile) -> str:
    parts = {
        "Form of the day": [found.day_form] if found.day_form is not None else [],
        "Earlier toxin": found.history,
        "Consents": found.consents,
        "Withdrawals": found.withdrawals,
        "Overrides": found.overrides,
        "Authorisations": found.authorisations,
        "Approvals": found.approvals,
        "Vials": found.vials,
        "Quarantined lots": found.quarantines,
    }
    lines = [f"- {name}: {len(records) or 'none'}" for name, records in parts.items()]
    return "\n".join(["## Kept with it", "", *lines, "", ""])


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (record, case, sheet):
        app.command()(results_only(command))
