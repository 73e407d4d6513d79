"""Overlays of the library: begun from an edited copy, shown against their base, re-applied to an upgraded one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..contracts import ContentDiff, Overlay, Problem, ProblemsError, digest, refusal
from ..library.checking import CheckedFile
from ..library.overlays import BASES, difference, rebase
from ..library.sources import SourceFile
from ..validation import check
from .comparing import Compared
from .shelf import Shelf

__all__ = ["BASES", "Reapplied", "difference_of", "reapplied"]


@dataclass(slots=True)
class Reapplied:
    """Overlays in their next version, as files that nobody wrote, and what those do not fit that have none."""

    files: list[CheckedFile] = field(default_factory=list)
    conflicts: dict[str, tuple[Problem, ...]] = field(default_factory=dict)


def reapplied(
    overlays: Mapping[str, tuple[Overlay, Mapping[str, Any]]],
    bases: Mapping[str, Mapping[str, Any]],
    apart: Collection[str] = (),
) -> Reapplied:
    """Re-apply overlays, given with the base they pin, to the `bases` of these ids, but for the overlays `apart`."""
    found = Reapplied()
    for overlay, old in overlays.values():
        new = bases.get(overlay.base.id)
        if new is None or overlay.id in apart or digest(new) == overlay.base.digest:
            continue
        rebased = rebase(overlay, old, new)
        if rebased.conflicts:
            found.conflicts[overlay.id] = rebased.conflicts
        elif rebased.overlay is not None:
            found.files.append(_file(rebased.overlay))
    return found


def difference_of(shelf: Shelf, compared: Compared) -> ContentDiff:
    """Return what an overlay changes of its base. Raises `ProblemsError` (`overlay.none`) for another document."""
    if compared.type != "overlay":
        raise refusal("overlay.none", f"{compared.pin.id} is no overlay.", "`pore-plugin diff` compares documents.")
    overlay = check(Overlay, compared.document).model
    base = shelf.found(f"{overlay.base.id}@{overlay.base.version}")
    if base.pin != overlay.base:
        raise ProblemsError(
            [
                Problem(
                    code="overlay.no_base",
                    sentence=f"{overlay.base.id} {overlay.base.version} is here with other bytes.",
                    pointer="/base",
                    next_step="Make the overlay anew over the document that is here.",
                )
            ]
        )
    return difference(overlay, base.document)


def _file(overlay: Overlay) -> CheckedFile:
    data = (json.dumps(overlay.to_document(), indent=2, ensure_ascii=False) + "\n").encode()
    source = SourceFile(f"{overlay.id} (re-applied)", data, "json", f"{overlay.id}.json")
    return CheckedFile(source, "overlay", check(Overlay, data))
