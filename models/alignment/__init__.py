"""Finding when known classes occur: a network that rates frames, and exact searches over its ratings."""
