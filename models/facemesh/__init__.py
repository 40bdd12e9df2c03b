"""The `facemesh` family: faces tracked, moved and re-rendered on a CPU. Importing it loads no network."""
