"""The lines of a dialogue: words to lines, scripts to lines, and how long a line may take."""
