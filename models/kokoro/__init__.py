"""Kokoro-82M text to speech: espeak-ng phonemes, five packaged voices and their blends, 24 kHz, on CPU."""
