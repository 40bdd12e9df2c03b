"""Open a file's picture and number its frames, so that all readers agree which frame is which and when it is shown."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.container
import av.video.stream
import numpy as np

from media.tools import OPENS, input_name
from schemas.errors import MediaError
from schemas.media import MediaInfo, VideoStream

# One packet is one shown frame here; elsewhere (VP8, packed MPEG-4, MPEG-2 fields) only decoding tells.
_ONE_PACKET_ONE_FRAME = frozenset({"h264", "hevc", "av1", "vp9", "prores", "mjpeg", "dnxhd", "ffv1"})
_STAMPED_CONTAINERS = frozenset({"mov", "matroska", "webm", "mpegts", "flv"})
_SEEKABLE_CONTAINERS = frozenset({"mov", "matroska", "webm"})
# Coders reorder by 16 frames at most: a key frame this far back leaves no wanted frame that leans on what is before it.
_SEEK_MARGIN_FRAMES = 40
_WORKING_PX = 1_000_000  # decoders allocate edges and scratch lines as pictures, too


@dataclass(frozen=True)
class FrameClock:
    """When each frame is shown.

    Attributes:
        pts: [N] int64, increasing, in units of `time_base`; the file's own time stamps.
        time_base: Seconds per unit.
        start_s: Time stamp of the file's time 0.
        is_stamped: A decoded frame carries its own time stamp; else frames are numbered by counting.
    """

    pts: np.ndarray
    time_base: Fraction
    start_s: float
    is_stamped: bool

    @property
    def times_s(self) -> np.ndarray:
        """[N] float64, seconds after the file's time 0."""
        return self.pts * float(self.time_base) - self.start_s

    def number_of(self, pts: int | None) -> int | None:
        """Return the number of the frame with this time stamp, or None."""
        if pts is None:
            return None
        number = int(np.searchsorted(self.pts, pts))
        return number if number < len(self.pts) and self.pts[number] == pts else None


@contextmanager
def open_media(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a file for reading. Raises: MediaError where libav gives up on it."""
    try:
        with av.open(input_name(path), metadata_errors="replace", options=OPENS) as container:
            yield container
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} does not decode ({reason}): it is damaged or of an unknown codec") from error


def video_of(info: MediaInfo, path: Path) -> VideoStream:
    """Return the picture's description. Raises: MediaError where there is none."""
    if info.video is None:
        raise MediaError(f"{path} has no picture: give a video, or keep the lips")
    return info.video


def picture_stream(container: av.container.InputContainer, index: int) -> av.video.stream.VideoStream:
    """Return stream `index`, which `media.probe` found to be a picture."""
    stream = container.streams[index]
    if not isinstance(stream, av.video.stream.VideoStream):
        raise MediaError(f"{container.name}: stream {index} is no picture: the file changed, run again")
    return stream


def decoded_frames(container: av.container.InputContainer, index: int) -> Iterator[av.VideoFrame]:
    """Decode stream `index` from where the container stands, in the order of showing.

    A packet that does not decode is skipped: its frame, and at times the one before it, is missing; the others
    keep their times.
    """
    stream = picture_stream(container, index)
    stream.codec_context.thread_type = "AUTO"
    stream.codec_context.options = {"max_pixels": str(_most_pixels(stream))}
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from (frame for frame in frames if isinstance(frame, av.VideoFrame))


def _most_pixels(stream: av.video.stream.VideoStream) -> int:
    """What the header says, and room to work: a picture that grows later on could ask for any memory."""
    return 4 * stream.codec_context.width * stream.codec_context.height + _WORKING_PX


def read_clock(path: Path, info: MediaInfo) -> FrameClock:
    """Find the time stamp of every frame: from the packets where that is exact, else by decoding."""
    index = video_of(info, path).index
    with open_media(path) as container:
        stream = picture_stream(container, index)
        time_base = stream.time_base or Fraction(1, av.time_base)
        packets = [packet for packet in container.demux(stream) if packet.size]
        stamps = sorted({packet.pts for packet in packets if packet.pts is not None and not packet.is_discard})
        if _packets_tell(info, packets):
            return FrameClock(np.array(stamps, np.int64), time_base, info.start_s, True)
        rate = stream.average_rate or Fraction(25)
    with open_media(path) as container:
        decoded = [frame.pts for frame in decoded_frames(container, index)]
    return FrameClock(_order(decoded, stamps, 1 / (rate * time_base)), time_base, info.start_s, False)


def numbered_frames(
    path: Path, info: MediaInfo, clock: FrameClock, first: int = 0
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode frames from number `first` on, with their numbers; frames that are damaged are left out."""
    index = video_of(info, path).index
    with open_media(path) as container:
        if clock.is_stamped and first > _SEEK_MARGIN_FRAMES and _SEEKABLE_CONTAINERS & set(info.container.split(",")):
            container.seek(int(clock.pts[first - _SEEK_MARGIN_FRAMES]), stream=container.streams[index])
        for count, frame in enumerate(decoded_frames(container, index)):
            number = clock.number_of(frame.pts) if clock.is_stamped else count
            if number is not None and first <= number < len(clock.pts):
                yield number, frame


def _packets_tell(info: MediaInfo, packets: Sequence[av.Packet]) -> bool:
    assert info.video is not None
    is_known = info.video.codec in _ONE_PACKET_ONE_FRAME and not _STAMPED_CONTAINERS.isdisjoint(
        info.container.split(",")
    )
    stamps = [packet.pts for packet in packets]
    if not is_known or not packets or None in stamps or len(set(stamps)) < len(stamps):
        return False
    # Frames before the first key frame do not decode, so there the packets would count too many.
    return packets[0].is_keyframe and packets[0].pts == min(stamp for stamp in stamps if stamp is not None)


def _order(decoded: Sequence[int | None], stamps: Sequence[int], step: Fraction) -> np.ndarray:
    known = [stamp for stamp in decoded if stamp is not None]
    if len(known) == len(decoded) and all(b > a for a, b in pairwise(known)):
        return np.array(known, np.int64)
    if len(stamps) == len(decoded):  # AVI stamps packets in coding order: sorted, they are the times of showing
        return np.array(stamps, np.int64)
    first = known[0] if known else 0
    return np.array([first + round(number * step) for number in range(len(decoded))], np.int64)
