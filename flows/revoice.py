"""Speech from a video's mouth alone."""

from pathlib import Path

from prefect import flow

from flows.form import form
from flows.lipsync import check_suffix
from flows.performance import CheckedFaces, Made, check_faces_engine, check_files, check_voice, find_voice, finish
from models.performer.face import LEAST_SEEN_SHARE
from models.weights.known import JAMFLOW_TINY
from schemas.dub import Take
from schemas.performance_request import PerformanceResult, RevoiceRequest
from tasks.clips import check_faces, clip_movie, open_video
from tasks.faces import find_faces
from tasks.mouths import clip_motion, face_motions
from tasks.outputs import prepare_folders
from tasks.perform import voice_mouth
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (
    *(JAMFLOW_TINY, "mediapipe-face-detection", "mediapipe-face-mesh", "facemesh-basis", "audio-to-mouth"),
    *("whisper-base", "silero-vad", "speaker-encoder"),
)


def check_revoice(request: RevoiceRequest, place: Workplace) -> CheckedFaces[RevoiceRequest]:
    """Refuse early. Raises: RequestError, MediaError, WeightsError."""
    local = check_files(request, [request.out], place)
    check_suffix(open_video(Path(local.video), place), request.out)
    return check_faces_engine(local, WEIGHTS, place, check_voice(local, "revoice", None, place))


@flow(name="revoice-video")
@form(RevoiceRequest)
def revoice_video(request: RevoiceRequest) -> PerformanceResult:
    """Make speech that moves as the largest face's mouth does; the picture is copied, its sound kept as a track."""
    place = open_workplace()
    checked = check_revoice(request, place)
    here = checked.local
    video = Path(here.video)
    prepare_folders([request.out], place.settings)
    with collect_stage_times() as times:
        clip = open_video(video, place)
        stored = place.store.put_file(video, f"video/{clip.info.container}")
        voice = find_voice(here, here.reference_language, checked.engine, place)
        faces = find_faces(stored, clip.info)
        check_faces(faces, video.name)
        motions = face_motions(stored, clip.info, faces, checked.faces_by)
        face = clip_motion(faces, motions, checked.faces_by.space, clip.info.duration_s)
        take: Take = voice_mouth(face.motion, voice, request.takes, request.seed, checked.engine)
        movie = clip_movie(stored, clip.info, clip.sound, take.audio, None)
    warnings = (
        (f"the mouth is seen in only {face.seen_share:.0%} of {video.name}: the rest is guessed or silent",)
        if face.seen_share < LEAST_SEEN_SHARE
        else ()
    )
    made = Made(
        files={request.out: place.store.get_bytes(movie)},
        mode="revoice",
        duration_s=take.duration_s,
        voice=voice,
        takes=take.scores,
        seen_share=face.seen_share,
        warnings=warnings,
    )
    return finish("revoice", request, checked, times, made, place)
