"""What the Prefect UI shows of a run: a table of lines, the lips before and after, the receipt."""

import base64
from io import BytesIO
from pathlib import Path

from PIL import Image
from prefect.artifacts import create_image_artifact, create_markdown_artifact, create_table_artifact

from media.report import receipt_markdown
from schemas.dub import DubResult, LineReport, Receipt
from schemas.stages import Products

LARGEST_SHEET_PX = 1200


def show_lines(made: Products) -> None:
    """Show every line with what was heard and measured."""
    create_table_artifact(table=[_row(line) for line in made.checks.lines], key="lines", description="Lines of the dub")


def _row(line: LineReport) -> dict[str, object]:
    return {
        "line": line.id,
        "speaker": line.speaker,
        "time": f"{line.span.start_s:.2f}-{line.span.end_s:.2f} s",
        "source": line.source_text,
        "target": line.target_text or "(original voice kept)",
        "heard": line.heard_text or "",
        "WER": _rounded(line.wer, 2),
        "onset error": f"{line.onset_error_s * 1000:+.0f} ms" if line.onset_error_s is not None else "",
        "speed": _rounded(line.speed, 2),
        "aperture r": _rounded(line.aperture_r, 2),
    }


def _rounded(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def show_lips(contact_sheet: bytes) -> None:
    """Show faces before and after re-animation; small, since an artifact travels as an event of at most 1.5 MB."""
    small = Image.open(BytesIO(contact_sheet)).convert("RGB")
    small.thumbnail((LARGEST_SHEET_PX, LARGEST_SHEET_PX))
    jpeg = BytesIO()
    small.save(jpeg, "JPEG", quality=85)
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg.getvalue()).decode()}"
    create_image_artifact(image_url=url, key="lips", description="Lips before (above) and after (below)")


def show_receipt(result: DubResult) -> None:
    """Show the receipt as a page."""
    receipt = Receipt.model_validate_json(Path(result.receipt).read_bytes())
    create_markdown_artifact(markdown=receipt_markdown(receipt), key="receipt", description="Receipt of the dub")
