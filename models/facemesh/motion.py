"""From a track's landmarks to the space's numbers at 25 frames a second."""

import numpy as np

from models.facemesh.space import encode, space
from models.facemesh.tracks import TrackData
from models.track_motion import TrackMotion, on_grid


def track_motion(data: TrackData, frame_times_s: np.ndarray) -> TrackMotion:
    """Encode a track and resample it linearly from its frames' own times to 25 fps.

    A 25 fps track comes back as it was, frame for frame.
    """
    encoded = encode(data.landmarks)
    return on_grid(space(), frame_times_s[data.frames], encoded.mouth, encoded.rest, data.visible)
