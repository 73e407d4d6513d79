"""What follows a treatment, kept: what is due, what moved, and what people and the host report."""

from enum import StrEnum
from typing import Annotated

import typer

from .. import rendering
from ..contracts import FollowUpMove, Mover
from .console import Format, results_only, show
from .desks import ActorOption, DatabaseOption, desk_for
from .exits import misused
from .steps import ClinicOption, FormatOption, LocaleOption, follow_up_app

__all__ = ["register"]

_KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key, or how it begins.", show_default=False)]
_ReasonOption = Annotated[
    str, typer.Option("--reason", "--why", metavar="TEXT", help="Why; it is kept.", show_default=False)
]


class To(StrEnum):
    """The states that somebody can say of a step."""

    PLANNED = "planned"
    DUE = "due"
    BOOKED = "booked"
    SENT = "sent"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"


def due(
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="As of this moment, such as 2026-10-08T09:00:00+01:00; else now."),
    ] = None,
    ahead: Annotated[int, typer.Option("--ahead", min=0, max=366, help="Days ahead to show what is to come.")] = 0,
    missed_for: Annotated[
        int, typer.Option("--missed-for", min=0, max=3660, help="Days after its window that a missed step is shown.")
    ] = 90,
    apply: Annotated[
        bool, typer.Option("--apply", help="First keep what time alone has moved, and tell of it through the outbox.")
    ] = False,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """List what is due, overdue and missed, open tasks and red-flag watches, on the clinic's clocks.

    Nothing is sent to anybody: the host does that, and reports back with `follow-up move KEY --to sent`. With --apply,
    steps whose time has come become due, and those that nobody did become missed, each told once.

    \b
    Example: pore-plugin follow-up due --at 2026-10-08T09:00:00+01:00 --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    Example: pore-plugin follow-up due --apply --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  lines to copy
    if apply and at is not None:
        raise misused("due.apply_at", "Only the present moves a step.", "Leave --at or --apply out.")
    moment = _instant(at)
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import due as use_case

        moves = use_case.advance(desk) if apply else ()
        listed = use_case.due(desk, moment, ahead=ahead, missed_for=missed_for)
        sample = desk.clinic.sample

    def sheet() -> str:
        text = rendering.due_sheet(listed, locale)
        moved = f"\n{len(moves)} move{'' if len(moves) == 1 else 's'} kept.\n" if apply else ""
        return (rendering.mark_sample(text) if sample else text) + moved

    show(listed, sheet, output)


def move(
    key: _KeyArgument,
    reason: _ReasonOption,
    to: Annotated[
        To | None, typer.Option("--to", metavar="STATE", help="What the step became.", show_default=False)
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="Take the latest move back instead: it was wrong.")] = False,
    time: Annotated[
        str | None,
        typer.Option(
            "--due", metavar="INSTANT", help="The new time of what was booked or planned.", show_default=False
        ),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="INSTANT", help="When it happened; else now.", show_default=False)
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="NAME", help="The host system that reports it; else the person of --as."),
    ] = None,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Keep that a step was booked, sent, done, missed, cancelled or planned anew, with the reason.

    A move that the step cannot make is refused, and the ones that it can are named.

    \b
    Example: pore-plugin follow-up move 5241db5b --to done --reason "Seen before leaving: nothing unusual." --as dr-sample --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  lines to copy
    if (to is None) != back:
        raise misused(
            "move.what", "Say what the step became, or take its latest move back.", "Use --to STATE, or --back."
        )
    if back and (time or at or host):
        raise misused(
            "move.back", "A person takes a move back, and the time is that before it.", "Use --reason and --as."
        )
    new_time, happened = _instant(time), _instant(at)
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import due as use_case

        by = _mover(desk.actor, host)
        if to is None:
            one = use_case.take_back(desk, key, by, reason)
        else:
            one = use_case.move(desk, key, to.value, by, reason, at=happened, due=new_time)
    show(one, lambda: _said(one), output)


def history(
    key: _KeyArgument,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Show every move of a step: when, by whom, and why.

    \b
    Example: pore-plugin follow-up history 5241db5b --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..practice import due as use_case

        found = use_case.history(desk, key)
        sample = desk.clinic.sample

    def sheet() -> str:
        text = rendering.step_history_sheet(found, locale)
        return rendering.mark_sample(text) if sample else text

    show(found, sheet, output)


def done(
    key: _KeyArgument,
    clinic: ClinicOption = None,
    database: DatabaseOption = None,
    actor: ActorOption = None,
    output: FormatOption = Format.TEXT,
    locale: LocaleOption = "en",
) -> None:
    """Say that a task of the due list was done, such as the call after a red flag.

    \b
    Example: pore-plugin follow-up done 5288cbe5 --as dr-sample --clinic demo-out/input/clinic.toml --database demo-out/records.sqlite
    """  # noqa: E501  a line to copy
    with desk_for(clinic, database, actor, create=False) as desk:
        from ..clinical.wording.localising import localise
        from ..practice.tasks import finish

        task = finish(desk, key)
        show(task, lambda: f"Done: {localise(task.title, locale)} ({task.patient})\n", output)


def _said(one: FollowUpMove) -> str:
    time = f", for {rendering.moment(one.due)}" if one.due is not None else ""
    outside = " **That is outside its window.**" if one.within_window is False else ""
    return f"{one.from_state} → {one.to_state}{time}: {one.reason}{outside}\n"


def _mover(actor: str, host: str | None) -> Mover:
    if host is not None:
        try:
            return Mover(kind="host", id=host)
        except ValueError:
            raise misused(
                "move.host", "This cannot be the name of a host system.", "Use letters, digits and . _ -"
            ) from None
    if actor.startswith("os:"):
        raise misused(
            "move.who", "A step is moved by somebody who works here, or by the host.", "Use --as PERSON, or --host."
        )
    return Mover(kind="person", id=actor)


def _instant(said: str | None) -> str | None:
    """Return a moment as contracts write it, `Z` and a blank for the T allowed. Raises `StopError`."""
    if said is None:
        return None
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise misused(
            "time.form", "A moment has a date, a time and an offset.", "Write it as 2026-10-08T09:00:00+01:00."
        )
    return moment.replace(microsecond=0).isoformat()


def register(app: typer.Typer) -> None:
    """Add the commands to those of the follow-up."""
    for command in (due, move, history, done):
        follow_up_app.command(command.__name__)(results_only(command))
