"""What a dub will cost, told before it starts."""

import pytest

from flows.plan import CPU_S_PER_S, drawing_told, frames_to_draw, plan
from models.liveportrait.cost import READING_SHARE, frame_cpu_s
from schemas.dub import DubRequest
from schemas.media import AudioStream, MediaInfo, TimeSpan, VideoStream
from schemas.speech import Cue

REQUEST = DubRequest(video="a.mp4", target_language="es", script="a.srt", engine="jamflow", lips="reanimate")
CUES = tuple(Cue(span=TimeSpan(start_s=start, end_s=start + 1.5), text="Hola.") for start in (0.0, 4.0))


def film(frame_rate_hz: float = 25.0, duration_s: float = 10.0) -> MediaInfo:
    video = VideoStream.model_construct(index=0, frame_rate_hz=frame_rate_hz)
    return MediaInfo.model_construct(
        container="mp4", duration_s=duration_s, video=video, audio=(AudioStream.model_construct(index=1),)
    )


def test_the_frames_of_the_cues_are_drawn_or_all() -> None:
    assert frames_to_draw(film(), CUES) == 75 and frames_to_draw(film(), None) == 250
    assert frames_to_draw(film(duration_s=2.0), CUES) == 50, "never more than there are"


def test_drawing_decides_how_long_a_dub_takes_where_frames_are_dear() -> None:
    usual = {stage.name: stage for stage in plan(REQUEST, film(), CUES, None)}
    dear = {stage.name: stage for stage in plan(REQUEST, film(), CUES, 12.0)}
    assert usual["render"].seconds == CPU_S_PER_S["render"] * 10
    assert dear["render"].seconds == 12 * 75 and dear["motions"].seconds == pytest.approx(12 * READING_SHARE * 250)
    assert "LivePortrait draws at most 75 frames on the CPU, 12 CPU s each, 15 min in all" in dear["render"].what
    others = usual.keys() - {"render", "motions"}
    assert all(usual[name] == dear[name] for name in others) and usual.keys() == dear.keys()


@pytest.mark.parametrize(("frames", "told"), [(2, "1 min"), (100, "20 min"), (599, "120 min"), (3000, "10.0 h")])
def test_long_times_are_told_in_hours(frames: int, told: str) -> None:
    assert drawing_told(frames, 12.0).endswith(f"{told} in all")


def test_the_cost_of_a_frame_is_measured_here_and_kept() -> None:
    assert 1 < frame_cpu_s() == frame_cpu_s() < 1000
