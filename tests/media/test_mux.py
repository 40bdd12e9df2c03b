import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.audio_io import extract_audio, read_audio, write_audio
from media.compare import video_packet_hash
from media.encode import encode_picture
from media.frames import frame_times_s
from media.language_tags import bcp_47, iso_639_2
from media.mux import AudioTrack, SubtitleTrack, container_suffix, decoded_samples, remux
from media.probe import choose_audio, probe
from media.tools import Tools
from schemas.errors import StorageError

Clips = dict[str, Path]
KEPT = "plain rotated vfr late late_picture edited two_tracks webm avi ts ten_bit one_frame surround".split()
SRT = "1\n00:00:00,500 --> 00:00:01,000\nHola, ¿qué tal?\n\n"


def _remux(
    source: Path, tools: Tools, folder: Path, *, wav: Path | None = None, encode: bool = False, **kwargs
) -> Path:
    info = probe(source, tools)
    original = choose_audio(info, source, None)
    if wav is None:
        wav = folder / "dub.wav"
        extract_audio(source, original, wav, tools)
    picture = folder / "picture.mp4" if encode else None
    if picture is not None:
        encode_picture(source, info, [], picture)
    destination = kwargs.pop("destination", folder / f"out{container_suffix(info)}")
    remux(
        source, info, picture=picture, dub=AudioTrack(wav, "es-MX", "Español"), original=original,
        subtitles=kwargs.pop("subtitles", ()), destination=destination, tools=tools, **kwargs,
    )  # fmt: skip
    return destination


def _decoded(path: Path, number: int) -> np.ndarray:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=number)]
        planar = next(iter(container.streams.audio)).format.is_planar
    return np.concatenate(frames, axis=1)[0] if planar else np.concatenate([frame.ravel() for frame in frames])


@given(
    frames=st.integers(1, 9000),
    rate=st.sampled_from([8000, 16000, 22050, 24000, 44100, 48000]),
    name=st.sampled_from(["plain", "webm"]),
)
@settings(max_examples=12, deadline=None)
def test_the_dub_is_as_long_as_its_wav_in_both_decoders(
    clips: Clips, tools: Tools, tmp_path_factory, frames: int, rate: int, name: str
) -> None:
    folder = tmp_path_factory.mktemp("mux")
    write_audio(folder / "dub.wav", np.zeros(frames, np.float32), rate)
    made = _remux(clips[name], tools, folder, wav=folder / "dub.wav")
    assert decoded_samples(made, 0, tools) == frames
    with av.open(str(made)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == frames


@pytest.mark.parametrize(("name", "rate"), [("plain", 44100), ("plain", 16000), ("webm", 48000), ("webm", 44100)])
def test_the_dub_starts_at_time_zero(name: str, rate: int, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal(rate).astype(np.float32) * 0.1
    smooth = np.convolve(noise, np.ones(9) / 9, "same").astype(np.float32)  # what a lossy coder keeps
    write_audio(tmp_path / "dub.wav", smooth, rate)
    heard = _decoded(_remux(clips[name], tools, tmp_path, wav=tmp_path / "dub.wav"), 0).astype(np.float64)
    spectrum = np.conj(np.fft.rfft(smooth, 2 * rate)) * np.fft.rfft(heard, 2 * rate)
    assert len(heard) == rate and int(np.fft.irfft(spectrum).argmax()) == 0


def test_what_aac_cannot_hold_becomes_flac(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    for frames, rate in ((192_001, 192_000), (320, 8000)):
        write_audio(tmp_path / "dub.wav", np.zeros(frames, np.float32), rate)
        made = _remux(clips["plain"], tools, tmp_path, wav=tmp_path / "dub.wav")
        dub = probe(made, tools).audio[0]
        assert (dub.codec, dub.sample_rate_hz) == ("flac", rate)
        assert decoded_samples(made, 0, tools) == frames


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_picture_is_copied_to_the_bit(name: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    source, info = clips[name], probe(clips[name], tools)
    made = _remux(source, tools, tmp_path)
    assert video_packet_hash(made, tools) == video_packet_hash(source, tools)
    _assert_same_showing(source, made, tools, 1e-3 if made.suffix == ".mkv" else 1e-9)
    wav = read_audio(tmp_path / "dub.wav")[0]
    assert decoded_samples(made, 0, tools) == len(wav)
    assert probe(made, tools).audio[0].channels == wav.shape[1]
    assert probe(made, tools).audio[1].codec == choose_audio(info, source, None).codec


@pytest.mark.parametrize("name", ["rotated", "vfr", "late_picture", "edited", "ts", "webm", "one_frame", "ten_bit"])
def test_an_encoded_picture_keeps_times_and_stance(name: str, clips: Clips, tools: Tools, tmp_path: Path) -> None:
    made = _remux(clips[name], tools, tmp_path, encode=True)
    _assert_same_showing(clips[name], made, tools, 1e-3 if made.suffix == ".mkv" else 1e-5)


def _assert_same_showing(source: Path, made: Path, tools: Tools, tolerance_s: float) -> None:
    old, new = probe(source, tools), probe(made, tools)
    assert old.video is not None and new.video is not None
    assert new.video.rotation_deg == old.video.rotation_deg
    assert new.video.sample_aspect_ratio == old.video.sample_aspect_ratio
    assert new.video.colour_transfer == old.video.colour_transfer
    # Against the dub's first sample, which is the source's time 0; Opus stamps its priming before it.
    new_times_s = frame_times_s(made, new) + new.start_s
    np.testing.assert_allclose(new_times_s, frame_times_s(source, old), atol=tolerance_s)


@pytest.mark.parametrize(("name", "codec"), [("plain", "mov_text"), ("webm", "subrip")])
def test_tracks_are_in_order_named_and_tagged(
    name: str, codec: str, clips: Clips, tools: Tools, tmp_path: Path
) -> None:
    (tmp_path / "s.srt").write_text(SRT)
    subtitles = [SubtitleTrack(tmp_path / "s.srt", "es-MX", "Subtítulos")]
    made = _remux(clips[name], tools, tmp_path, subtitles=subtitles, metadata={"comment": "synthetic voice"})
    with av.open(str(made)) as container:  # libav frees the streams with the container
        kinds = [(stream.type, stream.language) for stream in container.streams]
        comment = {key.lower(): value for key, value in container.metadata.items()}["comment"]
        text = container.streams[3]
        assert text.codec_context.codec.canonical_name == codec
        cue_s = next(float(packet.pts * text.time_base) for packet in container.demux(text) if packet.size > 2)
    assert [kind for kind, _ in kinds] == ["video", "audio", "audio", "subtitle"]
    assert [language for _, language in kinds][1::2] == ["spa", "spa"]
    info = probe(made, tools)
    assert [(track.title, track.is_default) for track in info.audio] == [("Español", True), ("Original", False)]
    assert comment == "synthetic voice" and cue_s == pytest.approx(0.5, abs=0.01)
    data = made.read_bytes()
    tag = b"elng\0\0\0\0es-MX\0" if made.suffix == ".mp4" else b"\x22\xb5\x9c\x83spa\x22\xb5\x9d\x85es-MX"
    assert data.count(tag) == 2


def test_the_originals_language_and_title_stay(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    info = probe(_remux(clips["two_tracks"], tools, tmp_path), tools)
    assert (info.audio[1].language, info.audio[1].title) == ("ger", "Kommentar")


def test_the_container_follows_source_and_codecs(clips: Clips, tools: Tools) -> None:
    suffixes = {name: container_suffix(probe(clips[name], tools)) for name in ("plain", "late", "webm", "avi", "ts")}
    assert suffixes == {"plain": ".mp4", "late": ".mp4", "webm": ".mkv", "avi": ".mkv", "ts": ".mkv"}
    info = probe(clips["plain"], tools)
    pcm = info.audio[0].model_copy(update={"codec": "pcm_s16le"})
    assert container_suffix(info.model_copy(update={"audio": (pcm,)})) == ".mkv"


def test_nothing_half_written_is_left(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    wav, out = tmp_path / "dub.wav", tmp_path / "out"
    write_audio(wav, np.zeros(100, np.float32), 16000)
    out.mkdir()
    destination = out / "a.mp4"
    destination.write_text("the earlier one")
    info = probe(clips["plain"], tools)
    absent = info.audio[0].model_copy(update={"index": 9})
    with pytest.raises(Exception, match="ffmpeg failed"):
        remux(
            clips["plain"], info, picture=None, dub=AudioTrack(wav, "es", "Dub"), original=absent, subtitles=(),
            destination=destination, tools=tools,
        )  # fmt: skip
    assert [path.name for path in out.iterdir()] == ["a.mp4"] and destination.read_text() == "the earlier one"
    with pytest.raises(StorageError, match="choose another --out"):
        _remux(clips["plain"], tools, tmp_path, wav=wav, destination=tmp_path / "absent" / "a.mp4")


def test_hostile_names_work_everywhere(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    folder = tmp_path / "-a 'b' \"c\"\n%d"
    folder.mkdir()
    source, subtitle = folder / "-i it's\n.mp4", folder / "-s:0.srt"
    shutil.copy(clips["plain"], source)
    subtitle.write_text(SRT)
    destination = folder / "-y %03d out.mp4"
    tracks = [SubtitleTrack(subtitle, "es", "S")]
    _remux(source, tools, folder, encode=True, destination=destination, subtitles=tracks)
    assert len(frame_times_s(destination, probe(destination, tools))) == 38


def test_the_same_inputs_give_the_same_bytes(clips: Clips, tools: Tools, tmp_path: Path) -> None:
    for name in ("plain", "webm"):
        folders = [tmp_path / name / "a", tmp_path / name / "b"]
        made = []
        for folder in folders:
            folder.mkdir(parents=True)
            made.append(_remux(clips[name], tools, folder).read_bytes())
        assert made[0] == made[1]


def test_language_codes() -> None:
    assert [iso_639_2(tag) for tag in ("es", "pt-BR", "zh-Hant", "DE", "gsw", "x-odd")] == [
        "spa", "por", "zho", "deu", "gsw", "und",
    ]  # fmt: skip
    assert [bcp_47(code) for code in ("ger", "deu", "por", "chi", "pt-BR", "gsw", "und", None)] == [
        "de", "de", "pt", "zh", "pt-BR", "gsw", None, None,
    ]  # fmt: skip


@pytest.mark.shared
def test_a_real_clip_with_odd_times_survives(shared_dir: Path, tools: Tools, tmp_path: Path) -> None:
    source = shared_dir / "media" / "video" / "retalking_1.mp4"  # 22.131 fps, picture 33 ms late
    made = _remux(source, tools, tmp_path)
    assert video_packet_hash(made, tools) == video_packet_hash(source, tools)
    _assert_same_showing(source, made, tools, 1e-9)
    assert decoded_samples(made, 0, tools) == len(read_audio(tmp_path / "dub.wav")[0])
