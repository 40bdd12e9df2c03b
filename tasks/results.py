"""Prefect's results in the store of our own assets, where every worker finds them: one place, one secret."""

from prefect.filesystems import WritableFileSystem

from schemas.settings import Settings
from storage.named import open_named

RESULTS = "main"
"""The name of the block that deployments use."""


class StoredResults(WritableFileSystem):
    """Results of tasks, small JSON texts, under `results/` of the store that the settings name.

    The block itself holds nothing: address and secrets are those of the machine that runs.
    """

    _block_type_name = "jamdub results"
    _block_type_slug = "jamdub-results"

    @classmethod
    def slug(cls) -> str:
        """What PREFECT_DEFAULT_RESULT_STORAGE_BLOCK is set to."""
        return f"{cls._block_type_slug}/{RESULTS}"

    # Prefect calls both from plain and from asynchronous code, and takes a plain answer in either (it passes `_sync`).
    def read_path(self, path: str, *, _sync: bool = True) -> bytes:  # type: ignore[override]
        """Return a result. Raises: ArtifactMissing, StorageError."""
        return open_named(Settings(), "results").read(path)

    def write_path(self, path: str, content: bytes, *, _sync: bool = True) -> None:  # type: ignore[override]
        """Keep a result, whole or not at all. Raises: StorageError."""
        open_named(Settings(), "results").write(path, content)
