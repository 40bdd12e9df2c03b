"""Real faces: found, followed, bound to their lines, drawn anew, and found again with the opening asked for."""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import pytest

from media.frames import UprightFrame, read_upright
from media.planes import read_patch_video, read_planes
from media.probe import probe
from media.tools import find_tools
from models.facemesh.bind import bind_lines
from models.facemesh.measure import aperture_agreement
from models.facemesh.motion import track_motion
from models.facemesh.render import render_line
from models.facemesh.sheet import contact_sheet, face_crop
from models.facemesh.space import encode
from models.facemesh.still import animate_still, landmarks_of_picture
from models.facemesh.tracker import summarise, track_faces
from models.facemesh.tracks import TrackArrays
from schemas.artifact import ArtifactRef
from schemas.media import MediaInfo, TimeSpan
from schemas.motion import Faces
from schemas.speech import Line

REF = ArtifactRef(sha256="0" * 64, media_type="application/octet-stream", size_bytes=0)
NEUTRAL = np.array([0.0, 0.85, 0.25, -0.38, *np.zeros(8)], dtype=np.float32)


@dataclass(frozen=True)
class Tracked:
    path: Path
    info: MediaInfo
    arrays: TrackArrays
    faces: Faces


def track(path: Path, seconds: float = 60) -> Tracked:
    info = probe(path, find_tools())
    frames = takewhile(lambda frame: frame.time_s < seconds, read_upright(path, info))
    shots, arrays = track_faces(frames)
    return Tracked(path, info, arrays, summarise(shots, arrays, REF))


def speaking(frames: int) -> np.ndarray:
    """A mouth that opens and closes twice a second."""
    mouth = np.tile(NEUTRAL, (frames, 1))
    mouth[:, 0] += 0.06 * (1 - np.cos(2 * np.pi * 2 * np.arange(frames) / 25)).astype(np.float32)
    return mouth


def upper_face_rows(landmarks: np.ndarray) -> int:
    """Rows down to the middle of the nose."""
    return int((landmarks[168, 1] + landmarks[2, 1]) / 2)


@pytest.fixture(scope="module")
def two_people(shared_dir: Path) -> Tracked:
    return track(shared_dir / "media" / "video" / "mspk_side_by_side_2.mp4")


@pytest.mark.shared
def test_two_people_are_followed_through_the_whole_shot(two_people: Tracked) -> None:
    assert len(two_people.faces.shots) == 1 and len(two_people.faces.tracks) == 2
    assert all(face.frames == 150 and face.visible_share == 1 for face in two_people.faces.tracks)
    centres = [data.landmarks[:, :, 0].mean(1) for data in two_people.arrays.tracks.values()]
    assert all(np.ptp(centre) < 40 for centre in centres), "no track jumps to the other face"
    assert abs(centres[0].mean() - centres[1].mean()) > 300


@pytest.mark.shared
def test_the_one_who_talks_is_bound(two_people: Tracked) -> None:
    spans = {"left": (0.96, 2.50), "right": (3.64, 5.34)}
    lines = [
        Line(id=name, speaker=name, span=TimeSpan(start_s=start_s, end_s=end_s), source_text="bin blue")
        for name, (start_s, end_s) in spans.items()
    ]
    arrays = two_people.arrays
    motions = {name: track_motion(data, arrays.frame_times_s) for name, data in arrays.tracks.items()}
    for bound in bind_lines(lines, two_people.faces, motions, None):
        (name,) = bound.track_ids
        is_left = arrays.tracks[name].landmarks[:, :, 0].mean() < 360
        assert is_left == (bound.line_id == "left")


@pytest.mark.shared
def test_a_drawn_mouth_does_what_was_asked_and_nothing_else_changes(two_people: Tracked, tmp_path: Path) -> None:
    arrays, info = two_people.arrays, two_people.info
    data = next(iter(arrays.tracks.values()))
    wanted = data.frames[20:70]
    own = encode(data.landmarks).mouth[20:70]
    asked = own + speaking(50) - NEUTRAL
    asked[:, 0] = speaking(50)[:, 0]
    patch_path = tmp_path / "it's a patch.mkv"
    steps: list[tuple[int, int]] = []
    line = render_line(
        two_people.path,
        info,
        data,
        arrays.frame_times_s,
        asked,
        wanted,
        patch_path=patch_path,
        on_progress=lambda done, total: steps.append((done, total)),
    )
    assert line.frames == tuple(wanted) and line.skipped == 0 and steps[-1] == (50, 50)
    assert not (line.x | line.y | line.width | line.height) % 2
    jaw = data.landmarks[20:70, :, :2]
    assert line.x < jaw[:, :, 0].max() and line.x + line.width > jaw[:, :, 0].min()
    found = []
    shown = zip(read_planes(two_people.path, info, line.frames), read_patch_video(patch_path), strict=True)
    for index, (frame, patch) in enumerate(shown):
        y = frame.planes[0]
        window = y[line.y : line.y + line.height, line.x : line.x + line.width]
        still = upper_face_rows(data.landmarks[20 + index]) - line.y
        assert np.array_equal(patch[0][: max(0, still)], window[: max(0, still)]), "above the mouth no bit changes"
        assert np.array_equal(patch[0][:, [0, -1]], window[:, [0, -1]]), "nor at the border"
        window[...] = patch[0]
        grey = cv2.cvtColor(y[:, :360] if line.x < 360 else y[:, 360:], cv2.COLOR_GRAY2RGB)
        found.append(UprightFrame(index, index / 25, np.ascontiguousarray(grey), 1.0))
    _, again = track_faces(found)
    (detected,) = again.tracks.values()
    r, mae = aperture_agreement(np.array(line.aperture), encode(detected.landmarks).mouth[:, 0])
    assert r > 0.9 and mae < 0.03


@pytest.mark.shared
def test_frames_without_the_face_are_left_alone(two_people: Tracked, tmp_path: Path) -> None:
    arrays = two_people.arrays
    data = next(iter(arrays.tracks.values()))
    hidden = type(data)(data.frames, data.landmarks, np.zeros_like(data.visible))
    line = render_line(
        two_people.path,
        two_people.info,
        hidden,
        arrays.frame_times_s,
        speaking(20),
        data.frames[:20],
        patch_path=tmp_path / "none.mkv",
    )
    assert line.frames == () and line.skipped == 20 and not (tmp_path / "none.mkv").exists()


@pytest.mark.shared
def test_cuts_end_tracks(shared_dir: Path) -> None:
    tracked = track(shared_dir / "media" / "video" / "mspk_cuts_3.mp4", seconds=10)
    starts = [round(shot.start_s, 2) for shot in tracked.faces.shots]
    assert starts == pytest.approx([0, 5.24, 8.72], abs=0.05)
    assert sorted(face.shot for face in tracked.faces.tracks) == [0, 1, 2]


@pytest.mark.shared
def test_a_small_face_in_a_tall_picture_is_found(shared_dir: Path) -> None:
    tracked = track(shared_dir / "media" / "video" / "latentsync_demo3_en.mp4", seconds=1)
    (face,) = tracked.faces.tracks
    assert face.frames == len(tracked.arrays.frame_times_s) and face.visible_share == 1
    (data,) = tracked.arrays.tracks.values()
    assert data.landmarks[:, :, 1].max() < 1920 and face.median_face_px > 100


@pytest.mark.shared
def test_a_silent_face_does_not_speak(shared_dir: Path) -> None:
    tracked = track(shared_dir / "media" / "video" / "liveportrait_s32_silent.mp4", seconds=2)
    motions = {name: track_motion(data, tracked.arrays.frame_times_s) for name, data in tracked.arrays.tracks.items()}
    line = Line(id="1", speaker="A", span=TimeSpan(start_s=0, end_s=2), source_text="a voice from elsewhere")
    assert motions and bind_lines([line], tracked.faces, motions, None)[0].track_ids == ()


def test_a_picture_without_a_face_has_no_tracks() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3)).astype(np.uint8)
    shots, arrays = track_faces(UprightFrame(i, i / 25, noise, 1.0) for i in range(3))
    faces = summarise(shots, arrays, REF)
    assert not arrays.tracks and len(shots) == 1 and len(arrays.frame_times_s) == 3
    assert "no face" in faces.warnings[0]
    assert landmarks_of_picture(noise) is None


def test_a_portrait_speaks() -> None:
    portrait = pytest.importorskip("skimage.data").astronaut()
    landmarks = landmarks_of_picture(portrait)
    assert landmarks is not None
    frames = list(animate_still(portrait, landmarks, speaking(14)))
    assert len(frames) == 14 and frames[0].shape == portrait.shape
    still = upper_face_rows(landmarks)
    assert all(np.array_equal(frame[:still], portrait[:still]) for frame in frames)
    _, arrays = track_faces(UprightFrame(i, i / 25, frame, 1.0) for i, frame in enumerate(frames))
    (data,) = arrays.tracks.values()
    r, _ = aperture_agreement(speaking(14)[:, 0], encode(data.landmarks).mouth[:, 0])
    assert r > 0.9
    crops = [face_crop(frame, landmarks) for frame in frames]
    sheet = cv2.imdecode(np.frombuffer(contact_sheet(crops[:7], crops[7:], columns=4), np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (2 * (2 * 192 + 4), 4 * (192 + 4), 3)
