"""Run migrations on the connection that `storage.engine.migration_config` hands over.

Alembic executes this file; nobody imports it.
"""

from alembic import context

from storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,  # true on SQLite too, since the engine begins transactions itself
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
