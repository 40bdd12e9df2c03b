"""What a dub would do and how long it would take, without doing it."""

from dataclasses import dataclass

from schemas.dub import DubRequest
from schemas.media import MediaInfo

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


def plan(request: DubRequest, info: MediaInfo, lines: int | None) -> tuple[PlannedStage, ...]:
    """List the stages that would run, in order, with estimated seconds."""
    what = _descriptions(request, info, lines)
    cost = {**CPU_S_PER_S, **({"speak": TAKE_CPU_S_PER_S * request.takes} if request.engine == "jamflow" else {})}
    return tuple(PlannedStage(name, what[name], cost[name] * info.duration_s) for name in planned_stages(request))


def planned_stages(request: DubRequest) -> tuple[str, ...]:
    """Names of the stages that a request runs through, in order."""
    unused = frozenset[str]()
    unused |= frozenset() if request.sees_faces else FACE_STAGES
    unused |= frozenset() if request.lips == "reanimate" else LIP_STAGES
    unused |= frozenset() if request.engine == "jamflow" else JOINT_STAGES
    return tuple(name for name in CPU_S_PER_S if name not in unused)


def _descriptions(request: DubRequest, info: MediaInfo, lines: int | None) -> dict[str, str]:
    picture = "re-encoded once (x264, CRF 16)" if request.lips == "reanimate" else "stream-copied"
    script = f"{lines} cues of {request.script}" if request.script else f"translation to {request.target_language}"
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
