"""The tables: a document's bytes and the columns it is found by. Every row carries its clinic.

Instants are seconds since 1970 in UTC, dates ISO text. Nothing here reads a document: whoever keeps one says what it
is found by.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql

__all__ = [
    "audit",
    "clinic",
    "content",
    "content_event",
    "content_head",
    "idempotency",
    "lot",
    "lot_use",
    "lot_variant",
    "metadata",
    "outbox",
    "patient",
    "pin",
    "record",
    "step",
    "step_move",
    "tombstone",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

# Byte order on both databases: the order of rows, and so of hashes over them, must not hang on a server's locale.
_TEXT = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_MOMENT = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *parts: Column[object] | ForeignKeyConstraint | Index | UniqueConstraint) -> Table:
    """Return a table whose rows belong to a clinic."""
    return Table(
        name,
        metadata,
        Column("clinic", _TEXT, primary_key=True),
        *parts,
        ForeignKeyConstraint(["clinic"], ["clinic.clinic"]),
    )


def _key(name: str) -> Column[object]:
    return Column(name, _TEXT, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, _TEXT, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, _MOMENT, nullable=nullable)


def _number(name: str) -> Column[object]:
    return Column(name, _MOMENT, primary_key=True, autoincrement=False)


def _bytes(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, LargeBinary, nullable=nullable)


clinic = Table(
    "clinic",
    metadata,
    Column("clinic", _TEXT, primary_key=True),
    _moment("since"),
    _bytes("salt"),
    _moment("paused_at", nullable=True),
    _text("paused_why", nullable=True),
    _moment("audit_seq"),
    _bytes("audit_head"),
    _moment("outbox_seq"),
    _moment("content_seq"),
)
"""One row for each clinic: the head of its audit chain, and since when it is paused. Its lock orders all writing."""

patient = _table(
    "patient",
    _key("patient"),
    _text("host"),
    _moment("first_at"),
    _moment("last_at"),
    _text("merged_into", nullable=True),
    _text("hold_why", nullable=True),
    _text("hold_by", nullable=True),
    _moment("hold_at", nullable=True),
    Index(None, "clinic", "merged_into"),
    Index(None, "clinic", "last_at"),
)
"""Patients with records here; `last_at` is what a retention period counts from, `hold_*` a legal hold."""

record = _table(
    "record",
    _key("kind"),
    _key("id"),
    _number("revision"),
    _text("patient", nullable=True),
    _text("subject", nullable=True),
    _moment("at"),
    _moment("recorded_at"),
    _text("recorded_by"),
    _text("digest"),
    _text("state"),
    _bytes("document"),
    _text("sealed"),
    Index(None, "clinic", "patient", "kind", "at"),
    Index(None, "clinic", "subject", "kind"),
    Index(None, "clinic", "kind", "state", "at"),
)
"""Every record in every revision, under the contract's name; `subject` is the record that it belongs to.

`sealed` is a hash of the bytes and of what never moves (`sealing.seal_of`).
"""

pin = _table(
    "pin",
    _key("kind"),
    _key("id"),
    _number("revision"),
    _key("content"),
    _key("version"),
    _text("digest"),
    ForeignKeyConstraint(
        ["clinic", "kind", "id", "revision"], ["record.clinic", "record.kind", "record.id", "record.revision"]
    ),
    Index(None, "clinic", "content", "version"),
)
"""Which content a record was made with."""

lot = _table("lot", _key("lot_key"), _key("lot"), _moment("first_at"))
"""Every lot as it was written, under its normalised key."""

lot_variant = _table("lot_variant", _key("variant"), _key("lot_key"))
"""The keys one character away from a lot's, so that a near match is a look-up."""

lot_use = _table(
    "lot_use",
    _key("lot_key"),
    _key("treatment"),
    _key("vial"),
    _text("patient"),
    _text("lot"),
    _text("product", nullable=True),
    _text("expiry"),
    _moment("at"),
    _moment("replaced_at", nullable=True),
    Index(None, "clinic", "treatment"),
    Index(None, "clinic", "patient"),
)
"""Which treatment used which vial of which lot; `replaced_at` is when an amendment said that it was another."""

step = _table(
    "step",
    _key("key"),
    _text("plan"),
    _text("treatment"),
    _text("patient"),
    _text("step"),
    _text("state"),
    _moment("due"),
    _moment("earliest", nullable=True),
    _moment("latest", nullable=True),
    _moment("moved_at"),
    _moment("watch_until", nullable=True),
    Index(None, "clinic", "state", "due"),
    Index(None, "clinic", "state", "earliest"),
    Index(None, "clinic", "state", "latest"),
    Index(None, "clinic", "watch_until"),
    Index(None, "clinic", "plan"),
    Index(None, "clinic", "treatment"),
    Index(None, "clinic", "patient"),
)
"""The follow-up steps where they stand now. `watch_until`: the red-flag watch of their plan is over by then."""

step_move = _table(
    "step_move",
    _key("key"),
    _number("seq"),
    _text("record"),
    ForeignKeyConstraint(["clinic", "key"], ["step.clinic", "step.key"]),
    Index(None, "clinic", "record"),
)
"""The moves of a step in their order; each is a record of its own."""

content = _table(
    "content",
    _key("id"),
    _key("version"),
    _text("digest"),
    _text("type"),
    _text("media"),
    _text("origin"),
    _text("source_digest"),
    _bytes("source"),
    _bytes("canonical"),
    _text("file", nullable=True),
    _moment("at"),
    _text("by"),
    _text("review_due", nullable=True),
    Index(None, "clinic", "digest"),
    Index(None, "clinic", "source_digest"),
    Index(None, "clinic", "type"),
)
"""Every version of content that was imported or that a record pins: the bytes as they came, and canonical."""

content_event = _table(
    "content_event",
    _number("seq"),
    _text("id"),
    _text("version"),
    _text("digest"),
    _text("action"),
    _moment("at"),
    _text("by"),
    _text("why", nullable=True),
    _text("until", nullable=True),
    _bytes("document", nullable=True),
    Index(None, "clinic", "id", "seq"),
)
"""What was done with content: imported, approved, handed over, withdrawn, retired, rolled back."""

content_head = _table("content_head", _key("id"), _text("version"), _text("digest"))
"""The version that new work uses; an id without a row has none."""

outbox = _table(
    "outbox",
    _number("seq"),
    _text("key"),
    _text("topic"),
    _text("subject"),
    _text("patient", nullable=True),
    _moment("at"),
    _text("state"),
    _moment("attempts"),
    _moment("next_at"),
    _bytes("document"),
    UniqueConstraint("clinic", "key"),
    Index(None, "clinic", "state", "next_at"),
    Index(None, "clinic", "topic", "state"),
    Index(None, "clinic", "patient"),
)
"""What is to be told to others, stored with what it tells of; one row for one key."""

idempotency = _table(
    "idempotency",
    _key("key"),
    _text("request"),
    _text("patient", nullable=True),
    _moment("at"),
    _bytes("document"),
    Index(None, "clinic", "patient"),
    Index(None, "clinic", "at"),
)
"""The first result of a command under its key, and the digest of its request."""

audit = _table(
    "audit",
    _number("seq"),
    _moment("at"),
    _text("actor"),
    _text("action"),
    _text("patient", nullable=True),
    _bytes("salt", nullable=True),
    _bytes("details", nullable=True),
    _bytes("sealed"),
    _bytes("hash"),
    Index(None, "clinic", "patient", "seq"),
)
"""Who read and wrote what. The chain runs over `sealed`, the salted hash of `details`: details can be erased."""

tombstone = _table(
    "tombstone",
    Column("patient_hash", LargeBinary, primary_key=True),
    _moment("at"),
    _text("by"),
    _text("reason"),
    _bytes("document"),
)
"""What was erased, without saying whose it was: a keyed hash of the patient's id finds it again after a restore."""
