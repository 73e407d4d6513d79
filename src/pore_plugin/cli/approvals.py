"""What a clinic works with: approvals of content, their end, and the way back to an older version."""

from datetime import date
from typing import Annotated

import typer

from .console import Format, emit, results_only
from .desks import ActorOption, DatabaseOption
from .exits import misused
from .library import DocumentArgument, WhyOption, library_at, show_list
from .steps import ClinicOption, FormatOption, LocaleOption

__all__ = ["register"]

DocumentsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Content documents: ID, or ID@VERSION.", show_default=False)
]
UntilOption = Annotated[
    str, typer.Option("--until", metavar="DATE", help="The last day of the approval, such as 2027-06-30.")
]
ReasonOption = Annotated[str, typer.Option("--why", "--reason", metavar="TEXT", help="The reason, for the history.")]


def approve(
    documents: DocumentsArgument,
    until: UntilOption,
    why: WhyOption = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Approve content for this clinic, until a day; the newest version of a document where none is named.

    `--as` is the prescriber who approves. A patient is treated only with a form, a day form, a template and texts
    that are approved, those of the package too.

    \b
    Example: pore-plugin init template --id acme.template.peel --out demo-out/own/peel.json
    Example: pore-plugin import demo-out/own/peel.json --apply --why "From a colleague" --clinic demo-out/input/clinic.toml --database demo-out/db
    Example: pore-plugin approve acme.template.peel pore.form.consultation --as dr-sample --until 2099-12-31 --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    day = _day(until)
    with library_at(clinic, database, actor, create=True) as library:
        done = library.approve(documents, person=library.desk.actor, until=day, why=why)
    show_list(done, output, locale)


def withdraw(
    documents: DocumentsArgument,
    why: ReasonOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Take every approval of content back, from now on.

    \b
    Example: pore-plugin withdraw pore.form.consultation --why "Read again first" --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with library_at(clinic, database, actor) as library:
        show_list(library.withdraw(documents, why=why), output, locale)


def hand_over(
    leaver: Annotated[str, typer.Argument(metavar="LEAVER", help="Whose approvals are handed over.")],
    until: UntilOption,
    why: WhyOption = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Approve whatever somebody who leaves has approved and that has not ended.

    `--as` is the prescriber who approves it now. What is not handed over expires when the clinic settings no longer
    have the leaver as a prescriber.

    \b
    Example: pore-plugin hand-over dr-former --as dr-sample --until 2099-12-31 --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    day = _day(until)
    with library_at(clinic, database, actor) as library:
        done = library.hand_over(leaver=leaver, person=library.desk.actor, until=day, why=why)
    show_list(done, output, locale)


def retire(
    document: DocumentArgument,
    why: ReasonOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Offer a document of the clinic's own no more. Nothing is deleted: records find it by its pin.

    Its approvals end, so nobody is treated with it; `rollback` takes it into use again.

    \b
    Example: pore-plugin retire acme.template.peel --why "Out of use" --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with library_at(clinic, database, actor) as library:
        show_list(library.retire(document, why=why), output, locale)


def rollback(
    document: DocumentArgument,
    to: Annotated[str, typer.Option("--to", metavar="VERSION", help="The version to go back to.")],
    why: ReasonOption,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Go back to an older version, byte for byte. Follow-ups and answers stay on the version that they pin.

    Approvals of what is left behind end. Where no approval of the older version holds it is a draft again.

    \b
    Example: pore-plugin rollback acme.template.peel --to 0.1.0 --why "In use again" --clinic demo-out/input/clinic.toml --database demo-out/db
    """  # noqa: E501
    with library_at(clinic, database, actor) as library:
        done = library.rollback(document, to=to, why=why)
    show_list(done, output, locale)
    if output is Format.TEXT and any(entry.state != "active" for entry in done.entries):
        emit("\nNo approval of it holds: it is a draft until a prescriber approves it.")


def _day(said: str) -> str:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        raise misused("usage", "--until is no date.", "Write it like 2027-06-30.") from None


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (approve, withdraw, hand_over, retire, rollback):
        app.command()(results_only(command))
