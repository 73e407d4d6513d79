"""A paper without a sheet of its own: its members in a table, with the names of what they refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .names import Names
from .words import moment, table, words

__all__ = ["paper_sheet"]

_PEOPLE = frozenset({"approved_by", "by", "lifted_by", "operators", "prescriber", "recorded_by"})
_INSTANTS = frozenset({"at", "discard_by", "onset"})


def paper_sheet(title: str, document: Mapping[str, Any], names: Names) -> str:
    """Return every member of a document, one in a row."""
    rows = [(" / ".join(words(part) for part in path), said) for path, said in _members(document, (), names)]
    return "\n".join([f"# {title}", "", *table(("What", "Value"), rows), ""])


def _members(value: Any, path: tuple[str, ...], names: Names) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _members(member, (*path, name), names)
    elif isinstance(value, list | tuple):
        for number, member in enumerate(value, 1):
            yield from _members(member, (*path, str(number)), names)
    else:
        yield path, _said(value, path, names)


def _said(value: object, path: tuple[str, ...], names: Names) -> str:
    member = next((part for part in reversed(path) if not part.isdigit()), "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return str(value)
    if member in _PEOPLE:
        return names.person(value)
    if member in _INSTANTS or member.endswith("_at"):
        return moment(value)
    for known in (names.regions, names.products, names.instruments):
        if value in known:
            return known[value]
    return value
