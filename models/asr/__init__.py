"""What is said, in which language, with the time of each word."""
