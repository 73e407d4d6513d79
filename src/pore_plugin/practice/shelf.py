"""The library in one transaction: which versions of a document there are, and which one somebody means."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal

from ..builtin import content, documents
from ..catalogue import CLINIC
from ..contracts import Pin, ProblemsError, refusal
from ..storage import Unit
from ..storage.rows import ContentRow
from ..workflow import PoreWorkflow
from .standing import Standing, newest, standings

__all__ = ["JSON", "YAML", "Found", "Shelf"]

JSON, YAML = "application/json", "application/yaml"
"""What the bytes of a document are written in."""


@dataclass(frozen=True, slots=True)
class Found:
    """A version of a content document, kept or not; `source` are the bytes that it came in, in `media`."""

    pin: Pin
    type: str
    origin: str
    media: str
    source: bytes
    canonical: bytes
    kept: bool

    @property
    def document(self) -> dict[str, Any]:
        """The plain document."""
        document: dict[str, Any] = json.loads(self.canonical)
        return document


class Shelf:
    """What the library, the package and the extensions have, for the length of a transaction."""

    def __init__(self, unit: Unit, workflow: PoreWorkflow) -> None:
        """Take the workflow over the library as it was when the transaction began."""
        self.unit = unit
        self.workflow = workflow
        self._stands: dict[str, Standing | None] = {}

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """Where everything stands that anything was done with, by id."""
        return standings(self.unit.content.actions(), self.unit.content.heads())

    def expect(self, words: Iterable[str]) -> None:
        """Read in one go where these documents stand, named as `found` takes them."""
        ids = dict.fromkeys(word.partition("@")[0] for word in words)
        content = self.unit.content
        self._stands |= {**dict.fromkeys(ids), **standings(content.actions(ids), content.heads(ids))}

    def stands(self, content_id: str) -> Standing | None:
        """Return where one document stands, or nothing where nothing was done with it."""
        if content_id not in self._stands:
            self.expect([content_id])
        return self._stands[content_id]

    def standing(self, content_id: str) -> Standing:
        """Return where a document stands that the clinic imported. Raises `ProblemsError`: `library.not_imported`."""
        standing = self.stands(content_id)
        if standing is not None and standing.imported:
            return standing
        self.found(content_id)
        raise refusal(
            "library.not_imported",
            f"{content_id} comes from the package or an extension, which alone changes it.",
            "Withdraw its approval, or import a document with an id of your own.",
        )

    def found(self, word: str, which: Literal["current", "newest"] = "current") -> Found:
        """Return what `ID` or `ID@VERSION` means: without a version the one in use, or the newest there is.

        Raises `ProblemsError` (`library.unknown`, `library.unknown_version`).
        """
        content_id, _, version = word.partition("@")
        if version:
            return self._version(content_id, version)
        standing = self.stands(content_id)
        if standing is None or not standing.imported:
            return self._contributed(content_id)
        there = [version for version in standing.imported if version not in standing.left]
        current = standing.current()
        chosen = current[0] if current is not None and which == "current" else newest(there or standing.imported)
        return self._version(content_id, str(chosen))

    def _version(self, content_id: str, version: str) -> Found:
        row = self.unit.content.get(content_id, version)
        if row is not None:
            return _of_row(row)
        for entry in self.workflow.catalogue.entries:
            if (entry.pin.id, entry.pin.version) == (content_id, version):
                return self._entry(entry)
        known = self._versions(content_id)
        if not known:
            raise self._unknown(content_id)
        raise refusal(
            "library.unknown_version",
            f"There is no version {version[:48]} of {content_id} here.",
            f"Use one of: {', '.join(known[:20])}.",
        )

    def _contributed(self, content_id: str) -> Found:
        try:
            pin = self.workflow.pin(content_id)
        except ProblemsError:
            kept = newest(row.version for row in self.unit.content.versions(content_id))
            if kept is None:
                raise self._unknown(content_id) from None
            return self._version(content_id, kept)
        return self._entry(self.workflow.catalogue.pinned(pin))

    def _entry(self, entry: Any) -> Found:
        media, source = JSON, _shipped().get(entry.pin.digest, entry.canonical)
        kind: str = entry.model.type
        return Found(entry.pin, kind, entry.origin, media, source, entry.canonical, kept=False)

    def _versions(self, content_id: str) -> list[str]:
        known = {row.version for row in self.unit.content.versions(content_id)}
        known |= {entry.pin.version for entry in self.workflow.catalogue.entries if entry.pin.id == content_id}
        return sorted(known)

    def _unknown(self, content_id: str) -> ProblemsError:
        known = {*self.standings, *(entry.pin.id for entry in self.workflow.catalogue.entries)}
        near = get_close_matches(content_id, sorted(known), n=1)
        step = f"Did you mean {near[0]}?" if near else "`pore-plugin list` shows what there is."
        return refusal("library.unknown", "The library has no document with the id that was asked for.", step)


def _of_row(row: ContentRow) -> Found:
    pin = Pin(id=row.id, version=row.version, digest=row.digest)
    return Found(pin, row.type, row.origin or CLINIC, row.media, row.source, row.canonical, kept=True)


def _shipped() -> dict[str, bytes]:
    """Return the bytes of the package's own files by digest."""
    return {checked.digest: data for checked, (_, data) in zip(content(), documents(), strict=True)}
