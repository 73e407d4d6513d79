"""A clinic's changes laid over a base document: applied, re-applied to an upgraded base, made from an edited copy.

**How it enters the catalogue.** Overlay and base make one document of the base's type. It has an id of its own
(`target`) and the overlay's version, which says all: the overlay pins its base by id, version and digest, so nothing
else can make the document of that id and version. The library keeps the overlay *and* the document it makes, whose
digest is pinned, and hands the catalogue the latter as a document of the clinic like any other. Protocols name its id,
plans and approvals pin it, references are checked against it, and nobody who reads a record needs the overlay. It is a
draft until it is approved, whatever was approved of the base. Being a version of three numbers it competes as such: a
composed version (`1.2.0+…`) would serve pinned records only. The `review` of the base was not one of the clinic's
changes, so it is left out.

An upgraded base changes nothing by itself. `rebase` makes the overlay's next version, on the new base.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ..contracts import (
    Bump,
    ContentDiff,
    ContentDocument,
    Overlay,
    Pin,
    Problem,
    ProblemsError,
    RatedChange,
    digest,
)
from ..validation import Checked, check
from .classes import least_version, needed_bump, rated
from .diffing import diff
from .overlay_changes import ConflictError, changes_between, make

__all__ = ["BASES", "Overlaid", "Rebased", "apply", "compose", "difference", "of_composed", "overlay_of", "rebase"]

BASES = frozenset({"consent-text", "follow-up-schedule", "procedure-template"})
"""Types that an overlay may be laid over: what a clinic does its own way without being another product or rule."""

_OWN = ("digest", "id", "review", "status", "version")
"""Members that the overlay has of its own."""
_KEPT = ("$schema", "type")
"""Members that stay those of the base."""


@dataclass(frozen=True, slots=True)
class Overlaid:
    """The document that overlay and base make, and where the base is not what the overlay was made for.

    With conflicts the document lacks the changes that they name and is good for showing only.
    """

    document: dict[str, Any]
    conflicts: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Rebased:
    """An overlay re-applied to an upgraded base, as `rebase` says."""

    overlay: Overlay | None
    document: dict[str, Any]
    conflicts: tuple[Problem, ...]
    changes: tuple[RatedChange, ...]
    needed_bump: Bump


def apply(overlay: Overlay, base_document: Mapping[str, Any]) -> Overlaid:
    """Lay an overlay over its base. A base that is not the pinned one is a conflict of its own.

    What the base already has as the overlay wants it is no conflict, so applying twice changes nothing.
    """
    document, conflicts = _laid_over(overlay, base_document)
    return Overlaid(document, (*_another_base(overlay, base_document), *conflicts))


def compose(overlay: Overlay, base_document: Mapping[str, Any]) -> Checked[ContentDocument]:
    """Return the document that overlay and base make, checked against its contract.

    Raises `ProblemsError` with every conflict, or with everything that is wrong with the document.
    """
    overlaid = apply(overlay, base_document)
    kind = base_document.get("type")
    if kind not in BASES:
        raise ProblemsError([_of_type(), *overlaid.conflicts])
    if overlaid.conflicts:
        raise ProblemsError(overlaid.conflicts)
    try:
        return cast(Checked[ContentDocument], check(str(kind), overlaid.document))
    except ProblemsError as error:
        raise ProblemsError(of_composed(problem, overlay.target) for problem in error.problems) from None


def rebase(overlay: Overlay, old_base: Mapping[str, Any], new_base: Mapping[str, Any]) -> Rebased:
    """Re-apply an overlay whose base was upgraded from `old_base` to `new_base`.

    Without conflicts `overlay` is its next version: pinned to the new base, with what is still left to change, and of
    the least version that `changes` (from the document it made before) ask for. It is `None` with conflicts, and where
    the new base does everything that the overlay wanted.
    """
    before, _ = _laid_over(overlay, old_base)
    after, conflicts = _laid_over(overlay, new_base)
    changes = rated(str(new_base.get("type")), diff(before, after))
    bump = needed_bump(changes)
    version = least_version(overlay.version, "patch" if bump == "none" else bump)
    after["version"] = version
    if conflicts:
        return Rebased(None, after, tuple(conflicts), changes, bump)
    steps = list(changes_between(_bare(new_base), _bare(after), ()))
    document = {**overlay.to_document(), "version": version, "base": _pin(new_base), "changes": steps}
    document.pop("digest", None)
    rebased = check(Overlay, document).model if steps else None
    return Rebased(rebased, after, (), changes, bump)


def overlay_of(base: Mapping[str, Any], edited: Mapping[str, Any], *, identifier: str) -> Overlay:
    """Return the overlay that makes an edited copy out of its base.

    The copy has its own `id`, which becomes the target; version, title, status and review are taken over as well.
    Raises `ProblemsError` where the copy differs in nothing, or in its type, or has no id of its own.
    """
    steps = list(changes_between(_bare(base), _bare(edited), ()))
    problems = [*([] if base.get("type") == edited.get("type") else [_other_type()]), *([] if steps else [_nothing()])]
    if problems:
        raise ProblemsError(problems)
    document = {
        "type": "overlay",
        "id": identifier,
        "version": edited["version"],
        "title": edited["title"],
        "base": _pin(base),
        "target": edited["id"],
        "changes": steps,
        **{member: edited[member] for member in ("status", "review") if member in edited},
    }
    return check(Overlay, document).model


def difference(overlay: Overlay, base_document: Mapping[str, Any]) -> ContentDiff:
    """Return what an overlay changes of its base, for showing; `needed_bump` says how much it differs."""
    document = apply(overlay, base_document).document
    kind = str(base_document.get("type"))
    found = rated(kind, (each for each in diff(base_document, document) if each.place not in _OWN))
    new = Pin(id=overlay.target, version=overlay.version, digest=digest(document))
    old = Pin.model_validate(_pin(base_document))
    return ContentDiff(type=kind, old=old, new=new, changes=found, needed_bump=needed_bump(found))


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _OWN and key not in _KEPT}


def _pin(document: Mapping[str, Any]) -> dict[str, str]:
    return {"id": document["id"], "version": document["version"], "digest": digest(document)}


def _laid_over(overlay: Overlay, base: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    document = {key: copy.deepcopy(value) for key, value in base.items() if key not in _OWN}
    given = overlay.to_document()
    conflicts = []
    for index, change in enumerate(given["changes"]):
        try:
            make(document, change)
        except ConflictError as conflict:
            conflicts.append(_conflict(overlay, f"/changes/{index}", change["place"], str(conflict)))
    document["id"], document["version"] = overlay.target, overlay.version
    document |= {member: given[member] for member in ("status", "review") if member in given}
    return document, conflicts


def _another_base(overlay: Overlay, base: Mapping[str, Any]) -> Sequence[Problem]:
    if overlay.base.to_document() == _pin(base):
        return ()
    sentence = f"{overlay.id} is laid over another document than the {overlay.base.id} {overlay.base.version} it pins."
    next_step = "Re-apply the overlay to this base, which makes its next version."
    return (Problem(code="overlay.other_base", sentence=sentence, pointer="/base", next_step=next_step),)


def _conflict(overlay: Overlay, pointer: str, place: str, why: str) -> Problem:
    return Problem(
        code="overlay.conflict",
        sentence=f"{overlay.id} cannot change {place}. {why}",
        pointer=pointer,
        next_step="Look at what the base has there now; then correct this change or take it out.",
    )


def of_composed(problem: Problem, target: str) -> Problem:
    """Return a problem of the document that an overlay makes as one of the overlay, which is the file there is."""
    at = f" at {problem.pointer}" if problem.pointer else ""
    sentence = f"With its changes {target} is not in order{at}. {problem.sentence}"
    return problem.model_copy(update={"sentence": sentence[:4000], "pointer": "/changes"})


def _of_type() -> Problem:
    return Problem(
        code="overlay.base_type",
        sentence="An overlay is not laid over a document of this type.",
        pointer="/base",
        next_step=f"Lay it over one of: {', '.join(sorted(BASES))}.",
    )


def _other_type() -> Problem:
    return Problem(
        code="overlay.other_type",
        sentence="The edited copy has another type than its base.",
        pointer="/type",
        next_step="Give it the type of the base.",
    )


def _nothing() -> Problem:
    return Problem(
        code="overlay.no_changes",
        sentence="The edited copy says the same as its base.",
        next_step="Use the base itself, or change something.",
    )
