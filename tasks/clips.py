"""Whole clips: a portrait's face, a portrait that speaks, a video with new lips or a new voice."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.audio_io import to_mono
from media.encode import encode_picture
from media.mux import AudioTrack, container_suffix, remux
from media.probe import choose_audio, probe
from media.speech_file import write_speech
from media.stills import read_picture, write_pictures
from models.facemesh.still import faces_of_picture, landmarks_of_picture
from models.motion import Motion
from schemas.artifact import ArtifactRef
from schemas.dub import Patch
from schemas.errors import MediaError
from schemas.media import AudioStream, MediaInfo
from schemas.motion import FaceModelRef, Faces
from schemas.progress import report
from tasks.face_models import open_face_model
from tasks.remux import SYNTHETIC_LIPS_NOTICE, SYNTHETIC_NOTICE
from tasks.stage import stage_task
from tasks.workplace import SAFETENSORS, Workplace, open_workplace

NO_LANGUAGE = "und"


@dataclass(frozen=True)
class Clip:
    """A media file that was opened; `sound` is None where it has none."""

    path: Path
    info: MediaInfo
    sound: AudioStream | None


def open_video(path: Path, place: Workplace) -> Clip:
    """Probe a video whose picture is needed. Raises: RequestError, MediaError."""
    clip = _opened(path, place)
    if clip.info.video is None:
        raise MediaError(f"{path}: there is no picture in this file; give a video with a face")
    return clip


def open_sound(path: Path, place: Workplace) -> tuple[Clip, AudioStream]:
    """Probe a file whose sound is needed, a recording or a video. Raises: RequestError, MediaError."""
    clip = _opened(path, place)
    if clip.sound is None:
        raise MediaError(f"{path}: there is no sound in this file; give a recording of speech")
    return clip, clip.sound


def _opened(path: Path, place: Workplace) -> Clip:
    info = probe(path, place.tools, place.settings)
    return Clip(path, info, choose_audio(info, path, None) if info.audio else None)


def check_faces(faces: Faces, name: str) -> None:
    """Raises: MediaError, where no face was found."""
    if not any(track.visible_share > 0 for track in faces.tracks):
        raise MediaError(f"{name}: no face is found in this video; give one in which a face is seen from the front")


def portrait_landmarks(path: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A picture [h, w, 3] and its face [478, 3]. Raises: RequestError, MediaError, where it is not one."""
    rgb = read_picture(path)
    if (faces := faces_of_picture(rgb)) > 1:
        raise MediaError(f"{name}: {faces} faces are found in this picture; cut it to the one that is to speak")
    landmarks = landmarks_of_picture(rgb)
    if landmarks is None:
        raise MediaError(f"{name}: no face is found in this picture; give a portrait that looks into the camera")
    return rgb, landmarks


@stage_task("faces", version=2, weights=("mediapipe-face-mesh", "facemesh-basis"))
def portrait_face(portrait: ArtifactRef, name: str, frames: int, by: FaceModelRef) -> ArtifactRef:
    """A portrait's pose, held for a number of motion frames; its mouth says nothing."""
    place = open_workplace()
    rgb, landmarks = portrait_landmarks(place.store.local_path(portrait), name)
    motion = open_face_model(place, by).portrait_motion(rgb, landmarks, frames)
    return place.store.put_bytes(motion.to_bytes(), SAFETENSORS)


@stage_task("animate", version=2, weights=("mediapipe-face-mesh", "facemesh-basis"), heavy=True)
def animate_portrait(
    portrait: ArtifactRef, name: str, mouth: ArtifactRef, audio: ArtifactRef, by: FaceModelRef
) -> ArtifactRef:
    """Draw a portrait with each mouth, at the motion's rate, and give it its sound: an mp4 marked as synthetic."""
    place = open_workplace()
    rgb, landmarks = portrait_landmarks(place.store.local_path(portrait), name)
    motion = Motion.from_bytes(place.store.get_bytes(mouth))
    with place.scratch() as folder:
        picture, movie = folder / "picture.mp4", folder / "movie.mp4"
        drawn = open_face_model(place, by).animate(rgb, landmarks, motion)
        write_pictures(picture, _told(drawn, len(motion.mouth)), round(motion.space.fps))
        info = probe(picture, place.tools)
        _join(place, Clip(picture, info, None), None, place.store.local_path(audio), movie, SYNTHETIC_LIPS_NOTICE)
        return place.store.put_file(movie, "video/mp4")


def _told(pictures: Iterator[np.ndarray], total: int) -> Iterator[np.ndarray]:
    for number, picture in enumerate(pictures, start=1):
        report("animate", number, total, "frames")
        yield picture


@stage_task("remux", version=1)
def clip_movie(
    video: ArtifactRef,
    info: MediaInfo,
    original: AudioStream | None,
    audio: ArtifactRef,
    patches: tuple[Patch, ...] | None,
) -> ArtifactRef:
    """A video with another sound, the original's kept beside it, and with new lips where there are patches."""
    place = open_workplace()
    source = place.store.local_path(video)
    with place.scratch() as folder:
        picture = None
        if patches is not None:
            picture = folder / "picture.mkv"
            pasted = [(patch, place.store.local_path(patch.video)) for patch in patches if patch.video is not None]
            encode_picture(source, info, pasted, picture)
        movie = folder / f"movie{container_suffix(info)}"
        notice = SYNTHETIC_NOTICE if patches is None else SYNTHETIC_LIPS_NOTICE
        _join(place, Clip(source, info, original), picture, place.store.local_path(audio), movie, notice)
        return place.store.put_file(movie, f"video/{movie.suffix[1:]}")


def _join(place: Workplace, clip: Clip, picture: Path | None, sound: Path, movie: Path, notice: str) -> None:
    remux(
        clip.path,
        clip.info,
        picture=picture,
        dub=AudioTrack(sound, NO_LANGUAGE, "Speech (synthetic media)"),
        original=clip.sound,
        subtitles=[],
        destination=movie,
        tools=place.tools,
        metadata={"comment": notice},
    )


def speech_file(place: Workplace, audio: ArtifactRef, suffix: str) -> bytes:
    """Stored speech as a WAV or FLAC file that says it is synthetic."""
    samples, rate_hz = place.samples(audio)
    with place.scratch() as folder:
        path = folder / f"speech{suffix}"
        write_speech(path, to_mono(samples), rate_hz, SYNTHETIC_NOTICE, place.tools)
        return path.read_bytes()
