"""The object store and the catalogue: the only code that knows SQL and the layout of stored bytes."""
