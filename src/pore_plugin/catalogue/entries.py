"""One content document in the catalogue: its model, its pin, its bytes, its author."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Generic, NoReturn, TypeVar

from pydantic import ValidationError

from ..contracts import ContentDocument, ContentStatus, Pin, canonical, digest
from ..hooks import BUILTIN
from ..validation import check

__all__ = ["CLINIC", "Entry", "entry_of"]

T_co = TypeVar("T_co", bound=ContentDocument, covariant=True)
T = TypeVar("T", bound=ContentDocument)

CLINIC = "clinic"
"""The author of documents that the clinic hands in."""


class Entry(Generic[T_co]):
    """A document that never changes. `origin` is the plug-in that contributed it, `pore` or `clinic`."""

    __slots__ = ("_model", "canonical", "contract", "is_kept", "origin", "pin", "status")

    canonical: bytes
    """The RFC 8785 form of the document as read: the bytes to store."""
    _model: Any
    contract: type[T_co]
    is_kept: bool
    """Whether it comes from the clinic's library, which checked it when it was taken in."""
    origin: str
    pin: Pin
    status: ContentStatus

    def __init__(self, model: T_co, source: Mapping[str, Any], origin: str) -> None:
        """Take a checked document with the plain document it was read from, whose digest becomes the pin's."""
        # Written down now: the plain document stays in the hands of whoever gave it.
        pin = Pin(id=model.id, version=model.version, digest=digest(source))
        self._set(model, type(model), pin, canonical(source), origin, model.status, False)

    @classmethod
    def kept(cls, contract: type[T], pin: Pin, canonical: bytes, status: ContentStatus, origin: str) -> Entry[T]:
        """Return a document of the clinic's library, with its status there; it is read when somebody looks at it."""
        entry: Entry[T] = object.__new__(Entry)
        entry._set(None, contract, pin, canonical, origin, status, True)
        return entry

    def set_aside(self) -> Entry[T_co]:
        """Return the same document, kept and found by its pin only."""
        return Entry.kept(self.contract, self.pin, self.canonical, "retired", self.origin)

    def with_status(self, status: ContentStatus) -> Entry[T_co]:
        """Return the same document, kept with another status; what was read of it is not read again."""
        entry = Entry.kept(self.contract, self.pin, self.canonical, status, self.origin)
        if self._model is not None:
            object.__setattr__(entry, "_model", self._model.model_copy(update={"status": status}))
        return entry

    def _set(self, *values: Any) -> None:
        names = ("_model", "contract", "pin", "canonical", "origin", "status", "is_kept")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)

    @property
    def model(self) -> T_co:
        """The typed document. Raises `ProblemsError` for kept bytes that this version of the package cannot read."""
        known: T_co | None = self._model
        if known is None:
            known = _read(self.contract, self.canonical).model_copy(update={"status": self.status})
            object.__setattr__(self, "_model", known)
        return known

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("an entry of the catalogue does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("an entry of the catalogue does not change")

    @property
    def document(self) -> dict[str, Any]:
        """A fresh copy of the document as read, members sorted; a kept one with its status in the library."""
        document: dict[str, Any] = json.loads(self.canonical)
        return {**document, "status": self.status} if self.is_kept else document

    @property
    def number(self) -> tuple[int, int, int]:
        """The version as numbers, without the suffix of a composed form."""
        major, minor, patch = map(int, self.pin.version.partition("+")[0].split("."))
        return major, minor, patch

    @property
    def is_composed(self) -> bool:
        """Whether this is a base form with the questions of extensions."""
        return "+" in self.pin.version

    @property
    def is_current(self) -> bool:
        """Whether new work may use the document.

        A document of ours that the clinic hands in serves the records that are pinned to it and nothing else:
        otherwise a copy with a higher version would replace our rules.
        """
        usurps = self.origin != BUILTIN and self.pin.id.partition(".")[0] == BUILTIN
        return not (self.is_composed or usurps or self.status == "retired")

    def __repr__(self) -> str:
        return f"Entry({self.pin.id} {self.pin.version})"


def _read(contract: type[T], data: bytes) -> T:
    """Return the document of bytes that were checked when they were kept; the contract may have changed since."""
    try:
        return contract.from_json(data)
    except ValidationError:
        return check(contract, data).model


def entry_of(model: T, source: Mapping[str, Any], origin: str) -> Entry[T]:
    """Return the entry of a checked document; an empty `source` stands for the model's own document."""
    return Entry(model, source or model.to_document(), origin)
