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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, TypeVar

from ..contracts import (
    Bump,
    ImportReport,
    Overlay,
    Pin,
    Problem,
    ProblemLocation,
    ProblemsError,
    RatedChange,
    TouchedRecords,
    canonical,
)
from ..hooks import BUILTIN
from ..validation import Checked
from ..validation.reading import Media, read_media
from .classes import bump_problem, least_version, needed_bump, number_of, rated
from .diffing import diff
from .overlays import compose

__all__ = [
    "CheckedDocument",
    "Held",
    "HeldVersion",
    "ImportPlan",
    "PlannedDocument",
    "Source",
    "plan_import",
    "unchanged_by_bytes",
]

Outcome = Literal["created", "changed", "unchanged", "conflicting"]


class Source(Protocol):
    """A file as it was read; `sources.SourceFile` is one."""

    @property
    def name(self) -> str: ...
    @property
    def data(self) -> bytes: ...
    @property
    def media(self) -> Media: ...
    @property
    def sha256(self) -> str: ...


class CheckedDocument(Protocol):
    """A content document that passed its own checks; `checking.CheckedFile` is one."""

    @property
    def source(self) -> Source: ...
    @property
    def contract(self) -> str: ...
    @property
    def checked(self) -> Checked[Any]: ...


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


SourceT = TypeVar("SourceT", bound=Source)


def unchanged_by_bytes(
    sources: Iterable[SourceT], held: Held
) -> tuple[tuple[tuple[SourceT, HeldVersion], ...], tuple[SourceT, ...]]:
    """Part files whose very bytes are held, with the version they are, from the others, which have to be read.

    A second import of unchanged files ends here, without reading one of them as a document.
    """
    given = tuple(sources)
    there = held.with_bytes({source.sha256 for source in given})
    known = tuple((source, there[source.sha256]) for source in given if source.sha256 in there)
    return known, tuple(source for source in given if source.sha256 not in there)


@dataclass(frozen=True)
class PlannedDocument:
    """What an import does with one document."""

    outcome: Outcome
    type: str
    checked: Checked[Any]
    source: Source | None
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

    @cached_property
    def canonical(self) -> bytes:
        """The RFC 8785 form of the document as read."""
        return canonical(self.checked.document)

    def _item(self) -> dict[str, Any]:
        optional = {
            "source": None if self.source is None or self.overlay is not None else self.source.name,
            "overlay": None if self.overlay is None else self.overlay.id,
            "previous": self.previous,
            "needed_bump": self.needed_bump,
        }
        return {
            **self.pin.to_document(),
            "type": self.type,
            "title": self.checked.document["title"],
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


def plan_import(checked: Iterable[CheckedDocument], held: Held) -> ImportPlan:
    """Plan the import of content documents. Nothing is raised and nothing is changed."""
    by_id: dict[str, list[CheckedDocument]] = defaultdict(list)
    for document in checked:
        by_id[document.checked.model.id].append(document)
    planner = _Planner(held, by_id)
    for several in by_id.values():
        for document in sorted(several, key=lambda each: number_of(each.checked.model.version)):
            planner.take(document)
    return ImportPlan(tuple(planner.documents), tuple(planner.problems))


class _Planner:
    """One planning of one import."""

    def __init__(self, held: Held, by_id: Mapping[str, Sequence[CheckedDocument]]) -> None:
        self.held = held
        self.by_id = by_id
        self.documents: list[PlannedDocument] = []
        self.problems: list[Problem] = []
        self.newest: dict[str, PlannedDocument] = {}
        self.planned: dict[tuple[str, str], PlannedDocument] = {}
        digests = {(id_, d.checked.model.version, d.checked.digest) for id_, several in by_id.items() for d in several}
        times = Counter((identifier, version) for identifier, version, _ in digests)
        self.twice = {key for key, count in times.items() if count > 1}

    def take(self, document: CheckedDocument) -> None:
        planned = self.judge(document.contract, document.checked, document.source, None)
        if isinstance(document.checked.model, Overlay) and planned.outcome in ("created", "changed"):
            self.compose(document.checked.model, planned.pin, document.source)

    def compose(self, overlay: Overlay, pin: Pin, source: Source) -> None:
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

    def document_of(self, pin: Pin) -> dict[str, Any] | None:
        for one in self.held.versions(pin.id):
            if (one.version, one.digest) == (pin.version, pin.digest):
                return _read(self.held.canonical(one))
        for document in self.by_id.get(pin.id, ()):
            if (document.checked.model.version, document.checked.digest) == (pin.version, pin.digest):
                return document.checked.document
        return None

    def judge(self, kind: str, checked: Checked[Any], source: Source, overlay: Pin | None) -> PlannedDocument:
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

    def refuse(self, source: Source, problems: Iterable[Problem]) -> None:
        self.problems += _located(source, tuple(problems))


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


def _located(source: Source, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Give problems their places; the file is read again only for these."""
    reading = read_media(source.data, source.media)
    places = reading.locate({problem.pointer for problem in problems}) if reading.locate else {}
    for problem in problems:
        line, column = places.get(problem.pointer, (1, 1))
        yield problem.model_copy(update={"location": ProblemLocation(file=source.name, line=line, column=column)})
