"""Decode the finished file again and measure what was really made."""

from pathlib import Path

import numpy as np

from media.compare import frame_count, outside_patches_psnr_db, video_packet_hash
from media.loudness import integrated_lufs, true_peak_dbtp
from models.evaluation.words import assign_heard, pooled_word_error_rate, word_error_rate
from schemas.artifact import ArtifactRef
from schemas.dub import LineReport, Measures, Patch, Voice
from schemas.progress import report
from schemas.stages import DubMix, Movie, Source, SpokenLine, Stems, Verification
from tasks.stage import stage_task
from tasks.verify_lips import Lips, measure_lips
from tasks.verify_sound import Heard, decode_dub, onset_errors_s, recognise_dub, voice_similarity
from tasks.workplace import Workplace, open_workplace

LEAST_UNFIT_S = 0.05


@stage_task(
    "verify",
    version=1,
    weights=(
        "whisper-base",
        "silero-vad",
        "speaker-encoder",
        "mediapipe-face-detection",
        "mediapipe-face-mesh",
        "facemesh-basis",
    ),
)
def verify(
    source: Source,
    stems: Stems,
    sound: DubMix,
    movie: Movie,
    spoken: tuple[SpokenLine, ...],
    voices: tuple[Voice, ...],
    patches: tuple[Patch, ...] | None,
    tracks_ref: ArtifactRef | None,
    language: str,
) -> Verification:
    """Measure length, loudness, words, timing, voices and lips of the delivery."""
    place = open_workplace()
    path = place.store.local_path(movie.video)
    heard = decode_dub(place, path)
    report("verify", 1, 4, "words")
    words = recognise_dub(place, heard, language)
    report("verify", 2, 4, "timing")
    onsets = onset_errors_s(place, heard, stems, sound, spoken)
    similarity = voice_similarity(place, spoken)
    report("verify", 3, 4, "picture")
    lips = measure_lips(place, path, patches or (), tracks_ref)
    heard_texts = assign_heard(words, [item.line for item in spoken]) if words is not None else None
    lines = tuple(
        _with_measures(_with_words(_line(item, voices, patches or ()), heard_texts, language), onsets, similarity, lips)
        for item in spoken
    )
    measures = _measures(place, source, stems, path, heard, patches).model_copy(
        update=_over_lines(lines, onsets, language)
    )
    report("verify", 4, 4, "done")
    return Verification(measures=measures, lines=lines, curves=lips.curves, warnings=_warnings(lines))


def _line(item: SpokenLine, voices: tuple[Voice, ...], patches: tuple[Patch, ...]) -> LineReport:
    line, take = item.line, item.take
    own = [patch for patch in patches if patch.line_id == line.id]
    base = LineReport(
        id=line.id,
        speaker=line.speaker,
        span=line.span,
        source_text=line.source_text,
        target_text=line.target_text,
        on_screen=bool(own),
        frames_rendered=sum(len(patch.frames) for patch in own),
        frames_bounded=sum(patch.bounded for patch in own),
        frames_skipped=sum(patch.skipped for patch in own),
        status="dubbed" if take is not None else "kept_original",
    )
    if take is None:
        return base
    spoken = {
        "voice": _name(next(voice for voice in voices if voice.speaker == line.speaker)),
        "mode": take.mode,
        "mode_reason": take.mode_reason,
        "takes": take.scores,
        "speed": take.speed,
        "stretch": take.stretch,
        "overflow_s": take.overflow_s,
        "unfit_s": take.unfit_s,
    }
    return base.model_copy(update=spoken)


def _name(voice: Voice) -> str:
    if voice.reference is not None:
        return f"{voice.reference.name} ({voice.reference.origin})"
    return " + ".join(f"{weight:.0%} {name}" if weight < 1 else name for name, weight in voice.blend)


def _with_words(line: LineReport, heard: dict[str, str] | None, language: str) -> LineReport:
    if heard is None or line.status != "dubbed" or not line.target_text:
        return line
    words = heard[line.id]
    return line.model_copy(update={"heard_text": words, "wer": word_error_rate(line.target_text, words, language)})


def _with_measures(line: LineReport, onsets: dict[str, float], similarity: dict[str, float], lips: Lips) -> LineReport:
    r, mae = lips.agreement.get(line.id, (None, None))
    measures = {
        "onset_error_s": onsets.get(line.id),
        "speaker_similarity": similarity.get(line.id),
        "aperture_r": r if r is not None and np.isfinite(r) else None,
        "aperture_mae": mae if mae is not None and np.isfinite(mae) else None,
    }
    return line.model_copy(update=measures)


def _measures(
    place: Workplace, source: Source, stems: Stems, movie: Path, heard: Heard, patches: tuple[Patch, ...] | None
) -> Measures:
    original = place.store.local_path(source.video)
    dialogue, source_rate_hz = place.samples(stems.dialogue)
    return Measures(
        source_samples=round(len(dialogue) * heard.sample_rate_hz / source_rate_hz),
        dub_samples=heard.decoded_samples,
        source_frames=frame_count(original),
        dub_frames=frame_count(movie),
        integrated_lufs=integrated_lufs(heard.samples, heard.sample_rate_hz, source.audio.channel_layout),
        true_peak_dbtp=true_peak_dbtp(heard.samples, heard.sample_rate_hz),
        wer=None,
        onset_error_mean_s=None,
        onset_error_p95_s=None,
        null_test_db=stems.null_test_db,
        video_packets_equal=_packets_equal(place, original, movie) if patches is None else None,
        outside_mask_psnr_db=None
        if patches is None
        else outside_patches_psnr_db(original, source.info, movie, patches),
    )


def _warnings(lines: tuple[LineReport, ...]) -> tuple[str, ...]:
    return tuple(
        f"{line.id} is {line.unfit_s:.2f} s too long and runs into what follows; shorten its text"
        for line in lines
        if line.unfit_s is not None and line.unfit_s > LEAST_UNFIT_S
    )


def _packets_equal(place: Workplace, original: Path, movie: Path) -> bool:
    return video_packet_hash(original, place.tools) == video_packet_hash(movie, place.tools)


def _over_lines(lines: tuple[LineReport, ...], onsets: dict[str, float], language: str) -> dict[str, float | None]:
    absolute = np.abs(list(onsets.values()))
    pairs = [(line.target_text or "", line.heard_text or "") for line in lines if line.wer is not None]
    return {
        "wer": pooled_word_error_rate(pairs, language),
        "onset_error_mean_s": float(absolute.mean()) if len(absolute) else None,
        "onset_error_p95_s": float(np.percentile(absolute, 95)) if len(absolute) else None,
    }
