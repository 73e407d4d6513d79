"""What documents may refer to beside those of their own package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..builtin import content
from ..catalogue.references import definitions
from ..catalogue.wording import drug_names
from ..contracts import ContentDocument

__all__ = ["Known", "builtin_known"]


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that is defined somewhere: by kind and name the id of the document that defines it."""

    defined: Mapping[tuple[str, str], str]
    names: frozenset[str] = frozenset()
    """Brands and INNs, which texts before the consultation must not name."""
    held: frozenset[tuple[str, str]] = frozenset()
    """Id and version of the documents themselves, where they were handed in whole."""

    def with_models(self, models: Iterable[Any]) -> Known:
        """Return what is known when these content documents are there too; a retired one defines nothing."""
        current = [model for model in models if isinstance(model, ContentDocument) and model.status != "retired"]
        more = {(kind, name): model.id for model in current for kind, name in definitions(model)}
        held = {(model.id, model.version) for model in current}
        return Known({**self.defined, **more}, self.names | drug_names(current), self.held | held)

    def with_ids(self, kind: str, identifiers: Iterable[str]) -> Known:
        """Return what is known when there are documents of this contract with these ids too.

        For documents that define nothing but themselves, such as templates; others are handed in whole.
        """
        return Known({**self.defined, **{(kind, one): one for one in identifiers}}, self.names, self.held)

    def ids(self, kind: str) -> list[str]:
        """Return the names of a kind, sorted."""
        return sorted(name for what, name in self.defined if what == kind)


@cache
def builtin_known() -> Known:
    """Return what the content of the package defines."""
    return Known({}).with_models(checked.model for checked in content())
