"""Landmarks of every face of a video as arrays. Letters: N frames of the video, k frames of one track."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.facemesh.topology import POINTS
from schemas.errors import ArtifactCorrupt

_FIELDS = ("frames", "landmarks", "visible")


@dataclass(frozen=True)
class TrackData:
    """One face followed through one shot.

    Attributes:
        frames: [k] int32, source frame numbers, strictly increasing.
        landmarks: [k, 478, 3] float32, pixels of the full-size upright picture; z on the same scale.
        visible: [k] float32, how well the mouth is seen: 0 (not at all) to 1.
    """

    frames: np.ndarray
    landmarks: np.ndarray
    visible: np.ndarray


@dataclass(frozen=True)
class TrackArrays:
    """All tracks of a video, and the time of every frame ([N] float64 seconds)."""

    frame_times_s: np.ndarray
    tracks: Mapping[str, TrackData]

    def to_bytes(self) -> bytes:
        """Safetensors bytes that `from_bytes` reads back exactly."""
        arrays = {"frame_times_s": np.ascontiguousarray(self.frame_times_s, dtype=np.float64)}
        for name, data in self.tracks.items():
            arrays[f"{name}/frames"] = np.ascontiguousarray(data.frames, dtype=np.int32)
            arrays[f"{name}/landmarks"] = np.ascontiguousarray(data.landmarks, dtype=np.float32)
            arrays[f"{name}/visible"] = np.ascontiguousarray(data.visible, dtype=np.float32)
        return save(arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> "TrackArrays":
        """Raises: ArtifactCorrupt, where the bytes are not stored tracks."""
        try:
            arrays = load(data)
            times = arrays.pop("frame_times_s")
            names = sorted({key.rsplit("/", 1)[0] for key in arrays})
            tracks = {name: TrackData(*(arrays[f"{name}/{field}"] for field in _FIELDS)) for name in names}
        except (SafetensorError, KeyError, ValueError) as error:
            raise ArtifactCorrupt(f"these bytes are not stored face tracks: {error}") from error
        for name, track in tracks.items():
            _check(name, track, len(times))
        return cls(times, tracks)


def _check(name: str, track: TrackData, frames_in_video: int) -> None:
    k = len(track.frames)
    if track.landmarks.shape != (k, POINTS, 3) or track.visible.shape != (k,):
        raise ArtifactCorrupt(f"track {name}: {k} frames, but landmarks {track.landmarks.shape}: not stored by jamdub")
    if k and (track.frames[0] < 0 or track.frames[-1] >= frames_in_video or np.any(np.diff(track.frames) <= 0)):
        raise ArtifactCorrupt(f"track {name}: frame numbers are not increasing within the video's {frames_in_video}")
