"""The networks at work: where they run, in which precision, and how many pictures at once.

Letters: b pictures.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.liveportrait.pictures import as_input, as_pictures
from models.liveportrait.pose import FaceMotion, face_motion
from models.liveportrait.retargeting import stitched
from models.liveportrait.weights import LivePortrait

BATCH = 8
"""Pictures at once on a GPU. On a CPU eight take as long as eight times one, and three times the memory."""
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Seen:
    """What the networks know of some pictures: how they look, and what the faces do."""

    volume: Float[Tensor, "b 32 16 64 64"]
    motion: FaceMotion


class Runner:
    """LivePortrait's networks on one device."""

    def __init__(self, networks: LivePortrait, device: torch.device, dtype: torch.dtype = torch.float32) -> None:
        """Move the networks there.

        Args:
            dtype: Of appearance, warping and decoder; the keypoints stay float32, as upstream keeps them.
        """
        self.device, self.dtype = device, dtype
        self.batch = BATCH if device.type == "cuda" else 1
        self._motion = networks.motion.to(device)
        self._appearance = _placed(networks.appearance, device, dtype)
        self._warping = _placed(networks.warping, device, dtype)
        self._decoder = _placed(networks.decoder, device, dtype)
        self._stitching = networks.corrections.stitching.to(device)

    @torch.inference_mode()
    def motion(self, crops: np.ndarray) -> FaceMotion:
        """What the faces in crops [b, 256, 256, 3] uint8 do."""
        return face_motion(self._motion(as_input(crops, self.device)))

    @torch.inference_mode()
    def see(self, crops: np.ndarray) -> Seen:
        """Look at crops [b, 256, 256, 3] uint8."""
        pictures = as_input(crops, self.device)
        return Seen(self._appearance(pictures.to(self.dtype)), face_motion(self._motion(pictures)))

    @torch.inference_mode()
    def draw(self, seen: Seen, wanted: FaceMotion) -> np.ndarray:
        """Pictures [b, 512, 512, 3] uint8 of faces that were seen, doing something else; their seams are stitched."""
        source = seen.motion.keypoints
        driving = stitched(self._stitching, source, wanted.keypoints)
        features = self._warping(seen.volume, source.to(self.dtype), driving.to(self.dtype))
        return as_pictures(self._decoder(features))


def _placed(network: Network, device: torch.device, dtype: torch.dtype) -> Network:
    return network.to(device=device, dtype=dtype)


def with_mouth(motion: FaceMotion, mouth: Float[Tensor, "b m"], rows: Sequence[int]) -> FaceMotion:
    """The same with some keypoints' expression written over: `mouth` holds x, y, z of each of `rows`."""
    expression = motion.expression.clone()
    expression[:, list(rows)] = mouth.to(expression).unflatten(1, (len(rows), 3))
    return replace(motion, expression=expression)


def batches(count: int, size: int) -> Iterator[slice]:
    """Cut a count into slices."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))
