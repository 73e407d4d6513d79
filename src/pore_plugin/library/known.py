"""What documents may refer to beside those of their own package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..builtin import documents
from ..catalogue.references import definitions
from ..catalogue.wording import drug_names
from ..contracts import ContentDocument
from ..contracts.canonical import checked_digest

__all__ = ["Known", "builtin_known", "is_builtin"]


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
    """Return what the content of the package defines.

    Read from the plain documents: their models are built for whoever works with them, which takes longer than a
    hundred templates.
    """
    read = [document for document in _builtin().values() if document.get("status") != "retired"]
    return Known(
        {(kind, name): document["id"] for document in read for kind, name in _defined(document)},
        frozenset(document[key] for document in read if document["type"] == "product" for key in ("brand", "inn")),
        frozenset((document["id"], document["version"]) for document in read),
    )


def is_builtin(identifier: str, digest: str) -> bool:
    """Say whether a document is one of the package's own, as it is."""
    document = _builtin().get(identifier)
    return document is not None and checked_digest(document) == digest


@cache
def _builtin() -> dict[str, dict[str, Any]]:
    read = [json.loads(data) for _, data in documents()]
    return {document["id"]: document for document in read}


def _defined(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what `definitions` yields for the model of a document; a test holds the two together."""
    kind = document["type"]
    yield kind, document["id"]
    if kind == "consultation-form":
        yield f"{document['kind']} form", document["id"]
        yield from (("question", one["id"]) for section in document["sections"] for one in section["questions"])
    elif kind == "evidence-base":
        yield from (("evidence statement", one["id"]) for one in document["statements"])
    elif kind == "region-map":
        yield from (("region", one["id"]) for one in document["regions"])
        paired = (one["id"] for one in document["regions"] if one.get("paired"))
        yield from (("side", f"{one}/{side}") for one in paired for side in ("left", "right"))
        yield from (("chart", one["id"]) for one in document.get("charts", ()))
    elif kind == "safety-rules":
        yield from (("rule", one["code"]) for one in document["rules"])
    elif kind == "markets":
        yield from (("market", one["id"]) for one in document["markets"])
