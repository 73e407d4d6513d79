"""Reads TOML settings files into the plain values of JSON, every number from its source text."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal, DecimalException
from typing import Any

from ..contracts.limits import MAX_TOML_BYTES
from ..contracts.problems import Problem, ProblemLocation, ProblemsError
from .jsonscan import line_and_column, pointer_part
from .jsonvalues import from_mapping

__all__ = ["locate_toml", "read_toml", "read_toml_text"]

_WHERE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)$")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]\]?")
_KEY = re.compile(r"\s*([A-Za-z0-9_.\"' -]+?)\s*=")
_BARE = re.compile(r"\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+)")
_LONGEST_DECIMAL = 32


def read_toml(data: bytes, *, file: str | None = None) -> dict[str, Any]:
    """Return a TOML document as plain JSON values.

    A number with a fraction or exponent becomes a decimal string in its one spelling, a date `YYYY-MM-DD`, a
    time `HH:MM` (with seconds only if it has some), a date-time with offset `YYYY-MM-DDTHH:MM:SS+HH:MM`.
    Raises `ProblemsError`.
    """
    document, problems = read_toml_text(data, file=file)
    if problems:
        raise ProblemsError(problems)
    return document


def read_toml_text(data: bytes, *, file: str | None = None) -> tuple[dict[str, Any], list[Problem]]:
    """Return the document as far as it could be read, and the problems of the text."""
    if len(data) > MAX_TOML_BYTES:
        return {}, [
            _problem(
                "toml.too_large",
                f"The file is larger than {MAX_TOML_BYTES} bytes.",
                "Shorten it.",
                _location(file, 1, 1),
            )
        ]
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line, _ = line_and_column(data[: error.start].decode(), error.start)
        sentence = f"The file is not UTF-8 at line {line}."
        return {}, [_problem("toml.encoding", sentence, "Save it as UTF-8.", _location(file, line, 1))]
    if text.startswith("\ufeff"):
        sentence = "The file begins with a byte order mark, which TOML does not allow."
        return {}, [
            _problem("toml.encoding", sentence, "Save it as UTF-8 without byte order mark.", _location(file, 1, 1))
        ]
    try:
        values = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        return {}, [_syntax(text, str(error), file)]
    except RecursionError:
        return {}, [
            _problem("toml.too_deep", "Arrays or tables are nested too deeply.", "Flatten them.", _location(file, 1, 1))
        ]
    except (ValueError, DecimalException):
        sentence = "A number is too large or too long, or is not finite."
        step = f"Write a number of at most {_LONGEST_DECIMAL} characters."
        return {}, [_problem("toml.number", sentence, step, _location(file, 1, 1))]
    document, problems = from_mapping(_Dates(values).plain)
    places = locate_toml(text, (problem.pointer for problem in problems)) if file else {}
    return document, [
        problem.model_copy(update={"location": _location(file, *places[problem.pointer])}) if file else problem
        for problem in problems
    ]


def locate_toml(text: str, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return line and column for each pointer, or for the nearest table or key above it that stands at a line start."""
    known = _keys(text)
    places: dict[str, tuple[int, int]] = {}
    for pointer in pointers:
        nearest = pointer
        while nearest and nearest not in known:
            nearest = nearest.rpartition("/")[0]
        places[pointer] = known.get(nearest, (1, 1))
    return places


def _keys(text: str) -> dict[str, tuple[int, int]]:
    """Map the pointers of headers and keys that begin a line to their places; a locator, not a parser."""
    known: dict[str, tuple[int, int]] = {}
    arrays: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _table(header[1] == "[[", _names(header[2]), arrays)
            known.setdefault(table, (number, header.start(1) + 1))
        elif key := _KEY.match(line):
            pointer = table
            for name in _names(key[1]):
                pointer += pointer_part(name)
                known.setdefault(pointer, (number, key.start(1) + 1))
    return known


def _table(is_array: bool, names: list[str], arrays: dict[str, int]) -> str:
    pointer = ""
    for place, name in enumerate(names):
        pointer += pointer_part(name)
        if is_array and place == len(names) - 1:
            arrays[pointer] = arrays.get(pointer, -1) + 1
        if pointer in arrays:
            pointer += f"/{arrays[pointer]}"
    return pointer


def _names(dotted: str) -> list[str]:
    return [quoted or literal or bare for quoted, literal, bare in _BARE.findall(dotted)]


def _decimal(source: str) -> str:
    """Return the one spelling of the decimal that the source text writes."""
    value = Decimal(source.replace("_", ""))
    if not value.is_finite() or abs(value.adjusted()) > _LONGEST_DECIMAL:
        raise ValueError
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text) > _LONGEST_DECIMAL:
        raise ValueError
    return "0" if text in ("", "-0") else text


class _Dates:
    """Writes the dates and times of a parsed document as strings; its nesting is bounded by the parser."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.plain = values
        pending: list[dict[str, Any] | list[Any]] = [values]
        while pending:
            container = pending.pop()
            for key, value in list(container.items()) if isinstance(container, dict) else list(enumerate(container)):
                if isinstance(value, (dict, list)):
                    pending.append(value)
                else:
                    container[key] = _text(value)  # type: ignore[index]


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        # A naive one is left as it is, to be refused with its pointer.
        return value if value.tzinfo is None else value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes") if not (value.second or value.microsecond) else value.isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _syntax(text: str, message: str, file: str | None) -> Problem:
    where = _WHERE.search(message)
    line, column = line_and_column(text, len(text))
    if where and where[1]:
        line, column = int(where[1]), int(where[2])
    return _problem(
        "toml.syntax",
        f"This is not TOML at line {line}, column {column}.",
        "Look there for a missing quote, bracket or equals sign, or for a key or table that stands twice.",
        _location(file, line, column),
    )


def _location(file: str | None, line: int, column: int) -> ProblemLocation | None:
    return None if file is None else ProblemLocation(file=file, line=line, column=column)


def _problem(code: str, sentence: str, next_step: str, location: ProblemLocation | None = None) -> Problem:
    return Problem(code=code, sentence=sentence, next_step=next_step, location=location)
