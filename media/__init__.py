"""ffmpeg and signal code on plain files and arrays. Knows neither weights, Prefect nor SQL."""
