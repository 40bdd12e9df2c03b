"""When phones are said: how long they naturally are, and where a mouth says them."""
