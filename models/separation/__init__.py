"""Dialogue apart from music and effects."""
