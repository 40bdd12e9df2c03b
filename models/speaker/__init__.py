"""Who a voice sounds like: speaker embeddings and pitch."""
