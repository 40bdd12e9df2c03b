"""Prefect tasks: references in, one pure call, references out."""
