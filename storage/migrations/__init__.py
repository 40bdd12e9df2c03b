"""Alembic migrations of the catalogue; `storage.engine.migrate` runs them."""
