"""What a plug-in is handed: a copy of its own, compared with the original after the call."""

from __future__ import annotations

from copy import deepcopy
from operator import is_
from typing import Any

from ..contracts import FrozenMap, Model

__all__ = ["copied", "same"]

_LEAVES = frozenset({str, int, bool, type(None)})
_MODELS = type(Model)
"""Asking a class for its metaclass costs less than `isinstance`, which a metaclass may answer by itself."""
_SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def copied(value: Any) -> Any:
    """Return a copy that shares with the original nothing that can be written to, by whatever way.

    `copy.deepcopy` fills a mapping item by item, which a `FrozenMap` refuses, and reading the document again would
    refuse a record that a host built by `model_copy`.
    """
    kind = type(value)
    if kind in _LEAVES:
        return value
    if isinstance(kind, _MODELS):
        twin = kind.__new__(kind)
        object.__setattr__(twin, "__dict__", _members(value.__dict__))
        for slot in _SLOTS:
            inner = getattr(value, slot)
            object.__setattr__(twin, slot, inner if inner is None else copied(inner))
        return twin
    if kind is tuple:
        items = tuple([item if type(item) in _LEAVES else copied(item) for item in value])
        # A tuple of nothing but strings cannot be written to: the copy may share it.
        return value if all(map(is_, items, value)) else items
    if kind is dict or kind is FrozenMap:
        return kind(_members(value))
    if kind is list or kind is set:
        return kind([copied(item) for item in value])
    return deepcopy(value)


def same(given: Any, original: Any) -> bool:
    """Say whether a copy is still what the original is, without running anything that a plug-in put there."""
    if given is original:
        return True
    kind = type(original)
    if type(given) is not kind:
        return False
    if isinstance(kind, _MODELS):
        return same(given.__dict__, original.__dict__) and all(
            same(getattr(given, slot), getattr(original, slot)) for slot in _SLOTS
        )
    if issubclass(kind, dict):
        # At once: a thread of the plug-in may go on writing.
        return same(tuple(dict.items(given)), tuple(dict.items(original)))
    if kind is tuple or kind is list:
        return len(given) == len(original) and all(map(same, tuple(given), original))
    if kind is set and not _LEAVES.issuperset(map(type, tuple(given))):
        return False
    return bool(given == original)


def _members(members: dict[Any, Any]) -> dict[Any, Any]:
    return {name: item if type(item) in _LEAVES else copied(item) for name, item in members.items()}
