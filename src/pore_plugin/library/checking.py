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

__all__ = ["CheckedFile", "CheckedPackage", "check_package", "not_content"]


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
) -> CheckedPackage:
    """Check every document, and the content documents as one package.

    `known` is what the documents may refer to beside each other, by default the content of the
    package pore-plugin. `contract` is what every file is, whatever it says of itself. Without `references` documents
    are not compared with each other; a catalogue does that when it takes them up.
    """
    given = sources if isinstance(sources, Sources) else Sources(tuple(sources))
    with _no_collection():
        return _package(given, known, contract, references)


@contextmanager
def _no_collection() -> Iterator[None]:
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


def _package(given: Sources, known: Known | None, contract: str | None, references: bool) -> CheckedPackage:
    files: list[CheckedFile] = []
    problems = list(given.problems)
    for source in given.files:
        try:
            files.append(_checked(source, contract))
        except ProblemsError as error:
            problems += error.problems
    content = [file for file in files if file.is_content]
    problems += [not_content(file) for file in files if file.source.package is not None and not file.is_content]
    if content:
        # Imported here: records are checked one at a time, and without any content.
        from .known import builtin_known
        from .linking import package_problems

        there = builtin_known() if known is None else known
        if references:
            problems += _duplicates(content)
        problems += _located(package_problems(content, there, references=references))
    return CheckedPackage(tuple(files), tuple(sorted(problems, key=_place)))


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


def _duplicates(content: Sequence[CheckedFile]) -> Iterator[Problem]:
    """Name files that hold one version of one document, or documents of two kinds with one id."""
    first: dict[tuple[str, str], CheckedFile] = {}
    kinds: dict[str, CheckedFile] = {}
    for file in content:
        model = file.checked.model
        other = first.setdefault((model.id, model.version), file)
        if other is not file:
            same = "the same" if other.checked.digest == file.checked.digest else "another"
            sentence = f"{model.id} {model.version} stands in {other.source.name} too, as {same} document."
            step = "Keep one of the files." if same == "the same" else "Keep one of them, or give one a new version."
            yield from _located([(file, _problem("package.duplicate_id", sentence, "/version", step))])
            continue
        relative = kinds.setdefault(model.id, file)
        if relative.contract != file.contract:
            sentence = f"{model.id} is a {relative.contract} in {relative.source.name}."
            yield from _located([(file, _problem("package.duplicate_id", sentence, "/id", "Give one a new id."))])


def _problem(code: str, sentence: str, pointer: str, next_step: str) -> Problem:
    return Problem(code=code, sentence=sentence[:4000], pointer=pointer, next_step=next_step)


def _located(found: Iterable[tuple[CheckedFile, Problem]]) -> Iterator[Problem]:
    """Give problems their places; a file is read again only for these."""
    by_file: dict[str, list[Problem]] = defaultdict(list)
    sources: dict[str, SourceFile] = {}
    for file, problem in found:
        by_file[file.source.name].append(problem)
        sources[file.source.name] = file.source
    for name, problems in by_file.items():
        reading = read_media(sources[name].data, sources[name].media)
        places = reading.locate({problem.pointer for problem in problems}) if reading.locate else {}
        for problem in problems:
            line, column = places.get(problem.pointer, (1, 1))
            yield problem.model_copy(update={"location": ProblemLocation(file=name, line=line, column=column)})


def _place(problem: Problem) -> tuple[bool, str, int, int]:
    """Sort key: by file and line; what belongs to no file comes last."""
    where = problem.location
    return (False, where.file, where.line, where.column) if where else (True, "", 0, 0)
