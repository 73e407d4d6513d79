"""Reads JSON text slowly and carefully: every oddity with its pointer and its place in the text.

`jsontext` reads with the C parser of the standard library and comes here only when that found something wrong,
or when a problem has to be given a line and a column.
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..contracts.limits import MAX_DEPTH, MAX_INTEGER, MAX_PROBLEMS
from ..contracts.problems import Problem

__all__ = ["Reading", "line_and_column", "pointer_part", "scan", "shown_pointer"]

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*)*')
_CUT = re.compile(r"(?:\\(?:u[0-9A-Fa-f]{0,3})?)?\Z")
_WORD = re.compile(r"-?[A-Za-z]+")
_WORDS = {"true": True, "false": False, "null": None}
_NOT_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})
_CONTRACT_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_.:/+-]{0,95}", re.ASCII)


@dataclass(slots=True)
class Reading:
    """What a scan found: the value as far as it could be read, problems with their offsets, and wanted offsets."""

    document: Any = None
    problems: list[tuple[Problem, int]] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)


class _StopError(Exception):
    """The text cannot be read any further."""


@dataclass(slots=True)
class _Frame:
    container: dict[str, Any] | list[Any]
    key: str | int = ""
    key_at: int = 0


def pointer_part(part: str | int) -> str:
    """Return one RFC 6901 reference token with its leading slash."""
    return "/" + str(part).replace("~", "~0").replace("/", "~1")


def shown_pointer(parts: Iterable[str | int]) -> str:
    """Return the pointer to show: it ends before the first key that could be a value instead of a contract key."""
    pointer = ""
    for part in parts:
        if isinstance(part, str) and not _CONTRACT_KEY.fullmatch(part):
            break
        pointer += pointer_part(part)
    return pointer


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, both counted from 1, the column in characters."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def scan(text: str, wanted: Iterable[str] = ()) -> Reading:
    """Read JSON text without recursion.

    `wanted` are JSON pointers; `offsets` of the result then holds where each of them, or its nearest ancestor
    that exists, begins, and reading ends with the last of them. The problems are those of the text alone: syntax,
    duplicate keys, numbers, depth.
    """
    scanner = _Scanner(text, frozenset(wanted))
    with suppress(_StopError):
        scanner.run()
    return scanner.reading


class _Scanner:
    def __init__(self, text: str, wanted: frozenset[str]) -> None:
        self.text = text
        self.at = 0
        self.frames: list[_Frame] = []
        self.reading = Reading()
        self.wanted = {pointer[:cut] for pointer in wanted for cut in _cuts(pointer)}

    def run(self) -> None:
        self.value()
        while self.frames:
            frame = self.frames[-1]
            self.space()
            char = self.text[self.at : self.at + 1]
            closing = "}" if isinstance(frame.container, dict) else "]"
            if char == closing:
                self.at += 1
                self.frames.pop()
            elif char == "," and frame.container:
                self.at += 1
                self.member(frame)
            elif not frame.container and char:
                self.member(frame)
            else:
                self.syntax(f"a comma or '{closing}'", shown=self.shown(len(self.frames) - 1))
        self.space()
        if self.at < len(self.text):
            self.syntax("the end of the text")

    def member(self, frame: _Frame) -> None:
        if isinstance(frame.container, dict):
            self.space()
            frame.key, frame.key_at = "", self.at
            if self.text[self.at : self.at + 1] != '"':
                self.syntax("a member name in double quotes")
            frame.key = self.string()
            if frame.key in frame.container:
                self.duplicate(frame)
            self.space()
            if self.text[self.at : self.at + 1] != ":":
                self.syntax("a colon")
            self.at += 1
        else:
            frame.key = len(frame.container)
        self.value()

    def value(self) -> None:
        self.space()
        if self.wanted:
            pointer = "".join(pointer_part(frame.key) for frame in self.frames)
            if pointer in self.wanted:
                self.reading.offsets[pointer] = self.at
                if len(self.reading.offsets) == len(self.wanted):
                    raise _StopError
        char = self.text[self.at : self.at + 1]
        if char == "{" or char == "[":
            if len(self.frames) == MAX_DEPTH:
                self.report("json.too_deep", f"The document is nested deeper than {MAX_DEPTH} levels.", "Flatten it.")
                raise _StopError
            container: dict[str, Any] | list[Any] = {} if char == "{" else []
            self.attach(container)
            self.frames.append(_Frame(container))
            self.at += 1
        elif char == '"':
            self.attach(self.string())
        else:
            self.attach(self.scalar())

    def shown(self, frames: int | None = None) -> str:
        """Return the pointer to show for the value at hand, or for the outermost so many frames."""
        return shown_pointer([frame.key for frame in self.frames[:frames]])

    def attach(self, value: Any) -> None:
        if not self.frames:
            self.reading.document = value
            return
        frame = self.frames[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
        else:
            frame.container[str(frame.key)] = value

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def string(self) -> str:
        match = _STRING.match(self.text, self.at)
        end = match.end() if match else self.at
        if self.text[end : end + 1] != '"':
            cut = _CUT.match(self.text, end) is not None
            start, self.at = self.at, len(self.text) if cut else end
            if not cut and self.text[end] != "\\":
                self.syntax("no control character (a new line is written as \\n) inside the string")
            self.syntax("a known escape inside the string" if not cut else "the closing quote", begun=start)
        value: str = json.loads(self.text[self.at : end + 1])
        try:
            value.encode()
        except UnicodeEncodeError:
            self.report(
                "json.surrogate",
                "A string holds half of a surrogate pair, which is no character.",
                "Write both halves, or the character itself.",
            )
            value = value.encode("utf-8", "replace").decode()
        self.at = end + 1
        return value

    def scalar(self) -> Any:
        match = _NUMBER.match(self.text, self.at)
        if match:
            value = self.number(match)
        else:
            word = _WORD.match(self.text, self.at)
            token = word.group() if word else ""
            if token in _NOT_NUMBERS:
                match = word
                self.report("json.not_finite", "NaN and infinity are no JSON numbers.", "Leave the member out.")
                value = None
            elif token in _WORDS:
                match, value = word, _WORDS[token]
            else:
                self.syntax("a value")
        self.at = match.end() if match else self.at
        return value

    def number(self, match: re.Match[str]) -> Any:
        digits = match.group()
        if match.group(1) or match.group(2):
            self.report(
                "number.float",
                "A number with a fraction or an exponent would be rounded on the way.",
                'Write it as a decimal string in quotes, such as "0.5", or as a whole number where one is asked for.',
            )
            return digits
        if digits == "-0":
            self.report("number.minus_zero", "Minus zero is not a number of its own.", "Write 0.")
            return 0
        if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
            self.report(
                "number.too_large",
                f"The integer is beyond {MAX_INTEGER}, which not every reader keeps exactly.",
                "Write a smaller integer, or a string where the contract allows one.",
            )
            return 0
        return int(digits)

    def duplicate(self, frame: _Frame) -> None:
        here, self.at = self.at, frame.key_at
        self.report("json.duplicate_key", "A member name stands twice in one object.", "Keep one of the two members.")
        self.at = here

    def report(self, code: str, sentence: str, next_step: str, shown: str | None = None) -> None:
        pointer = self.shown() if shown is None else shown
        problem = Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step)
        self.reading.problems.append((problem, self.at))
        if len(self.reading.problems) >= MAX_PROBLEMS:
            raise _StopError

    def syntax(self, expected: str, begun: int | None = None, shown: str | None = None) -> None:
        line, column = line_and_column(self.text, self.at)
        if self.at >= len(self.text):
            since = (
                ""
                if begun is None
                else " in a string that begins on line {}, column {}".format(*line_and_column(self.text, begun))
            )
            self.report(
                "json.truncated",
                f"The text ends at line {line}, column {column}{since}; {expected} should follow.",
                "Get the whole file again; it was cut off.",
                shown,
            )
        else:
            self.report(
                "json.syntax",
                f"This is not JSON at line {line}, column {column}: {expected} should stand here.",
                "Mend the text there, or write it with a JSON library.",
                shown,
            )
        raise _StopError


def _cuts(pointer: str) -> list[int]:
    return [index for index, char in enumerate(pointer) if char == "/"] + [len(pointer)]
