"""New lips for a video's face, from a sound (V2V)."""

from pathlib import Path, PurePosixPath

from prefect import flow

from flows.form import form
from flows.performance import CheckedFaces, Made, check_faces_engine, check_files, finish, sound_of
from flows.plan import frames_to_draw
from media.mux import container_suffix
from models.performer.clip import check_lengths
from models.weights.known import JAMFLOW_TINY
from schemas.artifact import ArtifactRef
from schemas.dub import Take
from schemas.errors import RequestError
from schemas.media import TimeSpan
from schemas.performance_request import LipsyncRequest, PerformanceResult
from schemas.stages import RenderedLine, unseen_warnings
from tasks.clips import Clip, check_faces, clip_movie, open_sound, open_video
from tasks.faces import find_faces
from tasks.mouths import clip_motion, face_motions, main_faces
from tasks.outputs import prepare_folders
from tasks.perform import move_lips
from tasks.render import render_line
from tasks.stage import collect_stage_times
from tasks.workplace import Workplace, open_workplace

WEIGHTS = (JAMFLOW_TINY, "mediapipe-face-detection", "mediapipe-face-mesh", "facemesh-basis")


def check_lipsync(request: LipsyncRequest, place: Workplace) -> CheckedFaces[LipsyncRequest]:
    """Refuse early. Raises: RequestError, LengthMismatch, MediaError, WeightsError."""
    local = check_files(request, [request.out], place)
    video, audio = Path(local.video), Path(local.audio)
    picture = open_video(video, place)
    sound, _ = open_sound(audio, place)
    check_suffix(picture, request.out)
    check_lengths(sound.info.duration_s, picture.info.duration_s, audio.name, video.name)
    return check_faces_engine(local, WEIGHTS, place).drawing(frames_to_draw(picture.info, None))


def check_suffix(clip: Clip, out: str) -> None:
    """Raises: RequestError, where the output's name does not fit the container that holds the video's streams."""
    wanted = container_suffix(clip.info)
    if PurePosixPath(out).suffix.lower() != wanted:
        raise RequestError(f"{out}: the streams of {clip.path.name} go into {wanted}; name the output so")


@flow(name="lipsync-video")
@form(LipsyncRequest)
def lipsync_video(request: LipsyncRequest) -> PerformanceResult:
    """Re-animate the lips of the largest face of each shot to a sound; the video's own sound stays as a track."""
    place = open_workplace()
    checked = check_lipsync(request, place)
    video, audio = Path(checked.local.video), Path(checked.local.audio)
    prepare_folders([request.out], place.settings)
    with collect_stage_times() as times:
        clip = open_video(video, place)
        stored = place.store.put_file(video, f"video/{clip.info.container}")
        sound = sound_of(audio, place)
        faces = find_faces(stored, clip.info)
        check_faces(faces, video.name)
        motions = face_motions(stored, clip.info, faces, checked.faces_by)
        face = clip_motion(faces, motions, checked.faces_by.space, clip.info.duration_s)
        mouth = move_lips(sound, face.motion, "lipsync", request.seed, checked.engine)
        take = moved(sound, mouth, request.seed, clip.info.duration_s)
        span = TimeSpan(start_s=0.0, end_s=clip.info.duration_s)
        shown = main_faces(place, faces)
        rendered: RenderedLine = render_line(stored, clip.info, span, take, faces.tracks_ref, shown, checked.faces_by)
        movie = clip_movie(stored, clip.info, clip.sound, sound, rendered.patches)
    made = Made(
        files={request.out: place.store.get_bytes(movie)},
        mode="lipsync",
        duration_s=clip.info.duration_s,
        seen_share=face.seen_share,
        frames_rendered=sum(len(patch.frames) for patch in rendered.patches),
        frames_skipped=sum(patch.skipped for patch in rendered.patches),
        warnings=unseen_warnings(rendered.unseen),
    )
    return finish("lipsync", request, checked, times, made, place)


def moved(sound: ArtifactRef, mouth: ArtifactRef, seed: int, duration_s: float) -> Take:
    """A given sound and the mouth made for it, as the renderer takes them."""
    return Take(
        audio=sound,
        motion=mouth,
        engine="jamflow",
        seed=seed,
        duration_s=duration_s,
        speed=1.0,
        stretch=1.0,
        overflow_s=0.0,
        unfit_s=0.0,
        mode="lipsync",
    )
