"""Copies what Python callers hand in as a mapping into plain JSON values."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from ..contracts.limits import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, MAX_NODES, MAX_PROBLEMS
from ..contracts.problems import Problem
from .jsonscan import shown_pointer
from .jsontext import too_large

__all__ = ["from_mapping", "read_mapping"]


class _OddError(Exception):
    """Not of the plain kinds; the careful copier says what it is, or copies what is merely unusual."""


def from_mapping(mapping: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return a plain copy of a mapping (dicts, lists, strings, integers, booleans, null) and what was wrong with it.

    Tuples are arrays. Nothing of the caller's is kept, changed or printed.
    """
    document, _, problems = read_mapping(mapping)
    return document, problems


def read_mapping(mapping: Mapping[str, Any]) -> tuple[dict[str, Any], bytes, list[Problem]]:
    """Do what `from_mapping` does, and return the copy's JSON bytes too; they are empty when there are problems."""
    try:
        document = _plain_copy(mapping, 0, [MAX_NODES])
        raw = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        if len(raw) <= MAX_BYTES:
            return document, raw, []
    except (_OddError, UnicodeEncodeError):
        pass  # the careful copier says what is wrong, or copies what is merely unusual
    copier = _Copier()
    copied = copier.copy(mapping, ())
    if copier.problems or not isinstance(copied, dict):
        return copied if isinstance(copied, dict) else {}, b"", copier.problems
    raw = json.dumps(copied, ensure_ascii=False, separators=(",", ":")).encode()
    return (copied, raw, []) if len(raw) <= MAX_BYTES else ({}, b"", [too_large()])


def _plain_copy(value: Any, depth: int, budget: list[int]) -> Any:
    """Copy exact dicts, lists, tuples, strings, small integers, booleans and None; everything else is odd."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        raise _OddError
    if (kind is not dict and kind is not list and kind is not tuple) or depth == MAX_DEPTH:
        raise _OddError
    budget[0] -= len(value) + 1
    if budget[0] < 0:
        raise _OddError
    depth += 1
    if kind is not dict:
        return [item if type(item) is str else _plain_copy(item, depth, budget) for item in value]
    for key in value:
        if type(key) is not str:
            raise _OddError
    return {key: item if type(item) is str else _plain_copy(item, depth, budget) for key, item in value.items()}


class _Copier:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.open: set[int] = set()
        self.nodes = 0
        self.size = 0

    def copy(self, value: Any, path: tuple[str | int, ...]) -> Any:
        self.nodes += 1
        if self.nodes + self.size > MAX_BYTES or self.nodes > MAX_NODES or len(self.problems) >= MAX_PROBLEMS:
            if not self.problems or self.problems[-1].code != "json.too_large":
                self.problems.append(too_large())
            return None
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return self.string(str.__str__(value), path)
        if isinstance(value, int):
            return self.integer(int.__index__(value), path)
        if isinstance(value, (Mapping, list, tuple)):
            return self.container(value, path)
        return self.foreign(value, path)

    def string(self, value: str, path: tuple[str | int, ...]) -> str:
        self.size += len(value)
        try:
            value.encode()
        except UnicodeEncodeError:
            self.report(
                "json.surrogate",
                "A string holds half of a surrogate pair, which is no character.",
                path,
                "Hand in the character itself.",
            )
            return ""
        return value

    def integer(self, value: int, path: tuple[str | int, ...]) -> int:
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        self.report(
            "number.too_large",
            f"The integer is beyond {MAX_INTEGER}, which not every reader keeps exactly.",
            path,
            "Hand in a smaller integer, or a string where the contract allows one.",
        )
        return 0

    def container(self, value: Mapping[Any, Any] | Sequence[Any], path: tuple[str | int, ...]) -> Any:
        if id(value) in self.open:
            self.report("json.cycle", "The value holds itself.", path, "Hand in a copy without the cycle.")
            return None
        if len(path) >= MAX_DEPTH:
            self.report("json.too_deep", f"The document is nested deeper than {MAX_DEPTH} levels.", path, "Flatten it.")
            return None
        self.open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self.members(value, path)
            items = list.__iter__(value) if isinstance(value, list) else tuple.__iter__(value)  # type: ignore[arg-type]
            return [self.copy(item, (*path, index)) for index, item in enumerate(items)]
        finally:
            self.open.discard(id(value))

    def members(self, value: Mapping[Any, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        try:
            # A subclass may override `items`; for a dict its own members count. Others run the caller's code.
            pairs = list(dict.items(value)) if isinstance(value, dict) else [(key, value[key]) for key in value]
        except Exception:
            self.report("json.type", "The mapping could not be read.", path, "Hand in a plain dict.")
            return {}
        copied: dict[str, Any] = {}
        for key, item in pairs:
            if not isinstance(key, str):
                self.report(
                    "json.key", f"A member name is a {_kind(key)}, not a string.", path, "Use strings as member names."
                )
                continue
            name = self.string(str.__str__(key), path)
            copied[name] = self.copy(item, (*path, name))
        return copied

    def foreign(self, value: Any, path: tuple[str | int, ...]) -> Any:
        if isinstance(value, (float, Decimal)):
            self.report(
                "number.float",
                f"A {_kind(value)} stands where JSON of this contract has an integer or a decimal string.",
                path,
                'Write it as a decimal string, such as "0.5", or as an int where a whole number is asked for.',
            )
        elif isinstance(value, datetime) and value.tzinfo is None:
            self.report(
                "instant.naive",
                "A date and time without zone or offset is no instant.",
                path,
                "Hand in a string with its offset, such as 2026-03-01T09:30:00+01:00.",
            )
        elif isinstance(value, (date, time)):
            self.report(
                "json.type",
                f"A {_kind(value)} is no JSON value.",
                path,
                "Hand in a string: YYYY-MM-DD, HH:MM, or YYYY-MM-DDTHH:MM:SS+HH:MM.",
            )
        else:
            self.report(
                "json.type",
                f"A {_kind(value)} is no JSON value.",
                path,
                "Hand in dicts, lists, strings, integers, booleans.",
            )
        return None

    def report(self, code: str, sentence: str, path: tuple[str | int, ...], next_step: str) -> None:
        problem = Problem(code=code, sentence=sentence, pointer=shown_pointer(path), next_step=next_step)
        self.problems.append(problem)


_KINDS = (bool, int, float, complex, Decimal, datetime, date, time, bytes, bytearray, set, frozenset, type(None))


def _kind(value: Any) -> str:
    """Name a well-known type; the name of a foreign class is the caller's text and stays out."""
    return type(value).__name__ if type(value) in _KINDS else "value of a foreign type"
