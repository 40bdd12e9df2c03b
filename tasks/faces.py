"""Find the faces, and which of them speaks each line."""

import numpy as np

from media.audio_io import resample, to_mono
from media.frames import read_upright
from models.facemesh.bind import bind_lines
from models.facemesh.motion import track_motion
from models.facemesh.tracker import summarise, track_faces
from models.facemesh.tracks import TrackArrays
from schemas.artifact import ArtifactRef
from schemas.media import MediaInfo
from schemas.motion import Faces, LineFaces
from schemas.progress import report
from schemas.speech import Line
from tasks.stage import stage_task
from tasks.workplace import SAFETENSORS, open_workplace

MOTION_RATE_HZ = 25
ENVELOPE_RATE_HZ = 16_000


@stage_task("faces", version=1, weights=("mediapipe-face-detection", "mediapipe-face-mesh", "facemesh-basis"))
def find_faces(video: ArtifactRef, info: MediaInfo) -> Faces:
    """Follow every face through every shot, in one pass over the picture."""
    place = open_workplace()
    assert info.video is not None, "ingest refuses files without a picture"
    expected = round(info.duration_s * info.video.frame_rate_hz)
    shots, arrays = track_faces(
        read_upright(place.store.local_path(video), info),
        on_progress=lambda done, total: report("faces", done, total, "frames"),
        total_frames=expected,
    )
    return summarise(shots, arrays, place.store.put_bytes(arrays.to_bytes(), SAFETENSORS))


@stage_task("bind", version=1, weights=("facemesh-basis",))
def bind_faces(lines: tuple[Line, ...], faces: Faces, dialogue: ArtifactRef) -> tuple[LineFaces, ...]:
    """Say for each line which face speaks it; off-screen lines get none."""
    place = open_workplace()
    arrays = TrackArrays.from_bytes(place.store.get_bytes(faces.tracks_ref))
    motions = {name: track_motion(track, arrays.frame_times_s) for name, track in arrays.tracks.items()}
    return bind_lines(lines, faces, motions, _envelope(*place.samples(dialogue)))


def _envelope(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """RMS of the dialogue, one value for each motion frame."""
    mono = resample(to_mono(samples), sample_rate_hz, ENVELOPE_RATE_HZ)
    hop = ENVELOPE_RATE_HZ // MOTION_RATE_HZ
    frames = mono[: len(mono) // hop * hop].reshape(-1, hop)
    return np.sqrt(np.mean(np.square(frames), axis=1))
