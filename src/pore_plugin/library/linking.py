"""How the content documents of a package hang together, and what they say to people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..catalogue.locales import missing_locales
from ..catalogue.merging import PACKAGE_ONLY, SOLE
from ..catalogue.references import definitions
from ..catalogue.references import references as references_of
from ..catalogue.wording import drug_names
from ..clinical.wording.texts import check_document, localised_texts
from ..contracts import Problem
from ..validation.explain import nearest
from .known import Known, is_builtin

if TYPE_CHECKING:
    from .checking import CheckedFile

__all__ = ["Found", "package_problems"]

Found = tuple["CheckedFile", Problem]
"""A file, and something that is wrong with it, not yet located."""

_GUESSES = 50
"""For so many different names that nothing defines a near one is looked for; each costs a look at all names."""


def package_problems(content: Sequence[CheckedFile], known: Known, *, references: bool) -> list[Found]:
    """Return what the texts of documents must not say, and how documents do not hang together.

    The names of every product there is are known to the check of texts. With `references` come every reference that
    leads nowhere, everything defined twice, and every text that lacks a language. Retired documents may be as they are.
    """
    names = known.names | drug_names(file.checked.model for file in content)
    current = [file for file in content if file.checked.model.status != "retired"]
    everything = known.with_models(file.checked.model for file in content) if references else known
    guesses = _Guesses(everything)
    found = list(_defined_twice(current, known)) if references else []
    for file in current:
        model = file.checked.model
        texts = localised_texts(model)
        found += [(file, problem) for problem in check_document(model, names=names, texts=texts)]
        # The content of the package itself, handed in as it is, is as it should be.
        if references and not is_builtin(model.id, file.checked.digest):
            found += [(file, problem) for problem in _linked(model, everything, guesses)]
            for pointer, locale in missing_locales(model, texts=texts):
                sentence = f"{model.id} lacks a text in {locale}, a locale it has elsewhere."
                found.append((file, _problem("locale.missing", sentence, pointer, f"Add the text in {locale}.")))
    return found


def _linked(model: Any, everything: Known, guesses: _Guesses) -> Iterator[Problem]:
    if model.type in PACKAGE_ONLY:
        sentence = f"{model.id} is a {model.type} document, which only the package itself has."
        yield _problem("catalogue.package_only", sentence, "/type", "Take it out.")
    for reference in references_of(model):
        if (reference.kind, reference.target) not in everything.defined:
            sentence = f"{model.id} refers to the {reference.kind} {reference.target}, which nothing defines."
            step = guesses.step(reference.kind, reference.target)
            yield _problem("catalogue.unknown_reference", sentence, reference.pointer, step)


def _defined_twice(current: Sequence[CheckedFile], known: Known) -> Iterator[Found]:
    """Name what one document alone may define and two do; versions of one document are one."""
    authors: dict[tuple[str, str], str] = {what: author for what, author in known.defined.items() if what[0] in SOLE}
    for file in current:
        model = file.checked.model
        if is_builtin(model.id, file.checked.digest):
            continue
        for kind, name in definitions(model):
            if kind in SOLE and authors.setdefault((kind, name), model.id) != model.id:
                sentence = f"The {kind} {name} is defined by {authors[kind, name]} too."
                yield file, _problem("catalogue.duplicate", sentence, "", "Keep one of them, or rename it.")


class _Guesses:
    """Next steps for names that nothing defines, each looked up once."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.steps: dict[tuple[str, str], str] = {}

    def step(self, kind: str, target: str) -> str:
        if (kind, target) not in self.steps:
            near = nearest(target, self.known.ids(kind)) if len(self.steps) < _GUESSES else None
            guess = f"Did you mean {near}? Otherwise add" if near else "Add"
            self.steps[kind, target] = f"{guess} the document that defines it."
        return self.steps[kind, target]


def _problem(code: str, sentence: str, pointer: str, next_step: str) -> Problem:
    return Problem(code=code, sentence=sentence[:4000], pointer=pointer, next_step=next_step)
