"""The loop around any training: steps, checkpoints, metrics, display. It knows nothing of what is trained."""
