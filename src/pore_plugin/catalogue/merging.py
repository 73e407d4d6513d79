"""The merge: every document of the built-in, of the extensions and of the clinic, or why it is not in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from ..contracts import DOCUMENTS, ContentDocument, ContentItem, Pin, Problem, ProblemsError
from ..hooks import BUILTIN, Contributed
from ..validation import check
from ..validation.jsontext import read_json
from .entries import CLINIC, Entry, entry_of
from .locales import missing_locales
from .references import definitions, references
from .wording import refused_texts

__all__ = ["PACKAGE_ONLY", "SOLE", "Catalogue"]

T = TypeVar("T", bound=ContentDocument)

_HAND_IN = "Install or hand in the content that holds it."
_HOOK = "pore_register_content"
_OURS = frozenset({BUILTIN, CLINIC})
SOLE = frozenset({"evidence statement", "region", "chart", "rule", "market"})
"""What one document alone may define: a second definition would leave open which one holds."""
_NAMES = {contract: name for name, contract in DOCUMENTS.items()}
PACKAGE_ONLY = frozenset({"safety-rules", "markets"})
"""What is never taken from anybody else: nothing may lower a verdict or what a market asks for."""


class Catalogue:
    """All content documents. It never changes; `with_entries` returns another one."""

    __slots__ = ("_current", "_pinned", "entries", "problems")

    def __init__(self, entries: Iterable[Entry[Any]], problems: Iterable[Problem] = ()) -> None:
        """Take entries that go together; `build` makes sure that they do."""
        self._pinned: dict[Pin, Entry[Any]] = {}
        self._current: dict[tuple[type[ContentDocument], str], Entry[Any]] = {}
        for entry in entries:
            self._pinned.setdefault(entry.pin, entry)
        for entry in self._pinned.values():
            key = (entry.contract, entry.pin.id)
            if entry.is_current and (key not in self._current or self._current[key].number < entry.number):
                self._current[key] = entry
        self.entries: tuple[Entry[Any], ...] = tuple(self._pinned.values())
        self.problems: tuple[Problem, ...] = tuple(problems)

    @classmethod
    def build(
        cls,
        contributions: Iterable[Contributed[ContentItem]],
        documents: Iterable[bytes | Mapping[str, Any] | Entry[Any]] = (),
    ) -> Catalogue:
        """Merge what plug-ins contribute with the documents that the clinic hands in.

        What an extension contributes is left out whole when anything about it is wrong, or when it needs something
        that was left out; `problems` says why. A text that `check_document` refuses is wrong as well. A document of
        the clinic's library that does not hold together with the rest, such as after an upgrade, is set aside in the
        same way: records find it by its pin. Anything wrong with the built-in's documents or others of the clinic
        raises `ProblemsError` with everything that is wrong with them.
        """
        entries: list[Entry[Any]] = [entry_of(item.value, item.document, item.plugin) for item in contributions]
        entries += _handed_in(documents)
        problems: list[Problem] = []
        while True:
            found = list(_problems(entries))
            ours = [problem for entry, problem in found if entry.origin in _OURS and not entry.is_kept]
            refused = {entry.origin for entry, _ in found} - _OURS
            aside = {entry.pin for entry, _ in found if entry.is_kept}
            if not refused and not aside:
                if ours:
                    raise ProblemsError(ours)
                return cls(entries, (*problems, *_pinned_only(entries)))
            # Out they go, and once more: what leaned on them falls with them, what clashed with them may stay.
            problems += [problem for entry, problem in found if entry.origin in refused or entry.is_kept]
            entries = [
                entry.set_aside() if entry.is_kept and entry.pin in aside else entry
                for entry in entries
                if entry.origin not in refused
            ]

    def find(self, kind: type[T], identifier: str) -> Entry[T] | None:
        """Return the newest version of a document that new work may use; `kind` is its contract.

        Retired documents and composed forms are found by their pins only, and so are documents under `pore.` ids
        that the clinic hands in.
        """
        return self._current.get((kind, identifier))

    def get(self, kind: type[T], identifier: str) -> Entry[T]:
        """Return what `find` returns. Raises `ProblemsError` (`catalogue.unknown`) when there is none."""
        found = self.find(kind, identifier)
        if found is None:
            name = _NAMES.get(kind, kind.__name__)
            known = [entry.pin.id for entry in self.of_type(kind)]
            near = get_close_matches(identifier, known, n=1) or known[:5]
            hint = f"Did you mean {' or '.join(near)}? " if near else ""
            sentence = f"The catalogue has no {name} with the id that was asked for."
            raise ProblemsError([_unknown("catalogue.unknown", sentence, hint)])
        return found

    def pinned(self, pin: Pin) -> Entry[Any]:
        """Return the very document of a pin. Raises `ProblemsError` (`catalogue.unknown_pin`) when it is not there."""
        found = self._pinned.get(pin)
        if found is None:
            sentence = "The catalogue does not have the version of the document that this is pinned to."
            raise ProblemsError([_unknown("catalogue.unknown_pin", sentence)])
        return found

    def of_type(self, kind: type[T]) -> tuple[Entry[T], ...]:
        """Return the documents of a contract that new work may use, by id."""
        found = [entry for (model, _), entry in self._current.items() if model is kind]
        return tuple(sorted(found, key=lambda entry: entry.pin.id))

    def ids(self, kind: str) -> frozenset[str]:
        """Return the ids that current documents define: `region`, `question`, `evidence statement`, `rule`…"""
        current = self._current.values()
        return frozenset(name for entry in current for what, name in definitions(entry.model) if what == kind)

    def with_entries(self, entries: Iterable[Entry[Any]]) -> Catalogue:
        """Return the catalogue with more entries, such as composed forms, reachable by their pins."""
        return Catalogue((*self.entries, *entries), self.problems)


def _handed_in(documents: Iterable[bytes | Mapping[str, Any] | Entry[Any]]) -> Iterator[Entry[Any]]:
    problems: list[Problem] = []
    for index, given in enumerate(documents):
        if isinstance(given, Entry):
            yield given
            continue
        try:
            document = read_json(given) if isinstance(given, bytes) else given
            kind = document.get("type") if isinstance(document, Mapping) else None
            checked = check(kind if isinstance(kind, str) else "", given)
            if not isinstance(checked.model, ContentDocument):
                raise LookupError
            yield entry_of(cast(ContentItem, checked.model), checked.document, CLINIC)
        except LookupError:
            sentence = f"Document {index} that was handed in has no `type` of a content document."
            problems.append(
                Problem(
                    code="catalogue.not_content",
                    sentence=sentence,
                    pointer=f"/{index}/type",
                    next_step="Hand in content documents only.",
                    plugin=CLINIC,
                )
            )
        except ProblemsError as error:
            problems += [
                problem.model_copy(update={"pointer": f"/{index}{problem.pointer}", "plugin": CLINIC})
                for problem in error.problems
            ]
    if problems:
        raise ProblemsError(problems)


_Found = tuple[Entry[Any], Problem]


def _problems(entries: list[Entry[Any]]) -> Iterator[_Found]:
    unreadable = list(_unreadable(entries))
    if unreadable:
        yield from unreadable
        return
    yield from _duplicates(entries)
    current = Catalogue(entries)._current.values()
    defined: dict[str, set[str]] = defaultdict(set)
    authors: dict[tuple[str, str], list[Entry[Any]]] = defaultdict(list)
    for entry in current:
        for kind, name in definitions(entry.model):
            defined[kind].add(name)
            if kind in SOLE:
                authors[kind, name].append(entry)
    for (kind, name), several in sorted(authors.items(), key=lambda item: item[0]):
        if len(several) > 1:
            yield from _duplicate(f"The {kind} {name}", several)
    for entry in current:
        if entry.model.type in PACKAGE_ONLY and entry.origin != BUILTIN:
            sentence = f"{entry.pin.id} is a {entry.model.type} document, which only the package itself has."
            yield _problem(entry, "catalogue.package_only", sentence, "/type")
        for reference in references(entry.model):
            if reference.target not in defined[reference.kind]:
                sentence = f"{entry.pin.id} refers to the {reference.kind} {reference.target}, which nothing defines."
                yield _problem(entry, "catalogue.unknown_reference", sentence, reference.pointer)
        for pointer, locale in () if entry.is_kept else missing_locales(entry.model):
            sentence = f"{entry.pin.id} lacks a text in {locale}, a locale it has elsewhere."
            yield _problem(entry, "locale.missing", sentence, pointer)
    for entry, problem in refused_texts(current):
        sentence = f"A text of {entry.pin.id} is refused. {problem.sentence}"
        _, found = _problem(entry, problem.code, sentence, problem.pointer)
        yield entry, found.model_copy(update={"next_step": problem.next_step})


def _unreadable(entries: list[Entry[Any]]) -> Iterator[_Found]:
    """Name what the library kept and this version of the package refuses."""
    for entry in entries:
        if entry.is_kept and entry.is_current:
            try:
                _ = entry.model
            except ProblemsError as error:
                codes = ", ".join(sorted({problem.code for problem in error.problems})[:8])
                sentence = f"{entry.pin.id} {entry.pin.version} is refused by this version of the package: {codes}."
                yield _problem(entry, "catalogue.unreadable", sentence, "/type")


def _duplicates(entries: list[Entry[Any]]) -> Iterator[_Found]:
    by_version: dict[tuple[str, str], dict[str, Entry[Any]]] = defaultdict(dict)
    by_id: dict[str, dict[str, Entry[Any]]] = defaultdict(dict)
    for entry in entries:
        if entry.is_kept and not entry.is_current:
            # Found by its digest alone; what else there is under its id does not matter to the records that pin it.
            continue
        by_version[entry.pin.id, entry.pin.version].setdefault(entry.pin.digest, entry)
        by_id[entry.pin.id].setdefault(_NAMES[entry.contract], entry)
    for (identifier, version), different in sorted(by_version.items()):
        if len(different) > 1:
            yield from _duplicate(f"{identifier} {version}", list(different.values()))
    for identifier, kinds in sorted(by_id.items()):
        if len(kinds) > 1:
            yield from _duplicate(f"{identifier}, once as {' and once as '.join(sorted(kinds))},", list(kinds.values()))


def _duplicate(what: str, entries: list[Entry[Any]]) -> Iterator[_Found]:
    """Name all authors to each of them; extensions give way first, then what the clinic's library kept."""
    names = " and by ".join(sorted(entry.origin for entry in entries))
    guests = [entry for entry in entries if entry.origin not in _OURS]
    kept = [entry for entry in entries if entry.is_kept]
    for entry in guests or kept or entries:
        yield _problem(entry, "catalogue.duplicate", f"{what} is contributed differently by {names}.", "")


def _problem(entry: Entry[Any], code: str, sentence: str, pointer: str) -> _Found:
    return entry, Problem(
        code=code,
        sentence=sentence,
        pointer=pointer,
        next_step="Correct the document, or install what it needs." if pointer else "Keep one of them.",
        plugin=entry.origin,
        hook=None if entry.origin == CLINIC else _HOOK,
    )


def _unknown(code: str, sentence: str, hint: str = "") -> Problem:
    next_step = f"{hint}Otherwise install or hand in the content that holds it." if hint else _HAND_IN
    return Problem(code=code, sentence=sentence, next_step=next_step)


def _pinned_only(entries: Iterable[Entry[Any]]) -> Iterator[Problem]:
    """Yield a warning for each document of the clinic that new work will not use because its id is the package's."""
    ours = {entry.pin for entry in entries if entry.origin == BUILTIN}
    for entry in entries:
        mistaken = entry.origin == CLINIC and entry.pin.id.partition(".")[0] == BUILTIN and not entry.is_kept
        if mistaken and entry.pin not in ours:
            yield Problem(
                code="catalogue.pinned_only",
                severity="warning",
                sentence=f"{entry.pin.id} has an id of the package, so it serves records that pin it and no new work.",
                next_step="Give the document an id that begins with a word of your own.",
            )
