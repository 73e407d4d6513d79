"""The records of a clinic, their content, their follow-ups, their audit; every row under its clinic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from pore_plugin.storage.migrations.protecting import protect

revision = "0001"
down_revision = None

# Byte order on both databases.
_TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable, autoincrement=False)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "clinic",
        _text("clinic"),
        _number("since"),
        _bytes("salt"),
        _number("paused_at", nullable=True),
        _text("paused_why", nullable=True),
        _number("audit_seq"),
        _bytes("audit_head"),
        _number("outbox_seq"),
        _number("content_seq"),
        sa.PrimaryKeyConstraint("clinic", name="pk_clinic"),
    )
    op.create_table(
        "audit",
        _text("clinic"),
        _number("seq"),
        _number("at"),
        _text("actor"),
        _text("action"),
        _text("patient", nullable=True),
        _bytes("salt", nullable=True),
        _bytes("details", nullable=True),
        _bytes("sealed"),
        _bytes("hash"),
        sa.PrimaryKeyConstraint("clinic", "seq", name="pk_audit"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_audit_clinic"),
    )
    op.create_index("ix_audit_clinic_patient_seq", "audit", ["clinic", "patient", "seq"])
    op.create_table(
        "content",
        _text("clinic"),
        _text("id"),
        _text("version"),
        _text("digest"),
        _text("type"),
        _text("media"),
        _text("origin"),
        _text("source_digest"),
        _bytes("source"),
        _bytes("canonical"),
        _text("file", nullable=True),
        _number("at"),
        _text("by"),
        _text("review_due", nullable=True),
        sa.PrimaryKeyConstraint("clinic", "id", "version", name="pk_content"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_content_clinic"),
    )
    op.create_index("ix_content_clinic_digest", "content", ["clinic", "digest"])
    op.create_index("ix_content_clinic_source_digest", "content", ["clinic", "source_digest"])
    op.create_index("ix_content_clinic_type", "content", ["clinic", "type"])
    op.create_table(
        "content_event",
        _text("clinic"),
        _number("seq"),
        _text("id"),
        _text("version"),
        _text("digest"),
        _text("action"),
        _number("at"),
        _text("by"),
        _text("why", nullable=True),
        _text("until", nullable=True),
        _bytes("document", nullable=True),
        sa.PrimaryKeyConstraint("clinic", "seq", name="pk_content_event"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_content_event_clinic"),
    )
    op.create_index("ix_content_event_clinic_id_seq", "content_event", ["clinic", "id", "seq"])
    op.create_table(
        "content_head",
        _text("clinic"),
        _text("id"),
        _text("version"),
        _text("digest"),
        sa.PrimaryKeyConstraint("clinic", "id", name="pk_content_head"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_content_head_clinic"),
    )
    op.create_table(
        "idempotency",
        _text("clinic"),
        _text("key"),
        _text("request"),
        _text("patient", nullable=True),
        _number("at"),
        _bytes("document"),
        sa.PrimaryKeyConstraint("clinic", "key", name="pk_idempotency"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_idempotency_clinic"),
    )
    op.create_index("ix_idempotency_clinic_at", "idempotency", ["clinic", "at"])
    op.create_index("ix_idempotency_clinic_patient", "idempotency", ["clinic", "patient"])
    op.create_table(
        "lot",
        _text("clinic"),
        _text("lot_key"),
        _text("lot"),
        _number("first_at"),
        sa.PrimaryKeyConstraint("clinic", "lot_key", "lot", name="pk_lot"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_lot_clinic"),
    )
    op.create_table(
        "lot_use",
        _text("clinic"),
        _text("lot_key"),
        _text("treatment"),
        _text("vial"),
        _text("patient"),
        _text("lot"),
        _text("product", nullable=True),
        _text("expiry"),
        _number("at"),
        _number("replaced_at", nullable=True),
        sa.PrimaryKeyConstraint("clinic", "lot_key", "treatment", "vial", name="pk_lot_use"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_lot_use_clinic"),
    )
    op.create_index("ix_lot_use_clinic_patient", "lot_use", ["clinic", "patient"])
    op.create_index("ix_lot_use_clinic_treatment", "lot_use", ["clinic", "treatment"])
    op.create_table(
        "lot_variant",
        _text("clinic"),
        _text("variant"),
        _text("lot_key"),
        sa.PrimaryKeyConstraint("clinic", "variant", "lot_key", name="pk_lot_variant"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_lot_variant_clinic"),
    )
    op.create_table(
        "outbox",
        _text("clinic"),
        _number("seq"),
        _text("key"),
        _text("topic"),
        _text("subject"),
        _text("patient", nullable=True),
        _number("at"),
        _text("state"),
        _number("attempts"),
        _number("next_at"),
        _bytes("document"),
        sa.PrimaryKeyConstraint("clinic", "seq", name="pk_outbox"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_outbox_clinic"),
        sa.UniqueConstraint("clinic", "key", name="uq_outbox_clinic_key"),
    )
    op.create_index("ix_outbox_clinic_patient", "outbox", ["clinic", "patient"])
    op.create_index("ix_outbox_clinic_state_next_at", "outbox", ["clinic", "state", "next_at"])
    op.create_index("ix_outbox_clinic_topic_state", "outbox", ["clinic", "topic", "state"])
    op.create_table(
        "patient",
        _text("clinic"),
        _text("patient"),
        _text("host"),
        _number("first_at"),
        _number("last_at"),
        _text("merged_into", nullable=True),
        _text("hold_why", nullable=True),
        _text("hold_by", nullable=True),
        _number("hold_at", nullable=True),
        sa.PrimaryKeyConstraint("clinic", "patient", name="pk_patient"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_patient_clinic"),
    )
    op.create_index("ix_patient_clinic_last_at", "patient", ["clinic", "last_at"])
    op.create_index("ix_patient_clinic_merged_into", "patient", ["clinic", "merged_into"])
    op.create_table(
        "record",
        _text("clinic"),
        _text("kind"),
        _text("id"),
        _number("revision"),
        _text("patient", nullable=True),
        _text("subject", nullable=True),
        _number("at"),
        _number("recorded_at"),
        _text("recorded_by"),
        _text("digest"),
        _text("state"),
        _bytes("document"),
        _text("sealed"),
        sa.PrimaryKeyConstraint("clinic", "kind", "id", "revision", name="pk_record"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_record_clinic"),
    )
    op.create_index("ix_record_clinic_kind_state_at", "record", ["clinic", "kind", "state", "at"])
    op.create_index("ix_record_clinic_patient_kind_at", "record", ["clinic", "patient", "kind", "at"])
    op.create_index("ix_record_clinic_subject_kind", "record", ["clinic", "subject", "kind"])
    op.create_table(
        "step",
        _text("clinic"),
        _text("key"),
        _text("plan"),
        _text("treatment"),
        _text("patient"),
        _text("step"),
        _text("state"),
        _number("due"),
        _number("earliest", nullable=True),
        _number("latest", nullable=True),
        _number("moved_at"),
        _number("watch_until", nullable=True),
        sa.PrimaryKeyConstraint("clinic", "key", name="pk_step"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_step_clinic"),
    )
    op.create_index("ix_step_clinic_patient", "step", ["clinic", "patient"])
    op.create_index("ix_step_clinic_plan", "step", ["clinic", "plan"])
    op.create_index("ix_step_clinic_state_due", "step", ["clinic", "state", "due"])
    op.create_index("ix_step_clinic_state_earliest", "step", ["clinic", "state", "earliest"])
    op.create_index("ix_step_clinic_state_latest", "step", ["clinic", "state", "latest"])
    op.create_index("ix_step_clinic_watch_until", "step", ["clinic", "watch_until"])
    op.create_index("ix_step_clinic_treatment", "step", ["clinic", "treatment"])
    op.create_table(
        "tombstone",
        _text("clinic"),
        _bytes("patient_hash"),
        _number("at"),
        _text("by"),
        _text("reason"),
        _bytes("document"),
        sa.PrimaryKeyConstraint("clinic", "patient_hash", name="pk_tombstone"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_tombstone_clinic"),
    )
    op.create_table(
        "pin",
        _text("clinic"),
        _text("kind"),
        _text("id"),
        _number("revision"),
        _text("content"),
        _text("version"),
        _text("digest"),
        sa.PrimaryKeyConstraint("clinic", "kind", "id", "revision", "content", "version", name="pk_pin"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_pin_clinic"),
        sa.ForeignKeyConstraint(
            ["clinic", "kind", "id", "revision"],
            ["record.clinic", "record.kind", "record.id", "record.revision"],
            name="fk_pin_record",
        ),
    )
    op.create_index("ix_pin_clinic_content_version", "pin", ["clinic", "content", "version"])
    op.create_table(
        "step_move",
        _text("clinic"),
        _text("key"),
        _number("seq"),
        _text("record"),
        sa.PrimaryKeyConstraint("clinic", "key", "seq", name="pk_step_move"),
        sa.ForeignKeyConstraint(["clinic"], ["clinic.clinic"], name="fk_step_move_clinic"),
        sa.ForeignKeyConstraint(["clinic", "key"], ["step.clinic", "step.key"], name="fk_step_move_step"),
    )
    op.create_index("ix_step_move_clinic_record", "step_move", ["clinic", "record"])
    protect(
        "clinic",
        "audit",
        "content",
        "content_event",
        "content_head",
        "idempotency",
        "lot",
        "lot_use",
        "lot_variant",
        "outbox",
        "patient",
        "record",
        "step",
        "tombstone",
        "pin",
        "step_move",
    )
