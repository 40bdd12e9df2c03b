"""Where weights come from: which are known, how they are found and verified, and what their licence allows."""
