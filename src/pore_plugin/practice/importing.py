"""Content files into the library: read, compared with what is there, and kept all together or not at all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..catalogue import CLINIC
from ..clinical.follow_up.standing import FINAL
from ..clinical.keys import record_key
from ..contracts import Event, ImportReport, Overlay, Problem, TouchedRecords
from ..library.checking import CheckedFile, check_package, no_collection
from ..library.import_plans import HeldVersion, ImportPlan, PlannedDocument
from ..library.known import Known, builtin_known
from ..library.planning import plan_import, unchanged_by_bytes
from ..library.sources import SourceFile, Sources, at_file, read_sources
from ..storage import Unit
from ..storage.rows import ContentRow
from ..workflow import PoreWorkflow
from .desk import Desk
from .keeping import event_of
from .overlaying import BASES, reapplied
from .shelf import JSON, YAML
from .standing import number, standings

__all__ = ["MOST_SHOWN", "HeldContent", "Progress", "import_content", "keep_planned", "known_to"]

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

MOST_SHOWN = 20
"""How many ids of records a report names; the count says how many there are."""

_LONGEST_ID = 64
_MEDIA = {"json": JSON, "yaml": YAML}
_OPEN = {"consultation": ("draft",), "procedure-plan": ("draft", "active"), "follow-up-plan": ("active",)}
"""Kinds of record and the states in which they are not over."""


class HeldContent:
    """What the clinic, the package and the extensions hold, as the planning of an import asks for it."""

    def __init__(self, unit: Unit, workflow: PoreWorkflow | None = None) -> None:
        """Without a workflow it knows what the clinic imported and nothing else."""
        self.unit = unit
        self.workflow = workflow
        self.unfit: Collection[str] = ()
        """Overlays that do not fit the base of this import."""

    @cached_property
    def stored(self) -> dict[tuple[str, str], str]:
        """The digests of all versions that are kept, imported or not, by id and version."""
        return {(held.id, held.version): held.digest for held in self._kept}

    @cached_property
    def _kept(self) -> list[HeldVersion]:
        return [
            HeldVersion(content_id, version, digest, kind, source.removeprefix("sha256:"))
            for content_id, version, digest, kind, source in self.unit.content.known()
        ]

    @cached_property
    def _imported(self) -> list[HeldVersion]:
        # What is kept because a record pins it is not the clinic's: its extension may be gone.
        imported = {(one, version) for one, version, action in self.unit.content.actions() if action == "imported"}
        return [held for held in self._kept if (held.id, held.version) in imported]

    @cached_property
    def _by_id(self) -> dict[str, list[HeldVersion]]:
        found: dict[str, list[HeldVersion]] = defaultdict(list)
        for held in self._imported:
            found[held.id].append(held)
        for entry in self.workflow.catalogue.entries if self.workflow is not None else ():
            if not entry.is_kept and not entry.is_composed:
                pin = entry.pin
                found[pin.id].append(HeldVersion(pin.id, pin.version, pin.digest, entry.model.type))
        return found

    def with_bytes(self, hashes: Collection[str]) -> Mapping[str, HeldVersion]:
        """Return the versions that were imported from files with these sha256 (hex), by sha256."""
        return {held.sha256: held for held in self._imported if held.sha256 is not None and held.sha256 in hashes}

    def versions(self, identifier: str) -> Sequence[HeldVersion]:
        """Return every version of an id, the package's and those of extensions too."""
        return self._by_id.get(identifier, ())

    def canonical(self, held: HeldVersion) -> bytes:
        """Return the canonical JSON of a version."""
        row = self.unit.content.get(held.id, held.version)
        if row is not None and row.digest == held.digest:
            return row.canonical
        entries = self.workflow.catalogue.entries if self.workflow is not None else ()
        return next(entry.canonical for entry in entries if entry.pin.digest == held.digest)

    def touched(self, identifier: str) -> Sequence[TouchedRecords]:
        """Return what is open and pinned to a version of an id: drafts, plans, follow-ups, overlays on it."""
        versions = [held.version for held in self.versions(identifier)]
        found: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        for kind, record, version, state in self.unit.records.made_with(identifier, versions):
            if state in _OPEN.get(kind, ()):
                found[kind, version][record] = None
        plans = {record for (kind, _), records in found.items() if kind == "follow-up-plan" for record in records}
        running = self.unit.follow_ups.unfinished(plans, FINAL)
        for overlay, _ in self.overlays.values():
            if overlay.base.id == identifier:
                kind = "overlay-conflict" if overlay.id in self.unfit else "overlay"
                found[kind, overlay.base.version][overlay.id] = None
        return [
            TouchedRecords(
                kind=kind,
                version=version,
                count=len(still),
                # The id of a document may be longer than one of a record.
                records=tuple(one for one in still[:MOST_SHOWN] if len(one) <= _LONGEST_ID),
            )
            for (kind, version), records in sorted(found.items())
            if (still := [one for one in records if kind != "follow-up-plan" or one in running])
        ]

    @cached_property
    def overlays(self) -> dict[str, tuple[Overlay, Mapping[str, Any]]]:
        """The newest version of every overlay that is not retired, with the very base that it pins, by id."""
        newest: dict[str, HeldVersion] = {}
        for held in self._imported:
            before = newest.get(held.id)
            if held.type == "overlay" and (before is None or number(before.version) < number(held.version)):
                newest[held.id] = held
        if not newest:
            return {}
        standing = standings(self.unit.content.actions(), {})
        found = {}
        for held in newest.values():
            overlay = Overlay.from_json(self.canonical(held))
            target = standing.get(overlay.target)
            if not standing[held.id].retired and not (target is not None and target.retired):
                base = overlay.base
                pinned = HeldVersion(base.id, base.version, base.digest, "")
                found[overlay.id] = overlay, json.loads(self.canonical(pinned))
        return found


def import_content(
    desk: Desk, paths: Iterable[Path], *, apply: bool, why: str | None = None, progress: Progress | None = None
) -> tuple[ImportReport, list[Event]]:
    """Read, check and compare files, and with `apply` keep them, all or none; return the report and what happened.

    Files whose very bytes were imported are not even read as documents, and where there are no others nothing at all
    is written.
    """
    # What is read, checked and written down here is thousands of trees, and all of it stays until the end.
    with no_collection():
        return _import(desk, read_sources(paths, media=frozenset({"json", "yaml"})), apply, why, progress)


def _import(
    desk: Desk, sources: Sources, apply: bool, why: str | None, progress: Progress | None
) -> tuple[ImportReport, list[Event]]:
    with desk.use("content.import") as unit:
        known, rest = unchanged_by_bytes(sources.files, HeldContent(unit))
    if not rest and not sources.problems:
        return ImportPlan((), ()).report(applied=apply, unchanged_files=len(known)), []
    there = known_to(desk.workflow)
    checked, problems = _checked(there, Sources(rest, sources.problems), progress)
    with desk.use("content.import") as unit:
        held = HeldContent(unit, desk.workflow)
        planned = _planned(checked, held, there)
        plan = ImportPlan(planned.documents, (*problems, *planned.problems))
        events = keep_planned(desk, unit, held, plan, why) if apply else []
    return plan.report(applied=apply, unchanged_files=len(known)), events


def _planned(checked: Sequence[CheckedFile], held: HeldContent, there: Known) -> ImportPlan:
    """Plan an import together with the overlays that are re-applied to the bases in it."""
    plan = plan_import(checked, held, there)
    if not held.overlays:
        return plan
    bases = {
        planned.pin.id: planned.checked.document
        for planned in plan.documents
        if planned.outcome == "changed" and planned.type in BASES
    }
    again = reapplied(held.overlays, bases, apart={file.checked.model.id for file in checked})
    held.unfit = again.conflicts
    return plan_import((*checked, *again.files), held, there) if again.files or again.conflicts else plan


class _Watched(tuple[SourceFile, ...]):
    """Files that tell how far somebody who goes through them has come."""

    progress: Progress

    def __iter__(self) -> Iterator[SourceFile]:
        for index, file in enumerate(super().__iter__()):
            self.progress("Checking", index, len(self))
            yield file
        self.progress("Checking", len(self), len(self))


def _checked(
    there: Known, sources: Sources, progress: Progress | None
) -> tuple[tuple[CheckedFile, ...], tuple[Problem, ...]]:
    if progress is not None:
        watched = _Watched(sources.files)
        watched.progress = progress
        sources = Sources(watched, sources.problems)
    package = check_package(sources, known=there)
    foreign = [file for file in package.files if not file.is_content and file.source.package is None]
    problems = (*package.problems, *map(_not_content, foreign))
    return package.content, problems


def known_to(workflow: PoreWorkflow) -> Known:
    """Return what documents may refer to here: what the package, the extensions and the clinic have in use."""
    current = [entry for entry in workflow.catalogue.entries if entry.is_current]
    templates = [entry for entry in current if entry.is_kept and entry.contract.__name__ == "ProcedureTemplate"]
    read = set(map(id, templates))
    # A template defines nothing but itself, and there may be thousands: they need not be read for their ids.
    known = builtin_known().with_models(entry.model for entry in current if id(entry) not in read)
    return known.with_ids("procedure-template", (entry.pin.id for entry in templates))


def _not_content(file: CheckedFile) -> Problem:
    sentence = f"This is a {file.contract}, and a library holds content documents only."
    return at_file(file.source.name, "import.not_content", sentence, "Leave it out.")


def keep_planned(desk: Desk, unit: Unit, held: HeldContent, plan: ImportPlan, why: str | None) -> list[Event]:
    """Keep what a plan has to write, and return what happened: nothing where the plan has a problem."""
    written = plan.to_write
    if not written:
        return []
    pins = [planned.pin for planned in written]
    rows = [_row(planned) for planned in written]
    # What a record pinned before it was imported is kept already.
    unit.content.add(row for row in rows if held.stored.get((row.id, row.version)) != row.digest)
    triples = [(pin.id, pin.version, pin.digest) for pin in pins]
    unit.content.record("imported", triples, why=why)
    # What is in use stays in use: an import takes nothing away.
    heads = unit.content.heads()
    retired = [
        triple
        for triple, planned in zip(triples, written, strict=True)
        if planned.checked.model.status == "retired" and triple[0] not in heads
    ]
    unit.content.record("retired", retired, why="Its author retired it.")
    made = sha256("\n".join(sorted(pin.digest for pin in pins)).encode()).hexdigest()
    subject = record_key(desk.clinic.id, "content", f"import.{made}")
    unit.note(None, imported=[f"{one}@{version}" for one, version, _ in triples[:MOST_SHOWN]], count=len(triples))
    event = event_of(desk.clinic.id, "content.imported", subject, desk.instant())
    desk.tell(unit, [event])
    return [event]


def _row(planned: PlannedDocument) -> ContentRow:
    model: Any = planned.checked.model
    source: SourceFile | Any = planned.source if planned.overlay is None else None
    bytes_ = planned.checked.canonical if source is None else source.data
    return ContentRow(
        id=model.id,
        version=model.version,
        digest=planned.checked.digest,
        type=planned.type,
        media=JSON if source is None else _MEDIA[source.media],
        origin=CLINIC,
        source_digest="sha256:" + (sha256(bytes_).hexdigest() if source is None else source.sha256),
        source=bytes_,
        canonical=planned.checked.canonical,
        file=None if source is None else source.name,
        review_due=model.review.review_due if model.review is not None else None,
    )
