"""Motion of one face as arrays. Letters: T frames at `space.fps`, m mouth numbers, r rest numbers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors.numpy import load, save

from schemas.errors import ArtifactCorrupt, RequestError
from schemas.motion import MotionSpace


@dataclass(frozen=True)
class Motion:
    """What a face does, frame by frame, in one motion space (not z-scored).

    Attributes:
        space: The coordinates.
        mouth: [T, m] float32.
        rest: [T, r] float32; r = 0 where only the mouth was generated.
        visible: [T] float32, 0 (mouth not seen) to 1.
    """

    space: MotionSpace
    mouth: np.ndarray
    rest: np.ndarray
    visible: np.ndarray

    def z_scored(self) -> tuple[np.ndarray, np.ndarray]:
        """Mouth [T, m] and rest [T, r] in units of the space's mean and standard deviation: what networks work on."""
        mean, std = _statistics(self.space)
        split = len(self.space.mouth_dims)
        kept = slice(split, split + self.rest.shape[1])
        return (self.mouth - mean[:split]) / std[:split], (self.rest - mean[kept]) / std[kept]

    @classmethod
    def of_mouth(cls, space: MotionSpace, z_scored: np.ndarray) -> "Motion":
        """A generated mouth [T, m], in z-scores, as motion without a rest."""
        frames = len(z_scored)
        return cls.of_z_scores(space, z_scored, np.zeros((frames, 0), np.float32), np.ones(frames, np.float32))

    @classmethod
    def of_z_scores(cls, space: MotionSpace, mouth: np.ndarray, rest: np.ndarray, visible: np.ndarray) -> "Motion":
        """A whole motion: mouth [T, m] and rest [T, r], in z-scores, and where the mouth is seen [T]."""
        mean, std = _statistics(space)
        split = len(space.mouth_dims)
        kept = slice(split, split + rest.shape[1])
        return cls(
            space,
            (mouth * std[:split] + mean[:split]).astype(np.float32),
            (rest * std[kept] + mean[kept]).astype(np.float32),
            visible.astype(np.float32),
        )

    def to_bytes(self) -> bytes:
        """Safetensors bytes that `from_bytes` reads back exactly."""
        arrays = {"mouth": self.mouth, "rest": self.rest, "visible": self.visible}
        contiguous = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in arrays.items()}
        return save(contiguous, metadata={"space": self.space.model_dump_json()})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Motion":
        """Raises: ArtifactCorrupt, where the bytes are not a Motion."""
        try:
            header_bytes = int.from_bytes(data[:8], "little")
            space = MotionSpace.model_validate_json(_metadata(data[8 : 8 + header_bytes])["space"])
            arrays = load(data)
            return cls(space, arrays["mouth"], arrays["rest"], arrays["visible"])
        except (KeyError, ValueError) as error:
            raise ArtifactCorrupt(f"these bytes are not a stored motion: {error}") from error


def read_space(path: Path) -> MotionSpace:
    """A motion space that was written as JSON. Raises: RequestError, where the file is none."""
    try:
        return MotionSpace.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        first = " ".join(str(error).split())[:120]
        raise RequestError(f"{path} describes no motion space ({first}): see docs/training.md") from error


def _statistics(space: MotionSpace) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(space.mean, np.float32), np.asarray(space.std, np.float32)


def _metadata(header: bytes) -> dict[str, str]:
    return json.loads(header)["__metadata__"]
