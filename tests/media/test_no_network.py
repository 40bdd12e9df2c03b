"""No file makes us open another file or an address, by whatever call it is read: a listener counts the connections."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from media.audio_io import extract_audio
from media.compare import frame_count, video_packet_hash
from media.decoder import open_media
from media.mux import AudioTrack, SubtitleTrack, remux
from media.probe import probe
from media.stills import read_picture
from media.tools import Tools
from models.audio_to_mouth.corpus import decode_audio
from models.facemesh.landmarks import landmarks_of_clip
from schemas.errors import JamdubError

ROOT = Path(__file__).resolve().parents[2]
READERS = ("probe", "open", "sound", "hash", "count", "picture", "corpus sound", "corpus face", "remux")
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{0}\n#EXT-X-ENDLIST\n"
HOSTILE = {
    "playlist.m3u8": PLAYLIST,
    "playlist.mp4": PLAYLIST,
    "script.ffconcat": "ffconcat version 1.0\nfile '{0}'\n",
    "script.mp4": "ffconcat version 1.0\nfile '{0}'\n",
    "picture.svg": '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" '
    'height="9"><image width="9" height="9" xlink:href="{0}"/></svg>',
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=tool:{0}\n"
    "m=video {1} RTP/AVP/TCP 96\na=rtpmap:96 H264/90000\n",
    "manifest.mpd": '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT9S"><Period>'
    '<AdaptationSet contentType="video"><Representation id="1" bandwidth="9" codecs="avc1" mimeType="video/mp4">'
    "<BaseURL>{0}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "redirect.asx": '<asx version="3.0"><entry><ref href="{0}"/></entry></asx>',
    "styled.ass": "[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Start, End, Text\n"
    "Dialogue: 0:00:00.00,0:00:01.00,{{\\img({0})}}x\n",
    "captions.srt": "1\n00:00:00,000 --> 00:00:01,000\n<img src='{0}'>\n",
}
ADDRESSES = (
    "http://127.0.0.1:{port}/a.mp4",
    "tcp://127.0.0.1:{port}",
    "rtmp://127.0.0.1:{port}/a/b",
    "file://{secret}",
)


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port, and who has connected to it."""
    connected: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                connected.append(address)
                connection.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], connected
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def readers(clips: dict[str, Path], tools: Tools, tmp_path: Path) -> dict[str, Callable[[Path], object]]:
    """Every way in which a user's file is read."""
    plain, out = clips["plain"], tmp_path / "out.mkv"
    info = probe(plain, tools)

    def opened(path: Path) -> None:
        with open_media(path):
            pass

    def remuxed(path: Path) -> None:
        dub = AudioTrack(wav, "es", "")
        remux(path, info, picture=None, dub=dub, original=None, subtitles=[], destination=out, tools=tools)

    wav = tmp_path / "dub.wav"
    extract_audio(plain, info.audio[0], wav, tools)
    return {
        "probe": lambda path: probe(path, tools),
        "open": opened,
        "sound": lambda path: extract_audio(path, info.audio[0], tmp_path / "out.wav", tools),
        "hash": lambda path: video_packet_hash(path, tools),
        "count": frame_count,
        "picture": read_picture,
        "corpus sound": decode_audio,
        "corpus face": landmarks_of_clip,
        "remux": remuxed,
    }


@pytest.mark.parametrize("reader", READERS)
def test_no_file_leads_to_another(
    reader: str,
    readers: dict[str, Callable[[Path], object]],
    clips: dict[str, Path],
    listener: tuple[int, list[object]],
    tmp_path: Path,
) -> None:
    port, connected = listener
    for address in ADDRESSES:
        target = address.format(port=port, secret=clips["plain"])
        for name, content in HOSTILE.items():
            path = tmp_path / name
            path.write_text(content.format(target, port))
            with pytest.raises((JamdubError, av.FFmpegError)):  # the latter from those who read a corpus
                readers[reader](path)
    assert connected == []


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["http://127.0.0.1:{port}/a.mp4", "data:video/mp4;base64,AAAA", "concat:a|b"])
def test_an_address_is_taken_for_a_file_name(
    name: str,
    reader: str,
    readers: dict[str, Callable[[Path], object]],
    listener: tuple[int, list[object]],
) -> None:
    port, connected = listener
    with pytest.raises((JamdubError, av.FFmpegError)):
        readers[reader](Path(name.format(port=port)))
    assert connected == []


def test_subtitles_are_read_as_words(
    clips: dict[str, Path], tools: Tools, listener: tuple[int, list[object]], tmp_path: Path
) -> None:
    port, connected = listener
    words, wav = tmp_path / "words.srt", tmp_path / "dub.wav"
    words.write_text(HOSTILE["captions.srt"].format(f"http://127.0.0.1:{port}/a.png"))
    info = probe(clips["plain"], tools)
    extract_audio(clips["plain"], info.audio[0], wav, tools)
    remux(
        clips["plain"],
        info,
        picture=None,
        dub=AudioTrack(wav, "es", ""),
        original=None,
        subtitles=[SubtitleTrack(words, "es", "")],
        destination=tmp_path / "out.mkv",
        tools=tools,
    )
    assert connected == []


def test_the_listener_hears(listener: tuple[int, list[object]]) -> None:
    port, connected = listener
    before = len(connected)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(5)
        connection.recv(1)
    assert len(connected) == before + 1
    connected.clear()


@pytest.mark.parametrize("package", ["flows", "tasks", "models", "storage", "media"])
def test_inputs_are_named_and_programs_started_in_one_place_only(package: str) -> None:
    """A call that names its own input, or starts its own process, would go past the limits."""
    allowed = {"media/tools.py", "media/programs.py", "media/child.py"}
    marks = ('"-i"', "subprocess.", "os.system", "os.exec", "os.spawn")
    sources = {path: path.read_text() for path in (ROOT / package).rglob("*.py")}
    inside = {str(path.relative_to(ROOT)) for path, text in sources.items() if any(mark in text for mark in marks)}
    assert inside - allowed == set()
    for path, text in sources.items():
        reading = text.count("av.open(") - text.count('"w", format=')
        assert text.count("options=OPENS") >= reading, path
