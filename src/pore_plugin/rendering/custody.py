"""Keeping, erasing, looking and copying as sheets to read: ids and counts, nothing that a record holds.

Only `record_sheet` shows what a record holds; it is for a patient's own export.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..contracts import (
    AuditCheck,
    AuditEntry,
    AuditList,
    BackupManifest,
    ErasureReport,
    KeptRecord,
    KindCount,
    LegalHold,
    PatientExport,
    PatientList,
    PatientMerge,
    Problem,
    RecordCorrection,
    RestoreReport,
    ResumeReport,
    RetentionReport,
    TombstoneList,
)
from .words import moment, table, words

__all__ = [
    "audit_check_sheet",
    "audit_list_sheet",
    "backup_sheet",
    "correction_sheet",
    "erasure_sheet",
    "export_index",
    "export_sheet",
    "hold_sheet",
    "merge_sheet",
    "patients_sheet",
    "record_sheet",
    "restore_sheet",
    "resume_sheet",
    "retention_sheet",
    "tombstones_sheet",
    "with_state",
]

_FAULTS = {
    "gap": "entries are missing before it",
    "details": "its details were changed",
    "chain": "the entry itself was changed",
    "head": "it is not the end that was noted: entries were cut off, or changed",
}


_ALTERED = {
    "record.altered": "it is not as it was kept",
    "record.not_written": "no use case wrote it",
    "record.missing": "it is gone",
    "content.altered": "it is not as it was imported",
}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def patients_sheet(listed: PatientList) -> str:
    """Return every patient id with its span of time."""
    rows = (
        (
            one.patient,
            ", ".join(one.merged) or "—",
            one.host,
            one.first_at[:10],
            one.last_at[:10],
            "yes" if one.hold else "—",
        )
        for one in listed.patients
    )
    head = ("Patient", "Merged ids", "Host", "First", "Last", "Legal hold")
    return _sheet(_count(len(listed.patients), "patient"), table(head, rows))


def export_sheet(export: PatientExport, file: str | None = None) -> str:
    """Return what an export holds, in counts."""
    kinds: dict[str, int] = {}
    for one in export.records:
        kinds[one.kind] = kinds.get(one.kind, 0) + 1
    lines = [f"Ids: {', '.join(export.ids)}", ""]
    lines += table(("Kind", "Revisions"), ((words(kind), str(count)) for kind, count in sorted(kinds.items())))
    lines += [
        f"- Follow-up steps: {len(export.steps)}",
        f"- Messages to others: {len(export.outbox)}",
        f"- Results of commands: {len(export.results)}",
        f"- Entries of the audit: {len(export.audit)}",
    ]
    if file is not None:
        lines += ["", f"Written to {file}. It holds health data: hand it over as such."]
    return _sheet(f"Everything kept of {export.patient}", lines)


def export_index(export: PatientExport, sheets: Sequence[tuple[KeptRecord, str]], locale: str) -> str:
    """Return the first page of an export: every record with its sheet, and who looked at them."""
    rows = (
        (
            moment(one.happened_at, offset=False),
            f"[{words(one.kind)}]({sheet})",
            str(one.revision),
            words(one.state) + (" (redacted)" if one.redacted else ""),
            moment(one.recorded_at, offset=False),
            one.recorded_by,
            one.digest,
        )
        for one, sheet in sheets
    )
    head = ("Happened", "Record", "Revision", "State", "Entered", "By", "Digest")
    lines = [
        f"Clinic {export.clinic}. Written {moment(export.generated_at)} by {export.generated_by}.",
        f"Ids of this person: {', '.join(export.ids)}.",
        "",
        (
            "`export.json` holds everything for machines, `records/` every record's bytes as they are kept, and"
            " `sheets/` the same to read."
        ),
        "",
        "## Records",
        "",
        *table(head, rows),
        "## Who read and wrote them",
        "",
        *_entries(export.audit),
    ]
    return _sheet(f"Everything kept of {export.patient}", lines)


def erasure_sheet(report: ErasureReport) -> str:
    """Return what an erasure would remove, or removed."""
    if report.applied:
        title = "Erased"
    else:
        title = "■ Not erased" if report.refused else f"Erasing {report.patient} would remove this"
    lines = [] if report.applied else [*_refused(report.refused)]
    if report.merged:
        lines += [f"With it: {', '.join(report.merged)}.", ""]
    end = f", kept until {report.retention_ends}" if report.retention_ends else ", no retention period set"
    lines += [f"The last thing happened on {report.last_at[:10]}{end}.", ""]
    lines += [*_counts("Records", report.records), *_counts("Rows", report.rows)]
    if report.mentions:
        said = "was" if report.applied else "is"
        lines += [f"Records of others out of which the id {said} taken: {len(report.mentions)}.", ""]
    if report.backups:
        lines += ["Still in backups taken before; a restore erases again:", ""]
        lines += [*(f"- {file}" for file in report.backups), ""]
    if report.tombstone is not None:
        lines += [f"Tombstone {report.tombstone.patient_hash[:16]}….", ""]
        if not report.scrubbed:
            lines += [f"- **{one.sentence}** {one.next_step}" for one in report.problems]
    elif not report.refused:
        lines += ["Nothing was erased. Say --apply to do it."]
    return _sheet(title, lines)


def retention_sheet(report: RetentionReport) -> str:
    """Return whose retention period is over."""
    rows = (
        (
            one.patient or "(erased)",
            one.last_at[:10],
            one.ended,
            str(one.records),
            "; ".join(why.sentence for why in one.kept_because) or "—",
        )
        for one in report.patients
    )
    lines = [f"Period {report.retention}.", ""]
    if report.patients:
        lines += table(("Patient", "Last", "Kept until", "Records", "Stays because"), rows)
    due = len(report.patients) - report.kept
    to_erase = f"To erase: {due}. Say --apply to do it." if due else "There is nobody to erase."
    lines.append(f"Erased: {report.erased}." if report.applied else to_erase)
    lines += [f"- {one.sentence} {one.next_step}" for one in report.problems]
    return _sheet("Retention", lines)


def tombstones_sheet(listed: TombstoneList) -> str:
    """Return who was erased when, without who it was."""
    rows = ((one.patient_hash[:16] + "…", moment(one.at), one.by, one.reason) for one in listed.tombstones)
    return _sheet(_count(len(listed.tombstones), "erasure"), table(("Tombstone", "When", "By", "Why"), rows))


def merge_sheet(said: PatientMerge) -> str:
    """Return what a merge did."""
    if said.action == "merge":
        sentence = f"{said.patient} is found under {said.into} from now on. No record was changed."
    else:
        sentence = f"{said.patient} stands for itself again. No record was changed."
    despite = [f"Done although this stood against it: {', '.join(f'`{code}`' for code in said.despite)}.", ""]
    lines = [sentence, "", *(despite if said.despite else []), f"Why: {said.why}"]
    return _sheet("Merged" if said.action == "merge" else "Taken apart again", lines)


def hold_sheet(said: LegalHold) -> str:
    """Return what a hold does."""
    if said.action == "hold":
        return _sheet("Legal hold", [f"Nothing of {said.patient} is erased while it stands.", "", f"Why: {said.why}"])
    return _sheet("Legal hold lifted", [f"Patient {said.patient}.", "", f"Why: {said.why}"])


def correction_sheet(said: RecordCorrection) -> str:
    """Return which records are found under another patient now."""
    rows = ((words(one.kind), one.id, words(one.state)) for one in said.records)
    lines = [
        f"Kept under {said.recorded_as}, found under {said.patient} from now on. Their bytes are as they were.",
        "",
        *table(("Record", "Id", "Counts as"), rows),
        (
            "Consents, authorisations and overrides were given for the person that they name. Nobody agreed to this for"
            f" {said.patient}: talk to both people, and record what they say."
        ),
        "",
        f"Why: {said.why}",
    ]
    return _sheet("Wrong patient corrected", lines)


def audit_check_sheet(check: AuditCheck) -> str:
    """Return whether the audit is as it was written."""
    changed = "■ The audit was changed" if check.faults else "■ What is kept was changed"
    title = "✓ The audit is as it was written" if check.intact else changed
    lines = [
        f"- entry {one.number}: {_FAULTS[one.fault]}" if one.number else "- entries are missing at the end of the chain"
        for one in check.faults
    ]
    lines += [f"- {one.kind} {one.id}, version {one.version}: {_ALTERED[one.code]}" for one in check.altered]
    lines += [""] if lines else []
    lines += [
        f"{check.entries} entries; of {check.erased} the details went with an erasure.",
        "",
        f"It ends with `{check.head.number}:{check.head.hash}`.",
        "",
        *(
            [f"The end that was noted, entry {check.noted.number}, is in it.", ""]
            if check.noted is not None and check.intact
            else []
        ),
        (
            "Keep that elsewhere: handed in later with --noted, it shows that nothing before it was cut off."
            if check.intact
            else "Do not note that end: keep the database as it is, and compare it with the ends noted before."
        ),
    ]
    return _sheet(title, lines)


def audit_list_sheet(listed: AuditList) -> str:
    """Return who read and wrote a patient's records."""
    lines = list(_entries(listed.entries)) or ["There is no entry."]
    return _sheet(f"Who read and wrote the records of {listed.patient}", lines)


def backup_sheet(manifest: BackupManifest) -> str:
    """Return what is in a backup."""
    rows = ((words(one.table), str(one.rows)) for one in manifest.tables if one.rows)
    lines = [
        f"{manifest.file}: clinic {manifest.clinic}, {moment(manifest.taken_at)}. Every row was read again.",
        "",
        *table(("Table", "Rows"), rows),
        f"The audit in it ends with entry {manifest.audit.number}, `{manifest.audit.hash}`.",
    ]
    return _sheet("✓ Backup", lines)


def restore_sheet(report: RestoreReport) -> str:
    """Return what a restore put back, or would."""
    lines = [f"{report.file}, taken {moment(report.taken_at)}.", "", *_counts("Rows in the backup", report.rows)]
    lines += _counts("Records taken away" if report.applied else "Records it would take away", report.replaced)
    if report.applied:
        lines += [f"- Patients erased again: {report.erased_again}"]
        if report.lost_entries:
            lines += [f"- Entries of the audit that the backup is older than: {report.lost_entries}"]
        lines += ["", f"**Paused.** {report.paused} Compare with the host, then: pore-plugin resume --why REASON"]
    lines += [f"- {one.sentence} {one.next_step}" for one in report.problems]
    return _sheet("Restored" if report.applied else "■ Not restored", lines)


def resume_sheet(report: ResumeReport) -> str:
    """Return that a clinic delivers again."""
    if report.paused_at is None:
        return _sheet("Was not paused", ["Nothing changed."])
    return _sheet(
        "Delivers again", [f"Paused since {moment(report.paused_at)}: {report.was}", "", f"Why: {report.why}"]
    )


def record_sheet(kind: str, document: Any) -> str:
    """Return any record member by member, for kinds that have no sheet of their own."""
    return _sheet(words(kind).capitalize(), list(_members(document, 0)))


def with_state(sheet: str, state: str) -> str:
    """Return a sheet that says when its record does not count."""
    if state != "entered-in-error":
        return sheet
    heading, _, rest = sheet.partition("\n")
    return f"{heading}\n\n> **ENTERED IN ERROR** — kept under the wrong patient; it does not count.\n{rest}"


def _members(value: Any, depth: int) -> Iterator[str]:
    indent = "  " * depth
    items = value.items() if isinstance(value, dict) else enumerate(value, 1) if isinstance(value, list) else ()
    for name, item in items:
        if isinstance(item, dict | list):
            yield f"{indent}- {words(str(name))}:"
            yield from _members(item, depth + 1)
        else:
            yield f"{indent}- {words(str(name))}: {item}"


def _entries(entries: Iterable[AuditEntry]) -> Iterator[str]:
    rows = [
        (
            str(one.number),
            moment(one.at, offset=False),
            one.actor,
            one.action,
            "(erased)" if one.erased else ", ".join(f"{t.mode} {words(t.kind)} {t.id}" for t in one.records) or "—",
        )
        for one in entries
    ]
    if rows:
        yield from table(("Entry", "When", "Who", "What", "Records"), rows)


def _counts(title: str, counts: Sequence[KindCount]) -> list[str]:
    if not counts:
        return []
    return table((title, "Number"), ((words(one.kind), str(one.count)) for one in counts))


def _refused(problems: Iterable[Problem]) -> Iterator[str]:
    for one in problems:
        yield f"- **{one.sentence}** {one.next_step} (`{one.code}`)"
    yield ""


def _sheet(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"# {title}", "", *lines]).rstrip() + "\n"
