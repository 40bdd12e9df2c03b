"""Faces of a whole video in one pass: shots, tracks, landmarks."""

from collections.abc import Iterable

import numpy as np

from media.frames import UprightFrame
from media.shots import ShotDetector
from models.facemesh.detector import FaceDetector, overlap
from models.facemesh.follower import Follower
from models.facemesh.landmarks import FaceMesh
from models.facemesh.tracks import TrackArrays, TrackData
from models.facemesh.visibility import mouth_visibility
from schemas.artifact import ArtifactRef
from schemas.media import TimeSpan
from schemas.motion import Faces, FaceTrack
from schemas.progress import Advance

_LOOK_EVERY_FRAMES = 12
_LOOK_CLOSELY_EVERY_FRAMES = 48
_SAME_FACE = 0.55
_SHORTEST_S = 0.4
_LEAST_CONFIRMED = 0.3


def track_faces(
    frames: Iterable[UprightFrame], *, max_faces: int = 4, on_progress: Advance | None = None, total_frames: int = 0
) -> tuple[tuple[TimeSpan, ...], TrackArrays]:
    """Find the shots of a video and follow every face through each of them.

    Args:
        frames: All frames in order, upright.
        max_faces: Largest number of faces followed at once; the largest are taken first.
        on_progress: Called with (frames done, total_frames).

    Returns:
        The shots, which cover the video without gaps, and the tracks, named `shot.face` in order of appearance.
    """
    search = _Search(max_faces)
    with_shots = ShotDetector()
    for frame in frames:
        is_cut = with_shots.push(frame.rgb, frame.time_s)
        search.step(frame, is_cut=is_cut)
        if on_progress:
            on_progress(len(search.times), total_frames)
    return search.finish()


class _Search:
    """The faces being followed, and those already finished."""

    def __init__(self, max_faces: int) -> None:
        self.times: dict[int, float] = {}
        self._max_faces = max_faces
        self._shot_starts: list[int] = []
        self._detector = FaceDetector()
        self._free: list[FaceMesh] = []
        self._active: list[Follower] = []
        self._done: list[Follower] = []
        self._size = (0.0, 0.0)

    def step(self, frame: UprightFrame, *, is_cut: bool) -> None:
        position = frame.index
        self.times[position] = frame.time_s
        if is_cut or not self._shot_starts:
            self._shot_starts.append(position)
            self._release(self._active)
        height, width = frame.rgb.shape[:2]
        self._size = (width * frame.scale, height * frame.scale)
        for follower in self._active:
            follower.step(position, frame.rgb, frame.scale)
        self._release([follower for follower in self._active if follower.is_lost])
        self._release(self._doubles())
        self._look(position, frame)

    def _look(self, position: int, frame: UprightFrame) -> None:
        since_cut = position - self._shot_starts[-1]
        if since_cut % _LOOK_EVERY_FRAMES and (self._active or since_cut % 3):
            return
        boxes = self._detector.find(frame.rgb, closely=since_cut % _LOOK_CLOSELY_EVERY_FRAMES == 0)
        for follower in self._active:
            follower.confirm(boxes)
        known = [follower.box for follower in self._active]
        fresh = [box for box in boxes if all(overlap(box, other) < _SAME_FACE for other in known)]
        fresh.sort(key=lambda box: box[0] - box[2])
        for box in fresh[: self._max_faces - len(self._active)]:
            self._start(box, position, frame)

    def _start(self, box: np.ndarray, position: int, frame: UprightFrame) -> None:
        mesh = self._free.pop() if self._free else FaceMesh()
        follower = Follower(mesh, len(self._shot_starts) - 1, box, looks=1, seen_by_detector=1)
        if follower.step(position, frame.rgb, frame.scale):
            self._active.append(follower)
        else:
            self._free.append(mesh)

    def _doubles(self) -> list[Follower]:
        """Followers that have slid onto a face that an older one follows."""
        return [
            later
            for i, later in enumerate(self._active)
            if any(overlap(later.box, earlier.box) > _SAME_FACE for earlier in self._active[:i])
        ]

    def _release(self, finished: list[Follower]) -> None:
        for follower in finished:
            self._free.append(follower.mesh)
            self._done.append(follower)
        self._active = [follower for follower in self._active if all(follower is not other for other in finished)]

    def finish(self) -> tuple[tuple[TimeSpan, ...], TrackArrays]:
        self._release(self._active)
        self._detector.close()
        for mesh in self._free:
            mesh.close()
        times = _all_times(self.times)
        tracks: dict[str, TrackData] = {}
        counts = [0] * len(self._shot_starts)
        for follower in sorted(self._done, key=lambda one: one.frames[0]):
            if _is_face(follower, times):
                tracks[f"{follower.shot}.{counts[follower.shot]}"] = fill_gaps(follower, self._size)
                counts[follower.shot] += 1
        return _spans(self._shot_starts, times), TrackArrays(times, tracks)


def fill_gaps(follower: Follower, size: tuple[float, float]) -> TrackData:
    """Interpolate the few frames in which the face was not found; the mouth counts as unseen there."""
    seen = np.array(follower.frames)
    landmarks = np.stack(follower.points)
    frames = np.arange(seen[0], seen[-1] + 1, dtype=np.int32)
    after = np.clip(np.searchsorted(seen, frames), 0, len(seen) - 1)
    before = np.maximum(np.where(seen[after] == frames, after, after - 1), 0)
    span = np.maximum(seen[after] - seen[before], 1)
    weight = ((frames - seen[before]) / span)[:, None, None]
    filled = ((1 - weight) * landmarks[before] + weight * landmarks[after]).astype(np.float32)
    visible = np.where(np.isin(frames, seen), mouth_visibility(filled, *size), 0).astype(np.float32)
    return TrackData(frames, filled, visible)


def _is_face(follower: Follower, times: np.ndarray) -> bool:
    first, last = follower.frames[0], follower.frames[-1]
    long_enough = times[last] - times[first] >= _SHORTEST_S or len(times) == last - first + 1
    return long_enough and follower.seen_by_detector >= _LEAST_CONFIRMED * follower.looks


def _spans(starts: list[int], times: np.ndarray) -> tuple[TimeSpan, ...]:
    if not len(times):
        return ()
    ends = [*(float(times[start]) for start in starts[1:]), float(times[-1]) + _frame_s(times)]
    return tuple(
        TimeSpan(start_s=max(0.0, float(times[start])), end_s=end) for start, end in zip(starts, ends, strict=True)
    )


def _all_times(times: dict[int, float]) -> np.ndarray:
    """[N] seconds; the times of frames that could not be decoded are interpolated."""
    numbers = sorted(times)
    every = np.arange(numbers[-1] + 1 if numbers else 0)
    return np.interp(every, numbers, [times[number] for number in numbers]) if numbers else np.zeros(0)


def _frame_s(times: np.ndarray) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.04


def summarise(shots: tuple[TimeSpan, ...], arrays: TrackArrays, ref: ArtifactRef) -> Faces:
    """Describe the tracks without their arrays; `ref` names the stored arrays."""
    frame_s = _frame_s(arrays.frame_times_s)
    tracks = tuple(_summary(name, data, arrays.frame_times_s, frame_s) for name, data in arrays.tracks.items())
    warnings = () if tracks else ("no face was found: the lips are kept as they are",)
    return Faces(shots=shots, tracks=tracks, tracks_ref=ref, warnings=warnings)


def _summary(name: str, data: TrackData, times: np.ndarray, frame_s: float) -> FaceTrack:
    heights = data.landmarks[:, :, 1].max(1) - data.landmarks[:, :, 1].min(1)
    start_s, end_s = float(times[data.frames[0]]), float(times[data.frames[-1]]) + frame_s
    return FaceTrack(
        id=name,
        shot=int(name.split(".")[0]),
        span=TimeSpan(start_s=max(0.0, start_s), end_s=end_s),
        frames=len(data.frames),
        visible_share=float(np.mean(data.visible > 0.5)),
        median_face_px=float(np.median(heights)),
    )
