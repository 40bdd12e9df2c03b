"""The packaged voices and their blends as a speaker encoder hears them: `python -m models.cascade.bank`."""

import argparse
import json
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from media.audio_io import resample
from models.kokoro.network import SAMPLE_RATE_HZ
from models.kokoro.synthesis import synthesise
from models.speaker.encoder import embed
from models.speaker.pitch import median_f0_hz
from models.weights.resolve import kokoro, speaker_encoder
from schemas.errors import WeightsError

_FILE = Path(__file__).with_name("voice_bank.safetensors")
_MALE = "jm_kumo"
_FEMALE = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro")
_TEXT = "The small boat sailed across the bay, and nobody on board was afraid of the storm that followed."
_RATE_HZ = 16_000


@dataclass(frozen=True)
class BankVoice:
    """One voice that can be cast: its blend of packaged voices, d-vector [256] and median pitch."""

    blend: tuple[tuple[str, float], ...]
    embedding: np.ndarray
    median_f0_hz: float


def blends() -> tuple[tuple[tuple[str, float], ...], ...]:
    """List the 5 packaged voices, their 10 even blends, and 8 between the one man and the women."""
    voices = (_MALE, *_FEMALE)
    single = tuple(((voice, 1.0),) for voice in voices)
    even = tuple(((a, 0.5), (b, 0.5)) for a, b in combinations(voices, 2))
    leaning = tuple(((_MALE, share), (voice, 1.0 - share)) for share in (0.75, 0.25) for voice in _FEMALE)
    return single + even + leaning


def voice_bank(encoder_sha256: str) -> tuple[BankVoice, ...]:
    """Read the bank.

    Raises:
        WeightsError: it was made with another encoder than the one given, so that nothing could be compared.
    """
    with safe_open(_FILE, framework="numpy") as stored:
        facts = json.loads(stored.metadata()["bank"])
        embeddings, pitches = stored.get_tensor("embedding"), stored.get_tensor("median_f0_hz")
    if facts["encoder_sha256"] != encoder_sha256:
        raise WeightsError(
            f"{_FILE.name} was made with another speaker encoder ({facts['encoder_sha256'][:12]}…): "
            f"run python -m models.cascade.bank"
        )
    voices = zip(facts["blends"], embeddings, pitches, strict=True)
    return tuple(
        BankVoice(tuple((name, weight) for name, weight in blend), embedding, float(pitch))
        for blend, embedding, pitch in voices
    )


def make_bank(file: Path, cache_dir: Path, threads: int) -> None:
    """Let each voice say one sentence, and write what the encoder makes of it."""
    weights, encoder = kokoro(cache_dir).path, speaker_encoder()
    said = [synthesise(_TEXT, "en", blend, speed=1.0, weights=weights, threads=threads) for blend in blends()]
    heard = [resample(samples, SAMPLE_RATE_HZ, _RATE_HZ) for samples in said]
    arrays = {
        "embedding": np.stack([embed(samples, encoder=encoder.path) for samples in heard]),
        "median_f0_hz": np.array([median_f0_hz(samples) or 0.0 for samples in heard], np.float32),
    }
    facts = {"encoder_sha256": encoder.ref.sha256, "blends": blends(), "text": _TEXT}
    save_file(arrays, file, metadata={"bank": json.dumps(facts)})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.cascade.bank", description=__doc__)
    parser.add_argument("--out", type=Path, default=_FILE)
    parser.add_argument("--cache", type=Path, required=True, help="folder for the joined Kokoro weights")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    make_bank(arguments.out, arguments.cache, arguments.threads)


if __name__ == "__main__":
    main()
