"""The engine `cascade`: a text-to-speech voice fitted to the original line, then the mouth that belongs to it."""
