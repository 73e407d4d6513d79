"""Backups of one clinic: taken, checked, put back, and what a person has to look at before anything is told again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ..contracts import (
    AuditHead,
    BackupManifest,
    BackupTable,
    KindCount,
    Problem,
    ProblemsError,
    RestoreReport,
    ResumeReport,
    TombstoneList,
    canonical,
)
from ..storage import Unit, backup
from ..storage.copying import Manifest
from ..storage.rows import Tombstone
from .desk import Desk
from .erasing import erase_again
from .patients import instant, reason
from .privacy import clear

__all__ = ["restore", "resume", "take", "verify"]

_WHY = "Restored from a backup: what was told to others since then is not known here."
_AUDIT = Problem(
    code="backup.audit",
    sentence="The chain of the audit that came back does not hold: entries were changed before the backup was taken.",
    next_step="See which ones with: pore-plugin audit verify",
    severity="warning",
)
_OTHER_CLINIC = Problem(
    code="backup.other_clinic",
    sentence="The backup holds nothing of this clinic.",
    next_step="Name the settings of the clinic that it was taken of.",
)
_NO_FOLDER = Problem(
    code="backup.no_folder",
    sentence="There is no folder for this file, and a backup makes none.",
    next_step="Mount its disk, or make the folder first.",
)
_OTHER_KEY = Problem(
    code="tombstones.other_database",
    sentence="The tombstones come from another database, and fit no patient of this backup.",
    next_step="Name the list that was written from the database that the backup is of.",
)
_REPLACE = Problem(
    code="backup.not_empty",
    sentence="The clinic holds records already, and a restore takes them away.",
    next_step="Take a backup of what is there, then say --replace.",
)


def take(desk: Desk, file: Path) -> BackupManifest:
    """Write a backup of this clinic to a new private file, read it again, and note it in the audit.

    Raises `ProblemsError`: `backup.exists`, `backup.no_folder`, `storage.full` and the like; then there is no file.
    """
    if not file.absolute().parent.is_dir():
        # A folder made here would hide that the disk for the backups is not mounted.
        raise ProblemsError([_NO_FOLDER])
    with desk.use("backup") as unit:
        # Noted first, so that the copy tells of itself too: an erasure names the copies that were made before.
        unit.note(None, file=str(file))
    return _manifest(desk, file, backup.backup(desk.database, desk.clinic.id, file, now=_now(desk)))


def verify(desk: Desk, file: Path) -> BackupManifest:
    """Read a whole backup of this clinic again, the chain of its audit included, and return what is in it.

    Raises `ProblemsError` where it is not whole, not private, not what its manifest says, or of another clinic.
    """
    manifest = backup.verify(file)
    if desk.clinic.id not in manifest.heads:
        raise ProblemsError([_OTHER_CLINIC])
    with desk.use("backup.verify") as unit:
        unit.note(None, file=str(file), taken_at=manifest.taken_at)
    return _manifest(desk, file, manifest)


def restore(desk: Desk, file: Path, *, replace: bool = False, erased: TombstoneList | None = None) -> RestoreReport:
    """Bring this clinic back from a backup, all of it or nothing; it is paused until `resume`.

    Whoever was erased here since, or stands in `erased`, is erased again in the same transaction; a legal hold that was
    set here since stands on. Where the clinic holds records and `replace` is not said, nothing is done and the report
    says what would go. Files that could not be cleared of what was there before are a problem in it.
    Raises `ProblemsError`: what `verify` raises, and `tombstones.other_database`.
    """
    with desk.use("restore.look") as unit:
        held = unit.records.counts()
        before, _ = unit.audit_head
        holds = [row for row in unit.patients.all() if row.hold_why is not None]
    again = 0

    def reapply(unit: Unit) -> None:
        nonlocal again
        unit.pause(_WHY)
        if erased is not None:
            _hand_in(unit, erased)
        again = erase_again(unit)
        unit.note(None, erased_again=again)
        for row in holds:
            # A hold that was set since the backup stands on.
            there = unit.patients.get(row.patient)
            if there is not None and there.hold_why is None:
                unit.patients.hold(row.patient, row.hold_why, row.hold_by)
                unit.note(row.patient, held=True)

    kinds = tuple(KindCount(kind=kind, count=count) for kind, count in sorted(held.items()))
    try:
        done = backup.restore(
            desk.database,
            desk.clinic.id,
            file,
            actor=desk.actor,
            now=_now(desk),
            replace=replace,
            reapply=reapply,
        )
    except ProblemsError as error:
        if replace or {one.code for one in error.problems} != {_REPLACE.code}:
            raise
        return _report(desk, file, backup.verify(file), applied=False, replaced=kinds, problems=(_REPLACE,))
    desk.content_changed()
    # What came back is there whether or not the files of what was there before could be cleared.
    _, uncleared = clear(desk)
    with desk.use("restore.look") as unit:
        stones = len(unit.patients.tombstones())
    manifest = done.manifest
    known = manifest.tables["tombstone"].rows if "tombstone" in manifest.tables else 0
    report = _report(
        desk,
        file,
        manifest,
        applied=True,
        replaced=kinds,
        problems=(*(() if done.audit_holds else (_AUDIT,)), *uncleared),
    )
    return report.model_copy(
        update={
            "lost_entries": max(0, before - manifest.heads[desk.clinic.id].seq) if kinds else 0,
            "tombstones": max(0, stones - known),
            "erased_again": again,
            "paused": _WHY,
        }
    )


def resume(desk: Desk, why: str) -> ResumeReport:
    """Let a clinic deliver again after somebody has looked; `why` says what was looked at."""
    why = reason(why)
    with desk.use("resume") as unit:
        was, since = unit.paused, unit.paused_at
        unit.pause(None)
        unit.note(None, resumed=why, was=was)
    return ResumeReport(
        clinic=desk.clinic.id,
        at=desk.instant(),
        by=desk.actor,
        paused_at=None if since is None else instant(desk, since),
        was=was,
        why=why,
    )


def _hand_in(unit: Unit, erased: TombstoneList) -> None:
    if erased.clinic != unit.clinic or erased.key_check != unit.patients.hash_of("").hex():
        raise ProblemsError([_OTHER_KEY])
    unit.patients.set_tombstones(
        Tombstone(
            bytes.fromhex(one.patient_hash),
            _seconds(one.at),
            one.by,
            one.reason,
            canonical({"counts": [count.to_document() for count in one.counts]}),
        )
        for one in erased.tombstones
    )


def _manifest(desk: Desk, file: Path, manifest: Manifest) -> BackupManifest:
    head = manifest.heads[desk.clinic.id]
    return BackupManifest(
        clinic=desk.clinic.id,
        file=str(file),
        taken_at=instant(desk, manifest.taken_at),
        revision=manifest.revision,
        version=manifest.version,
        tables=tuple(
            BackupTable(table=name.replace("_", "-"), rows=one.rows, sha256=one.sha256)
            for name, one in sorted(manifest.tables.items())
        ),
        audit=AuditHead(number=head.seq, hash=head.hash),
        verified=True,
    )


def _report(
    desk: Desk,
    file: Path,
    manifest: Manifest,
    *,
    applied: bool,
    replaced: tuple[KindCount, ...],
    problems: tuple[Problem, ...],
) -> RestoreReport:
    return RestoreReport(
        clinic=desk.clinic.id,
        file=str(file),
        at=desk.instant(),
        by=desk.actor,
        applied=applied,
        taken_at=instant(desk, manifest.taken_at),
        rows=tuple(
            KindCount(kind=name.replace("_", "-"), count=one.rows)
            for name, one in sorted(manifest.tables.items())
            if one.rows
        ),
        replaced=replaced,
        problems=problems,
    )


def _now(desk: Desk) -> int:
    return int(desk.now().timestamp())


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())
