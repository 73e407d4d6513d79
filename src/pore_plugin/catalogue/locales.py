"""Which languages a document speaks, and where it falls silent in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..clinical.wording.texts import localised_texts
from ..contracts import FrozenMap, Model

__all__ = ["locales_of", "missing_locales"]


def locales_of(value: Model) -> frozenset[str]:
    """Return every locale in which any text of a document is given."""
    return frozenset(locale for _, text in localised_texts(value) for locale in text)


def missing_locales(
    value: Model,
    wanted: frozenset[str] | None = None,
    *,
    texts: Iterable[tuple[str, FrozenMap[str]]] | None = None,
) -> Iterator[tuple[str, str]]:
    """Yield pointer and locale for each text that lacks one of the wanted locales, by default the document's own.

    `texts` are the `localised_texts` of the document, for whoever has them already.
    """
    there = localised_texts(value) if texts is None else list(texts)
    if wanted is None:
        wanted = frozenset().union(*(text for _, text in there))
        there = [(pointer, text) for pointer, text in there if len(text) < len(wanted)]
    for pointer, text in there:
        for locale in sorted(wanted - text.keys()):
            yield pointer, locale
