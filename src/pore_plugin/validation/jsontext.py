"""Reads JSON text with nothing lost and nothing guessed."""

import json
import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NoReturn

from ..contracts.limits import MAX_BYTES, MAX_DEPTH
from ..contracts.problems import Problem, ProblemLocation, ProblemsError
from .jsonscan import line_and_column, scan

__all__ = ["locate", "read_json", "read_text", "too_large"]


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
        sentence = "The text holds half of a surrogate pair, which UTF-8 cannot write."
        return None, b"", [_placed(_encoding(sentence), "", 0, file)]
    if len(raw) > MAX_BYTES:
        return None, b"", [_placed(too_large(), "", 0, file)]
    foreign = _other_encoding(raw)
    if foreign:
        return None, b"", [_placed(_encoding(foreign), "", 0, file)]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode()
        line, column = line_and_column(before, len(before))
        problem = _encoding(f"The text is not UTF-8 at line {line}, near column {column}.")
        return None, b"", [_placed(problem, before, len(before), file)]
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


def _other_encoding(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        return "The text begins with a byte order mark, which JSON does not allow."
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or (raw[:4].count(0) >= 1 and len(raw) >= 2):
        return "The text is UTF-16 or UTF-32, or binary, not UTF-8."
    return ""


def _encoding(sentence: str) -> Problem:
    return Problem(code="json.encoding", sentence=sentence, next_step="Save the text as UTF-8 without byte order mark.")


def too_large() -> Problem:
    """Return the problem of a document beyond `MAX_BYTES`."""
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
