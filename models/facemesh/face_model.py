"""The packaged face mesh as a face model: landmarks are the motion, and pictures are warped."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from models.face_model import Film, RenderedLine, Shown
from models.facemesh.motion import track_motion
from models.facemesh.render import render_line
from models.facemesh.retarget import resting_mouth, retarget
from models.facemesh.space import MOUTH_DIMS, encode, space
from models.facemesh.still import animate_still
from models.facemesh.tracks import TrackData
from models.motion import Motion
from models.track_motion import TrackMotion, sample_mouth
from schemas.motion import MotionSpace
from schemas.progress import Advance


class FaceMeshModel:
    """Faces in the `facemesh` space."""

    @property
    def space(self) -> MotionSpace:
        return space()

    def track_motions(
        self, film: Film, tracks: Mapping[str, TrackData], on_progress: Advance | None = None
    ) -> dict[str, TrackMotion]:
        """The landmarks say it all: no picture is read."""
        del on_progress
        return {name: track_motion(track, film.frame_times_s) for name, track in tracks.items()}

    def render_line(
        self,
        film: Film,
        track: TrackData,
        shown: Shown,
        wanted_frames: np.ndarray,
        *,
        patch_path: Path,
        on_progress: Advance | None = None,
    ) -> RenderedLine:
        """The mouth is laid onto the face's own resting mouth, and drawn with the film's own lips and teeth."""
        motion = shown.motion
        resting = resting_mouth(motion.mouth, motion.visible) if shown.resting is None else shown.resting
        asked = retarget(motion.mouth, resting, track_motion(track, film.frame_times_s))
        times_s = film.frame_times_s[wanted_frames]
        return render_line(
            film.path,
            film.info,
            track,
            film.frame_times_s,
            sample_mouth(asked, shown.start_s, times_s, motion.space.fps),
            wanted_frames,
            patch_path=patch_path,
            on_progress=on_progress,
        )

    def portrait_motion(self, rgb: np.ndarray, landmarks: np.ndarray, frames: int) -> Motion:
        del rgb
        rest = np.repeat(encode(landmarks[None]).rest, frames, axis=0)
        return Motion(space(), np.zeros((frames, len(MOUTH_DIMS)), np.float32), rest, np.ones(frames, np.float32))

    def animate(self, rgb: np.ndarray, landmarks: np.ndarray, motion: Motion) -> Iterator[np.ndarray]:
        asked = motion.mouth.copy()
        asked[0] = resting_mouth(motion.mouth, motion.visible)  # movement counts from the first frame
        return animate_still(rgb, landmarks, asked)
