"""What Alembic runs: on the connection, and inside the transaction, that `storage.migrating` hands in."""

from __future__ import annotations

from alembic import context

from pore_plugin.storage.revisions import TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=TABLE,
    # SQLite cannot change most of a table in place: Alembic makes it anew.
    render_as_batch=True,
    # Alembic would commit on SQLite after every statement; both databases undo changes of tables, and are asked to.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
