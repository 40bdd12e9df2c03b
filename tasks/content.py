"""What a dub is made of, as one key: the same for the same content, whatever its files are called."""

from collections.abc import Sequence
from pathlib import Path

from models.weights.files import sha256_of
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from schemas.errors import RequestError
from tasks.deliver import UNDECISIVE
from tasks.faces import bind_faces, find_faces
from tasks.ingest import extract_audio
from tasks.mix import mix
from tasks.mouths import face_motions, line_motions
from tasks.perform import perform_takes
from tasks.remux import make_movie
from tasks.render import lip_sheet, render_line
from tasks.script import write_script
from tasks.separate import separate
from tasks.speak import cast, speak
from tasks.stage import content_key
from tasks.transcribe import transcribe
from tasks.verify import verify
from tasks.voices import cast_references, own_references

STAGES = (
    extract_audio, separate, transcribe, write_script, find_faces, bind_faces, face_motions, line_motions, cast,
    cast_references, own_references, speak, perform_takes, render_line, mix, make_movie, verify, lip_sheet,
)  # fmt: skip
"""Every task of a dub: where one's version is raised, all dubs have other keys."""

FILES = {"video", "script", "consent"}
"""Fields of a request that name a file: what counts is its content."""

UNSEEN = UNDECISIVE - {"review"}
"""Fields that do not count. A review does: a dub that somebody has approved is not one that nobody saw."""


def dub_key(request: DubRequest, video_sha256: str, models: Sequence[ModelRef]) -> str:
    """The key of a dub.

    Args:
        models: The weights that the request needs.

    Raises: RequestError, where the script or the consent record cannot be read.
    """
    return content_key(
        "dub",
        1,
        {
            "request": request.model_dump(exclude=FILES | UNSEEN),
            "video": video_sha256,
            "script": file_sha256(request.script) if request.script else None,
            "consent": file_sha256(request.consent) if request.consent else None,
            "models": {model.name: model.sha256 for model in models},
            "stages": {f"{stage.fn.__module__}.{stage.fn.__name__}": stage.version for stage in STAGES},
        },
    )


def file_sha256(path: str) -> str:
    """Hash a file that a request names. Raises: RequestError, where it cannot be read."""
    try:
        return sha256_of(Path(path))
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror}); check the path") from error
