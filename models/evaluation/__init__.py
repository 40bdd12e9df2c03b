"""How good a dub came out."""
