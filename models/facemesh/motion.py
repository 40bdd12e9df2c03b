"""From a video's own frame times to the space's 25 frames a second, and back."""

from dataclasses import dataclass

import numpy as np

from models.facemesh.space import FPS, encode, space
from models.facemesh.tracks import TrackData
from models.motion import Motion


@dataclass(frozen=True)
class TrackMotion:
    """A track's motion on the 25 fps grid; its first frame lies at `start_s` of the source's time line."""

    start_s: float
    motion: Motion

    @property
    def end_s(self) -> float:
        """When the last frame ends."""
        return self.start_s + len(self.motion.mouth) / FPS

    def times_s(self) -> np.ndarray:
        """[T] seconds of the frames."""
        return self.start_s + np.arange(len(self.motion.mouth)) / FPS


def track_motion(data: TrackData, frame_times_s: np.ndarray) -> TrackMotion:
    """Encode a track and resample it linearly from its frames' own times to 25 fps.

    A 25 fps track comes back as it was, frame for frame.
    """
    own_s = frame_times_s[data.frames]
    encoded = encode(data.landmarks)
    start_s = float(own_s[0])
    count = int(np.floor((own_s[-1] - start_s) * FPS + 1e-3)) + 1
    grid_s = start_s + np.arange(count) / FPS
    mouth, rest = (resample(array, own_s, grid_s) for array in (encoded.mouth, encoded.rest))
    visible = resample(data.visible[:, None], own_s, grid_s)[:, 0]
    return TrackMotion(start_s, Motion(space(), mouth, rest, visible))


def sample_mouth(motion_mouth: np.ndarray, start_s: float, times_s: np.ndarray) -> np.ndarray:
    """Read a 25 fps mouth [T, m] that starts at `start_s` at any times [k]; beyond its ends it is held."""
    return resample(motion_mouth, start_s + np.arange(len(motion_mouth)) / FPS, times_s)


def resample(values: np.ndarray, from_s: np.ndarray, to_s: np.ndarray) -> np.ndarray:
    """Interpolate [k, d] linearly from increasing times [k] to any times [j]: [j, d] float32."""
    if not values.shape[1]:
        return np.zeros((len(to_s), 0), dtype=np.float32)
    columns = [np.interp(to_s, from_s, column) for column in values.T.astype(np.float64)]
    return np.column_stack(columns).astype(np.float32)
