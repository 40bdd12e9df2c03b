"""Speech synthesised by Kokoro, with the time of every phone: its durations are whole frames of 25 ms, and exact.

Letters: n samples.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.corpus.phones import PAUSE, TimedPhone, merged, phones_of
from models.kokoro.network import FRAME_SAMPLES, LONGEST_TOKENS, SAMPLE_RATE_HZ, Blend, Kokoro, load_kokoro
from models.kokoro.phonemes import phonemes
from schemas.errors import RequestError

INDEX = "kokoro.jsonl"
_MARGIN_S = 0.15
# Kokoro's sound is three frames ahead of its durations: over 120 sentences, energy fits the phones best 80 ms earlier
# (correlation 0.49 instead of 0.38).
_LEAD_S = 0.075
_SPEEDS = (0.9, 1.2)


@dataclass(frozen=True)
class Narrator:
    """One voice that reads: its name in the corpus, what it is blended of, its language, its texts, and their split."""

    name: str
    blend: Blend
    language: str
    sentences: tuple[str, ...]
    split: str = "train"


@dataclass(frozen=True)
class Utterance:
    """Samples [n] at 24 kHz, and its phones from 0 to its end."""

    samples: np.ndarray
    phones: tuple[TimedPhone, ...]


def speak_timed(model: Kokoro, text: str, language: str, blend: Blend, speed: float) -> Utterance | None:
    """Speak a sentence and say when each phone is; None where it is too long for the model or cannot be said."""
    spelled = [letter for letter in phonemes(text, language) if model.tokens(letter)]
    if not 0 < len(spelled) <= LONGEST_TOKENS:
        return None
    letters = "".join(spelled)
    samples = model.speak(letters, blend, speed)
    frames = np.maximum(1, np.round(model.natural_frames(letters, blend) / speed)).astype(int)
    ends_s = np.cumsum(frames) * FRAME_SAMPLES / SAMPLE_RATE_HZ
    duration_s = len(samples) / SAMPLE_RATE_HZ
    if abs(ends_s[-1] - duration_s) > 0.026:
        return None
    timed = _timed(spelled, ends_s)
    return _trimmed(Utterance(samples, merged(timed)))


def _timed(spelled: Sequence[str], ends_s: np.ndarray) -> list[TimedPhone]:
    """Phones between the two paddings, which are pauses; place i of the letters is token i + 1."""
    heard_s = np.maximum(ends_s - _LEAD_S, 0.0)
    timed = [TimedPhone(PAUSE, 0.0, float(heard_s[0]))]
    for phone, places in phones_of(spelled):
        timed.append(TimedPhone(phone, timed[-1].end_s, float(heard_s[places[-1] + 1])))
    timed.append(TimedPhone(PAUSE, timed[-1].end_s, float(ends_s[-1])))
    return timed


def _trimmed(said: Utterance) -> Utterance:
    """Leave at most 0.15 s of pause at either end."""
    speech = [timed for timed in said.phones if timed.phone != PAUSE]
    start_s = max(0.0, speech[0].start_s - _MARGIN_S)
    end_s = min(said.phones[-1].end_s, speech[-1].end_s + _MARGIN_S)
    first, last = round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
    moved = (
        TimedPhone(timed.phone, max(timed.start_s, start_s) - start_s, min(timed.end_s, end_s) - start_s)
        for timed in said.phones
    )
    return Utterance(said.samples[first:last], merged(moved))


def synthesise(
    narrators: Sequence[Narrator],
    folder: Path,
    *,
    weights: Path,
    hours: float,
    seed: int,
    threads: int,
    on_progress: Callable[[float, float], None],
    keeps: Callable[[Utterance, str, str], bool] | None = None,
) -> Path:
    """Write FLAC files and an index line for each, voice after voice in turns, until there are `hours` of them.

    What the folder holds already is kept: a run that was cut goes on where it stopped.

    Args:
        weights: The folder of Kokoro.
        on_progress: Told the hours that are there and the hours wanted.
        keeps: Whether an utterance of a sentence in a language is kept; None: all are.

    Returns: the index, `kokoro.jsonl`.

    Raises:
        RequestError: The sentences do not suffice.
    """
    import soundfile

    model = load_kokoro(weights, threads)
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    there = _read_index(index)
    hours_there = sum(entry["duration_s"] for entry in there.values()) / 3600
    for name, narrator, sentence in _turns(narrators):
        if hours_there >= hours:
            return index
        if name in there:
            continue
        rng = np.random.default_rng([seed, len(name), *name.encode()])
        said = speak_timed(model, sentence, narrator.language, narrator.blend, float(rng.uniform(*_SPEEDS)))
        if said is None or (keeps is not None and not keeps(said, sentence, narrator.language)):
            continue
        soundfile.write(folder / f"{name}.flac", said.samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        entry = _entry(name, narrator, sentence, said)
        with index.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
        hours_there += entry["duration_s"] / 3600
        on_progress(hours_there, hours)
    if hours_there < hours:
        raise RequestError(f"the sentences give {hours_there:.2f} of {hours:.2f} h of speech: give more of them")
    return index


def _turns(narrators: Sequence[Narrator]) -> Iterator[tuple[str, Narrator, str]]:
    for number in range(max(len(narrator.sentences) for narrator in narrators)):
        for narrator in narrators:
            if number < len(narrator.sentences):
                yield f"{narrator.name}-{number:05d}", narrator, narrator.sentences[number]


def _entry(name: str, narrator: Narrator, sentence: str, said: Utterance) -> dict[str, Any]:
    return {
        "id": name,
        "file": f"{name}.flac",
        "speaker": narrator.name.rsplit("-", 1)[0],
        "language": narrator.language,
        "split": narrator.split,
        "duration_s": len(said.samples) / SAMPLE_RATE_HZ,
        "text": sentence,
        "phones": [[timed.phone, round(timed.start_s, 4), round(timed.end_s, 4)] for timed in said.phones],
    }


def _read_index(index: Path) -> dict[str, dict[str, Any]]:
    """Entries by name; a line that was cut by a crash is dropped from the file."""
    if not index.is_file():
        return {}
    entries = {}
    whole = []
    for line in index.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        entries[entry["id"]] = entry
        whole.append(line)
    pending = index.with_suffix(".part")
    pending.write_text("".join(line + "\n" for line in whole), encoding="utf-8")
    pending.replace(index)
    return entries
