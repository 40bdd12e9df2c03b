"""A batch in one process: every video into every language, once; what fails alone fails alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from media.tools import find_tools
from schemas.batch import BatchSummary
from schemas.dub import Receipt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
SPANISH = "Buenos días a todos."

Localize = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, spoken_clip: Path) -> Path:
    """Videos `one` and `two` with scripts, of which `two` has another title, and `broken`, which ends early."""
    videos = tmp_path_factory.mktemp("batch") / "videos"
    shutil.copytree(spoken_clip.parent, videos)
    for path in list(videos.iterdir()):
        path.rename(path.with_name(path.name.replace("morning", "one")))
    retitled = ["-c", "copy", "-metadata", "title=two", "-fflags", "+bitexact", videos / "two.mp4"]
    subprocess.run([find_tools().ffmpeg, "-v", "error", "-i", videos / "one.mp4", *retitled], check=True, timeout=60)
    for language in ("es", "fr"):
        shutil.copy(videos / f"one.{language}.srt", videos / f"two.{language}.srt")
    (videos / "broken.mp4").write_bytes((videos / "one.mp4").read_bytes()[:3000])
    return videos


def asked(folder: Path) -> tuple[object, ...]:
    return ("--to", "es,fr", "--from", "en", "--speakers", 1, "--out", folder.parent / "out")


@pytest.fixture(scope="module")
def localize(folder: Path, prefect_api: str) -> Localize:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        own = {"JAMDUB_HOME": str(folder.parent / "home"), "PREFECT_API_URL": prefect_api, "COLUMNS": "300"}
        command = [sys.executable, "-m", "flows.cli", "localize", folder, *asked(folder), *arguments]
        return subprocess.run(
            list(map(str, command)),
            env={**os.environ, **own}, capture_output=True, text=True, timeout=800, check=False, cwd=ROOT,
        )  # fmt: skip

    return run


def summary_of(folder: Path) -> BatchSummary:
    return BatchSummary.model_validate_json((folder.parent / "out" / "summary.json").read_bytes())


def states(folder: Path) -> dict[str, str]:
    return {item.title: item.state for item in summary_of(folder).items}


@pytest.fixture(scope="module")
def first(folder: Path, localize: Localize) -> BatchSummary:
    """The first batch, from which everything below goes on."""
    done = localize()
    assert done.returncode == 1, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("jamdub: ")]
    assert len(said) == 1 and "2 of 6 dubs failed" in said[0] and "broken/es: MediaError" in said[0]
    return summary_of(folder)


def test_all_are_dubbed_but_the_broken_one(first: BatchSummary, folder: Path) -> None:
    assert first.counts == {"completed": 4, "failed": 2}
    assert {item.title for item in first.failures} == {"broken/es", "broken/fr"}
    done = [item for item in first.items if item.state == "completed"]
    receipts = [
        Receipt.model_validate_json(
            Path(item.report or "").with_name(f"{item.title.replace('/', '.')}.receipt.json").read_bytes()
        )
        for item in done
    ]
    assert [receipt.request.target_language for receipt in receipts] == ["es", "fr", "es", "fr"]
    assert [item.wer for item in done] == [receipt.measures.wer for receipt in receipts]
    assert len({Path(item.report or "").parent for item in done}) == 4
    page = (folder.parent / "out" / "report.html").read_text()
    assert all(f">{item.title}</a>" in page for item in done) and "broken/es" in page


@pytest.mark.usefixtures("first")
def test_again_all_are_skipped_and_nothing_is_touched(folder: Path, localize: Localize) -> None:
    out = folder.parent / "out"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.*.*")}
    (folder / "broken.mp4").rename(folder / "broken.mp4.aside")
    done = localize()
    (folder / "broken.mp4.aside").rename(folder / "broken.mp4")
    assert done.returncode == 0, done.stderr
    assert summary_of(folder).counts == {"skipped": 4}
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.*.*")} == before


@pytest.mark.usefixtures("first")
def test_content_decides_not_names(folder: Path, localize: Localize) -> None:
    """One video is renamed, one line of a script is edited, one deliverable is lost, one dub is to be redone."""
    for path in list(folder.glob("one.*")):
        path.rename(path.with_name(path.name.replace("one", "renamed")))
    script = folder / "renamed.fr.srt"
    script.write_text(script.read_text().replace("Bonjour", "Bonsoir"))
    lost = next((folder.parent / "out").glob("two-*/fr/two.fr.mp4"))
    lost.unlink()
    plan = localize("--dry-run")
    assert plan.returncode == 1, "a video is broken"
    assert "two.fr.mp4 is not there any more" in plan.stdout and "2 of 6 dubs to do" in plan.stdout
    assert not lost.exists(), "a dry run writes nothing"
    done = localize("--redo", "two/es")
    assert done.returncode == 1, done.stderr
    assert states(folder) == {
        "broken/es": "failed", "broken/fr": "failed",
        "renamed/es": "skipped", "renamed/fr": "completed",
        "two/es": "completed", "two/fr": "completed",
    }  # fmt: skip
    assert lost.is_file()
    redone = next(item for item in summary_of(folder).items if item.title == "two/es")
    first_of_all = summary_of(folder).items[0]
    assert first_of_all == redone, "what is to be redone comes first"


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("arguments", "says"), [(("--redo", "nobody"), "nobody"), (("--to", "xx"), "xx"), (("--seed", "-1"), "seed")]
)
def test_a_wrong_batch_is_refused_before_any_work(
    run_jamdub: Localize, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str], says: str
) -> None:
    monkeypatch.setenv("JAMDUB_HOME", str(folder.parent / "home"))
    done = run_jamdub("localize", folder, *asked(folder), *arguments)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr
