"""Reads what callers hand in as JSON: text with nothing lost or guessed, or a mapping of plain values."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import accumulate
from typing import Any, NoReturn

from .contracts.limits import MAX_BYTES, MAX_DEPTH, MAX_INTEGER, MAX_NODES, MAX_PROBLEMS
from .contracts.problems import Problem, ProblemLocation, ProblemsError
from .jsonscan import line_and_column, scan, shown_pointer

__all__ = ["from_mapping", "locate", "read_json", "read_text"]


class _OddError(Exception):
    """Valid for `json`, but not for us; the careful reader says what it is."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _OddError
    return members


def _integer(digits: str) -> int:
    if len(digits) > 15 or digits == "-0":
        raise _OddError
    return int(digits)


def _odd(_: str) -> NoReturn:
    raise _OddError


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_odd, parse_int=_integer, parse_constant=_odd)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def read_json(data: bytes | str, *, file: str | None = None) -> Any:
    """Return the JSON value of a text, every integer exact, no float, no key twice.

    Raises `ProblemsError` with everything that is wrong with the text; with `file` each problem is located.
    """
    document, _, problems = read_text(data, file=file)
    if problems:
        raise ProblemsError(problems)
    return document


def read_text(data: bytes | str, *, file: str | None = None) -> tuple[Any, bytes, list[Problem]]:
    """Return the value as far as it could be read, its bytes as UTF-8, and the problems of the text."""
    try:
        raw = data.encode() if isinstance(data, str) else bytes(data)
    except UnicodeEncodeError:
        return None, b"", [_encoding("The text holds half of a surrogate pair, which UTF-8 cannot write.")]
    if len(raw) > MAX_BYTES:
        return None, b"", [_too_large()]
    foreign = _other_encoding(raw)
    if foreign:
        return None, b"", [_encoding(foreign)]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line, column = line_and_column(raw[: error.start].decode(), error.start)
        return None, b"", [_encoding(f"The text is not UTF-8 at line {line}, near column {column}.")]
    if not _deeper(raw, MAX_DEPTH):
        try:
            document = _DECODER.decode(text)
            if _SURROGATE_ESCAPE.search(raw):
                json.dumps(document, ensure_ascii=False).encode()
            return document, raw, []
        except (_OddError, ValueError, RecursionError):
            pass  # the careful reader says what is wrong
    reading = scan(text)
    problems = [_placed(problem, text, offset, file) for problem, offset in reading.problems]
    return reading.document, raw, problems


def locate(data: bytes | str, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return line and column (from 1) for each pointer into a JSON text, or for its nearest ancestor that exists."""
    text = data if isinstance(data, str) else bytes(data).decode("utf-8", "replace")
    wanted = tuple(pointers)
    offsets = scan(text, wanted).offsets
    places: dict[str, tuple[int, int]] = {}
    for pointer in wanted:
        nearest = pointer
        while nearest and nearest not in offsets:
            nearest = nearest.rpartition("/")[0]
        places[pointer] = line_and_column(text, offsets.get(nearest, 0))
    return places


def from_mapping(mapping: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return a plain copy of a mapping (dicts, lists, strings, integers, booleans, null) and what was wrong with it.

    Tuples are arrays. Nothing of the caller's is kept, changed or printed.
    """
    copier = _Copier()
    document = copier.copy(mapping, ())
    return document if isinstance(document, dict) else {}, copier.problems


def _other_encoding(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "The text begins with a byte order mark, which JSON does not allow."
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or (raw[:4].count(0) >= 1 and len(raw) >= 2):
        return "The text is UTF-16 or UTF-32, or binary, not UTF-8."
    return ""


def _encoding(sentence: str) -> Problem:
    return Problem(code="json.encoding", sentence=sentence, next_step="Save the text as UTF-8 without byte order mark.")


def _too_large() -> Problem:
    return Problem(
        code="json.too_large",
        sentence=f"The document is larger than {MAX_BYTES} bytes.",
        next_step="Split it, or leave out what the contract does not ask for.",
    )


def _placed(problem: Problem, text: str, offset: int, file: str | None) -> Problem:
    if file is None:
        return problem
    line, column = line_and_column(text, offset)
    return problem.model_copy(update={"location": ProblemLocation(file=file, line=line, column=column)})


def _deeper(raw: bytes, limit: int) -> bool:
    """Say whether brackets outside of strings nest deeper than `limit`; costs a few passes in C, no recursion."""
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    if b"\\" in raw:
        raw = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(raw.split(b'"')[::2]).translate(_SQUARE, _NOT_BRACKETS)
    rest = brackets
    for _ in range(limit):
        inner_gone = rest.replace(b"[]", b"")
        if not inner_gone:
            return False
        if len(inner_gone) == len(rest):
            break
        rest = inner_gone
    return any(depth > limit for depth in accumulate(1 if char == 0x5B else -1 for char in brackets))


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
                self.problems.append(_too_large())
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
