"""The clinic's library of content: imported, approved, shown, compared, retired and gone back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..clinical.keys import record_key
from ..contracts import (
    ContentDiff,
    ContentEntry,
    ContentHistory,
    ContentList,
    Event,
    ImportReport,
    Overlay,
    PackageManifest,
    Pin,
    refusal,
)
from ..library.import_plans import ImportPlan
from ..library.overlays import overlay_of
from ..library.packages import manifest_of, package_of
from ..library.planning import plan_import
from ..library.sources import SourceFile
from ..validation.jsontext import read_json
from ..validation.yamlwriting import write_yaml
from ..workflow import PoreWorkflow
from .approving import approve, held_together, refuse_unfit, said_approvals, withdraw
from .comparing import compared, diff_of, history_of
from .desk import Desk
from .importing import MOST_SHOWN, HeldContent, Progress, import_content, keep_planned, known_to
from .keeping import event_of
from .listing import due_by, entries_of, entry_of, listed
from .overlaying import difference_of, reapplied
from .shelf import JSON, YAML, Found, Shelf

__all__ = ["Library"]

_LONGEST_REASON = 1000
_ENDINGS = {JSON: "json", YAML: "yaml"}


class Library:
    """The use cases of a clinic's library, each in one transaction.

    Documents are named as `ID`, which is the version in use (or the newest draft where none is), or as `ID@VERSION`.
    Everything that cannot be done raises `ProblemsError` and leaves the library as it was.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def plan_import(self, paths: Iterable[Path], *, progress: Progress | None = None) -> ImportReport:
        """Return what an import would do; nothing is written."""
        return import_content(self.desk, paths, apply=False, progress=progress)[0]

    def import_(
        self, paths: Iterable[Path], *, why: str | None = None, progress: Progress | None = None
    ) -> ImportReport:
        """Import files, folders and packages: all of it, or nothing where the report has a problem."""
        _refuse_no_reason(why)
        report, events = import_content(self.desk, paths, apply=True, why=why, progress=progress)
        self._done(events)
        return report

    def approve(self, words: Sequence[str], *, person: str, until: str, why: str | None = None) -> ContentList:
        """Have a prescriber approve documents until a day, the newest version where none is named.

        What was approved is what new work uses from then on. Content of the package and of extensions is approved in
        the same way; its bytes are kept. Raises `ProblemsError`: `approval.prescriber`, `approval.past`,
        `library.retired`.
        """
        _refuse_no_reason(why)
        refuse_unfit(self.desk, person, until)
        with self._changing("content.approve", "content.approved") as (shelf, done):
            shelf.expect(words)
            found = {one.pin: one for word in dict.fromkeys(words) for one in _to_approve(shelf, word)}
            catalogue = shelf.workflow.catalogue
            approve(self.desk, shelf.unit, catalogue, found.values(), person=person, until=until, why=why)
            shelf.unit.content.set_heads((p.id, p.version, p.digest) for p in found if "+" not in p.version)
            done(*found)
            held_together(self.desk, shelf.unit, shelf.workflow)
        return self._entries(done.pins)

    def withdraw(self, words: Sequence[str], *, why: str | None = None) -> ContentList:
        """Take every approval of these versions back, from now on."""
        _refuse_no_reason(why)
        with self._changing("content.withdraw", "content.approval_withdrawn", whole=False) as (shelf, done):
            pins = {shelf.found(word).pin for word in words}
            said = said_approvals(shelf.unit, (pin.id for pin in pins))
            given = [one for several in said.values() for one in several if one.document in pins]
            done(*withdraw(self.desk, shelf.unit, given, why))
        return self._entries(done.pins)

    def hand_over(self, *, leaver: str, person: str, until: str, why: str | None = None) -> ContentList:
        """Have a prescriber approve whatever somebody else approved and that has not ended, until a day.

        The leaver's own approvals end with it. They may be gone from the clinic settings already.
        """
        _refuse_no_reason(why)
        refuse_unfit(self.desk, person, until)
        if leaver == person:
            raise refusal("approval.same_person", "An approval is handed over to somebody else.", "Name two people.")
        today = self.desk.today()
        with self._changing("content.hand_over", "content.approved", whole=False) as (shelf, done):
            theirs = [
                one
                for several in said_approvals(shelf.unit).values()
                for one in several
                if one.approved_by == leaver and (one.valid_until is None or one.valid_until >= today)
            ]
            pins = withdraw(self.desk, shelf.unit, theirs, why)
            shelf.expect(pin.id for pin in pins)
            found = [shelf.found(f"{pin.id}@{pin.version}") for pin in pins]
            catalogue, action = shelf.workflow.catalogue, "handed-over"
            approve(self.desk, shelf.unit, catalogue, found, person=person, until=until, why=why, action=action)
            done(*pins)
        return self._entries(done.pins)

    def entries(self, *, review_due_within: int | None = None, state: str | None = None) -> ContentList:
        """Return what there is, by id and version, in a state where one is named.

        With `review_due_within` days: what is in use and whose approval or review ends by then, or has ended.
        """
        with self._reading("content.list") as shelf:
            found = listed(self.desk, shelf)
        if review_due_within is not None:
            found = tuple(entry for entry in found if due_by(entry, self.desk.today(), review_due_within))
        return ContentList(entries=tuple(entry for entry in found if state in (None, entry.state)))

    def show(self, word: str) -> tuple[ContentEntry, Found]:
        """Return one version as the list shows it, and the document itself."""
        with self._reading("content.show") as shelf:
            found = shelf.found(word)
            return entry_of(self.desk, shelf, found.pin), found

    def diff(self, old: str | Path, new: str | Path) -> ContentDiff:
        """Compare two documents, each a document of the library or a file."""
        with self._reading("content.diff") as shelf:
            return diff_of(compared(shelf, old), compared(shelf, new))

    def export(self, word: str, media: str | None = None) -> tuple[str, bytes]:
        """Return media type and bytes of a document: as they came, or in the other media type canonical."""
        with self._reading("content.export") as shelf:
            found = shelf.found(word)
        if media in (None, found.media):
            return found.media, found.source
        document = read_json(found.canonical)
        return str(media), found.canonical if media == JSON else write_yaml(document)

    def export_all(self, *, name: str, version: str = "1.0.0") -> tuple[PackageManifest, bytes]:
        """Return a package of what the clinic imported and did not retire, each document as it came, with its manifest.

        What an overlay makes is left out: the overlay is in it.
        """
        with self._reading("content.export") as shelf:
            unit = shelf.unit
            files = []
            for content_id, standing in sorted(shelf.standings.items()):
                current = standing.current()
                row = unit.content.get(content_id, current[0]) if current is not None else None
                if row is not None and row.file is not None:
                    path = f"{row.type}/{row.id}.{_ENDINGS[row.media]}"
                    files.append(SourceFile(path, row.source, "yaml" if row.media == YAML else "json", path))
        if not files:
            raise refusal("library.nothing", "There is nothing to export.", "Import something first.")
        manifest = manifest_of(files, name=name, version=version)
        return manifest, package_of(files, manifest)

    def retire(self, content_id: str, *, why: str) -> ContentList:
        """Offer a document no more. Records find it by its pin; its approvals end, so nobody is treated with it."""
        _refuse_no_reason(why)
        with self._changing("content.retire", "content.retired") as (shelf, done):
            standing = shelf.standing(content_id)
            pin = shelf.found(content_id, "newest").pin
            if not standing.retired:
                withdraw(self.desk, shelf.unit, said_approvals(shelf.unit, [content_id]).get(content_id, ()), why)
                shelf.unit.content.record("retired", [(pin.id, pin.version, pin.digest)], why=why)
                shelf.unit.content.set_head(content_id, None, None)
                held_together(self.desk, shelf.unit, shelf.workflow)
                done(pin)
        return self._entries([pin])

    def rollback(self, content_id: str, *, to: str, why: str) -> ContentList:
        """Have new work use an older version again, its very bytes; approvals of what is left behind end.

        It is a draft again where no approval of it holds. Follow-ups and answers stay on the version they pin.
        """
        _refuse_no_reason(why)
        with self._changing("content.roll_back", "content.rolled_back") as (shelf, done):
            standing = shelf.standing(content_id)
            pin = shelf.found(f"{content_id}@{to}").pin
            if to not in standing.imported:
                raise refusal("library.not_imported", f"{to} was never imported.", "Go back to a version that was.")
            current = standing.current(drafts=True)
            if current is not None and current[0] == to:
                raise refusal("library.in_use", f"{content_id} {to} is what is in use.", "There is nothing to do.")
            standing.happened(to, "rolled-back")
            said = said_approvals(shelf.unit, [content_id]).get(content_id, ())
            withdraw(self.desk, shelf.unit, (one for one in said if one.document.version in standing.left), why)
            shelf.unit.content.record("rolled-back", [(pin.id, pin.version, pin.digest)], why=why)
            shelf.unit.content.set_head(pin.id, pin.version, pin.digest)
            held_together(self.desk, shelf.unit, shelf.workflow)
            done(pin)
        return self._entries(done.pins)

    def history(self, content_id: str) -> ContentHistory:
        """Return everything that was done with a document: who, when, why, and what it changed."""
        with self._reading("content.history") as shelf:
            return history_of(self.desk, shelf, content_id)

    def new_overlay(self, base: str, edited: str | Path, *, content_id: str) -> Overlay:
        """Return the overlay that makes an edited copy out of its base; nothing is kept."""
        with self._reading("content.overlay") as shelf:
            return overlay_of(shelf.found(base).document, compared(shelf, edited).document, identifier=content_id)

    def overlay_diff(self, overlay: str | Path) -> ContentDiff:
        """Return what an overlay, of the library or in a file, changes of its base."""
        with self._reading("content.diff") as shelf:
            return difference_of(shelf, compared(shelf, overlay))

    def rebase_overlays(self, ids: Sequence[str] = (), *, apply: bool = False, why: str | None = None) -> ImportReport:
        """Re-apply overlays, or those of these ids, to the newest version of their bases, as drafts.

        An import does this for the bases in it; this does it for bases of the package and of extensions. With a
        conflict nothing is applied: name the others, and edit the one.
        """
        _refuse_no_reason(why)
        events: list[Event] = []
        there = known_to(self.desk.workflow)
        with self._reading("content.overlay", whole=True) as shelf:
            held = HeldContent(shelf.unit, shelf.workflow)
            for unknown in (one for one in ids if one not in held.overlays):
                shelf.found(unknown)
                raise refusal("overlay.none", f"{unknown} is no overlay in use.", "Name an overlay that was imported.")
            overlays = {one: held.overlays[one] for one in ids} if ids else held.overlays
            bases = {
                overlay.base.id: shelf.found(overlay.base.id, "newest").document for overlay, _ in overlays.values()
            }
            again = reapplied(overlays, bases)
            planned = plan_import(again.files, held, there)
            conflicts = [problem for problems in again.conflicts.values() for problem in problems]
            plan = ImportPlan(planned.documents, (*conflicts, *planned.problems))
            if apply:
                events = keep_planned(self.desk, shelf.unit, held, plan, why)
        self._done(events)
        return plan.report(applied=apply)

    # -- what the use cases share ----------------------------------------------------------------------------------

    @contextmanager
    def _reading(self, action: str, *, whole: bool = False) -> Iterator[Shelf]:
        """One use case; with `whole` the content of the library has to hold together in it."""
        # Made before the clinic's row is locked; inside it is another one where the library changed until then.
        _ = self._content(whole)
        with self.desk.use(action) as unit:
            yield Shelf(unit, self._content(whole))

    def _content(self, whole: bool) -> PoreWorkflow:
        return self.desk.workflow if whole else self.desk.lookups

    @contextmanager
    def _changing(self, action: str, kind: str, *, whole: bool = True) -> Iterator[tuple[Shelf, _Done]]:
        """One use case that changes something: one event, and an entry in the audit, for all that is noted as done."""
        done = _Done()
        events: list[Event] = []
        with self._reading(action, whole=whole) as shelf:
            yield shelf, done
            if done.pins:
                at = self.desk.instant()
                names = [f"{pin.id}@{pin.version}" for pin in done.pins]
                subject = record_key(self.desk.clinic.id, "content", f"{action}.{at}.{' '.join(names)}")
                events = [event_of(self.desk.clinic.id, kind, subject, at)]
                shelf.unit.note(None, content=names[:MOST_SHOWN], count=len(names))
                self.desk.tell(shelf.unit, events)
        self._done(events)

    def _entries(self, pins: Sequence[Pin]) -> ContentList:
        with self._reading("content.list") as shelf:
            return ContentList(entries=entries_of(self.desk, shelf, pins))

    def _done(self, events: Sequence[Event]) -> None:
        if events:
            self.desk.publish(events)
            self.desk.content_changed()


class _Done:
    """What was changed in one use case."""

    def __init__(self) -> None:
        self._pins: dict[Pin, None] = {}

    @property
    def pins(self) -> tuple[Pin, ...]:
        """Each version once, in the order in which it was done."""
        return tuple(self._pins)

    def __call__(self, *pins: Pin) -> None:
        self._pins |= dict.fromkeys(pins)


def _refuse_no_reason(why: str | None) -> None:
    if why is not None and not 0 < len(why.strip()) <= _LONGEST_REASON:
        sentence = f"A reason has 1 to {_LONGEST_REASON} characters."
        raise refusal("library.reason", sentence, "Say in a sentence why this is done.")


def _to_approve(shelf: Shelf, word: str) -> list[Found]:
    """Return what approving a word approves: of a form also the one that it makes with the questions of extensions."""
    found = shelf.found(word, "newest")
    standing = shelf.stands(found.pin.id)
    if standing is not None and standing.retired:
        raise refusal("library.retired", f"{found.pin.id} is retired.", "Go back to one of its versions first.")
    if found.type == "overlay":
        made = found.document
        return [found, shelf.found(f"{made['target']}@{found.pin.version}")]
    if found.type == "consultation-form" and "@" not in word:
        answered = shelf.workflow.form(found.pin.id)
        if (
            answered.is_composed
            and answered.pin != found.pin
            and found.pin.version == answered.pin.version.partition("+")[0]
        ):
            return [found, shelf.found(f"{answered.pin.id}@{answered.pin.version}")]
    return [found]
