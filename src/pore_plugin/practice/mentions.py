"""Patients named in a document of somebody else: where, and the document without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

__all__ = ["NOBODY", "places", "without"]

NOBODY = "erased"
"""What stands where the id of an erased patient stood."""

_NO_BIRTH_DATE = "1900-01-01"
_ID_MEMBERS = frozenset({"into", "patient", "recorded_as", "subject"})
_LIST_MEMBERS = frozenset({"brought", "ids", "merged", "related", "used_for"})


def places(document: Any, ids: Collection[str]) -> tuple[str, ...]:
    """Return JSON pointers to the members that name one of these patients, as our contracts name patients."""
    return tuple(pointer for pointer, _, _ in _found(document, ids, ""))


def without(document: Any, ids: Collection[str]) -> Any:
    """Return the document with `NOBODY` in place of these patients; a birth date beside the id goes with it."""
    found = {pointer: replaced for pointer, replaced, _ in _found(document, ids, "")}
    return _rebuilt(document, found, "")


def _found(value: Any, ids: Collection[str], at: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _found(item, ids, f"{at}/{number}")
        return
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        here = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in _ID_MEMBERS and isinstance(item, str) and item in ids:
            yield here, NOBODY, item
        elif key in _LIST_MEMBERS and isinstance(item, list):
            for number, one in enumerate(item):
                if isinstance(one, str) and one in ids:
                    yield f"{here}/{number}", NOBODY, one
        elif key == "patient" and isinstance(item, dict) and item.get("id") in ids:
            yield f"{here}/id", NOBODY, item["id"]
            if "birth_date" in item:
                yield f"{here}/birth_date", _NO_BIRTH_DATE, item["id"]
        if isinstance(item, dict | list) and not (key == "patient" and isinstance(item, dict)):
            yield from _found(item, ids, here)


def _rebuilt(value: Any, found: dict[str, str], at: str) -> Any:
    if at in found:
        return found[at]
    if isinstance(value, dict):
        return {
            key: _rebuilt(item, found, f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_rebuilt(item, found, f"{at}/{number}") for number, item in enumerate(value)]
    return value
