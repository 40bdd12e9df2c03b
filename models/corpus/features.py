"""What the networks learn from a clip, computed once. Letters: n mel frames, m motion frames, k phones."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save

from media.audio_io import resample
from models.audio_to_mouth.corpus import decode_audio
from models.audio_to_mouth.predict import predict_mouth
from models.corpus.faces import FaceReading, film_of
from models.corpus.manifest import Entry
from models.corpus.phones import TimedPhone, phone_vocabulary
from models.corpus.spelling import timed_phones
from models.facemesh.landmarks import landmarks_of_clip
from models.facemesh.visibility import mouth_visibility
from models.jamflow.config import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from models.jamflow.lengths import mel_frames_of
from models.jamflow.mel import MEL_FLOOR, mel_spectrogram
from models.track_motion import on_grid
from models.weights.files import sha256_of
from schemas.errors import ArtifactCorrupt

VERSION = 2
"""Bump it where the same clip gives other features."""

_LEAST_VISIBILITY = 0.5
_SEEN = 0.999  # between two frames: in both of them


@dataclass(frozen=True)
class Clip:
    """Features of one clip.

    Attributes:
        mel: [n, 100] float16.
        mouth, rest: [m, 12] each with the face mesh, z-scored, at 25 fps; m = 0 for sound alone.
        visible: [m] whether the mouth is seen.
        phones: [k] numbers of the phone vocabulary.
        edges_s: [k + 1] when each begins; the last is the end.
        is_imagined: Whether the mouth is no film's but the audio-to-mouth regressor's; then `rest` says nothing.
    """

    id: str
    speaker: str
    language: str
    split: str
    text: str
    mel: np.ndarray
    mouth: np.ndarray
    rest: np.ndarray
    visible: np.ndarray
    phones: np.ndarray
    edges_s: np.ndarray
    is_imagined: bool = False

    @property
    def is_filmed(self) -> bool:
        """Whether a real face is seen."""
        return len(self.mouth) > 0 and not self.is_imagined

    def without_face(self) -> "Clip":
        """The same clip as sound alone."""
        return replace(self, mouth=self.mouth[:0], rest=self.rest[:0], visible=self.visible[:0], is_imagined=False)

    def to_bytes(self) -> bytes:
        """Safetensors that `from_bytes` reads back exactly."""
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS}
        words = {name: getattr(self, name) for name in _WORDS}
        return save(arrays, metadata={"clip": json.dumps(words, sort_keys=True)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Clip":
        """Raises: ArtifactCorrupt, where the bytes are no clip."""
        try:
            header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
            words: dict[str, Any] = json.loads(header["__metadata__"]["clip"])
            fields: dict[str, Any] = {**words, **load(data)}
            return cls(**fields)
        except (KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
            raise ArtifactCorrupt(f"these bytes are not a clip's features: {error}; prepare it again") from error


_ARRAYS = ("mel", "mouth", "rest", "visible", "phones", "edges_s")
_WORDS = ("id", "speaker", "language", "split", "text", "is_imagined")


def key_of(entry: Entry, faces: FaceReading) -> str:
    """The content address of an entry's features: the clip's bytes, what is said of it, and how they are computed."""
    said = [entry.speaker, entry.language, entry.split, entry.text, entry.first_good_frame, entry.picture_late_s]
    times = [[p.phone, p.start_s, p.end_s] for p in entry.phones]
    words = [[w.text, w.span.start_s, w.span.end_s] for w in entry.words]
    read = faces.said(is_film=entry.has_face)
    asked = json.dumps([VERSION, sha256_of(entry.file), entry.id, said, times, words, *read], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


def extract(entry: Entry, faces: FaceReading) -> Clip | None:
    """Compute a clip's features; None where it is a film whose face is not found in every frame.

    Raises:
        RequestError: Its language is not supported.
        av.FFmpegError, MediaError: It cannot be decoded.
    """
    samples, sample_rate_hz = decode_audio(entry.file)
    wave = resample(samples, sample_rate_hz, SAMPLE_RATE_HZ).astype(np.float32)
    mel = mel_spectrogram(torch.from_numpy(wave)[None])[0].numpy()
    space = faces.space
    mouth, rest = (np.zeros((0, len(dims)), np.float32) for dims in (space.mouth_dims, space.rest_dims))
    visible, is_imagined = np.zeros(0, bool), faces.imagines and not entry.has_face
    if is_imagined:
        mouth = _imagined(wave)
        rest, visible = np.zeros((len(mouth), len(space.rest_dims)), np.float32), np.ones(len(mouth), bool)
    elif entry.has_face:
        points = landmarks_of_clip(entry.file)
        motion = None if points is None else _motion(faces, points, entry)
        if motion is None:
            return None
        mouth, rest, visible = motion
    if len(mouth):
        mel = _fitted(mel, mel_frames_of(len(mouth), FRAME_RATE_HZ / space.fps))
    timed = timed_phones(entry, len(mel) / FRAME_RATE_HZ)
    return Clip(
        id=entry.id,
        speaker=entry.speaker,
        language=entry.language,
        split=entry.split,
        text=entry.text,
        mel=mel.astype(np.float16),
        mouth=mouth,
        rest=rest,
        visible=visible,
        phones=np.array(phone_vocabulary().ids(phone.phone for phone in timed), np.int64),
        edges_s=_edges(timed),
        is_imagined=is_imagined,
    )


def _imagined(wave: np.ndarray) -> np.ndarray:
    """The z-scored mouth [m, 12] that the regressor expects of a sound [n] at 24 kHz."""
    mouth: np.ndarray = predict_mouth(wave, SAMPLE_RATE_HZ).z_scored()[0]
    return mouth


def _motion(faces: FaceReading, points: np.ndarray, entry: Entry) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Mouth and rest, z-scored, and where the mouth is seen, on the clock of the sound at the space's rate.

    None where a frame does not decode, or all pictures belong before the sound begins.
    """
    film = film_of(entry.file)
    read = faces.read(film, points)
    if read is None or len(film.frame_times_s) != len(points) or film.frame_times_s[-1] < entry.picture_late_s:
        return None
    seen = mouth_visibility(points, np.inf, np.inf) > _LEAST_VISIBILITY
    seen[: entry.first_good_frame] = False
    motion = on_grid(faces.space, film.frame_times_s - entry.picture_late_s, *read, seen, start_s=0.0).motion
    return *motion.z_scored(), motion.visible > _SEEN


def _fitted(mel: np.ndarray, frames: int) -> np.ndarray:
    """Cut or filled up with silence to a number of frames."""
    filled = np.full((frames, mel.shape[1]), MEL_FLOOR, np.float32)
    filled[: len(mel)] = mel[:frames]
    return filled


def _edges(timed: tuple[TimedPhone, ...]) -> np.ndarray:
    return np.array([phone.start_s for phone in timed] + [phone.end_s for phone in timed[-1:]], np.float64)


def read_clip(path: Path) -> Clip:
    """Raises: ArtifactCorrupt, where the file is no clip; OSError, where it cannot be read."""
    return Clip.from_bytes(path.read_bytes())
