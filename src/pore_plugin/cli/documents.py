"""Documents that a command line names: read from files, folders, packages or standard input, and the clinic's own."""

import json
from collections.abc import Iterable
from pathlib import Path

from ..library.checking import check_package
from ..library.sources import SourceFile, Sources, read_sources
from ..validation.reading import Media
from .exits import Exit, StopError
from .files import name_of, read

__all__ = ["load_content", "sources_of"]

_ALL: frozenset[Media] = frozenset({"json", "toml", "yaml"})
_CONTENT: frozenset[Media] = frozenset({"json", "yaml"})


def load_content(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """Return the clinic's own content documents as JSON, checked.

    How they hang together is for the catalogue to say, which knows the extensions too. Raises `StopError` with every
    problem of every file.
    """
    package = check_package(sources_of(paths, media=_CONTENT), references=False)
    if package.problems:
        raise StopError(Exit.FAILED, package.problems)
    return tuple(
        file.source.data
        if file.source.media == "json"
        else json.dumps(file.checked.document, ensure_ascii=False).encode()
        for file in package.files
    )


def sources_of(paths: Iterable[Path], *, media: frozenset[Media] = _ALL, verify: bool = True) -> Sources:
    """Return the files of these paths as `read_sources` does; `-` is JSON on standard input."""
    named = list(paths)
    read_ones = read_sources([path for path in named if str(path) != "-"], media=media, verify=verify)
    stdin = Path("-")
    if stdin not in named:
        return read_ones
    name = name_of(stdin)
    return Sources((SourceFile(name, read(stdin), "json", name), *read_ones.files), read_ones.problems)
