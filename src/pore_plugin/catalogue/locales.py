"""Which languages a document speaks, and where it falls silent in one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..contracts import FrozenMap, Model

__all__ = ["locales_of", "missing_locales"]


def locales_of(value: Model) -> frozenset[str]:
    """Return every locale in which any text of a document is given."""
    return frozenset(locale for _, text in _texts(value, "") for locale in text)


def missing_locales(value: Model, wanted: frozenset[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield pointer and locale for each text that lacks one of the wanted locales, by default the document's own."""
    texts = list(_texts(value, ""))
    wanted = frozenset(locale for _, text in texts for locale in text) if wanted is None else wanted
    for pointer, text in texts:
        for locale in sorted(wanted - text.keys()):
            yield pointer, locale


def _texts(value: Any, pointer: str) -> Iterator[tuple[str, FrozenMap[str]]]:
    if isinstance(value, FrozenMap):
        yield pointer, value
        return
    members = enumerate(value) if isinstance(value, tuple) else value.__dict__.items()
    for name, inner in members:
        if type(inner) is not str and isinstance(inner, (Model, tuple, FrozenMap)):
            yield from _texts(inner, f"{pointer}/{name}")
