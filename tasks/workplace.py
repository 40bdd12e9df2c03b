"""What every task works with: settings, the object store, external tools."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.audio_io import audio_bytes, read_audio
from media.tools import Tools, find_tools
from schemas.artifact import ArtifactRef
from schemas.settings import Settings
from storage.catalogue import Catalogue
from storage.engine import make_engine, migrate
from storage.objects import ObjectStore, open_store

WAV = "audio/wav"
SAFETENSORS = "application/x-safetensors"


@dataclass(frozen=True)
class Workplace:
    """Where a task reads from and writes to."""

    settings: Settings
    store: ObjectStore
    tools: Tools

    def samples(self, ref: ArtifactRef) -> tuple[np.ndarray, int]:
        """Read stored audio: float32 [n, channels] and its sample rate in Hz."""
        return read_audio(self.store.local_path(ref))

    def put_samples(self, samples: np.ndarray, sample_rate_hz: int) -> ArtifactRef:
        """Store audio as a float WAV."""
        return self.store.put_bytes(audio_bytes(samples, sample_rate_hz), WAV)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder that is gone afterwards, on the same disk as everything else."""
        root = self.settings.home / "scratch"
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as folder:
            yield Path(folder)


def open_workplace() -> Workplace:
    """Read the settings and open what they name."""
    settings = Settings()
    return Workplace(
        settings=settings,
        store=open_store(settings),
        tools=find_tools(settings.ffmpeg, settings.ffprobe, settings.tool_timeout_s, settings.tool_memory_bytes),
    )


def open_catalogue(settings: Settings) -> Catalogue:
    """Open the catalogue, brought to the newest schema first."""
    settings.home.mkdir(parents=True, exist_ok=True)
    migrate(settings.resolved_database_url)
    return Catalogue(make_engine(settings.resolved_database_url))
