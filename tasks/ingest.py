"""Open the request's files before any work begins, then extract the sound that is dubbed."""

from pathlib import Path
from typing import TypeVar

from media.audio_io import extract_audio as extract_audio_file
from media.probe import choose_audio, probe
from media.subtitles import read_script
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import MediaError
from schemas.media import AudioStream, MediaInfo
from schemas.speech import Cue
from schemas.stages import Source
from schemas.value import Value
from storage.places import fetch
from tasks.stage import stage_task
from tasks.workplace import WAV, Workplace, open_workplace

SILENCE_PEAK = 1e-5
"""-100 dBFS: no recording of anything is quieter."""
INPUTS = ("video", "portrait", "audio", "script", "reference", "consent")
"""Fields of requests that name a file to be read."""

Asked = TypeVar("Asked", bound=Value)


def input_places(request: Value) -> dict[str, str]:
    """The files that a request names, by its fields: paths, or URLs of a bucket's objects."""
    named = {name: getattr(request, name, None) for name in INPUTS}
    return {name: place for name, place in named.items() if place is not None}


def fetch_inputs(request: Asked, place: Workplace) -> Asked:
    """The same request with its files on this disk: those in a bucket are fetched, once for as long as they stay.

    Raises: RequestError, StorageError: see storage.places.
    """
    here = {name: str(fetch(file, place.settings)) for name, file in input_places(request).items()}
    return request.model_copy(update=here)


def inspect_source(request: DubRequest, place: Workplace) -> tuple[MediaInfo, AudioStream]:
    """Probe the video and choose its sound; nothing is stored.

    Raises: RequestError, MediaError: see media.probe.
    """
    path = Path(request.video)
    info = probe(path, place.tools, place.settings)
    if info.video is None:
        raise MediaError(f"{path}: there is no picture in this file; a dub needs a video")
    return info, choose_audio(info, path, request.audio_track)


def open_source(request: DubRequest, place: Workplace) -> Source:
    """Probe the video and put it into the store under its content hash."""
    info, audio = inspect_source(request, place)
    path = Path(request.video)
    return Source(video=place.store.put_file(path, f"video/{info.container}"), name=path.name, info=info, audio=audio)


def read_cues(request: DubRequest) -> tuple[Cue, ...] | None:
    """Read the user's own script, if one is given. Raises: RequestError, see media.subtitles."""
    return read_script(Path(request.script)) if request.script else None


@stage_task("ingest", version=1)
def extract_audio(video: ArtifactRef, audio: AudioStream) -> ArtifactRef:
    """Extract one sound stream at its own rate and layout; sample 0 is time zero of the file."""
    place = open_workplace()
    with place.scratch() as folder:
        wav = folder / "audio.wav"
        extract_audio_file(place.store.local_path(video), audio, wav, place.tools)
        ref = place.store.put_file(wav, WAV)
    samples, _ = place.samples(ref)
    if samples.size == 0 or abs(samples).max() < SILENCE_PEAK:
        raise MediaError(
            f"audio stream {audio.index} is digitally silent: there is no speech to dub; "
            "choose another with --audio-track, or another file"
        )
    return ref
