"""The plan of an import, what it is compared with, and the report of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ..contracts import Bump, ImportReport, Pin, Problem, RatedChange, TouchedRecords
from ..validation import Checked
from .sources import SourceFile

__all__ = ["Held", "HeldVersion", "ImportPlan", "Outcome", "PlannedDocument"]

Outcome = Literal["created", "changed", "unchanged", "conflicting"]


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version that the clinic or the package holds; `sha256` is that of the bytes that were first imported."""

    id: str
    version: str
    digest: str
    type: str
    sha256: str | None = None


class Held(Protocol):
    """What an import is compared with. Answers hold for the whole import: one transaction."""

    def with_bytes(self, hashes: Collection[str]) -> Mapping[str, HeldVersion]:
        """Return the versions that were imported from files with these sha256 (hex), by sha256."""
        ...

    def versions(self, identifier: str) -> Sequence[HeldVersion]:
        """Return every version of an id, the package's and those of extensions too, in any order."""
        ...

    def canonical(self, held: HeldVersion) -> bytes:
        """Return the canonical JSON of a version."""
        ...

    def touched(self, identifier: str) -> Sequence[TouchedRecords]:
        """Return what is open and pinned to a version of an id: drafts, plans, follow-ups, overlays on it."""
        ...


@dataclass(frozen=True)
class PlannedDocument:
    """What an import does with one document."""

    outcome: Outcome
    type: str
    checked: Checked[Any]
    source: SourceFile
    """The file that it or its overlay came from."""
    overlay: Pin | None = None
    """The overlay that makes it; its bytes are those of no file."""
    previous: str | None = None
    """The version before it, held or in the same import."""
    changes: tuple[RatedChange, ...] = ()
    """Against that version."""
    needed_bump: Bump | None = None
    touches: tuple[TouchedRecords, ...] = ()

    @property
    def pin(self) -> Pin:
        model = self.checked.model
        return Pin(id=model.id, version=model.version, digest=self.checked.digest)

    def _item(self) -> dict[str, Any]:
        optional = {
            "source": self.source.name if self.overlay is None else None,
            "overlay": None if self.overlay is None else self.overlay.id,
            "previous": self.previous,
            "needed_bump": self.needed_bump,
        }
        return {
            **self.pin.to_document(),
            "type": self.type,
            "title": self.checked.model.title,
            "outcome": self.outcome,
            **{name: value for name, value in optional.items() if value},
            **({"changes": self.changes} if self.changes else {}),
            **({"touches": self.touches} if self.touches else {}),
        }


@dataclass(frozen=True)
class ImportPlan:
    """Everything an import would do, or why it may not."""

    documents: tuple[PlannedDocument, ...]
    """By id as they came, versions of one id in their order, each overlay followed by what it makes."""
    problems: tuple[Problem, ...]

    @property
    def to_write(self) -> tuple[PlannedDocument, ...]:
        """What has to be kept, in an order in which it can be: nothing at all where there is a problem."""
        if self.problems:
            return ()
        return tuple(document for document in self.documents if document.outcome in ("created", "changed"))

    def report(self, *, applied: bool = False, unchanged_files: int = 0) -> ImportReport:
        """Return the report; `unchanged_files` is how many `unchanged_by_bytes` had set apart."""
        counts = Counter(document.outcome for document in self.documents)
        counts["unchanged"] += unchanged_files
        return ImportReport.model_validate(
            {
                "applied": applied and not self.problems,
                "counts": {name: counts[name] for name in ("created", "changed", "unchanged", "conflicting")},
                "items": tuple(document._item() for document in self.documents if document.outcome != "unchanged"),
                "problems": self.problems,
            }
        )
