"""Places of a content document in words: `steps/consent/title/en` instead of `/steps/4/title/en`.

The items of a list have names where each of them has one and no two have the same: the item's `id`, `code`, region with
side, and so on, or itself where the item is a string. Such an item is the same item wherever it stands in its list.
Items of any other list are named by their index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["escaped", "joined", "name_of", "names_of", "same_kind", "split"]

_NAMES: tuple[tuple[str, ...], ...] = (
    ("id",),
    ("place",),
    ("system", "code"),
    ("code",),
    ("region", "side"),
    ("region",),
    ("key",),
    ("question",),
    ("inn",),
    ("area",),
    ("rule",),
    ("name",),
    ("plugin",),
)
"""Members that name an item, the first that fit."""
_BETWEEN = ":"


def name_of(item: Any) -> str | None:
    """Return what an item of a list is called, or `None` where nothing names it."""
    kind_and_name = _kind_and_name(item)
    return kind_and_name[1] if kind_and_name else None


def same_kind(one: Any, other: Any) -> bool:
    """Say whether two items of one name are named by the same members, so that they can be compared inside."""
    first, second = _kind_and_name(one), _kind_and_name(other)
    return first is not None and second is not None and first[0] == second[0]


def names_of(items: Sequence[Any]) -> list[str] | None:
    """Return the names of the items, or `None` where one has none or two have the same."""
    names = [name_of(item) for item in items]
    known = [name for name in names if name is not None]
    return known if len(set(known)) == len(items) else None


def _kind_and_name(item: Any) -> tuple[int, str] | None:
    if isinstance(item, str):
        return (-1, item) if item else None
    if not isinstance(item, dict):
        return None
    for kind, members in enumerate(_NAMES):
        parts = [part for member in members if isinstance(part := item.get(member), str) and part]
        if len(parts) == len(members):
            # Two parts that hold the separator could make the name of two others.
            if len(parts) > 1 and any(_BETWEEN in part for part in parts[1:]):
                return None
            return kind, _BETWEEN.join(parts)
    return None


def escaped(name: str) -> str:
    """Return a name as it stands in a place and in a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def joined(names: Iterable[str]) -> str:
    """Return the place that these names lead to."""
    return "/".join(map(escaped, names))


def split(place: str) -> list[str]:
    """Return the names that a place is made of."""
    return [name.replace("~1", "/").replace("~0", "~") for name in place.split("/")]
