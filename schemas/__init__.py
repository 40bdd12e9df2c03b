"""Frozen values that travel between all other packages. Imports pydantic and the standard library only."""
