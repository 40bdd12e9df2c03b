"""What a dub is made of, as one key: the same for the same content, whatever its files are called."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from models.weights.files import sha256_of
from schemas.artifact import ModelRef
from schemas.dub import DubRequest
from schemas.errors import ArtifactMissing, RequestError
from schemas.settings import Settings
from storage.files import BucketFile
from storage.named import open_named
from storage.places import fetch, open_file
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


def dub_key(request: DubRequest, video_sha256: str, models: Sequence[ModelRef], settings: Settings) -> str:
    """The key of a dub.

    Args:
        models: The weights that the request needs.

    Raises: RequestError, StorageError, where the script or the consent record cannot be read.
    """
    return content_key(
        "dub",
        1,
        {
            "request": request.model_dump(exclude=FILES | UNSEEN),
            "video": video_sha256,
            "script": file_sha256(request.script, settings) if request.script else None,
            "consent": file_sha256(request.consent, settings) if request.consent else None,
            "models": {model.name: model.sha256 for model in models},
            "stages": {f"{stage.fn.__module__}.{stage.fn.__name__}": stage.version for stage in STAGES},
        },
    )


def file_sha256(place: str, settings: Settings) -> str:
    """Hash a file that a request names; one in a bucket is read once for each of its versions.

    Raises: RequestError, StorageError, where it cannot be read.
    """
    file = open_file(place, settings)
    if isinstance(file, BucketFile):
        return _known_sha256(file, settings)
    try:
        return sha256_of(Path(file.place))
    except OSError as error:
        raise RequestError(f"{place}: cannot be read ({error.strerror}); check the path") from error


def _known_sha256(file: BucketFile, settings: Settings) -> str:
    found, known = file.bucket.find(file.key), open_named(settings, "hashes")
    if found is None:
        raise RequestError(f"{file.place} does not exist: check the URL")
    name = hashlib.sha256(f"{file.bucket.endpoint} {file.place} {found.version}".encode()).hexdigest()
    try:
        return str(json.loads(known.read(name)))
    except ArtifactMissing:
        sha256 = sha256_of(fetch(file.place, settings))
        known.write(name, json.dumps(sha256).encode())
        return sha256
