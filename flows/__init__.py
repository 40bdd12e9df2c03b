"""Sentences made of task names, and the command line."""
