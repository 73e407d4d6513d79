"""Where a command finds the clinic's records: the database, and who is asking."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..contracts import Clinic, ProblemsError
from .clinics import load_clinic
from .documents import load_content
from .exits import Exit, StopError, misused

if TYPE_CHECKING:
    from ..practice import Desk

__all__ = ["ActorOption", "DatabaseOption", "desk_for"]

_VARIABLE = "PORE_PLUGIN_DATABASE"

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Where the records are: a file, sqlite:///FILE or postgresql://HOST/NAME; else PORE_PLUGIN_DATABASE, else"
        " this user's own file.",
        show_default=False,
    ),
]
ActorOption = Annotated[
    str | None,
    typer.Option(
        "--as",
        envvar="PORE_PLUGIN_ACTOR",
        metavar="PERSON",
        help="Who is asking: the id of one of the clinic's people, for the audit; else the name of this computer's"
        " user.",
        show_default=False,
    ),
]


@contextmanager
def desk_for(
    clinic: Path | None,
    database: str | None,
    actor: str | None,
    content: list[Path] | None = None,
    *,
    drafts: bool = False,
) -> Iterator["Desk"]:
    """Open the clinic's database and sit down at it. Raises `StopError`."""
    # Imported here: most commands never see a database, and SQL costs them a tenth of a second.
    from ..practice import Desk
    from ..storage import Database

    settings, documents = load_clinic(clinic), load_content(content or ())
    named = database if database is not None else os.environ.get(_VARIABLE) or None
    try:
        with Database.open(named, password_in_url=database is None) as opened:
            yield Desk(opened, settings, actor=_actor(settings, actor), content=documents, drafts=drafts)
    except StopError:
        raise
    except ProblemsError as error:
        if any(problem.code.startswith("storage.") for problem in error.problems):
            raise StopError(Exit.FAILED, error.problems) from error
        raise


def _actor(clinic: Clinic, said: str | None) -> str:
    if said is None:
        return f"os:{getpass.getuser()}"
    if clinic.person(said) is None:
        people = ", ".join(person.id for person in clinic.people)
        raise misused("actor.unknown", "--as names nobody of the clinic settings.", f"Use one of: {people}.")
    return said
