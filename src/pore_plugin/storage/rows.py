"""What comes out of the tables: rows by name. Their `repr` shows none of their values."""

from dataclasses import dataclass, field

from .sealing import seal_of

__all__ = [
    "AuditRow",
    "ContentEventRow",
    "ContentRow",
    "LotUse",
    "OutboxRow",
    "PatientRow",
    "RecordRow",
    "StepRow",
    "Tombstone",
]


@dataclass(frozen=True, slots=True, repr=False)
class RecordRow:
    """One revision of a record: its bytes under the contract's name, and what it is found by."""

    kind: str
    id: str
    revision: int
    patient: str | None
    subject: str | None
    at: int
    recorded_at: int
    recorded_by: str
    digest: str
    state: str
    document: bytes
    sealed: str = ""

    @property
    def seal(self) -> str:
        """The seal of what this row holds; of a row that is as it was kept, the one that was kept."""
        return seal_of(
            self.kind,
            self.id,
            self.revision,
            self.at,
            self.recorded_at,
            self.recorded_by,
            self.digest,
            self.document,
        )


@dataclass(frozen=True, slots=True, repr=False)
class PatientRow:
    """A patient with records here."""

    patient: str
    host: str
    first_at: int
    last_at: int
    merged_into: str | None = None
    hold_why: str | None = None
    hold_by: str | None = None
    hold_at: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class LotUse:
    """One vial of one lot in one treatment, `lot` as it was written; replaced when an amendment has another."""

    lot: str
    treatment: str
    vial: str
    patient: str
    product: str | None
    expiry: str
    at: int
    replaced_at: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class StepRow:
    """A follow-up step where it stands; `watch_until`: the red-flag watch of its plan is over by then."""

    key: str
    plan: str
    treatment: str
    patient: str
    step: str
    state: str
    due: int
    earliest: int | None
    latest: int | None
    moved_at: int
    watch_until: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ContentRow:
    """One version of a content document: `source` as it came, in `media`; `canonical` by RFC 8785."""

    id: str
    version: str
    digest: str
    type: str
    media: str
    origin: str
    source_digest: str
    source: bytes
    canonical: bytes
    file: str | None = None
    at: int = 0
    by: str = ""
    review_due: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class ContentEventRow:
    """Something that was done with a version of content."""

    seq: int
    id: str
    version: str
    digest: str
    action: str
    at: int
    by: str
    why: str | None = None
    until: str | None = None
    document: bytes | None = None


@dataclass(frozen=True, slots=True, repr=False)
class OutboxRow:
    """Something to be told to others."""

    seq: int
    key: str
    topic: str
    subject: str
    patient: str | None
    at: int
    state: str
    attempts: int
    next_at: int
    document: bytes


@dataclass(frozen=True, slots=True, repr=False)
class AuditRow:
    """One entry of the audit; `details` and `patient` are gone once they were erased."""

    seq: int
    at: int
    actor: str
    action: str
    patient: str | None
    details: bytes | None
    erased: bool = field(default=False)


@dataclass(frozen=True, slots=True, repr=False)
class Tombstone:
    """That something was erased, when, by whom, why; found again by the keyed hash of the patient's id."""

    patient_hash: bytes
    at: int
    by: str
    reason: str
    document: bytes
