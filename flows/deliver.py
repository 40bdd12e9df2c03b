"""The end of the way: receipt, report, and the files in the user's folder."""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePath

from flows.artifacts import show_lips
from flows.check import CheckedRequest
from flows.review import approvals
from media.report import render_report
from schemas.dub import DubRequest, DubResult, FileRecord, Receipt
from schemas.stages import Products
from storage.files import File
from tasks.deliver import LARGEST_EMBEDDED_VIDEO_BYTES, delivered_before, output_files
from tasks.ledger import Run
from tasks.outputs import record
from tasks.render import lip_sheet
from tasks.report_media import line_media
from tasks.workplace import Workplace

LINK_S = 7 * 24 * 3600
"""The longest that a link to an object may last."""


def deliver(request: DubRequest, run: Run, made: Products, checked: CheckedRequest, place: Workplace) -> DubResult:
    """Write the deliverables; an identical earlier delivery is left as it is."""
    files = output_files(request, made.movie.suffix, place)
    inputs = _inputs(checked.local, run)
    earlier = delivered_before(files, {own.sha256 for own in inputs}, made.movie.video)
    sheet = _sheet(run, made, place)
    if earlier is None:
        # The receipt goes first: it says whose files these are, so that a delivery cut short is completed by the
        # next run. The report goes last: where it lies, everything does.
        files["report"].remove()
        names = {kind: PurePath(file.place).name for kind, file in files.items()}
        texts = {"srt": made.movie.srt.encode(), "webvtt": made.movie.webvtt.encode()}
        movie = made.movie.video
        outputs = (
            FileRecord(name=names["video"], sha256=movie.sha256, size_bytes=movie.size_bytes),
            *(record(names[kind], data) for kind, data in texts.items()),
        )
        receipt = _receipt(request, run, made, checked, (inputs, outputs))
        files["receipt"].write(receipt.model_dump_json(indent=1).encode())
        files["video"].copy_from(place.store.local_path(movie))
        for kind, data in texts.items():
            files[kind].write(data)
        is_small = movie.size_bytes <= LARGEST_EMBEDDED_VIDEO_BYTES
        page = render_report(
            receipt,
            line_media(place, made),
            video_name=names["video"],
            video=place.store.get_bytes(movie) if is_small else None,
            contact_sheet_png=sheet,
            video_link=None if is_small else place.store.link(movie, LINK_S),
        )
        files["report"].write(page.encode())
    run.finish(place.store.put_bytes(files["receipt"].read(), "application/json"))
    return _result(request, run, made, files)


def _sheet(run: Run, made: Products, place: Workplace) -> bytes | None:
    """The contact sheet of the lips; None where no lips were changed."""
    patches = tuple(patch for patch in made.patches or () if patch.frames)
    if not patches or made.faces is None:
        return None
    ref = lip_sheet(run.source.video, run.source.info, made.movie.video, patches, made.faces.tracks_ref)
    sheet = place.store.get_bytes(ref)
    show_lips(sheet)
    return sheet


def _inputs(request: DubRequest, run: Run) -> tuple[FileRecord, ...]:
    video = run.source.video
    records = [FileRecord(name=run.source.name, sha256=video.sha256, size_bytes=video.size_bytes)]
    given = [Path(name) for name in (request.script, request.consent if request.clones else None) if name]
    return (*records, *(record(path.name, path.read_bytes()) for path in given))


def _receipt(
    request: DubRequest,
    run: Run,
    made: Products,
    checked: CheckedRequest,
    files: tuple[tuple[FileRecord, ...], tuple[FileRecord, ...]],
) -> Receipt:
    return Receipt(
        jamdub_version=version("jamdub"),
        run_id=run.id,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        request=request,
        source_language=made.transcript.language,
        inputs=files[0],
        outputs=files[1],
        models=checked.models,
        voices=made.voices,
        consent=None if checked.consent is None else checked.consent.used,
        approvals=approvals(run),
        lines=made.checks.lines,
        measures=made.checks.measures,
        stage_wall_s={stage: round(seconds, 2) for stage, seconds in run.times.wall_s.items()},
        stage_cpu_s={stage: round(seconds, 2) for stage, seconds in run.times.cpu_s.items()},
        warnings=made.warnings,
    )


def _result(request: DubRequest, run: Run, made: Products, files: Mapping[str, File]) -> DubResult:
    return DubResult(
        run_id=run.id,
        output_dir=request.output_dir,
        video=files["video"].place,
        receipt=files["receipt"].place,
        report=files["report"].place,
        warnings=made.warnings,
        tasks_run=len(run.times.ran),
        tasks_cached=run.times.cached,
        ran=tuple(run.times.ran),
    )
