"""A user's script laid over what was recognised: one line for each cue, and no word lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from models.dialogue.attribution import FIRST_SPEAKER, attribute_words, distance_s, speaker_at
from models.dialogue.lines import SHORTEST_PAUSE_S, line_id
from models.dialogue.overlaps import without_overlaps
from models.dialogue.utterances import join_words
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.speech import Cue, Line, Script, Transcript, Word

_TOLERANCE_S = 0.4
_CLIP_WARNING_S = 0.1


@dataclass(frozen=True)
class _Draft:
    """A line before speakers are named and overlaps resolved."""

    words: tuple[Word, ...]
    span: TimeSpan
    target_text: str | None
    diarized: str
    named: str | None


def match_script(transcript: Transcript, cues: Sequence[Cue], target_language: str, duration_s: float) -> Script:
    """Make one line of each cue, and one that keeps the original voice of speech under no cue.

    A line's span is that of the recognised words whose middle lies in the cue (or within 0.4 s of it,
    where no other cue is nearer), else the cue's own. Its speaker is the cue's, else the one who
    speaks most in it.

    Args:
        transcript: What was recognised.
        cues: In any order.
        target_language: BCP-47 tag of the cues' text.
        duration_s: Of the video.

    Raises:
        RequestError: A cue starts at or after the end of the video.
    """
    kept, warnings = _usable_cues(cues, duration_s)
    words = attribute_words(transcript.words, transcript.turns)
    owners = [_owner(word, kept) for word in words]
    drafts = []
    for number, cue in enumerate(kept):
        draft = _cue_draft(cue, tuple(w for w, o in zip(words, owners, strict=True) if o == number), transcript)
        drafts.append(draft)
        if not draft.words and transcript.words:
            warnings.append(
                f"no speech was recognised under the cue at {_clock(cue.span.start_s)} ({_short(cue.text)})"
            )
    for run in _uncovered_runs(words, owners, transcript.lines):
        drafts.append(_Draft(run, _extent(run, transcript.lines), None, run[0].speaker or FIRST_SPEAKER, None))
        spoken = _short(join_words([word.text for word in run]))
        place = f"{_clock(run[0].span.start_s)} to {_clock(run[-1].span.end_s)}"
        warnings.append(f"no cue covers the speech from {place} ({spoken}): the original voice is kept")
    names = _speaker_names(drafts)
    lines = without_overlaps([_line(draft, names, transcript.lines) for draft in drafts])
    numbered = tuple(line.model_copy(update={"id": line_id(number)}) for number, line in enumerate(lines, 1))
    return Script(language=target_language, lines=numbered, warnings=tuple(warnings))


def _usable_cues(cues: Sequence[Cue], duration_s: float) -> tuple[list[Cue], list[str]]:
    """Cues in time order, cut at the end of the video; those without text are left out."""
    kept, warnings = [], []
    for number, cue in enumerate(cues, 1):
        start_s, end_s = cue.span.start_s, cue.span.end_s
        if start_s >= duration_s:
            raise RequestError(
                f"cue {number} of the script ({_short(cue.text)}) starts at {_clock(start_s)}, after the end of the "
                f"video at {_clock(duration_s)}: is it the script of this video?"
            )
        if not cue.text.strip():
            warnings.append(f"cue {number} of the script at {_clock(start_s)} has no text: it is left out")
            continue
        if end_s > duration_s + _CLIP_WARNING_S:
            warnings.append(f"cue {number} of the script ends at {_clock(end_s)}, after the video: it is cut there")
        kept.append(cue.model_copy(update={"span": TimeSpan(start_s=start_s, end_s=min(end_s, duration_s))}))
    return sorted(kept, key=lambda cue: (cue.span.start_s, cue.span.end_s)), warnings


def _owner(word: Word, cues: Sequence[Cue]) -> int | None:
    """The cue whose span holds the word's middle (of several, the one whose middle is nearest), else the nearest."""
    middle_s = (word.span.start_s + word.span.end_s) / 2

    def rank(number: int) -> tuple[float, float]:
        span = cues[number].span
        outside_s = max(0.0, span.start_s - middle_s, middle_s - span.end_s)
        return outside_s, abs((span.start_s + span.end_s) / 2 - middle_s)

    nearest = min(range(len(cues)), key=rank, default=None)
    return nearest if nearest is not None and rank(nearest)[0] <= _TOLERANCE_S else None


def _cue_draft(cue: Cue, words: tuple[Word, ...], transcript: Transcript) -> _Draft:
    span = _extent(words, transcript.lines) if words else cue.span
    return _Draft(words, span, cue.text.strip(), _majority(words) or speaker_at(span, transcript.turns), cue.speaker)


def _majority(words: Sequence[Word]) -> str | None:
    spoken_s: dict[str, float] = {}
    for word in words:
        speaker = word.speaker or FIRST_SPEAKER
        spoken_s[speaker] = spoken_s.get(speaker, 0.0) + word.span.duration_s
    return max(spoken_s, key=lambda speaker: spoken_s[speaker], default=None)


def _extent(words: Sequence[Word], lines: Sequence[Line]) -> TimeSpan:
    """From the first word to the last; where they open or close a recognised line, its fitted edges rule."""
    start_s, end_s = words[0].span.start_s, words[-1].span.end_s
    first, last = _line_of(words[0], lines), _line_of(words[-1], lines)
    if first is not None and abs(first.span.start_s - start_s) <= _TOLERANCE_S:
        start_s = first.span.start_s
    if last is not None and abs(last.span.end_s - end_s) <= _TOLERANCE_S:
        end_s = last.span.end_s
    whole = TimeSpan(start_s=words[0].span.start_s, end_s=words[-1].span.end_s)
    return TimeSpan(start_s=start_s, end_s=end_s) if end_s > start_s else whole


def _line_of(word: Word, lines: Sequence[Line]) -> Line | None:
    return min(
        lines, key=lambda line: (distance_s(line.span, word.span), -line.span.overlap_s(word.span)), default=None
    )


def _uncovered_runs(
    words: Sequence[Word], owners: Sequence[int | None], lines: Sequence[Line]
) -> list[tuple[Word, ...]]:
    """Neighbouring words under no cue, apart where the recognised line or the speaker changes."""
    runs: list[list[Word]] = []
    previous: tuple[str | None, str | None] | None = None
    for word, owner in zip(words, owners, strict=True):
        line = _line_of(word, lines)
        here = (line.id if line else None, word.speaker)
        if owner is None and here == previous:
            runs[-1].append(word)
        elif owner is None:
            runs.append([word])
        previous = here if owner is None else None
    return [tuple(run) for run in runs]


def _speaker_names(drafts: Sequence[_Draft]) -> Mapping[str, str]:
    """What each diarized speaker is called where a cue names none.

    It is the user's name with the most seconds on that speaker; a speaker whom the user names nowhere keeps
    the diarized name, or a fresh one where that is taken.
    """
    seconds: dict[str, dict[str, float]] = {}
    for draft in drafts:
        if draft.named is not None:
            by_name = seconds.setdefault(draft.diarized, {})
            by_name[draft.named] = by_name.get(draft.named, 0.0) + draft.span.duration_s
    names = {diarized: max(by_name, key=lambda name: by_name[name]) for diarized, by_name in seconds.items()}
    taken = {name for by_name in seconds.values() for name in by_name}
    for diarized in sorted({draft.diarized for draft in drafts} - names.keys()):
        name = diarized
        number = 1
        while name in taken:
            name, number = f"S{number}", number + 1
        names[diarized] = name
        taken.add(name)
    return names


def _line(draft: _Draft, names: Mapping[str, str], recognised: Sequence[Line]) -> Line:
    return Line(
        id="",
        speaker=draft.named or names[draft.diarized],
        span=draft.span,
        source_text=join_words([word.text for word in draft.words]),
        target_text=draft.target_text,
        pauses=_pauses_in(draft.span, recognised) if draft.words else (),
    )


def _pauses_in(span: TimeSpan, recognised: Sequence[Line]) -> tuple[TimeSpan, ...]:
    """The pauses of recognised lines inside `span`, and the silences between such lines."""
    inside = sorted((line for line in recognised if line.span.overlap_s(span) > 0), key=lambda line: line.span.start_s)
    silences = [pause for line in inside for pause in line.pauses]
    for before, after in pairwise(inside):
        if after.span.start_s - before.span.end_s >= SHORTEST_PAUSE_S:
            silences.append(TimeSpan(start_s=before.span.end_s, end_s=after.span.start_s))
    within = (pause for pause in silences if span.start_s < pause.start_s and pause.end_s < span.end_s)
    return tuple(sorted(within, key=lambda pause: pause.start_s))


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else flat[:57] + "…")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:05.2f}"
