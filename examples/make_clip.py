"""Make a clip of two seconds that says one sentence: `python examples/make_clip.py OUT.mp4`.

A test picture and a packaged voice, from installed packages alone: the cheapest video that is worth dubbing.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

from media.audio_io import resample, write_audio
from media.subtitles import write_srt
from media.tools import find_tools, input_name, run_ffmpeg
from models.kokoro.synthesis import SAMPLE_RATE_HZ as VOICE_RATE_HZ
from models.kokoro.synthesis import synthesise
from models.weights.resolve import kokoro
from schemas.media import TimeSpan
from schemas.settings import Settings

SENTENCE = "Good morning, everyone."
TRANSLATIONS = {"es": "Buenos días a todos.", "fr": "Bonjour à tous.", "it": "Buongiorno a tutti."}
VOICE = (("jf_alpha", 1.0),)
SAMPLE_RATE_HZ = 48_000
START_S, END_S = 0.2, 0.3
"""Silence before and after."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the mp4 to write; its scripts lie beside it")
    out = parser.parse_args().out
    make_clip(out, Settings())
    sys.stdout.write(f"{out}\n")


def make_clip(out: Path, settings: Settings) -> None:
    """Write the clip, and a script in each language of TRANSLATIONS beside it, as `jamdub localize` finds them."""
    speech = synthesise(
        SENTENCE, "en", VOICE, speed=1.0, weights=kokoro(settings.cache_dir).path, threads=settings.threads
    )
    sound = resample(speech * np.float32(0.6 / np.abs(speech).max()), VOICE_RATE_HZ, SAMPLE_RATE_HZ)
    end_s = START_S + len(sound) / SAMPLE_RATE_HZ
    padded = np.pad(sound, (round(START_S * SAMPLE_RATE_HZ), round(END_S * SAMPLE_RATE_HZ)))
    write_clip(out, padded, settings)
    for language, text in TRANSLATIONS.items():
        script = write_srt([(TimeSpan(start_s=START_S, end_s=end_s), text)])
        out.with_name(f"{out.stem}.{language}.srt").write_text(script, encoding="utf-8")


def write_clip(out: Path, sound: np.ndarray, settings: Settings) -> None:
    """Encode a test picture as long as the sound, which is mono at 48 kHz."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=128x96:rate=25:duration={len(sound) / SAMPLE_RATE_HZ:.3f}"]
    codecs = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-c:a", "aac", "-b:a", "128k"]
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sound.wav"
        write_audio(wav, sound[:, None], SAMPLE_RATE_HZ)
        target = ["-fflags", "+bitexact", "-f", "mp4", input_name(out)]
        tools = find_tools(settings.ffmpeg, settings.ffprobe)
        run_ffmpeg(tools, [*picture, "-i", input_name(wav), *codecs, *target], writes_to=out)


if __name__ == "__main__":
    main()
