"""Make a video that anyone may have, from installed packages alone: `python examples/make_sample.py OUT.mp4`.

The picture is scikit-image's portrait of the astronaut Eileen Collins (NASA, public domain), the voice one of the
packaged ones, the mouth our own regressor and renderer, the music a few computed chords. She never said this.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from flows.quiet import quiet_stderr
from media.audio_io import resample, write_audio
from media.tools import Tools, find_tools, input_name, run_ffmpeg
from models.audio_to_mouth.predict import neutral, predict_mouth
from models.facemesh.still import animate_still, landmarks_of_picture
from models.kokoro.synthesis import SAMPLE_RATE_HZ as VOICE_RATE_HZ
from models.kokoro.synthesis import synthesise
from models.weights.resolve import kokoro
from schemas.settings import Settings

FPS = 25
SAMPLE_RATE_HZ = 48_000
DURATION_S = 13.0
STARTS_S = (0.6, 4.4, 9.5)
VOICE = (("jf_alpha", 1.0),)
SIZE_PX = 480
ZOOM = 1.5
FACE_AT = (0.5, 0.36)  # shares of the picture's width and height
CHORDS_HZ = ((130.8, 196.0, 329.6), (110.0, 220.0, 261.6), (174.6, 220.0, 349.2), (98.0, 196.0, 293.7))
MUSIC_DB = -30.0
SPEECH_PEAK = 0.6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the mp4 to write")
    out = parser.parse_args().out
    settings = Settings()
    out.parent.mkdir(parents=True, exist_ok=True)
    with quiet_stderr(settings.home / "logs" / "native.log"):
        make_sample(out, settings)
    sys.stdout.write(f"{out}\n")


def make_sample(out: Path, settings: Settings) -> None:
    """Write the sample video."""
    sentences = Path(__file__).with_name("astronaut_en.txt").read_text(encoding="utf-8").splitlines()
    speech = speak(sentences, kokoro(settings.cache_dir).path, settings.threads)
    portrait = astronaut()
    landmarks = landmarks_of_picture(portrait)
    assert landmarks is not None, "the packaged portrait shows a face"
    pictures = filmed(talking_portrait(portrait, landmarks, speech), landmarks[:, :2].mean(axis=0))
    sound = resample(speech, VOICE_RATE_HZ, SAMPLE_RATE_HZ)
    write_video(out, pictures, (sound + music(len(sound))).T, find_tools(settings.ffmpeg, settings.ffprobe))


def speak(sentences: list[str], weights: Path, threads: int) -> np.ndarray:
    """Say each sentence at its time: mono float32 at 24 kHz."""
    track = np.zeros(round(DURATION_S * VOICE_RATE_HZ), np.float32)
    for start_s, sentence in zip(STARTS_S, sentences, strict=True):
        said = synthesise(sentence, "en", VOICE, speed=1.0, weights=weights, threads=threads)
        start = round(start_s * VOICE_RATE_HZ)
        track[start : start + len(said)] += said
    return track * np.float32(SPEECH_PEAK / np.abs(track).max())


def music(length: int) -> np.ndarray:
    """Slow chords, a little wider than the voice: stereo [2, n] at -30 dB."""
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    each_s = DURATION_S / len(CHORDS_HZ)
    bed = np.zeros((2, length))
    for index, chord in enumerate(CHORDS_HZ):
        swell = np.clip(1.0 - np.abs(time_s - (index + 0.5) * each_s) / each_s, 0.0, 1.0) ** 0.7
        for note, pitch_hz in enumerate(chord):
            tone = np.sin(2 * np.pi * pitch_hz * time_s) + 0.3 * np.sin(4 * np.pi * pitch_hz * 1.003 * time_s)
            bed += np.array([[0.7], [0.3]])[:: 1 if note % 2 else -1] * (swell * tone)
    level = np.sqrt(np.mean(bed**2))
    return (bed * 10 ** (MUSIC_DB / 20) / level).astype(np.float32)


def talking_portrait(portrait: np.ndarray, landmarks: np.ndarray, speech: np.ndarray) -> Iterator[np.ndarray]:
    """Draw the portrait with the mouth that belongs to the speech: RGB frames at 25 fps."""
    mouth = predict_mouth(speech, VOICE_RATE_HZ).mouth
    mouth[0] = neutral()
    return animate_still(portrait, landmarks, mouth)


def filmed(pictures: Iterator[np.ndarray], face: np.ndarray) -> Iterator[np.ndarray]:
    """Cut out head and shoulders, 480 x 480, as a hand-held camera would: slow sines of unrelated periods.

    Args:
        face: [2] pixels of its middle.
    """
    for number, picture in enumerate(pictures):
        time_s = number / FPS
        angle_deg = 0.8 * np.sin(2 * np.pi * time_s / 5.3)
        zoom = ZOOM * (1.0 + 0.008 * np.sin(2 * np.pi * time_s / 7.1))
        turn = cv2.getRotationMatrix2D((float(face[0]), float(face[1])), angle_deg, zoom)
        sway = (4.0 * np.sin(2 * np.pi * time_s / 3.7), 3.0 * np.sin(2 * np.pi * time_s / 4.9))
        turn[:, 2] += np.array(FACE_AT) * SIZE_PX - face + sway
        yield cv2.warpAffine(
            picture, turn, (SIZE_PX, SIZE_PX), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )


def write_video(out: Path, pictures: Iterator[np.ndarray], sound: np.ndarray, tools: Tools) -> None:
    """Encode H.264 at 25 fps and AAC at 48 kHz, the same bytes each time; `sound` is [n, 2]."""
    planes = b"".join(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).tobytes() for picture in pictures)
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        write_audio(wav, sound, SAMPLE_RATE_HZ)
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{SIZE_PX}x{SIZE_PX}", "-r", str(FPS), "-i", "pipe:0"]
        video = ["-c:v", "libx264", "-crf", "18", "-preset", "veryfast"]
        audio = ["-c:a", "aac", "-b:a", "160k", "-metadata:s:a:0", "language=eng"]
        title = ["-metadata", "title=Synthetic sample: a portrait that was made to speak"]
        target = ["-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4", input_name(out)]
        run_ffmpeg(tools, [*raw, "-i", input_name(wav), *video, *audio, *title, *target], stdin=planes, writes_to=out)


if __name__ == "__main__":
    main()
