"""Who is whom, what is kept of a patient, what was erased, who looked at it, and how a copy was made and put back."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from .base import Digest, Duration, Instant, Integer, LocalDate, Model, Opt, RecordId, Token, refuse
from .content_changes import JsonValue
from .problems import Problem

__all__ = [
    "AlteredDocument",
    "AuditCheck",
    "AuditEntry",
    "AuditFault",
    "AuditHead",
    "AuditList",
    "AuditTouch",
    "BackupManifest",
    "BackupTable",
    "CorrectedRecord",
    "ErasureReport",
    "KeptMessage",
    "KeptRecord",
    "KeptResult",
    "KeptStep",
    "KindCount",
    "LegalHold",
    "Mention",
    "PatientEntry",
    "PatientExport",
    "PatientList",
    "PatientMerge",
    "RecordCorrection",
    "RecordRedaction",
    "RestoreReport",
    "ResumeReport",
    "RetentionPatient",
    "RetentionReport",
    "Tombstone",
    "TombstoneList",
]

_Count = Annotated[Integer, Field(ge=0)]
_Number = Annotated[Integer, Field(ge=1)]
_Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Actor = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,200}$")]
_Label = Annotated[str, StringConstraints(min_length=1, max_length=400)]
_Place = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class PatientMerge(Model):
    """One patient stands for another from now on, or no longer does. No other record is changed by it."""

    id: RecordId
    clinic: RecordId
    action: Literal["merge", "unmerge"] = Field(description="Whether they become one, or are two again.")
    patient: RecordId = Field(description="The id that is found under the other one.")
    into: RecordId = Field(description="The id that remains.")
    brought: tuple[RecordId, ...] = Field(default=(), description="Ids that had been merged into it before.")
    despite: tuple[Token, ...] = Field(default=(), description="What spoke against it, and was looked at.")
    why: _Reason
    by: _Actor = Field(description="Who did it.")
    at: Instant = Field(description="When it was done.")


class LegalHold(Model):
    """A legal hold: while it stands, nothing of this patient is erased."""

    id: RecordId
    clinic: RecordId
    action: Literal["hold", "release"] = Field(description="Whether it begins or ends here.")
    patient: RecordId
    why: _Reason
    by: _Actor = Field(description="Who set or lifted it.")
    at: Instant = Field(description="From when it stands, or no longer does.")


class CorrectedRecord(Model):
    """A record that was kept under a wrong patient."""

    kind: Token
    id: RecordId
    digest: Digest = Field(description="Of its newest revision, whose bytes are as they were.")
    state: Token = Field(description="What it counts as now.")


class RecordCorrection(Model):
    """Records were kept under a wrong patient: one document for each of the two, with the same `correction`.

    The one that stays with the wrong patient does not say whose the records are.
    """

    id: RecordId
    clinic: RecordId
    patient: RecordId = Field(description="In whose records this document is kept.")
    correction: RecordId = Field(description="The same in both documents.")
    direction: Literal["here", "away"] = Field(description="Whether the records came to this patient or left.")
    recorded_as: Opt[RecordId] = Field(
        default=None, description="With `here`: the patient that the records name, because their bytes do not change."
    )
    records: tuple[CorrectedRecord, ...] = Field(default=(), description="With `here`: what came.")
    count: Opt[_Count] = Field(default=None, description="With `away`: how many records left.")
    why: _Reason
    by: _Actor = Field(description="Who corrected it.")
    at: Instant = Field(description="When it was corrected.")

    @model_validator(mode="after")
    def _one_side(self) -> "RecordCorrection":
        here = self.direction == "here"
        if here != (self.recorded_as is not None) or here != bool(self.records) or here == (self.count is not None):
            refuse("correction.side", "What came is listed where it came to, and only counted where it left.")
        return self


class RecordRedaction(Model):
    """The id of an erased patient was taken out of another patient's record."""

    id: RecordId
    clinic: RecordId
    patient: RecordId = Field(description="Whose record it is.")
    kind: Token
    record: RecordId
    revision: _Number
    original_digest: Digest = Field(description="Of the record as it was made; other records pin this one.")
    redacted_digest: Digest = Field(description="Of the record as it is kept now.")
    pointers: tuple[str, ...] = Field(description="Where `erased` stands now.")
    by: _Actor = Field(description="Who erased the patient.")
    at: Instant = Field(description="When it was done.")


class PatientEntry(Model):
    """A patient with records here, by the id that is in use."""

    patient: RecordId
    merged: tuple[RecordId, ...] = Field(default=(), description="Ids that are found under it.")
    host: Token
    first_at: Instant = Field(description="When the first thing that is kept happened.")
    last_at: Instant = Field(description="When the last one did; retention counts from here.")
    hold: Opt[_Reason] = Field(default=None, description="Why there is a legal hold; absent = there is none.")


class PatientList(Model):
    """Every patient with records here."""

    clinic: RecordId
    generated_at: Instant = Field(description="The moment that was looked at.")
    patients: tuple[PatientEntry, ...]


class KeptRecord(Model):
    """One revision of a record, with the document itself."""

    kind: Token
    id: RecordId
    revision: _Number
    patient: RecordId = Field(description="The id it is found under.")
    belongs_to: Opt[RecordId] = Field(default=None, description="The record that it is part of.")
    state: Token = Field(description="What it counts as now.")
    happened_at: Instant = Field(description="When what it tells of happened.")
    recorded_at: Instant = Field(description="When it was entered.")
    recorded_by: _Actor = Field(description="Who entered it.")
    digest: Digest = Field(description="Of the record as it was made; what other records pin.")
    redacted: bool = Field(default=False, description="True when another patient's id was taken out of it.")
    file: Opt[_Place] = Field(default=None, description="In an archive: the file with its bytes as they are kept.")
    document: JsonValue


class KeptStep(Model):
    """A follow-up step where it stands, and the records of its moves."""

    key: RecordId
    plan: RecordId
    treatment: RecordId
    step: Token
    state: Token = Field(description="Where it stands.")
    due: Instant = Field(description="When it is due.")
    moved_at: Instant = Field(description="When it came to stand there.")
    moves: tuple[RecordId, ...] = ()


class KeptMessage(Model):
    """Something that is, or was, to be told to others."""

    number: _Number
    key: _Label
    topic: _Label
    subject: _Label
    state: Token = Field(description="What became of it.")
    at: Instant = Field(description="When it was put there.")
    attempts: _Count = 0
    document: JsonValue


class KeptResult(Model):
    """The first result of a command, kept so that sending it again makes nothing twice."""

    key: _Label
    at: Instant = Field(description="When it was kept.")
    document: JsonValue


class AuditTouch(Model):
    """A record that was read or written."""

    mode: Literal["read", "write"] = Field(description="What was done with it.")
    kind: Token
    id: RecordId


class AuditEntry(Model):
    """Who did what, when, with which records of the patient."""

    number: _Number
    at: Instant = Field(description="When it was done.")
    actor: _Actor
    action: _Word
    patient: Opt[RecordId] = Field(default=None, description="The id that was used.")
    records: tuple[AuditTouch, ...] = ()
    said: Opt[JsonValue] = Field(default=None, description="What else the entry says: words and ids.")
    erased: bool = Field(default=False, description="True when its details were erased with another patient.")


class PatientExport(Model):
    """Everything that is kept of a patient."""

    clinic: RecordId
    patient: RecordId = Field(description="The id that is in use.")
    ids: Annotated[tuple[RecordId, ...], Field(min_length=1)] = Field(
        description="Every id of this person, merged ones too."
    )
    generated_at: Instant = Field(description="When this was written.")
    generated_by: _Actor
    entry: PatientEntry
    records: tuple[KeptRecord, ...]
    steps: tuple[KeptStep, ...] = ()
    outbox: tuple[KeptMessage, ...] = ()
    results: tuple[KeptResult, ...] = ()
    audit: tuple[AuditEntry, ...] = ()


class KindCount(Model):
    """How many there are of a kind."""

    kind: Token
    count: _Count


class Mention(Model):
    """A record of somebody else that holds an id of the patient, such as that of a shared vial."""

    kind: Token
    id: RecordId
    revision: _Number
    pointers: tuple[str, ...] = Field(description="Where in the record.")


class Tombstone(Model):
    """That somebody was erased, without saying who: a keyed hash finds the id again after a restore."""

    patient_hash: _Hash = Field(description="HMAC-SHA-256 of the id under the clinic's own key.")
    at: Instant = Field(description="When it was erased.")
    by: _Actor
    reason: _Reason
    counts: tuple[KindCount, ...] = ()


class TombstoneList(Model):
    """The tombstones of a clinic, to be kept beside its backups and handed in at a restore."""

    clinic: RecordId
    generated_at: Instant = Field(description="When this was written.")
    key_check: _Hash = Field(
        description="Of the clinic's key: a list fits only the database it came from, and its backups."
    )
    tombstones: tuple[Tombstone, ...]


class ErasureReport(Model):
    """What an erasure would remove, or removed."""

    clinic: RecordId
    patient: Opt[RecordId] = Field(default=None, description="Absent once it is erased.")
    at: Instant = Field(description="The moment that was looked at.")
    by: _Actor
    applied: bool
    merged: tuple[RecordId, ...] = Field(default=(), description="Other ids of this person, which go too.")
    last_at: Instant = Field(description="When the last thing that is kept happened.")
    retention: Opt[Duration] = Field(default=None, description="The clinic's period; absent = it has not decided.")
    retention_ends: Opt[LocalDate] = Field(default=None, description="The last day of that period.")
    records: tuple[KindCount, ...] = Field(default=(), description="Records by kind, revisions counted once.")
    rows: tuple[KindCount, ...] = Field(default=(), description="Rows by table; those of the audit lose their details.")
    mentions: tuple[Mention, ...] = Field(default=(), description="Records of others out of which the id is taken.")
    backups: tuple[_Place, ...] = Field(default=(), description="Copies beside the database that were made before.")
    refused: tuple[Problem, ...] = Field(default=(), description="What stands against it.")
    scrubbed: bool = Field(default=False, description="Whether the files were cleared of what was deleted.")
    tombstone: Opt[Tombstone] = None
    problems: tuple[Problem, ...] = Field(default=(), description="What went wrong after the erasure.")


class RetentionPatient(Model):
    """A patient of whom nothing has happened for the whole retention period."""

    patient: Opt[RecordId] = Field(default=None, description="Absent once it is erased.")
    last_at: Instant = Field(description="When the last thing that is kept happened.")
    ended: LocalDate = Field(description="The last day of the retention period.")
    kept_because: tuple[Problem, ...] = Field(default=(), description="Why the records stay all the same.")
    records: _Count = 0


class RetentionReport(Model):
    """Whose retention period is over, and what was done about it."""

    clinic: RecordId
    at: Instant = Field(description="The moment that was looked at.")
    by: _Actor
    retention: Duration = Field(description="The clinic's period.")
    applied: bool
    patients: tuple[RetentionPatient, ...]
    erased: _Count = 0
    kept: _Count = 0
    scrubbed: bool = Field(default=False, description="Whether the files were cleared of what was deleted.")
    problems: tuple[Problem, ...] = ()


class AuditHead(Model):
    """The end of a chain. Noted elsewhere, it shows later that nothing before it was cut off."""

    number: _Count
    hash: _Hash


class AuditFault(Model):
    """An entry that is not as it was written."""

    number: _Count = Field(description="The entry; 0 for the end of the chain.")
    fault: Literal["gap", "details", "chain", "head"] = Field(
        description="Entries are missing before it, its details or itself were changed, or the end is cut off."
    )


class AlteredDocument(Model):
    """A record or content that is not as it was kept."""

    code: Literal["record.altered", "record.not_written", "record.missing", "content.altered"] = Field(
        description="It was changed, no use case wrote it, it is gone; or content was changed."
    )
    kind: _Label
    id: _Label
    version: _Label = Field(description="Of a record its revision.")


class AuditCheck(Model):
    """Whether the audit is as it was written, and what it tells of as it was kept."""

    clinic: RecordId
    at: Instant = Field(description="The moment that was looked at.")
    intact: bool
    entries: _Count
    erased: _Count = Field(description="Entries whose details went with an erasure.")
    head: AuditHead
    noted: Opt[AuditHead] = Field(default=None, description="The noted end that was looked for.")
    faults: tuple[AuditFault, ...] = ()
    altered: tuple[AlteredDocument, ...] = ()


class AuditList(Model):
    """Who read and wrote a patient's records."""

    clinic: RecordId
    patient: RecordId
    ids: tuple[RecordId, ...] = Field(description="Every id of this person, merged ones too.")
    at: Instant = Field(description="The moment that was looked at.")
    by: _Actor = Field(description="Who asked; that is in the audit too.")
    entries: tuple[AuditEntry, ...]


class BackupTable(Model):
    """How many rows of a table are in a backup."""

    table: Token
    rows: _Count
    sha256: _Hash


class BackupManifest(Model):
    """What is in a backup of one clinic, and whether it is whole."""

    clinic: RecordId
    file: _Place
    taken_at: Instant = Field(description="The state of this moment is in it.")
    revision: Token = Field(description="Of the tables.")
    version: _Word = Field(description="Of the package that wrote it.")
    tables: tuple[BackupTable, ...]
    audit: AuditHead
    verified: bool = Field(description="Whether every row was read again, and is as it was.")


class RestoreReport(Model):
    """What a restore would put back, or put back."""

    clinic: RecordId
    file: _Place
    at: Instant = Field(description="The moment that was looked at.")
    by: _Actor
    applied: bool
    taken_at: Instant = Field(description="Of the backup.")
    rows: tuple[KindCount, ...] = Field(default=(), description="Rows of the backup, by table.")
    replaced: tuple[KindCount, ...] = Field(default=(), description="Rows that were there before, by table.")
    lost_entries: _Count = Field(default=0, description="Entries of the audit that the backup is older than.")
    tombstones: _Count = Field(default=0, description="Erasures that the backup did not know.")
    erased_again: _Count = Field(
        default=0, description="Patients that the backup brought back, and that are erased again."
    )
    paused: Opt[_Reason] = Field(default=None, description="Why nothing is delivered until somebody has looked.")
    problems: tuple[Problem, ...] = ()


class ResumeReport(Model):
    """A clinic that was paused delivers again."""

    clinic: RecordId
    at: Instant = Field(description="From when it delivers.")
    by: _Actor
    paused_at: Opt[Instant] = Field(default=None, description="Since when it was paused; absent = it was not.")
    was: Opt[_Reason] = Field(default=None, description="Why it was paused.")
    why: _Reason = Field(description="What was looked at before it went on.")
