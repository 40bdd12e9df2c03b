"""JAM-Flow: speech and facial motion generated jointly by flow matching (arXiv:2506.23552)."""
