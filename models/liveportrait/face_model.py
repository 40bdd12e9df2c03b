"""LivePortrait as a face model: its keypoints are the motion, and pictures are drawn by its networks.

Letters: k frames of a track, m mouth numbers.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from media.decoder import video_of
from media.planes import working_pixel_format, write_patch_video
from models.face_model import Film, RenderedLine, Shown
from models.facemesh.plan import drawable
from models.facemesh.retarget import fade_shares
from models.facemesh.tracks import TrackData
from models.liveportrait.ahead import ahead
from models.liveportrait.crop import looked_at, mesh_to_crop
from models.liveportrait.film import Asked, FilmArtist, poses, region_of
from models.liveportrait.portrait import animate
from models.liveportrait.reading import track_expressions
from models.liveportrait.runner import Runner
from models.liveportrait.space import rows_of, split
from models.motion import Motion
from models.track_motion import TrackMotion, on_grid, sample_mouth
from schemas.motion import MotionSpace
from schemas.progress import Advance


class LivePortraitModel:
    """Faces in a `liveportrait` space."""

    def __init__(self, runner: Runner, space: MotionSpace) -> None:
        """Raises: RequestError, where the space is not one of LivePortrait's."""
        self._runner, self._space, self._rows = runner, space, rows_of(space)

    @property
    def space(self) -> MotionSpace:
        return self._space

    def track_motions(
        self, film: Film, tracks: Mapping[str, TrackData], on_progress: Advance | None = None
    ) -> dict[str, TrackMotion]:
        """A frame that does not decode is filled from its neighbours, and counts as not seen."""
        found = track_expressions(self._runner.motion, film, tracks, on_progress)
        return {name: self._on_grid(film, track, found[name]) for name, track in tracks.items() if len(track.frames)}

    def _on_grid(self, film: Film, track: TrackData, expression: np.ndarray) -> TrackMotion:
        is_there = np.isfinite(expression[:, 0, 0])
        times_s = film.frame_times_s[track.frames]
        mouth, rest = split(_filled(expression, is_there, times_s), self._rows)
        return on_grid(self._space, times_s, mouth, rest, np.where(is_there, track.visible, 0.0))

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
        """Each frame is drawn anew from itself, the mouth's keypoints replaced by those that were generated for it."""
        usable, rows = drawable(track, wanted_frames)
        numbers = wanted_frames[usable]
        if not len(numbers):
            return RenderedLine(0, 0, 0, 0, (), 0, len(wanted_frames), ())
        video = video_of(film.info, film.path)
        found = poses(track.landmarks[rows], video)
        region = region_of(found, video)
        times_s = film.frame_times_s[numbers]
        mouths = sample_mouth(shown.motion.mouth, shown.start_s, times_s, self._space.fps)
        asked = Asked(numbers.tolist(), found, mouths, fade_shares(numbers))
        drawn: list[int] = []

        def pictures() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            artist = FilmArtist(self._runner, film.path, film.info, self._rows)
            for number, planes in ahead(artist.draw(asked, region), self._runner.batch):
                drawn.append(number)
                yield planes
                if on_progress:
                    on_progress(len(drawn), len(numbers))

        write_patch_video(
            patch_path, pictures(), pixel_format=working_pixel_format(video), width=region.width, height=region.height
        )
        skipped = len(wanted_frames) - len(drawn)
        return RenderedLine(region.x, region.y, region.width, region.height, tuple(drawn), 0, skipped, ())

    def portrait_motion(self, rgb: np.ndarray, landmarks: np.ndarray, frames: int) -> Motion:
        crop = looked_at(rgb, mesh_to_crop(landmarks))
        expression = self._runner.motion(crop[None]).expression.cpu().numpy()
        mouth, rest = split(np.repeat(expression, frames, axis=0), self._rows)
        return Motion(self._space, np.zeros_like(mouth), rest, np.ones(frames, np.float32))

    def animate(self, rgb: np.ndarray, landmarks: np.ndarray, motion: Motion) -> Iterator[np.ndarray]:
        return ahead(animate(self._runner, rgb, landmarks, motion.mouth, self._rows), self._runner.batch)


def _filled(expression: np.ndarray, is_there: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Expressions [k, 21, 3] with those that are not there taken from their neighbours; zeros where none is."""
    if is_there.all():
        return expression
    if not is_there.any():
        return np.zeros_like(expression)
    columns = expression.reshape(len(expression), -1).T
    filled = [np.interp(times_s, times_s[is_there], column[is_there]) for column in columns]
    return np.stack(filled, axis=1).reshape(expression.shape)
