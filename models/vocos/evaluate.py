"""How good the vocoder is: held-out recordings against what is made of their mels.

`python -m models.vocos.evaluate --vocoder FOLDER --corpus ../shared/corpus` writes a table in Markdown.
Letters: n samples at 24 kHz, f frames.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from media.audio_io import resample
from models.asr.whisper import SAMPLE_RATE_HZ as WHISPER_RATE_HZ
from models.asr.whisper import transcribe
from models.evaluation.naturalness import dnsmos
from models.evaluation.words import pooled_word_error_rate
from models.jamflow.config import HOP_SAMPLES, SAMPLE_RATE_HZ
from models.jamflow.mel import FFT_SAMPLES, mel_spectrogram
from models.jamflow.vocoder import load_vocoder
from models.vocos.corpora import held_out_speech
from models.vocos.losses import log_mel_error, spectral_error
from models.vocos.speech import Recording, decode
from models.weights.resolve import whisper_base

_GRIFFIN_LIM_STEPS = 60
_READ_ALOUD = "ljspeech"  # Whisper does not follow GRID's word lists, recordings included

Method = Callable[[torch.Tensor], np.ndarray]
"""A mel [1, f, 100] to samples [256 (f - 1)]."""


@dataclass(frozen=True)
class Quality:
    """Of one method.

    Attributes:
        log_mel, spectral: Errors against the recording (`models.vocos.losses`).
        dnsmos: Overall quality of speech, 1 to 5, without a reference (Reddy et al. 2022, arXiv:2110.01763).
        p808: The same by the older network, which was fitted to listeners' marks.
        word_error_rate: Of Whisper base on the read-aloud recordings; None, where it was not asked for.
        seconds_per_second: Processor time for a second of speech.
    """

    log_mel: float
    spectral: float
    dnsmos: float
    p808: float
    word_error_rate: float | None
    seconds_per_second: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.vocos.evaluate", description=__doc__)
    parser.add_argument("--vocoder", type=Path, required=True, help="folder with config.yaml and weights")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of grid_s1, ljspeech, librispeech")
    parser.add_argument("--clips", type=int, default=20, help="of each corpus, at most")
    parser.add_argument("--whisper-cache", type=Path, help="folder for Whisper's weights; without it, no word errors")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    vocoder = load_vocoder(arguments.vocoder)
    methods: dict[str, Method | None] = {
        "recording": None,
        "this vocoder": lambda mel: vocoder.decode(mel)[0].numpy(),
        "Griffin-Lim": griffin_lim,
    }
    whisper = None if arguments.whisper_cache is None else whisper_base(arguments.whisper_cache).path
    recordings = _some_of_each(held_out_speech(arguments.corpus), arguments.clips)
    sys.stdout.write(as_markdown(evaluate(recordings, methods, whisper=whisper)))


def evaluate(
    recordings: Sequence[Recording], methods: Mapping[str, Method | None], *, whisper: Path | None = None
) -> dict[str, Quality]:
    """Measure methods on the same recordings; None is the recording itself.

    Args:
        recordings: Of real speech.
        methods: By name.
        whisper: Directory of Whisper, for word errors.
    """
    waves = [_whole_frames(decode(recording.file)) for recording in recordings]
    return {name: _quality(recordings, waves, method, whisper) for name, method in methods.items()}


def _quality(
    recordings: Sequence[Recording], waves: Sequence[np.ndarray], method: Method | None, whisper: Path | None
) -> Quality:
    mels = [mel_spectrogram(torch.from_numpy(wave)[None]) for wave in waves]
    began_s = time.process_time()
    made = waves if method is None else [method(mel) for mel in mels]
    taken_s = time.process_time() - began_s
    errors = [_errors(ours, theirs) for ours, theirs in zip(made, waves, strict=True)]
    marks = [_marks(wave) for wave in made]
    log_mel, spectral = np.mean(errors, axis=0).tolist()
    dnsmos, p808 = np.mean(marks, axis=0).tolist()
    rate = None if whisper is None else _word_error_rate(recordings, made, whisper)
    return Quality(log_mel, spectral, dnsmos, p808, rate, taken_s * SAMPLE_RATE_HZ / sum(map(len, waves)))


def _errors(made: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    pair = torch.from_numpy(made)[None], torch.from_numpy(wanted)[None]
    return float(log_mel_error(*pair)), float(spectral_error(*pair))


def _marks(wave: np.ndarray) -> tuple[float, float]:
    found = dnsmos(wave, SAMPLE_RATE_HZ)
    return found.ovrl, found.p808


def _word_error_rate(recordings: Sequence[Recording], made: Sequence[np.ndarray], whisper: Path) -> float | None:
    pairs = []
    for recording, wave in zip(recordings, made, strict=True):
        if recording.source == _READ_ALOUD:
            samples = resample(wave, SAMPLE_RATE_HZ, WHISPER_RATE_HZ)
            heard = transcribe(samples, weights=whisper, language="en", threads=1)
            pairs.append((recording.text, " ".join(word.text for word in heard.words)))
    return pooled_word_error_rate(pairs, "en")


def griffin_lim(mel: torch.Tensor) -> np.ndarray:
    """The baseline: magnitudes by non-negative least squares, phases by 60 iterations (Perraudin et al. 2013)."""
    import librosa
    from torchaudio.functional import melscale_fbanks

    bands = mel.shape[2]
    bank = melscale_fbanks(FFT_SAMPLES // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, bands, SAMPLE_RATE_HZ).numpy().T
    magnitudes = librosa.util.nnls(bank, mel[0].exp().numpy().T)
    wave = librosa.griffinlim(
        magnitudes,
        n_iter=_GRIFFIN_LIM_STEPS,
        hop_length=HOP_SAMPLES,
        n_fft=FFT_SAMPLES,
        length=HOP_SAMPLES * (mel.shape[1] - 1),
        random_state=0,
    )
    return np.asarray(wave, np.float32)


def as_markdown(found: Mapping[str, Quality]) -> str:
    """One row a method."""
    lines = [
        "| | log-mel error | spectral error | DNSMOS | P.808 | word errors | CPU s per s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, q in found.items():
        words = "–" if q.word_error_rate is None else f"{100 * q.word_error_rate:.1f} %"
        errors = f"{q.log_mel:.3f} | {q.spectral:.3f} | {q.dnsmos:.2f} | {q.p808:.2f}"
        lines.append(f"| {name} | {errors} | {words} | {q.seconds_per_second:.4f} |")
    return "\n".join(lines) + "\n"


def _whole_frames(wave: np.ndarray) -> np.ndarray:
    """Cut to the samples that a vocoder makes of its mel."""
    return wave[: len(wave) // HOP_SAMPLES * HOP_SAMPLES]


def _some_of_each(recordings: Sequence[Recording], most: int) -> list[Recording]:
    sources = sorted({recording.source for recording in recordings})
    return [one for source in sources for one in [r for r in recordings if r.source == source][:most]]


if __name__ == "__main__":
    main()
