"""One reading of a text, whatever it is written in: what was read, what is wrong with it, and where its values are."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..contracts.problems import Problem
from .jsontext import locate, read_text
from .tomltext import locate_toml, read_toml_text
from .yamltext import read_yaml_text

__all__ = ["Locator", "Media", "Reading", "read_media"]

Media = Literal["json", "toml", "yaml"]
"""What a document can be written in."""

Locator = Callable[[Iterable[str]], Mapping[str, tuple[int, int]]]
"""From JSON pointers to line and column, counted from 1, of each or of what stands nearest above it."""


@dataclass(slots=True)
class Reading:
    """What was read of a text, as far as it could be."""

    document: Any
    raw: bytes | None
    """The same as JSON bytes, where the text was JSON."""
    problems: list[Problem]
    locate: Locator | None


def read_media(data: bytes | str, media: Media, *, file: str | None = None) -> Reading:
    """Read a text strictly; with `file` each problem of the text is located."""
    if media == "json":
        document, raw, problems = read_text(data, file=file)
        return Reading(document, raw, problems, lambda pointers: locate(raw, pointers))
    given = data.encode() if isinstance(data, str) else data
    if media == "toml":
        table, problems = read_toml_text(given, file=file)
        return Reading(table, None, problems, lambda ptrs: locate_toml(given.decode("utf-8", "replace"), ptrs))
    reading = read_yaml_text(given, file=file)
    return Reading(reading.document, None, reading.problems, reading.locate)
