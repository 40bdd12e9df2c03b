"""Re-animate a line's frames: native planes in, a lossless patch video of the changed rectangle out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from media.frames import to_coded_px
from media.planes import PlanarFrame, Planes, read_planes, working_pixel_format, write_patch_video
from models.face_model import RenderedLine
from models.facemesh.paint import Shape, paint
from models.facemesh.picture import Picture, yuv_sampling
from models.facemesh.plan import Drawing, moving_points, plan_drawing, region_around
from models.facemesh.space import moving_triangles
from models.facemesh.topology import LIP_POINTS
from models.facemesh.tracks import TrackData
from models.facemesh.warp import Region
from schemas.errors import MediaError
from schemas.media import MediaInfo, VideoStream
from schemas.progress import Advance


def render_line(
    source: Path,
    info: MediaInfo,
    data: TrackData,
    frame_times_s: np.ndarray,
    asked: np.ndarray,
    wanted_frames: np.ndarray,
    *,
    patch_path: Path,
    on_progress: Advance | None = None,
) -> RenderedLine:
    """Draw the asked mouths onto a face.

    Outside the moving skin and the mouth the patch holds the source's own pixels, bit for bit.

    Args:
        data: The track of the face that speaks.
        frame_times_s: [N] times of all source frames (frame numbers beyond them are refused).
        asked: [k, m] mouths in the face's own proportions (see `retarget`), one for each wanted frame.
        wanted_frames: [k] increasing source frame numbers.
        patch_path: Where to write the patch.
        on_progress: Called with (frames done, frames to draw).

    Raises: MediaError, where the source does not decode any more.
    """
    video = info.video
    if video is None or (len(wanted_frames) and int(wanted_frames[-1]) >= len(frame_times_s)):
        raise MediaError(f"{source}: the frames asked for are not in its picture: was the file replaced?")
    drawing = plan_drawing(data, wanted_frames, asked)
    if drawing is None:
        return RenderedLine(0, 0, 0, 0, (), 0, len(wanted_frames), ())
    artist = _Artist(source, info, video, data, drawing)
    region, drawn = artist.region, []

    def pictures() -> Iterator[Planes]:
        for number, planes in artist.draw():
            drawn.append(number)
            yield planes
            if on_progress:
                on_progress(len(drawn), len(drawing.rows))

    write_patch_video(
        patch_path, pictures(), pixel_format=working_pixel_format(video), width=region.width, height=region.height
    )
    undecoded = len(drawing.rows) - len(drawn)
    opening = dict(zip(data.frames[drawing.rows].tolist(), drawing.aperture.tolist(), strict=True))
    return RenderedLine(
        x=region.x,
        y=region.y,
        width=region.width,
        height=region.height,
        frames=tuple(drawn),
        bounded=drawing.bounded,
        skipped=drawing.skipped + undecoded,
        aperture=tuple(opening[number] for number in drawn),
    )


class _Artist:
    """Everything that drawing one line needs; holds the bank's pictures and one frame at a time."""

    def __init__(self, source: Path, info: MediaInfo, video: VideoStream, data: TrackData, drawing: Drawing) -> None:
        self._source, self._info, self._video = source, info, video
        self._data, self._drawing = data, drawing
        self._before = to_coded_px(drawing.before, video)
        self._after = to_coded_px(drawing.after, video)
        self._border = moving_points()
        outline = np.stack([self._before[:, self._border], self._after[:, self._border]])
        self.region = region_around(outline, float(drawing.eyes_px.max()), video.width, video.height)
        self._bank = self._read_bank()

    def draw(self) -> Iterator[tuple[int, Planes]]:
        """Yield (source frame number, planes of `region`), in order."""
        numbers = [int(number) for number in self._data.frames[self._drawing.rows]]
        places = {number: place for place, number in enumerate(numbers)}
        for frame in read_planes(self._source, self._info, numbers):
            yield frame.index, self._draw_one(frame, places[frame.index])

    def _draw_one(self, frame: PlanarFrame, k: int) -> Planes:
        eyes_px = float(self._drawing.eyes_px[k])
        own = self._picture(frame, self.region, self._before[k], eyes_px)
        outline = np.stack([self._before[k, self._border], self._after[k, self._border]])
        region = region_around(outline, eyes_px, self._video.width, self._video.height)
        shape = Shape(self._after[k], moving_triangles(), eyes_px, region)
        weights = self._drawing.bank.weights(float(self._drawing.aperture[k]))
        mouths = [(weight, self._bank[entry]) for entry, weight in weights if entry in self._bank]
        drawn = paint(own, shape, mouths or [(1.0, own)], float(self._drawing.share[k]))
        for index, plane in enumerate(drawn):
            own.crop(index, region)[...] = plane
        return own.planes

    def _read_bank(self) -> dict[int, Picture]:
        drawing, video = self._drawing, self._video
        entries = {int(self._data.frames[row]): entry for entry, row in enumerate(drawing.bank.rows)}
        pictures = {}
        for frame in read_planes(self._source, self._info, sorted(entries)):
            row = drawing.bank.rows[entries[frame.index]]
            points, eyes_px = to_coded_px(drawing.track_points[row], video), float(drawing.track_eyes_px[row])
            region = region_around(points[LIP_POINTS], 4 * eyes_px, video.width, video.height)
            pictures[entries[frame.index]] = self._picture(frame, region, points, eyes_px)
        return pictures

    def _picture(self, frame: PlanarFrame, region: Region, points: np.ndarray, eyes_px: float) -> Picture:
        highest = 1023 if working_pixel_format(self._video).endswith("10le") else 255
        sampling = yuv_sampling(frame.chroma_shift, highest)
        height, width = frame.planes[0].shape
        whole = Picture(frame.planes, Region(0, 0, width, height), sampling, points, eyes_px)
        y, u, v = (whole.crop(index, region).copy() for index in range(3))
        return Picture((y, u, v), region, sampling, points, eyes_px)
