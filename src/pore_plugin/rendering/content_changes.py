"""The sheets of the library: what an import would do, how two versions differ, what is held, what was done to it."""

from collections.abc import Iterable, Iterator, Mapping

from ..contracts import (
    ContentDiff,
    ContentHistory,
    ContentList,
    ImportItem,
    ImportReport,
    Pin,
    Problem,
    RatedChange,
    TouchedRecords,
)
from .words import moment, table, words

__all__ = ["content_list_sheet", "diff_sheet", "history_sheet", "import_sheet"]

_OUTCOMES = ("created", "changed", "unchanged", "conflicting")
_MARKS = {"wording": "wording", "additive": "additive", "breaking": "**breaking**"}
_BUMPS = {
    "none": "No version step is needed.",
    "patch": "This needs a patch version.",
    "minor": "This needs a minor version.",
    "major": "**This needs a major version.**",
}
_LONGEST = 120
"""The most characters of a value in a table; the JSON report has all of them."""


def import_sheet(report: ImportReport, locale: str) -> str:
    """Return what an import did or would do: counts, what is wrong, and each document that is not unchanged."""
    counts = report.counts
    changes = counts.created + counts.changed
    if report.problems:
        heading, said = "Import refused", "**Nothing was written.** What is wrong stands below."
    elif report.applied:
        heading, said = "Import", f"{_count(changes, 'change')} applied."
    else:
        heading, said = "Import: dry run", f"{_count(changes, 'change')}. Nothing was written."
    lines = [f"# {heading}", "", said, ""]
    figures = (counts.created, counts.changed, counts.unchanged, counts.conflicting)
    lines += table((name.capitalize() for name in _OUTCOMES), [map(str, figures)])
    if report.problems:
        lines += ["## What is wrong", "", *map(_problem, report.problems), ""]
    created = [item for item in report.items if item.outcome == "created"]
    if created:
        lines += ["## Created", ""]
        lines += table(("Id", "Version", "Title", "What", "From"), (_created(item, locale) for item in created))
    for item in report.items:
        if item.outcome != "created":
            lines += _changed(item, locale)
    return _sheet(lines)


def diff_sheet(difference: ContentDiff) -> str:
    """Return every difference of two documents with its class, and the version step they ask for."""
    lines = [f"# {_pinned(difference.old)} → {_pinned(difference.new)}", ""]
    if not difference.changes:
        return _sheet([*lines, "They say the same."])
    return _sheet([*lines, _BUMPS[difference.needed_bump], "", *_changes(difference.changes)])


def content_list_sheet(held: ContentList, locale: str) -> str:
    """Return what the library holds, a line for each version."""
    if not held.entries:
        return _sheet(["# Library", "", "There is nothing to list."])
    head = ("Id", "Version", "Title", "What", "State", "Approved by", "Until", "Review due", "From")
    rows = (
        (
            entry.id,
            entry.version,
            _title(entry.title, locale),
            words(entry.type),
            entry.state.upper() if entry.state == "draft" else words(entry.state),
            entry.approved_by or "—",
            entry.valid_until or "—",
            entry.review_due or "—",
            entry.origin if entry.base is None else f"{entry.origin}, on {_pinned(entry.base)}",
        )
        for entry in held.entries
    )
    return _sheet(["# Library", "", *table(head, rows)])


def history_sheet(history: ContentHistory) -> str:
    """Return what was done to a document, oldest first: when, by whom, why, and what it changed."""
    rows = (
        (
            str(entry.seq),
            moment(entry.at),
            _printable(entry.by),
            words(entry.action),
            entry.version,
            _printable(entry.why) if entry.why else "—",
        )
        for entry in history.entries
    )
    lines = [f"# History of {history.id}", "", *table(("", "When", "Who", "What", "Version", "Why"), rows)]
    for entry in history.entries:
        if entry.changes:
            lines += [f"## {entry.seq}. {words(entry.action)}, {entry.version}", "", *_changes(entry.changes)]
    return _sheet(lines)


def _created(item: ImportItem, locale: str) -> tuple[str, ...]:
    return item.id, item.version, _title(item.title or {}, locale), words(item.type), _origin(item)


def _changed(item: ImportItem, locale: str) -> Iterator[str]:
    title = f" — {_title(item.title, locale)}" if item.title else ""
    yield from (f"## {item.outcome.capitalize()}: {item.id}{title}", "")
    step = f"from {item.previous} to {item.version}" if item.previous else item.version
    needed = f" {_BUMPS[item.needed_bump]}" if item.needed_bump else ""
    yield from (f"{words(item.type).capitalize()}, {step} ({_origin(item)}).{needed}", "")
    if item.changes:
        yield from _changes(item.changes)
    if item.touches:
        yield from (*map(_touched, item.touches), "")


def _origin(item: ImportItem) -> str:
    return f"made by {item.overlay}" if item.overlay else _printable(item.source or "—")


def _touched(records: TouchedRecords) -> str:
    kind = _count(records.count, words(records.kind))
    ids = f": {', '.join(records.records)}" if records.records else ""
    more = ", …" if ids and len(records.records) < records.count else ""
    stays = "stays" if records.count == 1 else "stay"
    return f"- {kind} {stays} on {records.version}{ids}{more}"


def _changes(changes: Iterable[RatedChange]) -> list[str]:
    return table(
        ("Place", "Was", "Now", "Change", "Class"),
        (
            (
                _printable(change.place),
                _value(change, change.was),
                _value(change, change.now),
                change.change,
                _MARKS[change.change_class],
            )
            for change in changes
        ),
    )


def _value(change: RatedChange, value: str | None) -> str:
    if value is None:
        return "—"
    if change.change == "moved":
        return f"no. {int(value) + 1}"
    said = _printable(value)
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def _problem(problem: Problem) -> str:
    where = problem.location
    at = f"`{_printable(where.file)}:{where.line}:{where.column}` " if where else ""
    at += f"`{_printable(problem.pointer)}` " if problem.pointer else ""
    return f"- {at}**{_printable(problem.sentence)}** {_printable(problem.next_step)} (`{problem.code}`)"


def _pinned(pin: Pin) -> str:
    return f"{pin.id} {pin.version}"


def _title(title: Mapping[str, str], locale: str) -> str:
    """Return a title in this locale, its language, English, or any: an admin sees documents in every language."""
    said = [title[known] for known in (locale, locale.partition("-")[0], "en", *title) if known in title]
    return _printable(said[0]) if said else "—"


def _printable(text: str) -> str:
    """Return text from a file that nobody has vouched for yet without what would steer a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sheet(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"
