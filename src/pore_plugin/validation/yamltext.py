"""Reads YAML 1.2 text into the plain values of JSON; nothing is guessed, nothing means something else elsewhere.

What YAML allows and JSON has not is refused by name: tags, anchors, aliases, merge keys, several documents. So is every
unquoted word that YAML 1.1 and YAML 1.2 read differently (`no`, `0777`, `12:30`, `2026-03-01`): in quotes it is text
to both. Aliases are never followed, so a document cannot grow while it is read.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..contracts.limits import MAX_DEPTH, MAX_INTEGER, MAX_PROBLEMS, MAX_YAML_BYTES
from ..contracts.problems import Problem, ProblemLocation, ProblemsError
from .jsonscan import line_and_column, pointer_part, shown_pointer

__all__ = ["YamlReading", "locate_yaml", "read_yaml", "read_yaml_text"]

_FOREIGN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.?[0-9]*)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_OTHER_NUMBER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]+)?)", re.ASCII
)
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:.*)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "false": False}
_OTHER_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n"})
_QUOTE = "Write it in quotes, which makes it text to every reader."
# What the parser complains of, in words that help; its own sentences may repeat a value.
_COMPLAINTS = (
    ("mapping values are not allowed", "an unquoted text holds a colon, or a line is indented by mistake"),
    (
        "cannot start any token",
        "a character that YAML keeps for itself, or a tab, begins a value; quote text, use spaces",
    ),
    ("found unexpected end of stream", "a closing quote or bracket is missing"),
    ("while scanning a quoted scalar", "a closing quote is missing, or an escape is unknown"),
    ("unknown escape character", "an escape is unknown inside double quotes; write the backslash twice"),
    ("could not find expected ':'", "a colon is missing after a member name"),
    ("expected <block end>", "a line is indented differently from its neighbours"),
    ("expected ',' or", "a comma or a closing bracket is missing"),
    ("undefined tag handle", "a tag stands here, which no document needs"),
    ("undefined alias", "an alias stands here, which no document needs"),
)


@dataclass(slots=True)
class YamlReading:
    """What was read: the value as far as it could be, the problems of the text, and where each value begins."""

    document: Any = None
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def locate(self, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Return line and column (from 1) for each pointer, or for its nearest ancestor that exists."""
        found: dict[str, tuple[int, int]] = {}
        for pointer in pointers:
            nearest = pointer
            while nearest and nearest not in self.places:
                nearest = nearest.rpartition("/")[0]
            found[pointer] = self.places.get(nearest, (1, 1))
        return found


def read_yaml(data: bytes, *, file: str | None = None) -> Any:
    """Return the one document of a YAML text as plain JSON values: the same that `read_json` gives for its JSON.

    Raises `ProblemsError` with everything that is wrong with the text; with `file` each problem is located.
    """
    reading = read_yaml_text(data, file=file)
    if reading.problems:
        raise ProblemsError(reading.problems)
    return reading.document


def locate_yaml(data: bytes, pointers: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return line and column (from 1) for each pointer into a YAML text, or for its nearest ancestor that exists."""
    return read_yaml_text(data).locate(pointers)


def read_yaml_text(data: bytes, *, file: str | None = None) -> YamlReading:
    """Return the document as far as it could be read, the problems of the text, and the places of its values."""
    reader = _Reader(file)
    with suppress(_StopError):
        reader.run(reader.text(data))
    return reader.reading


class _StopError(Exception):
    """The text cannot be read any further."""


@dataclass(slots=True)
class _Frame:
    container: dict[str, Any] | list[Any]
    pointer: str
    key: str | int | None = None
    """The member or item at hand; `None` where a member name comes next."""
    name_at: tuple[int, int] = (1, 1)


class _Reader:
    def __init__(self, file: str | None) -> None:
        self.file = file
        self.reading = YamlReading()
        self.frames: list[_Frame] = []
        self.at = (1, 1)

    def text(self, data: bytes) -> str:
        if len(data) > MAX_YAML_BYTES:
            self.stop("yaml.too_large", f"The document is larger than {MAX_YAML_BYTES} bytes.", "Write it as JSON.")
        if data.startswith(b"\xef\xbb\xbf"):
            self.encoding("The text begins with a byte order mark.")
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or 0 in data[:4]:
            self.encoding("The text is UTF-16 or UTF-32, or binary, not UTF-8.")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            before = data[: error.start].decode()
            self.at = line_and_column(before, len(before))
            self.encoding(f"The text is not UTF-8 at line {self.at[0]}.")
        foreign = _FOREIGN.search(text)
        if foreign:
            self.at = line_and_column(text, foreign.start())
            sentence = f"Line {self.at[0]} holds a control character, or a line end that is neither LF nor CRLF."
            step = "Save it with LF or CRLF; inside of a text write the character as an escape in double quotes."
            self.stop("yaml.character", sentence, step)
        return text

    def run(self, text: str) -> None:
        # Imported here: only YAML pays for it.
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self.take(event)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.at = (mark.line + 1, mark.column + 1) if mark else line_and_column(text, len(text))
            self.syntax(f"{error.context} {error.problem}")
        except (YAMLError, ValueError, OverflowError, RecursionError):
            self.syntax("")

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        self.at = (event.start_mark.line + 1, event.start_mark.column + 1)
        if kind == "ScalarEvent":
            self.scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self.container(event, {} if kind == "MappingStartEvent" else [])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self.frames.pop()
            self.done()
        elif kind == "AliasEvent":
            self.value_begins()
            self.report("yaml.alias", "An alias stands for a value elsewhere.", "Write the value itself here.")
            self.attach("")
        elif kind == "DocumentStartEvent":
            self.document(event)
        elif kind == "StreamEndEvent" and not self.reading.places:
            self.stop("yaml.empty", "There is no document in this text.", "Get the whole file again.")

    def document(self, event: Any) -> None:
        if self.reading.places:
            self.stop("yaml.documents", "A second document begins here.", "Give each document a file of its own.")
        version = event.version
        if (version is not None and tuple(version) != (1, 2)) or event.tags:
            self.report("yaml.directive", "A directive changes how the text is read.", "Take the line with % out.")

    def container(self, event: Any, container: dict[str, Any] | list[Any]) -> None:
        if self.awaits_name():
            sentence = "A member name is a list or a mapping, not text."
            self.stop("yaml.complex_key", sentence, "Write a text as member name, and a colon and a space after it.")
        self.value_begins()
        self.extras(event)
        if len(self.frames) == MAX_DEPTH:
            self.stop("yaml.too_deep", f"The document is nested deeper than {MAX_DEPTH} levels.", "Flatten it.")
        pointer = self.pointer()
        self.attach(container, done=False)
        self.frames.append(_Frame(container, pointer))

    def scalar(self, event: Any) -> None:
        text = self.characters(event.value)
        if self.awaits_name():
            self.frames[-1].name_at = self.at
            self.name(event, text)
            return
        if not text and event.style is None and self.frames:
            # A value that is not there has no place of its own; the parser names where the next thing begins.
            self.at = self.frames[-1].name_at if isinstance(self.frames[-1].container, dict) else self.at
        self.value_begins()
        tagged = self.extras(event)
        self.attach(self.plain(text) if event.style is None and not tagged else text)

    def name(self, event: Any, text: str) -> None:
        frame = self.frames[-1]
        twice = isinstance(frame.container, dict) and text in frame.container
        frame.key = text
        tagged = self.extras(event)
        if event.style is None and not tagged:
            if text == "<<":
                step = "Write the members themselves here."
                self.report("yaml.merge", "A merge key takes members from elsewhere.", step)
            elif not isinstance(self.plain(text, is_name=True), str):
                self.report("yaml.key", "A member name is not text.", _QUOTE)
        if twice:
            step = "Keep one of the two members."
            self.report("yaml.duplicate_key", "A member name stands twice in one mapping.", step)

    def plain(self, text: str, *, is_name: bool = False) -> Any:
        """Return the value of an unquoted word as YAML 1.2 reads it, or refuse what YAML 1.1 reads otherwise."""
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text in _NULLS:
            if not is_name:
                step = "Leave the member out; nothing is never written as null."
                self.report("yaml.null", "There is no value here.", step)
            return None
        if text.lower() in _OTHER_BOOLEANS:
            step = f'Write true or false, or the word in quotes for text, as in "{text}".'
            self.report("yaml.boolean", "Some readers take this word for true or false, others for text.", step)
        elif text[0] in "+-.0123456789":
            return self.number(text)
        return text

    def number(self, text: str) -> Any:
        if _INTEGER.fullmatch(text):
            if text == "-0":
                self.report("number.minus_zero", "Minus zero is not a number of its own.", "Write 0.")
                return 0
            if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
                sentence = f"The integer is beyond {MAX_INTEGER}, which not every reader keeps exactly."
                step = "Write a smaller integer, or a text in quotes where the contract allows one."
                self.report("number.too_large", sentence, step)
                return 0
            return int(text)
        if _FLOAT.fullmatch(text) and not (text.lstrip("+-").isdigit()):
            sentence = "A number with a fraction or an exponent would be rounded on the way."
            step = 'Write it as a decimal text in quotes, such as "0.5", or as a whole number where one is asked for.'
            self.report("number.float", sentence, step)
        elif _NOT_FINITE.fullmatch(text):
            self.report("yaml.not_finite", "NaN and infinity are no numbers here.", "Leave the member out.")
        elif _OTHER_NUMBER.fullmatch(text):
            sentence = (
                "Readers do not agree on which number this is: it begins with a zero or a plus, or holds a letter or _."
            )
            step = "Write the number in plain digits, or text in quotes."
            self.report("yaml.number", sentence, step)
        elif _SEXAGESIMAL.fullmatch(text):
            sentence = "Some readers take this for a number to the base of 60, others for text."
            self.report("yaml.sexagesimal", sentence, _QUOTE)
        elif _TIMESTAMP.fullmatch(text):
            sentence = "Some readers take this for a date of a type of its own, others for text."
            self.report("yaml.timestamp", sentence, _QUOTE)
        return text

    def characters(self, text: str) -> str:
        """Return the text with each escaped surrogate pair joined to its character; half of a pair is none."""
        try:
            text.encode()
        except UnicodeEncodeError:
            try:
                return text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                sentence = "A text holds half of a surrogate pair, which is no character."
                self.report("yaml.surrogate", sentence, "Write both halves, or the character itself.")
                return text.encode("utf-8", "replace").decode()
        return text

    def extras(self, event: Any) -> bool:
        """Refuse what hangs on a node; say whether it had a tag."""
        if event.anchor:
            self.report("yaml.anchor", "An anchor names this value for others.", "Take the word with & out.")
        tagged = bool(getattr(event, "ctag", None) or event.tag)
        if tagged:
            self.report("yaml.tag", "A tag says of what kind this value is.", "Take the word with ! out.")
        return tagged

    def awaits_name(self) -> bool:
        return bool(self.frames) and isinstance(self.frames[-1].container, dict) and self.frames[-1].key is None

    def value_begins(self) -> None:
        if self.frames and isinstance(self.frames[-1].container, list):
            self.frames[-1].key = len(self.frames[-1].container)
        if not self.awaits_name():
            self.reading.places.setdefault(self.pointer(), self.at)

    def attach(self, value: Any, *, done: bool = True) -> None:
        if not self.frames:
            self.reading.document = value
            return
        frame = self.frames[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
        else:
            frame.container[str(frame.key)] = value
        if done:
            self.done()

    def done(self) -> None:
        if self.frames:
            self.frames[-1].key = None

    def pointer(self) -> str:
        if not self.frames:
            return ""
        frame = self.frames[-1]
        return frame.pointer if frame.key is None else frame.pointer + pointer_part(frame.key)

    def encoding(self, sentence: str) -> NoReturn:
        self.stop("yaml.encoding", sentence, "Save the text as UTF-8 without byte order mark.")

    def syntax(self, complaint: str) -> NoReturn:
        line, column = self.at
        why = next((words for part, words in _COMPLAINTS if part in complaint), "")
        sentence = f"This is not YAML at line {line}, column {column}{': ' + why if why else ''}."
        self.stop("yaml.syntax", sentence, "Mend the text there, or write it with a YAML library.")

    def stop(self, code: str, sentence: str, next_step: str) -> NoReturn:
        self.report(code, sentence, next_step)
        raise _StopError

    def report(self, code: str, sentence: str, next_step: str) -> None:
        where = None if self.file is None else ProblemLocation(file=self.file, line=self.at[0], column=self.at[1])
        pointer = shown_pointer([frame.key for frame in self.frames if frame.key is not None])
        self.reading.problems.append(
            Problem(code=code, sentence=sentence, pointer=pointer, next_step=next_step, location=where)
        )
        if len(self.reading.problems) >= MAX_PROBLEMS:
            raise _StopError
