"""Small real clips, made once a session by ffmpeg."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from media.tools import Tools, find_tools, input_name, run_ffmpeg

MakeClip = Callable[..., Path]
PICTURE = "testsrc2=size=96x64:rate=25:duration=1.5"
SOUND = "sine=frequency=440:sample_rate=44100:duration=1.5"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-threads", "1", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac")


@pytest.fixture(scope="session")
def tools() -> Tools:
    return find_tools(timeout_s=120)


@pytest.fixture(scope="session")
def make_clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> MakeClip:
    """Return make(name, *ffmpeg arguments): the clip's path; each name is made once."""
    folder = tmp_path_factory.mktemp("clips")

    def make(name: str, *args: str) -> Path:
        path = folder / name
        if not path.exists():
            run_ffmpeg(tools, [*args, input_name(path)])
        return path

    return make


@pytest.fixture(scope="session")
def clips(make_clip: MakeClip) -> dict[str, Path]:
    """Return every kind of input that the tests of several modules share."""
    picture, sound = ("-f", "lavfi", "-i", PICTURE), ("-f", "lavfi", "-i", SOUND)
    both = (*picture, *sound)
    uneven = "settb=1/90000,setpts='(N*0.04+if(lt(N,10),0,0.013*mod(N,3)))/TB'"
    surround = "sine=frequency=440:sample_rate=48000:duration=1.5,pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"
    hdr = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"
    plain = make_clip("plain.mp4", *both, *H264, *AAC)
    still = make_clip("cover.png", *picture, "-frames:v", "1")
    copied = ("-i", input_name(plain), "-c", "copy")
    vfr_times = ("-fps_mode", "vfr", "-enc_time_base", "1:90000", "-video_track_timescale", "90000")
    late = ("-itsoffset", "0.3", *sound)
    return {
        "plain": plain,
        "rotated": make_clip("rotated.mp4", "-display_rotation", "90", *copied),
        "vfr": make_clip("vfr.mp4", *both, "-vf", f"{uneven},setsar=4/3", *vfr_times, *H264, *AAC),
        "late": make_clip("late.mp4", *picture, *late, *H264, "-c:a", "flac"),
        "late_mkv": make_clip("late.mkv", *picture, *late, *H264, "-c:a", "pcm_s16le"),
        "late_picture": make_clip("late_picture.mp4", "-itsoffset", "0.3", *picture, *sound, *H264, *AAC),
        "edited": make_clip("edited.mp4", "-ss", "0.33", *copied),
        "silent": make_clip("silent.mp4", *picture, *H264),
        "sound_only": make_clip("sound.m4a", *sound, *AAC),
        "cover": make_clip(
            "cover.mp4", *sound, "-i", input_name(still), "-map", "0", "-map", "1", *AAC, "-c:v", "copy",
            "-disposition:v:0", "attached_pic",
        ),
        "surround": make_clip("surround.mp4", *picture, "-f", "lavfi", "-i", surround, *H264, *AAC),
        "two_tracks": make_clip(
            "two.mkv", *both, *sound, "-map", "0", "-map", "1", "-map", "2", *H264, *AAC,
            "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger", "-metadata:s:a:1", "title=Kommentar",
            "-disposition:a:0", "0", "-disposition:a:1", "default",
        ),
        "ten_bit": make_clip("ten.mp4", *both, "-vf", hdr, *H264[:-1], "yuv420p10le", *AAC),
        "webm": make_clip("v.webm", *both, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
        "avi": make_clip("v.avi", *both, "-c:v", "mpeg4", "-c:a", "mp3"),
        "ts": make_clip("v.ts", *both, *H264, *AAC),
        "odd": make_clip("odd.mkv", *both, "-vf", "scale=97:65", "-c:v", "ffv1", "-pix_fmt", "yuv420p", *AAC),
        "one_frame": make_clip("one.mp4", *both, "-frames:v", "1", *H264, *AAC),
    }  # fmt: skip


def is_gone(process_id: int, seconds: float = 5) -> bool:
    """Whether a process ends in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{process_id}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # gone before it is opened, or before it is read
            return True
        if ") Z" in status:  # a zombie waits only to be counted
            return True
        time.sleep(0.05)
    return False
