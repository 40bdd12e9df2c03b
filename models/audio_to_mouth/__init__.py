"""Mouth motion from speech: a small convolutional regressor from mel frames to the facemesh mouth vector."""
