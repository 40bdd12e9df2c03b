"""Open the request's files before any work begins, then extract the sound that is dubbed."""

from pathlib import Path

from media.audio_io import extract_audio as extract_audio_file
from media.probe import choose_audio, probe
from media.subtitles import read_script
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest
from schemas.errors import MediaError
from schemas.media import AudioStream, MediaInfo
from schemas.speech import Cue
from schemas.stages import Source
from storage.places import fetch
from tasks.stage import stage_task
from tasks.workplace import WAV, Workplace, open_workplace

SILENCE_PEAK = 1e-5
"""-100 dBFS: no recording of anything is quieter."""


def fetch_inputs(request: DubRequest, place: Workplace) -> DubRequest:
    """The same request with its files on this disk: those in a bucket are fetched, once for as long as they stay.

    Raises: RequestError, StorageError: see storage.places.
    """
    named = {name: getattr(request, name) for name in ("video", "script", "consent")}
    here = {name: str(fetch(file, place.settings)) for name, file in named.items() if file is not None}
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
