"""Where the versions of a document stand in the library, read off what was done with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..contracts import ContentStatus

__all__ = ["Standing", "newest", "number", "standings"]

Head = tuple[str, str]
"""Version and digest."""


@dataclass(slots=True)
class Standing:
    """What became of one document: which version is in use, which were gone back from, whether it is retired."""

    head: str | None = None
    retired: bool = False
    approved: set[str] = field(default_factory=set)
    """Versions whose approval nobody took back; whether it still holds is for the day to say."""
    left: set[str] = field(default_factory=set)
    """Versions that a rollback left behind, and that nobody approved since."""
    imported: dict[str, None] = field(default_factory=dict)
    """Versions that the clinic imported, in their order; what the package or an extension has is not among them."""

    def current(self, *, drafts: bool = False) -> tuple[str, ContentStatus] | None:
        """Return the version of the clinic's own that new work uses, with its status; nothing for a retired document.

        The version in use, else the newest draft; with `drafts` also a draft that is newer than what is in use.
        """
        if self.retired:
            return None
        open_drafts = [version for version in self.imported if version not in self.left]
        if self.head is not None:
            open_drafts = [one for one in open_drafts if drafts and number(one) > number(self.head)]
        draft = newest(open_drafts)
        if draft is not None:
            return draft, "draft"
        if self.head is None or self.head not in self.imported:
            return None
        return self.head, "active" if self.head in self.approved else "draft"

    def happened(self, version: str, action: str) -> None:
        """Take in what was done next."""
        if action == "imported":
            self.imported[version] = None
        elif action in ("approved", "handed-over"):
            self.approved.add(version)
            self.left.discard(version)
        elif action == "approval-withdrawn":
            self.approved.discard(version)
        elif action == "rolled-back":
            self.left |= {other for other in self.imported if number(other) > number(version)}
            self.left.discard(version)
        if action in ("imported", "rolled-back", "retired"):
            self.retired = action == "retired"


def standings(actions: Iterable[tuple[str, str, str]], heads: Mapping[str, Head]) -> dict[str, Standing]:
    """Return where every document stands, by id; `actions` as id, version and action, in their order."""
    found: dict[str, Standing] = {}
    for content_id, version, action in actions:
        standing = found.get(content_id)
        if standing is None:
            standing = found[content_id] = Standing(head=heads.get(content_id, (None,))[0])
        standing.happened(version, action)
    return found


def number(version: str) -> tuple[int, int, int]:
    """Return a version as numbers, without the suffix of a composed form."""
    major, minor, patch = map(int, version.partition("+")[0].split("."))
    return major, minor, patch


def newest(versions: Iterable[str]) -> str | None:
    """Return the highest version, or nothing."""
    return max(versions, key=number, default=None)
