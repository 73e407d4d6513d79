"""What a plug-in is handed: copies of its own, which are looked over after the call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from operator import is_
from typing import Any

from ..contracts import FrozenMap, Model

__all__ = ["Lent", "same"]

_LEAVES = frozenset({str, int, bool, type(None)})
_MODELS = type(Model)
_SLOTS = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


class Lent:
    """Copies of arguments for one call. They share with the originals nothing that can be written to, in any way.

    `copy.deepcopy` would fill a mapping item by item, which a `FrozenMap` refuses, and reading the document again
    would refuse a record that a host built by `model_copy`.
    """

    __slots__ = ("_holders", "_mappings", "_models", "_originals", "copies")

    def __init__(self, arguments: Mapping[str, Any], names: Iterable[str]) -> None:
        """Copy the named arguments; `copies` has them by name."""
        self._models: list[tuple[Any, Any, dict[str, Any], set[str]]] = []
        self._mappings: list[tuple[dict[Any, Any], list[Any], list[Any]]] = []
        self._holders: list[tuple[Any, list[Any]]] = []
        self._originals = {name: arguments[name] for name in names}
        self.copies = {name: self._copied(value) for name, value in self._originals.items()}

    def untouched(self) -> bool:
        """Say whether nothing was written to the copies, without running anything that a plug-in put there."""
        return self._as_they_were() or all(same(copy, self._originals[name]) for name, copy in self.copies.items())

    def _as_they_were(self) -> bool:
        """Say whether every copy holds the very objects it was made with, which is soon seen."""
        for twin, kind, members, fields in self._models:
            if type(twin) is not kind or twin.__dict__ is not members or twin.__pydantic_fields_set__ is not fields:
                return False
            if twin.__pydantic_extra__ is not None or twin.__pydantic_private__ is not None:
                return False
        for mapping, names, values in self._mappings:
            if not _alike(list(dict.keys(mapping)), names) or not _alike(list(dict.values(mapping)), values):
                return False
        return all(_alike(list(holder), items) for holder, items in self._holders)

    def _copied(self, value: Any) -> Any:
        kind = type(value)
        if kind in _LEAVES:
            return value
        if isinstance(kind, _MODELS):
            return self._model(kind, value)
        if kind is tuple:
            # A tuple of nothing but strings cannot be written to, so it may be shared.
            return value if _LEAVES.issuperset(map(type, value)) else tuple([self._copied(item) for item in value])
        if kind is dict or kind is FrozenMap:
            return self._mapping(kind, value)
        if kind is list or kind is set:
            return self._holder(kind([self._copied(item) for item in value]))
        return deepcopy(value)

    def _model(self, kind: Any, value: Any) -> Any:
        twin = kind.__new__(kind)
        members = self._mapping(dict, value.__dict__)
        fields = self._holder(value.__pydantic_fields_set__.copy())
        write = object.__setattr__
        write(twin, "__dict__", members)
        write(twin, "__pydantic_fields_set__", fields)
        # No contract has members beyond the declared ones: there is nothing to copy.
        write(twin, "__pydantic_extra__", None)
        write(twin, "__pydantic_private__", None)
        self._models.append((twin, kind, members, fields))
        return twin

    def _mapping(self, kind: type[dict[Any, Any]], value: dict[Any, Any]) -> Any:
        twin = kind(value)
        for name, item in value.items():
            if type(item) not in _LEAVES:
                # Not `twin[name] = …`, which a `FrozenMap` refuses.
                dict.__setitem__(twin, name, self._copied(item))
        self._mappings.append((twin, list(value), list(twin.values())))
        return twin

    def _holder(self, twin: Any) -> Any:
        self._holders.append((twin, list(twin)))
        return twin


def _alike(given: list[Any], kept: list[Any]) -> bool:
    return len(given) == len(kept) and all(map(is_, given, kept))


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
