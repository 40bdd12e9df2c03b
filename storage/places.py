"""The files that users name: on this machine, or in a bucket of the configured endpoint. Nothing else is opened."""

import os
import re
import tempfile
from pathlib import Path, PurePosixPath

from schemas.errors import RequestError, StorageError
from schemas.settings import Settings
from storage.bucket import open_bucket, split_s3_url
from storage.cache import open_cache
from storage.files import BucketFile, File, LocalFile

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://|(file|data):")


def open_file(place: str, settings: Settings) -> File:
    """Return the file that a user names: a path, or `s3://bucket/key`.

    Raises: RequestError, where it is another kind of URL, or lies outside of `files_root`; StorageError, where the
        settings lack the endpoint.
    """
    scheme = _SCHEME.match(place)
    if scheme is None:
        return LocalFile(_inside_root(place, settings))
    if scheme[0] != "s3://":
        # An address may hold a password or a token: it is not repeated.
        raise RequestError(f"a {scheme[0]} URL is not opened, only paths and s3://bucket/key: copy the file there")
    try:
        name, key = split_s3_url(place)
    except StorageError as error:
        raise RequestError(str(error)) from error
    return BucketFile(open_bucket(name, settings), key)


def fetch(place: str, settings: Settings) -> Path:
    """Return a readable file of this disk: the one that is named, or a copy of the one in a bucket, under its name.

    Raises: RequestError, where there is no such file in the bucket or it is larger than `max_upload_bytes`, and as
        open_file; StorageError, where it cannot be fetched.
    """
    file = open_file(place, settings)
    if isinstance(file, LocalFile):
        return file.path
    assert isinstance(file, BucketFile)
    found = file.bucket.find(file.key) if file.key else None
    if found is None:
        raise RequestError(f"{file.place} does not exist: check the URL")
    if found.size_bytes > settings.max_upload_bytes:
        raise RequestError(
            f"{file.place} has {found.size_bytes} bytes, more than the {settings.max_upload_bytes} that are accepted "
            "(JAMDUB_MAX_UPLOAD_BYTES)"
        )
    chunks = file.bucket.read(file.key, found.version)
    return open_cache(settings).keep_input(
        f"{file.place} {found.version}", PurePosixPath(file.key).name, found.size_bytes, chunks
    )


def join(folder: str, name: str) -> str:
    """Name a file of a folder, whether that is a path or a URL."""
    return f"{folder.rstrip('/')}/{name}" if folder else name


def folder_of(place: str) -> str:
    """Name the folder of a file, whether that is a path or a URL."""
    return place.rpartition("/")[0] if _SCHEME.match(place) else str(Path(place).parent)


def local_path(place: str, settings: Settings) -> Path:
    """A path of this machine that a user names, where nothing but a path will do.

    Raises: RequestError, where it is a URL, or lies outside of `files_root`.
    """
    file = open_file(place, settings)
    if not isinstance(file, LocalFile):
        raise RequestError(f"{place} lies in a bucket: name a path of the machine that does the work")
    return file.path


def list_files(folder: str, settings: Settings) -> tuple[str, ...]:
    """Name the files of a folder and those below it, in order: paths, or URLs of a bucket's objects.

    Raises: RequestError, where there is no such folder, and as open_file; StorageError, where it cannot be read.
    """
    within = open_file(folder, settings)
    if isinstance(within, BucketFile):
        prefix = f"{within.key}/" if within.key else ""  # without the slash, `in` would have the keys of `inside`
        return tuple(sorted(within.bucket.url(found.key) for found in within.bucket.list(prefix)))
    assert isinstance(within, LocalFile)
    if not within.path.is_dir():
        raise RequestError(f"{folder} is no folder: check the path")
    return tuple(sorted(str(path) for path in within.path.absolute().rglob("*") if path.is_file()))


def prepare_folder(folder: str, settings: Settings) -> None:
    """Prove that files can be written to a folder, which is made where that is needed.

    Raises: RequestError, where they cannot.
    """
    probe = open_file(join(folder, f".jamdub-{os.getpid()}"), settings)
    try:
        if isinstance(probe, LocalFile):
            probe.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=probe.path.parent, prefix=".jamdub-"):
                pass
        else:
            probe.write(b"")
            probe.remove()
    except OSError as error:
        raise RequestError(f"{folder}: cannot write there ({error.strerror}); choose another --out") from error
    except StorageError as error:
        raise RequestError(f"{folder}: {error}; or choose another --out") from error


def _inside_root(place: str, settings: Settings) -> Path:
    if "\0" in place:
        raise RequestError(f"{place!r} is no path: it has a zero byte in it")
    path, root = Path(place), settings.files_root
    if root is not None and not path.resolve().is_relative_to(root.resolve()):
        raise RequestError(f"{place} is outside of {root}, the only folder that is opened here (JAMDUB_FILES_ROOT)")
    return path
