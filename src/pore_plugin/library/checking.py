"""Checks whatever was read, whole: each document by its contract, its texts, and how all of them hang together.

Everything that is wrong is found in one go and comes sorted by file and line.
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contracts import ContentDocument, Problem, ProblemLocation, ProblemsError
from ..validation import Checked, engine
from ..validation.reading import read_media
from .naming import contract_of, unknown_contract
from .sources import SourceFile, Sources, at_file

if TYPE_CHECKING:
    from .known import Known
    from .linking import Found, Linking

__all__ = ["CheckedFile", "CheckedPackage", "check_package", "located", "no_collection", "not_content"]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file whose document passed its own checks: its bytes, its contract, its model, its digest."""

    source: SourceFile
    contract: str
    checked: Checked[Any]

    @property
    def is_content(self) -> bool:
        """Whether this is a content document: what a library holds, rather than a record or settings."""
        return isinstance(self.checked.model, ContentDocument)


@dataclass(frozen=True, slots=True)
class CheckedPackage:
    """The documents that passed their own checks, in the order of their files, and everything that is wrong."""

    files: tuple[CheckedFile, ...]
    problems: tuple[Problem, ...]

    @property
    def content(self) -> tuple[CheckedFile, ...]:
        """The content documents."""
        return tuple(file for file in self.files if file.is_content)

    def accepted(self) -> CheckedPackage:
        """Return itself. Raises `ProblemsError` with every problem, if there is one."""
        if self.problems:
            raise ProblemsError(self.problems)
        return self


def check_package(
    sources: Sources | Iterable[SourceFile],
    *,
    known: Known | None = None,
    contract: str | None = None,
    references: bool = True,
    keep: bool = True,
) -> CheckedPackage:
    """Check every document, and the content documents as one package.

    `known` is what the documents may refer to beside each other, by default the content of the
    package pore-plugin. `contract` is what every file is, whatever it says of itself. Without `references` documents
    are not compared with each other; a catalogue does that when it takes them up. Without `keep` the result has the
    problems only, which is all that many documents need memory for.
    """
    given = sources if isinstance(sources, Sources) else Sources(tuple(sources))
    with no_collection():
        return _package(given, known, contract, references, keep)


@contextmanager
def no_collection() -> Iterator[None]:
    """Spare the garbage collector the trees that are read: they hold no cycles, and it would walk them again and again.

    It takes two thirds of the time of ten thousand documents.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _package(given: Sources, known: Known | None, contract: str | None, references: bool, keep: bool) -> CheckedPackage:
    files: list[CheckedFile] = []
    problems = list(given.problems)
    linking: Linking | None = None
    for source in given.files:
        try:
            file = _checked(source, contract)
        except ProblemsError as error:
            problems += error.problems
            continue
        if file.is_content:
            linking = linking or _linking(known, references)
            linking.take(file)
        elif source.package is not None:
            problems.append(not_content(file))
        if keep:
            file.checked.pack()
            files.append(file)
    if linking is not None:
        problems += _located(linking.finish())
    return CheckedPackage(tuple(files), tuple(sorted(problems, key=_place)))


def _linking(known: Known | None, references: bool) -> Linking:
    # Imported here: records are checked one at a time, and without any content.
    from .known import builtin_known
    from .linking import Linking

    return Linking(builtin_known() if known is None else known, references=references)


def _checked(source: SourceFile, contract: str | None) -> CheckedFile:
    if source.media == "toml" and contract in (None, "clinic"):
        # Imported here: it needs the markets, and with them the content of the package.
        from .settings import check_settings

        return CheckedFile(source, "clinic", check_settings(source.data, file=source.name))
    reading = read_media(source.data, source.media, file=source.name)
    name = contract or contract_of(reading.document, source.data if source.media == "yaml" else b"")
    if name is None:
        raise ProblemsError(reading.problems or [unknown_contract(reading, source.name)])
    return CheckedFile(source, name, engine().check_reading(name, reading, file=source.name))


def not_content(file: CheckedFile) -> Problem:
    """Return the problem of a record or settings among what is packed."""
    sentence = f"A {file.contract} is no content document, which is all that a package holds."
    return at_file(
        file.source.name,
        "package.not_content",
        sentence,
        "Make the package without it; records of patients never belong in one.",
    )


def _located(found: Iterable[Found]) -> Iterator[Problem]:
    by_file: dict[str, list[Problem]] = defaultdict(list)
    sources: dict[str, SourceFile] = {}
    for source, _, problem in found:
        by_file[source.name].append(problem)
        sources[source.name] = source
    for name, problems in by_file.items():
        yield from located(sources[name], problems)


def located(source: SourceFile, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Give the problems of one file their places in it; the file is read again only for these."""
    reading = read_media(source.data, source.media)
    places = reading.locate({problem.pointer for problem in problems}) if reading.locate else {}
    for problem in problems:
        line, column = places.get(problem.pointer, (1, 1))
        yield problem.model_copy(update={"location": ProblemLocation(file=source.name, line=line, column=column)})


def _place(problem: Problem) -> tuple[bool, str, int, int]:
    """Sort key: by file and line; what belongs to no file comes last."""
    where = problem.location
    return (False, where.file, where.line, where.column) if where else (True, "", 0, 0)
