"""The changes of an overlay: found between two values, and made in a document."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ..contracts import canonical
from .diffing import in_order
from .places import joined, name_of, names_of, same_kind, split

__all__ = ["ConflictError", "changes_between", "make"]

_END = "-"
"""The place behind the last item of a list whose items have no names."""


class ConflictError(Exception):
    """Why a change cannot be made."""


def changes_between(old: Any, new: Any, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the changes that make one value out of another, in an order in which they can be done."""
    place = joined(names)
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key in new:
                yield from changes_between(value, new[key], (*names, key))
            else:
                yield {"action": "remove", "place": joined((*names, key)), "was": value}
        for key in new:
            if key not in old:
                yield {"action": "add", "place": joined((*names, key)), "now": new[key]}
        return
    if isinstance(old, list) and isinstance(new, list):
        old_names, new_names = names_of(old), names_of(new)
        if old_names is not None and new_names is not None:
            yield from _item_changes(
                dict(zip(old_names, old, strict=True)), dict(zip(new_names, new, strict=True)), names
            )
            return
    if canonical(old) != canonical(new):
        yield {"action": "set", "place": place, "was": old, "now": new}


def _item_changes(old: dict[str, Any], new: dict[str, Any], names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for name, item in old.items():
        if name not in new:
            yield {"action": "remove", "place": joined((*names, name)), "was": item}
    order = {name: index for index, name in enumerate(old)}
    in_place = in_order([order[name] for name in new if name in old])
    before: str | None = None
    for index, (name, item) in enumerate(new.items()):
        place = joined((*names, name))
        here: dict[str, Any] = {}
        if index < len(new) - 1:
            here = {"first": True} if before is None else {"after": before}
        if name not in old:
            yield {"action": "add", "place": place, "now": item, **here}
        elif order[name] not in in_place:
            yield {"action": "move", "place": place, **here}
        if name in old:
            if same_kind(old[name], item):
                yield from changes_between(old[name], item, (*names, name))
            else:
                yield {"action": "set", "place": place, "was": old[name], "now": item}
        before = name


def make(document: dict[str, Any], change: Mapping[str, Any]) -> None:
    """Make one change in place. Raises `ConflictError`, with the document as it was, where the base speaks against it.

    What is already as the change wants it stays, and so does what is to be removed and is not there.
    """
    *above, name = split(change["place"])
    action = change["action"]
    try:
        holder: Any = document
        for step in above:
            holder = holder[_key(holder, step)]
        key = _key(holder, name)
    except LookupError:
        if action == "remove":
            return
        raise ConflictError("The base does not have it.") from None
    if action == "add":
        _add(holder, key, name, change)
    elif action == "move":
        if not isinstance(holder, list) or not isinstance(key, int) or key >= len(holder):
            raise ConflictError("The base has no such item.")
        others = holder[:key] + holder[key + 1 :]
        _put(others, holder[key], change)
        holder[:] = others
    elif not _has(holder, key):
        if action == "set":
            raise ConflictError("The base does not have it.")
    elif action == "set" and canonical(holder[key]) == canonical(change["now"]):
        return
    elif canonical(holder[key]) != canonical(change["was"]):
        raise ConflictError("The base has another value there than the overlay says it was.")
    elif action == "set":
        holder[key] = copy.deepcopy(change["now"])
    else:
        del holder[key]


def _add(holder: Any, key: str | int, name: str, change: Mapping[str, Any]) -> None:
    now = change["now"]
    if _has(holder, key):
        if canonical(holder[key]) != canonical(now):
            raise ConflictError("The base has come to have it, with another value.")
    elif isinstance(holder, dict):
        holder[key] = copy.deepcopy(now)
    elif (name_of(now) or _END) == name:
        _put(holder, copy.deepcopy(now), change)
    else:
        raise ConflictError("The item is called otherwise than its place.")


def _put(items: list[Any], item: Any, change: Mapping[str, Any]) -> None:
    after = change.get("after")
    if after is not None:
        names = [name_of(other) for other in items]
        if after not in names:
            raise ConflictError("The base does not have the item that it follows.")
        items.insert(names.index(after) + 1, item)
    elif change.get("first"):
        items.insert(0, item)
    else:
        items.append(item)


def _key(holder: Any, name: str) -> str | int:
    """Return the key of a name in an object or a list; of an item that is not there the place behind the last."""
    if isinstance(holder, dict):
        return name
    if not isinstance(holder, list):
        raise LookupError
    names = names_of(holder)
    if names is not None:
        return names.index(name) if name in names else len(holder)
    if name == _END:
        return len(holder)
    if name.isascii() and name.isdecimal() and int(name) < len(holder):
        return int(name)
    raise LookupError


def _has(holder: Any, key: str | int) -> bool:
    return key in holder if isinstance(holder, dict) else isinstance(key, int) and key < len(holder)
