"""What the text check says about documents that are not ours: a promise is refused before a patient can read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..clinical.wording.texts import check_document
from ..contracts import Problem, Product
from ..hooks import BUILTIN
from .entries import Entry

__all__ = ["drug_names", "refused_texts"]


def drug_names(models: Iterable[Any]) -> frozenset[str]:
    """Return the brands and INNs of the products among the models."""
    return frozenset(name for model in models if isinstance(model, Product) for name in (model.brand, model.inn))


def refused_texts(entries: Iterable[Entry[Any]]) -> Iterator[tuple[Entry[Any], Problem]]:
    """Yield each entry of an extension or the clinic with what is wrong with its texts.

    Ours are checked when the package is made, those of the clinic's library when they are taken in. The names are
    those of every product among the entries.
    """
    entries = tuple(entries)
    names = drug_names(entry.model for entry in entries)
    for entry in entries:
        if entry.origin != BUILTIN and not entry.is_kept:
            for problem in check_document(entry.model, names=names):
                yield entry, problem
