"""Field-level differences of two content documents, items of lists matched by what they are called."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from ..contracts import FieldChange, canonical
from .places import escaped, joined, names_of, same_kind

__all__ = ["Difference", "diff", "differences", "in_order"]

_ENVELOPE = frozenset({"digest", "status", "version"})
"""What two versions of a document differ in anyway, or what the library keeps in rows of its own."""


class Difference(NamedTuple):
    """A `FieldChange` before it is written down: the values themselves, and both ways to the place."""

    change: str
    names: tuple[str, ...]
    pointer: str
    was: Any
    now: Any


def diff(old_document: Mapping[str, Any], new_document: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return every difference of two plain documents, in the order of the new one.

    The top-level `version`, `digest` and `status` are left out. An item that a list gained or lost is one difference,
    and so is one that stands elsewhere among those that both lists have. Equal documents have none.
    """
    found = differences(old_document, new_document)
    return tuple(
        FieldChange.model_validate(
            {
                "pointer": each.pointer,
                "place": joined(each.names),
                "change": each.change,
                **({} if each.change == "added" else {"was": canonical(each.was).decode()}),
                **({} if each.change == "removed" else {"now": canonical(each.now).decode()}),
            }
        )
        for each in found
    )


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what `diff` returns, with the values themselves."""
    return _members(
        {key: value for key, value in old.items() if key not in _ENVELOPE},
        {key: value for key, value in new.items() if key not in _ENVELOPE},
        (),
        "",
        "",
    )


def _between(old: Any, new: Any, names: tuple[str, ...], old_at: str, new_at: str) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _members(old, new, names, old_at, new_at)
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        yield from _items(old, new, names, old_at, new_at)
    elif type(old) is not type(new) or old != new:
        yield Difference("changed", names, new_at, old, new)


def _members(
    old: Mapping[str, Any], new: Mapping[str, Any], names: tuple[str, ...], old_at: str, new_at: str
) -> Iterator[Difference]:
    for key in (*new, *(key for key in old if key not in new)):
        here, was_at, now_at = (*names, key), f"{old_at}/{escaped(key)}", f"{new_at}/{escaped(key)}"
        if key not in old:
            yield Difference("added", here, now_at, None, new[key])
        elif key not in new:
            yield Difference("removed", here, was_at, old[key], None)
        else:
            yield from _between(old[key], new[key], here, was_at, now_at)


def _items(
    old: Sequence[Any], new: Sequence[Any], names: tuple[str, ...], old_at: str, new_at: str
) -> Iterator[Difference]:
    old_names, new_names = names_of(old), names_of(new)
    if old_names is None or new_names is None:
        yield from _unnamed(old, new, names, old_at, new_at)
        return
    was_at = {name: index for index, name in enumerate(old_names)}
    now_at = {name: index for index, name in enumerate(new_names)}
    in_place = in_order([was_at[name] for name in new_names if name in was_at])
    for name, index in now_at.items():
        here, pointer = (*names, name), f"{new_at}/{index}"
        before = was_at.get(name)
        if before is None:
            yield Difference("added", here, pointer, None, new[index])
            continue
        if before not in in_place:
            yield Difference("moved", here, pointer, before, index)
        if same_kind(old[before], new[index]):
            yield from _between(old[before], new[index], here, f"{old_at}/{before}", pointer)
        else:
            yield Difference("changed", here, pointer, old[before], new[index])
    for name, before in was_at.items():
        if name not in now_at:
            yield Difference("removed", (*names, name), f"{old_at}/{before}", old[before], None)


def _unnamed(
    old: Sequence[Any], new: Sequence[Any], names: tuple[str, ...], old_at: str, new_at: str
) -> Iterator[Difference]:
    """Align what is equal, and pair by position what stands between."""
    # Unequal lists of more than 200 items would otherwise lose what is frequent in them.
    matcher = SequenceMatcher(None, [canonical(i) for i in old], [canonical(i) for i in new], autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            continue
        pairs = min(old_to - old_from, new_to - new_from)
        for step in range(pairs):
            before, index = old_from + step, new_from + step
            here = (*names, str(index))
            yield from _between(old[before], new[index], here, f"{old_at}/{before}", f"{new_at}/{index}")
        for index in range(new_from + pairs, new_to):
            yield Difference("added", (*names, str(index)), f"{new_at}/{index}", None, new[index])
        for before in range(old_from + pairs, old_to):
            yield Difference("removed", (*names, str(before)), f"{old_at}/{before}", old[before], None)


def in_order(indexes: Sequence[int]) -> frozenset[int]:
    """Return a longest rising subsequence: the items that need not move for the others to find their places."""
    least: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for place, index in enumerate(indexes):
        length = bisect_left(least, index)
        least[length : length + 1] = [index]
        ends[length : length + 1] = [place]
        before.append(ends[length - 1] if length else -1)
    kept: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        kept.add(indexes[place])
        place = before[place]
    return frozenset(kept)
