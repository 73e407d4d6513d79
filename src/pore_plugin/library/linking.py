"""How the content documents of a package hang together, and what they say to people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..catalogue.locales import missing_locales
from ..catalogue.merging import PACKAGE_ONLY, SOLE
from ..catalogue.references import Reference, definitions
from ..catalogue.references import references as references_of
from ..catalogue.wording import drug_names
from ..clinical.wording.texts import check_document, localised_texts
from ..contracts import ConsentText, FollowUpSchedule, FrozenMap, Overlay, PatientTexts, Problem
from ..validation.explain import nearest
from .known import Known, is_builtin
from .overlays import BASES

if TYPE_CHECKING:
    from .checking import CheckedFile
    from .sources import SourceFile

__all__ = ["Found", "Linking", "package_problems"]

_NAMED = (ConsentText, FollowUpSchedule, PatientTexts)
"""Whose texts must, or must not, name a product: they wait until every product of the package is known."""
_GUESSES = 50
"""For so many different names that nothing defines a near one is looked for; each costs a look at all names."""


class Found(NamedTuple):
    """Something that is wrong with the document of a file, not yet located."""

    source: SourceFile
    identifier: str
    problem: Problem


class _First(NamedTuple):
    """What is remembered of a document to know the next one of its id."""

    name: str
    contract: str
    digest: str


def package_problems(content: Iterable[CheckedFile], known: Known, *, references: bool) -> list[Found]:
    """Return what is wrong with content documents together; see `Linking`."""
    linking = Linking(known, references=references)
    for file in content:
        linking.take(file)
    return linking.finish()


class Linking:
    """What the texts of documents must not say, and how documents do not hang together.

    The names of every product there is are known to the check of texts. With `references` come every reference that
    leads nowhere, everything that stands or is defined twice, and every text that lacks a language. A retired document
    may be as it is. Of a document that was taken only what others depend on is kept.
    """

    def __init__(self, known: Known, *, references: bool) -> None:
        self.known = known
        self.references = references
        self.found: list[Found] = []
        self.defined: set[tuple[str, str]] = set()
        self.names: set[str] = set()
        self.waiting: list[CheckedFile] = []
        self.open: list[tuple[SourceFile, str, Reference]] = []
        self.authors = {what: author for what, author in known.defined.items() if what[0] in SOLE}
        self.versions: dict[tuple[str, str], _First] = {}
        self.kinds: dict[str, _First] = {}
        self.overlays: list[Overlay] = []

    def take(self, file: CheckedFile) -> None:
        """Look at the next content document."""
        model = file.checked.model
        self.names |= drug_names([model])
        if self.references:
            self.twice(file)
        if model.status == "retired":
            return
        texts = localised_texts(model)
        if isinstance(model, _NAMED):
            self.waiting.append(file)
        else:
            self.say(file, check_document(model, texts=texts))
        if not self.references:
            return
        self.defined.update(definitions(model))
        if isinstance(model, Overlay):
            self.overlays.append(model)
        # The content of the package itself, handed in as it is, is as it should be.
        if not is_builtin(model.id, file.checked.digest):
            self.say(file, self.alone(model, texts))
            self.open += [
                (file.source, model.id, reference)
                for reference in references_of(model)
                if (reference.kind, reference.target) not in self.known.defined
            ]

    def finish(self) -> list[Found]:
        """Return everything that is wrong, now that all documents are known."""
        names = self.known.names | self.names
        self.defined.update(self.made_by_overlays())
        for file in self.waiting:
            self.say(file, check_document(file.checked.model, names=names))
        guesses = _Guesses({*self.known.defined, *self.defined})
        for source, identifier, reference in self.open:
            if (reference.kind, reference.target) not in self.defined:
                sentence = f"{identifier} refers to the {reference.kind} {reference.target}, which nothing defines."
                step = guesses.step(reference.kind, reference.target)
                problem = _problem("catalogue.unknown_reference", sentence, reference.pointer, step)
                self.found.append(Found(source, identifier, problem))
        return self.found

    def made_by_overlays(self) -> Iterator[tuple[str, str]]:
        """Yield kind and id of what the overlays will make, so that others may refer to it.

        It is of its base's kind; of any kind there can be where the base is not here, which is said where it is made.
        """
        for overlay in self.overlays:
            base = overlay.base.id
            kinds = [kind for kind in BASES if (kind, base) in self.known.defined or (kind, base) in self.defined]
            first = self.kinds.get(base)
            for kind in kinds or ([first.contract] if first is not None else BASES):
                yield kind, overlay.target

    def say(self, file: CheckedFile, problems: Iterable[Problem]) -> None:
        self.found += [Found(file.source, file.checked.model.id, problem) for problem in problems]

    def alone(self, model: Any, texts: list[tuple[str, FrozenMap[str]]]) -> Iterator[Problem]:
        if model.type in PACKAGE_ONLY:
            sentence = f"{model.id} is a {model.type} document, which only the package itself has."
            yield _problem("catalogue.package_only", sentence, "/type", "Take it out.")
        for pointer, locale in missing_locales(model, texts=texts):
            sentence = f"{model.id} lacks a text in {locale}, a locale it has elsewhere."
            yield _problem("locale.missing", sentence, pointer, f"Add the text in {locale}.")
        for kind, name in definitions(model):
            # Versions of one document are one.
            if kind in SOLE and self.authors.setdefault((kind, name), model.id) != model.id:
                sentence = f"The {kind} {name} is defined by {self.authors[kind, name]} too."
                yield _problem("catalogue.duplicate", sentence, "", "Keep one of them, or rename it.")

    def twice(self, file: CheckedFile) -> None:
        """Name a file that holds a version of a document that another has, or one of another kind with its id."""
        model, this = file.checked.model, _First(file.source.name, file.contract, file.checked.digest)
        first = self.versions.setdefault((model.id, model.version), this)
        if first is not this:
            same = first.digest == this.digest
            what = "the same document" if same else "another document"
            step = "Keep one of the files." if same else "Keep one of them, or give one a new version."
            sentence = f"{model.id} {model.version} stands in {first.name} too, as {what}."
            self.say(file, [_problem("package.duplicate_id", sentence, "/version", step)])
            return
        relative = self.kinds.setdefault(model.id, this)
        if relative.contract != this.contract:
            sentence = f"{model.id} is a {relative.contract} in {relative.name}."
            self.say(file, [_problem("package.duplicate_id", sentence, "/id", "Give one a new id.")])


class _Guesses:
    """Next steps for names that nothing defines, each looked up once."""

    def __init__(self, defined: Collection[tuple[str, str]]) -> None:
        self.defined = defined
        self.steps: dict[tuple[str, str], str] = {}

    def step(self, kind: str, target: str) -> str:
        if (kind, target) not in self.steps:
            near = (
                nearest(target, sorted(name for what, name in self.defined if what == kind))
                if len(self.steps) < _GUESSES
                else None
            )
            guess = f"Did you mean {near}? Otherwise add" if near else "Add"
            self.steps[kind, target] = f"{guess} the document that defines it."
        return self.steps[kind, target]


def _problem(code: str, sentence: str, pointer: str, next_step: str) -> Problem:
    return Problem(code=code, sentence=sentence[:4000], pointer=pointer, next_step=next_step)
