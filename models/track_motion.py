"""What tracked faces do, on the motion's own clock of 25 frames a second. Letters: k frames of a video, t of motion."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.motion import Motion
from schemas.errors import ArtifactCorrupt
from schemas.motion import MotionSpace

_ARRAYS = ("mouth", "rest", "visible", "start_s")


@dataclass(frozen=True)
class TrackMotion:
    """A track's motion on the grid of its space; its first frame lies at `start_s` of the source's time line."""

    start_s: float
    motion: Motion

    @property
    def end_s(self) -> float:
        """When the last frame ends."""
        return self.start_s + len(self.motion.mouth) / self.motion.space.fps

    def times_s(self) -> np.ndarray:
        """[t] seconds of the frames."""
        return self.start_s + np.arange(len(self.motion.mouth)) / self.motion.space.fps


def on_grid(
    space: MotionSpace,
    own_s: np.ndarray,
    mouth: np.ndarray,
    rest: np.ndarray,
    visible: np.ndarray,
    *,
    start_s: float | None = None,
) -> TrackMotion:
    """Resample linearly from a track's own times [k] to its space's rate; at that rate it comes back as it was.

    `start_s`: of the grid; None: the track's own first time.
    """
    start_s = float(own_s[0]) if start_s is None else start_s
    count = int(np.floor((own_s[-1] - start_s) * space.fps + 1e-3)) + 1
    grid_s = start_s + np.arange(count) / space.fps
    arrays = (resample(array, own_s, grid_s) for array in (mouth, rest, visible[:, None]))
    mouth, rest, seen = arrays
    return TrackMotion(start_s, Motion(space, mouth, rest, seen[:, 0]))


def sample_mouth(mouth: np.ndarray, start_s: float, times_s: np.ndarray, fps: float) -> np.ndarray:
    """Read a mouth [t, m] that starts at `start_s` at any times [k]; beyond its ends it is held."""
    return resample(mouth, start_s + np.arange(len(mouth)) / fps, times_s)


def resample(values: np.ndarray, from_s: np.ndarray, to_s: np.ndarray) -> np.ndarray:
    """Interpolate [k, d] linearly from increasing times [k] to any times [j]: [j, d] float32."""
    if not values.shape[1]:
        return np.zeros((len(to_s), 0), dtype=np.float32)
    columns = [np.interp(to_s, from_s, column) for column in values.T.astype(np.float64)]
    return np.column_stack(columns).astype(np.float32)


def to_bytes(space: MotionSpace, tracks: Mapping[str, TrackMotion]) -> bytes:
    """All tracks of a video as safetensors, which `from_bytes` reads back exactly."""
    arrays = {}
    for name, track in tracks.items():
        parts = (track.motion.mouth, track.motion.rest, track.motion.visible, np.array([track.start_s]))
        for part, array in zip(_ARRAYS, parts, strict=True):
            arrays[f"{name}/{part}"] = np.ascontiguousarray(array)
    return save(arrays, metadata={"space": space.model_dump_json()})


def from_bytes(data: bytes) -> dict[str, TrackMotion]:
    """Raises: ArtifactCorrupt, where the bytes are not stored motions."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        space = MotionSpace.model_validate_json(header["__metadata__"]["space"])
        arrays = load(data)
        names = sorted({key.rsplit("/", 1)[0] for key in arrays})
        parts = {name: [arrays[f"{name}/{part}"] for part in _ARRAYS] for name in names}
    except (SafetensorError, KeyError, ValueError) as error:
        raise ArtifactCorrupt(f"these bytes are not the motions of a video's faces: {error}") from error
    return {
        name: TrackMotion(float(start_s[0]), Motion(space, mouth, rest, visible))
        for name, (mouth, rest, visible, start_s) in parts.items()
    }
