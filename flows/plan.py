"""What a dub would do and how long it would take, without doing it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.liveportrait.cost import READING_SHARE
from schemas.dub import DubRequest
from schemas.media import MediaInfo
from schemas.speech import Cue

START_S = 25.0
"""Starting Prefect's own server and loading the models."""

CPU_S_PER_S: dict[str, float] = {
    "ingest": 0.02,
    "separate": 0.25,
    "transcribe": 0.45,
    "script": 0.01,
    "faces": 0.60,
    "bind": 0.02,
    "motions": 0.01,
    "mouths": 0.01,
    "cast": 0.05,
    "speak": 0.90,
    "render": 1.00,
    "mix": 0.05,
    "remux": 0.50,
    "verify": 0.60,
}
"""CPU seconds by second of video on one core, as docs/performance.md measured them."""

TAKE_CPU_S_PER_S = 2.0
"""The same for one take of engine jamflow, which is performed and listened to."""

FACE_STAGES, LIP_STAGES = frozenset({"faces", "bind"}), frozenset({"render"})
JOINT_STAGES = frozenset({"motions", "mouths"})


@dataclass(frozen=True)
class PlannedStage:
    """One stage of the plan; seconds are an estimate for this machine class."""

    name: str
    what: str
    seconds: float


def plan(
    request: DubRequest, info: MediaInfo, cues: Sequence[Cue] | None, frame_cpu_s: float | None
) -> tuple[PlannedStage, ...]:
    """List the stages that would run, in order, with estimated seconds.

    Args:
        frame_cpu_s: Of each frame that is drawn, where that decides how long it takes.
    """
    what = _descriptions(request, info, cues)
    cost = {**CPU_S_PER_S, **({"speak": TAKE_CPU_S_PER_S * request.takes} if request.engine == "jamflow" else {})}
    seconds = {name: each * info.duration_s for name, each in cost.items()}
    if frame_cpu_s is not None:
        seconds["render"] = frame_cpu_s * frames_to_draw(info, cues)
        seconds["motions"] = frame_cpu_s * READING_SHARE * frames_to_draw(info, None)
        what["render"] += f": {drawing_told(frames_to_draw(info, cues), frame_cpu_s)}"
    return tuple(PlannedStage(name, what[name], seconds[name]) for name in planned_stages(request))


def frames_to_draw(info: MediaInfo, cues: Sequence[Cue] | None) -> int:
    """Frames of a video in which somebody may speak: those of its cues, or all of them."""
    assert info.video is not None, "lips are changed in a picture"
    seconds = info.duration_s if cues is None else sum(cue.span.duration_s for cue in cues)
    return math.ceil(min(seconds, info.duration_s) * info.video.frame_rate_hz)


def drawing_told(frames: int, frame_cpu_s: float) -> str:
    """How long drawing will take."""
    whole_s = frames * frame_cpu_s
    told = f"{whole_s / 3600:.1f} h" if whole_s >= 2 * 3600 else f"{max(1, round(whole_s / 60))} min"
    return f"LivePortrait draws at most {frames} frames on the CPU, {frame_cpu_s:.0f} CPU s each, {told} in all"


def planned_stages(request: DubRequest) -> tuple[str, ...]:
    """Names of the stages that a request runs through, in order."""
    unused = frozenset[str]()
    unused |= frozenset() if request.sees_faces else FACE_STAGES
    unused |= frozenset() if request.lips == "reanimate" else LIP_STAGES
    unused |= frozenset() if request.engine == "jamflow" else JOINT_STAGES
    return tuple(name for name in CPU_S_PER_S if name not in unused)


def _descriptions(request: DubRequest, info: MediaInfo, cues: Sequence[Cue] | None) -> dict[str, str]:
    picture = "re-encoded once (x264, CRF 16)" if request.lips == "reanimate" else "stream-copied"
    script = (
        f"{len(cues)} cues of {request.script}" if cues is not None else f"translation to {request.target_language}"
    )
    speakers = f"{request.speakers} speakers" if request.speakers else "speakers detected"
    return {
        "ingest": f"{info.duration_s:.2f} s, {len(info.audio)} audio streams",
        "separate": "dialogue, music and effects",
        "transcribe": f"{request.source_language or 'language detected'}, {speakers}",
        "script": script,
        "faces": "shots, face tracks, 478 landmarks each frame",
        "bind": "which face speaks which line",
        "motions": "what every face does, in the engine's motion space",
        "mouths": "the speaking face of each line, at 25 fps",
        "cast": "each speaker's own voice" if request.clones else "one packaged voice for each speaker",
        "speak": f"engine {request.engine}" + (f", {request.takes} takes" if request.engine == "jamflow" else ""),
        "render": "lips of on-screen lines",
        "mix": f"loudness profile {request.loudness}",
        "remux": f"picture {picture}",
        "verify": "the finished file is decoded and measured",
    }
