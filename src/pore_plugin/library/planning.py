"""What an import would do, before it does anything: each document against what the clinic and the package hold.

A document is *unchanged* when its id, version and digest are held, whatever its bytes (the first ones are kept),
*created* when its id is new, *changed* when it follows the newest version held, and *conflicting* otherwise. With one
conflict, too small a version step or an overlay that does not fit, nothing of the import may be applied.

An overlay brings the document that it makes with its base; both are planned, and the step of their common version is
judged by what the document becomes.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..contracts import (
    Bump,
    Overlay,
    Pin,
    Problem,
    ProblemsError,
    RatedChange,
    TouchedRecords,
)
from ..hooks import BUILTIN
from ..validation import Checked
from .checking import CheckedFile, located
from .classes import bump_problem, least_version, needed_bump, number_of, rated
from .diffing import diff
from .import_plans import Held, HeldVersion, ImportPlan, Outcome, PlannedDocument
from .overlays import compose, of_composed
from .sources import SourceFile

if TYPE_CHECKING:
    from .known import Known

__all__ = [
    "Held",
    "HeldVersion",
    "ImportPlan",
    "PlannedDocument",
    "plan_import",
    "unchanged_by_bytes",
]


def unchanged_by_bytes(
    sources: Iterable[SourceFile], held: Held
) -> tuple[tuple[tuple[SourceFile, HeldVersion], ...], tuple[SourceFile, ...]]:
    """Part files whose very bytes are held, with the version they are, from the others, which have to be read.

    A second import of unchanged files ends here, without reading one of them as a document.
    """
    given = tuple(sources)
    there = held.with_bytes({source.sha256 for source in given})
    known = tuple((source, there[source.sha256]) for source in given if source.sha256 in there)
    return known, tuple(source for source in given if source.sha256 not in there)


def plan_import(checked: Iterable[CheckedFile], held: Held, known: Known | None = None) -> ImportPlan:
    """Plan the import of content documents, checked as one package. Nothing is raised and nothing is changed.

    What overlays make is checked here: its contract, its texts, its references. It may refer to the documents of the
    import and to `known`, by default the content of the package.
    """
    by_id: dict[str, list[CheckedFile]] = defaultdict(list)
    for document in checked:
        by_id[document.checked.model.id].append(document)
    planner = _Planner(held, by_id)
    for several in by_id.values():
        for document in sorted(several, key=lambda each: number_of(each.checked.model.version)):
            planner.take(document)
    planner.check_composed(known)
    return ImportPlan(tuple(planner.documents), tuple(planner.problems))


class _Planner:
    """One planning of one import."""

    def __init__(self, held: Held, by_id: Mapping[str, Sequence[CheckedFile]]) -> None:
        self.held = held
        self.by_id = by_id
        self.documents: list[PlannedDocument] = []
        self.problems: list[Problem] = []
        self.newest: dict[str, PlannedDocument] = {}
        self.planned: dict[tuple[str, str], PlannedDocument] = {}
        digests = {(id_, d.checked.model.version, d.checked.digest) for id_, several in by_id.items() for d in several}
        times = Counter((identifier, version) for identifier, version, _ in digests)
        self.twice = {key for key, count in times.items() if count > 1}

    def take(self, document: CheckedFile) -> None:
        planned = self.judge(document.contract, document.checked, document.source, None)
        if isinstance(document.checked.model, Overlay) and planned.outcome in ("created", "changed"):
            self.compose(document.checked.model, planned.pin, document.source)

    def compose(self, overlay: Overlay, pin: Pin, source: SourceFile) -> None:
        """Plan the document that an overlay makes with its base."""
        base = self.document_of(overlay.base)
        if base is None:
            sentence = f"{overlay.id} is laid over {overlay.base.id} {overlay.base.version}, which is not here."
            step = "Import that very version too, or make the overlay anew over one that is here."
            self.refuse(source, [Problem(code="overlay.no_base", sentence=sentence, pointer="/base", next_step=step)])
            return
        try:
            composed = compose(overlay, base)
        except ProblemsError as error:
            self.refuse(source, error.problems)
            return
        self.judge(composed.document["type"], composed, source, pin)

    def check_composed(self, known: Known | None) -> None:
        """Check what overlays make as one package with the rest of the import."""
        composed = [
            CheckedFile(each.source, each.type, each.checked)
            for each in self.documents
            if each.overlay is not None and each.outcome != "unchanged"
        ]
        if composed:
            # Imported here: it needs the content of the package, and few imports have an overlay.
            from .known import builtin_known
            from .linking import package_problems

            there = builtin_known() if known is None else known
            there = there.with_models(each.checked.model for several in self.by_id.values() for each in several)
            for source, identifier, problem in package_problems(composed, there, references=True):
                self.refuse(source, [of_composed(problem, identifier)])

    def document_of(self, pin: Pin) -> dict[str, Any] | None:
        for one in self.held.versions(pin.id):
            if (one.version, one.digest) == (pin.version, pin.digest):
                return _read(self.held.canonical(one))
        for document in self.by_id.get(pin.id, ()):
            if (document.checked.model.version, document.checked.digest) == (pin.version, pin.digest):
                return document.checked.document
        return None

    def judge(self, kind: str, checked: Checked[Any], source: SourceFile, overlay: Pin | None) -> PlannedDocument:
        """Plan one document, and note what is wrong with it."""
        model = checked.model
        versions = [one for one in self.held.versions(model.id) if "+" not in one.version]
        newest = max(versions, key=lambda one: number_of(one.version), default=None)
        before = self.newest.get(model.id)
        twin = self.planned.get((model.id, model.version))
        same = [twin.checked.digest] if twin else [one.digest for one in versions if one.version == model.version]
        if checked.digest in same:
            return self.note(PlannedDocument("unchanged", kind, checked, source, overlay))
        previous, changes = self.compared(kind, checked, newest, before)
        bump = needed_bump(changes) if previous is not None else None
        conflict = _conflict(model, kind, newest.type if newest else before.type if before else kind)
        problem = None
        if conflict is None and (same or (model.id, model.version) in self.twice):
            conflict = _taken(model.id, model.version, previous or model.version, bump or "patch")
        if conflict is None and previous is not None:
            # What an overlay makes decides for both: it has the overlay's version.
            problem = bump_problem(previous, model.version, bump or "none")
            if problem is not None and number_of(model.version) < number_of(previous):
                conflict = problem
        found = conflict or problem
        if found is not None:
            self.refuse(source, [_named(found, model.id, of_overlay=overlay is not None)])
        outcome: Outcome = "conflicting" if conflict else "created" if previous is None else "changed"
        touches = self.touches(model.id, model.version) if outcome == "changed" else ()
        planned = PlannedDocument(outcome, kind, checked, source, overlay, previous, changes, bump, touches)
        if conflict is None:
            self.newest[model.id] = planned
        return self.note(planned)

    def note(self, planned: PlannedDocument) -> PlannedDocument:
        self.documents.append(planned)
        self.planned.setdefault((planned.checked.model.id, planned.checked.model.version), planned)
        return planned

    def compared(
        self, kind: str, checked: Checked[Any], newest: HeldVersion | None, before: PlannedDocument | None
    ) -> tuple[str | None, tuple[RatedChange, ...]]:
        """Return the version that a document follows, and what it changes of it."""
        if before is not None:
            old, version = before.checked.document, before.checked.model.version
        elif newest is not None:
            old, version = _read(self.held.canonical(newest)), newest.version
        else:
            return None, ()
        if old.get("type") != kind:
            return version, ()
        return version, rated(kind, diff(old, checked.document))

    def touches(self, identifier: str, version: str) -> tuple[TouchedRecords, ...]:
        new = number_of(version)
        return tuple(each for each in self.held.touched(identifier) if number_of(each.version) < new)

    def refuse(self, source: SourceFile, problems: Iterable[Problem]) -> None:
        self.problems += located(source, tuple(problems))


def _read(data: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(data)
    return document


def _conflict(model: Any, kind: str, held_type: str) -> Problem | None:
    """Return why a document cannot be imported under its id at all."""
    if model.id.partition(".")[0] == BUILTIN:
        return Problem(
            code="import.package_id",
            sentence=f"The id {model.id} belongs to the package, which alone brings its versions.",
            pointer="/id",
            next_step="Give the document an id that begins with a word of your own, or make it an overlay.",
        )
    if kind != held_type:
        return Problem(
            code="import.other_type",
            sentence=f"{model.id} is held as a {held_type}, and this is a {kind}.",
            pointer="/id",
            next_step="Give the document an id of its own.",
        )
    if "+" in model.version:
        return Problem(
            code="import.composed_version",
            sentence=f"{model.version} is the version of a composed form, which is made here and not imported.",
            pointer="/version",
            next_step="Import the form that it was composed from.",
        )
    return None


def _taken(identifier: str, version: str, newest: str, needed: Bump) -> Problem:
    least = least_version(newest, needed if needed != "none" else "patch")
    return Problem(
        code="import.version_taken",
        sentence=f"There is another {identifier} {version}; what a version says never changes.",
        pointer="/version",
        next_step=f"Give the document the version {least} or a higher one.",
    )


def _named(problem: Problem, identifier: str, *, of_overlay: bool) -> Problem:
    """Say which document is meant; the id of what an overlay makes is the overlay's `target`."""
    sentence = problem.sentence if identifier in problem.sentence else f"{identifier}: {problem.sentence}"
    pointer = "/target" if of_overlay and problem.pointer == "/id" else problem.pointer
    return problem.model_copy(update={"sentence": sentence, "pointer": pointer})
