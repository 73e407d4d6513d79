"""What is due today, as a sheet: tasks first, then steps, the most urgent first, then the open watches."""

from collections.abc import Iterator
from itertools import groupby

from ..clinical.durations import instant_of, load_zone, to_utc
from ..clinical.wording.localising import localise
from ..contracts import DueItem, DueList, DueTask, StepHistory
from .words import HOW, moment, table

__all__ = ["due_sheet", "step_history_sheet"]

_STATES = {"due": "not booked", "planned": "not booked"}
"""What a state means for a visit whose time has come; the others stand for themselves."""

_KEY = 8
"""Signs of a key that are shown: enough to name a step by."""


def step_history_sheet(history: StepHistory, locale: str) -> str:
    """Return a step with every move that it made, who made it and why."""
    lines = [f"# {history.step} {localise(history.title, locale)}", ""]
    lines += [f"Patient {history.patient}, treatment {history.treatment}", f"Key {history.key}", ""]
    lines += [f"**{history.state.capitalize()}**, due {moment(history.due)}", ""]
    if not history.moves:
        return "\n".join([*lines, "Nothing has moved it."]) + "\n"
    rows = (
        (
            str(one.number),
            f"{one.from_state} → {one.to_state}",
            moment(one.at),
            one.by.id if one.by.kind == "person" else f"{one.by.id} ({one.by.kind})",
            (f"takes {one.corrects[:_KEY]} back: " if one.corrects else "") + one.reason,
            "" if one.due is None else moment(one.due) + ("" if one.within_window else ", **outside its window**"),
        )
        for one in history.moves
    )
    lines += table(("", "Move", "When", "By", "Why", "New time"), rows)
    return "\n".join(lines).rstrip() + "\n"


def due_sheet(due: DueList, locale: str) -> str:
    """Return the list with the reason of the last move of each step; every time is on the clinic's clocks."""
    lines = ["# Follow-up due", "", f"At {moment(due.at, offset=False)}, zone {due.zone}.", ""]
    if not due.tasks and not due.items:
        lines += ["Nothing is due.", ""]
    if due.tasks:
        lines += ["## Tasks", ""]
        rows = (
            (
                f"**{localise(task.title, locale)}**" if task.ignores_hours else localise(task.title, locale),
                task.patient,
                moment(task.due, offset=False),
                _standing(task),
                task.key[:_KEY],
            )
            for task in due.tasks
        )
        lines += table(("Task", "Patient", "At the latest", "State", "Key"), rows)
    for heading, items in groupby(due.items, _heading):
        lines += [f"## {heading}", "", *_items(list(items), locale, due.zone)]
    if due.watches:
        lines += ["## Red-flag watch open", ""]
        lines += table(("Patient", "Until"), ((one.patient, moment(one.until, offset=False)) for one in due.watches))
    return "\n".join(lines).rstrip() + "\n"


def _standing(task: DueTask) -> str:
    standing = "overdue" if task.standing == "overdue" else "open"
    return f"**{standing}**, at any hour" if task.ignores_hours else standing


def _heading(item: DueItem) -> str:
    heading = "Still to come" if item.standing == "upcoming" else item.standing.capitalize()
    return f"{heading}, required" if item.required and item.standing in ("missed", "overdue") else heading


def _state(item: DueItem) -> str:
    if item.kind != "visit":
        return item.state
    if item.standing == "upcoming" and item.state == "planned":
        return "not yet due"
    return _STATES.get(item.state, item.state)


def _items(items: list[DueItem], locale: str, zone: str) -> Iterator[str]:
    rows = (
        (
            item.patient,
            f"{item.step} {localise(item.title, locale)}",
            HOW[item.kind],
            moment(item.due, offset=False) + (f" ({_days(item.days_overdue)})" if item.days_overdue else ""),
            moment(item.latest, offset=False) if item.latest else "open",
            _state(item),
            item.key[:_KEY],
        )
        for item in items
    )
    yield from table(("Patient", "Step", "How", "Due", "Window ends", "State", "Key"), rows)
    for item in items:
        yield f"- **{item.patient}, {item.step}** {localise(item.purpose, locale)}"
        if item.last_move:
            last = item.last_move
            at = moment(instant_of(to_utc(last.at), load_zone(zone)), offset=False)
            yield f"  Last: {last.to_state}, {at}, by {last.by.id}: {last.reason}"
        if item.no_show and item.standing in ("missed", "overdue"):
            yield f"  **Now:** {localise(item.no_show, locale)}"
    yield ""


def _days(days: int) -> str:
    return "1 day ago" if days == 1 else f"{days} days ago"
