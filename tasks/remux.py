"""The finished file: picture, dub, original sound, subtitles."""

from pathlib import Path

from media.encode import encode_picture
from media.mux import AudioTrack, SubtitleTrack, container_suffix, remux
from media.subtitles import write_srt, write_webvtt
from schemas.dub import Patch
from schemas.media import TimeSpan
from schemas.stages import DubMix, Movie, Source, SpokenLine
from tasks.stage import stage_task
from tasks.workplace import Workplace, open_workplace

SYNTHETIC_NOTICE = "This dub contains synthetic speech made with jamdub."
SYNTHETIC_LIPS_NOTICE = "This dub contains synthetic speech and re-animated lips made with jamdub."


@stage_task("remux", version=1)
def make_movie(
    source: Source, sound: DubMix, spoken: tuple[SpokenLine, ...], patches: tuple[Patch, ...] | None, language: str
) -> Movie:
    """Encode the picture once where lips changed (patches given), else copy it; then put all tracks together."""
    place = open_workplace()
    captions = _captions(spoken)
    srt = write_srt(captions)
    with place.scratch() as folder:
        subtitles = folder / "dub.srt"
        subtitles.write_text(srt, encoding="utf-8")
        suffix = container_suffix(source.info)
        movie = folder / f"dub{suffix}"
        original = place.store.local_path(source.video)
        remux(
            original,
            source.info,
            picture=_picture(place, source, patches, folder) if patches is not None else None,
            dub=AudioTrack(place.store.local_path(sound.audio), language, f"Dub ({language}, synthetic)"),
            original=source.audio,
            subtitles=[SubtitleTrack(subtitles, language, f"Dub ({language})")] if captions else [],
            destination=movie,
            tools=place.tools,
            metadata={"comment": SYNTHETIC_NOTICE if patches is None else SYNTHETIC_LIPS_NOTICE},
        )
        video = place.store.put_file(movie, f"video/{suffix[1:]}")
    return Movie(video=video, suffix=suffix, srt=srt, webvtt=write_webvtt(captions))


def _captions(spoken: tuple[SpokenLine, ...]) -> list[tuple[TimeSpan, str]]:
    """When each dubbed line is really heard: its take's length, not the original's."""
    return [
        (TimeSpan(start_s=item.line.span.start_s, end_s=item.line.span.start_s + item.take.duration_s), text)
        for item in spoken
        if item.take is not None and (text := item.line.target_text)
    ]


def _picture(place: Workplace, source: Source, patches: tuple[Patch, ...], folder: Path) -> Path:
    picture = folder / "picture.mkv"
    stored = [(patch, place.store.local_path(patch.video)) for patch in patches if patch.video is not None]
    encode_picture(place.store.local_path(source.video), source.info, stored, picture)
    return picture
