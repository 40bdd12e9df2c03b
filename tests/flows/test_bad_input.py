"""Bad input gets one clear line, the right exit code, and loses nothing."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from media.tools import find_tools

Jamdub = Callable[..., subprocess.CompletedProcess[str]]

GOOD_SRT = "1\n00:00:00,000 --> 00:00:00,900\nHola.\n"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of a test picture with a tone: good media, no speech."""
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc=size=128x96:rate=25:duration=1", "-f", "lavfi", "-i", "sine=duration=1"]
    ffmpeg = find_tools().ffmpeg
    subprocess.run([ffmpeg, "-v", "error", *sources, "-pix_fmt", "yuv420p", "-shortest", path], check=True, timeout=60)
    return path


@pytest.fixture
def run_dub(run_jamdub: Jamdub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run `jamdub dub` in this process: (exit code, standard error)."""
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str]:
        out = () if "--out" in arguments else ("--out", str(tmp_path / "out"))
        done = run_jamdub("dub", *arguments, *out)
        return done.returncode, done.stderr

    return run


def one_line(message: str) -> str:
    lines = [line for line in message.splitlines() if line.startswith("jamdub: ")]
    assert len(lines) == 1, message
    assert "Traceback" not in message
    return lines[0]


def silent_video(folder: Path, clip: Path) -> Path:
    path = folder / "mute.mp4"
    subprocess.run([find_tools().ffmpeg, "-v", "error", "-i", clip, "-an", "-c", "copy", path], check=True, timeout=60)
    return path


def test_missing_file(run_dub, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(tmp_path / "nowhere.mp4", "--to", "es")
    assert (code, "nowhere.mp4" in one_line(message)) == (2, True)


def test_folder(run_dub, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(tmp_path, "--to", "es")
    assert (code, "folder" in one_line(message)) == (2, True)


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b"just some text\n" * 50, "notes.mp4")])
def test_files_that_are_no_media(run_dub, tmp_path: Path, content: bytes, says: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    code, message = run_dub(path, "--to", "es")
    assert (code, says in one_line(message)) == (3, True)


def test_truncated_mp4(run_dub, tmp_path: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "cut.mp4"
    path.write_bytes(clip.read_bytes()[:4000])
    code, message = run_dub(path, "--to", "es")
    assert (code, "cut.mp4" in one_line(message)) == (3, True)


def test_video_without_audio(run_dub, tmp_path: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(silent_video(tmp_path, clip), "--to", "es")
    assert (code, "audio" in one_line(message)) == (3, True)


@pytest.mark.parametrize("arguments", [("--to", "xx"), ("--to", "not a language"), ("--to", "es", "--from", "qq")])
def test_unknown_languages(run_dub, clip: Path, arguments: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(clip, *arguments)
    assert code == 2
    one_line(message)


def test_no_translator_says_how_to_supply_a_script(run_dub, clip: Path) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(clip, "--from", "ja", "--to", "es")
    assert (code, "--script" in one_line(message)) == (2, True)


BAD_SCRIPTS = {
    "overlapping": b"1\n00:00:00,000 --> 00:00:00,800\nA\n\n2\n00:00:00,200 --> 00:00:00,900\nB\n",
    "negative": b"start,end,text\n-1.0,0.5,Hola\n",
    "reversed": b"1\n00:00:00,900 --> 00:00:00,100\nA\n",
    "no cues": b"\n\n",
    "empty cue": b"1\n00:00:00,000 --> 00:00:00,800\n\n",
    "latin-1": "1\n00:00:00,000 --> 00:00:00,800\n¿Qué?\n".encode("latin-1"),
    "late": b"1\n00:10:00,000 --> 00:10:01,000\nA\n",
}


@pytest.mark.parametrize("kind", BAD_SCRIPTS)
def test_bad_scripts_are_named(run_dub, tmp_path: Path, clip: Path, kind: str) -> None:  # type: ignore[no-untyped-def]
    script = tmp_path / ("script.csv" if kind == "negative" else "script.srt")
    script.write_bytes(BAD_SCRIPTS[kind])
    code, message = run_dub(clip, "--from", "en", "--to", "es", "--script", script)
    assert (code, script.name in one_line(message)) == (2, True)


def test_missing_script(run_dub, tmp_path: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    code, message = run_dub(clip, "--to", "es", "--script", tmp_path / "no.srt")
    assert (code, "no.srt" in one_line(message)) == (2, True)


def test_output_of_someone_else_is_kept(run_dub, tmp_path: Path, clip: Path) -> None:  # type: ignore[no-untyped-def]
    script, out = tmp_path / "a.srt", tmp_path / "out"
    script.write_text(GOOD_SRT)
    out.mkdir()
    (out / "clip.es.mp4").write_bytes(b"precious")
    code, message = run_dub(clip, "--to", "es", "--script", script)
    assert (code, "--overwrite" in one_line(message)) == (2, True)
    assert (out / "clip.es.mp4").read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["with space.mp4", 'it\'s "quoted".mp4', "new\nline.mp4", "-dash.mp4"])
def test_odd_names_are_read(
    run_jamdub: Jamdub, tmp_path: Path, clip: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a.srt"
    script.write_text(GOOD_SRT)
    (tmp_path / name).write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    assert run_jamdub("dub", "--to", "es", "--script", script, "--dry-run", "--", name).returncode == 0
    assert not (tmp_path / "dubs").exists(), "a dry run writes nothing"


def test_a_dry_run_tells_the_disk_it_needs(
    run_jamdub: Jamdub, tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a.srt"
    script.write_text(GOOD_SRT)
    monkeypatch.setenv("JAMDUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    done = run_jamdub("dub", clip, "--from", "en", "--to", "es", "--script", script, "--dry-run")
    assert done.returncode == 0
    assert re.search(r"estimated disk: \d+ MB kept in home and \d+ MB while it works, \d+ MB", done.stdout)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("MAX_UPLOAD_BYTES", "1000"), ("MAX_DURATION_S", "0.5"), ("MAX_PIXELS", "100"), ("MAX_STREAMS", "1")],
)
def test_a_video_beyond_a_limit(run_dub, clip: Path, setting: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv(f"JAMDUB_{setting}", value)
    code, message = run_dub(clip, "--from", "en", "--to", "es")
    assert (code, f"JAMDUB_{setting}" in one_line(message)) == (3, True)
