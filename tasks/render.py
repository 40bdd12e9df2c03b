"""Re-animate the lips of one line, and show them before and after."""

import numpy as np

from media.frames import read_upright
from models.audio_to_mouth.predict import neutral
from models.face_model import FaceModel, Film, Shown
from models.facemesh.sheet import contact_sheet, face_crop
from models.facemesh.tracks import TrackArrays, TrackData
from models.motion import Motion
from models.unseen import nearest_track, unseen_spans
from schemas.artifact import ArtifactRef
from schemas.dub import Patch, Take
from schemas.media import MediaInfo, TimeSpan
from schemas.motion import FaceModelRef, LineFaces
from schemas.progress import report
from schemas.stages import RenderedLine
from tasks.face_models import open_face_model
from tasks.stage import stage_task
from tasks.workplace import Workplace, open_workplace

SHEET_FRAMES = 12


@stage_task("render", version=3, weights=("facemesh-basis", "audio-to-mouth"), heavy=True)
def render_line(
    video: ArtifactRef,
    info: MediaInfo,
    span: TimeSpan,
    take: Take,
    tracks_ref: ArtifactRef,
    faces: LineFaces,
    by: FaceModelRef,
) -> RenderedLine:
    """Move a take's mouth onto every track that shows the line's speaker; nothing else is touched.

    Frames that no track shows are counted with the nearest one's.
    """
    place = open_workplace()
    assert take.motion is not None, "a take for re-animation carries motion"
    arrays = TrackArrays.from_bytes(place.store.get_bytes(tracks_ref))
    motion = Motion.from_bytes(place.store.get_bytes(take.motion))
    film = Film(place.store.local_path(video), info, arrays.frame_times_s)
    shown = Shown(motion, span.start_s, neutral() if take.engine == "cascade" else None)
    end_s = max(span.end_s, span.start_s + take.duration_s)
    model = open_face_model(place, by)
    times_s = film.frame_times_s
    wanted = np.flatnonzero((times_s >= span.start_s) & (times_s < end_s)).astype(np.int32)
    owner = nearest_track([arrays.tracks[name].frames for name in faces.track_ids], wanted)
    patches = tuple(
        _patch(place, model, film, arrays.tracks[name], shown, wanted[owner == index], name, faces.line_id)
        for index, name in enumerate(faces.track_ids)
    )
    drawn = {frame for patch in patches for frame in patch.frames}
    return RenderedLine(patches=patches, unseen=unseen_spans(times_s, span, drawn))


def _patch(
    place: Workplace,
    model: FaceModel,
    film: Film,
    track: TrackData,
    shown: Shown,
    wanted: np.ndarray,
    track_id: str,
    line_id: str,
) -> Patch:
    with place.scratch() as folder:
        path = folder / "patch.mkv"
        rendered = model.render_line(
            film,
            track,
            shown,
            wanted,
            patch_path=path,
            on_progress=lambda done, total: report("render", done, total, line_id),
        )
        stored = place.store.put_file(path, "video/x-matroska") if rendered.frames else None
    return Patch(
        line_id=line_id,
        track_id=track_id,
        video=stored,
        x=rendered.x,
        y=rendered.y,
        width=rendered.width,
        height=rendered.height,
        frames=rendered.frames,
        bounded=rendered.bounded,
        skipped=rendered.skipped,
        aperture=rendered.aperture,
    )


@stage_task("sheet", version=1)
def lip_sheet(
    video: ArtifactRef, info: MediaInfo, movie: ArtifactRef, patches: tuple[Patch, ...], tracks_ref: ArtifactRef
) -> ArtifactRef:
    """Show faces before and after, at frames spread over all re-animated lines."""
    place = open_workplace()
    arrays = TrackArrays.from_bytes(place.store.get_bytes(tracks_ref))
    chosen = _spread([(frame, patch.track_id) for patch in patches for frame in patch.frames])
    before, after = (_faces(place, ref, info, arrays, chosen) for ref in (video, movie))
    return place.store.put_bytes(contact_sheet(before, after), "image/png")


def _spread(candidates: list[tuple[int, str]]) -> dict[int, str]:
    picks = np.linspace(0, len(candidates) - 1, min(SHEET_FRAMES, len(candidates))).round().astype(int)
    return {candidates[index][0]: candidates[index][1] for index in picks}


def _faces(
    place: Workplace, ref: ArtifactRef, info: MediaInfo, arrays: TrackArrays, chosen: dict[int, str]
) -> list[np.ndarray]:
    crops = []
    for frame in read_upright(place.store.local_path(ref), info, max_side_px=1920):
        if frame.index in chosen:
            track = arrays.tracks[chosen[frame.index]]
            points = track.landmarks[np.searchsorted(track.frames, frame.index)] / frame.scale
            crops.append(face_crop(frame.rgb, points))
        if frame.index >= max(chosen):
            break
    return crops
