"""One picture brought to speech, its appearance looked at once, its pose held. Letters: t frames, m mouth numbers."""

from collections.abc import Generator, Sequence

import numpy as np
import torch

from models.liveportrait.crop import looked_at, mask_in_frame, mesh_to_crop, pasted, soft_mask
from models.liveportrait.runner import Runner, Seen, batches, with_mouth


def animate(
    runner: Runner, rgb: np.ndarray, landmarks: np.ndarray, mouth: np.ndarray, rows: Sequence[int]
) -> Generator[np.ndarray]:
    """Draw a picture [h, w, 3] uint8 with each mouth of [t, m]: t pictures of the same size.

    The movement of `mouth`, as from its first frame, is laid onto the face's own expression (LivePortrait's relative
    driving): whoever the mouth was learned from, the first frame is the picture's own.

    Args:
        landmarks: [478, 3] pixels of the picture.
        rows: The keypoints whose expression `mouth` holds.
    """
    matrix = mesh_to_crop(landmarks)
    back = np.linalg.inv(matrix)
    seen = runner.see(looked_at(rgb, matrix)[None])
    own = seen.motion.expression[:, list(rows)].flatten(1)
    wanted = own + torch.from_numpy(mouth - mouth[:1]).to(own)
    mask = mask_in_frame(soft_mask(), back, rgb.shape[1], rgb.shape[0])
    for part in batches(len(mouth), runner.batch):
        held = repeated(seen, part.stop - part.start)
        for made in runner.draw(held, with_mouth(held.motion, wanted[part], rows)):
            yield pasted(rgb, made, mask, back)


def repeated(seen: Seen, frames: int) -> Seen:
    """One picture, held for some frames; nothing is copied."""
    return Seen(seen.volume.expand(frames, *seen.volume.shape[1:]), seen.motion.repeated(frames))
