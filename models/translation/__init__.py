"""Text from one language into another, line by line."""
