"""A portrait brought to speech by a sound (I2V)."""

from pathlib import Path

from prefect import flow

from flows.performance import CheckedFaces, Made, check_faces_engine, check_files, finish, sound_of
from models.performer.clip import motion_frames
from models.weights.known import JAMFLOW_TINY
from schemas.errors import RequestError
from schemas.performance_request import AnimateRequest, PerformanceResult
from tasks.clips import animate_portrait as draw_portrait
from tasks.clips import open_sound, portrait_face, portrait_landmarks
from tasks.outputs import prepare_folders
from tasks.perform import move_lips
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (JAMFLOW_TINY, "mediapipe-face-mesh", "facemesh-basis")


def check_animate(request: AnimateRequest, place: Workplace) -> CheckedFaces:
    """Refuse early: the portrait's face is looked for already here. Raises: RequestError, MediaError, WeightsError."""
    portrait, audio, out = Path(request.portrait), Path(request.audio), Path(request.out)
    if out.suffix.lower() != ".mp4":
        raise RequestError(f"{out}: an animated portrait is written as .mp4; choose such a name for --out")
    check_files(request, [out], [portrait, audio])
    open_sound(audio, place)
    portrait_landmarks(portrait, str(portrait))
    return check_faces_engine(request, WEIGHTS, place)


@flow(name="animate-portrait")
def animate_portrait(request: AnimateRequest) -> PerformanceResult:
    """Move a portrait's mouth to a sound, at 25 frames a second."""
    place = open_workplace()
    checked = check_animate(request, place)
    portrait, audio = Path(request.portrait), Path(request.audio)
    prepare_folders([Path(request.out)])
    with collect_stage_times() as times:
        stored = place.store.put_file(portrait, f"image/{portrait.suffix[1:].lower()}")
        sound = sound_of(audio, place)
        samples, rate_hz = place.samples(sound)
        face = portrait_face(stored, portrait.name, motion_frames(len(samples) / rate_hz), checked.faces_by)
        mouth = move_lips(sound, face, "animate", request.seed, checked.engine)
        movie = draw_portrait(stored, portrait.name, mouth, sound, checked.faces_by)
    made = Made(
        files={Path(request.out): place.store.get_bytes(movie)},
        mode="animate",
        duration_s=len(samples) / rate_hz,
        frames_rendered=motion_frames(len(samples) / rate_hz),
    )
    return finish("animate", request, [portrait, audio], checked, times, made)
