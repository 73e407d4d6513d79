"""Row-level security, for every migration that makes a table."""

from __future__ import annotations

from alembic import op

__all__ = ["protect"]


def protect(*tables: str) -> None:
    """Let a PostgreSQL transaction see and write only the rows of the clinic that it was begun for.

    Forced, because the role that uses the tables is the one that owns them. SQLite has nothing like it: there the
    queries alone name the clinic.
    """
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY one_clinic ON {table} USING (clinic = current_setting('pore.clinic', true))")
