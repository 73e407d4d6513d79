"""Where a command finds the clinic's records: the database, and who is asking."""

import getpass
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..contracts import Clinic, ProblemsError
from .clinics import load_clinic
from .documents import load_content
from .exits import Exit, StopError, failed, misused

if TYPE_CHECKING:
    from ..practice import Desk
    from ..storage import Database

__all__ = ["ActorOption", "DatabaseOption", "StandIn", "StepsDatabaseOption", "desk_for", "named_database"]

_VARIABLE = "PORE_PLUGIN_DATABASE"
# What is said of a file that is no backup is no finding in one.
_UNREADABLE = frozenset({"backup.missing", "backup.unknown"})

StandIn = Literal["never", "unnamed", "always"]

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
StepsDatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Keep it there: a file, sqlite:///FILE or postgresql://HOST/NAME; else in PORE_PLUGIN_DATABASE. Without"
        " either nothing is kept.",
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


def named_database(option: str | None) -> str | None:
    """Return the database that the option or else the variable names, or nothing. Raises `StopError` for an empty one.

    An empty name is what a script has whose own variable is not set: the records of this user are not meant by it.
    """
    source, named = ("--database", option) if option is not None else (_VARIABLE, os.environ.get(_VARIABLE))
    if named is not None and not named.strip():
        raise misused("usage", f"{source} is empty and names no database.", "Name one, or leave it out altogether.")
    return named


@contextmanager
def desk_for(
    clinic: Path | None,
    database: str | None,
    actor: str | None,
    content: list[Path] | None = None,
    *,
    create: bool,
    whole: bool = False,
    stand_in: StandIn = "never",
    drafts: bool = False,
) -> Iterator["Desk"]:
    """Open the clinic's database and sit down at it. Raises `StopError`.

    `create`: what is not there is made; else a database that is not there or holds nothing of the clinic is refused.
    `whole`: a new database gets its name only when the work on it was done. `stand_in`: instead of refusing, work over
    an empty database that goes with the command, always or where nobody named one.
    """
    # Imported here: most commands never see a database, and SQL costs them a tenth of a second.
    from ..practice import Desk

    named = named_database(database)
    settings, documents = load_clinic(clinic), load_content(content or ())
    hidden = database is None
    try:
        with _made(named, whole, hidden) if create else _found(named, settings.id, stand_in, hidden) as opened:
            yield Desk(opened, settings, actor=_actor(settings, actor), content=documents, drafts=drafts)
    except StopError:
        raise
    except ProblemsError as error:
        if any(problem.code.startswith("storage.") or problem.code in _UNREADABLE for problem in error.problems):
            raise StopError(Exit.FAILED, error.problems) from error
        raise


@contextmanager
def _made(named: str | None, whole: bool, hidden: bool) -> Iterator["Database"]:
    """Open a database, and make it where there is none."""
    from ..storage import Database
    from ..storage.urls import read_place

    path = read_place(named, os.environ, password_in_url=hidden).path if whole else None
    if path is None or os.path.lexists(path):
        with Database.open(named, password_in_url=hidden) as opened:
            yield opened
        return
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with Database.open(str(part), environ={}) as opened:
            yield opened
        # Unlike a rename, a link never replaces a file that has come into being meanwhile.
        os.link(part, path)
    except OSError as error:
        raise failed(
            "file.unwritable", f"The new database did not get its name ({error.strerror}).", "Choose another place."
        ) from error
    finally:
        for left in part.parent.glob(f"{part.name}*"):
            left.unlink(missing_ok=True)


@contextmanager
def _found(named: str | None, clinic: str, stand_in: StandIn, hidden: bool) -> Iterator["Database"]:
    """Open a database that is there and knows the clinic, or one that stands in for it."""
    from ..storage import Database

    stands_in = stand_in == "always" or (stand_in == "unnamed" and named is None)
    try:
        database = Database.open(named, password_in_url=hidden, create=False)
    except ProblemsError as error:
        if not stands_in or any(problem.code != "storage.missing" for problem in error.problems):
            raise
    else:
        with database:
            if database.holds(clinic):
                yield database
                return
            if not stands_in:
                raise failed(
                    "storage.other_clinic",
                    f"Nothing of the clinic {clinic} is kept in the database {database.shown}.",
                    "Check the database, and which clinic settings are used.",
                )
    with (
        TemporaryDirectory(prefix="pore-plugin-") as folder,
        Database.open(str(Path(folder) / "empty.sqlite"), environ={}) as empty,
    ):
        yield empty


def _actor(clinic: Clinic, said: str | None) -> str:
    if said is None:
        return f"os:{getpass.getuser()}"
    if clinic.person(said) is None:
        people = ", ".join(person.id for person in clinic.people)
        raise misused("actor.unknown", "--as names nobody of the clinic settings.", f"Use one of: {people}.")
    return said
